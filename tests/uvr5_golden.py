"""Reads the reference outputs of the public networks."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent / "golden" / "uvr5"


def load(name: str) -> dict[str, Any]:
    """The tensors of one reference file."""
    return dict(torch.load(FOLDER / f"{name}.pt", weights_only=True))


def seeded_state(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, torch.Tensor]:
    """The weights that the references of large networks were made with: a rule instead of megabytes."""
    return {key: _seeded(key, tuple(shape), seed) for key, shape in shapes.items()}


def _seeded(key: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    g = np.random.default_rng(zlib.crc32(key.encode()) ^ seed).standard_normal(shape)
    if key.endswith("running_var"):
        g = 0.5 + np.abs(g)
    elif key.endswith("running_mean"):
        g = 0.3 * g
    elif g.ndim == 1:
        g = 1 + 0.2 * g if key.endswith("weight") else 0.1 * g
    else:
        g = g / np.sqrt(max(1, g[0].size))
    return torch.from_numpy(g.astype(np.float32))
