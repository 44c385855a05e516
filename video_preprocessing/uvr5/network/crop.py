"""Operations on spectrograms that networks and signal path share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def crop_center(wider: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The middle frames of ``wider``, as many as ``target`` has.

    Both are cropped along the last axis (time) only; an odd surplus leaves the extra frame at the end.

    Shape:
        wider: (..., frames); target: (..., fewer frames); result: (..., fewer frames)

    Raises:
        ValueError: ``wider`` has fewer frames than ``target``.
    """
    surplus = wider.shape[-1] - target.shape[-1]
    if surplus < 0:
        raise ValueError(f"cannot crop {wider.shape[-1]} frames to {target.shape[-1]}: the first must be the wider")
    start = surplus // 2
    return wider[..., start : start + target.shape[-1]]
