"""The arithmetic of attribution: from embeddings, claims and groups of lines to probabilities of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from yuki_builder.characters.scoring import score_voices, softmax
from yuki_builder.characters.voice_model import Array, VoiceModel
from yuki_builder.records import FloatArray

# Learned in the episode's own noise, an unknown voice fits its lines better than an enrolled one does, all the more
# where the diarizer puts two voices together. Chosen with the calibration (benchmarks/fit_duration.py).
_LOG_PRIOR_OF_UNKNOWN = -1.5
# Unknown voices begin as rough groupings; one that holds less than a line and a half explains nothing.
_LEAST_OF_UNKNOWN = 1.5

# Noise makes very short lines alike, whoever says them: one voice of all of them would take the next short line, too.
_TELLS_NOTHING_S, _TELLS_ALL_S = 0.3, 1.3

# Log odds from which a voice of many lines is a known one after all.
_KNOWN_AFTER_ALL = 2.0

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class KnownVoices:
    """Enrolled clips: points of shape (n, k) and their weights for each of c characters, shape (n, c)."""

    points: Array
    weights: Array


@dataclass(frozen=True, eq=False, slots=True)
class HeardLines:
    """m lines whose voice is to be named.

    Attributes:
        vectors: shape (m, d); embeddings.
        claims: shape (m, c); for each character, how reliably something other than the voice names it, or 0.
        groups: shape (m,); episode-local voice of each line, from 0, or -1.
        seconds: shape (m,); how much speech each embedding was made from; None: not known.
        signals: the vectors of each signal alone, shape (m, d) each; rows of zeros where it gave none.
        is_own: shape (m,), 0 to 1; how probably what is heard is the line's own speaker; None: it is.
    """

    vectors: FloatArray
    claims: Array
    groups: Indices
    seconds: Array | None = None
    signals: Mapping[str, FloatArray] = field(default_factory=dict)
    is_own: Array | None = None


def claim_odds(claims: Array) -> Array:
    """What claims of given reliabilities add to log odds, if whoever is wrongly named could be anybody.

    A reliability of 1 is certainty and adds (practically) infinite odds; 0 is no claim and adds nothing.
    """
    others = claims.shape[1]
    reliability = np.clip(claims, 0.0, 1 - 1e-12)
    odds: Array = np.where(claims > 0, np.log(np.maximum(reliability, 1e-12) * others / (1 - reliability)), 0.0)
    return odds


def name_voices(
    model: VoiceModel, known: KnownVoices, lines: HeardLines, *, passes: int, min_lines: int
) -> tuple[Array, Array, dict[str, Array]]:
    """Probabilities of the characters, and of somebody else, for lines with a speaker embedding.

    Voices are first known by the enrolled clips and by the lines that something names. Each further pass
    learns them again from all lines, weighted by squared probability (an expectation-maximization step that
    trusts the sure ones more), a line never for itself. Lines that fit nobody are learned as unknown voices, one per
    episode-local voice of at least ``min_lines`` lines and one for all other lines: what an unknown voice explains is
    no character's. One whose lines together are likely to be a known voice is learned as that.

    Args:
        model: of the embedder.
        known: the enrolled clips.
        lines: m lines with an embedding, and what names them.
        passes: how often the voices are learned again.
        min_lines: an episode-local voice that nobody enrolled needs so many lines to be one of its own.

    Returns:
        Probabilities of shape (m, c + 1), the last column is somebody else; by voice and claims together, and by
        voice alone; and by each signal alone, against the voices that were learned in the end.
    """
    count, cast_size = lines.claims.shape
    points = model.project(lines.vectors)
    clips = np.concatenate([known.points, points])
    own = len(known.points) + np.arange(count)
    others = _one_column_per_group(_unnamed_groups(lines.groups, min_lines))
    tells = _tells(count, lines.seconds)[:, None]
    is_own = np.ones((count, 1)) if lines.is_own is None else lines.is_own[:, None]
    named = lines.claims * is_own
    learned, unknown = named, np.zeros((count, 0))
    for step in range(passes + 1):
        weights = np.zeros((len(clips), cast_size + unknown.shape[1]))
        weights[: len(known.points), :cast_size] = known.weights
        weights[len(known.points) :] = np.concatenate([learned, unknown], axis=1)
        odds, heard = score_voices(model, points, clips=clips, weights=weights, own=own)
        # Of a character whose voice nobody has heard, all that is known is that there are others.
        calibrated = model.calibrated(odds, lines.vectors, lines.seconds)
        log_odds = np.where(heard, calibrated, -np.log(cast_size + 1))
        log_odds[:, cast_size:] += _LOG_PRIOR_OF_UNKNOWN
        by_voice = softmax(log_odds)
        log_odds = _of_own_voice(log_odds, is_own)
        log_odds[:, :cast_size] += claim_odds(lines.claims)
        posterior = softmax(log_odds)
        learned = posterior[:, :cast_size] ** 2
        unknown = tells * (posterior[:, -1:] * others if step == 0 else posterior[:, cast_size:-1]) ** 2
        unknown = unknown[:, unknown.sum(0) >= _LEAST_OF_UNKNOWN]
        # What names lines tells a voice as enrolled clips do; what was learned from lines would agree with itself.
        whose = _known_after_all(model, lines.vectors, unknown, clips, np.concatenate([known.weights, named]))
        for column in np.flatnonzero(whose >= 0):
            learned[:, whose[column]] = np.maximum(learned[:, whose[column]], unknown[:, column])
        unknown = unknown[:, whose < 0]
    by_signal = {}
    for name, vectors in lines.signals.items():
        odds, heard = score_voices(model, model.project(vectors), clips=clips, weights=weights, own=own)
        calibrated = model.calibrated(odds, vectors, lines.seconds)
        log_odds = np.where(heard, calibrated, -np.log(cast_size + 1))
        log_odds[:, cast_size:] += _LOG_PRIOR_OF_UNKNOWN
        is_there = vectors.any(1, keepdims=True)
        by_signal[name] = np.where(is_there, _unknown_in_one_column(softmax(log_odds), cast_size), 0.0)
    return _unknown_in_one_column(posterior, cast_size), _unknown_in_one_column(by_voice, cast_size), by_signal


def _of_own_voice(log_odds: Array, is_own: Array) -> Array:
    """What a voice says of the line it was heard in, if it may be that of somebody who speaks at the same time.

    Args:
        log_odds: shape (m, k), against none of the k.
        is_own: shape (m, 1).

    Returns:
        Shape (m, k).
    """
    heard = softmax(log_odds)
    shares = is_own * heard + (1 - is_own) / heard.shape[1]
    least = np.finfo(np.float64).tiny
    odds: Array = np.log(np.maximum(shares[:, :-1], least)) - np.log(np.maximum(shares[:, -1:], least))
    return np.where(is_own < 1, odds, log_odds)


def by_dub(
    model: VoiceModel,
    vectors: FloatArray,
    rows: Indices,
    posterior: Array,
    *,
    seconds: Array | None = None,
    sure: float,
    least_lines: int,
) -> Array:
    """Whom the voices of a second audio track name, learned from the lines that the first one is sure of.

    One dubbing actor may speak several characters: both then fit. A line is never learned from for itself. A character
    with few sure lines is as likely as one whom nobody has heard.

    Args:
        model: of the embedder, centred on the second track.
        vectors: shape (k, d): embeddings of some lines, out of the second track.
        rows: shape (k,): which of the m lines those are.
        posterior: shape (m, c + 1): what the first track says.
        seconds: shape (k,); how much speech each embedding was made from; None: not known.
        sure: a probability from which a line teaches its character's voice.
        least_lines: so many lines a voice is known by, at least.

    Returns:
        Probabilities of the characters and of somebody else, shape (k, c + 1).
    """
    points = model.project(vectors)
    said = posterior[rows, :-1]
    weights = np.where(said >= sure, said**2, 0.0)
    odds, heard = score_voices(model, points, clips=points, weights=weights, own=np.arange(len(points)))
    is_sure = said >= sure
    enough = is_sure.sum(0) - is_sure >= least_lines
    without_voice = -np.log(said.shape[1] + 1)
    return softmax(np.where(heard & enough, model.calibrated(odds, vectors, seconds), without_voice))


def with_second_track(posterior: Array, by_second: Array, weight: float) -> Array:
    """Probabilities once the second track has been heard, too; shape (m, c + 1).

    Args:
        posterior: shape (m, c + 1), the last column is somebody else; rows sum to one.
        by_second: the same shape, by the second track alone.
        weight: 0 (not heard) to 1 (as independent evidence).
    """
    weighed = posterior * np.maximum(by_second, 1e-4) ** weight
    result: Array = weighed / weighed.sum(1, keepdims=True)
    return result


def group_shares(posterior: Array, groups: Indices) -> Array:
    """For each line the mean probabilities of its group's other lines, shape as ``posterior``; 0 without any."""
    members = _one_column_per_group(groups)
    totals = members @ (members.T @ posterior) - members.any(1, keepdims=True) * posterior
    others = (members @ members.sum(0) - 1)[:, None]
    shares: Array = np.where(others > 0, totals / np.maximum(others, 1), 0.0)
    return shares


