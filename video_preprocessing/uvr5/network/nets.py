"""The UVR5 "VR" v5.1 networks: a U-Net with ASPP and LSTM, and three of its stages in cascade.

After UVR5's ``nets_new`` (tsurumeso's vocal-remover v5.1); attribute names are those of the public
checkpoints. Magnitude spectrograms go in, a mask between 0 and 1 comes out; see ``docs/uvr5.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from video_preprocessing.uvr5.network.layers import (
    PUBLIC_DROPOUT,
    Activation,
    ASPPModule,
    Conv2DBNActiv,
    Decoder,
    Dilation,
    Encoder,
    LSTMModule,
    Sequencer,
)
from video_preprocessing.uvr5.network.mask_net import MaskNet
from video_preprocessing.uvr5.network.nets_v50 import BaseASPPNet, CascadedASPPNet

__all__ = ["PUBLIC", "BaseASPPNet", "BaseNet", "CascadedASPPNet", "CascadedNet", "Variant"]

# Four encoders halve both axes, so bins and frames must divide by 2 ** 4.
RESOLUTION_STEP = 16

PUBLIC_DILATIONS: tuple[Dilation, ...] = ((4, 2), (8, 4), (12, 6))


@dataclass(frozen=True)
class Variant:
    """What may differ from the public networks; the defaults are theirs.

    Attributes:
        activ: activation factory everywhere but in the encoders.
        encoder_activ: activation factory of the encoders.
        dilations: of the ASPP branches, (frequency, time) each; their number is the number of branches.
        dropout: probability after the ASPP module.
        sequencer: layer over time.
        skip_attention: attention gates on the skip connections.
    """

    activ: Activation = nn.ReLU
    encoder_activ: Activation = nn.LeakyReLU
    dilations: Sequence[Dilation] = PUBLIC_DILATIONS
    dropout: float = PUBLIC_DROPOUT
    sequencer: Sequencer = "lstm"
    skip_attention: bool = False


PUBLIC = Variant()


def laid_out_as(model: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``x`` in the memory layout of ``model``.

    A concatenation takes its layout from all of its inputs, and everything after it follows: one channel that lies
    otherwise would turn a hundred around.
    """
    if model.is_contiguous(memory_format=torch.channels_last):
        return x.contiguous(memory_format=torch.channels_last)
    return x


