"""Streams of blocks: remembered, resampled, and across threads, read ahead of the network and written behind it.

Audio libraries let go of Python's lock while they decode and encode, so both cost the network nothing but a share of
the second core.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from yuki_builder.records import FloatArray

T = TypeVar("T")

_DEPTH = 2
_RESAMPLED_AT_ONCE = 1 << 16
_WAIT_SECONDS = 0.1


class _End:
    """Marks the end of a stream, and carries what ended it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Abandoned(Exception):
    """The other side is gone."""


class _Pipe:
    """A short queue between two threads; either side notices when the other one is gone."""

    def __init__(self) -> None:
        self.items: queue.Queue[object] = queue.Queue(_DEPTH)
        self.abandoned = threading.Event()

    def put(self, item: object) -> None:
        while not self.abandoned.is_set():
            try:
                self.items.put(item, timeout=_WAIT_SECONDS)
                return
            except queue.Full:
                continue
        raise _Abandoned

    def __iter__(self) -> Iterator[object]:
        while True:
            item = self.items.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item


def in_thread(items: Iterable[T]) -> Iterator[T]:
    """The same stream, made a little ahead in a thread of its own; its errors come out here."""
    pipe = _Pipe()

    def produce() -> None:
        try:
            error: BaseException | None = None
            try:
                for item in items:
                    pipe.put(item)
            except _Abandoned:
                raise
            except BaseException as e:
                error = e
            pipe.put(_End(error))
        except _Abandoned:
            pass

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        yield from pipe  # type: ignore[misc]
    finally:
        pipe.abandoned.set()
        thread.join()


def written_in_thread(items: Iterable[T], consumers: Sequence[Callable[[Iterator[T]], None]]) -> None:
    """Makes the stream here and lets every consumer have it all, each in a thread of its own.

    Raises:
        BaseException: what the stream or a consumer raises; everybody has then stopped.
    """
    pipes = [_Pipe() for _ in consumers]
    errors: list[BaseException] = []

    def consume(consumer: Callable[[Iterator[T]], None], pipe: _Pipe) -> None:
        try:
            consumer(iter(pipe))  # type: ignore[arg-type]
        except _Stopped:
            pass
        except BaseException as e:
            errors.append(e)
        finally:
            pipe.abandoned.set()

    threads = [threading.Thread(target=consume, args=pair, daemon=True) for pair in zip(consumers, pipes, strict=True)]
    for thread in threads:
        thread.start()
    end = _End()
    try:
        for item in items:
            for pipe in pipes:
                pipe.put(item)
    except _Abandoned:
        end = _End(_Stopped())
    except BaseException:
        end = _End(_Stopped())
        raise
    finally:
        for pipe, thread in zip(pipes, threads, strict=True):
            with contextlib.suppress(_Abandoned):
                pipe.put(end)
            thread.join()
    if errors:
        raise errors[0]


class _Stopped(Exception):
    """Ends a consumer whose stream broke off; it has not failed itself."""


class SampleQueue:
    """Remembers the blocks of a stream that passes, until they are taken."""

    def __init__(self) -> None:
        self._blocks: deque[FloatArray] = deque()
        self.length = 0

    def passing(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The same stream."""
        for block in blocks:
            self._blocks.append(block)
            self.length += block.shape[1]
            yield block

    def take(self, samples: int) -> FloatArray:
        """The oldest samples, (2, at most so many)."""
        taken, left = [np.zeros((2, 0), np.float32)], min(samples, self.length)
        self.length -= left
        while left:
            block = self._blocks.popleft()
            if block.shape[1] > left:
                self._blocks.appendleft(block[:, left:])
                block = block[:, :left]
            taken.append(block)
            left -= block.shape[1]
        return np.concatenate(taken, axis=1)


def resample_stream(blocks: Iterable[FloatArray], from_hz: int, to_hz: int) -> Iterator[FloatArray]:
    """A stream at another rate (soxr, high quality); as it is where the rates are the same.

    Args:
        blocks: shape (channels, any number of samples) each.
        from_hz: their rate.
        to_hz: the rate that is wanted.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    import soxr

    resampler: soxr.ResampleStream | None = None
    channels = 2
    for block in blocks:
        channels = len(block)
        resampler = resampler or soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality="HQ")
        for start in range(0, block.shape[1], _RESAMPLED_AT_ONCE):
            piece = np.ascontiguousarray(block[:, start : start + _RESAMPLED_AT_ONCE].T)
            yield np.ascontiguousarray(resampler.resample_chunk(piece).T)
    if resampler is not None:
        yield np.ascontiguousarray(resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T)
