"""Chinese that was heard, in one kind of characters: recognisers write either, also within a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from yuki_builder.chinese import in_characters, usual_characters
from yuki_builder.records import HeardSegment, Word

_CHINESE = frozenset({"zh", "yue"})


def in_same_characters(segments: Iterable[HeardSegment], asked: str | None = None) -> list[HeardSegment]:
    """The segments, those in Chinese in ``asked`` characters, or in those that most of them are in.

    Args:
        segments: what was heard.
        asked: ``simplified`` or ``traditional``.
    """
    segments = list(segments)
    to = asked or usual_characters(segment.text for segment in segments if segment.language in _CHINESE)
    if to is None:
        return segments
    return [
        replace(segment, words=_converted(segment.words, to)) if segment.language in _CHINESE else segment
        for segment in segments
    ]


def _converted(words: tuple[Word, ...], to: str) -> tuple[Word, ...]:
    """The words of a segment, converted together: which of 發 and 髮 stands for 发 is told by what is around it."""
    whole = "".join(word.text for word in words)
    text = in_characters(whole, to)
    if len(text) != len(whole):
        return tuple(replace(word, text=in_characters(word.text, to)) for word in words)
    converted, at = [], 0
    for word in words:
        converted.append(replace(word, text=text[at : at + len(word.text)]))
        at += len(word.text)
    return tuple(converted)
