"""Where in a line one voice speaks alone: what a speaker embedding may hear.

A line cut by subtitles often holds the last syllable of the line before or the first of the one after, and where
two cues sound at once two voices do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from yuki_builder.records import Span, too_many_at_once
from yuki_builder.spans import ByTime, Timed, difference, union

_EDGE_MS = 80  # as far as a neighbour is taken to reach
_LEAST_MS = 800  # less than this is worth more whole and impure than pure


class _Neighbour(NamedTuple):
    span: Span
    place: int  # of a line; -1: a stretch of too many at once


def single_speaker_spans(lines: Sequence[Timed]) -> list[list[Span]]:
    """For each line, in order of time, the parts of it that no other line touches; all of it where little is left.

    A line with too many others at once (``records.too_many_at_once``) has none.

    Lines of one entry by the same speaker do not exist: every neighbour is somebody else's until proven otherwise.
    """
    spans = [line.span for line in lines]
    has_too_many = too_many_at_once(spans)
    dense = union(span for span, many in zip(spans, has_too_many, strict=True) if many)
    # Every line that is not among too many, and each such stretch as one: then a line has few neighbours.
    by_time = ByTime(
        [_Neighbour(span, k) for k, span in enumerate(spans) if not has_too_many[k]]
        + [_Neighbour(span, -1) for span in dense]
    )
    result: list[list[Span]] = []
    for k, span in enumerate(spans):
        if has_too_many[k]:
            result.append([])
            continue
        parts = difference(span, (_widened(near.span) for near in by_time.near(_widened(span)) if near.place != k))
        is_enough = sum(part.duration_ms for part in parts) >= min(_LEAST_MS, span.duration_ms)
        result.append(parts if is_enough else [span])
    return result


def _widened(span: Span) -> Span:
    return Span(span.start_ms - _EDGE_MS, span.end_ms + _EDGE_MS)
