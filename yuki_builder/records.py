"""The types that travel from room to room.

Frozen, validated where they are made, with units in their names. Time is integer milliseconds on the
video's clock (0 = the first video frame; the first audio sample where there is no video). Audio never
travels in a record: it stays on disk, and a record says where.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import operator
import types
import typing
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
_MOST_COMPRESSION = 2.4


class Progress(Protocol):
    """One progress protocol, many front ends: called now and then while work goes on.

    ``completed`` and ``total`` share a unit (seconds of audio, lines, bytes); ``total`` is None where unknown.
    """

    def __call__(self, completed: float, total: float | None, /) -> None: ...


def no_progress(completed: float, total: float | None, /) -> None:
    """The progress front end that shows nothing."""


class Record:
    """Mix-in: to and from the plain dictionaries that JSON holds."""

    def to_dict(self) -> dict[str, Any]:
        """Fields by name; nested records become dictionaries, tuples lists, enumerations their values."""
        names, values = _values(type(self))  # type: ignore[arg-type]
        return {
            name: value if value.__class__ in _AS_THEY_ARE else _plain(value)
            for name, value in zip(names, values(self), strict=True)
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record that ``to_dict`` made.

        Raises:
            KeyError: a field without a default is missing. Unknown keys are ignored (newer writers).
            ValueError, TypeError: a value does not fit.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"{data!r:.100} is no object")
        values = {}
        for name, convert, fitting, is_required in _fields(cls):  # type: ignore[arg-type]
            if name in data:
                value = data[name]
                values[name] = value if value.__class__ in fitting else convert(value)
            elif is_required:
                raise KeyError(name)
        return cls(**values)


_Convert = Callable[[Any], Any]
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


@functools.cache
def _fields(record: type) -> tuple[tuple[str, _Convert, frozenset[type], bool], ...]:
    """Name, conversion, types that need none, and whether it must be there, by field.

    Worked out once: a corpus has millions of records.
    """
    hints = typing.get_type_hints(record)
    missing = dataclasses.MISSING
    return tuple(
        (
            f.name,
            _converter(hints[f.name]),
            _fitting(hints[f.name]),
            f.default is missing and f.default_factory is missing,
        )
        for f in dataclasses.fields(record)
    )


@functools.cache
def _values(record: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of the fields, and what gives their values."""
    names = tuple(f.name for f in dataclasses.fields(record))
    if len(names) > 1:
        return names, operator.attrgetter(*names)
    return names, lambda value: tuple(getattr(value, name) for name in names)


def _fitting(hint: Any) -> frozenset[type]:
    """The types whose values are of this kind whatever they are: not numbers, which may be beyond all measure."""
    kinds = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    return frozenset(kind for kind in kinds if kind in (str, bool, type(None)))


def _plain(value: Any) -> Any:
    return _plain_of(value.__class__)(value)


@functools.cache
def _plain_of(kind: type) -> Callable[[Any], Any]:
    """What makes a value of this type a plain one; worked out once a type."""
    if kind in _AS_THEY_ARE:
        return lambda value: value
    if issubclass(kind, Record):
        return kind.to_dict
    if issubclass(kind, enum.Enum):
        return operator.attrgetter("_value_")  # ``value`` takes four times as long
    if issubclass(kind, (tuple, list)):
        return lambda value: [v if v.__class__ in _AS_THEY_ARE else _plain(v) for v in value]
    if issubclass(kind, Mapping):
        return lambda value: {str(k): _plain(v) for k, v in value.items()}
    return lambda value: value


