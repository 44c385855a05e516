"""The diarizer that needs nothing beyond this installation: sliding windows, embeddings, clustering."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from video_preprocessing.speech.audio import SAMPLES_PER_MS, SpeechAudio
from video_preprocessing.speech.clustering import (
    ClusteringSettings,
    Window,
    assign_voices,
    find_voices,
    slide,
    turns_of,
)
from video_preprocessing.speech.embedding import SpeakerEmbedder
from video_preprocessing.speech.turns import numbered
from yuki_builder.records import FloatArray, Progress, Span, Turn, no_progress

_BATCH_WINDOWS = 64


class EmbeddedDiarizer:
    """Diarization by any speaker embedder; one voice at a time, overlapping speech goes to the louder one.

    Memory grows with the number of windows (1 KB each, 2.5 a second of speech), not with the audio.
    """

    name = "embedded"

    def __init__(self, embedder: SpeakerEmbedder, *, settings: ClusteringSettings | None = None) -> None:
        self._embedder = embedder
        self._settings = settings or ClusteringSettings()
        recipe = f"1 {embedder.fingerprint} {self._settings}"
        self.fingerprint = f"embedded-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"

    def diarize(self, vocals: Path, speech: Sequence[Span], *, progress: Progress = no_progress) -> list[Turn]:
        """See ``Diarizer.diarize``."""
        windows = slide(speech, self._settings)
        if not windows:
            return []
        vectors = self._embed(vocals, windows, progress)
        voices = find_voices(windows, vectors, self._settings)
        if not len(voices):
            return []
        labels = assign_voices(windows, vectors, voices, self._settings)
        return numbered(turns_of(speech, windows, labels, self._settings))

    def _embed(self, vocals: Path, windows: Sequence[Window], progress: Progress) -> FloatArray:
        """Shape (len(windows), dim)."""
        vectors = []
        with SpeechAudio(vocals) as audio:
            total_s = audio.duration_ms / 1000
            for batch in _neighbours(windows):
                vectors.append(self._embedder.embed_many(_cut(audio, batch)))
                progress(min(batch[-1].span.end_ms / 1000, total_s), total_s)
        return np.concatenate(vectors)


def _neighbours(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows of one stretch of speech, a limited number at a time."""
    for _, group in groupby(windows, key=lambda w: w.stretch):
        stretch = list(group)
        for i in range(0, len(stretch), _BATCH_WINDOWS):
            yield stretch[i : i + _BATCH_WINDOWS]


def _cut(audio: SpeechAudio, windows: Sequence[Window]) -> list[FloatArray]:
    """The audio of overlapping windows, read once."""
    origin = windows[0].span.start_ms
    wave = audio.read(Span(origin, windows[-1].span.end_ms))
    edges = [((w.span.start_ms - origin) * SAMPLES_PER_MS, (w.span.end_ms - origin) * SAMPLES_PER_MS) for w in windows]
    return [wave[start:stop] for start, stop in edges]
