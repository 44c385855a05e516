"""From local segmentation to voices and turns: the decisions of the embedded diarizer, free of audio.

The segmentation network names speakers anew in every window. What it says is cut into segments in which one voice
speaks alone; each gets one embedding. Segments are joined while one voice is likelier than two (or, for embedders whose
variances are not known, while they sound similar enough), less readily where windows that hold both give them different
local speakers (that two are the same is not to be relied on: with acting or music it joined voices more often than it
helped). The voices so found then take in every segment, and overlapping speech goes to the voices that the local
speakers there have elsewhere in the window.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from video_preprocessing.speech.audio import SAMPLE_RATE_HZ
from video_preprocessing.speech.embedding import unit_rows
from video_preprocessing.speech.segmentation import (
    FRAME_CENTRE_SAMPLES,
    FRAME_HOP_SAMPLES,
    LOCAL_SPEAKERS,
    POWERSET,
)
from yuki_builder.records import FloatArray, Span, Turn

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
FRAME_MS = 1000 * FRAME_HOP_SAMPLES / SAMPLE_RATE_HZ
_FIRST_EDGE_MS = 1000 * (FRAME_CENTRE_SAMPLES - FRAME_HOP_SAMPLES / 2) / SAMPLE_RATE_HZ
_APART = -1e6
_GONE = -1e9
_TOGETHER = 1e7


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How segments become voices, and voices turns.

    Attributes:
        min_segment_ms: a shorter segment has no embedding of its own.
        max_segment_ms: a longer one is cut into equal parts.
        long_ms: voices are searched among segments of at least this length (all, where there are fewer than two).
        max_searched: among so many at most, the longest ones (memory and time grow with the square).
        weight_limit_ms: a segment weighs as much as it is long, up to this.
        noisy_db: where the vocals lie less than this above what was taken away from the mix, a segment's embedding is
            the mean of both; elsewhere the vocals alone are as good, in half the time.
        other_local: taken from the similarity of two segments to which windows give different local speakers.
        same_voice: mean similarity from which two groups of segments are one voice, where ``between_to_within`` is
            None.
        between_to_within: the variance of vectors between voices, in units of that within a voice, a property of the
            embedder; two groups are one voice where that explains their segments better than two voices do. None: not
            known.
        observations_per_s: so many independent observations a second of speech counts as, then.
        least_similarity: groups with a lower mean similarity are never one voice, then.
        centre_prior_voices: what the voices found here have in common is taken away from each, as if there were so many
            more voices with nothing in common.
        min_voice_ms: a voice with less speech than this is given up, its segments go to the nearest other one.
        max_voices: never more voices than this.
        refinements: how often segments are reassigned to the nearest voice and the voices recomputed.
        local_vote: weight of the local speaker's other segments when a segment is assigned.
        max_pause_ms: a turn goes on over a pause up to this long.
        min_turn_ms: shorter turns are dropped.
    """

    min_segment_ms: int = 300
    max_segment_ms: int = 4000
    long_ms: int = 1000
    max_searched: int = 1500
    weight_limit_ms: int = 2000
    noisy_db: float = 6.0
    other_local: float = 0.3
    same_voice: float = 0.33
    between_to_within: float | None = None
    observations_per_s: float = 0.38
    least_similarity: float = 0.25
    centre_prior_voices: float = 2.0
    min_voice_ms: int = 3000
    max_voices: int = 25
    refinements: int = 3
    local_vote: float = 0.05
    max_pause_ms: int = 200
    min_turn_ms: int = 100


@dataclass(frozen=True, eq=False, slots=True)
class LocalActivity:
    """What the windows say, on one grid of frames.

    Attributes:
        starts: first frame of each window, shape (windows,).
        active: shape (windows, 589, 3): whether each local speaker speaks.
        count: shape (frames,): how many voices speak, 0 to 2.
        window: shape (frames,): the window whose middle is nearest.
    """

    starts: Ints
    active: Bools
    count: Ints
    window: Ints

    def local(self, frames: Ints, windows: Ints) -> Bools:
        """Shape (n, 3): the local speakers of some frames, each as a window of its own says."""
        return self.active[windows, frames - self.starts[windows]]


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """Frames ``start`` up to ``end`` (not included) in which one voice speaks alone."""

    start: int
    end: int

    @property
    def duration_ms(self) -> float:
        return (self.end - self.start) * FRAME_MS

    @property
    def span(self) -> Span:
        return Span(edge_ms(self.start), edge_ms(self.end))