@functools.cache
def _converter(hint: Any) -> _Convert:
    """What makes a plain JSON value one of this type, or refuses it."""
    if hint in _SCALARS:
        return functools.partial(_scalar, hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = _converter(next(a for a in args if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return functools.partial(_tuple, tuple(_converter(a) for a in args if a is not ...), args[-1] is ...)
    if origin is Mapping:
        return functools.partial(_mapping, _converter(args[1]))
    if isinstance(hint, type) and issubclass(hint, (Record, enum.Enum)):
        return hint.from_dict if issubclass(hint, Record) else hint
    return lambda value: value


def _tuple(converters: tuple[_Convert, ...], is_of_any_length: bool, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r:.100} is no list")
    if is_of_any_length:  # tuple[X, ...], else one type for each place
        return tuple(map(converters[0], value))
    if len(converters) != len(value):
        raise ValueError(f"{value!r:.100} has {len(value)} values in place of {len(converters)}")
    return tuple(convert(v) for convert, v in zip(converters, value, strict=True))


def _mapping(convert: _Convert, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r:.100} is no object")
    return {str(k): convert(v) for k, v in value.items()}


_SCALARS: tuple[type, ...] = (str, int, float, bool)
_LARGEST_INT = 1 << 63


def _scalar(kind: type, value: Any) -> Any:
    """The value, if it is of that kind: JSON that was damaged or written by hand may hold anything."""
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits:
        raise TypeError(f"{value!r:.100} is no {kind.__name__}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    if kind is int and abs(value) >= _LARGEST_INT:
        raise ValueError("a number beyond all measure")
    return value


R = TypeVar("R", bound=Record)


def _check_share(value: float | None, what: str) -> None:
    if value is not None and not 0.0 <= value <= 1.0:
        raise ValueError(f"{what} is {value}, outside 0..1")


@dataclass(frozen=True, order=True, slots=True)
class Span(Record):
    """A stretch of time, ``start_ms`` included, ``end_ms`` excluded."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"span ends at {self.end_ms} ms, before its start at {self.start_ms} ms")

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    def overlap_ms(self, other: Span) -> int:
        """Milliseconds that both spans cover."""
        return max(0, min(self.end_ms, other.end_ms) - max(self.start_ms, other.start_ms))


MOST_AT_ONCE = 8
"""A line that more others than this overlap is not heard by itself: no voice, clip or quality is taken from it."""


def too_many_at_once(spans: Sequence[Span]) -> list[bool]:
    """For each span whether more than ``MOST_AT_ONCE`` others overlap it. O(n log n)."""
    solid = [span for span in spans if span.duration_ms]
    starts, ends = sorted(span.start_ms for span in solid), sorted(span.end_ms for span in solid)
    return [
        bool(span.duration_ms)
        and bisect_left(starts, span.end_ms) - bisect_right(ends, span.start_ms) - 1 > MOST_AT_ONCE
        for span in spans
    ]


@dataclass(frozen=True, slots=True)
class AudioTrack(Record):
    """One audio stream of a container. ``index`` counts all streams, ``position`` audio streams only."""

    index: int
    position: int
    codec: str
    channels: int
    sample_rate_hz: int
    channel_layout: str | None = None
    language: str | None = None
    title: str | None = None
    start_ms: int = 0
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class SubtitleTrack(Record):
    """One subtitle stream of a container. ``is_text`` is false for picture formats (PGS, VobSub, DVB)."""

    index: int
    position: int
    codec: str
    is_text: bool
    language: str | None = None
    title: str | None = None
    is_default: bool = False
    is_forced: bool = False
    is_hearing_impaired: bool = False


@dataclass(frozen=True, slots=True)
class MediaInfo(Record):
    """What a probe says of a media file. ``start_ms`` is the container's time of the clock's zero."""

    path: str
    container: str
    duration_ms: int
    start_ms: int
    size_bytes: int
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]
    has_video: bool = False
    width: int | None = None
    height: int | None = None
    frame_rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class NameTag(Record):
    """A name that the subtitles themselves give to a line. ``source``: ``actor`` or ``sdh``."""

    name: str
    source: str


class CueOrigin(enum.StrEnum):
    """Where a cue comes from."""

    FILE = "file"  # a subtitle file
    TRACK = "track"  # a text track inside the video
    OCR = "ocr"  # a bitmap subtitle track, or text in the picture
    ASR = "asr"  # speech recognition
    REVIEW = "review"  # a person wrote it down


class LineSource(enum.StrEnum):
    """What the text of a line was taken from."""

    SUBTITLE = "subtitle"  # a subtitle file or a text track
    ASR = "asr"  # speech recognition
    OCR = "ocr"  # a bitmap subtitle track, or text in the picture
    REVIEW = "review"  # a person, in a review

    @classmethod
    def of(cls, origin: CueOrigin) -> LineSource:
        """The source of the lines that cues of this origin become."""
        known = {CueOrigin.ASR: cls.ASR, CueOrigin.OCR: cls.OCR, CueOrigin.REVIEW: cls.REVIEW}
        return known.get(origin, cls.SUBTITLE)


@dataclass(frozen=True, slots=True)
class Word(Record):
    """A word of a cue with its own time; ``confidence`` (0..1) where its source gives one."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"word {self.text!r} ends before it starts")
        _check_share(self.confidence, f"confidence of the word {self.text!r}")


@dataclass(frozen=True, slots=True)
class HeardSegment(Record):
    """What a transcriber heard in one go; the texts of ``words``, joined, are its text, spaces included.

    ``language`` is a code such as ``ja``. ``no_speech`` (0..1) and ``log_probability`` (mean of the tokens) are of the
    whole window that the engine decoded at once, None where it does not tell. ``is_other_language``: its language is
    clearly another than the episode's.
    """

    words: tuple[Word, ...]
    language: str | None = None
    no_speech: float | None = None
    log_probability: float | None = None
    is_other_language: bool = False

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("a heard segment without words")
        _check_share(self.no_speech, "no_speech")

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()

    @property
    def span(self) -> Span:
        return Span(min(w.start_ms for w in self.words), max(w.end_ms for w in self.words))

    @property
    def is_repetitive(self) -> bool:
        """Whether the text deflates to less than 1/2.4, Whisper's own limit: it says the same over and over."""
        raw = self.text.encode("utf-8", "surrogatepass")
        return len(raw) > _MOST_COMPRESSION * len(zlib.compress(raw))


@dataclass(frozen=True, slots=True)
class Cue(Record):
    """One line of a subtitle file, cleaned; ``left_out`` names the reason where it is no spoken line.

    ``cue_id`` is made from the cue's own time and text, never from its position, so that it survives an
    edited neighbour. ``start_ms``/``end_ms`` are the file's own times. ``sounds`` are the sounds and manners of
    speaking described in it. Where one entry of the file holds several speakers, each has a cue with the entry's
    id as ``group``, and a share of its time by the length of the text. ``origin`` says where it comes from, ``words``
    the times of its words and ``confidence`` (0..1) how surely it was read, where its source tells.
    """

    cue_id: str
    index: int
    start_ms: int
    end_ms: int
    text: str
    raw_text: str
    text_secondary: str | None = None
    tags: tuple[NameTag, ...] = ()
    style: str | None = None
    left_out: str | None = None
    sounds: tuple[str, ...] = ()
    group: str | None = None
    origin: CueOrigin = CueOrigin.FILE
    words: tuple[Word, ...] = ()
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"cue {self.cue_id} ends before it starts")
        _check_share(self.confidence, f"confidence of cue {self.cue_id}")

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class TextRow(Record):
    """A row of text read from a picture; its place is in shares (0..1) of the picture's width and height.

    ``colour`` is that of the letters (``#rrggbb``), and ``italic`` whether they lean, where the picture tells.
    """

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float
    colour: str | None = None
    italic: bool = False

    def __post_init__(self) -> None:
        _check_share(self.confidence, f"confidence of {self.text!r}")

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class PictureText(Record):
    """Text that a picture shows for a while, by rows from top to bottom.

    ``left_out`` names the reason where it is no subtitle (a logo, a clock, credits); ``picture`` is what was read, as a
    small WebP file in base64.
    """

    start_ms: int
    end_ms: int
    rows: tuple[TextRow, ...]
    left_out: str | None = None
    picture: str | None = None

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"text {self.text!r} ends before it starts")

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows)

    @property
    def confidence(self) -> float:
        """How surely it was read: the mean of its rows by their length."""
        weights = [max(1, len(row.text)) for row in self.rows]
        summed = sum(row.confidence * weight for row, weight in zip(self.rows, weights, strict=True))
        return round(min(1.0, max(0.0, summed / sum(weights))), 4) if weights else 0.0


@dataclass(frozen=True, slots=True)
class SubtitlePicture:
    """A picture that a bitmap subtitle track shows for a while.

    Attributes:
        start_ms: when it appears.
        end_ms: when it goes; the same as ``start_ms`` where the track does not say.
        left: of the picture's place on the canvas, in pixels.
        top: likewise.
        canvas_width: of what the track draws on, in pixels.
        canvas_height: likewise.
        rgba: shape (height, width, 4), uint8; alpha 0 is transparent.
    """

    start_ms: int
    end_ms: int
    left: int
    top: int
    canvas_width: int
    canvas_height: int
    rgba: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VideoPicture:
    """A picture of a video: its brightness, shape (height, width), uint8, and its colours where they are asked for."""

    time_ms: int
    luma: npt.NDArray[np.uint8]
    rgb: Callable[[], npt.NDArray[np.uint8]]


@dataclass(frozen=True, order=True, slots=True)
class ResyncPiece(Record):
    """From ``from_ms`` of the subtitle file's own time on, cues are ``offset_ms`` later (once the rate is changed)."""

    from_ms: int
    offset_ms: int


@dataclass(frozen=True, slots=True)
class Resync(Record):
    """How a subtitle file's times become the video's: ``time * rate + offset_ms`` of the piece it falls into.

    ``reason`` says why nothing is changed, and is None where something is. ``agreement_before`` and
    ``agreement_after`` are the shares (0..1) of cue time that hold voice, None where that was not looked at.
    """

    rate: float
    pieces: tuple[ResyncPiece, ...]
    reason: str | None = None
    agreement_before: float | None = None
    agreement_after: float | None = None

    def __post_init__(self) -> None:
        if not self.pieces or list(self.pieces) != sorted(self.pieces):
            raise ValueError("the pieces of a resync are not in order of time")

    @classmethod
    def none(cls, reason: str, *, agreement: float | None = None) -> Resync:
        """Nothing is changed."""
        return cls(1.0, (ResyncPiece(0, 0),), reason, agreement, agreement)

    def __str__(self) -> str:
        """In words: ``-30.0 s, from 12:04 on -75.0 s, speed x 0.9590 (voice under 54 %, now 80 % of cue time)``."""
        words = [f"{self.pieces[0].offset_ms / 1000:+.1f} s"]
        for piece in self.pieces[1:]:
            minutes, seconds = divmod(piece.from_ms // 1000, 60)
            words.append(f"from {minutes}:{seconds:02d} on {piece.offset_ms / 1000:+.1f} s")
        if self.rate != 1.0:
            words.append(f"speed x {self.rate:.4f}")
        if self.agreement_before is not None and self.agreement_after is not None:
            shares = f"{100 * self.agreement_before:.0f} %, now {100 * self.agreement_after:.0f} %"
            words[-1] += f" (voice under {shares} of cue time)"
        return ", ".join(words)

    def place(self, span: Span) -> Span:
        """Where a stretch of the file's time lies on the video's clock; never before 0."""
        piece = next((p for p in reversed(self.pieces) if p.from_ms <= span.start_ms), self.pieces[0])
        start_ms = max(0, round(span.start_ms * self.rate) + piece.offset_ms)
        return Span(start_ms, max(start_ms, round(span.end_ms * self.rate) + piece.offset_ms))


@dataclass(frozen=True, slots=True)
class AlignedCue(Record):
    """A cue with its place in the audio: ``start_ms``/``end_ms`` after snapping to the voice.

    ``speech_ms`` is how much of the span holds voice activity (0: none was found in the cue's reach).
    """

    cue: Cue
    start_ms: int
    end_ms: int
    speech_ms: int

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)


@dataclass(frozen=True, order=True, slots=True)
class Turn(Record):
    """A stretch in which one voice speaks; ``speaker`` is local to the episode."""

    start_ms: int
    end_ms: int
    speaker: str

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)


