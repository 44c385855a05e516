"""A look-ahead peak limiter: what would clip is turned down smoothly, everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from yuki_builder.records import FloatArray

CEILING = 0.999
LOOK_AHEAD_MS = 5


class PeakLimiter:
    """Keeps a stream of (channels, samples) blocks at or below the ceiling.

    The gain that a peak needs is held over ``LOOK_AHEAD_MS`` before and behind it and then averaged over the same
    length, so it never jumps, and never lies above what the peak needs.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.reach = max(1, sample_rate_hz * LOOK_AHEAD_MS // 1000)
        self.limited_samples = 0

    @property
    def limited_ms(self) -> int:
        """Milliseconds in which the gain was below one."""
        return round(1000 * self.limited_samples / self.sample_rate_hz)

    def limit(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The same stream without peaks above the ceiling."""
        # A sample's gain depends on `margin` samples at either side: those are held back at the end of each
        # block, and as many that are already out are kept in front of it.
        margin = 2 * self.reach
        held: FloatArray | None = None
        past = 0
        for block in blocks:
            held = block if held is None else np.concatenate([held, block], axis=1)
            ready = held.shape[1] - margin
            if ready > past:
                yield self._apply(held, past, ready)
                past = min(margin, ready)
                held = held[:, ready - past :]
        if held is not None and held.shape[1] > past:
            yield self._apply(held, past, held.shape[1])

    def _apply(self, x: FloatArray, begin: int, end: int) -> FloatArray:
        from scipy.ndimage import minimum_filter1d, uniform_filter1d

        peak = np.abs(x).max(axis=0)
        if peak.max(initial=0.0) <= CEILING:
            return x[:, begin:end]
        needed = np.minimum(1.0, CEILING / np.maximum(peak, 1e-9))
        # The mean over `reach` either side of a minimum held over `reach` either side is at most the minimum itself.
        size = 2 * self.reach + 1
        gain = uniform_filter1d(minimum_filter1d(needed, size, mode="nearest"), size, mode="nearest")[begin:end]
        self.limited_samples += int((gain < 1.0).sum())
        return (x[:, begin:end] * gain).astype(np.float32)
