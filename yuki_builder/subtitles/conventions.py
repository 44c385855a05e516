"""How a file writes what is not spoken: looked at as a whole before any row of it is decided about.

A label is a name only where the file supports it. `JOHN:` does so by its capitals; `John:`, `[John]` and 太郎： have to
come twice, or the file labels most of its rows that way, or gives the name elsewhere too. Numbered labels support each
other (`Speaker 1`, `spk_0`, 说话人1). A label that also stands alone is a sound, and a place has to speak three times.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from yuki_builder.subtitles.captions import Repeats
from yuki_builder.subtitles.labels import (
    Chunk,
    Form,
    Kind,
    Label,
    Shape,
    has_chevrons,
    inner_labels,
    leading_labels,
)
from yuki_builder.subtitles.sounds import is_sure_manner
from yuki_builder.subtitles.speakers import name_key
from yuki_builder.subtitles.typesetting import Typesetting
from yuki_builder.subtitles.vocabulary import LIST_WORDS, PLACES

_NEVER = 10**9
_ENDS = ".!?…,-–—:;\"'”’」。！？"
# `PORT OF CORK: 6:45 A.M.`, `ZARAGOZA: 120 KM`: not what somebody says, unless the file has the name elsewhere.
_MEASURE = re.compile(
    r"\s*\d[\d:.,\s]*(?:[ap]\.?\s?m\.?|km|miles?|mi|m|h|hrs?|hours?|uhr|kg|%|°\s?[cf]?)?\.?\s*", re.IGNORECASE
)
_SUPPORT = {Shape.CAPITALS: 1, Shape.MIXED: 2, Shape.CJK: 2, Shape.NUMBER: 3, Shape.LOWER: _NEVER, Shape.LONG: _NEVER}


@dataclass(frozen=True, slots=True)
class LabelUse:
    """One way of labelling that a file keeps to: its form and shape, in how many rows, for how many names."""

    form: Form
    shape: Shape
    rows: int
    names: int


@dataclass(frozen=True, slots=True)
class LabelBook:
    """How a file labels its rows.

    Attributes:
        names: the keys of the names it gives.
        sounds: the keys of what looks like a name, but stands alone as well.
        uses: the ways of labelling it keeps to; in these a label counts that is seen once.
        asides: brackets in which it writes what is heard and how something is said.
    """

    names: frozenset[str] = frozenset()
    sounds: frozenset[str] = frozenset()
    uses: tuple[LabelUse, ...] = ()
    asides: frozenset[Form] = frozenset()
    has_chevrons: bool = False
    is_in_capitals: bool = False

    def keeps_to(self, form: Form, shape: Shape | None) -> bool:
        """Whether the file labels its rows that way."""
        return any(use.form is form and use.shape is shape for use in self.uses)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a label comes to in its file: the names it gives, and what it says besides."""

    names: tuple[str, ...] = ()
    manners: tuple[str, ...] = ()
    is_speaker: bool = False  # somebody else begins to speak, named or not


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a subtitle file as a whole was found to do. ``languages`` are the two of a file in two, else empty."""

    labels: LabelBook = field(default_factory=LabelBook)
    typesetting: Typesetting = field(default_factory=Typesetting)
    repeats: Repeats = field(default_factory=Repeats)
    languages: tuple[str, ...] = ()
    has_colours: bool = False

    def describe(self) -> tuple[str, ...]:
        """The conventions in plain sentences, for the notes of a run."""
        said = []
        for use in self.labels.uses:
            sample = use.form.value.replace("X", use.shape.value)
            said.append(f"{use.rows} rows are labelled {sample} ({use.names} names)")
        if self.labels.has_chevrons:
            said.append(">> opens a new speaker")
        if self.has_colours:
            said.append("colours tell speakers apart")
        if self.typesetting.speakers:
            said.append(f"styles name speakers: {_some(sorted(set(self.typesetting.speakers.values())))}")
        if self.typesetting.sign_styles:
            said.append(f"styles of signs: {_some(self.typesetting.sign_styles)}")
        if self.typesetting.song_styles:
            said.append(f"styles of songs: {_some(self.typesetting.song_styles)}")
        if self.typesetting.silent_actors:
            said.append(f"actor fields that name nobody: {_some(sorted(self.typesetting.silent_actors))}")
        if self.repeats.rolls:
            said.append("rows roll up: each phrase is taken once")
        elif self.repeats.merged:
            said.append(f"{self.repeats.merged} entries go on with the text before them")
        if self.languages:
            said.append(f"two languages: {' and '.join(self.languages)}")
        return tuple(said)


def _some(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name or "(none)" for name in names[:most]) + more


def read_labels(cues: Sequence[Sequence[Chunk]], *, actors: Collection[str], is_in_capitals: bool) -> LabelBook:
    """How a file labels its rows.

    Args:
        cues: the pieces of each cue that may be spoken; none of one without marks.
        actors: keys of the names that the file gives outside the text (actor field, voice tags).
        is_in_capitals: the whole file is written in capitals, so that they are no sign of a name.
    """
    counts = _Counts()
    for chunks in cues:
        counts.add(chunks)
    return counts.book(actors=actors, is_in_capitals=is_in_capitals, cues=len(cues))


class _Counts:
    """The labels of a file while they are counted."""

    def __init__(self) -> None:
        self.seen: list[tuple[Label, str]] = []
        self.inner: list[Label] = []
        self.alone: Counter[str] = Counter()
        self.aside_rows: Counter[Form] = Counter()
        self.square_lower = 0  # descriptions in square brackets that begin in lower case
        self.square_known = 0  # those that are surely a sound, a manner or a group
        self.chevrons = 0

    def add(self, chunks: Sequence[Chunk]) -> None:
        for k, chunk in enumerate(chunks):
            text = chunk.text
            self.chevrons += has_chevrons(text) and (k == 0 or chunks[k - 1].row != chunk.row)
            for label in chunk.labels:
                self._look_at_square(label)
                if label.inside.kind is Kind.NAME:
                    rest = text[label.end :]
                    if label.form is not Form.COLON or not _MEASURE.fullmatch(rest):
                        self.seen.append((label, rest))
                elif label.form is not Form.COLON:
                    self.aside_rows[label.form] += 1
            if ":" in text or "：" in text or "(" in text or "[" in text or "（" in text:
                self.inner += [label for _, label in inner_labels(text) if label.inside.kind is Kind.NAME]
        if len(chunks) == 1 and not chunks[0].labels:
            text = chunks[0].text
            _, labels = leading_labels(text, is_last=False)
            for label in labels:
                self._look_at_square(label)
            is_alone = len(labels) == 1 and not labels[0].has_colon and not text[labels[0].end :].strip()
            if is_alone and not labels[0].inside.manner:  # (ANNA LAUGHS) names Anna, and is no sound called Anna
                self.alone.update(map(name_key, labels[0].inside.names))

    def _look_at_square(self, label: Label) -> None:
        if label.form is Form.SQUARE:
            self.square_lower += label.words[:1].islower()
            self.square_known += label.inside.kind in (Kind.MANNER, Kind.GROUP)

    def _leave_out_headings(self) -> None:
        """`LIVERPOOL: the city of my dreams` is no label where the others stand before sentences."""
        ends = [rest.rstrip()[-1:] in _ENDS for _, rest in self.seen if rest.strip()]
        has_sentences = 10 * sum(ends) >= 7 * len(ends)
        heads = [label.form is Form.COLON and label.inside.shape is Shape.CAPITALS for label, _ in self.seen]
        goes_on = [
            head and (rest[:1].islower() or (has_sentences and _is_caption(rest)))
            for head, (_, rest) in zip(heads, self.seen, strict=True)
        ]
        names = {name_key(label.inside.names[0]) for (label, _), on in zip(self.seen, goes_on, strict=True) if not on}
        if 2 * sum(goes_on) <= sum(heads) or (sum(goes_on) == 1 and not names):
            self.seen = [
                (label, rest)
                for (label, rest), on in zip(self.seen, goes_on, strict=True)
                if not on or name_key(label.inside.names[0]) in names
            ]

    def book(self, *, actors: Collection[str], is_in_capitals: bool, cues: int) -> LabelBook:
        self._leave_out_headings()
        rows: Counter[str] = Counter()
        need: dict[str, int] = {}
        siblings: dict[str, set[str]] = defaultdict(set)
        for label in (*(label for label, _ in self.seen), *self.inner):
            if label.inside.stem:
                siblings[label.inside.stem].update(map(name_key, label.inside.names))
        for label, _ in self.seen:
            least = self._support(label, siblings, is_in_capitals=is_in_capitals)
            if label.form is Form.SQUARE and least == 2 and self._tells_names_apart(label.inside.shape):
                least = 1
            for name in label.inside.names:
                key = name_key(name)
                rows[key] += not label.inside.is_dependent
                need[key] = min(need.get(key, _NEVER), least)
                if any(word in PLACES for word in name.split()) and not label.inside.is_person:
                    need[key] = max(need[key], 3)
        sounds = {key for key, count in self.alone.items() if 3 * count >= rows[key]}
        names = {key for key, count in rows.items() if count and (count >= need[key] or key in actors)} - sounds
        uses = self._uses(names, cues=cues, is_in_capitals=is_in_capitals)
        names |= self._seen_once(names, uses, sounds=sounds, rows=rows)
        in_capitals = any(use.shape is Shape.CAPITALS for use in uses) or any(
            label.inside.shape is Shape.CAPITALS and set(map(name_key, label.inside.names)) <= names
            for label, _ in self.seen
        )
        if in_capitals and not is_in_capitals:
            names |= {
                name_key(name)
                for label in self.inner
                if label.has_colon and label.inside.shape is Shape.CAPITALS and not label.inside.is_dependent
                for name in label.inside.names
                if name_key(name) not in sounds
            }
        ways = {(use.form, use.shape) for use in uses}
        names |= {
            name_key(name)
            for label in self.inner
            if label.form is not Form.COLON and label.inside.shape is Shape.CJK and (label.form, Shape.CJK) in ways
            for name in label.inside.names
            if not label.inside.is_dependent and name_key(name) not in sounds
        }
        names -= {  # a known name and what its bearer does, in a script without capitals
            key
            for key in names
            if rows[key] < 2 and key.upper() == key.lower() and " " in key and key.split()[0] in names
        }
        asides = frozenset(form for form, count in self.aside_rows.items() if count >= 2)
        return LabelBook(frozenset(names), frozenset(sounds), uses, asides, self.chevrons > 0, is_in_capitals)

    def _tells_names_apart(self, shape: Shape | None) -> bool:
        """Whether square brackets hold names and, written otherwise, what is heard."""
        if shape is Shape.CJK:
            return self.square_known >= 2
        return shape is Shape.MIXED and self.square_lower >= 2

    @staticmethod
    def _support(label: Label, siblings: Mapping[str, set[str]], *, is_in_capitals: bool) -> int:
        """How often a name has to come before words in this form to be one."""
        inside, form = label.inside, label.form
        if inside.is_dependent:
            return _NEVER
        shape = inside.shape or Shape.MIXED
        if inside.stem and (inside.is_person or len(siblings[inside.stem]) >= 2):
            return 1
        if inside.is_person and (form is not Form.COLON or shape is Shape.CJK):
            return 1
        if shape is Shape.CAPITALS and is_in_capitals:
            return 2
        if label.is_chevron and shape is Shape.MIXED:
            return 1
        return _SUPPORT[shape]

    def _uses(self, names: Collection[str], *, cues: int, is_in_capitals: bool) -> tuple[LabelUse, ...]:
        all_rows: Counter[tuple[Form, Shape]] = Counter()
        sure_rows: Counter[tuple[Form, Shape]] = Counter()
        keys: dict[tuple[Form, Shape], Counter[str]] = defaultdict(Counter)
        for label, rest in self.seen:
            shape = label.inside.shape
            if shape is None or label.inside.is_dependent or not _opens_speech(label, rest):
                continue
            way = (label.form, shape)
            own = [name_key(name) for name in label.inside.names]
            all_rows[way] += 1
            keys[way].update(own)
            sure_rows[way] += all(key in names for key in own)
        uses = []
        for (form, shape), count in all_rows.items():
            way, total = (form, shape), max(1, cues)
            distinct = len(keys[way])
            repeated = sum(n for n in keys[way].values() if n >= 2)
            is_kept = sure_rows[way] >= 2 and (
                form is Form.SQUARE  # never spoken
                or sure_rows[way] >= 0.15 * total
                or (sure_rows[way] >= 8 and sum(k in names for k in keys[way]) >= 3)
            )
            if shape is Shape.CJK and form in (Form.ROUND, Form.SQUARE):
                is_kept = is_kept or (distinct >= 2 and count >= 0.15 * total)
            if shape is Shape.LOWER:
                is_kept = repeated >= 0.3 * total and sum(n >= 2 for n in keys[way].values()) >= 2
            elif count >= 3 and 2 * count >= total and distinct >= 2 and not (is_in_capitals and form is Form.COLON):
                is_kept = True  # nearly every row is labelled, each by another name
            if is_kept:
                uses.append(LabelUse(form, shape, count, distinct))
        return tuple(uses)

    def _seen_once(
        self, names: Collection[str], uses: Iterable[LabelUse], *, sounds: Collection[str], rows: Mapping[str, int]
    ) -> set[str]:
        """Names that the file's own way of labelling supports, though they are seen once."""
        ways = {(use.form, use.shape) for use in uses}
        ways |= {(form, Shape.LONG) for form, shape in ways if shape is Shape.CAPITALS}
        found = set()
        for label, rest in self.seen:
            if (label.form, label.inside.shape) not in ways or label.inside.is_dependent:
                continue
            if label.inside.shape is Shape.LOWER and label.form is Form.COLON and len(label.words.split()) > 2:
                continue
            for name in label.inside.names:
                key = name_key(name)
                is_place = any(word in PLACES for word in name.split()) and rows[key] < 3
                is_long = label.form is Form.COLON and label.inside.shape is Shape.CJK and len(name.split()) > 2
                if key not in sounds and not is_place and not is_long and _opens_speech(label, rest):
                    found.add(key)
        return found - set(names)


