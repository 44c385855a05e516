"""Which stretches are transcribed together, and where their words lie."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.transcription.windows import (
    LONGEST_MS,
    MARGIN_MS,
    PAUSE_MS,
    Window,
    halves,
    skipped_speech,
    windows_of,
)
from yuki_builder.records import HeardSegment, Span, Word

spans = st.lists(
    st.tuples(st.integers(0, 600_000), st.integers(0, 60_000)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=30
)


@given(spans, spans)
def test_every_moment_of_a_turn_is_heard_once(turns: list[Span], speech: list[Span]) -> None:
    duration_ms = 700_000
    windows = windows_of(turns, speech, duration_ms=duration_ms)
    pieces = [piece.span for window in windows for piece in window.pieces]
    assert pieces == sorted(pieces)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(pieces))
    assert all(0 <= p.start_ms < p.end_ms <= duration_ms for p in pieces)
    for turn in turns:
        assert sum(turn.overlap_ms(piece) for piece in pieces) == turn.duration_ms
    assert all(window.duration_ms <= LONGEST_MS for window in windows)
    for window in windows:
        ends = [piece.at_ms + piece.span.duration_ms for piece in window.pieces]
        assert all(later.at_ms >= end for end, later in zip(ends, window.pieces[1:], strict=False))


def one_window() -> Window:
    (window,) = windows_of([Span(10_000, 12_000), Span(50_000, 51_000)], [], duration_ms=100_000)
    return window


def test_words_come_back_to_their_place() -> None:
    window = one_window()
    first, second = window.pieces
    assert (first.span, first.at_ms) == (Span(10_000 - MARGIN_MS, 12_000 + MARGIN_MS), 0)
    assert second.at_ms == first.span.duration_ms + PAUSE_MS
    assert window.place(Word(MARGIN_MS, MARGIN_MS + 300, " a")) == Word(10_000, 10_300, " a")
    at_ms = second.at_ms + MARGIN_MS
    assert window.place(Word(at_ms, at_ms + 400, " b", 0.5)) == Word(50_000, 50_400, " b", 0.5)
    # A word that begins in the pause lies whole in the piece that it belongs to.
    assert window.place(Word(second.at_ms - 300, second.at_ms + 500, " c")) == Word(49_800, 50_300, " c")
    assert window.place(Word(first.span.duration_ms + 10, first.span.duration_ms + 20, " d")).end_ms == 12_200


@given(spans, st.integers(0, 30_000), st.integers(0, 3000))
def test_a_placed_word_lies_in_one_piece(turns: list[Span], start_ms: int, length_ms: int) -> None:
    for window in windows_of(turns, [], duration_ms=700_000):
        word = window.place(Word(start_ms, start_ms + length_ms, "x"))
        assert any(p.span.start_ms <= word.start_ms <= word.end_ms <= p.span.end_ms for p in window.pieces)


def test_a_turn_in_which_nothing_was_heard_is_asked_for_again() -> None:
    window = one_window()
    turns, speech = [Span(10_000, 12_000), Span(50_000, 51_000)], [Span(0, 60_000)]
    first, second = (HeardSegment((Word(t.start_ms, t.end_ms, " a"),)) for t in turns)
    # The first word lasts longer than any does: behind it something was skipped.
    (rest,) = skipped_speech(window, turns, speech, [first, second])
    assert rest[1] == Span(10_800, 12_200)  # turns are not exact to a syllable; what was heard stays
    said = [HeardSegment((Word(10_000, 10_700, " a"), Word(11_100, 11_700, " a")))]
    (again,) = skipped_speech(window, turns, speech, said)
    assert [(piece.span, piece.at_ms) for piece in again[0].pieces] == [(Span(49_800, 51_200), 0)]
    assert again[1] == again[0].pieces[0].span
    assert skipped_speech(window, turns, [Span(0, 12_000)], said) == []  # there is no voice in it
    assert skipped_speech(window, [Span(10_000, 12_000), Span(50_000, 50_400)], speech, said) == []


@given(spans)
def test_halves_hold_what_the_window_holds(turns: list[Span]) -> None:
    for window in windows_of(turns, [], duration_ms=700_000):
        parts = halves(window)
        assert [piece.span for part in parts for piece in part.pieces] == [piece.span for piece in window.pieces]
        assert all(part.pieces[0].at_ms == 0 for part in parts)
        if len(parts) == 2:
            assert window.duration_ms > 15_000
            assert max(part.duration_ms for part in parts) < window.duration_ms
            gaps = [[b.at_ms - a.at_ms for a, b in pairwise(part.pieces)] for part in parts]
            own = [b.at_ms - a.at_ms for a, b in pairwise(window.pieces)]
            assert gaps == [own[: len(gaps[0])], own[len(gaps[0]) + 1 :]]
        else:
            assert parts == [window]


@given(spans, spans, spans)
def test_what_is_asked_for_again_is_voice_that_no_word_covers(
    turns: list[Span], speech: list[Span], words: list[Span]
) -> None:
    heard = [HeardSegment((Word(s.start_ms, min(s.end_ms, s.start_ms + 800), "x"),)) for s in words]
    for window in windows_of(turns, speech, duration_ms=700_000):
        for part, wanted in skipped_speech(window, turns, speech, heard):
            (piece,) = part.pieces
            assert piece.span.overlap_ms(wanted) == wanted.duration_ms >= 600
            assert not any(segment.span.overlap_ms(wanted) for segment in heard)


def test_a_long_turn_is_cut_in_a_pause() -> None:
    speech = [Span(0, 20_000), Span(20_600, 26_000), Span(26_100, 50_000)]
    windows = windows_of([Span(0, 50_000)], speech, duration_ms=50_000)
    assert windows[0].pieces[0].span == Span(0, 20_300)
    assert windows_of([], speech, duration_ms=50_000) == []
