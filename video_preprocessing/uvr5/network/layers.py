"""The five building blocks of the UVR5 "VR" v5.1 networks.

After the published design of UVR5's ``layers_new`` (tsurumeso's vocal-remover and its descendants); the
attribute names are those of the public checkpoints, whose state dicts load with ``strict=True``. All other
freedom is in constructor arguments, and the default of every argument leaves that state dict untouched:

* ``activ`` is a *factory*: anything that gives a fresh module when called without arguments, a class
  (``nn.ELU``) or a ``functools.partial(nn.LeakyReLU, 0.2)``. An instance is refused, since several layers
  would share it.
* ``dropout`` is a probability; ``True`` stands for the public networks' 0.1.
* Encoders default to LeakyReLU and everything else to ReLU, because the public weights were trained so.

Tensors are (N, C, bins, frames): batch, channels, frequency, time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, cast

import torch
from torch import nn
from torch.nn import functional as F

from video_preprocessing.uvr5.network.crop import crop_center

Activation = Callable[[], nn.Module]
Dilation = int | tuple[int, int]
Sequencer = Literal["lstm", "gru", "attention"]

PUBLIC_DROPOUT = 0.1


def make_activation(activ: Activation) -> nn.Module:
    """One fresh activation module from its factory.

    Raises:
        TypeError: ``activ`` is an instance, or does not give a module.
    """
    if isinstance(activ, nn.Module):
        raise TypeError(
            f"activ takes a factory such as nn.ReLU or functools.partial(nn.LeakyReLU, 0.2), not the instance {activ!r}"
        )
    module = activ()
    if not isinstance(module, nn.Module):
        raise TypeError(f"activ must give an nn.Module, it gave a {type(module).__name__}")
    return module


def make_dropout(dropout: float | bool) -> nn.Dropout2d | None:
    """Whole-channel dropout of that probability, None for 0 or False.

    Raises:
        ValueError: the probability is outside 0..1.
    """
    probability = (PUBLIC_DROPOUT if dropout else 0.0) if isinstance(dropout, bool) else dropout
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"dropout is a probability from 0 to 1, not {probability}")
    return nn.Dropout2d(probability) if probability > 0.0 else None


def check_spectrogram(x: torch.Tensor, *, channels: int, block: str) -> None:
    """Says what was expected when ``x`` is not (N, channels, bins, frames).

    Args:
        x: what a block was called with.
        channels: how many it takes.
        block: its name, for the message.

    Raises:
        ValueError: another number of axes or channels.
    """
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(f"{block} expects (N, {channels}, bins, frames), got {tuple(x.shape)}")


class Conv2DBNActiv(nn.Module):
    """Convolution without bias, batch normalisation, activation.

    Args:
        nin: input channels.
        nout: output channels.
        ksize: kernel size.
        stride: step of the convolution.
        pad: zero padding; an int, or (frequency, time).
        dilation: spacing of the kernel's taps; an int, or (frequency, time).
        activ: activation factory.

    Shape:
        (N, nin, bins, frames) -> (N, nout, bins', frames')
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        ksize: int = 3,
        stride: int = 1,
        pad: Dilation = 1,
        dilation: Dilation = 1,
        activ: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        self.nin = nin
        self.conv = nn.Sequential(
            # Batch normalisation subtracts the mean, so a bias would have no effect.
            nn.Conv2d(nin, nout, kernel_size=ksize, stride=stride, padding=pad, dilation=dilation, bias=False),
            nn.BatchNorm2d(nout),
            make_activation(activ),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_spectrogram(x, channels=self.nin, block="Conv2DBNActiv")
        return cast("torch.Tensor", self.conv(x))


class Encoder(nn.Module):
    """Two convolutions, the first of which may step down in resolution.

    Args:
        nin: input channels.
        nout: output channels.
        ksize: kernel size of both.
        stride: step of the first convolution.
        pad: padding of both.
        activ: activation factory.
        second_stride: step of the second convolution; 1 in every public network.

    Shape:
        (N, nin, bins, frames) -> (N, nout, ceil(bins / stride), ceil(frames / stride)) with ksize 3, pad 1
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        ksize: int = 3,
        stride: int = 1,
        pad: int = 1,
        activ: Activation = nn.LeakyReLU,
        second_stride: int = 1,
    ) -> None:
        super().__init__()
        self.conv1 = Conv2DBNActiv(nin, nout, ksize, stride, pad, activ=activ)
        self.conv2 = Conv2DBNActiv(nout, nout, ksize, second_stride, pad, activ=activ)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.conv2(self.conv1(x)))


class SkipAttention(nn.Module):
    """Additive attention gate: lets the decoder choose what of the skip connection passes.

    After Oktay et al., *Attention U-Net* (2018): gate = sigmoid(psi(relu(W_s skip + W_g x))).

    Shape:
        skip: (N, n_skip, bins, frames), x: (N, n_gate, bins, frames) -> (N, n_skip, bins, frames)
    """

    def __init__(self, n_skip: int, n_gate: int) -> None:
        super().__init__()
        n_inner = max(1, n_skip // 2)
        self.from_skip = nn.Conv2d(n_skip, n_inner, 1)
        self.from_gate = nn.Conv2d(n_gate, n_inner, 1)
        self.psi = nn.Conv2d(n_inner, 1, 1)

    def forward(self, skip: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.psi(F.relu(self.from_skip(skip) + self.from_gate(x))))
        return skip * gate


class Decoder(nn.Module):
    """Doubles the resolution, joins the encoder's skip connection, convolves.

    The public source holds a second convolution that is commented out; here it is the argument
    ``second_conv``, off by default.

    Args:
        nin: input channels, those of the skip connection included.
        nout: output channels.
        ksize: kernel size.
        stride: step of the convolution; 1 in every public network.
        pad: padding.
        activ: activation factory.
        dropout: probability of dropping a whole output channel in training.
        second_conv: one more convolution, for capacity.
        skip_attention: channels of the skip connection to put an attention gate on; 0 for none.

    Shape:
        x: (N, nin - n_skip, bins, frames), skip: (N, n_skip, 2 bins, at least 2 frames)
        -> (N, nout, 2 bins, 2 frames); a wider skip is cropped to its middle frames
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        ksize: int = 3,
        stride: int = 1,
        pad: int = 1,
        activ: Activation = nn.ReLU,
        dropout: float | bool = False,
        *,
        second_conv: bool = False,
        skip_attention: int = 0,
    ) -> None:
        super().__init__()
        self.nin = nin
        self.conv1 = Conv2DBNActiv(nin, nout, ksize, stride, pad, activ=activ)
        self.conv2 = Conv2DBNActiv(nout, nout, ksize, 1, pad, activ=activ) if second_conv else None
        self.attention = SkipAttention(skip_attention, nin - skip_attention) if skip_attention else None
        self.dropout = make_dropout(dropout)

    def forward(self, x: torch.Tensor, skip: torch.Tensor | None = None) -> torch.Tensor:
        if x.dim() != 4:
            raise ValueError(f"Decoder expects (N, C, bins, frames), got {tuple(x.shape)}")
        h = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        if skip is not None:
            self._check_skip(skip, h)
            skip = crop_center(skip, h)
            if self.attention is not None:
                skip = self.attention(skip, h)
            h = torch.cat([h, skip], dim=1)
        h = self.conv1(h)
        if self.conv2 is not None:
            h = self.conv2(h)
        return self.dropout(h) if self.dropout is not None else h

    def _check_skip(self, skip: torch.Tensor, h: torch.Tensor) -> None:
        n_skip = self.nin - h.shape[1]
        fits = skip.dim() == 4 and skip.shape[1:3] == (n_skip, h.shape[2]) and skip.shape[3] >= h.shape[3]
        if not fits:
            raise ValueError(
                f"Decoder expects a skip connection (N, {n_skip}, {h.shape[2]}, at least {h.shape[3]}) "
                f"beside its upsampled input {tuple(h.shape)}, got {tuple(skip.shape)}"
            )


