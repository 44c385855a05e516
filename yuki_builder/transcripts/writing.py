"""What the letters of a transcript are: spaces between words, where sentences end, how wide a text is. All pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Written without spaces: Han characters, kana, and their punctuation; Thai, Lao, Khmer and Burmese.
_UNSPACED = re.compile(
    "[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
SENTENCE_END = frozenset(".?!…。？！｡؟।")
CLAUSE_END = frozenset(",;:、，；：､—")
_CLOSING = "\"'”’»）)]」』】》›"
# A full stop behind these ends no sentence.
_ABBREVIATIONS = re.compile(
    r"(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|e\.g|i\.e|nr|z\.b|d\.h|bzw|usw|hr|fr|mme|mlle|sra|gen|col|lt|sgt|capt)\.",
    re.IGNORECASE,
)


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return bool(_UNSPACED.match(character))


def join_words(texts: Iterable[str]) -> str:
    """Words as one text: their own spaces where they bring any, else one between words that are written apart."""
    texts = list(texts)
    has_spaces = any(text[:1].isspace() or text[-1:].isspace() for text in texts)
    if has_spaces:
        return " ".join("".join(texts).split())
    joined = ""
    for text in texts:
        apart = joined and text and not (is_unspaced(joined[-1]) and is_unspaced(text[0]))
        joined += f" {text}" if apart else text
    return joined.strip()


def ends_sentence(text: str) -> bool:
    """Whether a word is the last of a sentence."""
    bare = text.strip().rstrip(_CLOSING)
    if not bare or bare[-1] not in SENTENCE_END:
        return False
    return not _ABBREVIATIONS.fullmatch(bare)


def asks_question(text: str) -> bool:
    """Whether a word ends a question."""
    return text.strip().rstrip(_CLOSING)[-1:] in ("?", "？", "؟")


def ends_clause(text: str) -> bool:
    """Whether a word is followed by a comma or the like."""
    bare = text.strip().rstrip(_CLOSING)
    return bool(bare) and bare[-1] in CLAUSE_END


def width(text: str) -> int:
    """How much room a text takes: 2 for a wide character, 1 for others."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
