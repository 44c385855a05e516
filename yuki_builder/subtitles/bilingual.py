"""Cues in two languages: told by script, and only where the file is written that way throughout.

Only the clear cases are taken: Chinese characters against kana or hangul, any of these against Latin letters.
A Japanese line that happens to hold no kana looks Chinese, so a pair counts only if a good part of the file's
cues are pairs of the same two scripts.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

_MIN_SHARE = 0.3


class Script(enum.Enum):
    """What a line is written in."""

    HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
    KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
    HANGUL = re.compile("[\uac00-\ud7a3]")
    LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")  # counted by the word, as the others by the syllable


Pair = tuple[Script, Script]


def script_of(line: str) -> Script | None:
    """The script of a line, or None where none is clear. Chinese characters among kana are Japanese."""
    counts = {script: len(script.value.findall(line)) for script in Script}
    if counts[Script.KANA] >= 2 and 6 * counts[Script.KANA] >= counts[Script.HAN]:
        counts[Script.KANA] += counts.pop(Script.HAN)
    script = max(counts, key=counts.__getitem__)
    total = sum(counts.values())
    return script if counts[script] >= 2 and 10 * counts[script] >= 7 * total else None


def halves(lines: Sequence[str]) -> tuple[int, Pair] | None:
    """How many upper lines of a cue are in one script while the lower ones are in another, and the two, or None."""
    groups = [(script, len(list(group))) for script, group in groupby(lines, key=script_of)]
    if len(groups) != 2:
        return None
    (upper_script, upper), (lower_script, _) = groups
    if upper_script is None or lower_script is None:
        return None
    return upper, (upper_script, lower_script)


_SCRIPT_OF_LANGUAGE = {
    "zh": Script.HAN,
    "ja": Script.KANA,
    "ko": Script.HANGUL,
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
    counts = Counter(pairs)
    total = counts.total()
    counts.pop(None, None)
    if not counts:
        return None
    pair, count = counts.most_common(1)[0]
    return pair if count >= _MIN_SHARE * total else None