@dataclass(frozen=True, order=True, slots=True)
class ShotChange(Record):
    """Where the picture jumps: the new shot is seen at ``time_ms``, the old one last at ``after_ms``.

    ``difference`` (0..1) is how much the two pictures differ; ``novelty`` (0..1) how much the pictures before and
    after differ at the least, some seconds either way: low where a talk cuts back and forth between two faces.
    """

    time_ms: int
    after_ms: int
    difference: float
    novelty: float

    def __post_init__(self) -> None:
        if self.after_ms > self.time_ms:
            raise ValueError(f"shot change at {self.time_ms} ms comes before its old shot at {self.after_ms} ms")


@dataclass(frozen=True, slots=True)
class SpeakerEmbeddings:
    """Speaker embeddings by key.

    Attributes:
        keys: n names (line ids, clip names), unique.
        vectors: shape (n, d), float32, rows of length 1. A line too short to embed is simply absent.
        speech_ms: n ints, how much speech each row was computed from.
        signals: where the vectors were made from several signals (``vocals``, ``mix``), those of each alone, shape
            (n, d) each; a row of zeros where the signal gave none.
    """

    keys: tuple[str, ...]
    vectors: FloatArray
    speech_ms: tuple[int, ...]
    signals: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.keys) != len(self.vectors) or len(self.keys) != len(self.speech_ms):
            raise ValueError(
                f"{len(self.keys)} keys, {len(self.speech_ms)} durations and vectors of shape {self.vectors.shape}"
            )
        if any(vectors.shape != self.vectors.shape for vectors in self.signals.values()):
            raise ValueError("the vectors of one signal have another shape than the rest")

    def get(self, key: str) -> FloatArray | None:
        """The row of ``key``, shape (d,), or None."""
        try:
            return self.vectors[self.keys.index(key)]
        except ValueError:
            return None