def edge_ms(frame: int) -> int:
    """Where a frame begins."""
    return round(_FIRST_EDGE_MS + frame * FRAME_MS) if frame > 0 else 0


def frame_at(time_ms: float) -> int:
    """The frame whose beginning is nearest."""
    return max(0, round((time_ms - _FIRST_EDGE_MS) / FRAME_MS))


def join_windows(probabilities: FloatArray, starts: Ints) -> LocalActivity:
    """Windows on one grid; the number of voices in a frame is the rounded mean of what its windows say.

    Args:
        probabilities: shape (windows, frames of a window, 7).
        starts: first frame of each window, in order, without gaps between windows.
    """
    width = probabilities.shape[1]
    active = POWERSET[probabilities.argmax(axis=2)] > 0
    total = int(starts[-1]) + width
    weight = np.hamming(width + 2)[1:-1]
    count, cover = np.zeros(total), np.zeros(total)
    for start, own in zip(starts, active, strict=True):
        count[start : start + width] += weight * own.sum(axis=1)
        cover[start : start + width] += weight
    middles = starts + width / 2
    window = np.searchsorted((middles[1:] + middles[:-1]) / 2, np.arange(total)).astype(np.intp)
    return LocalActivity(starts, active, np.rint(count / cover).astype(np.intp), window)


def restrict(activity: LocalActivity, speech: Sequence[Span]) -> LocalActivity:
    """The activity inside ``speech`` only."""
    inside = np.zeros(len(activity.count), bool)
    for span in speech:
        inside[frame_at(span.start_ms) : frame_at(span.end_ms)] = True
    return LocalActivity(activity.starts, activity.active, np.where(inside, activity.count, 0), activity.window)


