"""Streaming short-time Fourier transform and its inverse: blocks of any size in, the same result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch.nn import functional as F

from yuki_builder.records import FloatArray


class StreamingStft:
    """Stereo samples to frames, with a Hann window.

    Frame k covers the ``n_fft`` samples from ``k hop - lead`` on; what lies before the first sample is silence. With a
    lead of half a window the frames are centred, as librosa's.

    Args:
        n_fft: samples of a window.
        hop: samples from one frame to the next.
        lead: samples of silence before the first.
    """

    def __init__(self, n_fft: int, hop: int, lead: int) -> None:
        self.n_fft, self.hop = n_fft, hop
        self.window = torch.hann_window(n_fft)
        self._rest = torch.zeros(2, lead)

    def push(self, x: torch.Tensor) -> torch.Tensor:
        """(2, any number of samples) -> (2, n_fft / 2 + 1, the frames that are whole) complex."""
        x = torch.cat([self._rest, x], dim=1)
        count = max(0, (x.shape[1] - self.n_fft) // self.hop + 1)
        self._rest = x[:, count * self.hop :]
        if not count:
            return torch.zeros(2, self.n_fft // 2 + 1, 0, dtype=torch.complex64)
        frames = x.unfold(1, self.n_fft, self.hop)[:, :count] * self.window
        return torch.fft.rfft(frames).transpose(1, 2)

    def finish(self, silence: int) -> torch.Tensor:
        """The frames that ``silence`` samples behind the end complete."""
        return self.push(torch.zeros(2, silence))


class StreamingInverseStft:
    """Frames to stereo samples by weighted overlap-add, the inverse of ``StreamingStft`` with the same settings.

    Args:
        n_fft: samples of a window.
        hop: samples from one frame to the next.
        lead: samples of silence that were put before the first; they are left out.
    """

    def __init__(self, n_fft: int, hop: int, lead: int) -> None:
        self.n_fft, self.hop = n_fft, hop
        self.window = torch.hann_window(n_fft)
        self._tail = torch.zeros(3, n_fft - hop)
        self._skip = lead
        self._written = 0

    def push(self, spec: torch.Tensor) -> torch.Tensor:
        """(2, n_fft / 2 + 1, frames) complex -> (2, the samples that no later frame can change)."""
        count = spec.shape[-1]
        if not count:
            return torch.zeros(2, 0)
        frames = torch.fft.irfft(spec.transpose(1, 2), self.n_fft) * self.window
        # The third row sums up the squared windows, what everything is divided by in the end.
        weights = self.window.square().expand(1, count, self.n_fft)
        length = (count - 1) * self.hop + self.n_fft
        total = F.fold(torch.cat([frames, weights]).transpose(1, 2), (1, length), (1, self.n_fft), stride=(1, self.hop))
        total = total[:, 0, 0]
        total[:, : self.n_fft - self.hop] += self._tail
        done = count * self.hop
        self._tail = total[:, done:].clone()
        return self._emit(total[:, :done])

    def finish(self, samples: int) -> torch.Tensor:
        """What is left, so that all of it is ``samples`` long: cut, or filled with silence."""
        rest = self._emit(self._tail)
        missing = samples - self._written
        if missing < 0:
            return rest[:, : max(0, rest.shape[1] + missing)]
        return torch.cat([rest, torch.zeros(2, missing)], dim=1)

    def _emit(self, total: torch.Tensor) -> torch.Tensor:
        x = total[:2] / total[2].clamp_min(1e-6)
        skipped = min(self._skip, x.shape[1])
        self._skip -= skipped
        self._written += x.shape[1] - skipped
        return x[:, skipped:]


class Framer:
    """The pair for the project's own checkpoints.

    A margin of silence before and after the recording gives its first and last samples as many frames as all
    others; it is taken off again at the end. Values do not depend on the sample rate.
    """

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        self.margin = -(-window_samples // hop_samples) * hop_samples
        self.scale = 2.0 / window_samples
        self.forward = StreamingStft(window_samples, hop_samples, self.margin)
        self.backward = StreamingInverseStft(window_samples, hop_samples, self.margin)
        self.samples_in = self.samples_out = 0

    def analyse(self, blocks: Iterable[FloatArray]) -> Iterator[torch.Tensor]:
        """(2, samples) blocks to (2, bins, frames) complex blocks."""
        for block in blocks:
            self.samples_in += block.shape[1]
            yield self.forward.push(torch.from_numpy(np.ascontiguousarray(block))) * self.scale
        # A margin of silence, and then some, so that the last frame is whole.
        yield self.forward.finish(self.margin + self.forward.hop) * self.scale

    def synthesise(self, spec: torch.Tensor) -> FloatArray:
        """(2, bins, frames) complex to (2, samples): the samples that no later frame can change."""
        x = self.backward.push(spec * (1 / self.scale))
        # Frames of the margin behind the recording are not part of it.
        x = x[:, : max(0, self.samples_in - self.samples_out)] if self.samples_in < self.samples_out + x.shape[1] else x
        self.samples_out += x.shape[1]
        return x.numpy()

    def flush(self) -> FloatArray:
        """What is left in the overlap."""
        return self.backward.finish(self.samples_in).numpy()[:, : self.samples_in - self.samples_out]
