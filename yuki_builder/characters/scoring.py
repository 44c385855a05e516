"""How well clips fit known voices: the whole of a voice's clips (centroid) and the ones most alike (neighbours)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yuki_builder.characters.voice_model import Array, VoiceModel

NEIGHBOURS = 5
_LEAST_WEIGHT = 1e-3
_NEIGHBOUR_WEIGHT = 0.5


def score_voices(
    model: VoiceModel, points: Array, *, clips: Array, weights: Array, own: npt.NDArray[np.intp]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Uncalibrated log odds of each point being each voice.

    Args:
        model: whose space the points are in.
        points: shape (m, k).
        clips: shape (n, k); what the voices are known by.
        weights: shape (n, v), 0 to 1; how far each clip is taken to be each voice.
        own: shape (m,); the row of ``clips`` that is the point itself and says nothing about it, or -1.

    Returns:
        Log odds of shape (m, v), the mean over the centroid and the ``NEIGHBOURS`` nearest clips (voices of
        several moods have no one centre); and where a voice is known by any other clip, shape (m, v). Log odds
        are 0 where it is not.
    """
    mine = np.where(own[:, None] >= 0, weights[own], 0.0)
    counts = weights.sum(0) - mine
    known = counts > _LEAST_WEIGHT
    odds = np.zeros(known.shape)
    for voice in np.flatnonzero(known.any(0)):
        rows = np.flatnonzero(known[:, voice])
        totals = weights[:, voice] @ clips - mine[rows, voice, None] * points[rows]
        odds[rows, voice] = model.log_odds(points[rows], totals, counts[rows, voice])
        near = np.flatnonzero(weights[:, voice] >= _NEIGHBOUR_WEIGHT)
        if len(near) > NEIGHBOURS + 1:
            is_self = own[rows, None] == near
            odds[rows, voice] += _nearest(model, points[rows], clips[near], weights[near, voice], is_self=is_self)
            odds[rows, voice] /= 2
    return odds, known


def _nearest(
    model: VoiceModel, points: Array, clips: Array, weights: Array, *, is_self: npt.NDArray[np.bool_]
) -> Array:
    similarity = np.where(is_self, -np.inf, points @ clips.T)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
    totals = np.zeros_like(points)
    for rank in nearest.T:
        totals += weights[rank, None] * clips[rank]
    return model.log_odds(points, totals, weights[nearest].sum(1))


def softmax(log_odds: Array) -> Array:
    """Probabilities of n alternatives and of none of them: (m, n) log odds to (m, n + 1)."""
    padded = np.concatenate([log_odds, np.zeros((len(log_odds), 1))], axis=1)
    powers = np.exp(padded - padded.max(1, keepdims=True))
    shares: Array = powers / powers.sum(1, keepdims=True)
    return shares
