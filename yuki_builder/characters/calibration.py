"""Fitted parameters that turn log odds of voices into probabilities that hold.

Made, with the weights beside this file, by ``python -m benchmarks.fit_calibration --speech DIR --music DIR --write``:
251 voices of LibriSpeech train-clean-100 under music, one utterance each. That file says how and reports how well
they do on voices not fitted on. One recording per voice tells nothing of how a voice changes between recordings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByDuration:
    """Scale and offset for so much speech: ``at_1_s + per_e * ln(seconds)`` each, ``seconds`` kept between the limits.

    Short speech shows less of its voice. Its odds are smaller and say less, and less must be asked of it; long
    speech that does not fit well is somebody else's.
    """

    scale_at_1_s: float
    scale_per_e: float
    offset_at_1_s: float
    offset_per_e: float
    shortest_s: float = 0.35
    longest_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """``scale * log odds + offset - clarity_slope * clarity`` are calibrated log odds of a known voice.

    Where it is known how much speech there is, ``by_duration`` gives scale and offset, if there is one.
    """

    scale: float
    offset: float
    clarity_slope: float
    by_duration: ByDuration | None = None


# Chosen on simulated episodes of 251 readers and five actors (benchmarks/simulated_episodes.py) and, by duration, on
# six television-like episodes that are not reported (benchmarks/fit_duration.py); benchmarks/README.md has the figures.
CAMPPLUS = Calibration(
    scale=0.16,
    offset=0.5,
    clarity_slope=0.0,
    by_duration=ByDuration(scale_at_1_s=0.16, scale_per_e=0.09, offset_at_1_s=1.4, offset_per_e=-1.9),
)
RESEMBLYZER = Calibration(scale=0.306, offset=-0.58, clarity_slope=0.088)
# For embedders without a fitted model, until enrolled clips say better (see ``Gallery.model``).
PLAIN = Calibration(scale=0.1, offset=0.0, clarity_slope=0.0)
