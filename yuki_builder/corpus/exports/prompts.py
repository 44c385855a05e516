"""The few sentences that the exports add to the lines, in the language of the lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Prompts:
    """Templates with ``{character}``."""

    system: str
    opening: str


PROMPTS: Final = {
    "zh": Prompts(
        system="请你扮演{character}。始终以{character}的身份说话，语气、用词和态度都与原作台词保持一致，不要跳出角色。",
        opening="（新的一幕开始了，{character}先开口。）",
    ),
    "ja": Prompts(
        system="あなたは{character}です。原作の台詞と同じ口調、言葉づかい、態度で話し、{character}として振る舞い続けてください。",
        opening="（新しい場面。{character}が最初に口を開く。）",
    ),
    "en": Prompts(
        system=(
            "You are {character}. Speak as {character} would: keep the tone, the choice of words and the attitude "
            "of the original dialogue, and stay in character."
        ),
        opening="(A new scene begins. {character} speaks first.)",
    ),
}


@dataclass(frozen=True, slots=True)
class Scripts:
    """How many characters of texts are of which script; ``total`` counts all characters. Counts add up."""

    total: int = 0
    kana: int = 0
    han: int = 0
    hangul: int = 0

    @classmethod
    def of(cls, texts: Iterable[str]) -> Scripts:
        whole = "".join(texts)
        if whole.isascii():
            return cls(len(whole))
        return cls(len(whole), *(len(pattern.findall(whole)) for pattern in (_KANA, _HAN, _HANGUL)))

    def __add__(self, other: Scripts) -> Scripts:
        return Scripts(
            self.total + other.total, self.kana + other.kana, self.han + other.han, self.hangul + other.hangul
        )

    @property
    def language(self) -> str:
        """``zh``, ``ja``, ``ko`` or ``en`` by the script; Latin letters pass for English."""
        if not self.total or 10 * (self.kana + self.han + self.hangul) < self.total:
            return "en"
        if self.hangul > self.kana + self.han:
            return "ko"
        return "ja" if 10 * self.kana >= self.kana + self.han else "zh"

    @property
    def prompts(self) -> Prompts:
        """The prompts in the language that the texts are written in: Japanese, Chinese, else English.

        Kana decide for Japanese where at least a tenth of the Han and kana are kana (names and signs bring a few into
        Chinese subtitles); a text counts as neither where Han and kana are less than a tenth of its characters.
        """
        return PROMPTS.get(self.language, PROMPTS["en"])


def prompts_for(texts: Iterable[str]) -> Prompts:
    """The prompts in the language that the texts are written in."""
    return Scripts.of(texts).prompts


def language_of(texts: Iterable[str]) -> str:
    """``zh``, ``ja``, ``ko`` or ``en`` by the script that texts are written in; Latin letters pass for English."""
    return Scripts.of(texts).language


def line_language(text: str, *, usual: str) -> str | None:
    """The language of one line; None where its letters are of no script that tells one of ``language_of``'s.

    Args:
        text: of the line. Kana tell Japanese and hangul Korean; Han alone may be either, and a line without letters
            any, so that both are of the ``usual`` language where that can be; Latin letters pass for English.
        usual: the language of the lines around it.
    """
    found = language_of([text])
    if found == "zh":
        return "ja" if usual == "ja" else "zh"
    if found != "en":
        return found
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return usual
    return "en" if any(unicodedata.name(c, "").startswith(("LATIN", "FULLWIDTH LATIN")) for c in letters) else None


def fill(template: str, character: str) -> str:
    """The template with the character's name in it; braces in the name stay as they are."""
    return template.replace("{character}", character)
