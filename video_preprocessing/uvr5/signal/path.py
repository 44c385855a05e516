"""The numbers of a checkpoint's signal path; free of torch, since checkpoints are named long before one is run."""

from __future__ import annotations

from dataclasses import dataclass

from yuki_builder.records import Record

_SHORTEST_WINDOW_MS, _LONGEST_WINDOW_MS, _SHORTEST_HOP_MS = 2.0, 500.0, 1.0
_LOWEST_BAND_HZ, _HIGHEST_BAND_HZ, _LARGEST_POWER = 1000, 48_000, 2.0


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

    def __post_init__(self) -> None:
        if not _SHORTEST_WINDOW_MS <= self.window_ms <= _LONGEST_WINDOW_MS:
            raise ValueError(f"a window of {self.window_ms:g} ms")
        if not _SHORTEST_HOP_MS <= self.hop_ms <= self.window_ms / 2:
            raise ValueError(f"a hop of {self.hop_ms:g} ms under windows of {self.window_ms:g} ms")
        if not _LOWEST_BAND_HZ <= self.band_hz <= _HIGHEST_BAND_HZ:
            raise ValueError(f"a band that ends at {self.band_hz} Hz")
        if not 0 < self.input_power <= _LARGEST_POWER:
            raise ValueError(f"an input power of {self.input_power:g}")

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
