"""What the separator's settings of the C library leave behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Page faults of a hundred tensors of 4 MB; each has 1024 pages.
_FAULTS = """
import resource, torch
from video_preprocessing.uvr5.engine.optimise import keeping_freed_memory

def ended(little):
    with keeping_freed_memory(little=little):
        torch.ones(2**21)

for little in (False, True):
    ended(little)
    x = torch.ones(2**20)
    x + 1
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        x + 1
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the settings are those of glibc")
def test_after_a_separation_tensors_are_not_fetched_from_the_system_one_by_one() -> None:
    run = subprocess.run([sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True)
    for faults in map(int, run.stdout.split()):
        assert faults < 10_000, f"{faults} page faults in a hundred tensors of 4 MB"
