"""The speech of an episode, transcribed where the turns are."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_preprocessing.levels import level_over_rest_db
from video_preprocessing.transcription.other_languages import (
    Suspect,
    is_surely_another,
    makes_sense,
    may_be_another,
    other_language,
    suspect_turns,
    without,
)
from video_preprocessing.transcription.transcriber import LONGEST_S, SAMPLE_RATE_HZ, SAMPLES_PER_MS, Transcriber
from video_preprocessing.transcription.windows import Window, halves, placed, skipped_speech, together, windows_of
from yuki_builder.channels import mono
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, HeardSegment, Progress, Span, no_progress

if TYPE_CHECKING:
    import soundfile

_LISTENED = 4  # windows by which the language is told
_DONE = "heard.jsonl"
MIX_FROM_DB = 10.0
"""The mix is heard where the vocals lie so far above what was taken away."""
_WHOLE_SAMPLES = round(LONGEST_S * SAMPLE_RATE_HZ)
_ALIKE_IN_A_ROW = 4  # people do say the same thrice
_LEAST_LOG_PROBABILITY = -1.0  # of what is heard at the second try only


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was heard.

    Attributes:
        segments: in order of time, on the episode's clock.
        language: that it was taken for, but for what is clearly in another; None: the engine found out by itself,
            each time.
        certainty: 0..1, how sure that is; None where the user said so.
        resumed_ms: so much of the sound had been done by an earlier attempt.
    """

    segments: tuple[HeardSegment, ...]
    language: str | None
    certainty: float | None
    resumed_ms: int = 0


def transcribe_turns(
    sound: Path,
    turns: Sequence[Span],
    speech: Sequence[Span],
    transcriber: Transcriber,
    *,
    language: str | None = None,
    mix: Path | None = None,
    unfinished: Path | None = None,
    progress: Progress = no_progress,
) -> Transcription:
    """Transcribe where somebody speaks, and nothing else.

    Args:
        sound: an audio file: the vocals of an episode.
        turns: where somebody speaks.
        speech: voice activity.
        transcriber: what listens.
        language: of the speech; None: found by ear, once for the whole file.
        mix: what the vocals were taken from, heard where the vocals lie well above what was taken away.
        unfinished: a folder in which an interrupted run leaves what it has, for the next.
        progress: counts seconds of sound.

    Raises:
        MediaError: the sound cannot be read.
        ConfigError: the transcriber does not know the language.
    """
    if language is not None:
        transcriber.check_language(language)
    with _Sound(sound, mix) as audio:
        windows = windows_of(turns, speech, duration_ms=audio.duration_ms)
        done = _Unfinished(unfinished, windows)
        certainty = None
        if language is None and windows:
            language, certainty = done.language or _language(audio, windows, transcriber)
            done.keep_language(language, certainty)
        listener = _Listener(audio, turns, speech, transcriber, language)
        segments: list[HeardSegment] = []
        total_s = sum(window.duration_ms for window in windows) / 1000
        completed_s = resumed_s = 0.0
        for number, window in enumerate(windows):
            found = done.segments.get(number)
            if found is None:
                found = listener.hear(window)
                done.keep(number, found)
            else:
                resumed_s += window.duration_ms / 1000
            segments += found
            completed_s += window.duration_ms / 1000
            progress(completed_s, total_s)
    return Transcription(tuple(segments), language, certainty, round(1000 * resumed_s))


