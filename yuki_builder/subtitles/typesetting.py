"""What the styles, places and actor fields of an ASS file say: signs, songs, and who speaks.

All of it is judged over the whole file. A line that is put somewhere is a sign where the rest of its style is too, or
where it is drawn as signs are; a spoken line that is only moved out of the way stays. Lines in three styles at one
time, and romaji beside kanji, are a song. An actor field that stands on signs alone names nobody. Where nothing is in
the actor fields but each person has a style, the style names them.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from yuki_builder.subtitles.bilingual import Script, is_romaji, script_of
from yuki_builder.subtitles.drafts import Draft
from yuki_builder.subtitles.labels import Kind, is_group, read_inside
from yuki_builder.subtitles.reasons import LeftOut
from yuki_builder.subtitles.styles import AMBIGUOUS_STYLES, style_reason
from yuki_builder.subtitles.vocabulary import ACTOR_NOTES, GENERIC_STYLES, NOTE_ACTORS, SIGN_ACTORS

_SENTENCE_END = re.compile(r"[.!?…。！？,、，―—–~～♪»”\"」』)）-]\s*$")
_TOGETHER_MS = 120
_SHORT_MS = 400  # what lasts less is a frame of an animation
_NO_DIALOGUE = (
    LeftOut.SIGN,
    LeftOut.TITLE,
    LeftOut.SONG,
    LeftOut.KARAOKE,
    LeftOut.CREDITS,
    LeftOut.NOTE,
    LeftOut.DRAWING,
)


@dataclass(frozen=True, slots=True)
class Typesetting:
    """What a file uses its styles and actor fields for.

    ``speakers`` is the name that each style stands for; ``silent_actors`` are values of the actor field that name
    nobody because they stand on signs, songs or titles alone.
    """

    sign_styles: tuple[str, ...] = ()
    song_styles: tuple[str, ...] = ()
    speakers: Mapping[str, str] = field(default_factory=dict)
    silent_actors: frozenset[str] = frozenset()


def mark_songs(drafts: Sequence[Draft]) -> tuple[list[Draft], Typesetting]:
    """The drafts with what their styles say left out, and songs; and what was seen. Before entries are merged."""
    speakers = speaker_styles(drafts)
    found, songs = _mark_songs([_by_style(draft, speakers) for draft in drafts])
    return found, Typesetting(song_styles=songs, speakers=speakers)


def mark_signs(drafts: Sequence[Draft], seen: Typesetting) -> tuple[list[Draft], Typesetting]:
    """The drafts with signs and notes left out, and what was seen. Once each text counts once."""
    found, sign_styles = _mark_signs(drafts)
    found = [_by_actor(draft) for draft in found]
    return found, replace(seen, sign_styles=sign_styles, silent_actors=_silent_actors(found))


def _by_style(draft: Draft, speakers: Mapping[str, str]) -> Draft:
    if draft.left_out is not None or draft.style in speakers:
        return draft
    reason = style_reason(draft.style)
    return draft if reason is None else draft.without(reason)


def speaker_styles(drafts: Sequence[Draft]) -> Mapping[str, str]:
    """The name that each style stands for, where no actor is given and the styles are persons; else nothing."""
    counts: Counter[str] = Counter()
    for draft in drafts:
        if draft.left_out is None:
            if draft.event.actor.strip():
                return {}
            counts[draft.style] += not draft.cleaned.has_position
    names = {style: name for style in counts if counts[style] and (name := name_of_style(style))}
    sure = [s for s in names if s not in AMBIGUOUS_STYLES]
    spoken = sum(counts.values())
    lines: Counter[str] = Counter()
    for style in sure:
        lines[names[style]] += counts[style]
    if sum(n >= 2 for n in lines.values()) < 2 or lines.total() < 0.2 * spoken:
        return {}
    if max(lines.values()) > 0.85 * spoken or _run_in_parallel(drafts, sure):
        return {}
    if len(lines) < 3 and lines.total() < 0.5 * spoken:  # two styles beside one for everybody are looks, not persons
        return {}
    return names


def name_of_style(style: str) -> str | None:
    """The person that a style is called after: `Anna`, `Anna_italics`, `BEN - flashback`; None for `Default`."""
    words = [word for word in re.split(r"[\s_\-–.*()\[\]/]+", style) if word]
    kept = [word for word in words if word not in GENERIC_STYLES and not word.isdecimal()]
    if len(words) == 1 and words[0] in AMBIGUOUS_STYLES:
        return words[0]
    name = " ".join(kept)
    if not kept or style_reason(" ".join(kept)) is not None or is_group(name):
        return None
    inside = read_inside(name, is_bracket=False)
    if inside.kind is not Kind.NAME or len(inside.names) != 1:
        return None
    return name if name[0].isupper() or name.upper() == name.lower() else None


def _run_in_parallel(drafts: Sequence[Draft], styles: Sequence[str]) -> bool:
    """Whether most lines of these styles come together with one of another: then they are languages, not people."""
    moments: Counter[int] = Counter(d.start_ms for d in drafts if d.left_out is None and d.style in styles)
    return sum(n for n in moments.values() if n > 1) > 0.6 * sum(moments.values())


def _mark_signs(drafts: Sequence[Draft]) -> tuple[list[Draft], tuple[str, ...]]:
    by_style: dict[str, list[int]] = defaultdict(list)
    for k, draft in enumerate(drafts):
        if draft.left_out is None and draft.lines:
            by_style[draft.style].append(k)
    placed = {s: [k for k in members if drafts[k].cleaned.has_position] for s, members in by_style.items()}
    plain = [k for s, members in by_style.items() for k in members if not drafts[k].cleaned.has_position]
    everything = sum(map(len, by_style.values()))
    if not any(placed.values()) or len(plain) < min(3, max(1, everything // 10)):
        return list(drafts), ()  # captions that put every line somewhere
    ends = sum(bool(_SENTENCE_END.search(drafts[k].lines[-1])) for k in plain)
    has_sentences = 2 * ends > len(plain)
    voiced = {(drafts[k].style, actor) for k in plain if (actor := drafts[k].event.actor.strip())}
    times = {(drafts[k].start_ms, drafts[k].end_ms) for k in plain}
    found = list(drafts)
    sign_styles = []
    for style, members in by_style.items():
        there = placed[style]
        is_sign_style = 2 * len(there) > len(members) and len(there) > 1
        points = {drafts[k].cleaned.point for k in there}
        is_anchored = 2 * len(points) <= len(there) or len(there) == 1
        there = [
            k for k in there if (style, drafts[k].event.actor.strip()) not in voiced or drafts[k].cleaned.is_typeset
        ]
        signs = [k for k in there if not _is_moved(drafts[k], has_sentences=has_sentences, times=times)]
        if is_sign_style and not (is_anchored and not signs):
            signs = there
            sign_styles.append(style)
        for k in signs:
            found[k] = drafts[k].without(LeftOut.SIGN)
    return found, tuple(sign_styles)


def _is_moved(draft: Draft, *, has_sentences: bool, times: set[tuple[int, int]]) -> bool:
    """Whether a line that is put somewhere is spoken: moved and no more, and a sentence as the others are."""
    if draft.cleaned.is_typeset or draft.cleaned.point is None or draft.end_ms - draft.start_ms < 300:
        return False
    if has_sentences:
        is_shouted = draft.text.isupper() and len(draft.text.split()) > 1
        return bool(_SENTENCE_END.search(draft.lines[-1])) and not is_shouted
    return (draft.start_ms, draft.end_ms) in times


def _mark_songs(drafts: Sequence[Draft]) -> tuple[list[Draft], tuple[str, ...]]:
    """Three styles at one time, or romaji beside kanji, again and again: all of that moment is sung."""
    sung: set[int] = set()
    has_romaji_anywhere = False
    beside_songs: Counter[str] = Counter()
    for members in _moments(drafts):
        if len(members) < 2:
            continue
        rows = [drafts[k].text for k in members]
        has_japanese = any(script_of(row, is_sure=False) in (Script.KANA, Script.HAN) for row in rows)
        has_romaji = has_japanese and any(
            script_of(row, is_sure=len(rows) < 3) is Script.LATIN and is_romaji(row) for row in rows
        )
        styles = {drafts[k].style for k in members}
        has_song = any(drafts[k].left_out is not None for k in members)
        if has_romaji or len(styles) >= 3:
            sung.update(members)
        elif has_song:
            beside_songs.update(styles)
        has_romaji_anywhere = has_romaji_anywhere or has_romaji
    romaji_cues = _romaji_cues(drafts)
    has_romaji_anywhere = has_romaji_anywhere or len(romaji_cues) > 1
    sung |= romaji_cues
    if len(sung) < (2 if has_romaji_anywhere else 4):
        sung = set()
    whole = Counter(d.style for d in drafts if d.left_out is None)
    per_style = Counter(drafts[k].style for k in sung if drafts[k].left_out is None) + beside_songs
    songs = tuple(s for s, n in per_style.items() if whole[s] and n >= 2 and 5 * n >= 4 * whole[s])
    if len(songs) == len(whole):  # a style for every line of a song alone
        songs = ()
    found = [
        draft.without(LeftOut.SONG) if draft.left_out is None and (k in sung or draft.style in songs) else draft
        for k, draft in enumerate(drafts)
    ]
    return found, songs


def _romaji_cues(drafts: Sequence[Draft]) -> set[int]:
    """Cues that hold romaji in a row above or below its kanji.

    Where most such rows below Chinese are no romaji, the second language is English: `Sure`, `Have you eaten?`.
    """
    found: set[int] = set()
    without_kana: set[int] = set()
    others = 0
    for k, draft in enumerate(drafts):
        if draft.left_out is None and len(draft.lines) >= 2 and not all(map(str.isascii, draft.lines)):
            scripts = [script_of(line, is_sure=False) for line in draft.lines]
            latin = [line for script, line in zip(scripts, draft.lines, strict=True) if script is Script.LATIN]
            if Script.KANA in scripts and any(map(is_romaji, latin)):
                found.add(k)
            elif Script.HAN in scripts and any(map(is_romaji, latin)):
                without_kana.add(k)
            elif Script.HAN in scripts and latin:
                others += 1
    return found if others >= len(without_kana) else found | without_kana


def _moments(drafts: Sequence[Draft]) -> list[list[int]]:
    """The drafts that begin and end together, those that are songs by their style included."""
    of_interest = (None, LeftOut.SONG, LeftOut.KARAOKE)
    kept = sorted(
        (d.start_ms, d.end_ms, k)
        for k, d in enumerate(drafts)
        if d.end_ms - d.start_ms >= _SHORT_MS and d.left_out in of_interest and d.lines
    )
    moments: list[list[int]] = []
    first = (-(10**9), 0)
    for start_ms, end_ms, k in kept:
        if start_ms - first[0] <= _TOGETHER_MS and abs(end_ms - first[1]) <= 2 * _TOGETHER_MS:
            moments[-1].append(k)
        else:
            moments.append([k])
            first = (start_ms, end_ms)
    return moments


def _by_actor(draft: Draft) -> Draft:
    """A line whose actor field says that it is a sign or a note."""
    if draft.left_out is not None or not draft.event.actor.strip():
        return draft
    reason, is_on_screen = _actor_says(draft.event.actor)
    if is_on_screen and (r"\an" in draft.event.text or draft.text.isupper()):
        reason = LeftOut.SIGN
    return draft if reason is None else draft.without(reason)


@functools.lru_cache(maxsize=4096)
def _actor_says(actor: str) -> tuple[LeftOut | None, bool]:
    """Why the lines of an actor field are no dialogue, or None; and whether it says OS: on screen, or off screen."""
    words = re.findall(r"[^\W_]+", actor)
    if words and words[0] in SIGN_ACTORS:
        return LeftOut.SIGN, False
    is_note = len(words) == 1 and words[0] in NOTE_ACTORS
    if is_note or ({"note", "notes"} & set(map(str.casefold, words)) and all(word in ACTOR_NOTES for word in words)):
        return LeftOut.NOTE, False
    return None, [word.casefold() for word in words] == ["os"]


def _silent_actors(drafts: Sequence[Draft]) -> frozenset[str]:
    """Values of the actor field that stand on what nobody says, and (nearly) nowhere else."""
    where: dict[str, Counter[bool]] = defaultdict(Counter)
    for draft in drafts:
        actor = draft.event.actor.strip()
        if actor and not draft.event.is_comment:
            where[actor][draft.left_out in _NO_DIALOGUE] += 1
    return frozenset(actor for actor, counts in where.items() if counts[True] > 2 * counts[False])
