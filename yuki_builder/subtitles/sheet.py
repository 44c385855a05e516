"""From the entries of a file to its cues: the decisions of the other modules in their order, all of them pure.

First what the file as a whole does is found (``Conventions``), then each entry is read by it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles import captions, typesetting
from yuki_builder.subtitles.cleaning import clean, is_plain
from yuki_builder.subtitles.conventions import Conventions, LabelBook, judge, read_labels
from yuki_builder.subtitles.drafts import Draft
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.labels import Chunk, Form, Shape, inner_labels, read_chunks, without_chevrons
from yuki_builder.subtitles.marks import join_rows, unwrapped, without_marks, without_readings
from yuki_builder.subtitles.notices import Signs, notice_reason, opens_like_note, split_notes
from yuki_builder.subtitles.pairing import Reading, pair_languages
from yuki_builder.subtitles.parts import Part, SpeakerLine, share_out, split_speakers
from yuki_builder.subtitles.reasons import UNREADABLE, LeftOut
from yuki_builder.subtitles.songs import mark_runs
from yuki_builder.subtitles.sounds import bare_sounds, is_bare_sound, is_sound_description, take_sounds, without_lyrics
from yuki_builder.subtitles.speakers import actor_names, is_in_capitals, name_key, spellings
from yuki_builder.subtitles.styles import effect_reason

_MAX_DURATION_MS = 60_000  # nobody speaks one cue this long; banners and counters do last
_MAX_TIME_MS = 100 * 3_600_000
_MAX_TEXT_CHARS = 2000
_WORD = re.compile(r"[^\W_]")
_MAY_CHANGE = re.compile(r"[(（《〈≪＜]")


@dataclass(frozen=True, slots=True)
class CueSheet:
    """A subtitle file, read: all its cues in the order of the file, those left out with their reason.

    ``unreadable`` counts entries too damaged to be a cue, ``replaced`` damaged characters (now U+FFFD),
    ``conventions`` what the file as a whole was found to do.
    """

    cues: tuple[Cue, ...]
    encoding: str
    format: str
    unreadable: int = 0
    replaced: int = 0
    conventions: Conventions = field(default_factory=Conventions)

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


def make_cues(events: Sequence[Event], *, is_ass: bool, language: str | None = None) -> tuple[Cue, ...]:
    """The cues of each event, in their order: one, or one per speaker. ``is_ass``: the text has ASS markup.

    Names and languages are judged over the whole file, a cue's identity by its own event alone. ``language`` (``zh``,
    ``ja``…): which language of a file in two is the text; the upper one where left out.

    Args:
        events: all entries of a file, in its order.
        is_ass: the text has ASS markup.
        language: (``zh``, ``ja``…) which language of a file in two is the text; the upper one where left out.
    """
    return read_sheet(events, is_ass=is_ass, language=language)[0]


def read_sheet(
    events: Sequence[Event], *, is_ass: bool, language: str | None = None
) -> tuple[tuple[Cue, ...], Conventions]:
    """The cues of each event, as ``make_cues`` gives them, and what the file as a whole was found to do."""
    drafts, seen = typesetting.mark_songs([_draft(event, is_ass=is_ass) for event in events])
    drafts, repeats = captions.once(drafts)
    drafts, seen = typesetting.mark_signs(drafts, seen)
    drafts = mark_runs(drafts)
    drafts = _without_bare_sounds(drafts)
    signs = Signs.of(draft.lines for draft in drafts if draft.left_out is None)
    taken = [_take_notices(draft, signs, is_edge=edge) for draft, edge in zip(drafts, _edges(drafts), strict=True)]
    drafts = [draft for draft, _ in taken]
    kept = [draft for draft in drafts if draft.left_out is None]
    speakers = _Speakers.of(drafts, seen)
    chunks = [() if draft.is_plain or draft.left_out is not None else read_chunks(draft.lines) for draft in drafts]
    book = read_labels(
        [pieces for draft, pieces in zip(drafts, chunks, strict=True) if draft.left_out is None],
        actors=speakers.keys,
        is_in_capitals=is_in_capitals(" ".join(draft.lines) for draft in kept),
    )
    speakers = speakers.with_labels(kept, chunks, book)
    readings = [
        _reading(draft, pieces, notes, speakers, book, index=index, cue_id=cue_id)
        for index, ((draft, notes), pieces, cue_id) in enumerate(zip(taken, chunks, cue_ids(events), strict=True))
    ]
    readings, languages = pair_languages(_mark_duplicates(readings), language)
    conventions = Conventions(book, seen, repeats, languages, has_colours=_has_colours(drafts))
    return tuple(cue for reading in readings for cue in _by_speaker(reading)), conventions


def cue_ids(events: Iterable[Event]) -> Iterator[str]:
    """An identity for each event from its own time and text: stable when neighbours change, sorted by time.

    Exact repeats of an event are told apart by a counter.
    """
    seen: dict[str, int] = {}
    for event in events:
        raw = f"{event.start_ms}|{event.end_ms}|{event.text}".encode("utf-8", "surrogatepass")
        cue_id = f"{max(0, event.start_ms):08d}-{hashlib.sha256(raw).hexdigest()[:8]}"
        seen[cue_id] = seen.get(cue_id, 0) + 1
        yield cue_id if seen[cue_id] == 1 else f"{cue_id}-{seen[cue_id]}"


def _draft(event: Event, *, is_ass: bool) -> Draft:
    cleaned = clean(event.text, is_ass=is_ass)
    start_ms = max(0, event.start_ms)
    draft = Draft(event, cleaned, start_ms, max(start_ms, event.end_ms))
    if event.is_comment:
        return draft.without(LeftOut.COMMENT)
    if not 0 < event.end_ms - start_ms <= _MAX_DURATION_MS or event.end_ms > _MAX_TIME_MS:
        return draft.without(LeftOut.BAD_TIMES)
    if cleaned.has_karaoke:
        return draft.without(LeftOut.KARAOKE)
    if cleaned.has_drawing and not cleaned.lines:
        return draft.without(LeftOut.DRAWING)
    reason = effect_reason(event.effect) if event.effect else None
    if reason is None and len(event.text) > _MAX_TEXT_CHARS and sum(map(len, cleaned.lines)) > _MAX_TEXT_CHARS:
        reason = LeftOut.TOO_LONG
    return draft if reason is None else draft.without(reason)


def _without_bare_sounds(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts without descriptions of sounds in capitals and no brackets, where the file has several."""
    found = list(drafts)
    capitals = [k for k, draft in enumerate(drafts) if draft.left_out is None and draft.lines and draft.text.isupper()]
    spoken = sum(draft.left_out is None and bool(draft.lines) for draft in drafts)
    sounds = [k for k in capitals if is_bare_sound(" ".join(drafts[k].lines))]
    if len(sounds) >= 2 and 2 * (len(capitals) - len(sounds)) <= spoken - len(sounds):
        for k in sounds:
            found[k] = drafts[k].without(LeftOut.SOUND)
    return found


