"""Cues from what was heard: one voice each, and no line that nobody said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.records import CueOrigin, HeardSegment, Span, Turn, Word
from yuki_builder.transcripts import NotSpeech, heard_cues, heard_within
from yuki_builder.transcripts.cues import speakers_of, voiced
from yuki_builder.transcripts.hallucinations import repeats_itself


def segment(text: str, start_ms: int, end_ms: int, *, confidence: float = 0.9, **facts: float) -> HeardSegment:
    texts = [f" {word}" for word in text.split()]
    step = (end_ms - start_ms) / max(1, len(texts))
    words = [
        Word(round(start_ms + k * step), round(start_ms + (k + 1) * step), word, confidence)
        for k, word in enumerate(texts)
    ]
    return HeardSegment(tuple(words), "en", **facts)  # type: ignore[arg-type]


ALL_VOICE = [Span(0, 1_000_000)]
ONE_TURN = [Turn(0, 1_000_000, "A")]


def test_a_line_holds_one_voice() -> None:
    turns = [Turn(0, 1800, "A"), Turn(1800, 4000, "B")]
    cues = heard_cues([segment("where were you I was at home", 0, 4000)], turns, ALL_VOICE)
    assert [(cue.text, cue.origin, cue.confidence) for cue in cues] == [
        ("where were you", CueOrigin.ASR, 0.9),
        ("I was at home", CueOrigin.ASR, 0.9),
    ]
    assert [word.text for word in cues[0].words] == ["where", "were", "you"]
    assert (cues[1].start_ms, cues[1].end_ms) == (cues[1].words[0].start_ms, 4000)


@pytest.mark.parametrize(
    ("second_starts_ms", "lines"), [(2300, ["もう始まって", "この手紙は"]), (2200, ["もう始まってこの手紙は"])]
)
def test_a_pause_between_turns_of_one_voice_parts_what_words_run_together(
    second_starts_ms: int, lines: list[str]
) -> None:
    words = [Word(1000, 1600, "もう", 0.9), Word(1600, 2150, "始まって", 0.9)]
    words += [Word(2150, 2700, "この", 0.9), Word(2700, 3500, "手紙は", 0.9)]
    turns = [Turn(900, 2000, "A"), Turn(second_starts_ms, 3600, "A")]
    cues = heard_cues([HeardSegment(tuple(words), "ja")], turns, ALL_VOICE)
    assert [cue.text for cue in cues] == lines


@pytest.mark.parametrize(("lasts_ms", "reason"), [(0, NotSpeech.TOO_FAST), (40, NotSpeech.TOO_FAST), (120, None)])
def test_a_line_that_takes_no_time_was_not_said(lasts_ms: int, reason: NotSpeech | None) -> None:
    die = HeardSegment((Word(1000, 1000 + lasts_ms, " Die", 0.9),), "de")
    assert [cue.left_out for cue in heard_cues([die], ONE_TURN, ALL_VOICE)] == [reason]


def test_a_change_of_voice_moves_to_the_end_of_a_sentence_beside_it() -> None:
    turns = [Turn(0, 1700, "A"), Turn(1700, 4000, "B")]  # inside "you?"
    (where, were, you), at_home = segment("where were you?", 0, 1950).words, segment("I was home.", 1950, 4000).words
    late = [where, were, Word(1720, 1950, you.text), *at_home]
    assert speakers_of(late, turns) == ["A", "A", "A", "B", "B", "B"]
    early = [Turn(0, 2200, "A"), Turn(2200, 4000, "B")]
    words = [where, were, you, Word(1950, 2200, " I"), *at_home[1:]]
    assert speakers_of(words, early) == ["A", "A", "A", "B", "B", "B"]


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (segment("[Music]", 0, 1000), NotSpeech.SOUND),
        (segment("♪ la la la ♪", 0, 3000), NotSpeech.SOUND),
        (segment("...", 0, 1000), NotSpeech.SOUND),
        (segment("Thanks for watching!", 0, 1500), NotSpeech.STOCK_PHRASE),
        (segment("ご視聴ありがとうございました", 0, 2000), NotSpeech.STOCK_PHRASE),
        (segment("请不吝点赞 订阅 转发", 0, 2000), NotSpeech.STOCK_PHRASE),
        (segment("I don't know what to do " * 4, 0, 9000), NotSpeech.LOOP),
        (segment("and so and then " * 12, 0, 20_000), NotSpeech.LOOP),
        (segment("oh no, what is it now", 0, 2000, no_speech=0.9, log_probability=-1.4), NotSpeech.NO_SPEECH),
        (segment("a mumble", 0, 1000, confidence=0.1), NotSpeech.UNSURE),
        (segment("far too many words in far too little time for anybody", 0, 400), NotSpeech.TOO_FAST),
    ],
)
def test_what_nobody_said_is_left_out_with_its_reason(heard: HeardSegment, reason: NotSpeech) -> None:
    (cue,) = heard_cues([heard], ONE_TURN, ALL_VOICE)
    assert (cue.left_out, cue.text) == (reason, heard.text)


@pytest.mark.parametrize(
    "text",
    [
        "No! No! No!",
        "Ha ha ha ha.",
        "Thank you.",
        "Bye. Bye bye.",
        "Go, go, go, go!",
        "It is what it is, is it?",
        "Yes.",
    ],
)
def test_what_people_do_say_stays(text: str) -> None:
    (cue,) = heard_cues([segment(text, 0, 900)], ONE_TURN, ALL_VOICE)
    assert cue.left_out is None


def test_words_where_no_voice_is_are_no_line() -> None:
    (cue,) = heard_cues([segment("over the music", 0, 3000)], ONE_TURN, [Span(2800, 5000)])
    assert cue.left_out == NotSpeech.NO_VOICE
    (cue,) = heard_cues([segment("after the turn", 5000, 6000)], [Turn(0, 3000, "A")], ALL_VOICE)
    assert cue.left_out == NotSpeech.NO_TURN


def test_the_same_again_and_again_is_said_once() -> None:
    segments = [segment("We have to leave now", k * 3000, k * 3000 + 2000) for k in range(4)]
    cues = heard_cues(segments, ONE_TURN, ALL_VOICE)
    assert [cue.left_out for cue in cues] == [None, NotSpeech.LOOP, NotSpeech.LOOP, NotSpeech.LOOP]


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("no " * 6, True),
        ("no no no no", False),
        ("it was me and you " * 3, True),
        ("it was me and you, it was me and you", False),
        ("そうですね" * 8, True),
        ("そうですねそうですね", False),
        ("row row row your boat gently down the stream", False),
        ("", False),
    ],
)
def test_repetitions(text: str, repeats: bool) -> None:
    assert repeats_itself(text) is repeats


def test_segments_of_a_script_without_spaces_are_joined_without() -> None:
    first = HeardSegment((Word(0, 400, " もし"), Word(400, 800, "なら、")), "ja")
    second = HeardSegment((Word(800, 1200, " 村に"), Word(1200, 1900, "帰る。")), "ja")
    assert [cue.text for cue in heard_cues([first, second], ONE_TURN, ALL_VOICE)] == ["もしなら、村に帰る。"]


@pytest.mark.parametrize(
    ("word", "speech", "expected"),
    [
        ((0, 2000), [(0, 600), (1900, 4000)], (0, 600)),  # stretched over the pause, until the next voice
        ((0, 2000), [(1200, 4000)], (1200, 2000)),
        ((0, 500), [(50, 450)], (0, 500)),  # voice activity is not finer than that
        ((0, 900), [(0, 400), (460, 900)], (0, 900)),
        ((0, 500), [], (0, 500)),
        ((0, 500), [(490, 900)], (0, 500)),
    ],
)
def test_words_end_with_the_voice(
    word: tuple[int, int], speech: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    spans = [Span(*pair) for pair in speech]
    found = voiced(Word(*word, "x"), spans)
    assert (found.start_ms, found.end_ms) == expected


@st.composite
def an_episode(draw: st.DrawFn) -> tuple[list[HeardSegment], list[Turn]]:
    words = st.sampled_from(["so", "it", "ended.", "why?", "well,", "yes.", "好", "no"])
    segments, at_ms = [], 0
    for _ in range(draw(st.integers(0, 8))):
        texts = draw(st.lists(words, min_size=1, max_size=12))
        length_ms = draw(st.integers(len(texts) * 50, len(texts) * 500))
        segments.append(segment(" ".join(texts), at_ms, at_ms + length_ms))
        at_ms += length_ms + draw(st.integers(0, 2000))
    turns, at_ms = [], 0
    for _ in range(draw(st.integers(0, 10))):
        end_ms = at_ms + draw(st.integers(1, 5000))
        turns.append(Turn(at_ms, end_ms, draw(st.sampled_from("ABC"))))
        at_ms = end_ms + draw(st.integers(0, 500))
    return segments, turns


@given(an_episode())
def test_every_word_is_in_one_cue_and_ids_are_unique(episode: tuple[list[HeardSegment], list[Turn]]) -> None:
    segments, turns = episode
    cues = heard_cues(segments, turns, ALL_VOICE)
    heard = sorted(word.text.strip() for segment in segments for word in segment.words)
    assert sorted(word.text for cue in cues for word in cue.words) == heard
    assert len({cue.cue_id for cue in cues}) == len(cues)
    assert [cue.index for cue in cues] == list(range(len(cues)))
    assert [cue.start_ms for cue in cues] == sorted(cue.start_ms for cue in cues)
    again = heard_cues(segments, turns, ALL_VOICE)
    assert again == cues


def test_what_is_said_again_from_where_a_voice_begins_is_no_loop() -> None:
    times = [(0, 1500), (2000, 3500), (4000, 5500), (6000, 7500)]
    segments = [segment("What happened to you?", *pair) for pair in times]
    turns = [Turn(start_ms - 100, end_ms, "AB"[k % 2]) for k, (start_ms, end_ms) in enumerate(times) if k]
    cues = heard_cues(segments, [Turn(0, 1500, "A"), *turns], ALL_VOICE)
    assert [cue.left_out for cue in cues] == [None] * 4
    cues = heard_cues(segments, ONE_TURN, ALL_VOICE)
    assert [cue.left_out for cue in cues] == [None, *[NotSpeech.LOOP] * 3]


def test_cues_within_spans_and_beside_lines() -> None:
    """Half of a cue decides; what a line holds already is not said again."""
    cues = heard_cues([segment("one two", k, k + 1000) for k in (0, 2000, 4000, 6000)], ONE_TURN, ALL_VOICE)
    found = heard_within(cues, [Span(1500, 2500), Span(4600, 5000), Span(5900, 7200)], [Span(6400, 7500)])
    assert [cue.start_ms for cue in found] == [2000]
    assert heard_within(cues, [], []) == []
