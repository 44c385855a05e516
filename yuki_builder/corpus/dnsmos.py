"""DNSMOS, the speech quality that a listener would give (Reddy et al., ICASSP 2022), by the package ``speechmos``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from yuki_builder.corpus.exports.audio import read_mono
from yuki_builder.corpus.quality import ClipQuality
from yuki_builder.errors import ConfigError
from yuki_builder.records import Progress, no_progress

_RATE_HZ = 16_000


def has_dnsmos() -> bool:
    """Whether the package and what it needs are installed; imports nothing."""
    return all(importlib.util.find_spec(name) for name in ("speechmos", "onnxruntime"))


def require_dnsmos() -> None:
    """Raises ConfigError, naming the extra, where the package is not installed."""
    if not has_dnsmos():
        raise ConfigError(
            "DNSMOS is not installed", where="--quality", remedy="pip install 'yuki-builder[quality]', or speechmos"
        )


def add_dnsmos(
    qualities: Sequence[ClipQuality], clips: dict[str, Path], *, progress: Progress = no_progress
) -> list[ClipQuality]:
    """The figures with DNSMOS of each line's clip; lines without a clip stay without.

    Raises:
        ConfigError: the package is not installed.
        MediaError: a clip cannot be read.
    """
    require_dnsmos()
    from speechmos import dnsmos

    judged = []
    for done, quality in enumerate(qualities, start=1):
        clip = clips.get(quality.line_id)
        if clip is not None:
            wave = np.clip(read_mono(clip, sample_rate_hz=_RATE_HZ), -1.0, 1.0)
            if len(wave):
                mos = dnsmos.run(wave, sr=_RATE_HZ)
                overall, speech, background = (round(float(mos[k]), 3) for k in ("ovrl_mos", "sig_mos", "bak_mos"))
                quality = replace(  # noqa: PLW2901
                    quality, dnsmos=overall, dnsmos_speech=speech, dnsmos_background=background
                )
        judged.append(quality)
        progress(done, len(qualities))
    return judged