@dataclass(frozen=True, slots=True)
class _Listener:
    """Hears windows of one episode."""

    audio: _Sound
    turns: Sequence[Span]
    speech: Sequence[Span]
    transcriber: Transcriber
    language: str | None

    def hear(self, window: Window, *, told_apart: bool = False) -> list[HeardSegment]:
        """What is said in a window, asked for again where it repeated itself or left out somebody who speaks.

        Args:
            window: what is heard together.
            told_apart: what is spoken in another language has been taken out of it.
        """
        first = self._transcribe(window, self.language)
        loops = [segment for segment in first if segment.is_repetitive]
        found = [segment for segment in first if not segment.is_repetitive]
        skipped = skipped_speech(window, self.turns, self.speech, found)
        parts = halves(window)
        if not told_apart and (others := self._in_other_languages(window, first)):
            heard = [segment for own in others.values() for segment in own]
            rest = without(window, others, self.turns)  # another language harms what is beside it, too
            heard += [] if rest is None else self.hear(rest, told_apart=True)
            return sorted(heard, key=lambda segment: segment.span)
        if len(parts) > 1 and (loops or len(skipped) > 1 or _says_the_same(found)):
            return [segment for half in parts for segment in self.hear(half, told_apart=told_apart)]
        again = []
        for part, wanted in skipped:
            for segment in self._transcribe(part, self.language):
                if not segment.is_repetitive and (segment.log_probability or 0.0) >= _LEAST_LOG_PROBABILITY:
                    again += _within(segment, wanted)
        if not again:
            found += loops  # left out later, with their reason
        return sorted([*found, *again], key=lambda segment: segment.span)

    def _transcribe(self, window: Window, language: str | None) -> list[HeardSegment]:
        return window.place_all(self.transcriber.transcribe(self.audio.waveform(window), language=language))

    def _in_other_languages(self, window: Window, found: Sequence[HeardSegment]) -> dict[Span, list[HeardSegment]]:
        """Turns that are clearly in another language than the one that is held, as they are heard in theirs."""
        if self.language is None:
            return {}
        suspects_in: dict[str, list[Suspect]] = defaultdict(list)
        for suspect in suspect_turns(window, self.turns, self.speech, found, language=self.language):
            other = self._other_language(suspect, self.language)
            if other is not None:
                suspects_in[other].append(suspect)
        others: dict[Span, list[HeardSegment]] = {}
        for other, suspects in suspects_in.items():
            parts = together(suspect.span for suspect in suspects)
            heard = [segment for part in parts for segment in self._transcribe(part, other)]
            for suspect in suspects:
                own = [part for segment in heard for part in _within(segment, suspect.span)]
                if makes_sense(own, suspect.least_confidence):
                    others[suspect.span] = [dataclasses.replace(s, language=other, is_other_language=True) for s in own]
        return others

    def _other_language(self, suspect: Suspect, held: str) -> str | None:
        """The language of a turn that is clearly not in the one that is held; a quick look often tells."""
        doubtful = suspect.is_doubtful
        waveform = self.audio.waveform(placed([suspect.span]))
        quick = self.transcriber.languages_of(waveform)
        if not may_be_another(quick, held, is_doubtful=doubtful):
            return None
        if doubtful and is_surely_another(quick, held):
            return other_language(quick, held)
        padded = np.pad(waveform, (0, max(0, _WHOLE_SAMPLES - len(waveform))))
        return other_language(self.transcriber.languages_of(padded), held, is_doubtful=doubtful)


def _says_the_same(segments: Sequence[HeardSegment]) -> bool:
    """Whether segments in a row are alike so often that the engine may have repeated itself from one to the next."""
    texts = ("".join(c for c in segment.text.casefold() if c.isalnum()) for segment in segments)
    return any(text and len(list(run)) >= _ALIKE_IN_A_ROW for text, run in groupby(texts))


