"""How voices differ, and how clips of one voice do: the statistics that turn embeddings into odds.

A two-covariance model (probabilistic linear discriminant analysis: Ioffe, ECCV 2006; the two-covariance form
is from Brummer and de Villiers, Odyssey 2010). In a space where both covariances are diagonal, a voice is a point
``y ~ N(mean, between)`` and a clip of it a point ``x ~ N(y, within)``. Enrolled clips give a posterior of ``y``; a new
clip is then weighed as "this voice" against "a voice nobody has heard". Against the cosine it has two merits:
directions in which clips of one voice scatter (music behind them, mood, a short clip) count less, and the odds
say when a clip fits nobody.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yuki_builder.characters.calibration import CAMPPLUS, PLAIN, RESEMBLYZER, Calibration
from yuki_builder.errors import InternalError

Array = npt.NDArray[np.float64]

WEIGHTS = Path(__file__).parent / "resemblyzer.safetensors"
# Clips of one voice from one recording are less telling than independent ones: n of them count as n ** 0.5.
# Over simulated casts of held-out training voices the log-loss is 0.309 with 0.5 and 0.343 with 1.
_DEPENDENCE = 0.5

CAMPPLUS_DIM = 192
# Clips of one voice in seven moods lie at a cosine of 0.4 to each other in the median, not of 0.7 as in one mood.
CAMPPLUS_MOODS = 0.1
CAMPPLUS_LINES_TO_CENTRE = 10.0
# A voice of so many lines counts half of one of many when an episode's voices are averaged, and so many voices more, of
# which nothing is known, are taken to be there: what one voice has by itself is not what all of them share.
_LINES_OF_HALF_A_VOICE = 2.0
_OTHER_VOICES = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class VoiceModel:
    """A space for embeddings of d dimensions, and the spread of voices and of clips in its k dimensions.

    Attributes:
        shift: shape (d,); mean embedding.
        projection: shape (d, k); to the space where both covariances are diagonal.
        mean, between, within: shape (k,); mean and variance of voices, variance of one voice's clips.
        clarity: shape (d,); how the log odds of a clip and its own voice grow with its embedding, over ``shift``:
            a muffled or noisy clip shows less of its voice, and less must be asked of it.
        calibration: what turns log odds into calibrated ones.
        lines_to_centre: how many lines of an episode weigh as much as ``shift`` in ``centred``; infinite: never.
    """

    shift: Array
    projection: Array
    mean: Array
    between: Array
    within: Array
    clarity: Array
    calibration: Calibration
    lines_to_centre: float = np.inf

    def centred(self, vectors: npt.NDArray[np.floating], voices: npt.NDArray[np.intp] | None = None) -> VoiceModel:
        """The model with its origin moved to what an episode's voices have in common.

        All voices of an episode share its room, its codec and its language; without that share, voices that differ
        are as far apart in one episode as in any other. On ten actors' lines the log-loss falls from 0.40 to 0.35.
        It is the mean over voices, not over lines: else whoever speaks most is at the origin, where nobody is heard.

        Args:
            vectors: shape (n, d); embeddings of the episode's lines.
            voices: shape (n,); episode-local voice of each line, from 0, or -1; None: not known.
        """
        if not len(vectors) or not np.isfinite(self.lines_to_centre):
            return self
        share = len(vectors) / (len(vectors) + self.lines_to_centre)
        points = np.asarray(vectors, np.float64)
        centre = points.mean(0)
        if voices is not None and (voices >= 0).any():
            own = [points[voices == voice] for voice in np.unique(voices[voices >= 0])]
            weights = np.array([len(lines) / (len(lines) + _LINES_OF_HALF_A_VOICE) for lines in own])
            centre = weights @ np.stack([lines.mean(0) for lines in own]) / weights.sum()
            share *= weights.sum() / (weights.sum() + _OTHER_VOICES)
        shift: Array = (1 - share) * self.shift + share * centre
        return replace(self, shift=shift)

    def project(self, vectors: npt.NDArray[np.floating]) -> Array:
        """Points of embeddings, (n, d) to (n, k), each of length sqrt(k)."""
        points: Array = (np.asarray(vectors, np.float64) - self.shift) @ self.projection
        length = np.linalg.norm(points, axis=1, keepdims=True)
        points *= np.sqrt(points.shape[1]) / np.maximum(length, 1e-9)
        return points

    def log_odds(self, points: Array, totals: Array, counts: Array, *, clips_per_point: Array | float = 1.0) -> Array:
        """How much likelier points are from a known voice than from one nobody has heard.

        Args:
            points: shape (n, k).
            totals: shape (n, k) or (1, k): for each point, the sum of the voice's (weighted) clips.
            counts: shape (n,) or (1,): their weights' sum, above 0.
            clips_per_point: shape (n,); of how many clips each point is the mean.

        Returns:
            Natural logarithm of the likelihood ratio, shape (n,), uncalibrated.
        """
        counts = counts[:, None]
        evidence = counts**_DEPENDENCE
        scatter = self.within / np.reshape(clips_per_point, (-1, 1)) ** _DEPENDENCE
        spread = 1 / (1 / self.between + evidence / self.within)
        place = self.mean + spread * evidence / self.within * (totals / counts - self.mean)
        known, new = spread + scatter, self.between + scatter
        log_known = -0.5 * ((points - place) ** 2 / known + np.log(known)).sum(1)
        log_new = -0.5 * ((points - self.mean) ** 2 / new + np.log(new)).sum(1)
        odds: Array = log_known - log_new
        return odds

    def calibrated(self, odds: Array, vectors: npt.NDArray[np.floating], seconds: Array | None = None) -> Array:
        """Log odds as probabilities go: 0 is even odds.

        Args:
            odds: shape (n, v); of ``log_odds``.
            vectors: shape (n, d); the embeddings that they are of.
            seconds: shape (n,); how much speech each was made from; None: not known.

        Returns:
            Shape (n, v).
        """
        by_duration = self.calibration.by_duration
        if by_duration is None or seconds is None:
            result: Array = self.calibration.scale * odds + self.threshold(vectors)[:, None]
            return result
        length = np.log(np.clip(seconds, by_duration.shortest_s, by_duration.longest_s))[:, None]
        scale = by_duration.scale_at_1_s + by_duration.scale_per_e * length
        offset = by_duration.offset_at_1_s + by_duration.offset_per_e * length
        return np.asarray(scale * odds + offset, np.float64)

    def threshold(self, vectors: npt.NDArray[np.floating]) -> Array:
        """What to add to scaled log odds so that 0 is even odds; shape (n,), by each clip's clarity."""
        c = self.calibration
        clarity: Array = (np.asarray(vectors, np.float64) - self.shift) @ self.clarity
        return c.offset - c.clarity_slope * clarity


