"""The building blocks of the UVR5 "VR" v5.0 networks where they differ from those of v5.1 (``layers.py``).

After tsurumeso's vocal-remover v4 and UVR5's ``layers`` family; attribute names are those of the public checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from video_preprocessing.uvr5.network.crop import crop_center
from video_preprocessing.uvr5.network.layers import PUBLIC_DROPOUT, Conv2DBNActiv, check_spectrogram


class SeparableConv2DBNActiv(nn.Module):
    """A dilated convolution of each channel by itself, then one across channels, normalisation, ReLU.

    Args:
        nin, nout: channels.
        dilation: bins and frames from one tap to the next.

    Shape:
        (N, nin, bins, frames) -> (N, nout, bins, frames)
    """

    def __init__(self, nin: int, nout: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(nin, nin, 3, padding=dilation, dilation=dilation, groups=nin, bias=False),
            nn.Conv2d(nin, nout, 1, bias=False),
            nn.BatchNorm2d(nout),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.conv(x))


class Encoder(nn.Module):
    """Two convolutions; the first one's result is the skip connection, the second one steps down.

    Args:
        nin, nout: channels.
        stride: how many bins and frames become one.

    Shape:
        (N, nin, bins, frames) -> (N, nout, bins / stride, frames / stride), (N, nout, bins, frames)
    """

    def __init__(self, nin: int, nout: int, stride: int = 2) -> None:
        super().__init__()
        self.conv1 = Conv2DBNActiv(nin, nout, 3, 1, 1, activ=nn.LeakyReLU)
        self.conv2 = Conv2DBNActiv(nout, nout, 3, stride, 1, activ=nn.LeakyReLU)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        skip = self.conv1(x)
        return self.conv2(skip), skip


class Decoder(nn.Module):
    """Doubles the resolution, joins the skip connection (its middle frames), convolves.

    Shape:
        x: (N, nin - n_skip, bins, frames), skip: (N, n_skip, 2 bins, at least 2 frames) -> (N, nout, 2 bins, 2 frames)
    """

    def __init__(self, nin: int, nout: int) -> None:
        super().__init__()
        self.conv = Conv2DBNActiv(nin, nout, 3, 1, 1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        h = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return cast("torch.Tensor", self.conv(torch.cat([h, crop_center(skip, h)], dim=1)))


class ASPPModule(nn.Module):
    """Atrous spatial pyramid pooling with separable dilated branches, as wide inside as its input.

    Args:
        nin: input channels.
        nout: output channels.
        dilations: of ``conv3``, ``conv4`` and ``conv5``; further branches take the third one again, as the public
            seven-branch networks do.
        branches: five or seven in the public networks.

    Shape:
        (N, nin, bins, frames) -> (N, nout, bins, frames)
    """

    def __init__(self, nin: int, nout: int, dilations: Sequence[int] = (4, 8, 16), *, branches: int = 5) -> None:
        super().__init__()
        self.nin = nin
        self.conv1 = nn.Sequential(nn.AdaptiveAvgPool2d((1, None)), Conv2DBNActiv(nin, nin, 1, 1, 0))
        self.conv2 = Conv2DBNActiv(nin, nin, 1, 1, 0)
        self.local_branches = ["conv2"]
        for number in range(3, branches + 1):
            dilation = dilations[min(number - 3, 2)]
            self.add_module(f"conv{number}", SeparableConv2DBNActiv(nin, nin, dilation))
            self.local_branches.append(f"conv{number}")
        self.bottleneck = nn.Sequential(
            Conv2DBNActiv(nin * branches, nout, 1, 1, 0),
            nn.Dropout2d(PUBLIC_DROPOUT),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_spectrogram(x, channels=self.nin, block="ASPPModule")
        pooled = self.conv1(x).expand(-1, -1, x.shape[2], -1)
        h = torch.cat([pooled, *(self.get_submodule(name)(x) for name in self.local_branches)], dim=1)
        return cast("torch.Tensor", self.bottleneck(h))