class ASPPModule(nn.Module):
    """Atrous spatial pyramid pooling: the same input seen at several scales, joined by a 1x1 convolution.

    Branch ``conv1`` averages over all frequencies and keeps time, ``conv2`` is a 1x1 convolution, and each
    dilation gives one 3x3 convolution more: ``conv3``, ``conv4``, … After Chen et al., *DeepLabv3* (2017).

    Args:
        nin: input channels.
        nout: output channels, and those of each branch.
        dilations: one per dilated branch, an int or (frequency, time); serves as padding too.
        activ: activation factory.
        dropout: probability of dropping a whole output channel in training.

    Shape:
        (N, nin, bins, frames) -> (N, nout, bins, frames)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        dilations: Sequence[Dilation] = (4, 8, 12),
        activ: Activation = nn.ReLU,
        dropout: float | bool = False,
    ) -> None:
        super().__init__()
        self.nin = nin
        # (1, None): one bin, all frames. What is common to a frame (silence, a loud beat) without its pitch.
        self.conv1 = nn.Sequential(
            nn.AdaptiveAvgPool2d((1, None)),
            Conv2DBNActiv(nin, nout, 1, 1, 0, activ=activ),
        )
        self.conv2 = Conv2DBNActiv(nin, nout, 1, 1, 0, activ=activ)
        self.local_branches = ["conv2"]
        for number, dilation in enumerate(dilations, start=3):
            self.add_module(f"conv{number}", Conv2DBNActiv(nin, nout, 3, 1, dilation, dilation, activ=activ))
            self.local_branches.append(f"conv{number}")
        n_branches = 1 + len(self.local_branches)
        self.bottleneck = Conv2DBNActiv(nout * n_branches, nout, 1, 1, 0, activ=activ)
        self.dropout = make_dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_spectrogram(x, channels=self.nin, block="ASPPModule")
        # Bilinear interpolation from one bin to many is a copy of that bin: expanding costs nothing.
        pooled = self.conv1(x).expand(-1, -1, x.shape[2], -1)
        h = torch.cat([pooled, *(self.get_submodule(name)(x) for name in self.local_branches)], dim=1)
        h = cast("torch.Tensor", self.bottleneck(h))
        return self.dropout(h) if self.dropout is not None else h


class _SelfAttention(nn.Module):
    """One transformer layer over time, shaped like the recurrent layers it stands in for.

    Shape:
        (frames, N, nin) -> (frames, N, nout), and None where a recurrent layer gives its state
    """

    def __init__(self, nin: int, nout: int) -> None:
        super().__init__()
        self.project = nn.Linear(nin, nout)
        heads = next(h for h in (4, 2, 1) if nout % h == 0)
        self.layer = nn.TransformerEncoderLayer(nout, heads, dim_feedforward=2 * nout, dropout=0.0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        h = self.project(x)
        return self.layer(h + _positions(h)), None


def _positions(x: torch.Tensor) -> torch.Tensor:
    """Sinusoidal position codes for (frames, N, features), shape (frames, 1, features); Vaswani et al. 2017."""
    frames, _, features = x.shape
    half = (features + 1) // 2
    rate = torch.exp(torch.arange(half, device=x.device, dtype=x.dtype) * (-math.log(10_000.0) / half))
    angle = torch.arange(frames, device=x.device, dtype=x.dtype)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)[:, None, :features]


class LSTMModule(nn.Module):
    """Follows the sound over time: channels squeezed to one, a recurrent layer over frames, back to bins.

    Args:
        nin_conv: input channels.
        nin_lstm: bins of the input, the features of one frame.
        nout_lstm: features after the recurrent layer, both directions together; even.
        activ: activation factory of the convolution and of the dense layer.
        sequencer: ``lstm`` as in the public networks, or ``gru`` or ``attention`` in its place (whose
            weights then lie under that name in the state dict).

    Shape:
        (N, nin_conv, nin_lstm, frames) -> (N, 1, nin_lstm, frames)

    Raises:
        ValueError: an odd ``nout_lstm``, an unknown ``sequencer``, or an input of other bins or channels.
    """

    def __init__(
        self,
        nin_conv: int,
        nin_lstm: int,
        nout_lstm: int,
        activ: Activation = nn.ReLU,
        sequencer: Sequencer = "lstm",
    ) -> None:
        super().__init__()
        if nout_lstm % 2:
            raise ValueError(f"nout_lstm is shared by two directions and must be even, not {nout_lstm}")
        self.nin_conv, self.nin_lstm, self.sequencer = nin_conv, nin_lstm, sequencer
        self.conv = Conv2DBNActiv(nin_conv, 1, 1, 1, 0, activ=activ)
        self.add_module(sequencer, _make_sequencer(sequencer, nin_lstm, nout_lstm))
        self.dense = nn.Sequential(nn.Linear(nout_lstm, nin_lstm), nn.BatchNorm1d(nin_lstm), make_activation(activ))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 4 or x.shape[1] != self.nin_conv or x.shape[2] != self.nin_lstm:
            raise ValueError(f"LSTMModule expects (N, {self.nin_conv}, {self.nin_lstm}, frames), got {tuple(x.shape)}")
        n, _, bins, frames = x.shape
        h = self.conv(x)[:, 0]
        # (N, bins, frames)
        h, _ = self.get_submodule(self.sequencer)(h.permute(2, 0, 1))
        # (frames, N, nout_lstm)
        h = self.dense(h.flatten(0, 1))
        # (frames * N, bins)
        return cast("torch.Tensor", h.view(frames, n, 1, bins).permute(1, 2, 3, 0))


def _make_sequencer(sequencer: Sequencer, nin: int, nout: int) -> nn.Module:
    if sequencer == "lstm":
        return nn.LSTM(nin, nout // 2, bidirectional=True)
    if sequencer == "gru":
        return nn.GRU(nin, nout // 2, bidirectional=True)
    if sequencer == "attention":
        return _SelfAttention(nin, nout)
    raise ValueError(f"sequencer is lstm, gru or attention, not {sequencer!r}")
