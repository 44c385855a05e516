"""From a waveform to what the network sees, and back: the signal path of the project's own checkpoints.

A single band from 0 Hz to ``band_hz``. Window and hop are *times*, so that one checkpoint serves every sample
rate without resampling: at 44.1 kHz a window of 60 ms simply has 2646 samples where the network was trained
on 960 at 16 kHz; the spacing of the bins (16.7 Hz) is the same, and so is what each of them measures. Bins above
the band take a mask carried upward from below (:func:`carry_upward`).

The network sees mid and side, (L + R) / 2 and (L - R) / 2, as magnitudes to the power ``input_power`` relative to
the recording's overall level. Film dialogue is mixed to the centre and music to the width, so the side channel
says where music is.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from video_preprocessing.uvr5.signal.path import SignalPath

# The deepest voices' pitch is some 70 Hz; its lobe in a window of 60 ms begins here.
LOWEST_VOICE_HZ = 58.0


def mid_side(stereo: torch.Tensor) -> torch.Tensor:
    """(..., 2, n) left/right to mid/side, (L + R) / 2 and (L - R) / 2."""
    left, right = stereo.unbind(-2)
    return torch.stack([(left + right) / 2, (left - right) / 2], dim=-2)


def left_right(ms: torch.Tensor) -> torch.Tensor:
    """The inverse of :func:`mid_side`."""
    mid, side = ms.unbind(-2)
    return torch.stack([mid + side, mid - side], dim=-2)


def stft(waveform: torch.Tensor, path: SignalPath, sample_rate_hz: int) -> torch.Tensor:
    """Complex spectrogram whose values do not depend on the sample rate.

    Args:
        waveform: shape (..., samples).
        path: window and hop in milliseconds.
        sample_rate_hz: the rate of the samples.

    Shape:
        (..., samples) -> (..., bins, frames), complex; scaled so that a full-scale sine peaks near 0.5
    """
    n = path.window_samples(sample_rate_hz)
    window = torch.hann_window(n, device=waveform.device, dtype=waveform.dtype)
    flat = waveform.reshape(-1, waveform.shape[-1])
    hop = path.hop_samples(sample_rate_hz)
    spec = torch.stft(flat, n, hop, window=window, center=True, pad_mode="constant", return_complex=True)
    return (spec * (2.0 / n)).reshape(*waveform.shape[:-1], *spec.shape[-2:])


def network_input(magnitude: torch.Tensor, level: torch.Tensor | float, path: SignalPath) -> torch.Tensor:
    """What the network sees of the magnitudes of mid and side.

    Bins beyond the band are cut, missing ones (a lower sample rate) are zero.

    Args:
        magnitude: (N, 2, bins, frames), not negative.
        level: root mean square of the recording's magnitudes; a number, or (N, 1, 1, 1).
        path: the band's bins, and the power that levels are raised to.
    """
    missing = path.bins - magnitude.shape[-2]
    x = magnitude[..., : path.bins, :] / (level + 1e-8)
    if missing > 0:
        x = F.pad(x, (0, 0, 0, missing))
    # The square root of a spectrogram has a third of its dynamic range in dB: quiet speech is seen beside loud music.
    return x.pow(path.input_power)


def below_voices(path: SignalPath) -> int:
    """How many bins, counted from 0 Hz, lie below what voices have."""
    return int(LOWEST_VOICE_HZ * path.window_ms / 1000) + 1


def carry_upward(mask: torch.Tensor, magnitude: torch.Tensor, path: SignalPath, bins: int) -> torch.Tensor:
    """The mask of the band extended to ``bins`` bins.

    Above the band every bin of a frame takes the mean of the band's upper third, weighted by what sounds
    there: consonants reach up from it, and so do cymbals.

    Args:
        mask: shape (..., path.bins, frames), 0 to 1.
        magnitude: shape (..., at least that many bins, frames), of the mixture.
        path: which bins the band has.
        bins: how many are wanted.

    Shape:
        mask: (..., path.bins, frames), magnitude: (..., at least that many bins, frames) -> (..., bins, frames)
    """
    if bins <= path.bins:
        return mask[..., :bins, :]
    low, high = 2 * path.bins // 3, path.bins - path.bins // 32
    weight = magnitude[..., low:high, :].square() + 1e-12
    above = (mask[..., low:high, :] * weight).sum(-2, keepdim=True) / weight.sum(-2, keepdim=True)
    # The last bins below the edge were trained on the roll-off of resampling filters: leave them out too.
    return torch.cat([mask[..., :high, :], above.expand(*above.shape[:-2], bins - high, above.shape[-1])], dim=-2)
