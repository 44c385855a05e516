"""The cues of a file in two languages, each with both of its texts."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from yuki_builder.records import Cue
from yuki_builder.subtitles.bilingual import (
    Pair,
    Script,
    halves,
    is_lower_wanted,
    language_scores,
    may_split,
    part_rows,
    prevailing_pair,
    script_of,
    scripts_in,
    split_row,
    two_languages,
)
from yuki_builder.subtitles.labels import DASHES
from yuki_builder.subtitles.marks import join_rows
from yuki_builder.subtitles.parts import SpeakerLine
from yuki_builder.subtitles.reasons import LeftOut

_LATE_MS = 450  # between the starts of one line in two languages
_MIN_PAIRED = 0.65
_BLOCK_MS = 5_000  # back by so much, and the file begins anew


@dataclass(frozen=True, slots=True)
class Reading:
    """A cue, and the spoken lines that its text and its other language's text are made of.

    ``asides`` are the rows of its entry that nobody says, each with its reason.
    """

    cue: Cue
    lines: tuple[SpeakerLine, ...]
    secondary: tuple[SpeakerLine, ...] = ()
    asides: tuple[tuple[str, LeftOut], ...] = ()
    is_plain: bool = False  # rows without marks, as they came: of one speaker


def pair_languages(readings: Sequence[Reading], language: str | None) -> tuple[list[Reading], tuple[str, ...]]:
    """The readings with both languages of each cue in it, and the two where the file is written in two."""
    for way in (_pair_rows, _pair_lanes, _pair_halves_of_one_script):
        found = way(readings, language)
        if found is not None:
            return found
    return list(readings), ()


def _kept(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading.cue.left_out is None]


def _texts(reading: Reading) -> list[str]:
    return [line.text for line in reading.lines]


def _pair_rows(readings: Sequence[Reading], language: str | None) -> tuple[list[Reading], tuple[str, ...]] | None:
    """Cues whose rows, or the two ends of whose row, are in two scripts."""
    kept = _kept(readings)
    present = scripts_in([line.text for reading in kept for line in reading.lines])
    if len(present) < 2:
        return None
    row_pairs = [pair for pair in _ROW_PAIRS if present.issuperset(pair)]
    found = [_pair_in(reading, row_pairs) for reading in kept]
    pair = prevailing_pair(found)
    if pair is None or sum(p is not None for p in found) < 2:
        return None
    on_one_row = sum(p is not None and len(r.lines) == 1 for r, p in zip(kept, found, strict=True))
    splits_rows = on_one_row >= 0.2 * len(kept) or on_one_row >= 3
    with_rows = [p for r, p in zip(kept, found, strict=True) if len(r.lines) > 1]
    is_sure = 2 * sum(p is not None for p in with_rows) >= len(with_rows)
    if set(pair) == _JAPANESE and 2 * sum(p == pair for p in found) < len(with_rows):
        return None  # some rows of Japanese without kana are no Chinese
    pair_of = dict(zip((reading.cue.index for reading in kept), found, strict=True))
    paired = [
        reading
        if reading.cue.left_out is not None
        else _parted(reading, pair, language, own=pair_of[reading.cue.index], splits_rows=splits_rows, is_sure=is_sure)
        for reading in readings
    ]
    return paired, (pair[0].name.capitalize(), pair[1].name.capitalize())


def _pair_in(reading: Reading, row_pairs: Sequence[Pair]) -> Pair | None:
    """The scripts of the upper and lower rows of a cue, or of the ends of its row where they are one of these pairs."""
    texts = _texts(reading)
    if all(map(str.isascii, texts)):
        return None
    if found := halves(texts):
        return None if set(found[1]) == _JAPANESE and _are_two_speakers(reading) else found[1]
    if len(texts) != 1 or not may_split(texts[0]):
        return None
    for pair in row_pairs:
        if (split := split_row(texts[0], pair)) and _is_clause(
            split[pair.index(Script.LATIN)] if Script.LATIN in pair else ""
        ):
            return pair if texts[0].startswith(split[0]) else (pair[1], pair[0])
    return None


_JAPANESE = {Script.HAN, Script.KANA}


def _are_two_speakers(reading: Reading) -> bool:
    """Whether the rows of a cue are marked as two speakers': `- ねえ` over `- 何？` is no Chinese."""
    first, *others = reading.lines
    is_named = any(line.tags != first.tags or line.is_new for line in others)
    return is_named or (len(others) == 1 and all(line.text.lstrip()[:1] in DASHES for line in reading.lines))