def _edges(drafts: Sequence[Draft]) -> list[bool]:
    """Which drafts are among the first or last that the file shows, where its makers sign."""
    kept = sorted((draft.start_ms, k) for k, draft in enumerate(drafts) if draft.left_out is None and draft.lines)
    edges = {k for _, k in (*kept[:2], *kept[-2:])} if len(kept) > 6 else set()
    return [k in edges for k in range(len(drafts))]


def _take_notices(draft: Draft, signs: Signs, *, is_edge: bool) -> tuple[Draft, tuple[str, ...]]:
    """A draft without the notes in it, and those; left out where nothing else is in it, or it is an advertisement."""
    if draft.left_out is not None or not draft.lines:
        return draft, ()
    reason = notice_reason(draft.lines, is_edge=is_edge, signs=signs)
    if reason is not None:
        return draft.without(reason), ()
    if not draft.is_plain:
        draft = _without_marks(draft)
    elif not any(map(opens_like_note, draft.lines)):
        return draft, ()
    rows, notes = split_notes(draft.lines)
    if notes and not any(c.isalnum() for row in rows for c in row):
        return draft.without(LeftOut.NOTE), ()
    if not notes:
        return draft, ()
    return _with_rows(draft, rows), notes


def _without_marks(draft: Draft) -> Draft:
    rows = tuple(map(without_readings, without_marks(draft.lines)))
    if rows == draft.lines:
        return draft
    if all(rows):
        return replace(draft, cleaned=replace(draft.cleaned, lines=rows))
    return _with_rows(draft, tuple(row for row in rows if row))


def _with_rows(draft: Draft, rows: tuple[str, ...]) -> Draft:
    is_all_plain = all(map(is_plain, rows)) and not draft.cleaned.voices
    cleaned = replace(draft.cleaned, lines=rows, voice_of_line=(), colour_of_line=(), is_plain=is_all_plain)
    return replace(draft, cleaned=cleaned)


