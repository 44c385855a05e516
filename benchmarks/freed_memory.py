"""What a separation leaves behind in the C library: the pace of tensors before and after, and their page faults.

    python benchmarks/freed_memory.py

Each case runs in a process of its own: one that never separated, one that did, and one with the C library's defaults
put back, as this project did before.
"""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

CASES = ("never separated", "after a separation", "with the defaults of a fresh process")
MEGABYTES = (1, 8, 24)
ROUNDS = 300


def measure(case: str) -> None:
    import torch

    from video_preprocessing.uvr5.separator import Separator

    torch.set_num_threads(1)
    if case != CASES[0]:
        Separator.load("dialogue").separate(0.1 * torch.randn(2, 441000).numpy(), 44100)
    if case == CASES[2]:
        libc = ctypes.CDLL(None)
        for parameter, value in ((-4, 65536), (-3, 128 << 10), (-1, 128 << 10), (-2, 128 << 10)):
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)
    for size in MEGABYTES:
        x = torch.ones(size * 2**18)
        (x + 1).relu()
        faults, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
        for _ in range(ROUNDS):
            (x + 1).relu()
        seconds = time.perf_counter() - start
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
        print(f"{case}: {size} MB: {1000 * seconds / ROUNDS:.2f} ms, {faults / ROUNDS:.0f} page faults each")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        for name in CASES:
            subprocess.run([sys.executable, __file__, name], check=True)