def _is_clause(words: str) -> bool:
    """Whether Latin letters on a row of another script are more than a word or a name in it."""
    return not words or len(words.split()) > 1 or words[-1] in ".!?…"


_ROW_PAIRS: tuple[Pair, ...] = (
    (Script.LATIN, Script.HAN),
    (Script.LATIN, Script.KANA),
    (Script.LATIN, Script.HANGUL),
    (Script.LATIN, Script.CYRILLIC),
    (Script.HAN, Script.KANA),
    (Script.HAN, Script.HANGUL),
)


def _parted(
    reading: Reading, pair: Pair, language: str | None, *, own: Pair | None, splits_rows: bool, is_sure: bool
) -> Reading:
    """``own``: the pair of this cue; ``is_sure``: most are in two languages, so one that could be in either is too."""
    texts = _texts(reading)
    if not is_sure and own is None:
        return reading
    if len(texts) == 2 and own == pair:
        return _in_order(reading, (reading.lines[:1], reading.lines[1:]), is_lower_wanted(pair, language))
    for one, other in ((pair, False), ((pair[1], pair[0]), True)):
        cut = part_rows(texts, one)
        if cut is not None:
            upper, lower = reading.lines[:cut], reading.lines[cut:]
            return _in_order(reading, (lower, upper) if other else (upper, lower), is_lower_wanted(pair, language))
    middle = len(texts) // 2
    if len(texts) > 1 and texts[:middle] == texts[middle:]:  # `OK` over `OK`
        return _in_order(reading, (reading.lines[:middle], reading.lines[middle:]), is_lower_wanted(pair, language))
    if splits_rows and len(texts) == 1 and (split := split_row(texts[0], pair)):
        line = reading.lines[0]
        return _in_order(
            reading, ((replace(line, text=split[0]),), (replace(line, text=split[1]),)), is_lower_wanted(pair, language)
        )
    return reading


def _in_order(
    reading: Reading, halves_of_cue: tuple[tuple[SpeakerLine, ...], tuple[SpeakerLine, ...]], is_lower: bool
) -> Reading:
    """A reading in two languages with the wanted one first, and both texts in its cue."""
    lines, secondary = halves_of_cue[::-1] if is_lower else halves_of_cue
    tags = {line.tags for line in secondary if line.tags}
    if len(tags) == 1 and not any(line.tags for line in lines):
        lines = (replace(lines[0], tags=next(iter(tags))), *lines[1:])
    own = {tag for line in lines for tag in line.tags}
    other = {tag for line in secondary for tag in line.tags} - own  # the same name, as the other language writes it
    kept = tuple(tag for tag in reading.cue.tags if tag not in other) if own and other else reading.cue.tags
    cue = replace(reading.cue, text=_joined(lines), text_secondary=_joined(secondary), tags=kept)
    is_plain = reading.is_plain and len(lines) + len(secondary) == len(reading.lines)
    return Reading(cue, lines, secondary, reading.asides, is_plain)


def _joined(lines: Sequence[SpeakerLine]) -> str:
    return join_rows([line.text for line in lines])


# --- two styles, two blocks, or two cues at one time ------------------------------------------------------------


