#!/usr/bin/env python3
"""How fast the speaker embedder is: the lines of an episode, as noise of the same length.

    python benchmarks/embedding.py [--lines 400] [--rttm EPISODE.rttm] [--embedder campplus] [--rounds 3]

Speed does not depend on what is heard. Without ``--rttm`` lines are as long as in real series: half of them under two
seconds, a quarter under one, none above five.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import torch
from episodes import machine

from video_preprocessing.speech import load_embedder, read_rttm
from video_preprocessing.speech.audio import SAMPLE_RATE_HZ

_LONGEST_S, _SHORTEST_S, _MEDIAN_S, _SPREAD = 5.0, 0.35, 1.9, 0.8


def durations_s(lines: int, rttm: Path | None) -> np.ndarray:
    """Shape (lines,)."""
    if rttm is None:
        drawn = _MEDIAN_S * np.exp(_SPREAD * np.random.default_rng(0).standard_normal(lines))
        return np.clip(drawn, _SHORTEST_S, _LONGEST_S)
    spoken = np.array([turn.span.duration_ms / 1000 for turn in read_rttm(rttm)])
    return np.clip(np.resize(spoken, lines), _SHORTEST_S, _LONGEST_S)


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=400, help="(%(default)s)")
    parser.add_argument("--rttm", type=Path, help="an episode whose lines' lengths to take")
    parser.add_argument("--embedder", default="campplus", help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    a = parser.parse_args()
    lengths = durations_s(a.lines, a.rttm)
    rng = np.random.default_rng(1)
    waves = [rng.normal(0, 0.1, round(s * SAMPLE_RATE_HZ)).astype(np.float32) for s in lengths]
    embedder = load_embedder(a.embedder, device="cpu")
    embedder.embed_many(waves[:20])
    print(f"{machine()}\n\n{a.lines} lines, {lengths.sum():.0f} s of sound, {torch.get_num_threads()} threads\n")
    product = torch.randn(1024, 1024)
    for _ in range(a.rounds):
        begun = time.perf_counter()
        for _ in range(10):
            product @ product
        peak = 10 * 2 * 1024**3 / (time.perf_counter() - begun) / 1e9
        begun, used = time.perf_counter(), processor_s()
        embedder.embed_many(waves)
        took, used = time.perf_counter() - begun, processor_s() - used
        print(f"{took:.1f} s of the clock, {used:.1f} s of processor time; products just before: {peak:.0f} GFLOPS")


if __name__ == "__main__":
    main()
