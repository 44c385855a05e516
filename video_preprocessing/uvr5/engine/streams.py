"""Streams of blocks: remembered, and resampled."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from yuki_builder.records import FloatArray

_RESAMPLED_AT_ONCE = 1 << 16


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
