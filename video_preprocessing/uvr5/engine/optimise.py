"""A trained network made ready to run: where, how, and without what only training needs.

On a CPU the public networks spend their time in convolutions, but a good part of it in moving memory around them. What
is done here leaves every output as it was, but for rounding:

* batch normalisation goes into the convolution before it;
* 3x3 convolutions of step 1 go by minimal filtering (``winograd.py``, ``kernels.py``), together with the decoders'
  enlarging and joining before and the activation after; half of the time and more;
* tensors lie channels-last, which the convolution kernels want, and stay so (a single tensor of another layout among
  those concatenated turns all of them around, which cost a third of the whole time);
* without the code for that, the decoders, whose concatenations are the largest tensors of all, work through the frames
  in tiles;
* 1x1 convolutions are products of matrices: the same bits for any number of threads (``multiply_points``);
* memory that is freed is kept for the next tensor while a network runs (``keeping_freed_memory``): handing it back to
  the system and getting it again costs up to half of the time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from video_preprocessing.devices import steady_linear
from video_preprocessing.uvr5.engine.kernels import kernels
from video_preprocessing.uvr5.engine.winograd import Kernels, WinogradConv2d, is_supported
from video_preprocessing.uvr5.network import layers, layers_v50
from video_preprocessing.uvr5.network.nets import BaseASPPNet, BaseNet, CascadedASPPNet, CascadedNet

Net = TypeVar("Net", bound=nn.Module)

# A multiple of the tiles of minimal filtering.
TILE_FRAMES = 144

# glibc's names for them (malloc.h).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4
_KEEP = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 64 << 20}
_KEEP_LITTLE = {_M_MMAP_THRESHOLD: 4 << 20, _M_TRIM_THRESHOLD: 256 << 20, _M_TOP_PAD: 16 << 20}
# Setting any of them ends glibc's own adjustment of the two thresholds, for good. It raises them to the largest block
# that was freed, at most to these values; with the values of a fresh process, every tensor over 128 KB would be fetched
# from the system anew, and whatever runs after a separation would take up to five times as long (benchmarks/README.md).
_AFTERWARDS = {
    _M_MMAP_MAX: 65536,
    _M_MMAP_THRESHOLD: 32 << 20,
    _M_TRIM_THRESHOLD: 64 << 20,
    _M_TOP_PAD: 128 << 10,
}


@contextlib.contextmanager
def keeping_freed_memory(*, little: bool = False) -> Iterator[None]:
    """While it lasts, the C library keeps freed memory instead of handing it back.

    Afterwards it keeps what a process keeps that has freed a large tensor before: blocks below 32 MB, 64 MB in all.
    These two values stay for the rest of the process, because glibc does not adjust them any more once they were set.

    Every layer of a network frees and asks for tens of megabytes, and fresh pages must be zeroed by the system. Does
    nothing where the C library is not glibc, or where the user has settings of their own in the environment.

    Args:
        little: keep small tensors' memory alone. Between large ones that come and go a fifth of the memory lies idle,
            which the largest networks cannot afford; fetching it anew costs them 5 % of their time.
    """
    libc = _glibc()
    if libc is None or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        yield
        return
    for parameter, value in (_KEEP_LITTLE if little else _KEEP).items():
        libc.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _AFTERWARDS.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)


def release_freed_memory() -> None:
    """Hands what is free between what is not back to the system, where the C library is glibc."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") and hasattr(libc, "mallopt") else None


def prepare(net: Net, device: torch.device, dtype: torch.dtype = torch.float32) -> Net:
    """Folds, tiles and lays out a network for inference, in place; only its mask comes out right afterwards.

    The network must be in evaluation mode, and cannot be trained or saved by name any more.

    Args:
        net: in evaluation mode.
        device: where it will run.
        dtype: what it will compute in.
    """
    fold_batch_norms(net)
    if device.type == "cpu":
        found = kernels() if dtype == torch.float32 else None
        tile_decoders(net, found)
        if found is not None:
            filter_minimally(net, found)
        multiply_points(net)
    return cast("Net", net.to(device, dtype, memory_format=torch.channels_last))  # type: ignore[call-overload]