def single_voice_segments(
    activity: LocalActivity, settings: VoiceSettings, *, bounds_ms: Sequence[int] = ()
) -> list[Segment]:
    """Runs of frames in which one and the same local speaker speaks alone, cut at ``bounds_ms`` and where too long.

    The next window names the speakers anew: from one to the next a run goes on where the earlier window hears the same
    local speaker on both sides of the seam.

    Args:
        activity: who speaks in each frame, by windows.
        settings: how long a segment may be.
        bounds_ms: times at which segments are cut.
    """
    frames = np.arange(len(activity.count))
    local = activity.local(frames, activity.window)
    alone = (activity.count == 1) & (local.sum(axis=1) == 1)
    who = np.where(alone, activity.window * LOCAL_SPEAKERS + local.argmax(axis=1), -1)
    cut = np.r_[True, who[1:] != who[:-1]]
    for seam in np.flatnonzero(activity.window[1:] != activity.window[:-1]) + 1:
        before = activity.window[seam - 1 : seam].repeat(2)
        sides = activity.local(np.array([seam - 1, seam]), before)
        if alone[seam - 1] and alone[seam] and (sides[0] == sides[1]).all():
            cut[seam] = False
    for bound_ms in bounds_ms:
        if 0 < (frame := frame_at(bound_ms)) < len(cut):
            cut[frame] = True
    edges = np.r_[np.flatnonzero(cut), len(cut)]
    segments = []
    for start, end in itertools.pairwise(edges):
        if who[start] < 0:
            continue
        parts = -(-round((end - start) * FRAME_MS) // settings.max_segment_ms)
        steps = np.linspace(start, end, parts + 1).round().astype(int)
        segments += [Segment(int(a), int(b)) for a, b in itertools.pairwise(steps)]
    return segments


def local_relations(activity: LocalActivity, segments: Sequence[Segment]) -> csr_array:
    """What windows say of pairs of segments, shape (n, n): up to 1 the same local speaker, down to -1 different ones.

    The mean over the windows that hear both. Sparse: segments far apart share no window.
    """
    from scipy.sparse import coo_array

    n, width = len(segments), activity.active.shape[1]
    first = np.array([s.start for s in segments])
    last = np.array([s.end for s in segments])
    rows, columns, said = [], [], []
    for start, own in zip(activity.starts, activity.active, strict=True):
        inside = np.flatnonzero((last > start) & (first < start + width))
        if len(inside) < 2:
            continue
        heard = [own[max(0, first[i] - start) : last[i] - start] for i in inside]
        share = np.stack([h.mean(axis=0) for h in heard]).astype(np.float32)
        total = share.sum(axis=1, keepdims=True)
        share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        sure = np.minimum(total, 1.0)
        pair = (2 * (share @ share.T) - 1) * (sure @ sure.T)
        np.fill_diagonal(pair, 0.0)
        rows.append(np.repeat(inside, len(inside)))
        columns.append(np.tile(inside, len(inside)))
        said.append(pair.ravel())
    if not rows:
        return coo_array((n, n), dtype=np.float32).tocsr()
    where = (np.concatenate(rows), np.concatenate(columns))
    values = np.concatenate(said)
    total = coo_array((values, where), shape=(n, n)).tocsr()
    windows = coo_array((np.ones_like(values), where), shape=(n, n)).tocsr()
    total.data /= windows.data
    return total


def find_voices(
    vectors: FloatArray,
    weights: FloatArray,
    relations: csr_array,
    settings: VoiceSettings,
    *,
    names: Ints | None = None,
) -> tuple[FloatArray, Ints]:
    """The voices of segments, and which segment has which.

    Args:
        vectors: shape (n, d), rows of length 1, or zeros where nothing is heard.
        weights: shape (n,): milliseconds.
        relations: see ``local_relations``.
        settings: thresholds.
        names: shape (n,): a number for each name that is known, -1 where none is.

    Returns:
        Shape (voices, d), rows of length 1, and shape (n,): the voice of each segment, -1 where there is none at all.
    """
    names = np.full(len(vectors), -1, np.intp) if names is None else names
    heard = np.flatnonzero(vectors.any(axis=1))
    if not len(heard):
        return np.zeros((0, vectors.shape[1]), np.float32), np.full(len(vectors), -1, np.intp)
    searched = heard[weights[heard] >= settings.long_ms]
    if len(searched) < 2:
        searched = heard
    if len(searched) > settings.max_searched:
        searched = np.sort(searched[np.argsort(-weights[searched], kind="stable")[: settings.max_searched]])
    capped = np.minimum(weights, settings.weight_limit_ms).astype(np.float64)
    local = relations[searched][:, searched].toarray()
    groups = agglomerate(vectors[searched], capped[searched], local, names[searched], settings)
    spoken = np.bincount(groups, weights[searched])
    order = np.argsort(-spoken, kind="stable")
    kept = [g for g in order[: settings.max_voices] if spoken[g] >= min(settings.min_voice_ms, spoken[order[0]])]
    voices = unit_rows(
        np.stack([(vectors[searched] * capped[searched][:, None])[groups == g].sum(axis=0) for g in kept])
    )
    named = np.stack([_name_of(names[searched][groups == g]) for g in kept])
    members = np.full(len(vectors), -1, np.intp)
    for k, g in enumerate(kept):
        members[searched[groups == g]] = k
    for _ in range(settings.refinements):
        members = _assign(vectors, voices, relations, members, names, named, capped, settings)
        for k in range(len(voices)):
            own = (members == k) & (weights >= min(settings.long_ms, weights.max()))
            if own.any():
                voices[k] = unit_rows((vectors[own] * capped[own][:, None]).sum(axis=0, keepdims=True))[0]
    members = _assign(vectors, voices, relations, members, names, named, capped, settings)
    # What is too short to be heard and known of no window has the voice of the nearest segment.
    lost = np.flatnonzero(~vectors.any(axis=1) & (np.diff(relations.indptr) == 0) & (names < 0))
    members[lost] = members[heard[np.abs(lost[:, None] - heard[None]).argmin(axis=1)]]
    return voices, members


def _name_of(names: Ints) -> np.intp:
    known = names[names >= 0]
    return known[0] if len(known) else np.intp(-1)


def _assign(
    vectors: FloatArray,
    voices: FloatArray,
    relations: csr_array,
    members: Ints,
    names: Ints,
    named: Ints,
    weights: npt.NDArray[np.float64],
    settings: VoiceSettings,
) -> Ints:
    """The voice of each segment: the most similar one, where the segments of its local speaker have a say."""
    scores = (vectors @ voices.T).astype(np.float64)
    seconds = np.zeros(scores.shape)
    has_voice = np.flatnonzero(members >= 0)
    seconds[has_voice, members[has_voice]] = weights[has_voice] / 1000
    scores += settings.local_vote * np.clip(relations @ seconds, -1.0, 1.0)
    other = (names[:, None] >= 0) & (named[None] >= 0) & (names[:, None] != named[None])
    scores[other & ~other.all(axis=1, keepdims=True)] = _APART
    same = (names[:, None] >= 0) & (names[:, None] == named[None])
    scores[same] += 1.0
    return scores.argmax(axis=1).astype(np.intp)


def agglomerate(
    vectors: FloatArray, weights: npt.NDArray[np.float64], relations: FloatArray, names: Ints, settings: VoiceSettings
) -> Ints:
    """Join segments into groups of one voice each. Groups with different names are never joined.

    Where the embedder's ``between_to_within`` is known, groups are joined while one voice explains both better than two
    (a Gaussian for the voices, one for the segments of a voice: the two-covariance model), the clearest case first.
    All that is heard in one episode shares something (its sound, its way of speaking), by which voices seem alike:
    voices are found twice, the second time without what those of the first have in common.

    Otherwise the two groups of the highest mean similarity are joined while that is high enough.

    Args:
        vectors: shape (n, d), of unit length.
        weights: shape (n,), milliseconds of speech that count.
        relations: shape (n, n): what is added to the similarity of two segments.
        names: shape (n,): the number of each segment's name, -1 for none.
        settings: when joining ends.

    Returns:
        Shape (n,): the group of each segment, numbered from 0.
    """
    similarity = (vectors @ vectors.T + settings.other_local * np.minimum(relations, 0.0)).astype(np.float64)
    if settings.between_to_within is None:
        return _joined(_MeanSimilarity(similarity, weights, settings.same_voice), names)
    groups = _joined(_Likelihood(similarity, weights, vectors, settings), names)
    sums = np.zeros((groups.max() + 1, vectors.shape[1]))
    np.add.at(sums, groups, vectors * weights[:, None])
    spoken = np.bincount(groups, weights)
    heard = spoken >= min(settings.min_voice_ms, spoken.max())
    means = sums[heard] / spoken[heard, None]
    centre = means.mean(axis=0) * len(means) / (len(means) + settings.centre_prior_voices)
    return _joined(_Likelihood(similarity, weights, vectors - centre, settings), names)


class _MeanSimilarity:
    """How close groups are: by the weighted mean similarity of their segments."""

    def __init__(self, similarity: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], least: float) -> None:
        self.total = similarity * np.outer(weights, weights)
        self.weight = weights.copy()
        self.least = least

    def matrix(self) -> npt.NDArray[np.float64]:
        """Shape (n, n): of each group to each; they are joined from ``least`` on."""
        return self.total / np.outer(self.weight, self.weight)

    def row(self, i: int) -> npt.NDArray[np.float64]:
        """Shape (n,): of one group to each."""
        return np.asarray(self.total[i] / (self.weight[i] * self.weight))

    def join(self, i: int, j: int) -> None:
        self.total[i] += self.total[j]
        self.total[:, i] += self.total[:, j]
        self.weight[i] += self.weight[j]


