"""Who speaks how much: the statistics that the report and the notebook show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from yuki_builder.records import Record

# Chinese and Japanese put no spaces between words, so that each of their characters counts as one.
_CJK = "\u3005\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])\w)+(?:['’](?:(?![{_CJK}])\w)+)*")


@dataclass(frozen=True, slots=True)
class CharacterStatistics(Record):
    """Of one character; ``character`` None: of the lines whose speaker is unknown."""

    character: str | None
    lines: int
    duration_ms: int
    words: int
    mean_confidence: float


def count_words(text: str) -> int:
    """Words of a text; each Han character and kana counts as one, numbers count, punctuation does not."""
    return sum(1 for _ in _WORD.finditer(text))


def character_statistics(lines: Iterable[tuple[str | None, int, str, float]]) -> list[CharacterStatistics]:
    """Statistics by character, who speaks longest first, unknown last.

    Args:
        lines: (character, duration in ms, text, confidence) of each line.
    """
    sums: dict[str | None, list[float]] = {}
    for character, duration_ms, text, confidence in lines:
        total = sums.setdefault(character, [0, 0, 0, 0.0])
        total[0] += 1
        total[1] += duration_ms
        total[2] += count_words(text)
        total[3] += confidence
    statistics = [
        CharacterStatistics(character, int(count), int(duration), int(words), confidence / count)
        for character, (count, duration, words, confidence) in sums.items()
    ]
    return sorted(statistics, key=lambda f: (f.character is None, -f.duration_ms, f.character or ""))