def with_groups(posterior: Array, shares: Array, reliability: float) -> Array:
    """Probabilities once it is known what a line's group is: with ``reliability`` the line is one of its group.

    Args:
        posterior: shape (m, c + 1), the last column is somebody else; rows sum to one.
        shares: the same shape, those of each line's group.
        reliability: 0 to 1: how often two lines of one group are of one person.
    """
    alternatives = posterior.shape[1]
    there = shares.any(1, keepdims=True)
    weighed = posterior * np.where(there, reliability * shares * alternatives + (1 - reliability), 1.0)
    result: Array = weighed / weighed.sum(1, keepdims=True)
    return result


def apart(posterior: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    """Probabilities once it is known of pairs of lines that two different people say them.

    The last column is somebody else, whom there are many of. A line in several pairs is told by each.
    """
    result = posterior.copy()
    for one, other in pairs:
        for row, neighbour in ((one, other), (other, one)):
            result[row, :-1] *= 1 - posterior[neighbour, :-1]
    rows = sorted({row for pair in pairs for row in pair})
    totals = result[rows].sum(1, keepdims=True)
    # Both surely the same: then the subtitle's dash is wrong, not both voices.
    result[rows] = np.where(totals > 1e-3, result[rows] / np.maximum(totals, 1e-3), posterior[rows])
    return result


def _known_after_all(model: VoiceModel, vectors: FloatArray, unknown: Array, clips: Array, weights: Array) -> Indices:
    """Which character each unknown voice is, all its lines taken together; -1 for one that is nobody's.

    Args:
        model: of the embedder.
        vectors: shape (m, d); embeddings of the lines.
        unknown: shape (m, u); how far each line is of each unknown voice.
        clips: shape (n, k); points that known voices are known by.
        weights: shape (n, c); how far each is of each character.
    """
    points, whose = model.project(vectors), np.full(unknown.shape[1], -1)
    counts, totals = weights.sum(0), weights.T @ clips
    characters = np.flatnonzero(counts > 0)
    for column, shares in enumerate(unknown.T):
        count, total = shares.sum(), shares @ points
        asked = float(model.threshold((shares @ vectors / count)[None])[0])
        best = _KNOWN_AFTER_ALL
        for character in characters:
            voices = ((total, count), (totals[character], counts[character]))
            raw = sum(
                float(model.log_odds(a[None] / n, b[None], np.array([m]), clips_per_point=np.array([n]))[0])
                for (a, n), (b, m) in (voices, voices[::-1])
            )
            odds = model.calibration.scale * raw / 2 + asked
            if odds > best:
                best, whose[column] = odds, character
    return whose


def _tells(count: int, seconds: Array | None) -> Array:
    """How far each line teaches an unknown voice, 0 to 1."""
    if seconds is None:
        return np.ones(count)
    share: Array = np.clip((seconds - _TELLS_NOTHING_S) / (_TELLS_ALL_S - _TELLS_NOTHING_S), 0.0, 1.0)
    return share


def _unnamed_groups(groups: Indices, min_lines: int) -> Indices:
    """Groups as they are, but all lines of no group or of a small one in one group."""
    sizes = np.bincount(groups[groups >= 0], minlength=1)
    return np.where((groups >= 0) & (sizes[groups] >= min_lines), groups, len(sizes))


def _one_column_per_group(groups: Indices) -> Array:
    columns: Array = (groups[:, None] == np.unique(groups[groups >= 0])[None, :]).astype(np.float64)
    return columns


def _unknown_in_one_column(posterior: Array, cast_size: int) -> Array:
    return np.concatenate([posterior[:, :cast_size], posterior[:, cast_size:].sum(1, keepdims=True)], axis=1)
