"""Voice activity, looked up by time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from yuki_builder.records import Span


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """Voice activity as disjoint regions by time, with the amount of it before each."""

    starts: Sequence[int]
    ends: Sequence[int]
    before_ms: Sequence[int]

    @classmethod
    def of(cls, speech: Sequence[Span]) -> VoiceActivity:
        merged: list[Span] = []
        for span in sorted(span for span in speech if span.duration_ms):
            if merged and span.start_ms <= merged[-1].end_ms:
                merged[-1] = Span(merged[-1].start_ms, max(merged[-1].end_ms, span.end_ms))
            else:
                merged.append(span)
        before = accumulate((span.duration_ms for span in merged), initial=0)
        return cls([s.start_ms for s in merged], [s.end_ms for s in merged], list(before))

    def regions(self, window: Span) -> list[Span]:
        """The regions that overlap the window, whole."""
        first, last = bisect_right(self.ends, window.start_ms), bisect_left(self.starts, window.end_ms)
        return [Span(self.starts[k], self.ends[k]) for k in range(first, last)]

    def pauses(self, window: Span) -> list[Span]:
        """The stretches of the window without voice."""
        edges = [window.start_ms]
        for region in self.regions(window):
            edges += [max(region.start_ms, window.start_ms), min(region.end_ms, window.end_ms)]
        edges.append(window.end_ms)
        return [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]

    def within(self, window: Span) -> int:
        """Milliseconds of voice in the window."""
        return self._until(window.end_ms) - self._until(window.start_ms)

    def _until(self, time_ms: int) -> int:
        k = bisect_right(self.starts, time_ms)
        return self.before_ms[k] - (max(0, self.ends[k - 1] - time_ms) if k else 0)
