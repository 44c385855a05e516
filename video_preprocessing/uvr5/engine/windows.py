"""From magnitudes to masks: a network over a stream of frames, window by window.

A window brings ``offset`` frames of context at either end, whose mask is thrown away; the frames between are its core.
Cores follow each other without a gap, or overlap by ``crossfade`` frames, over which one mask fades into the next.
Before the first frame and after the last one there is silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from video_preprocessing.uvr5.engine.optimise import release_freed_memory
from video_preprocessing.workers import workers
from yuki_builder.errors import CheckpointError, ConfigError

_Launched = Callable[[], torch.Tensor]

# Windows that go to a GPU at once, where its memory suffices, and batches that it may be given ahead of the one whose
# masks are waited for: while it computes, the processor transforms what comes before and after.
GPU_BATCH = 8
GPU_AHEAD = 2
# Windows of the project's own network that a CPU computes at once, each by its share of the threads, while the next one
# is made ready: threads that share one window wait for each other at every layer, and the transforms before and after
# it use one thread. Each takes 0.4 GB; the public networks would need more memory than there may be.
CPU_AT_ONCE = 2
# Windows on a CPU after which free memory between what is in use goes back to the system: it creeps up otherwise, by a
# tenth in ten minutes of audio, and fetching it again costs half a per cent.
RELEASE_EVERY = 16


class MaskNet(Protocol):
    """What the networks have in common: ``CascadedNet`` and ``CascadedASPPNet``."""

    offset: int
    output_bin: int

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        """(N, 2, bins, frames) -> (N, 2, output_bin, frames - 2 offset)."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """How a stream of frames is cut for the network.

    Attributes:
        frames: of one window, context included; a multiple of 16.
        offset: frames of context at either end.
        crossfade: frames over which neighbouring cores fade into each other; 0 joins them hard, as the public code.
        test_time_augmentation: judge everything twice, the second time with windows shifted by half a core, and
            take the mean.
    """

    frames: int
    offset: int
    crossfade: int = 0
    test_time_augmentation: bool = False

    def __post_init__(self) -> None:
        if self.frames % 16 or self.core <= 0:
            raise ConfigError(
                f"a window of {self.frames} frames", remedy=f"give a multiple of 16 above {2 * self.offset}"
            )
        if not 0 <= 2 * self.crossfade <= self.core:
            raise ConfigError(
                f"invalid crossfade: {self.crossfade} frames",
                remedy=f"give 0 to {self.core // 2} at this window length",
            )

    @property
    def core(self) -> int:
        """Frames a window that are kept."""
        return self.frames - 2 * self.offset

    @property
    def step(self) -> int:
        """Frames from one window to the next."""
        return self.core - self.crossfade


class FrameQueue:
    """Spectrogram frames that wait for their masks."""

    def __init__(self) -> None:
        self._blocks: deque[torch.Tensor] = deque()

    def push(self, frames: torch.Tensor) -> None:
        """Appends (..., frames)."""
        self._blocks.append(frames)

    def take(self, count: int) -> torch.Tensor:
        """The oldest ``count`` frames, (..., count)."""
        taken = []
        while count > 0:
            block = self._blocks.popleft()
            if block.shape[-1] > count:
                self._blocks.appendleft(block[..., count:])
                block = block[..., :count]
            taken.append(block)
            count -= block.shape[-1]
        return torch.cat(taken, dim=-1)


class MaskStream:
    """Masks for magnitudes that come in blocks of any size; the blocks do not change the result.

    Args:
        net: prepared for ``device``.
        windowing: the cut.
        device: where ``net`` lies; on CUDA several windows go at once.
        at_once: how many windows a CPU computes side by side, as far as it has threads, while the next one is made
            ready; each needs memory of its own. 0: one, and nothing else meanwhile.
    """

    def __init__(self, net: MaskNet, windowing: Windowing, device: torch.device, *, at_once: int = 0) -> None:
        shifts = (0, windowing.core // 2) if windowing.test_time_augmentation else (0,)
        self._passes = [_Pass(net, windowing, device, shift, at_once) for shift in shifts]
        self._waiting = [torch.zeros(2, net.output_bin, 0) for _ in self._passes]

    def push(self, magnitude: torch.Tensor) -> torch.Tensor:
        """The masks that are ready.

        Shape:
            (2, bins, any number of frames) float32 -> (2, output_bin, some frames)
        """
        return self._mean([one.push(magnitude) for one in self._passes])

    def finish(self) -> torch.Tensor:
        """The masks of the frames that are left."""
        return self._mean([one.finish() for one in self._passes])

    def _mean(self, masks: list[torch.Tensor]) -> torch.Tensor:
        if len(masks) == 1:
            return masks[0]
        joined = [torch.cat([held, new], dim=-1) for held, new in zip(self._waiting, masks, strict=True)]
        ready = min(m.shape[-1] for m in joined)
        self._waiting = [m[..., ready:] for m in joined]
        return torch.stack([m[..., :ready] for m in joined]).mean(dim=0)


class _Runner:
    """Windows through the network, in order; on a GPU in batches, and without waiting for any of them.

    Args:
        net: prepared for ``device``.
        device: where it lies.
        at_once: how many windows a CPU computes side by side, in threads of their own; 0: one, in this thread.
    """

    def __init__(self, net: MaskNet, device: torch.device, at_once: int = 0) -> None:
        self.net, self.device = net, device
        gpu = device.type == "cuda"
        self.batch, self.ahead = (GPU_BATCH, GPU_AHEAD) if gpu else (1, at_once)
        self._started: deque[_Launched] = deque()
        self._count = 0

    def start(self, windows: torch.Tensor) -> None:
        """(N, 2, bins, frames): computed now in this thread, some time elsewhere."""
        for part in torch.split(windows, self.batch):
            self._start(part)

    def finished(self, *, leave: int = 0) -> Iterator[torch.Tensor]:
        """The masks of the windows that were started but for the last ``leave`` batches, (2, output_bin, core) each."""
        while len(self._started) > leave:
            masks = self._started.popleft()()
            if not masks.isfinite().all():  # weights far too large, which nobody sees before they are used
                raise CheckpointError(
                    "the separator's network gives values that are not finite",
                    remedy="its weights are damaged, or too large for this precision: try --precision float32",
                )
            yield from masks

    def _start(self, windows: torch.Tensor) -> None:
        try:
            self._started.append(self._launched(windows.contiguous(memory_format=torch.channels_last)))
        except torch.OutOfMemoryError as e:
            if len(windows) == 1:
                raise ConfigError(
                    f"windows of {windows.shape[-1]} frames do not fit into the memory of {self.device}",
                    remedy="give fewer with --window-frames, or --device cpu",
                ) from e
            self.batch = len(windows) // 2
            torch.cuda.empty_cache()
            self.start(windows)

    def _launched(self, x: torch.Tensor) -> _Launched:
        """What waits for the masks of (N, 2, bins, frames) and gives them."""
        if self.device.type == "cuda":
            return self._on_gpu(x)
        self._count += 1
        if self._count % RELEASE_EVERY == 0:
            release_freed_memory()
        if not self.ahead:
            masks = self._predicted(x)
            return lambda: masks
        at_once = min(self.ahead, torch.get_num_threads())
        return workers(at_once, torch.get_num_threads() // at_once).submit(self._predicted, x).result

    @torch.inference_mode()
    def _predicted(self, x: torch.Tensor) -> torch.Tensor:
        return self.net.predict_mask(x).float()

    @torch.inference_mode()
    def _on_gpu(self, x: torch.Tensor) -> _Launched:
        mask = self.net.predict_mask(x.pin_memory().to(self.device, non_blocking=True)).float()
        host = torch.empty(mask.shape, pin_memory=True)
        host.copy_(mask, non_blocking=True)
        # Who waits for it sleeps.
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record()

        def waited() -> torch.Tensor:
            event.synchronize()
            return host

        return waited


class _Pass:
    """One run of windows over the stream, begun ``shift`` frames before its first frame."""

    def __init__(self, net: MaskNet, windowing: Windowing, device: torch.device, shift: int, at_once: int) -> None:
        self.w, self.shift = windowing, shift
        self.runner = _Runner(net, device, at_once)
        self.held: torch.Tensor | None = None
        # Frames, from ``shift`` before the first one on: those that came, whose windows were started, whose masks are.
        self.came, self.started, self.done = shift, 0, 0
        self.tail = torch.zeros(2, net.output_bin, 0)
        self.rise = torch.linspace(0, 1, windowing.crossfade + 2)[1:-1]

    def push(self, magnitude: torch.Tensor) -> torch.Tensor:
        if self.held is None:
            self.held = torch.zeros(*magnitude.shape[:2], self.w.offset + self.shift)
        self.held = torch.cat([self.held, magnitude], dim=-1)
        self.came += magnitude.shape[-1]
        count = max(0, (self.held.shape[-1] - self.w.frames) // self.w.step + 1)
        self._start(count - count % self.runner.batch)
        return self._joined(leave=self.runner.ahead)

    def finish(self) -> torch.Tensor:
        left = self.came - self.started
        if self.held is not None and left > 0:
            count = -(-left // self.w.step)
            missing = (count - 1) * self.w.step + self.w.frames - self.held.shape[-1]
            self.held = torch.cat([self.held, torch.zeros(*self.held.shape[:2], max(0, missing))], dim=-1)
            self._start(count)
        masks = self._joined(leave=0)
        return masks[..., : masks.shape[-1] - max(0, self.done - self.came)]

    def _start(self, count: int) -> None:
        """Sends the next ``count`` windows to the network, a batch at a time."""
        assert self.held is not None
        batch = self.runner.batch
        for first in range(0, count, batch):
            starts = [k * self.w.step for k in range(first, min(count, first + batch))]
            self.runner.start(torch.stack([self.held[..., s : s + self.w.frames] for s in starts]))
        self.held = self.held[..., count * self.w.step :]
        self.started += count * self.w.step

    def _joined(self, leave: int) -> torch.Tensor:
        """The masks that are ready, without what lies before the stream's first frame."""
        pieces = [self.tail[..., :0], *map(self._join, self.runner.finished(leave=leave))]
        masks = torch.cat(pieces, dim=-1)
        begin = max(0, self.shift - self.done)
        self.done += masks.shape[-1]
        return masks[..., begin:]

    def _join(self, mask: torch.Tensor) -> torch.Tensor:
        """The first ``step`` frames of a core, faded in over what the core before it left."""
        fade = self.tail.shape[-1]
        if fade:
            mask = mask.clone()
            mask[..., :fade] = torch.lerp(self.tail, mask[..., :fade], self.rise)
        self.tail = mask[..., self.w.step :]
        return mask[..., : self.w.step]
