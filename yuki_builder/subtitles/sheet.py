"""From the entries of a file to its cues: the decisions of the other modules in their order, all of them pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles.bilingual import Pair, halves, is_lower_wanted, prevailing_pair, script_of
from yuki_builder.subtitles.cleaning import Cleaned, clean
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.parts import Part, SpeakerLine, share_out, split_speakers
from yuki_builder.subtitles.reasons import UNREADABLE, LeftOut
from yuki_builder.subtitles.sounds import bare_sounds, is_sound_description, take_sounds, without_lyrics
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """A cue, and the spoken lines that its text and its other language's text are made of."""

    cue: Cue
    lines: tuple[SpeakerLine, ...]
    secondary: tuple[SpeakerLine, ...] = ()


def make_cues(events: Sequence[Event], *, is_ass: bool, language: str | None = None) -> tuple[Cue, ...]:
    """The cues of each event, in their order: one, or one per speaker. ``is_ass``: the text has ASS markup.

    Names and languages are judged over the whole file, a cue's identity and its text by its own event alone.
    ``language`` (``zh``, ``ja``…): which language of a file in two is the text; the upper one where left out.
    """
    drafts = _mark_signs([_draft(event, is_ass=is_ass) for event in events])
    names, spelling = _names(drafts)
    readings = [
        _reading(draft, names, spelling, index=index, cue_id=cue_id)
        for index, (draft, cue_id) in enumerate(zip(drafts, cue_ids(events), strict=True))
    ]
    readings = _pair_simultaneous(_pair_halves(_mark_duplicates(readings), language), language)
    return tuple(cue for reading in readings for cue in _by_speaker(reading))


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


