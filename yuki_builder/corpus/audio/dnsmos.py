"""DNSMOS: what listeners would say of a clip, predicted by the network of the package ``speechmos``.

The network is DNSMOS P.835 (Reddy, Gopal and Cutler, ICASSP 2022). It hears 9.01 s at 16 kHz; what is shorter is
repeated, as its authors do. It is run here and not by ``speechmos`` itself, which rates a second network along with
it that nobody asks for, and hears a clip of 2 s seven times over, at a tenth of the speed. Both agree where a clip
fills the network's time, and to about a tenth of a point elsewhere.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuki_builder.corpus.audio.quality import ClipQuality
from yuki_builder.corpus.audio.wav import read_mono
from yuki_builder.errors import InternalError, MissingExtraError
from yuki_builder.records import FloatArray, Progress, no_progress

if TYPE_CHECKING:
    import onnxruntime

_RATE_HZ = 16_000
_HEARD_SAMPLES = 144_160
# From the network's scores (speech, background, overall) to the scale of its listening tests: its authors'
# polynomials, highest power first.
_TO_SCALE = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)


def has_dnsmos() -> bool:
    """Whether the package and what it needs are installed; imports nothing."""
    return all(importlib.util.find_spec(name) for name in ("speechmos", "onnxruntime"))


def require_dnsmos() -> None:
    """Raises MissingExtraError where the package is not installed."""
    if not has_dnsmos():
        raise MissingExtraError("--quality dnsmos needs speechmos and onnxruntime", extra="quality")


def add_dnsmos(
    qualities: Sequence[ClipQuality], clips: Mapping[str, Path], *, progress: Progress = no_progress
) -> list[ClipQuality]:
    """The measures with DNSMOS of each line's clip; lines without a clip stay without.

    Args:
        qualities: one a line.
        clips: the audio file of each line that has one, by line id.
        progress: counts clips.

    Raises:
        MissingExtraError: the package is not installed.
        MediaError: a clip cannot be read.
    """
    require_dnsmos()
    session = _session()
    judged = []
    for done, quality in enumerate(qualities, start=1):
        clip = clips.get(quality.line_id)
        wave = None if clip is None else read_mono(clip, sample_rate_hz=_RATE_HZ)
        if wave is None or not len(wave):
            judged.append(quality)
        else:
            speech, background, overall = _score(session, wave)
            judged.append(replace(quality, dnsmos=overall, dnsmos_speech=speech, dnsmos_background=background))
        progress(done, len(qualities))
    return judged


def _score(session: onnxruntime.InferenceSession, wave: FloatArray) -> tuple[float, float, float]:
    """Speech, background and overall, 1 to 5: the mean over stretches of 9.01 s that start a second apart."""
    heard = np.clip(wave, -1, 1).astype(np.float32)
    if len(heard) < _HEARD_SAMPLES:
        heard = np.resize(heard, _HEARD_SAMPLES)
    starts = range(0, len(heard) - _HEARD_SAMPLES + 1, _RATE_HZ)
    raw = np.stack([session.run(None, {"input_1": heard[None, s : s + _HEARD_SAMPLES]})[0][0] for s in starts])
    speech, background, overall = (
        round(float(np.polyval(powers, column).mean()), 3) for powers, column in zip(_TO_SCALE, raw.T, strict=True)
    )
    return speech, background, overall


def _session() -> onnxruntime.InferenceSession:
    import onnxruntime

    spec = importlib.util.find_spec("speechmos")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise InternalError("the package speechmos holds no files", remedy="install it again")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # its warnings are about the network, which is not ours
    path = Path(folders[0]) / "dnsmos_models" / "sig_bak_ovr.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
