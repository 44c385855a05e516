"""3x3 convolutions with a fifth of the multiplications, on CPUs.

Four fifths of the public networks' arithmetic is in 3x3 convolutions of step 1, which minimal filtering (Lavin & Gray,
*Fast Algorithms for Convolutional Neural Networks*, 2016) does with 64 multiplications for 36 outputs instead of 324;
rounding differs, by some 1e-5 of the largest value. No library that PyTorch comes with does it for images that lie
channels-last, nor together with what stands around it here: the doubling of the resolution and the joining with
the skip connection before it, bias and activation after it, none of which then exists in memory.

The arithmetic is in ``winograd.c``; ``kernels.py`` finds or builds the library of it.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

TILE = 6
# Channels below which the transforms cost more than they save.
MIN_CHANNELS = 8
_TILE_STEP = 24  # a multiple of all heights of winograd.c's products
# Numbers that the filters of one convolution may become, 8 MB. Beyond, they stay as they are, a seventh of that, and
# are transformed whenever they are used, which costs little: the largest networks would not fit into memory.
MAX_TRANSFORMED = 2 * 1024**2

# Filters (3) and their transform (8); Lavin & Gray's G for the points 0, 1, -1, 2, -2, 1/2, -1/2, infinity.
_FILTER_TRANSFORM = np.array(
    [
        [1, 0, 0],
        [-2 / 9, -2 / 9, -2 / 9],
        [-2 / 9, 2 / 9, -2 / 9],
        [1 / 90, 1 / 45, 2 / 45],
        [1 / 90, -1 / 45, 2 / 45],
        [1 / 45, 1 / 90, 1 / 180],
        [1 / 45, -1 / 90, 1 / 180],
        [0, 0, 1],
    ]
)


class _Source(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("row", ctypes.c_int64),
        ("column", ctypes.c_int64),
        ("channels", ctypes.c_int32),
        ("doubled", ctypes.c_int32),
    )


class _Convolution(ctypes.Structure):
    _fields_ = (
        ("sources", _Source * 2),
        ("height", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("step_y", ctypes.c_int32),
        ("step_x", ctypes.c_int32),
        ("tiles", ctypes.c_void_p),
        ("filters", ctypes.c_void_p),
        ("taps", ctypes.c_void_p),
        ("panel", ctypes.c_int32),
        ("bias", ctypes.c_void_p),
        ("slope", ctypes.c_float),
        ("out", ctypes.c_void_p),
        ("out_row", ctypes.c_int64),
        ("out_column", ctypes.c_int64),
        ("outputs", ctypes.c_int32),
        ("above", ctypes.c_void_p),
        ("before", ctypes.c_void_p),
        ("lower", ctypes.c_void_p),
        ("after", ctypes.c_void_p),
        ("block_tiles", ctypes.c_int32),
        ("block_channels", ctypes.c_int32),
    )


class _Job(ctypes.Structure):
    _fields_ = (
        ("convolution", ctypes.c_void_p),
        ("shares", ctypes.c_void_p),
        ("count", ctypes.c_int32),
        ("next", ctypes.c_int32),
        ("workers", ctypes.c_int32),
        ("scratch", ctypes.c_void_p),
        ("scratch_size", ctypes.c_int64),
    )


class Kernels:
    """The compiled ``winograd.c``."""

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises:
            OSError: not a library of this machine.
            AttributeError: not the library of this source.
        """
        self._library = ctypes.CDLL(str(path))
        self.lanes = int(self._library.winograd_lanes())
        self.widest = int(self._library.winograd_widest())
        sizes = self._library.winograd_struct_size(), self._library.winograd_job_size()
        if sizes != (ctypes.sizeof(_Convolution), ctypes.sizeof(_Job)):
            raise OSError(f"{path} was built for another layout of memory")
        self._scratch = self._library.winograd_scratch
        self._scratch.restype = ctypes.c_int64
        self._work = self._library.winograd_work
        self._work.argtypes, self._work.restype = (ctypes.c_void_p,), None
        self._workers = _workers()
        self._threads = threading.local()

    def panel(self, outputs: int) -> int:
        """How many vectors of outputs to multiply at once: three where that comes out even."""
        vectors = -(-outputs // self.lanes)
        return min(self.widest, 3 if vectors % 3 == 0 else vectors)

    def run(self, work: _Convolution, tiles: int) -> None:
        """All tiles, shared among as many threads as PyTorch uses."""
        vectors = -(-work.outputs // self.lanes)
        shares = _shares(tiles, work.block_tiles, vectors, work.panel, torch.get_num_threads(), bool(work.filters))
        threads = min(torch.get_num_threads(), len(shares))
        widest = int((shares[:, 3] - shares[:, 2]).max())
        size = -(-int(self._scratch(ctypes.byref(work), widest)) // 16) * 16
        job = _Job(
            convolution=ctypes.addressof(work),
            shares=shares.ctypes.data,
            count=len(shares),
            scratch=self._scratch_memory(size * threads).ctypes.data,
            scratch_size=size,
        )
        address = ctypes.addressof(job)
        if threads == 1:
            self._work(address)
        elif self._workers is not None:
            self._workers(ctypes.cast(self._work, ctypes.c_void_p), address, threads, 0)
        else:
            others = [_pool(threads).submit(self._work, address) for _ in range(threads - 1)]
            self._work(address)
            wait(others)

    def _scratch_memory(self, size: int) -> np.ndarray:
        """Floats of this thread, at a multiple of 64 bytes."""
        held: np.ndarray | None = getattr(self._threads, "memory", None)
        if held is None or held.size < size:
            raw = np.zeros(size + 16, np.float32)
            held = self._threads.memory = raw[(-raw.ctypes.data % 64) // 4 :]
        return held


@functools.lru_cache(maxsize=256)
def _shares(tiles: int, block_tiles: int, vectors: int, panel: int, threads: int, has_filters: bool) -> np.ndarray:
    """The work in pieces, (pieces, 4) int32: first and last tile, first and last vector of outputs."""
    if has_filters:
        # Four pieces a thread, so that none waits long for the others; whole blocks if they are longer than one.
        size = max(1, -(-tiles // (4 * threads))) if threads > 1 else tiles
        size = -(-size // block_tiles) * block_tiles if size > block_tiles else size
        shares = [(begin, min(tiles, begin + size), 0, vectors) for begin in range(0, tiles, size)]
    else:
        # Whoever transforms filters does it for all tiles: each thread has outputs of its own.
        size = -(-vectors // (panel * threads)) * panel
        shares = [(0, tiles, begin, min(vectors, begin + size)) for begin in range(0, vectors, size)]
    return np.array(shares, np.int32)


def _workers() -> Callable[..., None] | None:
    """``GOMP_parallel`` of the GNU OpenMP library that PyTorch runs on, or None where it runs on another.

    Its threads wait for the next layer by busy-waiting for some milliseconds: threads of our own would have to
    share the processor with them.
    """
    if "ATen parallel backend: OpenMP" not in torch.__config__.parallel_info():
        return None
    try:
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    paths = {line.split(maxsplit=5)[5] for line in mapped if "/libgomp" in line}
    if len(paths) > 1:  # other packages bring theirs
        paths = {path for path in paths if Path(path).is_relative_to(Path(torch.__file__).parents[1] / "torch")}
    if len(paths) != 1:
        return None
    try:
        run = ctypes.CDLL(paths.pop()).GOMP_parallel
    except (OSError, AttributeError):
        return None
    run.argtypes, run.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
    return cast("Callable[..., None]", run)


@functools.cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, count - 1), thread_name_prefix="winograd")


def is_supported(module: nn.Module) -> bool:
    """Whether ``WinogradConv2d`` can do what this convolution does."""
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (3, 3)
        and module.stride == (1, 1)
        and module.groups == 1
        and module.padding == module.dilation
        and module.padding_mode == "zeros"
        and module.in_channels >= MIN_CHANNELS
    )


class WinogradConv2d(nn.Module):
    """A 3x3 convolution of step 1 and the activation after it, float32, on a CPU.

    Args:
        convolution: one that ``is_supported``.
        slope: of the activation's negative side, as in ``LeakyReLU``: 0 for ReLU, 1 for none.
        found: the compiled code.
        ahead: whether to transform the filters once for all; by default where they do not become too large by it.

    Shape:
        (N, C, bins, frames) -> (N, C', bins, frames), channels-last
    """

    def __init__(self, convolution: nn.Conv2d, slope: float, found: Kernels, *, ahead: bool | None = None) -> None:
        super().__init__()
        self.kernels, self.slope = found, slope
        self.channels, self.outputs = convolution.in_channels, convolution.out_channels
        self.dilation = (int(convolution.dilation[0]), int(convolution.dilation[1]))
        self.panel = found.panel(self.outputs)
        filled = -(-self.outputs // found.lanes) * found.lanes  # whole vectors
        bias = np.zeros(filled, np.float32)
        if convolution.bias is not None:
            bias[: self.outputs] = convolution.bias.detach().numpy()
        self._bias = _aligned(bias)
        self._filters = self._taps = None
        taps = np.zeros((self.channels, 3, 3, filled), np.float32)
        taps[..., : self.outputs] = convolution.weight.detach().permute(1, 2, 3, 0).numpy()
        if 64 * self.channels * filled <= MAX_TRANSFORMED if ahead is None else ahead:
            self._filters = _aligned(_transformed(taps, self.panel * found.lanes))
            self.block_tiles, self.block_channels = 24, min(128, self.channels)
        else:
            self._taps = _aligned(taps.ravel())
            self.block_tiles, self.block_channels = 96, 64

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._convolved([(x, False)], *x.shape[2:])

    def joined(self, x: torch.Tensor, skip: torch.Tensor, frames: range | None = None) -> torch.Tensor:
        """The convolution of ``x``, doubled by bilinear interpolation with aligned corners, joined with ``skip``.

        Args:
            x: what comes from below.
            skip: what comes from the side.
            frames: which frames of the result are wanted, in whole tiles of ``TILE`` but for the last; None for all.

        Shape:
            x: (N, A, bins, frames), skip: (N, B, 2 bins, 2 frames) -> (N, C', 2 bins, 2 frames); A + B the channels
        """
        return self._convolved([(x, True), (skip, False)], 2 * x.shape[2], 2 * x.shape[3], frames)

    def _convolved(
        self, inputs: list[tuple[torch.Tensor, bool]], height: int, width: int, columns: range | None = None
    ) -> torch.Tensor:
        columns = range(width) if columns is None else columns
        whole = columns.start % TILE == 0 and (columns.stop % TILE == 0 or columns.stop == width)
        if not (whole and 0 <= columns.start < columns.stop <= width):
            raise ValueError(f"{columns} of {width} frames are not whole tiles of {TILE}")
        if sum(x.shape[1] for x, _ in inputs) != self.channels:
            raise ValueError(f"expects {self.channels} channels, got {[tuple(x.shape) for x, _ in inputs]}")
        batch = inputs[0][0].shape[0]
        inputs = [(_channels_last(x), doubled) for x, doubled in inputs]
        out = torch.empty((batch, self.outputs, height, len(columns)), memory_format=torch.channels_last)
        tiles = _tiles(height, columns, self.dilation)
        work = _Convolution(
            height=height,
            width=width,
            step_y=self.dilation[0],
            step_x=self.dilation[1],
            tiles=tiles.ctypes.data,
            filters=None if self._filters is None else self._filters.ctypes.data,
            taps=None if self._taps is None else self._taps.ctypes.data,
            panel=self.panel,
            bias=self._bias.ctypes.data,
            slope=self.slope,
            out_row=out.stride(2),
            out_column=out.stride(3),
            outputs=self.outputs,
            block_tiles=min(self.block_tiles, -(-len(tiles) // _TILE_STEP) * _TILE_STEP),
            block_channels=self.block_channels,
        )
        tables = []
        if any(doubled for _, doubled in inputs):
            for length, position, weight in ((height, "above", "lower"), (width, "before", "after")):
                first, share = _positions(length)
                tables += [first, share]
                setattr(work, position, first.ctypes.data)
                setattr(work, weight, share.ctypes.data)
        for n in range(batch):
            for k, (x, doubled) in enumerate(inputs):
                image = x[n]
                work.sources[k] = _Source(
                    image.data_ptr(), image.stride(1), image.stride(2), image.shape[0], int(doubled)
                )
            # Where the first column of all would lie.
            work.out = out[n].data_ptr() - columns.start * out.stride(3) * out.element_size()
            self.kernels.run(work, len(tiles))
        return out


def _transformed(taps: np.ndarray, panel: int) -> np.ndarray:
    """Filters (channels, 3, 3, outputs) as ``winograd_run`` wants them, flat: panel, point, channel, output."""
    points = np.einsum("ai,bj,cijo->abco", _FILTER_TRANSFORM, _FILTER_TRANSFORM, taps, optimize=True)
    points = points.reshape(64, *points.shape[2:]).astype(np.float32)
    return np.concatenate([points[:, :, k : k + panel].ravel() for k in range(0, points.shape[2], panel)])


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    """``x`` with one channel beside the other in memory; frames cut off at the ends stay where they are."""
    if x.dtype == torch.float32 and (x.stride(1) == 1 or x.shape[1] == 1):
        return x
    return x.float().contiguous(memory_format=torch.channels_last)


def _aligned(values: np.ndarray) -> np.ndarray:
    """A copy that begins at a multiple of 64 bytes."""
    raw = np.zeros(values.size + 16, np.float32)
    copy = raw[(-raw.ctypes.data % 64) // 4 :][: values.size]
    copy[:] = values
    return copy


@functools.lru_cache(maxsize=64)
def _tiles(height: int, columns: range, dilation: tuple[int, int]) -> np.ndarray:
    """Row and column of the first output of every tile, (tiles, 2) int32.

    ``columns`` are whole tiles, or end with the image. A dilated convolution is one of step 1 on every n-th row and
    column, once for each place to begin at.
    """

    def starts(places: range, step: int) -> np.ndarray:
        phases = range(min(step, len(places)))
        return np.concatenate([np.arange(places.start + phase, places.stop, TILE * step) for phase in phases])

    grid = np.stack(np.meshgrid(starts(range(height), dilation[0]), starts(columns, dilation[1]), indexing="ij"), -1)
    return np.ascontiguousarray(grid.reshape(-1, 2), dtype=np.int32)


@functools.lru_cache(maxsize=64)
def _positions(length: int) -> tuple[np.ndarray, np.ndarray]:
    """For each place of an axis that was doubled: the source's place before it, and the share of the one after."""
    position = np.arange(length) * ((length / 2 - 1) / (length - 1))
    first = np.minimum(np.floor(position), length / 2 - 1)
    return first.astype(np.int32), (position - first).astype(np.float32)