def _mark_signs(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Lines that are put somewhere on the picture are signs, where most of the file's are not, and nobody says them."""
    kept = [draft for draft in drafts if draft.left_out is None]
    placed = [draft for draft in kept if draft.cleaned.has_position]
    if 2 * len(placed) >= len(kept):  # captions that put every line somewhere
        return list(drafts)
    return [
        replace(draft, left_out=LeftOut.SIGN)
        if draft.left_out is None and draft.cleaned.has_position and not draft.given
        else draft
        for draft in drafts
    ]


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


def _without_names(draft: _Draft, names: frozenset[str], spelling: Mapping[str, str]) -> tuple[SpeakerLine, ...]:
    """The lines, each with the name that stood before it or the voice it is marked with."""
    if draft.left_out is not None:
        return tuple(map(SpeakerLine, draft.cleaned.lines))
    voices = draft.cleaned.voice_of_line or (None,) * len(draft.cleaned.lines)
    rows = []
    for line, prefix, voice in zip(draft.cleaned.lines, draft.prefixes, voices, strict=True):
        name = plain_name(voice) if voice else None
        tag = NameTag(spelling.get(name_key(name), name), "actor") if name else None
        if prefix and name_key(prefix.name) in names:
            tag = NameTag(spelling.get(name_key(prefix.name), prefix.name), "sdh")
            line = prefix.rest  # noqa: PLW2901
        if line.strip():
            rows.append(SpeakerLine(line, tag))
    return tuple(rows)


def _spoken(lines: Sequence[SpeakerLine]) -> tuple[tuple[SpeakerLine, ...], tuple[str, ...]]:
    """The lines that somebody says, and the sounds that the others and they describe."""
    sung = Counter(line.text for line in lines)
    sung.subtract(without_lyrics([line.text for line in lines]))
    spoken: list[SpeakerLine] = []
    sounds: list[str] = []
    for line in lines:
        if sung[line.text] > 0:
            sung[line.text] -= 1
        elif is_sound_description(line.text):
            sounds += bare_sounds(line.text)
        else:
            text, found = take_sounds(line.text)
            sounds += found
            if any(c.isalnum() for c in text):
                spoken.append(replace(line, text=text))
    return tuple(spoken), tuple(sounds)


def _reading(draft: _Draft, names: frozenset[str], spelling: Mapping[str, str], *, index: int, cue_id: str) -> _Reading:
    event = draft.event
    lines = _without_names(draft, names, spelling)
    left_out = draft.left_out or _reason_after_reading(lines)
    spoken, sounds = (lines, ()) if draft.left_out else _spoken(lines)
    start_ms = max(0, event.start_ms)
    cue = Cue(
        cue_id=cue_id,
        index=index,
        start_ms=start_ms,
        end_ms=max(start_ms, event.end_ms),
        text=_joined(lines if left_out else spoken),
        raw_text=event.text,
        tags=_tags(draft, names, spelling),
        style=event.style,
        left_out=left_out,
        sounds=sounds,
    )
    return _Reading(cue, spoken)


def _joined(lines: Sequence[SpeakerLine]) -> str:
    return " ".join(line.text for line in lines)


def _reason_after_reading(lines: Sequence[SpeakerLine]) -> LeftOut | None:
    """What the words say, the names before them taken off."""
    if lines and not without_lyrics([line.text for line in lines]):
        return LeftOut.SONG
    if not any(c.isalnum() for line in lines for c in line.text):
        return LeftOut.EMPTY
    if sum(len(line.text) for line in lines) > _MAX_TEXT_CHARS:
        return LeftOut.TOO_LONG
    spoken, _ = _spoken(lines)
    return LeftOut.SOUND if not spoken or is_sound_description(_joined(spoken)) else None


def _mark_duplicates(readings: Iterable[_Reading]) -> list[_Reading]:
    """Layered typesetting shows one text several times at once; the first counts."""
    seen: set[tuple[int, int, str]] = set()
    marked = []
    for reading in readings:
        cue = reading.cue
        key = (cue.start_ms, cue.end_ms, cue.text)
        is_repeat = cue.left_out is None and key in seen
        marked.append(replace(reading, cue=replace(cue, left_out=LeftOut.DUPLICATE)) if is_repeat else reading)
        if cue.left_out is None:
            seen.add(key)
    return marked


def _pair_halves(readings: Sequence[_Reading], language: str | None) -> list[_Reading]:
    """Cues whose upper lines are in one language and lower lines in another."""
    kept = [reading for reading in readings if reading.cue.left_out is None]
    split = {r.cue.index: found for r in kept if (found := halves([line.text for line in r.lines]))}
    pair = prevailing_pair(found[1] if (found := split.get(r.cue.index)) else None for r in kept)
    paired = []
    for reading in readings:
        found = split.get(reading.cue.index)
        if found is not None and found[1] == pair:
            upper, lower = reading.lines[: found[0]], reading.lines[found[0] :]
            paired.append(_in_order(replace(reading, lines=upper, secondary=lower), found[1], language))
        else:
            paired.append(reading)
    return paired


def _pair_simultaneous(readings: Sequence[_Reading], language: str | None) -> list[_Reading]:
    """Two cues of one time in two languages: the first gets the text of the second."""
    moments: dict[tuple[int, int], list[_Reading]] = defaultdict(list)
    for reading in readings:
        if reading.cue.left_out is None:
            moments[reading.cue.start_ms, reading.cue.end_ms].append(reading)
    scripts = {time: _pair_of(*together) for time, together in moments.items() if len(together) == 2}
    pair = prevailing_pair(scripts.get(time) for time in moments)
    changed: dict[int, _Reading] = {}
    for time, found in scripts.items():
        if found is not None and found == pair:
            first, second = moments[time]
            tags = tuple(dict.fromkeys((*first.cue.tags, *second.cue.tags)))
            both = _Reading(replace(first.cue, tags=tags), first.lines, second.lines)
            changed[first.cue.index] = _in_order(both, found, language)
            changed[second.cue.index] = replace(second, cue=replace(second.cue, left_out=LeftOut.SECOND_LANGUAGE))
    return [changed.get(reading.cue.index, reading) for reading in readings]


def _in_order(reading: _Reading, pair: Pair, language: str | None) -> _Reading:
    """A reading in two languages with the wanted one first, and both texts in its cue."""
    lines, secondary = reading.lines, reading.secondary
    if is_lower_wanted(pair, language):
        lines, secondary = secondary, lines
    cue = replace(reading.cue, text=_joined(lines), text_secondary=_joined(secondary))
    return _Reading(cue, lines, secondary)


def _by_speaker(reading: _Reading) -> list[Cue]:
    """One cue per speaker. Where the languages do not agree on who says what, the cue stays whole."""
    cue = reading.cue
    if cue.left_out is not None:
        return [cue]
    parts, others = split_speakers(reading.lines), split_speakers(reading.secondary)
    if len(parts) < 2 or (others and len(others) != len(parts)):
        other = " ".join(part.text for part in others) if others else None
        return [replace(cue, text=" ".join(part.text for part in parts), text_secondary=other)]
    seconds: Sequence[Part | None] = others or [None] * len(parts)
    spans = share_out(cue.span, [len(part.text) for part in parts])
    names = _names_of_parts(cue, len(parts))
    return [
        replace(
            cue,
            cue_id=f"{cue.cue_id}-p{k}",
            group=cue.cue_id,
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            text=part.text,
            text_secondary=None if second is None else second.text,
            tags=(part.tag,) if part.tag else (name,) if name else (),
            sounds=cue.sounds if k == 1 else (),
        )
        for k, (part, second, span, name) in enumerate(zip(parts, seconds, spans, names, strict=True), start=1)
    ]


def _names_of_parts(cue: Cue, count: int) -> Sequence[NameTag | None]:
    """The names that an actor field such as ``Ann/Bob`` gives to the speakers, where there is one for each.

    A single name would be right for one of them; which one, the voices tell.
    """
    fields = [tag for tag in cue.tags if tag.source == "actor"]
    if len(fields) == 1:
        names = [name for name in re.split(r"\s*[/&＆+,，、;；|]\s*|\s+and\s+", fields[0].name) if name]
        if len(names) == count:
            return [NameTag(name, "actor") for name in names]
    return [None] * count


def _pair_of(first: _Reading, second: _Reading) -> Pair | None:
    upper, lower = script_of(first.cue.text), script_of(second.cue.text)
    if upper is None or lower is None or upper is lower or first.secondary or second.secondary:
        return None
    return upper, lower
