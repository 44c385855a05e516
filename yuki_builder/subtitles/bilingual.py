"""Cues in two languages: which pair a file is written in, and where each cue parts.

The pair is judged over the whole file: rows of two scripts, two scripts on one row, two styles or two blocks that run
in parallel, or rows whose upper and lower halves are two languages of one script. Once it is known, every cue is
parted, also one of a single word, and Japanese without kana.
"""

from __future__ import annotations

import enum
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

_MIN_SHARE = 0.3


class Script(enum.Enum):
    """What a line is written in."""

    HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
    KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
    HANGUL = re.compile("[\uac00-\ud7a3]")
    THAI = re.compile("[\u0e01-\u0e2e]")
    LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")  # counted by the word, as the others by the syllable
    CYRILLIC = re.compile(r"[\u0400-\u052f]+")
    GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]+")
    ARABIC = re.compile(r"[\u0600-\u06ff]+")
    HEBREW = re.compile(r"[\u0590-\u05ff]+")
    DEVANAGARI = re.compile(r"[\u0900-\u097f]+")


Pair = tuple[Script, Script]
_ASIAN = (Script.HAN, Script.KANA, Script.HANGUL)
_TWO_WORDS = re.compile("[A-Za-z][^A-Za-z]+[A-Za-z]")
_HAS_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")


def script_of(line: str, *, is_sure: bool = True) -> Script | None:
    """The script of a line, or None where none is clear. Chinese characters among kana are Japanese.

    ``is_sure``: one word, or one character of those that are counted singly, is too little.
    """
    if line.isascii():
        return Script.LATIN if (_TWO_WORDS if is_sure else _HAS_LATIN).search(line) else None
    return _script_of(line, 2 if is_sure else 1)


class _Codes(dict[int, str]):
    """The script of a character, by its number: a letter for each, in their order; a space where it is of none."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        known = (chr(ord("a") + k) for k, script in enumerate(Script) if script.value.match(character))
        code = self[number] = next(known, " ")
        return code


_CODES = _Codes()
_SCRIPT_OF_CODE = {chr(ord("a") + k): script for k, script in enumerate(Script)}
_BY_CHARACTER = tuple(code for code, script in _SCRIPT_OF_CODE.items() if not script.value.pattern.endswith("+"))
_HAN, _KANA = (next(code for code, known in _SCRIPT_OF_CODE.items() if known is s) for s in (Script.HAN, Script.KANA))


@functools.lru_cache(maxsize=1 << 13)
def _script_of(line: str, least: int) -> Script | None:
    codes = line.translate(_CODES)
    words = "".join(code for code, _ in groupby(codes))
    counts = {code: (codes if code in _BY_CHARACTER else words).count(code) for code in set(words) if code != " "}
    if not counts:
        return None
    if (kana := counts.get(_KANA, 0)) >= least and 6 * kana >= counts.get(_HAN, 0):
        counts[_KANA] = kana + counts.pop(_HAN, 0)
    most = max(counts.values())
    code = min(code for code, count in counts.items() if count == most)
    return _SCRIPT_OF_CODE[code] if most >= least and 10 * most >= 7 * sum(counts.values()) else None


def scripts_in(texts: Sequence[str]) -> set[Script]:
    """The scripts of which there is a letter in one of the texts at least."""
    whole = "\n".join(texts)
    return {script for script in Script if script.value.search(whole)}


_SYLLABLE = r"(?:[kgszjtdnhbpmr]?y?|ch|sh|ts|f|w|v|kk?y?|tt?|ss?h?|pp?y?|cch|tch)(?:[aiueoāūōēīâûôêî]{1,2})n?'?"
_ROMAJI = re.compile(rf"(?:n|{_SYLLABLE}){{1,12}}")
_NOT_JAPANESE = re.compile(r"[lqx]|th|ph|ck|wh|[aeiou]{4}|sp|st|gr|tr|br|dr|pl|cl")


def is_romaji(line: str) -> bool:
    """Whether Latin letters are Japanese: (nearly) every word is made of its syllables, several words at least."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", line.casefold())
    if sum(map(len, words)) < 4:
        return False
    others = 0
    for word in words:
        if _ROMAJI.fullmatch(word) is None or _NOT_JAPANESE.search(word):
            others += 1
            if 100 * others > 15 * len(words):
                return False
    return True


def halves(lines: Sequence[str]) -> tuple[int, Pair] | None:
    """How many upper lines of a cue are in one script while the lower ones are in another, and the two, or None."""
    groups = [(script, len(list(group))) for script, group in groupby(lines, key=lambda s: script_of(s, is_sure=False))]
    if len(groups) != 2:
        return None
    (upper_script, upper), (lower_script, _) = groups
    if upper_script is None or lower_script is None:
        return None
    return upper, (upper_script, lower_script)


def part_rows(lines: Sequence[str], pair: Pair) -> int | None:
    """How many upper rows of a cue are in the first language of the file's pair, where the others are in the second."""
    fits = [_fits(line, pair) for line in lines]
    cuts = [k for k in range(1, len(lines)) if all(f[0] for f in fits[:k]) and all(f[1] for f in fits[k:])]
    return min(cuts, key=lambda k: abs(2 * k - len(lines))) if cuts else None


