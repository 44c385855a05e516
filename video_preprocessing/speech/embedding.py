"""Voices as vectors: what a speaker embedder is, and what embedders share. Which there are is in ``embedders``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np

from yuki_builder.records import FloatArray

MIN_FRAMES = 100
"""Features of shorter speech are repeated to this many frames (1 s): a network sees what it was trained on."""

MAX_FRAMES = 800
"""Longer speech is cut into equal parts of at most this many frames (8 s); the vector is their mean."""

_GRID_FRAMES = 20
_BATCH_FRAMES = 1200
_BATCH_MS = 420_000
_SILENCE_RMS = 1e-5  # -100 dB: below the last bit of 16-bit audio


_T = TypeVar("_T")


class SpeakerEmbedder(Protocol):
    """Turns a waveform into a vector that says whose voice it is."""

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same audio could get other vectors."""
        ...

    def embed(self, waveform: FloatArray) -> FloatArray:
        """The voice of one waveform.

        Args:
            waveform: shape (samples,), 16 kHz mono.

        Returns:
            Shape (dim,), float32, length 1; all zeros where the waveform is silent.
        """
        ...

    def embed_many(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        """``embed`` of each waveform, shape (n, dim); faster than one by one."""
        ...


def prepare(waveform: FloatArray) -> FloatArray:
    """The waveform within full scale, what is no number as silence; empty where all of it is silent."""
    wave: FloatArray = np.clip(np.nan_to_num(waveform, nan=0.0), -1.0, 1.0).astype(np.float32)
    rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if len(wave) else 0.0
    return wave if rms >= _SILENCE_RMS else np.zeros(0, np.float32)


def equal_parts(features: FloatArray) -> list[FloatArray]:
    """Features of shape (frames, bins) as parts of one of few lengths, so that many fit into one batch.

    Short ones are repeated, long ones cut; what is missing to the next length is taken from the part's own start.
    """
    if not len(features):
        return []
    count = -(-len(features) // MAX_FRAMES)
    edges = np.linspace(0, len(features), count + 1).astype(int)
    parts = []
    for start, stop in itertools.pairwise(edges):
        frames = max(MIN_FRAMES, -(-(stop - start) // _GRID_FRAMES) * _GRID_FRAMES)
        parts.append(np.resize(features[start:stop], (frames, features.shape[1])))  # numpy's resize repeats
    return parts


def batches_by_duration(items: Iterable[_T], duration_ms: Callable[[_T], float]) -> Iterator[list[_T]]:
    """Items in order, so many at a time as ``embed_many`` is fast with and memory bears: seven minutes of audio.

    Among fewer items, fewer are of one length, and the network hears them one by one.
    """
    batch: list[_T] = []
    total_ms = 0.0
    for item in items:
        batch.append(item)
        total_ms += duration_ms(item)
        if total_ms >= _BATCH_MS:
            yield batch
            batch, total_ms = [], 0.0
    if batch:
        yield batch


def batches_by_length(parts: Sequence[FloatArray]) -> Iterator[list[int]]:
    """Indices of parts that go through a network together: of one length, a limited number of frames in all."""
    order = sorted(range(len(parts)), key=lambda i: len(parts[i]))
    batch: list[int] = []
    for i in order:
        full = batch and (len(batch) + 1) * len(parts[i]) > _BATCH_FRAMES
        if batch and (full or len(parts[i]) != len(parts[batch[0]])):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def mean_of_parts(
    per_waveform: Sequence[Sequence[FloatArray]],
    forward: Callable[[list[list[FloatArray]]], Iterable[FloatArray]],
    dim: int,
) -> FloatArray:
    """One vector per waveform from the vectors of its parts.

    Args:
        per_waveform: for each waveform its parts, shape (frames, bins) or (samples,) each.
        forward: a network: batches of parts of equal shape to a vector for each part, shape (n, dim) a batch.
        dim: length of a vector.

    Returns:
        Shape (waveforms, dim), rows of length 1, or zeros where a waveform has no parts.
    """
    owners = [k for k, parts in enumerate(per_waveform) for _ in parts]
    flat = [part for parts in per_waveform for part in parts]
    sums = np.zeros((len(per_waveform), dim), np.float64)
    batches = list(batches_by_length(flat))
    found = forward([[flat[i] for i in batch] for batch in batches])
    for batch, vectors in zip(batches, found, strict=True):
        np.add.at(sums, [owners[i] for i in batch], unit_rows(np.nan_to_num(vectors, nan=0.0).astype(np.float64)))
    return unit_rows(sums)


def unit_rows(vectors: np.ndarray) -> FloatArray:
    """Rows scaled to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0).astype(np.float32)
