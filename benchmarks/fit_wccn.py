#!/usr/bin/env python3
"""Fit how one voice's CAM++ vectors scatter, over moods, music and length, and say what it brings on other actors.

    python benchmarks/fit_wccn.py --read DIR --acted DIR --music DIR [--cache FOLDER] [--write]

The folders are those of ``simulated_episodes.py``. The scatter within the acted voices (over moods) and within the read
ones (over music and length) is weighed 4 to 1, and brought nearer to that of a sphere; vectors are then multiplied by
the Cholesky factor of its inverse (within-class covariance normalisation). Printed is the equal error rate over pairs
of lines of two actors whom the matrix was not fitted on, the mean over all pairs of actors, before and after.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.simulated_episodes import Pieces, make_pieces
from video_preprocessing.speech.campplus_embedder import WCCN
from video_preprocessing.speech.embedding import unit_rows

ACTED_SHARE = 0.8
SPHERE_SHARE = 3.0


def within(pieces: Pieces) -> np.ndarray:
    """Covariance of the voices' vectors around their means; shape (192, 192)."""
    dim = pieces.vectors.shape[1]
    total, freedom = np.zeros((dim, dim)), 0
    for voice in np.unique(pieces.voice):
        own = pieces.vectors[pieces.voice == voice].astype(np.float64)
        own -= own.mean(0)
        total += own.T @ own
        freedom += len(own) - 1
    return total / freedom


def fit(read: Pieces, acted: Pieces) -> np.ndarray:
    """The matrix that vectors are multiplied by; its mean squared singular value is 1."""
    scatter = ACTED_SHARE * within(acted) + (1 - ACTED_SHARE) * within(read)
    scatter += SPHERE_SHARE * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    factor = np.linalg.cholesky(np.linalg.inv(scatter))
    return np.asarray(factor / np.sqrt((factor**2).sum() / len(factor)))


def equal_error_rate(vectors: np.ndarray, voices: np.ndarray) -> float:
    """In per cent, over all pairs of lines."""
    one, other = np.triu_indices(len(voices), 1)
    is_same = (voices[one] == voices[other])[np.argsort(-(vectors @ vectors.T)[one, other], kind="stable")]
    missed = 1 - np.cumsum(is_same) / is_same.sum()
    false = np.cumsum(~is_same) / (~is_same).sum()
    at = int(np.abs(missed - false).argmin())
    return float(50 * (missed[at] + false[at]))


def chosen(pieces: Pieces, rows: np.ndarray) -> Pieces:
    return Pieces(*(getattr(pieces, name)[rows] for name in Pieces.__dataclass_fields__))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("read", "acted", "music"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true", help=f"replace {WCCN.name}")
    a = parser.parse_args()
    read, acted = (
        make_pieces(folder, a.music, "campplus-plain", acted=is_acted, cache=a.cache)
        for folder, is_acted in ((a.read, False), (a.acted, True))
    )
    rates = []
    for pair in itertools.combinations(np.unique(acted.voice), 2):
        is_tested = np.isin(acted.voice, pair)
        matrix, tested = fit(read, chosen(acted, ~is_tested)), chosen(acted, is_tested)
        rates.append([equal_error_rate(unit_rows(v), tested.voice) for v in (tested.vectors, tested.vectors @ matrix)])
    before, after = np.mean(rates, axis=0)
    print(f"equal error rate, lines of two actors not fitted on: {before:.1f} % before, {after:.1f} % after")
    if a.write:
        from safetensors.numpy import save_file

        save_file({"wccn": fit(read, acted).astype(np.float32)}, WCCN)


if __name__ == "__main__":
    main()
