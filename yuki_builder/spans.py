"""Arithmetic of stretches of time: what several cover, what they share, what is left of them, which are near."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

from yuki_builder.records import Span, Turn


class Timed(Protocol):
    """Whatever is said at a time: a turn, a cue or a line."""

    @property
    def span(self) -> Span: ...


T = TypeVar("T", bound=Timed)


class ByTime(Generic[T]):
    """Things with a time, to be asked many times which of them are near another: only those are looked at."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = sorted(items, key=lambda item: item.span)
        spans = [item.span for item in self._items]
        self._starts = [span.start_ms for span in spans]
        self._ends = [span.end_ms for span in spans]
        self._latest = list(accumulate(self._ends, max))  # when the last of the first k ends

    def near(self, span: Span) -> list[T]:
        """Those that begin before ``span`` ends and end after it begins, in order of time."""
        first, last = bisect_right(self._latest, span.start_ms), bisect_left(self._starts, span.end_ms)
        return [self._items[k] for k in range(first, last) if self._ends[k] > span.start_ms]


def speaker_of(span: Span, turns: Iterable[Turn]) -> str | None:
    """Who speaks longest in ``span``, the alphabetically first of equals; None where nobody does."""
    spoken_ms: Counter[str] = Counter()
    for turn in turns:
        spoken_ms[turn.speaker] += turn.span.overlap_ms(span)
    return min((name for name, ms in spoken_ms.items() if ms), key=lambda name: (-spoken_ms[name], name), default=None)


def parts_within(span: Span, others: Sequence[Span]) -> Iterator[Span]:
    """The parts of ``span`` that lie in others, which are in order and do not overlap. O(log n) and what is found."""
    for k in range(bisect_right(others, span.start_ms, key=lambda other: other.end_ms), len(others)):
        if others[k].start_ms >= span.end_ms:
            return
        if span.overlap_ms(others[k]):
            yield Span(max(span.start_ms, others[k].start_ms), min(span.end_ms, others[k].end_ms))


def union(spans: Iterable[Span], *, pause_ms: int = 0) -> list[Span]:
    """What the spans cover, in order of time; those with no more than a pause between them are one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start_ms - joined[-1].end_ms <= pause_ms:
            joined[-1] = Span(joined[-1].start_ms, max(joined[-1].end_ms, span.end_ms))
        else:
            joined.append(span)
    return joined


def intersection(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What a span of each side covers, in order of time; overlaps within one side stay overlaps. O(n m)."""
    there = list(others)
    shared = ((max(a.start_ms, b.start_ms), min(a.end_ms, b.end_ms)) for a in spans for b in there)
    return sorted(Span(start_ms, end_ms) for start_ms, end_ms in shared if start_ms < end_ms)


def own_shares(spans: Sequence[Span]) -> list[float]:
    """How much of each span is its own, 0 to 1: of a moment that n spans cover, each has one part in n. O(n log n)."""
    changes: Counter[int] = Counter()
    for span in spans:
        changes[span.start_ms] += 1
        changes[span.end_ms] -= 1
    times = sorted(changes)
    at_once = accumulate(changes[time] for time in times)
    parts = ((end - start) / max(1, count) for start, end, count in zip(times, times[1:], at_once, strict=False))
    before = dict(zip(times, accumulate(parts, initial=0.0), strict=False))
    return [
        (before[span.end_ms] - before[span.start_ms]) / span.duration_ms if span.duration_ms else 1.0 for span in spans
    ]


def difference(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a span once others, in order of their starts, are taken away; in order of time."""
    left: list[Span] = []
    at_ms = span.start_ms  # all before is dealt with
    for other in taken:
        if other.start_ms >= span.end_ms or at_ms >= span.end_ms:
            break
        if other.start_ms > at_ms:
            left.append(Span(at_ms, other.start_ms))
        at_ms = max(at_ms, other.end_ms)
    return [*left, Span(at_ms, span.end_ms)] if at_ms < span.end_ms else left