def _is_caption(rest: str) -> bool:
    """`RIO DE JANEIRO: Carnival`: a word or two without a full stop."""
    return 0 < len(rest.split()) <= 2 and rest.rstrip()[-1] not in _ENDS and rest.isascii()


def _opens_speech(label: Label, rest: str) -> bool:
    """Whether what follows a label looks like speech: `Power: A` and `one wish: peace` do not."""
    if label.form is not Form.COLON or label.inside.shape in (Shape.CAPITALS, Shape.LONG, Shape.CJK):
        return True
    letters = sum(c.isalpha() for c in rest)
    return not rest or (
        letters >= 2 and (label.inside.shape is Shape.LOWER or not rest.lstrip("\"'“‘«¿¡-– ")[:1].islower())
    )


def judge(label: Label, book: LabelBook) -> Verdict | None:  # noqa: PLR0911
    """What a label comes to by the conventions of its file; None where it is text."""
    inside, is_bracket = label.inside, label.form is not Form.COLON
    manners = (inside.manner,) if inside.manner else ()
    if is_bracket and (split := _known_name_before(label, book)):
        return Verdict(split[:1], split[1:], is_speaker=True)
    if inside.kind is Kind.NAME:
        keys = [name_key(name) for name in inside.names]
        known = [key in book.names for key in keys]
        if all(known) or (len(keys) > 1 and any(known)):
            return Verdict(inside.names, manners, is_speaker=True)
        if is_bracket and not book.sounds.isdisjoint(keys):
            return Verdict(manners=(label.words,))
        if is_bracket and (inside.is_dependent or (inside.shape is Shape.LOWER and _is_aside(label, book))):
            return Verdict(manners=(label.words,))
        return None
    if inside.kind is Kind.GROUP:
        is_kept = is_bracket or inside.shape is Shape.CAPITALS or book.keeps_to(Form.COLON, inside.shape)
        return Verdict(manners=(label.words, *manners), is_speaker=True) if is_kept else None
    if inside.kind is Kind.MANNER:
        is_kept = is_bracket or inside.shape is Shape.CAPITALS or book.keeps_to(Form.COLON, inside.shape)
        return Verdict(manners=(label.words, *manners), is_speaker=not is_bracket) if is_kept else None
    if inside.kind is Kind.UNSURE and _is_aside(label, book):
        return Verdict(manners=(label.words,))
    return None


def _known_name_before(label: Label, book: LabelBook) -> tuple[str, str] | None:
    """A name of the file that a description begins with, and the rest: `Astrid skrattar`, 小雅笑."""
    inside, text = label.inside, label.words
    if inside.kind is Kind.NAME and (len(inside.names) > 1 or inside.manner or name_key(text) in book.names):
        return None
    words = text.split()
    for k in range(1, min(len(words), 4)):
        rest = words[k:]
        if name_key(" ".join(words[:k])) in book.names and not any(
            word[0].isupper() or word in LIST_WORDS for word in rest
        ):
            return " ".join(words[:k]), " ".join(rest)
    if inside.kind is Kind.MANNER and len(words) == 1 and not text.isascii():
        for k in range(len(text) - 1, 1, -1):
            if name_key(text[:k]) in book.names and is_sure_manner(text[k:]):
                return text[:k], text[k:]
    return None


def _is_aside(label: Label, book: LabelBook) -> bool:
    return label.form in (Form.SQUARE, Form.BRACE) or label.form in book.asides
