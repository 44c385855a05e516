"""One name for one voice over a season, where nobody was named: the voices of all episodes, put together.

Each episode calls its own voices ``SPEAKER_01``, ``SPEAKER_02`` …; whose they are is asked of their embeddings. Two
voices of one episode are two people. The most alike are put together first, and only while the odds are for it
(complete linkage: every voice of one against every voice of the other).

That takes time and memory by the square of the number of voices. Many voices are linked in rounds instead: in each,
a group looks for its nearest neighbours, of which those that are likeliest one person are put together in pairs,
and a few voices of each group stand for it in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from yuki_builder.characters.gallery import Gallery
from yuki_builder.characters.voice_model import Array, VoiceModel
from yuki_builder.records import FloatArray

_LEAST_ODDS = 0.0  # natural logarithm: as likely one person as two
_LEAST_LINES = 2
_MOST_BY_PAIRS = 1000
"""Voices up to which every pair is weighed."""

_NEIGHBOURS = 12
_STAND_IN = 3
_AT_ONCE = 1 << 10  # pairs: what a processor's cache holds
_SEARCH_MB = 64
_MOST_BY_SEARCH = 20_000
"""Groups up to which the nearest are found exactly; of more, approximately where the extra ``large`` is installed."""


@dataclass(frozen=True, eq=False, slots=True)
class EpisodeVoice:
    """A voice that one episode has no name for.

    Attributes:
        episode_id: which.
        speaker: what the episode calls it.
        vectors: shape (n, d); embeddings of its lines.
        speech_ms: how much it says.
    """

    episode_id: str
    speaker: str
    vectors: FloatArray
    speech_ms: int


@dataclass(frozen=True, slots=True)
class _Name:
    """What is kept of a voice once its vectors are added up."""

    episode_id: str
    speaker: str
    speech_ms: int


@dataclass(frozen=True, eq=False, slots=True)
class _Voices:
    """Voices as the model sees them, one a row: the sum of their points, how many, and what is asked of them."""

    model: VoiceModel
    totals: Array
    counts: Array
    thresholds: Array

    @property
    def means(self) -> Array:
        return self.totals / self.counts[:, None]

    def odds(self, one: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> Array:
        """Calibrated log odds of pairs being one person, shape (n,), of rows ``one`` and ``other``."""
        scale, means = self.model.calibration.scale, self.means
        both = np.zeros(len(one))
        for start in range(0, len(one), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            for a, b in ((one[part], other[part]), (other[part], one[part])):
                raw = self.model.log_odds(means[a], self.totals[b], self.counts[b], clips_per_point=self.counts[a])
                both[part] += scale * raw + self.thresholds[a]
        return both / 2


def link_voices(voices: Iterable[EpisodeVoice], *, embedder: str) -> Mapping[tuple[str, str], str]:
    """A name (``VOICE_01`` …, who says most first) for each (episode, speaker); the same for the same voice.

    A voice without at least two embeddings gets a name of its own. ``embedder`` is the fingerprint of what made them.
    The vectors of one voice at a time are looked at. Which voice comes first changes nothing.
    """
    names: list[_Name] = []
    alone: list[_Name] = []
    totals, counts, thresholds = [], [], []
    model: VoiceModel | None = None
    for voice in voices:
        name = _Name(voice.episode_id, voice.speaker, voice.speech_ms)
        if len(voice.vectors) < _LEAST_LINES:
            alone.append(name)
            continue
        if model is None:
            model = Gallery.empty(embedder=embedder).model(voice.vectors.shape[1])
        names.append(name)
        totals.append(model.project(voice.vectors).sum(0))
        counts.append(float(len(voice.vectors)))
        thresholds.append(float(model.threshold(voice.vectors).mean()))
    groups = [[name] for name in alone]
    if model is not None:
        order = sorted(range(len(names)), key=lambda k: (names[k].episode_id, names[k].speaker))
        names = [names[k] for k in order]
        rows = _Voices(model, np.stack(totals)[order], np.array(counts)[order], np.array(thresholds)[order])
        by_number = {name: number for number, name in enumerate(dict.fromkeys(n.episode_id for n in names))}
        episodes = [by_number[name.episode_id] for name in names]
        joined = _by_pairs(rows, episodes) if len(names) <= _MOST_BY_PAIRS else _by_rounds(rows, episodes)
        groups += [[names[k] for k in group] for group in joined]
    groups.sort(key=lambda group: (-sum(v.speech_ms for v in group), min((v.episode_id, v.speaker) for v in group)))
    width = max(2, len(str(len(groups))))
    return {
        (voice.episode_id, voice.speaker): f"VOICE_{number:0{width}d}"
        for number, group in enumerate(groups, start=1)
        for voice in group
    }


def _by_pairs(voices: _Voices, episodes: Sequence[int]) -> list[list[int]]:
    """Groups of voices, every pair weighed, the most alike put together first."""
    n = len(episodes)
    one, other = np.triu_indices(n, 1)
    odds: Array = np.full((n, n), -np.inf)
    odds[one, other] = odds[other, one] = voices.odds(one, other)
    odds[np.equal.outer(episodes, episodes)] = -np.inf
    members = {k: [k] for k in range(n)}
    while n > 1:
        i, j = divmod(int(odds.argmax()), n)
        if odds[i, j] <= _LEAST_ODDS:
            break
        # Of two groups the worst pair counts; two voices of one episode part their groups for good.
        odds[i] = odds[:, i] = np.minimum(odds[i], odds[j])
        odds[j] = odds[:, j] = -np.inf
        members[i] += members.pop(j)
    return list(members.values())


def _by_rounds(voices: _Voices, episodes: Sequence[int]) -> list[list[int]]:
    """Groups of many voices: neighbours put together in pairs, round by round, until none are likely one person."""
    members = [[k] for k in range(len(episodes))]
    within = [{episode} for episode in episodes]
    stand_in = [[k] for k in range(len(episodes))]
    means = voices.means
    while len(members) > 1:
        centres = np.stack([means[own].mean(0) if len(own) > 1 else means[own[0]] for own in stand_in])
        pairs = [(i, j) for i, j in _neighbours(centres) if within[i].isdisjoint(within[j])]
        odds = _worst_odds(voices, stand_in, pairs)
        is_taken = [False] * len(members)
        gone = set()
        for k in np.argsort(-odds, kind="stable"):
            i, j = pairs[k]
            if odds[k] <= _LEAST_ODDS:
                break
            if not (is_taken[i] or is_taken[j]):
                is_taken[i] = is_taken[j] = True
                members[i] += members[j]
                within[i] |= within[j]
                # Those heard most, so that it stays the same whichever of the two came first.
                both = sorted({*stand_in[i], *stand_in[j]}, key=lambda row: (-voices.counts[row], row))
                stand_in[i] = both[:_STAND_IN]
                gone.add(j)
        if not gone:
            break
        left = [k for k in range(len(members)) if k not in gone]
        members, stand_in = [members[k] for k in left], [stand_in[k] for k in left]
        within = [within[k] for k in left]
    return members


def _worst_odds(voices: _Voices, stand_in: Sequence[Sequence[int]], pairs: Sequence[tuple[int, int]]) -> Array:
    """For each pair of groups the lowest odds between any two of the voices that stand for them."""
    worst = np.full(len(pairs), np.inf)
    for start in range(0, len(pairs), 1 << 16):
        part = enumerate(pairs[start : start + (1 << 16)], start)
        rows = chain.from_iterable((k, a, b) for k, (i, j) in part for a in stand_in[i] for b in stand_in[j])
        number, one, other = np.fromiter(rows, np.intp).reshape(-1, 3).T
        np.minimum.at(worst, number, voices.odds(one, other))
    return worst


def _neighbours(points: Array) -> list[tuple[int, int]]:
    """Pairs of near points, each once: every point with its nearest by the cosine."""
    unit = (points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    wanted = min(_NEIGHBOURS + 1, len(unit))
    index = _approximate(unit, wanted) if len(unit) > _MOST_BY_SEARCH else None
    if index is None:
        from sklearn import config_context
        from sklearn.neighbors import NearestNeighbors

        with config_context(working_memory=_SEARCH_MB):
            search = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(unit)
            index = search.kneighbors(return_distance=False, X=unit)
    return sorted({(min(i, j), max(i, j)) for i, near in enumerate(index.tolist()) for j in near if i != j})


def _approximate(unit: FloatArray, wanted: int) -> npt.NDArray[np.intp] | None:
    """The nearest of each point by a graph of neighbours; None where the library is not installed."""
    try:
        import hnswlib
    except ImportError:
        return None
    graph = hnswlib.Index(space="ip", dim=unit.shape[1])
    graph.init_index(max_elements=len(unit), M=16, ef_construction=100, random_seed=1)
    graph.add_items(unit, num_threads=1)  # of several threads, every run makes another graph
    graph.set_ef(64)
    found, _ = graph.knn_query(unit, k=wanted)
    nearest: npt.NDArray[np.intp] = np.sort(found.astype(np.intp), axis=1)
    return nearest
