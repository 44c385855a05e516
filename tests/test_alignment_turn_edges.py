"""Lines that were heard, with their edges on those of the turns."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.alignment import on_turns
from yuki_builder.records import AlignedCue, Cue, CueOrigin, Span, Turn, Word

relaxed = settings(deadline=None)  # a busy machine is no failure


def line(start_ms: int, end_ms: int, *words: tuple[int, int]) -> AlignedCue:
    heard = tuple(Word(a, b, "ja", 0.9) for a, b in words or [(start_ms, end_ms)])
    cue = Cue(f"{start_ms}-{end_ms}", 0, start_ms, end_ms, "ja", "ja", origin=CueOrigin.ASR, words=heard)
    return AlignedCue(cue, start_ms, end_ms, end_ms - start_ms)


def spans(lines: list[AlignedCue]) -> list[tuple[int, int]]:
    return [(line.start_ms, line.end_ms) for line in lines]


def test_edges_of_voice_activity_move_to_those_of_the_turn() -> None:
    speech = [Span(900, 2200)]
    (moved,) = on_turns([line(900, 2200, (950, 1400), (1400, 2100))], [Turn(1010, 2060, "A")], speech)
    assert (moved.start_ms, moved.end_ms, moved.speech_ms) == (1010, 2060, 1050)


def test_an_edge_inside_a_turn_stays() -> None:
    lines = [line(1000, 2000), line(2000, 3000)]
    assert spans(on_turns(lines, [Turn(950, 3040, "A")], [Span(0, 4000)])) == [(950, 2000), (2000, 3040)]


def test_the_turn_of_another_voice_does_not_count() -> None:
    turns = [Turn(1000, 3000, "A"), Turn(1700, 1950, "B")]
    assert spans(on_turns([line(1000, 2000)], turns, [Span(0, 4000)])) == [(1000, 2000)]


def test_an_edge_moves_neither_over_a_word_nor_into_another_line() -> None:
    turns = [Turn(1000, 2000, "A")]
    assert spans(on_turns([line(800, 2300, (800, 900), (1900, 2300))], turns, [Span(0, 4000)])) == [(800, 2300)]
    assert spans(on_turns([line(500, 1100), line(1150, 2000)], [Turn(1050, 2000, "A")], [])) == [
        (500, 1100),
        (1150, 2000),
    ]
    assert spans(on_turns([line(1500, 3000)], [Turn(1000, 3000, "A")], [])) == [(1500, 3000)]  # too far


def test_two_edges_that_move_towards_each_other_do_not_cross() -> None:
    turns = [Turn(0, 1190, "A"), Turn(1110, 2000, "B")]
    first, second = on_turns([line(0, 1100), line(1200, 2000)], turns, [])
    assert (first.end_ms, second.start_ms) == (1190, 1200)


def test_lines_outside_all_turns_stay() -> None:
    assert spans(on_turns([line(0, 1000)], [], [Span(0, 1000)])) == [(0, 1000)]


times = st.lists(st.integers(0, 4000), min_size=2, max_size=12, unique=True).map(sorted)
turn_lists = st.lists(
    st.builds(lambda a, n, s: Turn(a, a + n, s), st.integers(0, 4000), st.integers(1, 2000), st.sampled_from("AB")),
    max_size=6,
)


@relaxed
@given(times, turn_lists)
def test_lines_stay_apart_in_order_and_near(edges: list[int], turns: list[Turn]) -> None:
    lines = [line(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    moved = on_turns(lines, turns, [Span(0, 4000)])
    assert [m.cue for m in moved] == [x.cue for x in lines]
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(moved))
    for was, now in zip(lines, moved, strict=True):
        assert abs(was.start_ms - now.start_ms) <= 400 and abs(was.end_ms - now.end_ms) <= 400
        assert now.start_ms < now.end_ms
        ends = {e for t in turns for e in (t.start_ms, t.end_ms)}
        assert now.start_ms in {was.start_ms, *ends} and now.end_ms in {was.end_ms, *ends}
