"""Chinese that was heard comes in one kind of characters, whatever the recogniser wrote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.chinese import simplified_character, usual_characters
from yuki_builder.records import HeardSegment, Word
from yuki_builder.transcripts import in_same_characters


def heard(*words: str, language: str | None = "zh") -> HeardSegment:
    return HeardSegment(tuple(Word(300 * k, 300 * k + 300, text) for k, text in enumerate(words)), language)


def test_most_of_an_episode_tells() -> None:
    segments = [heard("你", "知道", "這"), heard("村裡", "就", "再也"), heard("他", "说"), heard("我", "看見")]
    assert [s.text for s in in_same_characters(segments)] == ["你知道這", "村裡就再也", "他說", "我看見"]
    assert [s.text for s in in_same_characters(segments, "simplified")] == ["你知道这", "村里就再也", "他说", "我看见"]


def test_words_are_converted_by_what_is_around_them() -> None:
    (segment,) = in_same_characters([heard("头", "发", "，", "出", "发")], "traditional")
    assert [word.text for word in segment.words] == ["頭", "髮", "，", "出", "發"]


def test_punctuation_is_that_of_chinese() -> None:
    segments = [
        heard("下", "雨,", "走", "吧?"),
        heard("3", ".", "5", "度", "."),
        heard("看", "A", ".", "B", ",", "好", "..."),
    ]
    assert [s.text for s in in_same_characters(segments)] == ["下雨，走吧？", "3.5度。", "看A.B,好..."]


def test_japanese_and_unknown_languages_stay() -> None:
    segments = [heard("会", "話", language="ja"), heard("學", language=None), heard("說")]
    assert [s.text for s in in_same_characters(segments, "simplified")] == ["会話", "學", "说"]


def test_texts_that_do_not_tell() -> None:
    assert usual_characters(["你好", "hello", ""]) is None
    assert usual_characters(["说话"]) == "simplified"
    assert usual_characters(["說話", "说"]) == "traditional"
    segments = [heard("你", "好")]
    assert in_same_characters(segments) == segments


@given(st.lists(st.text(alphabet="你说說这這发發髮里裡ab ，", min_size=1), min_size=1, max_size=6))
def test_every_word_keeps_its_place(texts: list[str]) -> None:
    (segment,) = in_same_characters([heard(*texts)], "simplified")
    assert [len(word.text) for word in segment.words] == [len(text) for text in texts]
    assert all(simplified_character(c) == c for word in segment.words for c in word.text)
