"""The outline of a stretch of sound, to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from yuki_builder.corpus.audio.sound import open_sound, to_samples


def wave(source: Path, start_ms: int, end_ms: int, *, bins: int) -> dict[str, Any]:
    """The largest sample (0..1) of each of ``bins`` equal parts of a stretch; fewer where the file ends before it.

    Args:
        source: the audio file.
        start_ms: where the stretch begins.
        end_ms: where it ends.
        bins: how many values are wanted.

    Raises:
        MediaError: the file cannot be read.
    """
    with open_sound(source) as sound:
        rate = sound.samplerate
        first, last = to_samples(start_ms, rate), min(to_samples(end_ms, rate), sound.frames)
        peaks: list[float] = []
        if first < last:
            sound.seek(first)
            samples = np.abs(sound.read(last - first, dtype="float32", always_2d=True)).max(1)
            edges = np.linspace(0, to_samples(end_ms, rate) - first, bins + 1).astype(int)
            edges = np.unique(edges[edges < len(samples)])
            peaks = [round(float(peak), 4) for peak in np.maximum.reduceat(samples, edges)]
    return {"from": start_ms, "to": end_ms, "peaks": peaks}