class Verdict(enum.StrEnum):
    """How sure the name of a line is."""

    CERTAIN = "certain"
    DOUBTFUL = "doubtful"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """What spoke for a character. ``source``: actor, sdh, voice (parts: vocals, mix), dub, cluster, scene or manual."""

    source: str
    character: str
    weight: float


@dataclass(frozen=True, slots=True)
class Attribution(Record):
    """Who says the line of one cue. ``character`` None = unknown; ``confidence`` 0..1; ``speaker`` episode-local."""

    cue_id: str
    character: str | None
    confidence: float
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    speaker: str | None = None

    def __post_init__(self) -> None:
        _check_share(self.confidence, f"confidence of {self.cue_id}")


@dataclass(frozen=True, slots=True)
class Line(Record):
    """One line of dialogue, the unit of the corpus (``lines.jsonl`` holds one a row).

    ``overlap`` is the share of the line where another voice speaks too; ``snr_db`` the level of the
    dialogue over the background of the mix; ``clip`` a path relative to the output folder; ``source`` says what the
    text was taken from (files of earlier versions do not say: they knew subtitles only).
    """

    line_id: str
    episode_id: str
    index: int
    start_ms: int
    end_ms: int
    text: str
    text_secondary: str | None = None
    character: str | None = None
    confidence: float = 0.0
    verdict: Verdict = Verdict.UNKNOWN
    evidence: tuple[Evidence, ...] = ()
    speaker: str | None = None
    overlap: float = 0.0
    snr_db: float | None = None
    quality: float | None = None
    clip: str | None = None
    source: LineSource = LineSource.SUBTITLE

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"line {self.line_id} ends before it starts")
        _check_share(self.confidence, f"confidence of {self.line_id}")

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class StageReport(Record):
    """What one stage did: how much came in, was kept, was left out and why."""

    stage: str
    seconds: float
    came_in: int = 0
    kept: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
