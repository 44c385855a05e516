"""Fitted figures that turn log odds of voices into probabilities that hold.

Made, with the weights beside this file, by ``python -m benchmarks.fit_calibration --speech DIR --music DIR --write``:
251 voices of LibriSpeech train-clean-100 under music, one utterance each. That file says how and reports how well
they do on voices not fitted on. One recording per voice tells nothing of how a voice changes between recordings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    """``scale * log odds + offset - clarity_slope * clarity`` are calibrated log odds of a known voice."""

    scale: float
    offset: float
    clarity_slope: float


# Chosen on simulated episodes of 251 readers and five actors (benchmarks/simulated_episodes.py), between the offset
# that names most and the one that is surest: of the certain names 98 % and more are right (benchmarks/README.md).
CAMPPLUS = Calibration(scale=0.16, offset=0.5, clarity_slope=0.0)
RESEMBLYZER = Calibration(scale=0.306, offset=-0.58, clarity_slope=0.088)
# For embedders without a fitted model, until enrolled clips say better (see ``Gallery.model``).
PLAIN = Calibration(scale=0.1, offset=0.0, clarity_slope=0.0)
