"""The diarizer that needs nothing beyond this installation: local segmentation, speaker embeddings, clustering."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TypeVar

import numpy as np

from video_preprocessing.levels import level_over_rest_db
from video_preprocessing.speech.audio import SAMPLES_PER_MS, SpeechAudio
from video_preprocessing.speech.embedders import between_to_within, same_voice
from video_preprocessing.speech.embedding import SpeakerEmbedder, batches_by_duration, unit_rows
from video_preprocessing.speech.local_voices import (
    Ints,
    LocalActivity,
    Segment,
    VoiceSettings,
    find_voices,
    join_windows,
    local_relations,
    restrict,
    single_voice_segments,
    speaking,
    turns_from,
)
from video_preprocessing.speech.segmentation import (
    FRAME_HOP_SAMPLES,
    WINDOW_SAMPLES,
    SegmentationNetwork,
    load_segmentation,
    segmentation_fingerprint,
)
from video_preprocessing.speech.turns import NamedSpan, numbered
from yuki_builder.records import FloatArray, Progress, Span, Turn, no_progress
from yuki_builder.threads import in_thread

HOP_FRAMES = 296
"""Windows begin every 5 s; two hear each moment."""

_T = TypeVar("_T")
_BATCH_WINDOWS = 64
_TARGET_RMS = 0.05
_LEAST_RMS = 1e-4  # -80 dB: what is quieter is not brought up


class EmbeddedDiarizer:
    """Diarization with overlapping speech, by segmentation-3.0 and any speaker embedder.

    Memory grows by 12 MB an hour of audio, and by the square of the number of segments, up to ``max_searched``.

    Args:
        embedder: what tells voices apart.
        settings: thresholds and limits; None: those that were chosen for this embedder.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    name = "embedded"

    def __init__(
        self, embedder: SpeakerEmbedder, *, settings: VoiceSettings | None = None, device: str = "auto"
    ) -> None:
        self._embedder = embedder
        self._settings = settings or settings_for(embedder.name)
        self._device = device
        self._network: SegmentationNetwork | None = None
        recipe = f"5 {embedder.fingerprint} {segmentation_fingerprint()} {HOP_FRAMES} {self._settings}"
        self.fingerprint = f"embedded-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"

    def diarize(
        self,
        vocals: Path,
        speech: Sequence[Span],
        *,
        progress: Progress = no_progress,
        named: Sequence[NamedSpan] = (),
        mix: Path | None = None,
    ) -> list[Turn]:
        """See ``Diarizer.diarize``. Segments in which much was taken away from the mix are heard in both."""
        if not speech:
            return []
        settings = self._settings
        with SpeechAudio(vocals) as audio, nullcontext() if mix is None else SpeechAudio(mix) as mixture:
            total_s = audio.duration_ms / 1000
            heard = self._segment(audio, lambda share: progress(total_s * share / 2, total_s))
            if heard is None:
                return []
            activity = restrict(heard, speech)
            bounds_ms = sorted(
                {edge for span in (*speech, *(n.span for n in named)) for edge in (span.start_ms, span.end_ms)}
            )
            segments = single_voice_segments(activity, settings, bounds_ms=bounds_ms)
            vectors = self._embed(audio, mixture, segments, lambda share: progress(total_s * (1 + share) / 2, total_s))
        weights = np.array([s.duration_ms for s in segments], np.float32)
        names = names_of(segments, named)
        voices, members = find_voices(vectors, weights, local_relations(activity, segments), settings, names=names)
        if not len(voices):
            return []
        on, _ = speaking(activity, segments, members, len(voices))
        return numbered(turns_from(on, settings))

    def _segment(self, audio: SpeechAudio, progress: Callable[[float], None]) -> LocalActivity | None:
        """What the network hears in windows that overlap by half; None where there is no audio."""
        self._network = self._network or load_segmentation(device=self._device)
        probabilities = []
        total = max(1, audio.duration_ms * SAMPLES_PER_MS)
        done = 0
        with closing(in_thread(_batches(_windows(audio), _BATCH_WINDOWS), depth=1)) as read:
            for batch in read:
                probabilities.append(self._network.probabilities(np.stack(batch)))
                done += len(batch)
                progress(min(1.0, done * HOP_FRAMES * FRAME_HOP_SAMPLES / total))
        if not probabilities:
            return None
        starts = np.arange(done, dtype=np.intp) * HOP_FRAMES
        return join_windows(np.concatenate(probabilities), starts)

    def _embed(
        self,
        vocals: SpeechAudio,
        mix: SpeechAudio | None,
        segments: Sequence[Segment],
        progress: Callable[[float], None],
    ) -> FloatArray:
        """Shape (n, dim), rows of length 1; zeros for segments that are too short, or silent."""
        vectors = np.zeros((len(segments), self._embedder.dim), np.float32)
        least_ms = self._settings.min_segment_ms
        long = [i for i, s in enumerate(segments) if s.duration_ms >= least_ms] or list(range(len(segments)))
        done = 0
        batches = batches_by_duration(long, lambda i: segments[i].duration_ms)
        reading = ((len(batch), *self._read(vocals, mix, segments, batch)) for batch in batches)
        with closing(in_thread(reading, depth=1)) as read:
            for count, rows, waves in read:
                np.add.at(vectors, rows, self._embedder.embed_many(waves))
                done += count
                progress(done / len(long))
        progress(1.0)
        return unit_rows(vectors)

    def _read(
        self, vocals: SpeechAudio, mix: SpeechAudio | None, segments: Sequence[Segment], batch: Sequence[int]
    ) -> tuple[list[int], list[FloatArray]]:
        """The audio of some segments and whose it is; twice, from both signals, where there is noise."""
        rows, waves = list(batch), [vocals.read(segments[i].span) for i in batch]
        if mix is not None:
            heard = [(i, voice, mix.read(segments[i].span)) for i, voice in zip(batch, waves, strict=True)]
            noisy = [(i, m) for i, v, m in heard if level_over_rest_db(v, m) < self._settings.noisy_db]
            rows += [i for i, _ in noisy]
            waves += [m for _, m in noisy]
        return rows, waves


