"""From the entries of a file to its cues: the decisions of the other modules in their order, all of them pure."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles.bilingual import Pair, halves, prevailing_pair, script_of
from yuki_builder.subtitles.cleaning import Cleaned, clean
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.reasons import UNREADABLE, LeftOut
from yuki_builder.subtitles.sounds import is_sound_description, without_lyrics
from yuki_builder.subtitles.speakers import (
    Prefix,
    accepted_names,
    find_prefix,
    is_in_capitals,
    name_key,
    plain_name,
    spellings,
)
from yuki_builder.subtitles.styles import effect_reason, style_reason

_MAX_DURATION_MS = 60_000  # nobody speaks one cue this long; banners and counters do last
_MAX_TIME_MS = 100 * 3_600_000
_MAX_TEXT_CHARS = 2000


@dataclass(frozen=True, slots=True)
class CueSheet:
    """A subtitle file, read: all its cues in the order of the file, those left out with their reason.

    ``unreadable`` counts entries too damaged to be a cue, ``replaced`` damaged characters (now U+FFFD).
    """

    cues: tuple[Cue, ...]
    encoding: str
    format: str
    unreadable: int = 0
    replaced: int = 0

    @property
    def spoken(self) -> tuple[Cue, ...]:
        """The cues that somebody says, by time."""
        kept = (cue for cue in self.cues if cue.left_out is None)
        return tuple(sorted(kept, key=lambda cue: (cue.start_ms, cue.end_ms, cue.index)))

    @property
    def left_out_by_reason(self) -> Mapping[str, int]:
        """How many entries are no spoken line, by reason."""
        counts = Counter(str(cue.left_out) for cue in self.cues if cue.left_out is not None)
        return dict(sorted(counts.items())) | ({UNREADABLE: self.unreadable} if self.unreadable else {})


@dataclass(frozen=True, slots=True)
class _Draft:
    event: Event
    cleaned: Cleaned
    left_out: LeftOut | None
    given: tuple[NameTag, ...] = ()  # names outside the text
    prefixes: tuple[Prefix | None, ...] = ()  # what may be a name before each line


def make_cues(events: Sequence[Event], *, is_ass: bool) -> tuple[Cue, ...]:
    """One cue for each event, in their order. ``is_ass``: the text has ASS markup.

    Names and languages are judged over the whole file, a cue's identity and its text by its own event alone.
    """
    drafts = [_draft(event, is_ass=is_ass) for event in events]
    names, spelling = _names(drafts)
    lines = [_without_names(draft, names) for draft in drafts]
    cues = [
        _cue(draft, own_lines, index=index, cue_id=cue_id, tags=_tags(draft, names, spelling))
        for index, (draft, own_lines, cue_id) in enumerate(zip(drafts, lines, cue_ids(events), strict=True))
    ]
    return tuple(_pair_simultaneous(_pair_halves(_mark_duplicates(cues), lines)))


def cue_ids(events: Iterable[Event]) -> Iterator[str]:
    """An identity for each event from its own time and text: stable when neighbours change, sorted by time.

    Exact repeats of an event are told apart by a counter.
    """
    seen: Counter[str] = Counter()
    for event in events:
        raw = f"{event.start_ms}|{event.end_ms}|{event.text}".encode("utf-8", "surrogatepass")
        cue_id = f"{max(0, event.start_ms):08d}-{hashlib.sha256(raw).hexdigest()[:8]}"
        seen[cue_id] += 1
        yield cue_id if seen[cue_id] == 1 else f"{cue_id}-{seen[cue_id]}"


def _draft(event: Event, *, is_ass: bool) -> _Draft:
    cleaned = clean(event.text, is_ass=is_ass)
    left_out = _reason_before_reading(event, cleaned)
    given = tuple(NameTag(name, "actor") for raw in (event.actor, *cleaned.voices) if (name := plain_name(raw)))
    if left_out is not None:
        return _Draft(event, cleaned, left_out, given)
    last = len(cleaned.lines) - 1
    prefixes = tuple(find_prefix(line, is_last=k == last) for k, line in enumerate(cleaned.lines))
    return _Draft(event, cleaned, None, given, prefixes)


def _reason_before_reading(event: Event, cleaned: Cleaned) -> LeftOut | None:
    """What the event's kind, times, style and markup say, before its words are looked at."""
    if event.is_comment:
        return LeftOut.COMMENT
    duration_ms = event.end_ms - max(0, event.start_ms)
    if not 0 < duration_ms <= _MAX_DURATION_MS or event.end_ms > _MAX_TIME_MS:
        return LeftOut.BAD_TIMES
    if cleaned.has_karaoke:
        return LeftOut.KARAOKE
    if cleaned.has_drawing and not cleaned.lines:
        return LeftOut.DRAWING
    return style_reason(event.style or "") or effect_reason(event.effect)


