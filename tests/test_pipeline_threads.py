"""How the threads of PyTorch wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.console.threads import ROUNDS, wait_sparingly

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"GOMP_SPINCOUNT": ROUNDS}),
        ({"GOMP_SPINCOUNT": "5"}, {"GOMP_SPINCOUNT": "5"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
    ],
)
def test_what_the_user_has_set_stays(given: dict[str, str], found: dict[str, str]) -> None:
    environment = dict(given)
    wait_sparingly(environment)
    assert environment == found


def test_the_command_says_so_before_pytorch_is_loaded() -> None:
    """GNU's OpenMP library tells on being loaded what it was told; other libraries do not."""
    code = (
        "import runpy, sys; sys.argv = ['run_pipeline.py', '--video', 'none.mkv']\n"
        "try: runpy.run_path('run_pipeline.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules\n"
        "import torch"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"OMP_DISPLAY_ENV": "VERBOSE", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("PyTorch runs on another OpenMP library here")
    assert f"GOMP_SPINCOUNT = '{ROUNDS}'" in done.stderr
