"""Levels of a separated recording: the vocals against what was taken away from the mix. Pure."""

from __future__ import annotations

import numpy as np

from yuki_builder.records import FloatArray

_SILENCE = 1e-9


def level_over_rest_db(vocals: FloatArray, mix: FloatArray) -> float:
    """How far the vocals lie above what was taken away from the mix, both of shape (samples,), at one rate."""
    length = min(len(vocals), len(mix))
    voice = np.square(vocals[:length], dtype=np.float64).sum()
    rest = np.square(mix[:length] - vocals[:length], dtype=np.float64).sum()
    return float(10 * np.log10((voice + _SILENCE) / (rest + _SILENCE)))
