"""Log mel filterbanks as Kaldi computes them: what speaker networks of WeSpeaker and 3D-Speaker are fed.

Frames of 25 ms every 10 ms; per frame the mean is removed, then pre-emphasis of 0.97, Povey's window, the power
spectrum of 512 points, 80 triangular filters from 20 Hz to half the sample rate on Kaldi's mel scale, the logarithm.
No dither: the same audio gives the same features.

Source: Povey et al., "The Kaldi Speech Recognition Toolkit", ASRU 2011; its feature/feature-fbank. The tests compare
with two other implementations (torchaudio's and kaldi-native-fbank).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from video_preprocessing.speech.audio import SAMPLE_RATE_HZ
from yuki_builder.records import FloatArray

FRAME_SAMPLES = 400
HOP_SAMPLES = 160
MEL_BINS = 80

_FFT_SAMPLES = 512
_LOWEST_HZ = 20.0
_PRE_EMPHASIS = 0.97
_POVEY_EXPONENT = 0.85
_FULL_SCALE = 32768.0  # Kaldi reads 16-bit integers
_FLOOR = np.finfo(np.float32).eps


def log_mel_filterbank(waveform: FloatArray, *, window: str = "povey") -> FloatArray:
    """Features of one waveform.

    Args:
        waveform: shape (samples,), 16 kHz mono, -1..1.
        window: ``povey`` (Kaldi's default) or ``hamming`` (WeSpeaker's choice).

    Returns:
        Shape (frames, 80), float32; no frames where the waveform is shorter than 25 ms.
    """
    if len(waveform) < FRAME_SAMPLES:
        return np.zeros((0, MEL_BINS), np.float32)
    scaled = np.ascontiguousarray(waveform, np.float32) * np.float32(_FULL_SCALE)
    frames = np.lib.stride_tricks.sliding_window_view(scaled, FRAME_SAMPLES)[::HOP_SAMPLES]
    # (frames, 400)
    frames = frames - frames.mean(1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    windowed = (frames - np.float32(_PRE_EMPHASIS) * before) * _window(window)
    spectrum = np.fft.rfft(windowed, _FFT_SAMPLES)[:, : _FFT_SAMPLES // 2]
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    # Sparse, since most of the filters is 0; and a product of dense matrices depends on the number of threads.
    mel = np.ascontiguousarray((_sparse_filters() @ power.astype(np.float32).T).T)
    return np.log(np.maximum(mel, _FLOOR))


@functools.cache
def _window(name: str) -> FloatArray:
    window = np.hanning(FRAME_SAMPLES) ** _POVEY_EXPONENT if name == "povey" else np.hamming(FRAME_SAMPLES)
    return window.astype(np.float32)


@functools.cache
def _sparse_filters() -> Any:
    from scipy import sparse

    return sparse.csr_array(_mel_filters().T)


@functools.cache
def _mel_filters() -> FloatArray:
    """Shape (256, 80); the bin at half the sample rate belongs to no filter."""
    edges = np.linspace(_mel(_LOWEST_HZ), _mel(SAMPLE_RATE_HZ / 2), MEL_BINS + 2)
    bins = _mel(np.arange(_FFT_SAMPLES // 2) * SAMPLE_RATE_HZ / _FFT_SAMPLES)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    filters: FloatArray = np.maximum(
        0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    ).astype(np.float32)
    return filters


def _mel(frequency_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    mel: npt.NDArray[np.float64] = 1127.0 * np.log1p(np.asarray(frequency_hz, np.float64) / 700.0)
    return mel
