"""Spectrograms as small pictures: frequency on a logarithmic scale, as the ear has it, level as colour."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import numpy.typing as npt

from yuki_builder.records import FloatArray

COLUMNS, ROWS = 560, 144
LOWEST_HZ, HIGHEST_HZ = 60.0, 16_000.0
RANGE_DB = 75.0
_WINDOW = 2048
_SHADES = 64

Power = npt.NDArray[np.float64]


def spectrogram_power(samples: FloatArray, *, rate_hz: int, columns: int = COLUMNS, rows: int = ROWS) -> Power:
    """Mean power of ``samples``, shape (samples,), in bands of equal width on a logarithmic scale.

    Hann windows, evenly spread. A band's power is the difference of the spectrum's running integral between its
    edges, which averages the many bins of a high band and interpolates between the few of a low one.

    Args:
        samples: shape (samples,).
        rate_hz: the rate of the samples.
        columns: moments.
        rows: bands.

    Returns:
        shape (rows, columns), the highest band first. Bands above half the sample rate are 0.
    """
    padded = np.pad(samples.astype(np.float64), _WINDOW // 2)
    starts = np.linspace(0, max(0, len(padded) - _WINDOW), columns).astype(int)
    frames = padded[starts[:, None] + np.arange(_WINDOW)[None, :]] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2  # (columns, bins)
    integral = np.concatenate([np.zeros((columns, 1)), np.cumsum(power, axis=1)], axis=1)
    # Bin k holds what lies around k * rate / window: its share of the integral reaches half a bin to both sides.
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, rows + 1)
    at = np.clip(edges_hz * _WINDOW / rate_hz + 0.5, 0, integral.shape[1] - 1)
    low = np.minimum(at.astype(int), integral.shape[1] - 2)
    until = integral[:, low] + (at - low) * (integral[:, low + 1] - integral[:, low])
    widths = np.diff(edges_hz * _WINDOW / rate_hz)
    return (np.diff(until, axis=1) / widths).T[::-1]


def spectrogram_png(power: Power, *, loudest: float) -> bytes:
    """A PNG of ``power``, one pixel each, with ``loudest`` as the brightest colour and all below -75 dB of it dark."""
    from PIL import Image

    level_db = 10 * np.log10(np.maximum(power / max(loudest, 1e-30), 10 ** (-RANGE_DB / 10)))
    shades = np.round((level_db / RANGE_DB + 1) * (_SHADES - 1)).clip(0, _SHADES - 1).astype(np.uint8)
    image = Image.fromarray(shades)
    image.putpalette(_palette())
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


@cache
def _palette() -> bytes:
    import matplotlib as mpl

    colours = mpl.colormaps["magma"](np.linspace(0, 1, _SHADES))[:, :3]
    return np.round(255 * colours).astype(np.uint8).tobytes()
