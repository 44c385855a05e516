"""Which windows of speech share a voice: the decisions of the embedded diarizer, free of audio.

Windows slide over each stretch of speech; a window is a vector of length 1 (zeros: no voice heard). Deciding
how many voices there are is the hard part, because the similarity of two windows of one voice falls with
noise, from 0.80 on a clean telephone line to 0.62 under music. So windows are first put into small, pure
clusters, and two clusters are then joined by a figure that noise cancels out of: how similar they are to
each other, relative to how similar each is to itself. Two windows count for that only if they share no audio.

The thresholds were chosen on conversations of 1 to 30 LibriSpeech voices over music 5 to 20 dB below, as mixed
and isolated, and on a telephone call; results are level from 0.93 to 0.96 for the joining and from 0.15 to 0.30
for the first clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from video_preprocessing.speech.embedding import unit_rows
from yuki_builder.records import FloatArray, Span, Turn

Labels = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ClusteringSettings:
    """How windows become voices, and voices turns.

    Attributes:
        window_ms, hop_ms: the sliding windows; a shorter stretch of speech is one window.
        min_window_ms: shorter windows do not help to find the voices, but are given one.
        unstable_share: the share of windows left out when voices are searched because what is before their
            middle differs most from what is after it: somebody else may have begun to speak.
        max_windows: so many windows at most, evenly spaced, are searched for voices (memory grows with the square).
        first_distance: cosine distance up to which windows form the first clusters (average linkage).
        max_clusters: and up to so many, where noise keeps windows further apart.
        same_voice: relative similarity from which two clusters are one voice…
        benefit_of_doubt: …lowered by this over the root of the number of windows in the smaller one: the fewer
            there are, the less their similarity is known.
        min_voice_ms: a voice with less speech than this is given up, its windows go to the nearest other one.
        refinements: how often windows are reassigned to the nearest voice and the voices recomputed.
        certainty: weight of a window's similarity against the costs of changing voice.
        change_cost, change_cost_after_pause: within a stretch of speech, and from one to the next.
        max_pause_ms: a turn goes on over a pause up to this long.
    """

    window_ms: int = 1600
    hop_ms: int = 400
    min_window_ms: int = 1000
    unstable_share: float = 0.4
    max_windows: int = 2000
    first_distance: float = 0.2
    max_clusters: int = 400
    same_voice: float = 0.945
    benefit_of_doubt: float = 0.15
    min_voice_ms: int = 3000
    refinements: int = 2
    certainty: float = 20.0
    change_cost: float = 2.0
    change_cost_after_pause: float = 0.5
    max_pause_ms: int = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of speech short enough to hold one voice; ``stretch`` numbers the span of speech it lies in."""

    span: Span
    stretch: int

    @property
    def middle_ms(self) -> float:
        return (self.span.start_ms + self.span.end_ms) / 2