def _has_colours(drafts: Sequence[Draft]) -> bool:
    colours = {colour for draft in drafts if draft.left_out is None for colour in draft.cleaned.colour_of_line}
    return len(colours) > 1


@dataclass(frozen=True, slots=True)
class _Speakers:
    """Whom the file names outside its text, by the raw value, and one spelling for every name of the file."""

    actors: Mapping[str, tuple[str, ...]]
    styles: Mapping[str, str]
    spelling: Mapping[str, str]
    _given: dict[tuple[object, ...], tuple[NameTag, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, drafts: Sequence[Draft], seen: typesetting.Typesetting) -> _Speakers:
        raw = {draft.event.actor for draft in drafts} | {v for draft in drafts for v in draft.cleaned.voices}
        silent = seen.silent_actors | _passing_numbers(drafts)
        actors = {value: actor_names(value) for value in raw if value and value.strip() not in silent}
        return cls(actors, seen.speakers, {})

    @property
    def keys(self) -> set[str]:
        """The keys of all these names."""
        return {name_key(name) for names in (*self.actors.values(), tuple(self.styles.values())) for name in names}

    def given(self, draft: Draft) -> tuple[NameTag, ...]:
        """The names of a draft outside its text."""
        if not (draft.event.actor or draft.cleaned.voices or self.styles):
            return ()
        key = (draft.event.actor, draft.cleaned.voices, draft.event.style)
        if (known := self._given.get(key)) is not None:
            return known
        names = [name for raw in (draft.event.actor, *draft.cleaned.voices) for name in self.actors.get(raw, ())]
        if draft.style in self.styles:
            names.append(self.styles[draft.style])
        found = self._given[key] = self.tags(names, "actor") if names else ()
        return found

    def voice(self, raw: str | None) -> tuple[NameTag, ...]:
        """The name of the voice that a row is marked with."""
        return self.tags(self.actors.get(raw, ()), "actor") if raw else ()

    def tags(self, names: Iterable[str], source: str) -> tuple[NameTag, ...]:
        """Tags in the file's own spelling."""
        return tuple(dict.fromkeys(NameTag(self.spelling.get(name_key(name), name), source) for name in names))

    def with_labels(self, kept: Sequence[Draft], chunks: Iterable[Sequence[Chunk]], book: LabelBook) -> _Speakers:
        """With one spelling for each name, of all that the file gives."""
        tags = [tag for draft in kept for tag in self.given(draft)]
        if book.names:
            labels = (label for pieces in chunks for piece in pieces for label in piece.labels)
            verdicts = (judge(label, book) for label in labels)
            tags += [NameTag(name, "sdh") for verdict in verdicts if verdict for name in verdict.names]
        return _Speakers(self.actors, self.styles, spellings(tags))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a draft, their labels taken off, and what those said besides names."""

    lines: tuple[SpeakerLine, ...]
    manners: tuple[str, ...] = ()


def _without_labels(draft: Draft, chunks: Sequence[Chunk], speakers: _Speakers, book: LabelBook) -> _Rows:
    """The rows, each with the name that stood before it or the voice it is marked with."""
    voices = draft.cleaned.voice_of_line or (None,) * len(draft.lines)
    colours = draft.cleaned.colour_of_line or (None,) * len(draft.lines)
    rows: list[SpeakerLine] = []
    manners: list[str] = []
    waiting: tuple[NameTag, ...] = ()  # a name on a row of its own
    is_new = False
    row = -1
    for chunk in chunks:
        if chunk.row != row:
            row = chunk.row
            above, colour = colours[max(0, row - 1)], colours[row]
            is_new = is_new or (above is not None and colour is not None and colour != above)
        for names, text, said, is_start in _label_pieces(chunk, book):
            manners += said
            tags = speakers.tags(names, "sdh") or waiting or speakers.voice(voices[row])
            is_new = is_new or is_start
            if _WORD.search(text):
                rows.append(SpeakerLine(text, tags, is_new))
                waiting, is_new = (), False
            else:
                if text.strip() and not names and not said:
                    rows.append(SpeakerLine(text, tags, is_new))
                waiting = tags if names else waiting
    return _Rows(tuple(rows), tuple(manners))


def _label_pieces(chunk: Chunk, book: LabelBook) -> list[tuple[tuple[str, ...], str, tuple[str, ...], bool]]:
    """What each label of a piece of a row gives: names, the words behind it, manners, whether a speaker begins."""
    names: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    end = 0
    is_new = book.has_chevrons and without_chevrons(chunk.text) != chunk.text
    for label in chunk.labels:
        verdict = judge(label, book)
        if verdict is None or (verdict.names and names):
            break
        names, said, end = names or verdict.names, (*said, *verdict.manners), label.end
        is_new = is_new or (verdict.is_speaker and not verdict.names)
    text = chunk.dash + chunk.text[end:] if end else chunk.text
    if not end and book.has_chevrons:
        text = without_chevrons(chunk.text)
    pieces = [(names, text, said, is_new)]
    is_anywhere = book.keeps_to(Form.ROUND, Shape.CJK) or book.keeps_to(Form.SQUARE, Shape.CJK)
    inner = inner_labels(text, is_anywhere=is_anywhere) if _may_have_inner(text, book) else []
    for begin, label in reversed(inner):
        verdict = judge(label, book)
        if verdict is None or not verdict.is_speaker:
            continue
        first, before, heard, is_start = pieces[0]
        head, tail = before[:begin], before[label.end :]
        if not any(c.isalnum() for c in head):
            continue
        pieces[0:1] = [(first, head.rstrip(), heard, is_start), (verdict.names, tail, verdict.manners, True)]
    return pieces


def _may_have_inner(text: str, book: LabelBook) -> bool:
    return bool(book.names) and any(c in text for c in ":：([（［【")


_Heard = tuple[tuple[SpeakerLine, ...], tuple[str, ...], tuple[str, ...]]


def _spoken(lines: Sequence[SpeakerLine]) -> _Heard:
    """The lines that somebody says, the sounds that the others and they describe, and what is sung."""
    texts = [line.text for line in lines]
    unsung = without_lyrics(texts)
    sung = Counter[str]() if len(unsung) == len(texts) else Counter(texts) - Counter(unsung)
    spoken: list[SpeakerLine] = []
    sounds: list[str] = []
    songs: list[str] = []
    for line in lines:
        if sung[line.text] > 0:
            sung[line.text] -= 1
            songs.append(line.text)
        elif is_sound_description(line.text):
            sounds += bare_sounds(line.text)
        else:
            text, found = take_sounds(line.text)
            sounds += found
            if _WORD.search(text):
                spoken.append(line if text == line.text else replace(line, text=text))
    return tuple(spoken), tuple(sounds), tuple(songs)


def _reading(
    draft: Draft,
    chunks: Sequence[Chunk],
    notes: tuple[str, ...],
    speakers: _Speakers,
    book: LabelBook,
    *,
    index: int,
    cue_id: str,
) -> Reading:
    def cue(
        text: str,
        tags: tuple[NameTag, ...],
        left_out: LeftOut | None = None,
        sounds: tuple[str, ...] = (),
    ) -> Cue:
        return Cue(
            cue_id=cue_id,
            index=index,
            start_ms=draft.start_ms,
            end_ms=draft.end_ms,
            text=text,
            raw_text=draft.event.text,
            tags=tags,
            style=draft.event.style,
            left_out=left_out,
            sounds=sounds,
        )

    given = speakers.given(draft)
    if draft.left_out is not None:
        return Reading(cue(join_rows(draft.lines), given, draft.left_out), ())
    asides = tuple((note, LeftOut.NOTE) for note in notes)
    if draft.lines and draft.is_plain:
        plain = tuple(map(SpeakerLine, draft.lines))
        has_words = any(map(_WORD.search, draft.lines))
        left_out = None if has_words else LeftOut.EMPTY
        return Reading(cue(join_rows(draft.lines), given, left_out), plain, (), asides, is_plain=True)
    rows = _without_labels(draft, chunks, speakers, book)
    lines = tuple(_unmarked(rows.lines))
    tags = tuple(dict.fromkeys((*given, *chain.from_iterable(line.tags for line in rows.lines))))
    heard = _spoken(lines)
    left_out = _reason_after_reading(lines, rows, book, heard)
    spoken, sounds, songs = heard if left_out in (None, LeftOut.SOUND) else (lines, (), ())
    if left_out is None and not spoken:
        left_out = LeftOut.EMPTY
    sounds = (*rows.manners, *sounds)
    if left_out is not None:
        text = join_rows(draft.lines) if left_out is LeftOut.SOUND else _joined(lines)
        return Reading(cue(text, tags, left_out, sounds), lines, (), asides)
    asides = (*asides, *((song, LeftOut.SONG) for song in songs))
    return Reading(cue(_joined(spoken), tags, None, sounds), spoken, (), asides)


def _unmarked(lines: Sequence[SpeakerLine]) -> Iterator[SpeakerLine]:
    """The lines without marks of telephones and thoughts, and without readings behind characters."""
    if not any(_MAY_CHANGE.search(line.text) for line in lines):
        yield from lines
        return
    texts = [without_readings(line.text) for line in lines]
    for line, text in zip(lines, _unwrap_runs(lines, texts), strict=True):
        if text.strip():
            yield line if text == line.text else replace(line, text=text.strip())


def _unwrap_runs(lines: Sequence[SpeakerLine], texts: Sequence[str]) -> list[str]:
    whole = unwrapped(texts)
    if list(whole) != list(texts):
        return whole
    return [
        unwrapped([text])[0] if line.tags or len(texts) == 1 else text for line, text in zip(lines, texts, strict=True)
    ]


def _joined(lines: Sequence[SpeakerLine]) -> str:
    return join_rows([line.text for line in lines])


def _reason_after_reading(lines: Sequence[SpeakerLine], rows: _Rows, book: LabelBook, heard: _Heard) -> LeftOut | None:
    """What the words say, the names before them taken off."""
    if lines and not without_lyrics([line.text for line in lines]):
        return LeftOut.SONG
    if not any(_WORD.search(line.text) for line in lines):
        return LeftOut.SOUND if rows.manners else LeftOut.EMPTY
    spoken, _, songs = heard
    if spoken and not is_sound_description(_joined(spoken)) and not _is_known_sound(_joined(spoken), book):
        return None
    return LeftOut.SONG if songs and not spoken else LeftOut.SOUND


def _is_known_sound(text: str, book: LabelBook) -> bool:
    """Whether a text is nothing but a label that stands for a sound elsewhere in the file."""
    return bool(book.sounds) and text[0] in "([（［【" and name_key(text.strip("()[]（）［］【】- ")) in book.sounds


def _mark_duplicates(readings: Iterable[Reading]) -> list[Reading]:
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


def _by_speaker(reading: Reading) -> list[Cue]:
    """One cue per speaker, then what else is in the entry; whole where languages disagree on who says what."""
    cue = reading.cue
    asides = [
        replace(cue, cue_id=f"{cue.cue_id}-x{k}", text=text, text_secondary=None, tags=(), sounds=(), left_out=reason)
        for k, (text, reason) in enumerate(reading.asides, start=1)
    ]
    if cue.left_out is not None or reading.is_plain:
        return [cue, *asides]
    parts, others = split_speakers(reading.lines), split_speakers(reading.secondary)
    if len(parts) < 2 or (others and len(others) != len(parts)):
        text = join_rows([part.text for part in parts])
        other = join_rows([part.text for part in others]) if others else cue.text_secondary
        is_same = text == cue.text and other == cue.text_secondary
        return [cue if is_same else replace(cue, text=text, text_secondary=other), *asides]
    seconds: Sequence[Part | None] = others or [None] * len(parts)
    spans = share_out(cue.span, [len(part.text) for part in parts])
    names = _names_of_parts(cue, parts)
    return [
        *(
            replace(
                cue,
                cue_id=f"{cue.cue_id}-p{k}",
                group=cue.cue_id,
                start_ms=span.start_ms,
                end_ms=span.end_ms,
                text=part.text,
                text_secondary=None if second is None else second.text,
                tags=tags,
                sounds=cue.sounds if k == 1 else (),
            )
            for k, (part, second, span, tags) in enumerate(zip(parts, seconds, spans, names, strict=True), start=1)
        ),
        *asides,
    ]


def _names_of_parts(cue: Cue, parts: Sequence[Part]) -> Sequence[tuple[NameTag, ...]]:
    """The names of each speaker: its own label, else one each of an actor field such as ``Ann/Bob``.

    A single name in the field would be right for one of them; which one, the voices tell.
    """
    if any(part.tags for part in parts):
        return [part.tags for part in parts]
    given = [tag for tag in cue.tags if tag.source == "actor"]
    return [(tag,) for tag in given] if len(given) == len(parts) else [()] * len(parts)


def _passing_numbers(drafts: Sequence[Draft]) -> frozenset[str]:
    """Actor fields of digits alone that do not come back: notes of a typesetter. Those that do are people's numbers."""
    rows = Counter(actor for draft in drafts if (actor := draft.event.actor.strip()).isdecimal())
    return frozenset(rows) if sum(rows.values()) < 2 * len(rows) else frozenset()
