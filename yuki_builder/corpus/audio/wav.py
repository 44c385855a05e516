"""Clips as the tools that train voices want them: mono, 16 bit, at a rate of theirs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from yuki_builder.channels import mono
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray


def read_mono(path: Path, *, sample_rate_hz: int) -> FloatArray:
    """A clip, shape (samples,), float32, channels averaged, resampled.

    Raises:
        MediaError: the clip is damaged, or holds no sound at all.
    """
    import soundfile
    import soxr

    try:
        wave, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as e:
        raise MediaError("the clip cannot be read", where=path, remedy="delete it and run the pipeline again") from e
    if not len(wave):
        raise MediaError("the clip holds no sound", where=path, remedy="delete it and run the pipeline again")
    samples = mono(wave)
    return samples if rate_hz == sample_rate_hz else soxr.resample(samples, rate_hz, sample_rate_hz)


def write_wav(wave: FloatArray, path: Path, *, sample_rate_hz: int) -> None:
    """16-bit WAV; by way of memory, so that a full disk is an OSError.

    Args:
        wave: shape (samples,) or (samples, channels), -1 to 1.
        path: the file.
        sample_rate_hz: the rate of the samples.

    Raises:
        OSError: the file cannot be written.
    """
    import soundfile

    encoded = io.BytesIO()
    whole = np.clip(np.rint(wave * 32768.0), -32768, 32767).astype(np.int16)
    soundfile.write(encoded, whole, sample_rate_hz, format="WAV", subtype="PCM_16")
    path.write_bytes(encoded.getbuffer())