class BaseNet(nn.Module):
    """One U-Net: four halvings, ASPP at the bottom, four doublings with skips, an LSTM beside the second.

    Args:
        nin: input channels.
        nout: output channels, and the unit of all widths inside.
        nin_lstm: bins of the input halved once (the LSTM works at half resolution).
        nout_lstm: features of the LSTM.
        dilations: of the ASPP branches; None for the variant's.
        variant: what differs from the public network.

    Shape:
        (N, nin, 2 nin_lstm, frames) -> (N, nout, 2 nin_lstm, frames); bins and frames multiples of 16
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nin_lstm: int,
        nout_lstm: int,
        dilations: Sequence[Dilation] | None = None,
        *,
        variant: Variant = PUBLIC,
    ) -> None:
        super().__init__()
        down, up = variant.encoder_activ, variant.activ
        n1, n2, n4, n6, n8 = (nout * k for k in (1, 2, 4, 6, 8))

        def gate(channels: int) -> int:
            return channels if variant.skip_attention else 0

        self.enc1 = Conv2DBNActiv(nin, n1, 3, 1, 1, activ=up)
        self.enc2 = Encoder(n1, n2, 3, 2, 1, activ=down)
        self.enc3 = Encoder(n2, n4, 3, 2, 1, activ=down)
        self.enc4 = Encoder(n4, n6, 3, 2, 1, activ=down)
        self.enc5 = Encoder(n6, n8, 3, 2, 1, activ=down)
        self.aspp = ASPPModule(n8, n8, dilations or variant.dilations, activ=up, dropout=variant.dropout)
        self.dec4 = Decoder(n8 + n6, n6, activ=up, skip_attention=gate(n6))
        self.dec3 = Decoder(n6 + n4, n4, activ=up, skip_attention=gate(n4))
        self.dec2 = Decoder(n4 + n2, n2, activ=up, skip_attention=gate(n2))
        self.lstm_dec2 = LSTMModule(n2, nin_lstm, nout_lstm, activ=up, sequencer=variant.sequencer)
        self.dec1 = Decoder(n2 + 1 + n1, n1, activ=up, skip_attention=gate(n1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 4 or x.shape[2] % RESOLUTION_STEP or x.shape[3] % RESOLUTION_STEP:
            raise ValueError(
                f"BaseNet expects (N, C, bins, frames) with bins and frames multiples of {RESOLUTION_STEP}, "
                f"got {tuple(x.shape)}"
            )
        e1 = self.enc1(x)
        e2 = self.enc2(e1)
        e3 = self.enc3(e2)
        e4 = self.enc4(e3)
        h = self.aspp(self.enc5(e4))
        # What has been used is let go of: in long windows it is memory that counts.
        h = self.dec4(h, e4)
        del e4
        h = self.dec3(h, e3)
        del e3
        h = self.dec2(h, e2)
        del e2
        h = torch.cat([h, laid_out_as(h, self.lstm_dec2(h))], dim=1)
        return cast("torch.Tensor", self.dec1(h, e1))


class CascadedNet(MaskNet):
    """Three stages of ``BaseNet``: each half of the band twice, then the full band with both results beside it.

    Args:
        n_fft: FFT length whose bins come in; n_fft / 2 a multiple of 32.
        nout: width of the last stage; a multiple of 4.
        nout_lstm: features of its LSTM; a multiple of 4.
        variant: what differs from the public network.

    Attributes:
        offset: frames at either end of a window that saw too little context and are dropped.

    Shape:
        (N, 2, bins, frames) -> mask (N, 2, n_fft / 2 + 1, frames), with bins at least n_fft / 2 (those above
        are ignored) and frames a multiple of 16. In training mode a tuple (mask, auxiliary mask of the
        first two stages).

    Raises:
        ValueError: a size that is no such multiple.
    """

    offset = 64

    def __init__(self, n_fft: int, nout: int = 32, nout_lstm: int = 128, *, variant: Variant = PUBLIC) -> None:
        super().__init__()
        if n_fft % (4 * RESOLUTION_STEP):
            raise ValueError(f"n_fft must be a multiple of {4 * RESOLUTION_STEP}, not {n_fft}")
        if nout % 4 or nout_lstm % 4:
            raise ValueError(f"nout and nout_lstm must be multiples of 4, not {nout} and {nout_lstm}")
        self.max_bin = n_fft // 2
        self.output_bin = n_fft // 2 + 1
        nin_lstm = self.max_bin // 2

        def half_band(nin: int, width: int, features: int) -> BaseNet:
            return BaseNet(nin, width, nin_lstm // 2, features, variant=variant)

        def squeeze(width: int) -> Conv2DBNActiv:
            return Conv2DBNActiv(width, width // 2, 1, 1, 0, activ=variant.activ)

        self.stg1_low_band_net = nn.Sequential(half_band(2, nout // 2, nout_lstm), squeeze(nout // 2))
        self.stg1_high_band_net = half_band(2, nout // 4, nout_lstm // 2)
        self.stg2_low_band_net = nn.Sequential(half_band(nout // 4 + 2, nout, nout_lstm), squeeze(nout))
        self.stg2_high_band_net = half_band(nout // 4 + 2, nout // 2, nout_lstm // 2)
        self.stg3_full_band_net = BaseNet(3 * nout // 4 + 2, nout, nin_lstm, nout_lstm, variant=variant)
        self.out = nn.Conv2d(nout, 2, 1, bias=False)
        self.aux_out = nn.Conv2d(3 * nout // 4, 2, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        self._check(x)
        x = x[:, :, : self.max_bin]
        low, high = x.chunk(2, dim=2)
        low1, high1 = self.stg1_low_band_net(low), self.stg1_high_band_net(high)
        aux1 = torch.cat([low1, high1], dim=2)
        low2 = self.stg2_low_band_net(torch.cat([low, low1], dim=1))
        high2 = self.stg2_high_band_net(torch.cat([high, high1], dim=1))
        aux2 = torch.cat([low2, high2], dim=2)
        h = torch.cat([x, aux1, aux2], dim=1)
        if not self.training:
            # Dead weight from here on, and as large as all that the last stage needs.
            del x, low, high, low1, high1, low2, high2, aux1, aux2
            return self._mask(self.out(self.stg3_full_band_net(h)))
        mask = self._mask(self.out(self.stg3_full_band_net(h)))
        return mask, self._mask(self.aux_out(torch.cat([aux1, aux2], dim=1)))

    def _check(self, x: torch.Tensor) -> None:
        if x.dim() != 4 or x.shape[1] != 2 or x.shape[2] < self.max_bin or x.shape[3] % RESOLUTION_STEP:
            raise ValueError(
                f"CascadedNet expects (N, 2, at least {self.max_bin} bins, frames a multiple of {RESOLUTION_STEP}), "
                f"got {tuple(x.shape)}"
            )