class _Likelihood:
    """How close groups are: how much likelier their segments are of one voice than of two (logarithm, per dimension).

    A voice is a point of a Gaussian around 0 with ``between_to_within`` times the variance of its segments around it.
    Source: Brümmer and de Villiers, "The speaker partitioning problem", Odyssey 2010.
    """

    least = 0.0

    def __init__(
        self,
        similarity: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float64],
        points: npt.NDArray[np.floating],
        settings: VoiceSettings,
    ) -> None:
        assert settings.between_to_within is not None
        self.ratio = settings.between_to_within
        self.similarity = _MeanSimilarity(similarity, weights, settings.least_similarity)
        self.count = settings.observations_per_s * weights / 1000
        # Vectors have length 1, and that of the variance within and between together.
        summed = points * self.count[:, None] * np.sqrt(1 + self.ratio)
        self.products = summed @ summed.T

    def matrix(self) -> npt.NDArray[np.float64]:
        return np.stack([self.row(i) for i in range(len(self.count))])

    def row(self, i: int) -> npt.NDArray[np.float64]:
        square = self.products.diagonal()
        joined = self._evidence(self.count + self.count[i], square + square[i] + 2 * self.products[i])
        gain = joined - self._evidence(self.count, square) - self._evidence(self.count[i], square[i])
        return np.where(self.similarity.row(i) < self.similarity.least, _APART, gain)

    def join(self, i: int, j: int) -> None:
        self.similarity.join(i, j)
        self.count[i] += self.count[j]
        self.products[i] += self.products[j]
        self.products[:, i] += self.products[:, j]

    def _evidence(
        self, count: npt.NDArray[np.float64] | np.float64, square: npt.NDArray[np.float64] | np.float64
    ) -> npt.NDArray[np.float64]:
        spread = 1 + count * self.ratio
        return np.asarray(self.ratio * square / spread - np.log(spread)) / 2


