"""What the public tools do to a mask between network and stems: frame by frame, or with a short delay."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from video_preprocessing.uvr5.signal.band_plan import BandPlan

Weights = npt.NDArray[np.float32]


def apply_aggressiveness(
    mask: torch.Tensor,
    plan: BandPlan,
    aggressiveness: float = 0.10,
    *,
    generation: Literal["5.0", "5.1"],
    primary_is_accompaniment: bool = True,
) -> torch.Tensor:
    """Makes a mask harder: mask to the power 1 + a/3 below the plan's split bin, 1 + a from it on.

    With v5.0 networks a is the aggressiveness itself. With v5.1 networks it is twice that, as 1 - 2a where the mask
    does not give an accompaniment, plus the plan's correction for each channel.

    Args:
        mask: shape (2, bins, frames), 0 to 1.
        plan: of the network.
        aggressiveness: 0 leaves the mask as it is.
        generation: of the network.
        primary_is_accompaniment: whether the mask gives the accompaniment.

    Shape:
        mask: (2, bins, frames) -> the same shape
    """
    if not aggressiveness:
        return mask
    powers = [aggressiveness, aggressiveness]
    if generation == "5.1":
        doubled = 2 * aggressiveness
        doubled = doubled if primary_is_accompaniment else 1 - doubled
        powers = [doubled + correction for correction in plan.aggressiveness_correction]
    exponent = torch.empty(2, mask.shape[1], 1)
    for channel, power in enumerate(powers):
        exponent[channel, : plan.split_bin] = 1 + power / 3
        exponent[channel, plan.split_bin :] = 1 + power
    return mask.pow(exponent)


def mirror(high_end: torch.Tensor, stack: torch.Tensor, plan: BandPlan) -> torch.Tensor:
    """The top that the plan cuts off, filled with the flipped band below it ("mirroring").

    It has the input's phase, and only where it is quieter than the input does it take the input's place.

    Args:
        high_end: shape (2, h, frames), of the mixture above the plan's bands.
        stack: shape (2, bins + 1, frames), of a stem.
        plan: of the network.

    Shape:
        high_end: (2, h, frames) of the mixture, stack: (2, bins + 1, frames) of a stem -> (2, h, frames)
    """
    height, stop = high_end.shape[1], plan.pre_filter_start - 10
    below = stack[:, stop - height : stop].abs().flip(1)
    magnitude = high_end.abs()
    return high_end * torch.where(magnitude <= below, 1.0, below / magnitude.clamp_min(1e-12))


class PostProcess:
    """Gives stretches in which the voice is barely there to the accompaniment, from one fade to the next.

    A stretch counts when the mean magnitude of the voice stays below ``threshold`` for more than ``shortest`` frames;
    it fades in and out over ``fade`` frames, and stretches closer than that are bridged. What comes out is late by as
    much as it takes to be sure.

    Args:
        threshold: magnitude, on the scale of the spectrogram.
        shortest: frames.
        fade: frames; twice of it at most as long as ``shortest``.

    Raises:
        ValueError: it is longer.
    """

    def __init__(self, threshold: float = 0.2, shortest: int = 64, fade: int = 32) -> None:
        if 2 * fade > shortest:
            raise ValueError("two fades must fit into the shortest stretch")
        self.threshold, self.shortest, self.fade = threshold, shortest, fade
        self._quiet = np.zeros(0, bool)
        self._decided = 0  # of the frames in _quiet

    @property
    def delay(self) -> int:
        """Frames that have to follow before a frame is decided."""
        return self.shortest + 2 * self.fade + 2

    def push(self, voice: torch.Tensor) -> torch.Tensor:
        """How much of the voice goes to the accompaniment, for the frames that are decided.

        Shape:
            voice: (2, bins, any number of frames) magnitudes -> (some frames,), 0 to 1
        """
        quiet = voice.mean(dim=(0, 1)).numpy() < self.threshold
        self._quiet = np.concatenate([self._quiet, quiet])
        return self._decide(max(self._decided, len(self._quiet) - self.delay))

    def finish(self) -> torch.Tensor:
        """The frames that are left."""
        return self._decide(len(self._quiet))

    def _decide(self, end: int) -> torch.Tensor:
        weights = self._weights()[self._decided : end]
        # Of a stretch that began long ago it is enough to know that it did.
        forgotten = max(0, end - 8 * self.delay)
        self._quiet, self._decided = self._quiet[forgotten:], end - forgotten
        return torch.from_numpy(weights)

    def _weights(self) -> Weights:
        weights = np.zeros(len(self._quiet), np.float32)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self._quiet.astype(np.int8), [0]])))
        rise = np.linspace(0, 1, self.fade, dtype=np.float32)
        previous: int | None = None
        for begin, stop in edges.reshape(-1, 2):
            # As in the public code, a stretch ends with its last quiet frame, which is left out.
            end = stop - 1
            if end - begin <= self.shortest:
                continue
            bridged = previous is not None and begin - previous < self.fade
            full_from = previous - self.fade if previous is not None and bridged else begin + self.fade
            if begin == 0:
                full_from = 0
            elif not bridged:
                weights[begin : begin + self.fade] = rise
            weights[full_from : end - self.fade] = 1
            weights[end - self.fade : end] = rise[::-1]
            previous = end
        return weights
