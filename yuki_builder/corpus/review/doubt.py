"""Which line to look at next: the one whose answer tells most about the others. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from yuki_builder.corpus.tables.edits_csv import NOBODY
from yuki_builder.records import FloatArray, Line

_SAME_VOICE = 0.5  # how often two lines that the diarization gives to one voice are of one voice
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class LineVoices:
    """Speaker embeddings of an episode's lines: ``keys`` their ids, ``vectors`` of shape (n, d), rows of length 1."""

    keys: tuple[str, ...]
    vectors: FloatArray

    def without(self, line_ids: Collection[str]) -> LineVoices:
        """The others."""
        rows = [row for row, key in enumerate(self.keys) if key not in line_ids]
        if len(rows) == len(self.keys):
            return self
        return LineVoices(tuple(self.keys[row] for row in rows), self.vectors[rows])


def gains(lines: Sequence[Line], voices: LineVoices | None, *, decided: Mapping[str, bool]) -> list[float]:
    """For each line of an episode how many lines its answer is expected to set right.

    A line's own doubt is ``1 - confidence``; a decided line has none. What is said of it tells of the other lines of
    its voice too: of those with a similar embedding, and, less surely, of those that the diarization gives to the same
    voice.
    A line without an embedding teaches nothing of that kind.

    Args:
        lines: those of one episode.
        voices: the embeddings of its lines, where there are any.
        decided: the ids of lines that somebody decided about.

    Returns:
        As many as there are lines; 0 for those that are decided.
    """
    if not lines:
        return []
    doubt = np.array([0.0 if decided.get(x.line_id) else 1.0 - x.confidence for x in lines], np.float32)
    row_of = {} if voices is None else {key: row for row, key in enumerate(voices.keys)}
    heard = [k for k, line in enumerate(lines) if line.line_id in row_of]
    total = doubt.copy()
    if voices is not None and heard:
        vectors = voices.vectors[[row_of[lines[k].line_id] for k in heard]]
        vectors = _centred(vectors)
        named = sorted({line.speaker for line in lines if line.speaker})
        number_of: dict[str | None, int] = {None: 0, **{speaker: number for number, speaker in enumerate(named, 1)}}
        speakers = np.array([number_of[lines[k].speaker] for k in heard])
        of_others = doubt[heard]
        for first in range(0, len(heard), _CHUNK):
            rows = slice(first, first + _CHUNK)
            similar = np.clip(vectors[rows] @ vectors.T, 0.0, 1.0) ** 2
            same = (speakers[rows, None] == speakers[None]) & (speakers[rows, None] != 0)
            shared = np.maximum(similar, _SAME_VOICE * same)
            places = np.arange(len(heard))[rows]
            shared[np.arange(len(places)), places] = 0.0
            total[[heard[p] for p in places]] += shared @ of_others
    gain = np.where(doubt > 0, doubt * total, 0.0)
    return [float(g) for g in gain]


def _centred(vectors: FloatArray) -> FloatArray:
    """Around the episode's mean, which is its room, codec and language; of length 1."""
    moved = vectors - vectors.mean(0)
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)


def likeliest(line: Line, nearby: Sequence[Line], cast: Sequence[str], *, most: int = 9) -> list[str]:
    """The names that a person most likely gives to a line, likeliest first: its own, its evidence's, its neighbours'.

    Args:
        line: the line.
        nearby: lines before and after it, the nearest first.
        cast: all characters, the most talkative first.
        most: so many at most.
    """
    names = [line.character] if line.character else []
    names += [e.character for e in sorted(line.evidence, key=lambda e: -e.weight) if e.character != NOBODY]
    names += [other.character for other in nearby if other.character]
    return list(dict.fromkeys([*names, *cast]))[:most]


def halves(voices: LineVoices, line_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of one voice parted into two groups by their embeddings (2-means), each from its middle outwards.

    Lines without an embedding are in neither. The larger group comes first.
    """
    row_of = {key: row for row, key in enumerate(voices.keys)}
    heard = [line_id for line_id in line_ids if line_id in row_of]
    if len(heard) < 2:
        return heard, []
    vectors = voices.vectors[[row_of[line_id] for line_id in heard]].astype(np.float64)
    middle = vectors.mean(0)
    one = int((vectors @ middle).argmin())
    other = int((vectors @ vectors[one]).argmin())
    centres = vectors[[one, other]]
    belongs = (vectors @ centres.T).argmax(1)
    for _ in range(20):
        if len(set(belongs.tolist())) < 2:
            break
        centres = np.stack([vectors[belongs == k].mean(0) for k in (0, 1)])
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
        moved = (vectors @ centres.T).argmax(1)
        if (moved == belongs).all():
            break
        belongs = moved
    groups = []
    for k in (0, 1):
        near = vectors @ centres[k]
        groups.append([heard[i] for i in sorted(np.flatnonzero(belongs == k), key=lambda i: (-near[i], heard[i]))])
    first, second = sorted(groups, key=lambda group: -len(group))
    return first, second