def _names(drafts: Sequence[_Draft]) -> tuple[frozenset[str], Mapping[str, str]]:
    """The keys of the prefixes that are names, and one spelling for every name of the file."""
    kept = [draft for draft in drafts if draft.left_out is None]
    given = [tag for draft in kept for tag in draft.given]
    names = accepted_names(
        (prefix for draft in kept for prefix in draft.prefixes if prefix),
        actors={name_key(tag.name) for tag in given},
        is_in_capitals=is_in_capitals(" ".join(draft.cleaned.lines) for draft in kept),
    )
    return names, spellings([*given, *(tag for draft in kept for tag in _sdh_tags(draft, names))])


def _sdh_tags(draft: _Draft, names: frozenset[str]) -> list[NameTag]:
    return [NameTag(prefix.name, "sdh") for prefix in draft.prefixes if prefix and name_key(prefix.name) in names]


def _tags(draft: _Draft, names: frozenset[str], spelling: Mapping[str, str]) -> tuple[NameTag, ...]:
    tags = (*draft.given, *_sdh_tags(draft, names))
    return tuple(dict.fromkeys(replace(tag, name=spelling.get(name_key(tag.name), tag.name)) for tag in tags))


def _without_names(draft: _Draft, names: frozenset[str]) -> tuple[str, ...]:
    if draft.left_out is not None:
        return draft.cleaned.lines
    pairs = zip(draft.cleaned.lines, draft.prefixes, strict=True)
    lines = (prefix.rest if prefix and name_key(prefix.name) in names else line for line, prefix in pairs)
    return tuple(line for line in lines if line.strip())


def _spoken(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in without_lyrics(lines) if not is_sound_description(line))


def _cue(draft: _Draft, lines: Sequence[str], *, index: int, cue_id: str, tags: tuple[NameTag, ...]) -> Cue:
    event = draft.event
    left_out = draft.left_out or _reason_after_reading(lines)
    start_ms = max(0, event.start_ms)
    return Cue(
        cue_id=cue_id,
        index=index,
        start_ms=start_ms,
        end_ms=max(start_ms, event.end_ms),
        text=" ".join(lines if left_out else _spoken(lines)),
        raw_text=event.text,
        tags=tags,
        style=event.style,
        left_out=left_out,
    )


def _reason_after_reading(lines: Sequence[str]) -> LeftOut | None:
    """What the words say, the names before them taken off."""
    if lines and not without_lyrics(lines):
        return LeftOut.SONG
    if not any(c.isalnum() for line in lines for c in line):
        return LeftOut.EMPTY
    if sum(map(len, lines)) > _MAX_TEXT_CHARS:
        return LeftOut.TOO_LONG
    spoken = _spoken(lines)
    return LeftOut.SOUND if not spoken or is_sound_description(" ".join(spoken)) else None


def _mark_duplicates(cues: Iterable[Cue]) -> list[Cue]:
    """Layered typesetting shows one text several times at once; the first counts."""
    seen: set[tuple[int, int, str]] = set()
    marked = []
    for cue in cues:
        key = (cue.start_ms, cue.end_ms, cue.text)
        is_repeat = cue.left_out is None and key in seen
        marked.append(replace(cue, left_out=LeftOut.DUPLICATE) if is_repeat else cue)
        if cue.left_out is None:
            seen.add(key)
    return marked


def _pair_halves(cues: Sequence[Cue], lines: Sequence[Sequence[str]]) -> list[Cue]:
    """Cues whose upper lines are in one language and lower lines in another."""
    split = [halves(_spoken(own)) if cue.left_out is None else None for cue, own in zip(cues, lines, strict=True)]
    kept = (found for found, cue in zip(split, cues, strict=True) if cue.left_out is None)
    pair = prevailing_pair(found and found[2] for found in kept)
    return [
        replace(cue, text=found[0], text_secondary=found[1]) if found and found[2] == pair else cue
        for cue, found in zip(cues, split, strict=True)
    ]


def _pair_simultaneous(cues: Sequence[Cue]) -> list[Cue]:
    """Two cues of exactly one time in two languages: the first gets the text of the second."""
    moments: dict[tuple[int, int], list[Cue]] = defaultdict(list)
    for cue in cues:
        if cue.left_out is None:
            moments[cue.start_ms, cue.end_ms].append(cue)
    scripts = {time: _pair_of(*together) for time, together in moments.items() if len(together) == 2}
    pair = prevailing_pair(scripts.get(time) for time in moments)
    changed: dict[int, Cue] = {}
    for time, found in scripts.items():
        if found is not None and found == pair:
            first, second = moments[time]
            tags = tuple(dict.fromkeys((*first.tags, *second.tags)))
            changed[first.index] = replace(first, text_secondary=second.text, tags=tags)
            changed[second.index] = replace(second, left_out=LeftOut.SECOND_LANGUAGE)
    return [changed.get(cue.index, cue) for cue in cues]


def _pair_of(first: Cue, second: Cue) -> Pair | None:
    upper, lower = script_of(first.text), script_of(second.text)
    if upper is None or lower is None or upper is lower or first.text_secondary or second.text_secondary:
        return None
    return upper, lower
