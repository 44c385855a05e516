"""How far the dialogue stands out of the mix, line by line."""

from __future__ import annotations

import numpy as np

from yuki_builder.channels import mono
from yuki_builder.records import FloatArray

FLOOR_DBFS = -90.0
"""Below this mean level nothing is heard: what rounding to 16 bits leaves lies at about -98 dBFS."""


def level_db(vocals_energy: float, rest_energy: float, samples: int) -> float | None:
    """Dialogue-to-background level in dB, rounded to 0.1 dB, from sums of squares over a line (full scale = 1).

    The background counts as :data:`FLOOR_DBFS` at least, so that a clean line gets a high level and no infinite one.

    Args:
        vocals_energy: of the vocals, all channels together.
        rest_energy: of ``mix - vocals``.
        samples: how many samples were summed, over all channels.

    Returns:
        None where the vocals are silent, and where mix and vocals are the very same samples: nothing was separated
        there, so that nothing is known.
    """
    floor = samples * 10 ** (FLOOR_DBFS / 10)
    if rest_energy == 0.0 or vocals_energy <= floor:
        return None
    return round(10 * float(np.log10(vocals_energy / max(rest_energy, floor))), 1)


def same_channels(mix: FloatArray, vocals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both, shape (samples, channels), folded to one channel each where they differ in their number."""
    if mix.shape[1] == vocals.shape[1]:
        return mix, vocals
    return mono(mix)[:, None], mono(vocals)[:, None]
