"""Where in a line one voice speaks alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.alignment import single_speaker_spans
from yuki_builder.records import MOST_AT_ONCE, AlignedCue, Cue, Span

relaxed = settings(deadline=None)  # a busy machine is no failure


def pure(*times: tuple[int, int]) -> list[list[tuple[int, int]]]:
    lines = [AlignedCue(Cue(f"c{k}", k, a, b, "x", "x"), a, b, b - a) for k, (a, b) in enumerate(times)]
    return [[(span.start_ms, span.end_ms) for span in spans] for spans in single_speaker_spans(lines)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(1000, 3000), (4000, 6000)], [[(1000, 3000)], [(4000, 6000)]]),
        ([(1000, 3000), (3000, 6000)], [[(1000, 2920)], [(3080, 6000)]]),  # the neighbour may reach over
        ([(1000, 3000), (2500, 6000)], [[(1000, 2420)], [(3080, 6000)]]),  # two at once
        ([(1000, 9000), (3000, 5000)], [[(1000, 2920), (5080, 9000)], [(3000, 5000)]]),  # little left: all of it
        ([(1000, 1500), (1500, 2000)], [[(1000, 1500)], [(1500, 2000)]]),  # short lines stay whole
    ],
)
def test_neighbours_are_kept_out(times: list[tuple[int, int]], expected: list[list[tuple[int, int]]]) -> None:
    assert pure(*times) == expected


@relaxed
@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 6000)), max_size=12))
def test_pure_parts_lie_in_their_line_in_order(lengths: list[tuple[int, int]]) -> None:
    times = sorted((a, a + length) for a, length in lengths)
    for (start, end), parts in zip(times, pure(*times), strict=True):
        others = [t for t in times if t != (start, end)]
        assert parts or sum(a < end and start < b for a, b in times) - 1 > MOST_AT_ONCE
        flat = [edge for part in parts for edge in part]
        assert flat == sorted(flat) and all(start <= edge <= end for edge in flat)
        if parts != [(start, end)] and times.count((start, end)) == 1:
            assert all(Span(*part).overlap_ms(Span(*other)) == 0 for part in parts for other in others)


def test_lines_among_too_many_are_not_embedded_and_cost_little() -> None:
    count = 20_000
    began = time.process_time()
    parts = pure(*sorted((k % 700, k % 700 + 3000) for k in range(count)), (10_000, 12_000))
    assert time.process_time() - began < 5  # each looked at all the others
    assert parts[:-1] == [[]] * count
    assert parts[-1] == [(10_000, 12_000)]


def test_a_long_cue_over_many_others_leaves_them_alone() -> None:
    talk = [(1000 * k, 1000 * k + 900) for k in range(20)]
    parts = pure((0, 20_000), *talk)
    assert parts[0] == []
    assert parts[1:] == [[span] for span in talk]