def _fits(line: str, pair: Pair) -> tuple[bool, bool]:
    """Whether a row may be of the first and of the second language; one of signs and digits may be of both."""
    script = script_of(line, is_sure=False)
    if script is None:
        has = [wanted.value.search(line) is not None for wanted in pair]
        return (has[0], has[1]) if any(has) else (True, True)
    return _is_of(script, line, pair[0]), _is_of(script, line, pair[1])


def _is_of(script: Script, line: str, wanted: Script) -> bool:
    if script is wanted:
        return True
    if {script, wanted} != {Script.HAN, Script.KANA}:
        return False
    return script is Script.HAN  # Japanese without kana


_SEPARATOR = re.compile(r"\s*[|｜/／]\s*|\s+|(?<=[.!?…])(?=[\u3040-\uffef])|(?<=[。！？])(?=[A-Za-z])")


def may_split(text: str) -> bool:
    """Whether there is any place where two languages of one row could part."""
    return not text.isascii() and _SEPARATOR.search(text) is not None


def split_row(text: str, pair: Pair) -> tuple[str, str] | None:
    """The two languages of one row (`Up here. 在上面`, `Come down.｜下来`), in the order of the pair, or None.

    The scripts have to change once, at a space or a separator.
    """
    first, second = pair
    if text.isascii() or first.value.search(text) is None or second.value.search(text) is None:
        return None
    if first not in _ASIAN and second not in _ASIAN and first is not Script.CYRILLIC and second is not Script.CYRILLIC:
        return None
    for separator in _SEPARATOR.finditer(text):
        left, right = text[: separator.start()], text[separator.end() :]
        if not left or not right:
            continue
        for one, other, swapped in ((first, second, False), (second, first, True)):
            if _is_only(left, one, not_in=other) and _is_only(right, other, not_in=one):
                return (right, left) if swapped else (left, right)
    return None


def _is_only(text: str, script: Script, *, not_in: Script) -> bool:
    if script_of(text, is_sure=False) is not script:
        return False
    return not not_in.value.search(text) or (not_in is Script.HAN and script is Script.KANA)


_SCRIPT_OF_LANGUAGE = {
    **{"zh": Script.HAN, "ja": Script.KANA, "ko": Script.HANGUL, "th": Script.THAI, "el": Script.GREEK},
    **dict.fromkeys(("ru", "uk", "bg", "sr", "mk", "be"), Script.CYRILLIC),
    **dict.fromkeys(("ar", "fa", "ur"), Script.ARABIC),
    **{"he": Script.HEBREW, "hi": Script.DEVANAGARI},
}


def is_lower_wanted(pair: Pair, language: str | None) -> bool:
    """Whether the second of two languages is the one that is wanted (``zh``, ``ja``, ``ko``; others: Latin letters)."""
    if language is None:
        return False
    script = _SCRIPT_OF_LANGUAGE.get(language, Script.LATIN)
    return pair[1] is script and pair[0] is not script


def prevailing_pair(pairs: Iterable[Pair | None]) -> Pair | None:
    """The pair of scripts in which the file is written: that of at least three cues in ten, else None.

    Args:
        pairs: for each spoken cue of the file (or each moment, where a cue per language is shown), its pair.
    """
    every = list(pairs)
    total = len(every)
    counts = Counter(pair for pair in every if pair is not None)
    if not counts:
        return None
    pair, count = counts.most_common(1)[0]
    both = count + counts[pair[1], pair[0]]
    return pair if both >= _MIN_SHARE * total else None


_LATIN_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "no",
    "fi",
    "pl",
    "cs",
    "hu",
    "tr",
    "ro",
    "hr",
    "vi",
    "id",
    "sk",
    "ca",
)
_CYRILLIC_LANGUAGES = ("ru", "uk", "bg", "sr")
_MIN_LETTERS, _MIN_MARGIN = 16, 6.0


@functools.cache
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier


def language_scores(text: str) -> dict[str, float]:
    """Log-likelihoods of the languages that a text of one script may be in (py3langid); empty where it is too short."""
    script = script_of(text)
    letters = sum(c.isalpha() for c in text)
    if letters < _MIN_LETTERS or script not in (Script.LATIN, Script.CYRILLIC):
        return {}
    languages = _LATIN_LANGUAGES if script is Script.LATIN else _CYRILLIC_LANGUAGES
    return {code: float(score) for code, score in _identifier(languages).rank(text[:20_000].lower())}


def two_languages(upper: str, lower: str) -> tuple[str, str] | None:
    """The languages of two texts in one script, where they are clearly two."""
    first, second = language_scores(upper), language_scores(lower)
    if not first or not second or first.keys() != second.keys():
        return None
    one, other = max(first, key=first.__getitem__), max(second, key=second.__getitem__)
    is_clear = first[one] - first[other] > _MIN_MARGIN and second[other] - second[one] > _MIN_MARGIN
    return (one, other) if is_clear else None
