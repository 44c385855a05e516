"""Where in a line one voice speaks alone: what a speaker embedding may hear.

A line cut by subtitles often holds the last syllable of the line before or the first of the one after, and where
two cues sound at once two voices do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from yuki_builder.records import AlignedCue, Span

_NEAR_MS = 120  # a neighbour this near may reach over
_EDGE_MS = 80  # as far as it is taken to reach
_LEAST_MS = 800  # less than this is worth more whole and impure than pure


def pure_spans(lines: Sequence[AlignedCue]) -> list[list[Span]]:
    """For each line, in order of time, the parts of it that no other line touches; all of it where little is left.

    Lines of one entry by the same speaker do not exist: every neighbour is somebody else's until proven otherwise.
    """
    spans = [line.span for line in lines]
    longest = max((span.duration_ms for span in spans), default=0)
    result = []
    for k, span in enumerate(spans):
        others = []
        for j in range(k - 1, -1, -1):
            if spans[j].start_ms < span.start_ms - longest - _NEAR_MS:
                break
            others.append(spans[j])
        for j in range(k + 1, len(spans)):
            if spans[j].start_ms > span.end_ms + _NEAR_MS:
                break
            others.append(spans[j])
        parts = _without(span, others)
        result.append(parts if sum(p.duration_ms for p in parts) >= min(_LEAST_MS, span.duration_ms) else [span])
    return result


def _without(span: Span, others: Sequence[Span]) -> list[Span]:
    """What is left of a span once others, and a little on either side of them, are taken away."""
    taken = sorted(
        (max(span.start_ms, o.start_ms - _EDGE_MS), min(span.end_ms, o.end_ms + _EDGE_MS))
        for o in others
        if o.start_ms < span.end_ms + _EDGE_MS and o.end_ms > span.start_ms - _EDGE_MS
    )
    edges = [span.start_ms]
    for start_ms, end_ms in taken:
        edges += [max(start_ms, edges[-1]), max(end_ms, edges[-1])]
    edges.append(max(span.end_ms, edges[-1]))
    return [Span(a, b) for a, b in list(pairwise(edges))[::2] if b > a]