def _within(segment: HeardSegment, span: Span) -> list[HeardSegment]:
    """The segment with those of its words whose middle lies in a span."""
    words = tuple(w for w in segment.words if span.start_ms <= (w.start_ms + w.end_ms) // 2 <= span.end_ms)
    return [dataclasses.replace(segment, words=words)] if words else []


def _language(audio: _Sound, windows: Sequence[Window], transcriber: Transcriber) -> tuple[str | None, float]:
    """The language that a few windows, spread over the file, sound most like together."""
    count = min(_LISTENED, len(windows))
    chosen = [windows[(2 * k + 1) * len(windows) // (2 * count)] for k in range(count)]
    sums: dict[str, float] = defaultdict(float)
    for window in chosen:
        for name, probability in transcriber.languages_of(audio.waveform(window)).items():
            sums[name] += probability
    best = max(sums, key=lambda name: (sums[name], name), default=None)
    return best, float(sums[best]) / count if best is not None else 0.0


class _Unfinished:
    """What an interrupted run of the same recipe left: a row for each window that is done."""

    def __init__(self, folder: Path | None, windows: Sequence[Window]) -> None:
        self._path = None if folder is None else folder / _DONE
        self._count = len(windows)
        self.segments: dict[int, list[HeardSegment]] = {}
        self.language: tuple[str | None, float] | None = None
        if self._path is not None and self._path.exists():
            for row in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError, KeyError, TypeError):  # the last row of a killed run is half a row
                    self._take(json.loads(row))

    def _take(self, row: dict[str, object]) -> None:
        if "language" in row:
            language, certainty = row["language"], row["certainty"]
            self.language = (None if language is None else str(language), float(str(certainty)))
        else:
            number, found = int(str(row["window"])), row["segments"]
            if isinstance(found, list) and 0 <= number < self._count:
                self.segments[number] = [HeardSegment.from_dict(segment) for segment in found]

    def keep(self, number: int, segments: Sequence[HeardSegment]) -> None:
        self._append({"window": number, "segments": [segment.to_dict() for segment in segments]})

    def keep_language(self, language: str | None, certainty: float) -> None:
        if self.language is None:
            self._append({"language": language, "certainty": certainty})

    def _append(self, row: dict[str, object]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                file.write("\n" + json.dumps(row, ensure_ascii=True))


class _Sound:
    """The sound that is heard: the vocals, or the mix where little had to be taken away from it.

    A separator harms the voice a little wherever it works: over quiet music more than the music would.
    """

    def __init__(self, vocals: Path, mix: Path | None) -> None:
        self._paths = [vocals] if mix is None else [vocals, mix]
        self._files: list[soundfile.SoundFile] = []
        self._stack = ExitStack()

    def __enter__(self) -> _Sound:
        with ExitStack() as stack:  # where the second cannot be opened, the first is closed
            self._files = [stack.enter_context(_opened(path)) for path in self._paths]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    @property
    def duration_ms(self) -> int:
        return self._files[0].frames * 1000 // self._files[0].samplerate

    def waveform(self, window: Window) -> FloatArray:
        """The pieces of a window with silence between them, shape (samples,), 16 kHz."""
        waveform = np.zeros(window.duration_ms * SAMPLES_PER_MS, np.float32)
        for piece in window.pieces:
            wave = self._chosen(piece.span)
            at = piece.at_ms * SAMPLES_PER_MS
            room = min(len(wave), len(waveform) - at, piece.span.duration_ms * SAMPLES_PER_MS)
            waveform[at : at + room] = np.clip(wave[:room], -1.0, 1.0)
        return waveform

    def _chosen(self, span: Span) -> FloatArray:
        with _readable(self._paths[0]):
            vocals = _read(self._files[0], span)
        if len(self._files) == 1:
            return vocals
        with _readable(self._paths[1]):
            mix = _read(self._files[1], span)
        return mix if level_over_rest_db(vocals, mix) >= MIX_FROM_DB else vocals


@contextmanager
def _readable(sound: Path) -> Iterator[None]:
    import soundfile

    try:
        yield
    except (soundfile.LibsndfileError, OSError) as e:
        raise MediaError("cannot be read as audio", where=sound, remedy="check that the file is whole") from e


def _opened(sound: Path) -> soundfile.SoundFile:
    import soundfile

    with _readable(sound):
        return soundfile.SoundFile(sound)


def _read(file: soundfile.SoundFile, span: Span) -> FloatArray:
    """A span of a file, shape (samples,), 16 kHz; shorter where the file ends before it does."""
    import soxr

    first, after = (t * file.samplerate // 1000 for t in (span.start_ms, span.end_ms))
    file.seek(min(first, file.frames))
    wave = mono(np.nan_to_num(file.read(after - first, dtype="float32", always_2d=True)))
    if file.samplerate != SAMPLE_RATE_HZ and len(wave):
        wave = soxr.resample(wave, file.samplerate, SAMPLE_RATE_HZ)
    return wave