def _pair_lanes(readings: Sequence[Reading], language: str | None) -> tuple[list[Reading], tuple[str, ...]] | None:
    """Two runs of cues in parallel, each in a language of its own: the first gets the texts of the second."""
    kept = _kept(readings)
    if len(kept) < 2:
        return None
    blocks = _blocks(kept)
    lanes_of: list[Callable[[Reading], object]] = [lambda r: r.cue.style, lambda r: blocks[r.cue.index]]
    lanes_of.append(lambda r: script_of(r.cue.text, is_sure=False))
    for lane_of in lanes_of:
        lanes: dict[object, list[Reading]] = defaultdict(list)
        for reading in kept:
            lanes[lane_of(reading)].append(reading)
        big = sorted(lanes.values(), key=len, reverse=True)[:5]
        for one, other in combinations(big, 2):
            first, second = sorted((one, other), key=lambda lane: lane[0].cue.index)
            found = _in_parallel(first, second, language, kept=kept)
            if found is not None:
                changed, names = found
                return [changed.get(reading.cue.index, reading) for reading in readings], names
    return None


def _blocks(kept: Sequence[Reading]) -> dict[int, int]:
    """The number of the block that each cue is in: a new one begins where the times go back far."""
    blocks: dict[int, int] = {}
    block, latest = 0, 0
    longest = max(reading.cue.end_ms for reading in kept)
    for reading in kept:
        if reading.cue.start_ms < latest - max(1, min(_BLOCK_MS, longest // 2)):
            block, latest = block + 1, 0
        latest = max(latest, reading.cue.start_ms)
        blocks[reading.cue.index] = block
    return blocks


def _in_parallel(
    first: Sequence[Reading], second: Sequence[Reading], language: str | None, *, kept: Sequence[Reading]
) -> tuple[dict[int, Reading], tuple[str, ...]] | None:
    names = _languages_of(first, second)
    if names is None:
        return None
    partner = _partners(first, second)
    has_text = set(partner.values())
    is_lone = len(partner) + len(has_text) < 0.3 * len(kept)
    if is_lone or len(partner) < _MIN_PAIRED * len(second) or len(has_text) < 0.4 * len(first):
        return None
    joined: dict[int, list[Reading]] = defaultdict(list)
    changed: dict[int, Reading] = {}
    for j, k in partner.items():
        joined[k].append(second[j])
        changed[second[j].cue.index] = replace(second[j], cue=replace(second[j].cue, left_out=LeftOut.SECOND_LANGUAGE))
    is_lower = _wants_second(names, first, second, language)
    for k, others in joined.items():
        reading = first[k]
        tags = tuple(dict.fromkeys((*reading.cue.tags, *(tag for other in others for tag in other.cue.tags))))
        sounds = (*reading.cue.sounds, *(sound for other in others for sound in other.cue.sounds))
        reading = replace(reading, cue=replace(reading.cue, tags=tags, sounds=sounds))
        lower = tuple(line for other in others for line in other.lines)
        changed[reading.cue.index] = _in_order(reading, (reading.lines, lower), is_lower)
    return changed, names


def _languages_of(first: Sequence[Reading], second: Sequence[Reading]) -> tuple[str, str] | None:
    """What the two lanes are written in, where it is not the same."""
    one, other = (join_rows([r.cue.text for r in lane[:400]]) for lane in (first, second))
    scripts = script_of(one[:4000], is_sure=False), script_of(other[:4000], is_sure=False)
    if None in scripts:
        return None
    if scripts[0] is not scripts[1]:
        return str(scripts[0].name).capitalize(), str(scripts[1].name).capitalize()  # type: ignore[union-attr]
    if first[0].cue.style == second[0].cue.style and abs(len(first) - len(second)) > 0.5 * len(first):
        return None
    return two_languages(one, other)


def _wants_second(
    names: tuple[str, str], first: Sequence[Reading], second: Sequence[Reading], language: str | None
) -> bool:
    if language is None:
        return False
    if names[0].casefold() in {script.name.casefold() for script in Script}:
        scripts = Script[names[0].upper()], Script[names[1].upper()]
        return is_lower_wanted(scripts, language)
    return names[1] == language and names[0] != language


def _partners(first: Sequence[Reading], second: Sequence[Reading]) -> dict[int, int]:
    """For each cue of the second lane the one of the first that it says in its language: of its time, mostly."""
    order = sorted(range(len(first)), key=lambda k: first[k].cue.start_ms)
    starts = [first[k].cue.start_ms for k in order]
    partner: dict[int, int] = {}
    for j, reading in enumerate(second):
        cue = reading.cue
        at = bisect_left(starts, cue.start_ms)
        best, most = None, 0.0
        for k in order[max(0, at - 3) : at + 3]:
            other = first[k].cue
            shared = min(cue.end_ms, other.end_ms) - max(cue.start_ms, other.start_ms)
            share = shared / max(1, min(cue.end_ms - cue.start_ms, other.end_ms - other.start_ms))
            is_together = abs(cue.start_ms - other.start_ms) <= _LATE_MS or cue.start_ms > other.start_ms
            if share > most and share >= 0.5 and is_together:
                best, most = k, share
        if best is not None:
            partner[j] = best
    return partner


# --- two languages of one script --------------------------------------------------------------------------------


def _pair_halves_of_one_script(
    readings: Sequence[Reading], language: str | None
) -> tuple[list[Reading], tuple[str, ...]] | None:
    """Cues whose upper rows are in one language and whose lower rows are in another of the same script."""
    kept = _kept(readings)
    cut = {r.cue.index: rows for r in kept if (rows := _equal_halves(r))}
    if len(cut) < 3 or len(cut) < 0.6 * len(kept):
        return None
    upper = " ".join(_joined(rows[0]) for rows in cut.values())
    lower = " ".join(_joined(rows[1]) for rows in cut.values())
    names = two_languages(upper, lower)
    if names is None or not _halves_differ(list(cut.values()), names):
        return None
    is_lower = language == names[1]
    paired = []
    for reading in readings:
        rows = cut.get(reading.cue.index) or (
            _best_cut(reading, names) if reading.cue.left_out is None and len(reading.lines) > 1 else None
        )
        paired.append(_in_order(reading, rows, is_lower) if rows else reading)
    return paired, names


_Rows = tuple[tuple[SpeakerLine, ...], tuple[SpeakerLine, ...]]


def _equal_halves(reading: Reading) -> _Rows | None:
    lines = reading.lines
    if len(lines) == 1:
        text = lines[0].text.replace("｜", "|")
        pieces = [piece.strip() for piece in text.split("|") if piece.strip()] if "|" in text else ()
        if len(pieces) == 2:
            return (replace(lines[0], text=pieces[0]),), (replace(lines[0], text=pieces[1]),)
    if not lines or len(lines) % 2:
        return None
    middle = len(lines) // 2
    return lines[:middle], lines[middle:]


def _halves_differ(rows: Sequence[_Rows], names: tuple[str, str]) -> bool:
    """Whether cue by cue, where it can be told, the upper rows fit the first language better than the lower ones do."""
    votes: Counter[bool] = Counter()
    for upper, lower in rows[:200]:
        scores = language_scores(_joined(upper)), language_scores(_joined(lower))
        if scores[0] and scores[1]:
            first, second = (s[names[0]] - s[names[1]] for s in scores)
            votes[first > second] += 1
    return votes[True] >= 0.7 * votes.total()


def _best_cut(reading: Reading, names: tuple[str, str]) -> _Rows | None:
    """Where a cue of three or five rows parts."""
    lines = reading.lines
    best, most = None, float("-inf")
    for k in range(1, len(lines)):
        scores = language_scores(_joined(lines[:k])), language_scores(_joined(lines[k:]))
        fit = sum(s[names[j]] - s[names[1 - j]] for j, s in enumerate(scores) if s)
        if fit > most:
            best, most = k, fit
    return None if best is None else (lines[:best], lines[best:])