def settings_for(embedder: str) -> VoiceSettings:
    """The settings for an embedder, by its name."""
    return VoiceSettings(same_voice=same_voice(embedder), between_to_within=between_to_within(embedder))


def _windows(audio: SpeechAudio) -> Iterator[FloatArray]:
    """Windows of ten seconds, one every five, at one level; the last one is filled up with silence."""
    step = HOP_FRAMES * FRAME_HOP_SAMPLES
    rest = np.zeros(0, np.float32)
    first = True
    for block in audio.blocks():
        rest = np.concatenate([rest, block])
        while len(rest) >= WINDOW_SAMPLES:
            yield _levelled(rest[:WINDOW_SAMPLES])
            rest = rest[step:]
            first = False
    # What is left has been heard already but for what follows the last window.
    if len(rest) > (0 if first else WINDOW_SAMPLES - step):
        yield _levelled(np.pad(rest, (0, WINDOW_SAMPLES - len(rest))))


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def _levelled(window: FloatArray) -> FloatArray:
    """The window at one level: the network's own normalisation leaves quiet recordings quiet."""
    rms = float(np.sqrt(np.mean(np.square(window, dtype=np.float64))))
    levelled: FloatArray = window * np.float32(_TARGET_RMS / max(rms, _LEAST_RMS))
    return levelled


def names_of(segments: Sequence[Segment], named: Sequence[NamedSpan]) -> Ints:
    """A number for the name of each segment that lies in a named span for the most part; -1 for the others.

    A segment that spans of two names share for more than a fifth each has none.
    """
    numbers: dict[str, int] = {}
    names = np.full(len(segments), -1, np.intp)
    starts = np.array([n.span.start_ms for n in named])
    ends = np.array([n.span.end_ms for n in named])
    for i, segment in enumerate(segments):
        shared: dict[str, int] = {}
        for k in np.flatnonzero((starts < segment.span.end_ms) & (ends > segment.span.start_ms)).tolist():
            name = named[k].name
            shared[name] = shared.get(name, 0) + named[k].span.overlap_ms(segment.span)
        claims = sorted(shared.items(), key=lambda item: -item[1])
        if not claims or claims[0][1] < 0.5 * segment.duration_ms:
            continue
        if len(claims) > 1 and claims[1][1] > 0.2 * segment.duration_ms:
            continue
        names[i] = numbers.setdefault(claims[0][0], len(numbers))
    return names
