"""The figures of a checkpoint's signal path; free of torch, since checkpoints are named long before one is run."""

from __future__ import annotations

from dataclasses import dataclass

from yuki_builder.records import Record


@dataclass(frozen=True, slots=True)
class SignalPath(Record):
    """How waveforms become network input.

    Attributes:
        window_ms: length of the Hann window.
        hop_ms: step between frames.
        band_hz: the network's band ends here; half the sample rate it was trained at.
        input_power: exponent on the magnitudes.
    """

    window_ms: float = 60.0
    hop_ms: float = 20.0
    band_hz: int = 8000
    input_power: float = 0.5

    def window_samples(self, sample_rate_hz: int) -> int:
        """Samples of the analysis window at that rate, even."""
        return 2 * round(self.window_ms * sample_rate_hz / 2000)

    def hop_samples(self, sample_rate_hz: int) -> int:
        """Samples between frames at that rate."""
        return round(self.hop_ms * sample_rate_hz / 1000)

    @property
    def bins(self) -> int:
        """Bins of the network's band, the one at ``band_hz`` included."""
        return self.window_samples(2 * self.band_hz) // 2 + 1

    @property
    def n_fft(self) -> int:
        """FFT length at the rate the network was trained at."""
        return self.window_samples(2 * self.band_hz)