def slide(speech: Sequence[Span], settings: ClusteringSettings) -> list[Window]:
    """Windows over each span of speech, evenly spaced from its start to its end."""
    windows = []
    for stretch, span in enumerate(speech):
        beyond = max(0, span.duration_ms - settings.window_ms)
        steps = -(-beyond // settings.hop_ms)
        for i in range(steps + 1):
            start = span.start_ms + (round(i * beyond / steps) if steps else 0)
            windows.append(Window(Span(start, min(start + settings.window_ms, span.end_ms)), stretch))
    return windows


def find_voices(windows: Sequence[Window], vectors: FloatArray, settings: ClusteringSettings) -> FloatArray:
    """The voices that speak.

    Args:
        windows: in order of time.
        vectors: shape (len(windows), d).

    Returns:
        Shape (voices, d), rows of length 1; no rows where no window holds a voice.
    """
    searched = _worth_searching(windows, vectors, settings)
    if not len(searched):
        return np.zeros((0, vectors.shape[1]), np.float32)
    x = vectors[searched]
    middles = np.array([windows[i].middle_ms for i in searched])
    labels = _join(_first_clusters(x, settings), x, middles, settings)
    voices = _centroids(x, labels)
    spoken = [_covered_ms([windows[i].span for i in searched[labels == k]]) for k in range(len(voices))]
    voices = voices[np.array(spoken) >= min(settings.min_voice_ms, max(spoken))]
    for _ in range(settings.refinements):
        voices = _centroids(x, (x @ voices.T).argmax(axis=1))
    return voices


def assign_voices(
    windows: Sequence[Window], vectors: FloatArray, voices: FloatArray, settings: ClusteringSettings
) -> Labels:
    """The most likely voice of each window, shape (len(windows),): similar to it, without needless changes.

    The best path through the similarities (Viterbi), where a change costs less after a pause.
    """
    scores = settings.certainty * (vectors @ voices.T).astype(np.float64)
    came_from = np.zeros(scores.shape, np.intp)
    best = scores[0]
    for i in range(1, len(windows)):
        paused = windows[i].stretch != windows[i - 1].stretch
        changed = best.max() - (settings.change_cost_after_pause if paused else settings.change_cost)
        came_from[i] = np.where(best >= changed, np.arange(len(voices)), best.argmax())
        best = np.maximum(best, changed) + scores[i]
    path = [int(best.argmax())]
    for i in range(len(windows) - 1, 0, -1):
        path.append(int(came_from[i, path[-1]]))
    return np.array(path[::-1], np.intp)


def turns_of(
    speech: Sequence[Span], windows: Sequence[Window], labels: Labels, settings: ClusteringSettings
) -> list[Turn]:
    """The turns that labelled windows amount to; a voice changes half-way between two windows."""
    turns: list[Turn] = []
    for i, window in enumerate(windows):
        span = speech[window.stretch]
        goes_on = i + 1 < len(windows) and windows[i + 1].stretch == window.stretch
        follows = i > 0 and windows[i - 1].stretch == window.stretch
        start = round((windows[i - 1].middle_ms + window.middle_ms) / 2) if follows else span.start_ms
        end = round((window.middle_ms + windows[i + 1].middle_ms) / 2) if goes_on else span.end_ms
        speaker = str(labels[i])
        if turns and turns[-1].speaker == speaker and start - turns[-1].end_ms <= settings.max_pause_ms:
            turns[-1] = Turn(turns[-1].start_ms, end, speaker)
        else:
            turns.append(Turn(start, end, speaker))
    return turns


_SAME_AUDIO = 0.99
"""Similarity that two windows reach only if they hold the same audio; two of one voice stay below 0.95."""


def _worth_searching(windows: Sequence[Window], vectors: FloatArray, settings: ClusteringSettings) -> Labels:
    """Indices of the windows among which voices are searched."""
    heard = vectors.any(axis=1)
    long = np.array([w.span.duration_ms >= settings.min_window_ms for w in windows], bool)
    chosen = heard & long if (heard & long).any() else heard
    stability = _stability(windows, vectors, settings)
    judged = chosen & np.isfinite(stability)
    if judged.any():
        chosen &= ~judged | (stability >= np.quantile(stability[judged], settings.unstable_share))
    indices = np.flatnonzero(chosen)
    if len(indices) > settings.max_windows:
        indices = indices[np.linspace(0, len(indices) - 1, settings.max_windows).round().astype(np.intp)]
    # Audio that comes twice (a recap, a song) is not heard twice: a chance likeness would pass for a voice.
    again = np.triu(vectors[indices] @ vectors[indices].T > _SAME_AUDIO, k=1).any(axis=0)
    return indices[~again]


def _stability(windows: Sequence[Window], vectors: FloatArray, settings: ClusteringSettings) -> FloatArray:
    """How similar the windows half a window before and after each one are; NaN at the ends of a stretch."""
    reach = max(1, round(settings.window_ms / 2 / settings.hop_ms))
    stability = np.full(len(windows), np.nan, np.float32)
    for i in range(reach, len(windows) - reach):
        if windows[i - reach].stretch == windows[i + reach].stretch:
            stability[i] = vectors[i - reach] @ vectors[i + reach]
    return stability


def _first_clusters(x: FloatArray, settings: ClusteringSettings) -> Labels:
    if len(x) < 2:
        return np.zeros(len(x), np.intp)
    from sklearn.cluster import AgglomerativeClustering

    method = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=settings.first_distance
    )
    labels: Labels = method.fit_predict(x)
    if labels.max() >= settings.max_clusters:
        method.set_params(n_clusters=settings.max_clusters, distance_threshold=None)
        labels = method.fit_predict(x)
    return labels


# Expected similarity of two windows of one voice where none are apart enough to measure it.
_USUAL_SIMILARITY = 0.72
# A cluster's own similarity to itself counts in full from about this many pairs of windows.
_PAIRS_TO_TRUST = 50


def _join(labels: Labels, x: FloatArray, middles: npt.NDArray[np.float64], settings: ClusteringSettings) -> Labels:
    """Join clusters, the most similar first, while a pair is as similar to each other as each to itself."""
    member = np.eye(labels.max() + 1)[labels]
    apart = np.abs(middles[:, None] - middles[None]) >= settings.window_ms
    totals = member.T @ ((x @ x.T) * apart) @ member
    pairs = member.T @ apart @ member
    sizes = member.sum(axis=0)
    names = np.arange(len(totals))
    while len(totals) > 1:
        likeness = _relative_similarity(totals, pairs)
        likeness += settings.benefit_of_doubt / np.sqrt(np.minimum(sizes[:, None], sizes[None]))
        i, j = sorted(np.unravel_index(likeness.argmax(), likeness.shape))
        if likeness[i, j] < settings.same_voice:
            break
        sizes[i] += sizes[j]
        sizes = np.delete(sizes, j)
        for matrix in (totals, pairs):
            matrix[i] += matrix[j]
            matrix[:, i] += matrix[:, j]
        totals, pairs = (np.delete(np.delete(m, j, axis=0), j, axis=1) for m in (totals, pairs))
        names[names == j] = i
        names[names > j] -= 1
    joined: Labels = names[labels]
    return joined


def _relative_similarity(totals: npt.NDArray[np.float64], pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean similarity between clusters over the geometric mean of those within; -1 where nothing is known."""
    own_total, own_pairs = np.diag(totals), np.diag(pairs)
    usual = own_total.sum() / own_pairs.sum() if own_pairs.sum() else _USUAL_SIMILARITY
    own = (own_total + usual * _PAIRS_TO_TRUST) / (own_pairs + _PAIRS_TO_TRUST)
    mean = np.divide(totals, pairs, out=np.full_like(totals, -1.0), where=pairs > 0)
    relative = mean / np.sqrt(np.outer(own, own).clip(1e-6))
    np.fill_diagonal(relative, -1.0)
    return relative


def _centroids(x: FloatArray, labels: Labels) -> FloatArray:
    """The mean direction of each label that occurs, shape (labels, d)."""
    return unit_rows(np.stack([x[labels == k].sum(axis=0) for k in np.unique(labels)]))


def _covered_ms(spans: Sequence[Span]) -> int:
    """How much time the spans, in order, cover together."""
    covered, end = 0, 0
    for span in spans:
        covered += max(0, span.end_ms - max(span.start_ms, end))
        end = max(end, span.end_ms)
    return covered
