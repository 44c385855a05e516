"""Where in a line one voice speaks alone: what a speaker embedding may hear.

A line cut by subtitles often holds the last syllable of the line before or the first of the one after, and where
two cues sound at once two voices do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from yuki_builder.records import AlignedCue, Span, crowded

_EDGE_MS = 80  # as far as a neighbour is taken to reach
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
        first = bisect_left(starts, span.start_ms - longest - _EDGE_MS)
        last = bisect_right(starts, span.end_ms + _EDGE_MS)
        parts = _without(span, (near[n][0] for n in range(first, last) if near[n][1] != k))
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


def _without(span: Span, others: Iterable[Span]) -> list[Span]:
    """What is left of a span once others, in order of time, and a little on either side of them are taken away."""
    left: list[Span] = []
    at_ms = span.start_ms  # all before is dealt with
    for other in others:
        start_ms, end_ms = other.start_ms - _EDGE_MS, other.end_ms + _EDGE_MS
        if start_ms >= span.end_ms or at_ms >= span.end_ms:
            break
        if end_ms > span.start_ms:
            if start_ms > at_ms:
                left.append(Span(at_ms, start_ms))
            at_ms = max(at_ms, end_ms)
    return [*left, Span(at_ms, span.end_ms)] if at_ms < span.end_ms else left
