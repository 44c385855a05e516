"""Where somebody speaks: Silero VAD over a stream, and the decision made from its probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_preprocessing.speech.audio import SAMPLE_RATE_HZ, SpeechAudio
from video_preprocessing.speech.silero import FRAME_SAMPLES, SileroStream
from yuki_builder.records import FloatArray, Progress, Span, no_progress
from yuki_builder.threads import in_thread

LEVEL_SAMPLES = 128
LEVEL_MS = LEVEL_SAMPLES * 1000 // SAMPLE_RATE_HZ
_AROUND_LEVELS = 3000 // LEVEL_MS
_FEWEST_LEVELS = 25
FRAME_MS = FRAME_SAMPLES * 1000 // SAMPLE_RATE_HZ
# One size whatever the reader's blocks are: the same arithmetic in the same order, so the same spans.
_BATCH_FRAMES = 512
# The network misses some speech in a recording that is quiet as a whole (seen at -60 dBFS).
_QUIET_DB = -40.0
_SPOKEN_DB = -20.0
_LEAST_DB = -80.0


@dataclass(frozen=True, slots=True)
class ActivitySettings:
    """How probabilities become speech.

    Attributes:
        onset: speech begins where the probability reaches this.
        offset: and ends where it stays below this for ``min_silence_ms`` (hysteresis against flicker).
        min_silence_ms: a shorter pause does not end a span.
        min_speech_ms: a shorter span is dropped (clicks, breaths).
        lead_ms: every span begins this much earlier, at most in the middle of the pause: the network answers late.
        tail_ms: and ends this much later.
        quiet_db: a span grows over sound next to it (a fricative, a breath, a dying vowel) that is at most this much
            below its loud parts…
        above_noise_db: …and this much above what is heard around it where nobody speaks…
        growth_ms: …by no more than this…
        gap_ms: …and over no pause longer than this.
    """

    onset: float = 0.5
    offset: float = 0.35
    min_silence_ms: int = 160
    min_speech_ms: int = 160
    lead_ms: int = 64
    tail_ms: int = 16
    quiet_db: float = 30.0
    above_noise_db: float = 10.0
    growth_ms: int = 300
    gap_ms: int = 32

    def __post_init__(self) -> None:
        if not 0.0 < self.offset <= self.onset < 1.0:
            raise ValueError(f"offset {self.offset} and onset {self.onset} must satisfy 0 < offset <= onset < 1")
        if min(self.min_silence_ms, self.min_speech_ms, self.lead_ms, self.tail_ms, self.growth_ms, self.gap_ms) < 0:
            raise ValueError("durations must not be negative")


def detect_speech(
    vocals: Path, *, settings: ActivitySettings | None = None, progress: Progress = no_progress
) -> list[Span]:
    """The spans of ``vocals`` in which somebody speaks, in order, without overlap.

    The file is streamed, twice if it is quiet as a whole; ``progress`` counts seconds of audio.

    Args:
        vocals: the voices, an audio file.
        settings: thresholds; None: those for speech of films.
        progress: counts seconds of audio.

    Raises:
        MediaError: the file cannot be read as audio.
    """
    with SpeechAudio(vocals) as audio:
        total_ms = audio.duration_ms
        probabilities, levels = _listen(audio, progress)
        gain_db = quiet_gain_db(levels)
        if gain_db:
            probabilities, levels = _listen(audio, no_progress, gain_db=gain_db)
    settings = settings or ActivitySettings()
    spans = speech_spans(probabilities, total_ms=total_ms, settings=settings)
    return extend_edges(spans, levels, total_ms=total_ms, settings=settings)


def quiet_gain_db(levels_db: FloatArray) -> float:
    """What to add to a recording whose loud parts are quiet; 0 for any other, and for silence.

    Args:
        levels_db: shape (audio / 8 ms,), in dB of full scale. The loud parts are the loudest hundredth.
    """
    loud_db = float(np.percentile(levels_db, 99)) if len(levels_db) else _LEAST_DB
    return _SPOKEN_DB - loud_db if _LEAST_DB < loud_db < _QUIET_DB else 0.0


def _listen(audio: SpeechAudio, progress: Progress, *, gain_db: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """The probability of speech in each 32 ms and the level of each 8 ms, after a gain."""
    gain = np.float32(10 ** (gain_db / 20))
    total_s = audio.duration_ms / 1000
    network = SileroStream()
    probabilities, levels = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    done = 0
    with closing(in_thread(_frames(audio.blocks()))) as read:
        for frames in read:
            loud = np.clip(gain * frames, -1.0, 1.0) if gain_db else frames
            probabilities.append(network.probabilities(loud))
            levels.append(_levels_db(loud))
            done += len(frames)
            progress(min(done * FRAME_MS / 1000, total_s), total_s)
    return np.concatenate(probabilities), np.concatenate(levels)


def _levels_db(frames: FloatArray) -> FloatArray:
    """Mean power of each 8 ms of frames of shape (n, 512), in dB of full scale."""
    power = np.square(frames.reshape(-1, LEVEL_SAMPLES), dtype=np.float64).mean(1)
    levels: FloatArray = (10 * np.log10(power + 1e-10)).astype(np.float32)
    return levels


def extend_edges(
    spans: Sequence[Span], levels_db: FloatArray, *, total_ms: int, settings: ActivitySettings
) -> list[Span]:
    """The spans with the quiet edges of speech that the network does not call voice; never into a neighbour.

    Args:
        spans: in order, without overlap.
        levels_db: shape (audio / 8 ms,), in dB of full scale.
        total_ms: length of the audio.
        settings: how far and how quiet.
    """
    is_speech = np.zeros(len(levels_db), bool)
    for span in spans:
        is_speech[span.start_ms // LEVEL_MS : span.end_ms // LEVEL_MS] = True
    result = []
    for k, span in enumerate(spans):
        first, last = span.start_ms // LEVEL_MS, min(span.end_ms // LEVEL_MS, len(levels_db))
        if first >= last:
            result.append(span)
            continue
        around = slice(max(0, first - _AROUND_LEVELS), last + _AROUND_LEVELS)
        silence = levels_db[around][~is_speech[around]]
        noise_db = float(np.percentile(silence, 30)) if len(silence) >= _FEWEST_LEVELS else -90.0
        least_db = max(
            float(np.percentile(levels_db[first:last], 90)) - settings.quiet_db, noise_db + settings.above_noise_db
        )
        lower_ms = (spans[k - 1].end_ms + span.start_ms) // 2 if k else 0
        upper_ms = (span.end_ms + spans[k + 1].start_ms) // 2 if k + 1 < len(spans) else total_ms
        reach = settings.growth_ms // LEVEL_MS
        before = _run(levels_db[max(0, first - reach) : first][::-1] >= least_db, settings)
        behind = _run(levels_db[last : last + reach] >= least_db, settings)
        start_ms = max(lower_ms, (first - before) * LEVEL_MS) if before else span.start_ms
        end_ms = min(upper_ms, (last + behind) * LEVEL_MS) if behind else span.end_ms
        result.append(Span(min(span.start_ms, start_ms), max(span.end_ms, end_ms)))
    return result


def _run(loud: npt.NDArray[np.bool_], settings: ActivitySettings) -> int:
    """How far sound goes on from the start, over short gaps."""
    run = gap = 0
    for k, is_loud in enumerate(loud, start=1):
        if is_loud:
            run, gap = k, 0
        else:
            gap += LEVEL_MS
            if gap > settings.gap_ms:
                break
    return run


def _frames(blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """Blocks of any length as arrays of shape (<= 512, 512); the last frame is filled up with silence."""
    batch = _BATCH_FRAMES * FRAME_SAMPLES
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) >= batch:
            yield rest[:batch].reshape(-1, FRAME_SAMPLES)
            rest = rest[batch:]
    if len(rest):
        yield np.pad(rest, (0, -len(rest) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)


def speech_spans(
    probabilities: FloatArray | Sequence[float], *, total_ms: int, settings: ActivitySettings
) -> list[Span]:
    """The spans that the probabilities of successive 32 ms frames amount to.

    Args:
        probabilities: of speech, shape (frames of 32 ms,), 0 to 1.
        total_ms: the length of the audio.
        settings: thresholds and durations.
    """
    raw = _hysteresis(probabilities, settings)
    spans = [Span(a, min(b, total_ms)) for a, b in raw if min(b, total_ms) - a >= max(1, settings.min_speech_ms)]
    return _padded(spans, total_ms=total_ms, settings=settings)


def _hysteresis(probabilities: FloatArray | Sequence[float], settings: ActivitySettings) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start: int | None = None
    quiet: int | None = None  # where the pause began that may end the span
    for i, p in enumerate(probabilities):
        now = i * FRAME_MS
        if start is None:
            if p >= settings.onset:
                start, quiet = now, None
        elif p >= settings.offset:
            quiet = None
        else:
            quiet = now if quiet is None else quiet
            if now + FRAME_MS - quiet >= settings.min_silence_ms:
                spans.append((start, quiet))
                start = None
    if start is not None:
        spans.append((start, len(probabilities) * FRAME_MS if quiet is None else quiet))
    return spans


def _padded(spans: list[Span], *, total_ms: int, settings: ActivitySettings) -> list[Span]:
    padded = []
    for i, span in enumerate(spans):
        lower = (spans[i - 1].end_ms + span.start_ms) // 2 if i else 0
        upper = (span.end_ms + spans[i + 1].start_ms) // 2 if i + 1 < len(spans) else total_ms
        padded.append(Span(max(lower, span.start_ms - settings.lead_ms), min(upper, span.end_ms + settings.tail_ms)))
    return padded
