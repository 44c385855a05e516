"""Words cut into lines that can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.records import Word
from yuki_builder.transcripts.sentences import LIMITS, cut_lines
from yuki_builder.transcripts.writing import ends_sentence, join_words, width


@st.composite
def some_words(draw: st.DrawFn) -> list[Word]:
    words, at_ms = [], draw(st.integers(0, 100_000))
    for _ in range(draw(st.integers(0, 60))):
        text = draw(
            st.sampled_from([" so", " it", " ended.", " why?", " well,", " extraordinarily", "好", "です。", " No!"])
        )
        length_ms = draw(st.integers(0, 900))
        words.append(Word(at_ms, at_ms + length_ms, text, 0.9))
        at_ms += length_ms + draw(st.sampled_from([0, 0, 0, 60, 200, 500, 900, 4000]))
    return words


@given(some_words())
def test_lines_hold_every_word_once_and_can_be_read(words: list[Word]) -> None:
    lines = cut_lines(words)
    assert [word for line in lines for word in line] == words
    for line in lines:
        assert line
        if len(line) > 1:
            assert line[-1].end_ms - line[0].start_ms <= LIMITS.most_ms
            assert width(join_words(w.text for w in line)) <= LIMITS.most_width
        assert all(b.start_ms - a.end_ms < LIMITS.pause_ms for a, b in pairwise(line))


def said(text: str, *, each_ms: int = 300, gap_ms: int = 0) -> list[Word]:
    words = [f" {word}" for word in text.split()]
    return [Word(k * (each_ms + gap_ms), k * (each_ms + gap_ms) + each_ms, word) for k, word in enumerate(words)]


def lines_of(words: list[Word]) -> list[str]:
    return [join_words(word.text for word in line) for line in cut_lines(words)]


def test_sentences_are_lines() -> None:
    assert lines_of(said("Where were you last night? I was at home, asleep.")) == [
        "Where were you last night?",
        "I was at home, asleep.",
    ]


def test_a_very_short_sentence_goes_with_the_next() -> None:
    assert lines_of(said("No. I never said that to anyone.", each_ms=200)) == ["No. I never said that to anyone."]


@pytest.mark.parametrize(
    ("first", "length_ms", "lines"),
    [(" Stop.", 300, 1), (" Stop.", 500, 2), ("わかった", 300, 1), ("わかった", 700, 2)],
)
def test_a_short_sentence_stands_alone_where_it_tells_of_a_voice(first: str, length_ms: int, lines: int) -> None:
    rest = " I never said that." if first.isascii() else " そんなことは言っていない"
    words = [Word(0, length_ms, first), Word(length_ms, length_ms + 1600, rest)]
    assert len(cut_lines(words)) == lines


def test_an_answer_is_not_put_to_its_question() -> None:
    words = [*said("Are you?", each_ms=200), Word(500, 700, " Yes."), Word(700, 1300, " Always.")]
    assert lines_of(words) == ["Are you?", "Yes. Always."]


def test_the_recognisers_segments_end_sentences_that_have_no_marks() -> None:
    words = [Word(0, 700, "行きますか"), Word(900, 2100, "はい行きます"), Word(2100, 3000, "けど")]
    assert [len(line) for line in cut_lines(words, segment_ends={0})] == [1, 2]
    close = [Word(0, 1200, "行きますか"), Word(1200, 2400, "はい行きます")]
    assert [len(line) for line in cut_lines(close, segment_ends={0, 1})] == [1, 1]
    assert [len(line) for line in cut_lines(words)] == [3]


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    text = (
        "If you had told me about it before we left the city this morning, I would have brought the other key with me."
    )
    assert lines_of(said(text)) == [
        "If you had told me about it before we left the city this morning,",
        "I would have brought the other key with me.",
    ]


def test_a_pause_ends_a_line_without_punctuation() -> None:
    words = [Word(0, 800, " wait"), Word(900, 1700, " here"), Word(3000, 4200, " please")]
    assert lines_of(words) == ["wait here", "please"]


def test_chinese_and_japanese_are_cut_by_their_own_marks() -> None:
    words = [Word(200 * k, 200 * k + 200, c) for k, c in enumerate("你昨天晚上到底去哪里了？我在家里睡觉呢。")]
    assert lines_of(words) == ["你昨天晚上到底去哪里了？", "我在家里睡觉呢。"]


@pytest.mark.parametrize(
    ("word", "ends"),
    [("home.", True), ("Mr.", False), ("z.B.", False), ("what?!", True), ("”", False), ("gone.”", True),
     ("だ。」", True), ("wait...", True), ("well,", False), ("", False)],
)  # fmt: skip
def test_where_sentences_end(word: str, ends: bool) -> None:
    assert ends_sentence(word) is ends


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([" Hello", " there", "."], "Hello there."),
        (["Hello", "there."], "Hello there."),
        (["今日", "は", "いい", "天気"], "今日はいい天気"),
        (["今日", "は", "Monday", "です"], "今日は Monday です"),
        (["订阅", " 转发"], "订阅 转发"),
        ([" It's", " 5", "%"], "It's 5%"),
        ([], ""),
    ],
)
def test_words_are_joined_as_they_are_written(words: list[str], text: str) -> None:
    assert join_words(words) == text


def test_a_space_in_japanese_begins_a_sentence() -> None:
    texts = ["冗談", "は", "やめて", "よ", " この", "手紙", "誰が", "書いた"]
    words = [Word(400 * k, 400 * k + 400, text) for k, text in enumerate(texts)]
    assert [[word.text for word in line] for line in cut_lines(words)] == [texts[:4], texts[4:]]
    together = [Word(w.start_ms, w.end_ms, w.text.strip()) for w in words]
    assert len(cut_lines(together)) == 1
