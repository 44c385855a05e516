"""Chinese that was heard, written in one way: recognisers mix simplified and traditional characters, and punctuation.

All of it is pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from yuki_builder.chinese import in_characters, usual_characters
from yuki_builder.records import HeardSegment, Word

_CHINESE = frozenset({"zh", "yue"})
_WIDE = str.maketrans(",?!:;.", "，？！：；。")
_NARROW_MARK = re.compile("(?<=[\u3400-\u9fff”》）])[,?!:;.](?![a-zA-Z0-9.])")


def in_same_characters(segments: Iterable[HeardSegment], asked: str | None = None) -> list[HeardSegment]:
    """The segments, those in Chinese in ``asked`` characters, or in those that most of them are in.

    Their punctuation becomes that of Chinese: ``，`` for a comma behind a Chinese character.

    Args:
        segments: what was heard.
        asked: ``simplified`` or ``traditional``.
    """
    segments = list(segments)
    to = asked or usual_characters(segment.text for segment in segments if segment.language in _CHINESE)
    return [
        replace(segment, words=_converted(segment.words, to)) if segment.language in _CHINESE else segment
        for segment in segments
    ]


def _converted(words: tuple[Word, ...], to: str | None) -> tuple[Word, ...]:
    """The words of a segment, converted together: which of 發 and 髮 stands for 发 is told by what is around it."""
    whole = "".join(word.text for word in words)
    text = whole if to is None else in_characters(whole, to)
    if len(text) != len(whole):
        return tuple(word for own in words for word in _converted((own,), to)) if len(words) > 1 else words
    text = _NARROW_MARK.sub(lambda mark: mark[0].translate(_WIDE), text)
    converted, at = [], 0
    for word in words:
        converted.append(replace(word, text=text[at : at + len(word.text)]))
        at += len(word.text)
    return tuple(converted)
