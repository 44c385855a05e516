"""What is said in another language than the episode's is heard in its own, and is no line."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.transcription import transcribe_turns
from video_preprocessing.transcription.other_languages import (
    is_surely_another,
    makes_sense,
    may_be_another,
    other_language,
    suspect_turns,
    without,
)
from video_preprocessing.transcription.windows import Window, placed, together, windows_of
from yuki_builder.records import FloatArray, HeardSegment, Span, Turn, Word
from yuki_builder.spans import difference, intersection, union
from yuki_builder.transcripts import heard_cues

RATE_HZ = 16_000
TURNS = [Span(1000 + 3000 * k, 3000 + 3000 * k) for k in range(6)]
FOREIGN = TURNS[2]


class TwoTongues:
    """Loud sound is German, quiet sound Japanese; of what it hears in the wrong one it is unsure."""

    name = fingerprint = "two tongues"

    def __init__(self) -> None:
        self.asked_for_language = 0

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        self.asked_for_language += 1
        sounding = np.abs(waveform)[np.abs(waveform) > 0.1]
        return {"de": 0.99, "ja": 0.001} if (sounding > 0.3).mean() > 0.5 else {"ja": 0.98, "de": 0.01}

    def check_language(self, language: str) -> None:
        pass

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        found = []
        sounding = np.concatenate([[0], (np.abs(waveform) > 0.1).astype(int), [0]])
        starts, ends = (np.flatnonzero(np.diff(sounding) == sign) * 1000 // RATE_HZ for sign in (1, -1))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            is_loud = np.abs(waveform[start * 16 : end * 16]).max() > 0.3
            fits = (language == "de") == is_loud
            times = range(start, end, 400)
            texts = [" gut" if language == "de" else chr(ord("あ") + t // 100 % 80) for t in times]
            words = [
                Word(t, min(end, t + 400), text, 0.9 if fits else 0.3) for t, text in zip(times, texts, strict=True)
            ]
            found.append(HeardSegment(tuple(words), language))
        return found


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    wave = np.zeros(20 * RATE_HZ, np.float32)
    for turn in TURNS:
        wave[turn.start_ms * 16 : turn.end_ms * 16] = 0.5 if turn == FOREIGN else 0.2
    soundfile.write(tmp_path / "sound.flac", wave, RATE_HZ)
    return tmp_path / "sound.flac"


def test_a_turn_in_another_language_is_heard_in_its_own_and_no_line(sound: Path) -> None:
    heard = transcribe_turns(sound, TURNS, TURNS, TwoTongues())
    assert heard.language == "ja"
    others = [segment for segment in heard.segments if segment.is_other_language]
    assert [(s.language, set(s.text.split())) for s in others] == [("de", {"gut"})]
    assert abs(others[0].span.start_ms - FOREIGN.start_ms) < 50 and abs(others[0].span.end_ms - FOREIGN.end_ms) < 50
    cues = heard_cues(heard.segments, [Turn(t.start_ms, t.end_ms, f"{k}") for k, t in enumerate(TURNS)], TURNS)
    assert {cue.left_out for cue in cues} == {None, "another language: de"}
    lines = [cue for cue in cues if cue.left_out is None]
    assert not any(cue.span.overlap_ms(FOREIGN) for cue in lines)
    for turn in TURNS:
        assert turn == FOREIGN or sum(cue.span.overlap_ms(turn) for cue in lines) > 1900


def test_where_the_words_are_sure_and_in_the_language_s_letters_none_is_asked_for(tmp_path: Path) -> None:
    wave = np.zeros(20 * RATE_HZ, np.float32)
    for turn in TURNS:
        wave[turn.start_ms * 16 : turn.end_ms * 16] = 0.2
    soundfile.write(tmp_path / "sound.flac", wave, RATE_HZ)
    engine = TwoTongues()
    heard = transcribe_turns(tmp_path / "sound.flac", TURNS, TURNS, engine, language="ja")
    assert engine.asked_for_language == 0
    assert not any(segment.is_other_language for segment in heard.segments)


@pytest.mark.parametrize(
    ("probabilities", "held", "other"),
    [
        ({"en": 0.97, "ja": 0.01}, "ja", "en"),
        ({"en": 0.94, "ja": 0.06}, "ja", None),  # the held one is not ruled out
        ({"en": 0.35, "de": 0.3, "ja": 0.0}, "ja", None),  # no other one is clear
        ({"yue": 0.9, "zh": 0.01}, "zh", None),  # taken for each other
        ({"en": 0.9, "yue": 0.06, "zh": 0.0}, "zh", None),  # what is alike counts for the held one
        ({"la": 0.9, "de": 0.0}, "de", None),  # heard in noise
        ({"ja": 0.9}, "ja", None),
        ({}, "ja", None),  # an engine that does not tell
    ],
)
def test_which_language_is_clearly_another(probabilities: dict[str, float], held: str, other: str | None) -> None:
    assert other_language(probabilities, held) == other
    assert other is None or may_be_another(probabilities, held)


@pytest.mark.parametrize(
    ("probabilities", "sure"),
    [
        ({"en": 0.9, "ja": 0.001}, True),
        ({"en": 0.7, "ja": 0.001}, False),
        ({"af": 0.9, "ja": 0.01}, False),
        ({}, False),
    ],
)
def test_when_a_quick_look_is_enough(probabilities: dict[str, float], sure: bool) -> None:
    assert is_surely_another(probabilities, "ja") is sure


@given(st.lists(st.integers(500, 20_000), max_size=12))
def test_stretches_are_put_together_in_windows_that_can_be_heard(lengths_ms: list[int]) -> None:
    starts = [sum(lengths_ms[:k]) for k in range(len(lengths_ms))]
    spans = [Span(start, start + length) for start, length in zip(starts, lengths_ms, strict=True)]
    windows = together(spans)
    assert [piece.span for window in windows for piece in window.pieces] == spans
    assert all(window.duration_ms <= 28_000 for window in windows)
    for one, following in pairwise(windows):
        assert one.duration_ms + 500 + following.pieces[0].span.duration_ms > 28_000


def test_a_quick_look_comes_before_a_closer_one() -> None:
    assert may_be_another({"en": 0.5, "ja": 0.1}, "ja")
    assert not may_be_another({"en": 0.5, "ja": 0.2}, "ja")
    assert not may_be_another({"no": 0.05, "da": 0.2, "sv": 0.3}, "no")
    assert not may_be_another({}, "ja")


def words(text: str, confidence: float | None = 0.9, *, at_ms: int = 0) -> list[HeardSegment]:
    return [HeardSegment((Word(at_ms, at_ms + 500, text, confidence),))]


@pytest.mark.parametrize(
    ("heard", "language", "doubtful"),
    [
        (words(" Guten Tag."), "de", False),
        (words(" Guten Tag.", 0.4), "de", True),
        (words(" Guten Tag.", None), "de", False),
        (words("おはよう"), "ja", False),
        (words(" Good morning."), "ja", True),
        (words(" OK, おはようございます"), "ja", False),
        ([], "ja", True),
        (words(" nothing here", at_ms=5000), "en", True),
    ],
)
def test_which_turns_are_doubtful(heard: list[HeardSegment], language: str, doubtful: bool) -> None:
    turn = Span(0, 2000)
    suspects = suspect_turns(placed([turn]), [turn], [turn], heard, language=language)
    assert [(x.span, x.is_doubtful) for x in suspects] == [(turn, doubtful)] * (doubtful or language == "de")
    short = suspect_turns(placed([turn]), [turn], [Span(0, 1400)], heard, language=language)
    assert [x.span for x in short] == [turn] * doubtful  # a name is no language
    assert suspect_turns(placed([turn]), [turn], [Span(0, 700)], heard, language=language) == []  # too little voice


def test_one_sentence_over_several_turns_is_doubtful() -> None:
    heard = [segment for turn in TURNS[:3] for segment in words("おはよう", at_ms=turn.start_ms)]
    window = placed(TURNS[:3])
    assert doubtful(window, heard) == TURNS[:3]
    assert doubtful(window, [*heard[:2], *words("はい", at_ms=TURNS[2].start_ms)]) == []


def doubtful(window: Window, heard: list[HeardSegment]) -> list[Span]:
    return [x.span for x in suspect_turns(window, TURNS, TURNS, heard, language="ja") if x.is_doubtful]


@pytest.mark.parametrize(
    ("probabilities", "doubtful", "sure"),
    [
        ({"en": 0.9, "de": 0.01}, "en", "en"),
        ({"en": 0.6, "de": 0.01}, "en", None),
        ({"en": 0.9, "de": 0.04}, "en", "en"),
        ({"en": 0.9, "de": 0.06}, None, None),
        ({"en": 0.7, "de": 0.04}, None, None),
        ({"cy": 0.9, "de": 0.0}, None, None),
    ],
)
def test_more_is_asked_of_another_language_where_words_are_sure(
    probabilities: dict[str, float], doubtful: str | None, sure: str | None
) -> None:
    assert other_language(probabilities, "de") == doubtful
    assert other_language(probabilities, "de", is_doubtful=False) == sure
    assert may_be_another({"en": 0.9, "de": 0.05}, "de") and not may_be_another(
        {"en": 0.9, "de": 0.05}, "de", is_doubtful=False
    )


def test_words_that_are_sure_are_left_only_for_others_as_sure() -> None:
    (sure,) = suspect_turns(placed([TURNS[0]]), TURNS, TURNS, words(" Guten Tag.", 0.9, at_ms=1500), language="de")
    assert not makes_sense(words(" Good morning.", 0.7), sure.least_confidence)
    assert makes_sense(words(" Good morning.", 0.86), sure.least_confidence)


def test_nonsense_is_no_other_language() -> None:
    assert makes_sense(words(" Good morning."))
    assert not makes_sense(words(" Good morning.", 0.2))
    assert not makes_sense(words(" and so and then" * 20))
    assert not makes_sense([])


@given(st.lists(st.tuples(st.integers(300, 4000), st.integers(0, 1500), st.booleans()), min_size=1, max_size=8))
def test_the_rest_of_a_window_holds_all_other_turns(rows: list[tuple[int, int, bool]]) -> None:
    turns, taken, at_ms = [], [], 1000
    for length_ms, pause_ms, is_other in rows:
        turns.append(Span(at_ms, at_ms + length_ms))
        taken += turns[-1:] if is_other else []
        at_ms += length_ms + pause_ms
    for window in windows_of(turns, turns, duration_ms=at_ms + 1000):
        inside = intersection(turns, [piece.span for piece in window.pieces])
        apart = intersection(taken, [piece.span for piece in window.pieces])
        rest = without(window, apart, turns)
        kept = [] if rest is None else [piece.span for piece in rest.pieces]
        assert not intersection(kept, apart)
        for turn in union(inside):
            for left in difference(turn, apart):
                assert sum(span.overlap_ms(left) for span in kept) == left.duration_ms