def fold_batch_norms(net: Net) -> Net:
    """Multiplies every batch normalisation into the convolution before it; the output stays the same.

    In place; the network must be in evaluation mode and cannot be trained or saved by name afterwards.
    """
    for block in net.modules():
        for name, child in list(block.named_children()):
            if isinstance(child, nn.Sequential):
                setattr(block, name, _folded(child))
    return net


def _folded(block: nn.Sequential) -> nn.Sequential:
    parts: list[nn.Module] = []
    for part in block:
        last = parts[-1] if parts else None
        if isinstance(part, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
            parts[-1] = fuse_conv_bn_eval(last, part)
        elif isinstance(part, nn.ReLU):
            parts.append(nn.ReLU(inplace=True))
        elif isinstance(part, nn.LeakyReLU):
            parts.append(nn.LeakyReLU(part.negative_slope, inplace=True))
        else:
            parts.append(part)
    return nn.Sequential(*parts)


def filter_minimally(net: nn.Module, found: Kernels) -> None:
    """Puts minimal filtering in the place of every convolution that it can do, its activation included; in place."""
    for block in net.modules():
        for name, child in list(block.named_children()):
            if isinstance(child, nn.Sequential) and (fast := _minimal(child, found)) is not None:
                setattr(block, name, fast)


def multiply_points(net: nn.Module) -> None:
    """Puts a product of matrices in the place of every 1x1 convolution, in place.

    oneDNN adds up a 1x1 convolution in another order for another number of threads; the product's last bit does not
    depend on it, nor does that of any other layer. So an episode comes out the same on any share of the cores.
    """
    for block in net.modules():
        for name, child in list(block.named_children()):
            if isinstance(child, nn.Conv2d) and _is_pointwise(child):
                setattr(block, name, _Pointwise(child))


def _is_pointwise(layer: nn.Conv2d) -> bool:
    return layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.groups == 1 and layer.padding == (0, 0)


class _Pointwise(nn.Module):
    """A 1x1 convolution; (batch, channels, height, width) in and out, channels last in memory."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach().flatten(1), requires_grad=False)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach(), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return steady_linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


def _minimal(block: nn.Sequential, found: Kernels) -> WinogradConv2d | None:
    """A convolution and its activation as one; None for blocks of other parts."""
    if not 1 <= len(block) <= 2 or not is_supported(block[0]):
        return None
    activation = block[1] if len(block) == 2 else nn.Identity()
    if isinstance(activation, nn.ReLU):
        slope = 0.0
    elif isinstance(activation, nn.LeakyReLU):
        slope = activation.negative_slope
    elif isinstance(activation, nn.Identity):
        slope = 1.0
    else:
        return None
    return WinogradConv2d(cast("nn.Conv2d", block[0]), slope, found)


def tile_decoders(net: nn.Module, found: Kernels | None = None) -> None:
    """Spares every decoder its enlarged input as a whole, in place: by minimal filtering, or else in tiles."""
    for block in net.modules():
        if isinstance(block, BaseNet | BaseASPPNet):
            for name, child in list(block.named_children()):
                convolution = _only_convolution(child)
                if convolution is not None:
                    setattr(block, name, _lean_decoder(convolution, found))
    # What follows the last decoder is a 1x1 convolution that leaves far fewer channels: it goes into the tiles too.
    if isinstance(net, CascadedNet):
        for half in (net.stg1_low_band_net, net.stg2_low_band_net):
            _append(half[0], half[1])
            half[1] = nn.Identity()
        _append(net.stg3_full_band_net, net.out)
        net.out = nn.Identity()  # type: ignore[assignment]
    elif isinstance(net, CascadedASPPNet):
        _append(net.stg3_full_band_net, net.out)
        net.out = nn.Identity()  # type: ignore[assignment]


def _append(stage: nn.Module, last: nn.Module) -> None:
    decoder = stage.get_submodule("dec1")
    if isinstance(decoder, TiledDecoder | JoiningDecoder):
        decoder.last = last
    else:  # a decoder of a variant, left as it was
        stage.add_module("dec1", _DecoderThen(decoder, last))


def _only_convolution(block: nn.Module) -> nn.Module | None:
    """The convolution of a decoder that does nothing else, as all public ones; None for other modules."""
    if isinstance(block, layers.Decoder):
        return None if block.conv2 is not None or block.attention is not None else block.conv1
    if isinstance(block, layers_v50.Decoder):
        return block.conv
    return None


def _lean_decoder(convolution: nn.Module, found: Kernels | None) -> nn.Module:
    block = getattr(convolution, "conv", None)
    fast = _minimal(block, found) if found is not None and isinstance(block, nn.Sequential) else None
    return TiledDecoder(convolution) if fast is None else JoiningDecoder(fast)


class _DecoderThen(nn.Module):
    def __init__(self, decoder: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.decoder, self.last = decoder, last

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.last(self.decoder(x, skip)))


def _like(x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """The middle frames of ``skip``, as many as ``x`` has once it is doubled."""
    frames = 2 * x.shape[-1]
    surplus = skip.shape[-1] - frames
    return skip[..., surplus // 2 : surplus // 2 + frames]


class JoiningDecoder(nn.Module):
    """``Decoder`` in evaluation mode by minimal filtering, which enlarges and joins its inputs as it reads them.

    Args:
        convolution: the decoder's.
        last: what to apply to the result.

    Shape:
        as ``Decoder``, then as ``last``
    """

    def __init__(self, convolution: WinogradConv2d, last: nn.Module | None = None) -> None:
        super().__init__()
        self.convolution, self.last = convolution, last

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        skip = _like(x, skip)
        if self.last is None:
            return self.convolution.joined(x, skip)

        def tile(begin: int, end: int) -> torch.Tensor:
            return cast("torch.Tensor", self.last(self.convolution.joined(x, skip, range(begin, end))))  # type: ignore[misc]

        return _in_tiles(tile, 2 * x.shape[-1])


class TiledDecoder(nn.Module):
    """``Decoder`` in evaluation mode, some frames at a time: the enlarged input never exists as a whole.

    Args:
        convolution: the decoder's block; its kernel must reach one frame to either side.
        last: what to apply to the result, frame by frame.

    Shape:
        as ``Decoder``, then as ``last``
    """

    def __init__(self, convolution: nn.Module, last: nn.Module | None = None) -> None:
        super().__init__()
        self.convolution, self.last = convolution, last

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        frames, skip = 2 * x.shape[-1], _like(x, skip)

        def tile(begin: int, end: int) -> torch.Tensor:
            left, right = max(0, begin - 1), min(frames, end + 1)
            joined = torch.cat([_enlarged(x, left, right), skip[..., left:right]], dim=1)
            done = self.convolution(joined)[..., begin - left : end - left]
            return done if self.last is None else cast("torch.Tensor", self.last(done))

        return _in_tiles(tile, frames)


def _in_tiles(tile: Callable[[int, int], torch.Tensor], frames: int) -> torch.Tensor:
    """What ``tile`` gives for all frames, from one to before another, side by side."""
    out: torch.Tensor | None = None
    for begin in range(0, frames, TILE_FRAMES):
        end = min(frames, begin + TILE_FRAMES)
        done = tile(begin, end)
        if out is None:
            size = (*done.shape[:3], frames)
            out = torch.empty(size, dtype=done.dtype, device=done.device, memory_format=torch.channels_last)
        out[..., begin:end] = done
    assert out is not None
    return out


def _enlarged(x: torch.Tensor, begin: int, end: int) -> torch.Tensor:
    """Frames ``begin`` to ``end`` of ``x`` doubled by bilinear interpolation with aligned corners.

    Shape:
        (N, C, bins, frames) -> (N, C, 2 bins, end - begin)
    """
    bins, frames = x.shape[2:]
    position = torch.arange(begin, end, dtype=torch.float64) * ((frames - 1) / (2 * frames - 1))
    before = position.floor().long().clamp_max(frames - 1)
    after = (before + 1).clamp_max(frames - 1)
    # With the channels last, a frame of a bin is one stretch of memory: picking frames is copying stretches.
    rows = x.permute(0, 2, 3, 1)
    weight = (position - before).to(x.dtype)[:, None]
    between = torch.lerp(rows.index_select(2, before), rows.index_select(2, after), weight).permute(0, 3, 1, 2)
    return F.interpolate(between, size=(2 * bins, end - begin), mode="bilinear", align_corners=True)
