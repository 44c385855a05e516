"""Where in a line one voice speaks alone: what a speaker embedding may hear.

A line cut by subtitles often holds the last syllable of the line before or the first of the one after, and where
two cues sound at once two voices do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from yuki_builder.records import AlignedCue, Span, crowded

_NEAR_MS = 120  # a neighbour this near may reach over
_EDGE_MS = 80  # as far as it is taken to reach
_LEAST_MS = 800  # less than this is worth more whole and impure than pure


def single_speaker_spans(lines: Sequence[AlignedCue]) -> list[list[Span]]:
    """For each line, in order of time, the parts of it that no other line touches; all of it where little is left.

    A line in a crowd (``records.crowded``) has none.

    Lines of one entry by the same speaker do not exist: every neighbour is somebody else's until proven otherwise.
    """
    spans = [line.span for line in lines]
    is_crowded = crowded(spans)
    crowd = _union(span for span, many in zip(spans, is_crowded, strict=True) if many)
    # Every line that is not in a crowd, and each crowd as one: then a line has few neighbours.
    near = sorted([*((span, k) for k, span in enumerate(spans) if not is_crowded[k]), *((span, -1) for span in crowd)])
    starts = [span.start_ms for span, _ in near]
    longest = max((span.duration_ms for span, _ in near), default=0)
    result: list[list[Span]] = []
    for k, span in enumerate(spans):
        if is_crowded[k]:
            result.append([])
            continue
        first = bisect_left(starts, span.start_ms - longest - _NEAR_MS)
        last = bisect_right(starts, span.end_ms + _NEAR_MS)
        others = [other for other, j in near[first:last] if j != k]
        parts = _without(span, others)
        is_enough = sum(part.duration_ms for part in parts) >= min(_LEAST_MS, span.duration_ms)
        result.append(parts if is_enough else [span])
    return result


def _union(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_ms <= merged[-1].end_ms:
            merged[-1] = Span(merged[-1].start_ms, max(merged[-1].end_ms, span.end_ms))
        else:
            merged.append(span)
    return merged


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
