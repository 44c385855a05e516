"""Cues against turns: who speaks in a span, and who speaks over whom."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable

from yuki_builder.records import Span, Turn
from yuki_builder.spans import union


class Overlaps:
    """The turns of an episode, to be asked many times who speaks over whom: only those near a span are looked at."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = sorted((turn.start_ms, turn.end_ms, turn.speaker) for turn in turns)
        self._starts = [start_ms for start_ms, *_ in self._turns]
        self._longest_ms = max((end_ms - start_ms for start_ms, end_ms, _ in self._turns), default=0)

    def share(self, span: Span, speaker: str | None) -> float:
        """Share (0..1) of ``span`` in which a voice other than ``speaker`` sounds.

        Where ``speaker`` is None (who says the line is not known), the share in which two or more voices sound.
        """
        if span.duration_ms == 0:
            return 0.0
        first = bisect_left(self._starts, span.start_ms - self._longest_ms)
        last = bisect_left(self._starts, span.end_ms)
        inside: dict[str, list[Span]] = defaultdict(list)
        for start_ms, end_ms, name in self._turns[first:last]:
            if name != speaker and end_ms > span.start_ms and end_ms > start_ms:
                inside[name].append(Span(max(start_ms, span.start_ms), min(end_ms, span.end_ms)))
        voices = [part for parts in inside.values() for part in union(parts)]
        return _covered_ms(voices, at_least=1 if speaker is not None else 2) / span.duration_ms


def overlap_share(span: Span, turns: Iterable[Turn], speaker: str | None) -> float:
    """As ``Overlaps.share``, of one span.

    Args:
        span: a line's time.
        turns: who speaks when; in any order.
        speaker: the voice that the line is of; None: two or more voices have to sound.
    """
    return Overlaps(turns).share(span, speaker)


def speaker_of(span: Span, turns: Iterable[Turn]) -> str | None:
    """Who speaks longest in ``span``, the alphabetically first of equals; None where nobody does."""
    spoken_ms: Counter[str] = Counter()
    for turn in turns:
        spoken_ms[turn.speaker] += turn.span.overlap_ms(span)
    return min((name for name, ms in spoken_ms.items() if ms), key=lambda name: (-spoken_ms[name], name), default=None)


def _covered_ms(spans: Iterable[Span], *, at_least: int) -> int:
    """Milliseconds that ``at_least`` so many of the spans cover."""
    steps = sorted(step for span in spans for step in ((span.start_ms, 1), (span.end_ms, -1)))
    covered_ms = depth = since_ms = 0
    for time_ms, change in steps:
        if depth >= at_least:
            covered_ms += time_ms - since_ms
        depth, since_ms = depth + change, time_ms
    return covered_ms
