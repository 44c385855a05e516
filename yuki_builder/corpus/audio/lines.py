"""The sound of lines in one pass over mix and vocals: a clip of each, its level and its quality."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from yuki_builder.channels import mono
from yuki_builder.corpus.audio.clips import MARGIN_MS, ClipReport, clip_path, clip_spans, why_no_clip, write_clip
from yuki_builder.corpus.audio.levels import level_db, same_channels
from yuki_builder.corpus.audio.quality import (
    LEAST_FINGERPRINT_SAMPLES,
    AudioFingerprint,
    ClipQuality,
    fingerprint,
    measure_sound,
)
from yuki_builder.corpus.audio.sound import ForwardReader, open_sound, to_samples
from yuki_builder.errors import InputError, InternalError
from yuki_builder.records import MOST_AT_ONCE, FloatArray, Line, Progress, Span, no_progress, too_many_at_once
from yuki_builder.threads import in_thread, written_in_thread

_TOO_MANY = f"more than {MOST_AT_ONCE} other lines at the same time"
_GROUP_MS, _MOST_IN_GROUP = 4000, 500
_PART_MS = 20_000  # longer lines are measured in parts; their quality is that of the first


@dataclass(frozen=True, slots=True)
class LineSounds:
    """What one pass found.

    Attributes:
        clips: what became of the clips; without ``destination`` no line has one.
        levels: dialogue-to-background level in dB by line id (see ``measure_levels``).
        qualities: measures of each line, in the order of the lines; empty without a mix.
        audio_fingerprints: audio fingerprints by line id, to find repeats by.
    """

    clips: ClipReport
    levels: Mapping[str, float | None]
    qualities: tuple[ClipQuality, ...]
    audio_fingerprints: Mapping[str, AudioFingerprint]


def read_sounds(
    lines: Sequence[Line],
    vocals: Path,
    *,
    mix: Path | None = None,
    speech: Sequence[Span] = (),
    destination: Path | None = None,
    clip_root: str = "clips",
    progress: Progress = no_progress,
) -> LineSounds:
    """Cut the clips of lines and measure the lines, reading each file once, front to back.

    Args:
        lines: of one episode.
        vocals: a sound file on the lines' clock, of any length.
        mix: what the vocals were separated from, with the same sample rate; None: nothing is measured.
        speech: voice activity, in order, without overlap.
        destination: folder for ``<character or _unknown>/<line_id>.flac``; None: no clips.
        clip_root: where ``destination`` will be, relative to the output folder; the start of each ``Line.clip``.
        progress: counts lines.

    Raises:
        MediaError: a file cannot be read.
        InputError: the sample rates of mix and vocals differ.
        OSError: ``destination`` cannot be written.
    """
    if len({line.line_id for line in lines}) != len(lines):
        ids = [line.line_id for line in lines]
        raise InternalError("two lines share one id", where=next(i for i in ids if ids.count(i) > 1))
    work = _Pass(lines, speech)
    with contextlib.ExitStack() as stack:
        voice = stack.enter_context(open_sound(vocals))
        whole = None if mix is None else stack.enter_context(open_sound(mix))
        rate_hz = voice.samplerate
        if whole is not None and whole.samplerate != rate_hz:
            raise InputError(
                f"has {rate_hz} Hz and the mix {whole.samplerate} Hz",
                where=vocals,
                remedy="separate the vocals from this mix again",
            )
        readers = [(ForwardReader(sound), sound.frames) for sound in (voice, whole) if sound is not None]
        if destination is not None:
            destination.mkdir(parents=True, exist_ok=True)
        length_ms = voice.frames * 1000 // rate_hz
        requests = [*(work.parts() if whole is not None else ()), *(work.clips(length_ms) if destination else ())]
        requests.sort(key=lambda r: (r[0], r[2], r[1].line_id))
        groups = list(_groups(requests))

        def read() -> Iterator[list[list[FloatArray]]]:
            for group in groups:
                heard = []
                for span, _, is_clip in group:
                    start, end = max(0, to_samples(span.start_ms, rate_hz)), to_samples(span.end_ms, rate_hz)
                    wanted = readers[:1] if is_clip else readers
                    heard.append([reader.read(min(start, frames), min(end, frames)) for reader, frames in wanted])
                yield heard

        sounds = stack.enter_context(contextlib.closing(in_thread(read())))

        def measure() -> Iterator[tuple[FloatArray, str]]:
            """Measures on the way, and gives out the clips to write."""
            each = (
                pair for group, heard in zip(groups, sounds, strict=True) for pair in zip(group, heard, strict=True)
            )
            for done, ((span, line, is_clip), heard) in enumerate(each, 1):
                if is_clip:
                    path = clip_path(line)
                    yield heard[0], path
                    work.clip_of[line.line_id] = f"{clip_root}/{path}"
                else:
                    work.measure(line, span, heard[0], heard[1], rate_hz)
                progress(done * len(lines) // len(requests), len(lines))

        def write(clips: Iterator[tuple[FloatArray, str]]) -> None:
            for samples, path in clips:
                if destination is not None:
                    write_clip(samples, voice, destination / path)

        written_in_thread(measure(), [write])
    return work.result(measured=whole is not None)


_Request = tuple[Span, Line, bool]


def _groups(requests: Sequence[_Request]) -> Iterator[list[_Request]]:
    """The requests, some seconds of sound at a time: to hand over single short lines costs more than they do."""
    group: list[_Request] = []
    length_ms = 0
    for request in requests:
        group.append(request)
        length_ms += request[0].duration_ms
        if length_ms >= _GROUP_MS or len(group) >= _MOST_IN_GROUP:
            yield group
            group, length_ms = [], 0
    if group:
        yield group


class _Pass:
    """What a pass has found so far."""

    def __init__(self, lines: Sequence[Line], speech: Sequence[Span]) -> None:
        self.lines, self.speech = lines, speech
        self.too_many_at_once = too_many_at_once([line.span for line in lines])
        self.clip_of: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.energies: dict[str, tuple[float, float, int]] = {}
        self.qualities: dict[str, ClipQuality] = {}
        self.audio_fingerprints: dict[str, AudioFingerprint] = {}

    def clips(self, length_ms: int) -> Iterator[tuple[Span, Line, bool]]:
        """What to read for the clips of a file of that length; notes why some lines get none."""
        spans = clip_spans([line.span for line in self.lines], margin_ms=MARGIN_MS)
        for line, span, has_too_many in zip(self.lines, spans, self.too_many_at_once, strict=True):
            reason = _TOO_MANY if has_too_many else why_no_clip(line.span, length_ms=length_ms)
            if reason is None:
                yield span, line, True
            else:
                self.left_out[line.line_id] = reason

    def parts(self) -> Iterator[tuple[Span, Line, bool]]:
        """What to read for the measures."""
        for line, has_too_many in zip(self.lines, self.too_many_at_once, strict=True):
            if has_too_many:
                yield Span(line.start_ms, line.start_ms), line, False
                continue
            for start_ms in range(line.start_ms, line.end_ms, _PART_MS) or (line.start_ms,):
                yield Span(start_ms, min(line.end_ms, start_ms + _PART_MS)), line, False

    def measure(self, line: Line, span: Span, voice: FloatArray, whole: FloatArray, rate_hz: int) -> None:
        """Add a part of a line; the arrays have the shape (samples, channels)."""
        if span.start_ms == line.start_ms:
            self.qualities[line.line_id] = measure_sound(line, whole, rate_hz, self.speech)
            is_long = len(voice) >= LEAST_FINGERPRINT_SAMPLES
            audio_fingerprint = fingerprint(mono(voice), rate_hz) if is_long else None
            if audio_fingerprint is not None:
                self.audio_fingerprints[line.line_id] = audio_fingerprint
        size = min(len(voice), len(whole))
        both, kept = same_channels(whole[:size], voice[:size])
        vocals, rest, count = self.energies.get(line.line_id, (0.0, 0.0, 0))
        self.energies[line.line_id] = (
            vocals + float(np.square(kept, dtype=np.float64).sum()),
            rest + float(np.square(both - kept, dtype=np.float64).sum()),
            count + kept.size,
        )

    def result(self, *, measured: bool) -> LineSounds:
        levels = {line.line_id: level_db(*self.energies[line.line_id]) for line in self.lines if measured}
        of_each = [self.qualities[line.line_id] for line in self.lines if measured]
        return LineSounds(
            clips=ClipReport(
                lines=tuple(
                    line if line.clip == (clip := self.clip_of.get(line.line_id)) else replace(line, clip=clip)
                    for line in self.lines
                ),
                left_out=self.left_out,
            ),
            levels=levels,
            qualities=tuple(
                q if line.snr_db is not None or levels[q.line_id] is None else replace(q, snr_db=levels[q.line_id])
                for q, line in zip(of_each, self.lines, strict=False)
            ),
            audio_fingerprints=self.audio_fingerprints,
        )
