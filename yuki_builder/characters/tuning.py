"""Calibration from enrolled clips alone, for embedders that nothing was fitted for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from yuki_builder.characters.calibration import Calibration
from yuki_builder.characters.scoring import softmax
from yuki_builder.characters.voice_model import Array

_SCALES = np.geomspace(0.01, 1.0, 21)
_OFFSETS = np.linspace(-8.0, 8.0, 33)
# Clips that were enrolled together are more alike than lines to come: pull towards smaller odds.
_PULL = 0.05


def tune(
    calibration: Calibration, odds: Array, known: npt.NDArray[np.bool_], truth: npt.NDArray[np.intp]
) -> Calibration:
    """The scale and offset under which enrolled clips are told apart best.

    Each clip is tried twice: as one of its character, and as an unknown speaker's (its character struck off the list).

    Args:
        calibration: what to change.
        odds: shape (n, c); log odds of each clip and each character, without the clip itself.
        known: shape (n, c); where there are odds.
        truth: shape (n,); each clip's character.
    """
    rows = np.flatnonzero(known[np.arange(len(truth)), truth])
    if not len(rows):
        return calibration
    own = (rows, truth[rows])

    def loss(scale: float, offset: float) -> float:
        log_odds = np.where(known, scale * odds + offset, -np.inf)
        found = softmax(log_odds)[own]
        log_odds[own] = -np.inf
        missed = softmax(log_odds)[rows, -1]
        return float(-np.log(found + 1e-9).mean() - np.log(missed + 1e-9).mean() + _PULL * np.log(scale / 0.01))

    scale, offset = min(itertools.product(_SCALES, _OFFSETS), key=lambda pair: loss(*pair))
    return replace(calibration, scale=float(scale), offset=float(offset))
