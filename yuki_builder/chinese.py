"""Chinese in simplified and in traditional characters, by OpenCC's tables (BYVoid; in Python by Hsuan-Hau Chuang)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

_TABLES = {"simplified": "t2s", "traditional": "s2t"}


def in_characters(text: str, to: str) -> str:
    """The text in ``simplified`` or ``traditional`` characters; what is neither stays as it is."""
    return text if text.isascii() else _converter(to)(text)


@functools.lru_cache(maxsize=1 << 14)
def simplified_character(character: str) -> str:
    """A character alone, so that texts which differ by the kind of their characters only become equal."""
    return in_characters(character, "simplified")


def usual_characters(texts: Iterable[str]) -> str | None:
    """Which of the two most texts are in, by the characters that tell; None where none does."""
    counts: dict[str, int] = {"simplified": 0, "traditional": 0}
    for text in texts:
        for character in text:
            if simplified_character(character) != character:
                counts["traditional"] += 1
            elif _traditional_character(character) != character:
                counts["simplified"] += 1
    return max(counts, key=lambda kind: counts[kind]) if any(counts.values()) else None


@functools.lru_cache(maxsize=1 << 14)
def _traditional_character(character: str) -> str:
    return in_characters(character, "traditional")


@functools.cache
def _converter(to: str) -> Callable[[str], str]:
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC(_TABLES[to]).convert
    return convert
