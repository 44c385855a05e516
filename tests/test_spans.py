"""Arithmetic of stretches of time, against sets of milliseconds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.records import Span, Turn
from yuki_builder.spans import ByTime, difference, intersection, own_shares, parts_within, speaker_of, union

SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: Span(pair[0], pair[0] + pair[1])), max_size=6
)


def covered(spans: list[Span]) -> set[int]:
    return {ms for span in spans for ms in range(span.start_ms, span.end_ms)}


@given(SPANS, st.integers(0, 5))
def test_a_union_covers_the_same_and_the_pauses(spans: list[Span], pause_ms: int) -> None:
    joined = union(spans, pause_ms=pause_ms)
    assert covered(joined) >= covered(spans)
    assert all(b.start_ms - a.end_ms > pause_ms for a, b in pairwise(joined))
    assert covered(union(spans)) == covered(spans)


@given(SPANS)
def test_moments_are_shared_among_those_who_are_there(spans: list[Span]) -> None:
    for span, own in zip(spans, own_shares(spans), strict=True):
        there = [sum(s.start_ms <= ms < s.end_ms for s in spans) for ms in range(span.start_ms, span.end_ms)]
        assert own == pytest.approx(sum(1 / n for n in there) / len(there) if there else 1.0)


@given(SPANS, SPANS)
def test_an_intersection_is_in_both(spans: list[Span], others: list[Span]) -> None:
    shared = intersection(spans, others)
    assert covered(shared) == covered(spans) & covered(others)
    assert shared == sorted(shared) and all(span.duration_ms for span in shared)


@given(SPANS, SPANS)
def test_a_difference_is_what_is_left(spans: list[Span], taken: list[Span]) -> None:
    for span in spans:
        left = difference(span, sorted(taken))
        assert covered(left) == covered([span]) - covered(taken)
        assert left == sorted(left) and all(part.duration_ms for part in left)


@given(SPANS, st.integers(0, 40), st.integers(1, 12))
def test_parts_within_are_the_intersection(spans: list[Span], start_ms: int, duration_ms: int) -> None:
    span, apart = Span(start_ms, start_ms + duration_ms), union(spans)
    assert list(parts_within(span, apart)) == intersection([span], apart)


@given(SPANS, st.integers(0, 40), st.integers(0, 12))
def test_what_is_near_is_found(spans: list[Span], start_ms: int, duration_ms: int) -> None:
    span = Span(start_ms, start_ms + duration_ms)
    turns = [Turn(s.start_ms, s.end_ms, str(k)) for k, s in enumerate(spans)]
    near = ByTime(turns).near(span)
    assert near == sorted(near, key=lambda turn: turn.span)
    assert set(near) == {t for t in turns if t.start_ms < span.end_ms and t.end_ms > span.start_ms}


def test_who_speaks_longest() -> None:
    turns = [Turn(0, 900, "A"), Turn(500, 2000, "B")]
    assert speaker_of(Span(0, 1000), turns) == "A"
    assert speaker_of(Span(900, 2000), turns) == "B"
    assert speaker_of(Span(3000, 4000), turns) is None
    assert speaker_of(Span(0, 10), [Turn(0, 10, "B"), Turn(0, 10, "A")]) == "A"
