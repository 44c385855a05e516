"""One vector per line or clip: which audio goes in, and the reading of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_preprocessing.speech.audio import SpeechAudio
from video_preprocessing.speech.embedding import SpeakerEmbedder, batches_by_duration, unit_rows
from yuki_builder.records import FloatArray, Progress, Span, SpeakerEmbeddings, no_progress
from yuki_builder.spans import parts_within
from yuki_builder.threads import in_thread

MIN_MS = 400
"""Less audio than this says nothing of a voice."""

MAX_MS = 20_000
"""More audio than this adds nothing; the first part is taken."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The audio that stands for one key: pieces in order, and how much of them is speech."""

    key: str
    pieces: tuple[Span, ...]
    speech_ms: int


def embed_spans(
    vocals: Path,
    spans: Mapping[str, Span | Sequence[Span]],
    speech: Sequence[Span],
    embedder: SpeakerEmbedder,
    *,
    progress: Progress = no_progress,
) -> SpeakerEmbeddings:
    """The voice of each span, from the speech within it.

    Args:
        vocals: an audio file; separated vocals, or a clip of one voice.
        spans: by key, one or several in order; may overlap those of other keys and reach beyond the file.
        speech: where somebody speaks in ``vocals``, in order, without overlap.
        embedder: see ``load_embedder``.
        progress: counts spans.

    Returns:
        The keys of ``spans`` in their order, without those that are too short or silent. A vector depends on
        its own span only.

    Raises:
        MediaError: the file cannot be read as audio.
    """
    rows: dict[str, tuple[FloatArray, int]] = {}
    with SpeechAudio(vocals) as audio:
        whole = Span(0, audio.duration_ms)
        places = {key: [span] if isinstance(span, Span) else list(span) for key, span in spans.items()}
        inside = {key: [_within(span, whole) for span in own] for key, own in places.items()}
        excerpts = [e for key, own in inside.items() if (e := choose_excerpt(key, own, speech))]
        excerpts.sort(key=lambda e: (e.pieces, e.key))  # the file is read front to back
        done = len(spans) - len(excerpts)
        batches = batches_by_duration(excerpts, lambda e: sum(p.duration_ms for p in e.pieces))
        reading = ((b, [np.concatenate([audio.read(p) for p in e.pieces]) for e in b]) for b in batches)
        with closing(in_thread(reading, depth=1)) as read:
            for batch, waves in read:
                vectors = embedder.embed_many(waves)
                rows.update((e.key, (v, e.speech_ms)) for e, v in zip(batch, vectors, strict=True) if v.any())
                done += len(batch)
                progress(done, len(spans))
    keys = tuple(key for key in spans if key in rows)
    vectors = np.stack([rows[key][0] for key in keys]) if keys else np.zeros((0, embedder.dim), np.float32)
    return SpeakerEmbeddings(keys, vectors, tuple(rows[key][1] for key in keys))


def join_signals(by_signal: Mapping[str, SpeakerEmbeddings]) -> SpeakerEmbeddings:
    """One vector per key from those of several signals of the same moments: the direction of their sum.

    Measured on acted and read speech under music, the sum names as many lines as the better of vocals and mix at every
    level, and which of them is the better changes with the level (benchmarks/README.md).

    Args:
        by_signal: for each signal (``vocals``, ``mix``) the embeddings of its spans.

    Returns:
        Every key that any signal has, in the order of the first signal that has it. ``signals`` keeps the parts.
    """
    keys = tuple(dict.fromkeys(key for part in by_signal.values() for key in part.keys))
    dim = max((part.vectors.shape[1] for part in by_signal.values()), default=0)
    row_of = {key: row for row, key in enumerate(keys)}
    signals: dict[str, FloatArray] = {}
    speech_ms = [0] * len(keys)
    for name, part in by_signal.items():
        vectors = np.zeros((len(keys), dim), np.float32)
        for key, vector, ms in zip(part.keys, part.vectors, part.speech_ms, strict=True):
            vectors[row_of[key]] = vector
            speech_ms[row_of[key]] = max(speech_ms[row_of[key]], ms)
        signals[name] = vectors
    total = sum(signals.values(), start=np.zeros((len(keys), dim), np.float32))
    return SpeakerEmbeddings(keys, unit_rows(total), tuple(speech_ms), signals if len(signals) > 1 else {})


def choose_excerpt(key: str, spans: Sequence[Span], speech: Sequence[Span]) -> Excerpt | None:
    """The audio to embed for ``spans``: the speech within, or all of them where that is too little, or None.

    Args:
        key: whose audio it is.
        spans: where that person speaks, by subtitles.
        speech: where anybody speaks, by time.
    """
    pieces = [piece for span in spans for piece in parts_within(span, speech)]
    speech_ms = sum(p.duration_ms for p in pieces)
    if speech_ms >= MIN_MS:
        pieces = _first(pieces, MAX_MS)
        return Excerpt(key, tuple(pieces), sum(p.duration_ms for p in pieces))
    if sum(span.duration_ms for span in spans) >= MIN_MS:
        return Excerpt(key, tuple(_first([span for span in spans if span.duration_ms], MAX_MS)), speech_ms)
    return None


def _first(pieces: Sequence[Span], limit_ms: int) -> list[Span]:
    kept = []
    for piece in pieces:
        if limit_ms <= 0:
            break
        kept.append(Span(piece.start_ms, min(piece.end_ms, piece.start_ms + limit_ms)))
        limit_ms -= piece.duration_ms
    return kept


def _within(span: Span, whole: Span) -> Span:
    start = min(max(span.start_ms, whole.start_ms), whole.end_ms)
    return Span(start, max(start, min(span.end_ms, whole.end_ms)))