def _joined(closeness: _MeanSimilarity | _Likelihood, names: Ints) -> Ints:
    """Join the two closest groups until none are close enough; shape (n,): the group of each segment, from 0."""
    n = len(names)
    apart = (names[:, None] >= 0) & (names[None] >= 0) & (names[:, None] != names[None])
    same = (names[:, None] >= 0) & (names[:, None] == names[None])
    labels, alive = np.arange(n), np.ones(n, bool)
    close = closeness.matrix()
    close[same] += _TOGETHER
    close[apart] = _APART
    np.fill_diagonal(close, _GONE)
    nearest = close.argmax(axis=1)
    closest = close[np.arange(n), nearest]
    for _ in range(n - 1):
        i = int(closest.argmax())
        j = int(nearest[i])
        if closest[i] < closeness.least:
            break
        i, j = min(i, j), max(i, j)
        closeness.join(i, j)
        apart[i] |= apart[j]
        apart[:, i] |= apart[:, j]
        same[i] |= same[j]
        same[:, i] |= same[:, j]
        alive[j] = False
        labels[labels == j] = i
        row = closeness.row(i) + _TOGETHER * same[i]
        row[apart[i]] = _APART
        row[~alive] = _GONE
        row[i] = _GONE
        close[i], close[:, i] = row, row
        close[j], close[:, j] = _GONE, _GONE
        closest[j] = _GONE
        stale = alive & ((nearest == i) | (nearest == j))
        stale[i] = True
        nearer = alive & (row > closest) & ~stale
        nearest[nearer], closest[nearer] = i, row[nearer]
        for k in np.flatnonzero(stale):
            nearest[k] = close[k].argmax()
            closest[k] = close[k, nearest[k]]
    groups: Ints = np.unique(labels, return_inverse=True)[1].astype(np.intp)
    return groups


def speaking(activity: LocalActivity, segments: Sequence[Segment], members: Ints, voices: int) -> tuple[Bools, Ints]:
    """Which voices speak in each frame.

    In a segment it is the segment's voice. Elsewhere it is those that the local speakers of the frame have in the rest
    of the window.

    Args:
        activity: who speaks in each frame, by windows.
        segments: n stretches of one speaker alone.
        members: shape (n,): the voice of each.
        voices: how many voices there are.

    Returns:
        Shape (frames, voices), with overlapping speech; and shape (frames,): the one voice of each frame that is
        heard best, -1 for none.
    """
    frames = len(activity.count)
    said = np.full(frames, -1, np.intp)
    for segment, voice in zip(segments, members, strict=True):
        said[segment.start : segment.end] = voice
    on = np.zeros((frames, voices), bool)
    has = np.flatnonzero(said >= 0)
    on[has, said[has]] = True
    best = said.copy()
    width = activity.active.shape[1]
    for number, (start, own) in enumerate(zip(activity.starts, activity.active, strict=True)):
        open_ = np.flatnonzero((activity.window == number) & (activity.count > 0) & (said < 0))
        if not len(open_):
            continue
        inside = said[start : start + width]
        votes = np.zeros((LOCAL_SPEAKERS, voices))
        for k in range(LOCAL_SPEAKERS):
            votes[k] = np.bincount(inside[own[:, k] & (inside >= 0)], minlength=voices)
        for frame in open_:
            local = np.flatnonzero(own[frame - start])
            if not len(local):
                local = np.arange(LOCAL_SPEAKERS)
            order = local[np.argsort(-votes[local].max(axis=1), kind="stable")]
            free = np.ones(voices, bool)
            for k in order[: activity.count[frame]]:
                mine = np.where(free, votes[k], -1.0)
                voice = int(mine.argmax())
                if mine[voice] > 0:
                    on[frame, voice] = True
                    free[voice] = False
                    if best[frame] < 0:
                        best[frame] = voice
    return on, best


def turns_from(on: Bools, settings: VoiceSettings) -> list[Turn]:
    """The turns of each voice; short pauses are spoken over, shorter turns left out. In order of time."""
    turns = []
    for voice in range(on.shape[1]):
        change = np.diff(np.r_[0, on[:, voice].astype(np.int8), 0])
        runs: list[list[int]] = []
        for start, end in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True):
            if runs and (start - runs[-1][1]) * FRAME_MS <= settings.max_pause_ms:
                runs[-1][1] = int(end)
            else:
                runs.append([int(start), int(end)])
        turns += [
            Turn(edge_ms(first), edge_ms(last), str(voice))
            for first, last in runs
            if (last - first) * FRAME_MS >= settings.min_turn_ms
        ]
    return sorted(turns)
