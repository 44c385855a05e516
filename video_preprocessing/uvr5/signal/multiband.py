"""The signal path of the public UVR5 checkpoints: bands, each with its own rate and transform, stacked into one.

After ``spec_utils`` of UVR5 (and tsurumeso's vocal-remover), as streams: blocks of any size go in and come out, memory
does not grow with length. The public code resamples with three different libraries; here soxr does it all, which
differs from them only at the edges of the bands, where they overlap and fade into each other anyway.

What the channels hold (L, R: left and right; primed: after the transform):

==============  ===================================  ==========================================
transform       forward                              back
==============  ===================================  ==========================================
mid_side        ((L + R) / 2, L - R)                 (L' + R'/2, L' - R'/2)
mid_side_b2     (R + L/2, L - R/2)                   (R'/1.25 + 0.4 L', L'/1.25 - 0.4 R')
mid_side_c      (L + R/4, R - L/4)                   (L'/1.0625 - R'/4.25, R'/1.0625 + L'/4.25)
stereo_n        ((L + R/4)/0.9375, (R + L/4)/0.9375) (L' - R'/4, R' - L'/4)
reverse         backwards in time                    forwards again
==============  ===================================  ==========================================

``reverse`` cannot be streamed as such; :class:`engine.models.MultiBand` turns the windows around instead, before the
network and after it, and the streams here leave it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from video_preprocessing.uvr5.signal.band_plan import Band, BandPlan, Channels
from video_preprocessing.uvr5.signal.stft import StreamingInverseStft, StreamingStft
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import soxr

Gains = npt.NDArray[np.float64]

_FORWARD: dict[Channels, tuple[tuple[float, float], tuple[float, float]]] = {
    "mid_side": ((0.5, 0.5), (1.0, -1.0)),
    "mid_side_b2": ((0.5, 1.0), (1.0, -0.5)),
    "mid_side_c": ((1.0, 0.25), (-0.25, 1.0)),
    "stereo_n": ((1 / 0.9375, 0.25 / 0.9375), (0.25 / 0.9375, 1 / 0.9375)),
}
_BACK: dict[Channels, tuple[tuple[float, float], tuple[float, float]]] = {
    "mid_side": ((1.0, 0.5), (1.0, -0.5)),
    "mid_side_b2": ((0.4, 0.8), (0.8, -0.4)),
    "mid_side_c": ((1 / 1.0625, -1 / 4.25), (1 / 4.25, 1 / 1.0625)),
    "stereo_n": ((1.0, -0.25), (-0.25, 1.0)),
}


def turn(x: torch.Tensor, channels: Channels) -> torch.Tensor:
    """The channels of (2, …), waveform or spectrum, as the transform has them."""
    return _mixed(x, _FORWARD.get(channels))


def turn_back(x: torch.Tensor, channels: Channels) -> torch.Tensor:
    """The inverse of :func:`turn`."""
    return _mixed(x, _BACK.get(channels))


def _mixed(x: torch.Tensor, matrix: tuple[tuple[float, float], tuple[float, float]] | None) -> torch.Tensor:
    if matrix is None:
        return x
    (a, b), (c, d) = matrix
    return torch.stack([a * x[0] + b * x[1], c * x[0] + d * x[1]])


class Analyser:
    """Stereo samples at the plan's rate to frames of the stack.

    Frames are centred: frame k lies at sample ``k hop``, and a recording of n samples has ``1 + n // hop``.
    """

    def __init__(self, plan: BandPlan) -> None:
        self.plan = plan
        self._stfts = [StreamingStft(b.n_fft, b.hop, b.n_fft // 2) for b in plan.bands]
        self._resamplers = [_resampler(up, low) for low, up in zip(plan.bands, plan.bands[1:], strict=False)]
        self._waiting = [torch.zeros(2, b.n_fft // 2 + 1, 0, dtype=torch.complex64) for b in plan.bands]
        self._pre_filter = _pre_filter(plan)
        self._came = self._made = 0

    def push(self, block: FloatArray) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The frames that are ready, and above them the top that the stack leaves out.

        Shape:
            (2, any number of samples) float32 -> (2, plan.bins + 1, frames) complex, and
            (2, plan.high_end_bins, frames) complex, or None for a plan that leaves nothing out
        """
        return self._frames(block, last=False)

    def finish(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The frames that are left."""
        return self._frames(np.zeros((2, 0), np.float32), last=True)

    def whole(self, waveform: FloatArray) -> torch.Tensor:
        """The stack of a whole waveform, ``reverse`` included: every band is turned around by itself."""
        stack, _ = self._frames(waveform, last=True, backwards=self.plan.channels == "reverse")
        return stack

    def _frames(
        self, block: FloatArray, *, last: bool, backwards: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        self._came += block.shape[1]
        for d in reversed(range(len(self.plan.bands))):
            if d < len(self._resamplers):
                block = _resampled(self._resamplers[d], block, last=last)
            x = torch.from_numpy(np.ascontiguousarray(block[:, ::-1] if backwards else block))
            if self.plan.generation == "5.0":
                x = turn(x, self.plan.channels)
            spec = self._stfts[d].push(x)
            if last:
                # One frame more than needed: resamplers may round a band's length down.
                tail = self._stfts[d].finish(self.plan.bands[d].n_fft // 2 + self.plan.bands[d].hop)
                spec = torch.cat([spec, tail], dim=-1)
            self._waiting[d] = torch.cat([self._waiting[d], spec], dim=-1)
        count = min(w.shape[-1] for w in self._waiting)
        if last:
            count = min(count, 1 + self._came // self.plan.hop - self._made)
        self._made += count
        specs = [w[..., :count] for w in self._waiting]
        self._waiting = [w[..., count:] for w in self._waiting]
        return self._stacked(specs), self._high_end(specs[-1])

    def _stacked(self, specs: list[torch.Tensor]) -> torch.Tensor:
        stack = torch.zeros(2, self.plan.bins + 1, specs[0].shape[-1], dtype=torch.complex64)
        at = 0
        for band, spec in zip(self.plan.bands, specs, strict=True):
            part = spec[:, band.crop_start : band.crop_stop]
            stack[:, at : at + band.bins] = turn(part, band.channels) if self.plan.generation == "5.1" else part
            at += band.bins
        return stack * self._pre_filter

    def _high_end(self, spec: torch.Tensor) -> torch.Tensor | None:
        height, top = self.plan.high_end_bins, self.plan.bands[-1].n_fft // 2
        return spec[:, top - height : top] if height else None


class Synthesiser:
    """Frames of the stack back to stereo samples at the plan's rate.

    Bins that no band covers are silent: the public code leaves them uninitialised.
    """

    def __init__(self, plan: BandPlan) -> None:
        self.plan = plan
        self._inverses = [StreamingInverseStft(b.n_fft, b.hop, b.n_fft // 2) for b in plan.bands]
        self._resamplers = [_resampler(low, up) for low, up in zip(plan.bands, plan.bands[1:], strict=False)]
        self._filters = [_band_filter(plan, d) for d in range(len(plan.bands))]
        self._own = [np.zeros((2, 0), np.float32) for _ in plan.bands]
        self._lower = [np.zeros((2, 0), np.float32) for _ in plan.bands]
        self._written = 0

    def push(self, stack: torch.Tensor, high_end: torch.Tensor | None = None) -> FloatArray:
        """The samples that are ready.

        Shape:
            (2, plan.bins + 1, frames) complex, and (2, at most plan.high_end_bins, frames) complex for the top
            -> (2, some samples) float32
        """
        out = self._sum([i.push(s).numpy() for i, s in zip(self._inverses, self._split(stack, high_end), strict=True)])
        self._written += out.shape[1]
        return out

    def finish(self, samples: int) -> FloatArray:
        """What is left, so that all of it is ``samples`` long."""
        pairs = zip(self._inverses, self.plan.bands, strict=True)
        rest = [inverse.finish(_at_rate(samples, self.plan, band)).numpy() for inverse, band in pairs]
        out = self._sum(rest, last=True)[:, : max(0, samples - self._written)]
        missing = samples - self._written - out.shape[1]
        return np.concatenate([out, np.zeros((2, max(0, missing)), np.float32)], axis=1)

    def whole(self, stack: torch.Tensor, samples: int, high_end: torch.Tensor | None) -> FloatArray:
        """The waveform of a whole stack, ``reverse`` included.

        Args:
            stack: shape (2, bins + 1, frames).
            samples: the length of the waveform at the plan's rate.
            high_end: shape (2, h, frames): the bins above the bands, if they are to be restored.
        """
        waves = []
        for band, inverse, spec in zip(self.plan.bands, self._inverses, self._split(stack, high_end), strict=True):
            wave = torch.cat([inverse.push(spec), inverse.finish(_at_rate(samples, self.plan, band))], dim=1).numpy()
            waves.append(np.ascontiguousarray(wave[:, ::-1]) if self.plan.channels == "reverse" else wave)
        out = self._sum(waves, last=True)[:, :samples]
        return np.pad(out, ((0, 0), (0, samples - out.shape[1])))

    def _split(self, stack: torch.Tensor, high_end: torch.Tensor | None) -> list[torch.Tensor]:
        specs, at = [], 0
        for band, gains in zip(self.plan.bands, self._filters, strict=True):
            spec = torch.zeros(2, band.n_fft // 2 + 1, stack.shape[-1], dtype=torch.complex64)
            spec[:, band.crop_start : band.crop_stop] = stack[:, at : at + band.bins]
            at += band.bins
            if high_end is not None and band is self.plan.bands[-1]:
                top = band.n_fft // 2
                spec[:, top - high_end.shape[1] : top] = high_end
            spec *= gains
            specs.append(turn_back(spec, band.channels) if self.plan.generation == "5.1" else spec)
        return specs

    def _sum(self, waves: list[FloatArray], *, last: bool = False) -> FloatArray:
        """Every band joined by what comes up from the bands below it, as far as both are there."""
        below = np.zeros((2, 0), np.float32)
        for d, wave in enumerate(waves):
            if self.plan.generation == "5.0":
                wave = turn_back(torch.from_numpy(wave), self.plan.channels).numpy()  # noqa: PLW2901
            joined = self._joined(d, wave, below, last=last) if d else wave
            if d == len(self._resamplers):
                break
            below = _resampled(self._resamplers[d], joined, last=last)
        return joined

    def _joined(self, d: int, wave: FloatArray, below: FloatArray, *, last: bool) -> FloatArray:
        own = np.concatenate([self._own[d], wave], axis=1)
        lower = np.concatenate([self._lower[d], below], axis=1)
        count = own.shape[1] if last else min(own.shape[1], lower.shape[1])
        self._own[d], self._lower[d] = own[:, count:], lower[:, count:]
        joined = own[:, :count].copy()
        joined[:, : lower.shape[1]] += lower[:, :count]
        return joined


def analyse(waveform: FloatArray, plan: BandPlan) -> torch.Tensor:
    """The stack of a whole waveform at the plan's rate; ``reverse`` included.

    Shape:
        (2, samples) float32 -> (2, plan.bins + 1, 1 + samples // plan.hop) complex
    """
    return Analyser(plan).whole(waveform)


def synthesise(stack: torch.Tensor, plan: BandPlan, samples: int, high_end: torch.Tensor | None = None) -> FloatArray:
    """The waveform of a whole stack, (2, samples) float32; the inverse of :func:`analyse` where bands are covered.

    Args:
        stack: shape (2, bins + 1, frames), complex.
        plan: its bands.
        samples: the length of the waveform at the plan's rate.
        high_end: shape (2, h, frames): the bins above the bands, if they are to be restored.
    """
    return Synthesiser(plan).whole(stack, samples, high_end)


def _at_rate(samples: int, plan: BandPlan, band: Band) -> int:
    """Samples of a band in as much time, rounded up as resamplers do."""
    return -(-samples * band.sample_rate_hz // plan.sample_rate_hz)


def _pre_filter(plan: BandPlan) -> torch.Tensor:
    """Gains over the stack, (bins + 1, 1): what lies above the network's training material is turned down."""
    height, start, stop = plan.bins + 1, plan.pre_filter_start, plan.pre_filter_stop
    gains = np.ones(height)
    if start > 0 and (len(plan.bands) == 1 or plan.generation == "5.1"):
        gains = _low_pass(height, start, stop)
    elif start > 0:
        gain = 1.0
        for b in range(start + 1, min(stop, height)):
            gain = 10 ** (-(b - start) * (3.5 - gain) / 20)
            gains[b] = gain
    return torch.from_numpy(gains.astype(np.float32))[:, None]


def _band_filter(plan: BandPlan, number: int) -> torch.Tensor:
    """Gains over a band's own bins, (bins, 1): faded out where its neighbours take over."""
    band, bins = plan.bands[number], plan.bands[number].n_fft // 2 + 1
    gains = np.ones(bins)
    if number and band.hpf_start and band.hpf_stop is not None:
        gains *= _high_pass(bins, band.hpf_start, band.hpf_stop - 1)
    if number < len(plan.bands) - 1 and band.lpf_start is not None and band.lpf_stop is not None:
        gains *= _low_pass(bins, band.lpf_start, band.lpf_stop)
    return torch.from_numpy(gains.astype(np.float32))[:, None]


def _low_pass(bins: int, start: int, stop: int) -> Gains:
    """One below ``start``, zero from ``stop - 1`` on; the ramps of v5.0 and the masks of v5.1 are the same."""
    gains = np.ones(bins)
    gains[start:stop] = 1 - np.arange(1, stop - start + 1) / (stop - start or 1)
    gains[stop:] = 0
    return gains


def _high_pass(bins: int, start: int, stop: int) -> Gains:
    """Zero up to ``stop + 1``, one above ``start``."""
    gains = np.ones(bins)
    gains[stop + 1 : start + 1] = 1 - np.arange(start - stop, 0, -1) / (start - stop or 1)
    gains[: stop + 1] = 0
    return gains


def _resampler(source: Band, target: Band) -> soxr.ResampleStream | None:
    """Between two bands; None where they have the same rate."""
    import soxr

    if source.sample_rate_hz == target.sample_rate_hz:
        return None
    return soxr.ResampleStream(source.sample_rate_hz, target.sample_rate_hz, 2, dtype="float32", quality="HQ")


def _resampled(resampler: soxr.ResampleStream | None, x: FloatArray, *, last: bool) -> FloatArray:
    if resampler is None:
        return x
    return np.asarray(resampler.resample_chunk(np.ascontiguousarray(x.T, dtype=np.float32), last=last).T)
