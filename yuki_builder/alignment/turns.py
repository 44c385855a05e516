"""Cues against turns: who speaks in a span, and who speaks over whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from yuki_builder.records import Span, Turn
from yuki_builder.spans import ByTime, union


class Overlaps:
    """The turns of an episode, to be asked many times who speaks over whom: only those near a span are looked at."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = ByTime(turns)

    def share(self, span: Span, speaker: str | None) -> float:
        """Share (0..1) of ``span`` in which a voice other than ``speaker`` sounds.

        Where ``speaker`` is None (who says the line is not known), the share in which two or more voices sound.
        """
        if span.duration_ms == 0:
            return 0.0
        inside: dict[str, list[Span]] = defaultdict(list)
        for turn in self._turns.near(span):
            if turn.speaker != speaker and turn.start_ms < turn.end_ms:
                part = Span(max(turn.start_ms, span.start_ms), min(turn.end_ms, span.end_ms))
                inside[turn.speaker].append(part)
        voices = [part for parts in inside.values() for part in union(parts)]
        return _covered_ms(voices, at_least=1 if speaker is not None else 2) / span.duration_ms


def _covered_ms(spans: Iterable[Span], *, at_least: int) -> int:
    """Milliseconds that ``at_least`` so many of the spans cover."""
    steps = sorted(step for span in spans for step in ((span.start_ms, 1), (span.end_ms, -1)))
    covered_ms = depth = since_ms = 0
    for time_ms, change in steps:
        if depth >= at_least:
            covered_ms += time_ms - since_ms
        depth, since_ms = depth + change, time_ms
    return covered_ms
