"""What the networks of both generations have in common: spectrograms go in, a mask of their middle frames comes out."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F


class MaskNet(nn.Module):
    """A network whose output is a mask; in training, a tuple with the mask first.

    Attributes:
        offset: frames at either end of a window that saw too little context and are dropped.
        max_bin: bins that the network works on.
        output_bin: bins of the mask, the topmost one (Nyquist) included.
    """

    offset: int
    max_bin: int
    output_bin: int

    def predict_mask(self, x: torch.Tensor) -> torch.Tensor:
        """The mask without the ``offset`` frames at either end.

        Shape:
            (N, 2, bins, frames) -> (N, 2, n_fft / 2 + 1, frames - 2 offset)

        Raises:
            ValueError: the window has no frame left between the ends.
        """
        if x.dim() == 4 and x.shape[3] <= 2 * self.offset:
            raise ValueError(f"a window needs more than {2 * self.offset} frames, got {x.shape[3]}")
        result = self(x)
        mask = cast("torch.Tensor", result[0] if self.training else result)
        return mask[..., self.offset : -self.offset]

    def _mask(self, logits: torch.Tensor) -> torch.Tensor:
        # The topmost bin is outside the network's power of two: it takes its neighbour's value.
        return F.pad(torch.sigmoid(logits), (0, 0, 0, self.output_bin - self.max_bin), mode="replicate")