def fitted_model(embedder: str, dim: int) -> VoiceModel | None:
    """The model that was fitted for an embedder, by its fingerprint; None for embedders without one."""
    if embedder.startswith("campplus") and dim == CAMPPLUS_DIM:
        return _campplus()
    return _resemblyzer() if embedder.startswith("resemblyzer") and dim == 256 else None


def _campplus() -> VoiceModel:
    """CAM++ was trained with an angular margin over 200,000 voices: its directions are alike, the cosine is enough."""
    model = plain_model(np.zeros(CAMPPLUS_DIM))
    even = np.full(CAMPPLUS_DIM, 0.5)
    return replace(
        model,
        between=even - CAMPPLUS_MOODS,
        within=even + CAMPPLUS_MOODS,
        calibration=CAMPPLUS,
        lines_to_centre=CAMPPLUS_LINES_TO_CENTRE,
    )


@functools.cache
def _resemblyzer() -> VoiceModel:
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, Any] = {name: array.astype(np.float64) for name, array in load_file(WEIGHTS).items()}
    except OSError as e:
        raise InternalError("a file of this program is missing", where=WEIGHTS, remedy="install it again") from e
    return VoiceModel(**arrays, calibration=RESEMBLYZER)


def plain_model(centre: Array) -> VoiceModel:
    """Every direction around a centre alike, clips of one voice at a cosine of 0.6: what cosine scoring assumes."""
    dim = len(centre)
    return VoiceModel(
        shift=centre,
        projection=np.eye(dim),
        mean=np.zeros(dim),
        between=np.full(dim, 0.6),
        within=np.full(dim, 0.4),
        clarity=np.zeros(dim),
        calibration=PLAIN,
    )
