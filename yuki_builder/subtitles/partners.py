"""Names from subtitles for the hard of hearing, words from the plain ones, where the two agree in time."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from yuki_builder.records import Cue, NameTag

_NEAR_MS = 500
_LEAST_AGREEING = 0.6  # share of the plain cues that have a partner; below it the two are of different cuts
_LEAST_COMMON = 0.3  # share of words that partners have in common
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Named:
    """The plain cues with names of the other file, and how many cues got one."""

    cues: tuple[Cue, ...]
    count: int


def take_names(plain: Sequence[Cue], rich: Sequence[Cue]) -> Named | None:
    """The plain cues, those that name nobody with the name that the other file gives for the same words then.

    Args:
        plain: the cues whose text is kept.
        rich: the cues of a file of the same language that names speakers.

    Returns:
        None where the files do not agree in time, or the other one names nobody.
    """
    others = sorted((cue for cue in rich if cue.left_out is None), key=lambda cue: cue.start_ms)
    starts = [cue.start_ms for cue in others]
    spoken = [cue for cue in plain if cue.left_out is None]
    if not spoken or not any(cue.tags for cue in others):
        return None
    partners = {cue.cue_id: _partner(cue, others, starts) for cue in spoken}
    agreeing = sum(partner is not None for partner in partners.values())
    if agreeing < _LEAST_AGREEING * len(spoken):
        return None
    cues, count = [], 0
    for cue in plain:
        partner = partners.get(cue.cue_id)
        if cue.left_out is None and not cue.tags and partner is not None and len(partner.tags) == 1:
            cues.append(replace(cue, tags=(NameTag(partner.tags[0].name, "sdh"),)))
            count += 1
        else:
            cues.append(cue)
    return Named(tuple(cues), count) if count else None


def _partner(cue: Cue, others: Sequence[Cue], starts: Sequence[int]) -> Cue | None:
    """The cue of the other file that says the same at the same time, the one with most words in common."""
    first = bisect.bisect_left(starts, cue.start_ms - _NEAR_MS)
    last = bisect.bisect_right(starts, cue.start_ms + _NEAR_MS, lo=first)
    words = _words(cue.text)
    best = max(
        (
            (_common(words, _words(other.text)), -abs(other.start_ms - cue.start_ms), other)
            for other in others[first:last]
        ),
        key=lambda found: found[:2],
        default=None,
    )
    return best[2] if best is not None and best[0] >= _LEAST_COMMON else None


def _common(one: frozenset[str], other: frozenset[str]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else float(one == other)


def _words(text: str) -> frozenset[str]:
    folded = text.casefold()
    # Scripts without spaces are compared by characters.
    return frozenset(folded if not folded.isascii() and " " not in folded.strip() else _WORD.findall(folded))
