"""The UVR5 "VR" v5.0 networks (HP2, HP3, HP5 and older): three stages of a U-Net with ASPP, bridged.

After tsurumeso's vocal-remover v4 and UVR5's ``nets_*KB`` modules, which differ in widths and in the number of ASPP
branches alone; both are read off a checkpoint's shapes here. Magnitudes go in, a mask between 0 and 1 comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import nn

from video_preprocessing.uvr5.network.layers import Conv2DBNActiv
from video_preprocessing.uvr5.network.layers_v50 import ASPPModule, Decoder, Encoder
from video_preprocessing.uvr5.network.mask_net import MaskNet

RESOLUTION_STEP = 16


@dataclass(frozen=True, slots=True)
class Widths:
    """Sizes of a ``CascadedASPPNet``.

    Attributes:
        stage1: channels of the two half-band networks.
        bridge2: channels that the second stage takes in.
        stage2: its channels.
        bridge3: channels that the third stage takes in.
        stage3: its channels.
        branches: of the ASPP modules.
    """

    stage1: int
    bridge2: int
    stage2: int
    bridge3: int
    stage3: int
    branches: int = 5

    def __post_init__(self) -> None:
        widths = (self.stage1, self.bridge2, self.stage2, self.bridge3, self.stage3)
        if not all(1 <= w <= 1024 for w in widths) or not 3 <= self.branches <= 16:
            raise ValueError(f"no network has widths {widths} and {self.branches} ASPP branches")


# By the file size (in KB) that the public tools know them by.
FAMILIES: Mapping[str, Widths] = {
    "base": Widths(16, 8, 16, 16, 32),
    "33966KB": Widths(16, 8, 16, 16, 32, branches=7),
    "61968KB": Widths(32, 16, 32, 32, 64),
    "123812KB": Widths(32, 16, 32, 32, 64),
    "123821KB": Widths(32, 16, 32, 32, 64),
    "537227KB": Widths(64, 32, 64, 64, 128, branches=7),
    "537238KB": Widths(64, 32, 64, 64, 128, branches=7),
}


class BaseASPPNet(nn.Module):
    """One U-Net: four halvings, ASPP at the bottom, four doublings with skips.

    Args:
        nin: input channels.
        ch: output channels, and the unit of all widths inside.
        dilations: of the ASPP module.
        branches: of the ASPP module.

    Shape:
        (N, nin, bins, frames) -> (N, ch, bins, frames); bins and frames multiples of 16
    """

    def __init__(self, nin: int, ch: int, dilations: Sequence[int] = (4, 8, 16), *, branches: int = 5) -> None:
        super().__init__()
        self.enc1 = Encoder(nin, ch)
        self.enc2 = Encoder(ch, 2 * ch)
        self.enc3 = Encoder(2 * ch, 4 * ch)
        self.enc4 = Encoder(4 * ch, 8 * ch)
        self.aspp = ASPPModule(8 * ch, 16 * ch, dilations, branches=branches)
        self.dec4 = Decoder(24 * ch, 8 * ch)
        self.dec3 = Decoder(12 * ch, 4 * ch)
        self.dec2 = Decoder(6 * ch, 2 * ch)
        self.dec1 = Decoder(3 * ch, ch)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 4 or x.shape[2] % RESOLUTION_STEP or x.shape[3] % RESOLUTION_STEP:
            raise ValueError(
                f"BaseASPPNet expects (N, C, bins, frames) with bins and frames multiples of {RESOLUTION_STEP}, "
                f"got {tuple(x.shape)}"
            )
        h, e1 = self.enc1(x)
        h, e2 = self.enc2(h)
        h, e3 = self.enc3(h)
        h, e4 = self.enc4(h)
        # What has been used is let go of: in long windows it is memory that counts.
        h = self.dec4(self.aspp(h), e4)
        del e4
        h = self.dec3(h, e3)
        del e3
        h = self.dec2(h, e2)
        del e2
        return cast("torch.Tensor", self.dec1(h, e1))


class CascadedASPPNet(MaskNet):
    """Both halves of the band, then twice the full band with the earlier results beside it.

    Args:
        n_fft: twice the bins of the band plan; a multiple of 64.
        family: a key of ``FAMILIES``, or the sizes themselves.

    Attributes:
        offset: frames at either end of a window that saw too little context and are dropped.

    Shape:
        (N, 2, bins, frames) -> mask (N, 2, n_fft / 2 + 1, frames), with bins at least n_fft / 2 (those above
        are ignored) and frames a multiple of 16. In training mode a tuple (mask, mask of the first stage, mask of
        the second).

    Raises:
        ValueError: an unknown family, or an n_fft that cannot be halved often enough.
    """

    offset = 128

    def __init__(self, n_fft: int, family: str | Widths = "base") -> None:
        super().__init__()
        if n_fft % (2 * RESOLUTION_STEP):
            raise ValueError(f"n_fft must be a multiple of {2 * RESOLUTION_STEP}, not {n_fft}")
        if isinstance(family, str) and family not in FAMILIES:
            raise ValueError(f"the families are {', '.join(FAMILIES)}, not {family!r}")
        w = FAMILIES[family] if isinstance(family, str) else family
        self.max_bin = n_fft // 2
        self.output_bin = n_fft // 2 + 1
        self.stg1_low_band_net = BaseASPPNet(2, w.stage1, branches=w.branches)
        self.stg1_high_band_net = BaseASPPNet(2, w.stage1, branches=w.branches)
        self.stg2_bridge = Conv2DBNActiv(w.stage1 + 2, w.bridge2, 1, 1, 0)
        self.stg2_full_band_net = BaseASPPNet(w.bridge2, w.stage2, branches=w.branches)
        self.stg3_bridge = Conv2DBNActiv(w.stage1 + w.stage2 + 2, w.bridge3, 1, 1, 0)
        self.stg3_full_band_net = BaseASPPNet(w.bridge3, w.stage3, branches=w.branches)
        self.out = nn.Conv2d(w.stage3, 2, 1, bias=False)
        self.aux1_out = nn.Conv2d(w.stage1, 2, 1, bias=False)
        self.aux2_out = nn.Conv2d(w.stage2, 2, 1, bias=False)

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, Sequence[int]], n_fft: int) -> Self:
        """The network whose state dict has these shapes.

        Raises:
            KeyError: a tensor that tells a size is missing.
            ValueError: sizes that no network has.
        """
        branches = sum(k.startswith("stg3_full_band_net.aspp.conv") and k.endswith(".running_mean") for k in shapes)
        widths = Widths(
            stage1=shapes["aux1_out.weight"][1],
            bridge2=shapes["stg2_bridge.conv.0.weight"][0],
            stage2=shapes["aux2_out.weight"][1],
            bridge3=shapes["stg3_bridge.conv.0.weight"][0],
            stage3=shapes["out.weight"][1],
            branches=branches,
        )
        return cls(n_fft, widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        if x.dim() != 4 or x.shape[1] != 2 or x.shape[2] < self.max_bin or x.shape[3] % RESOLUTION_STEP:
            raise ValueError(
                f"CascadedASPPNet expects (N, 2, at least {self.max_bin} bins, frames a multiple of "
                f"{RESOLUTION_STEP}), got {tuple(x.shape)}"
            )
        x = x[:, :, : self.max_bin]
        low, high = x.chunk(2, dim=2)
        aux1 = torch.cat([self.stg1_low_band_net(low), self.stg1_high_band_net(high)], dim=2)
        aux2 = self.stg2_full_band_net(self.stg2_bridge(torch.cat([x, aux1], dim=1)))
        h = self.stg3_bridge(torch.cat([x, aux1, aux2], dim=1))
        if not self.training:
            # Dead weight from here on, and as large as all that the last stage needs.
            del x, low, high, aux1, aux2
            return self._mask(self.out(self.stg3_full_band_net(h)))
        mask = self._mask(self.out(self.stg3_full_band_net(h)))
        return mask, self._mask(self.aux1_out(aux1)), self._mask(self.aux2_out(aux2))
