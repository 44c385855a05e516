"""How the threads of PyTorch wait."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.console import command
from pipelines.console.threads import ROUNDS, multiply_on_one_thread, wait_sparingly

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


@pytest.mark.parametrize(("told", "threads"), [(None, 1), ("2", 2)])
def test_numpy_multiplies_on_one_thread_in_the_command(told: str | None, threads: int) -> None:
    code = (
        "import runpy, sys; sys.argv = ['run_pipeline.py', '--video', 'none.mkv']\n"
        "try: runpy.run_path('run_pipeline.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "import numpy, scipy.linalg, threadpoolctl\n"
        "print({lib['num_threads'] for lib in threadpoolctl.threadpool_info() if lib['internal_api'] == 'openblas'})"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    environment |= {} if told is None else {"OPENBLAS_NUM_THREADS": told}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    if done.stdout.splitlines()[-1] == "set()":
        pytest.skip("NumPy multiplies with another library here")
    assert done.stdout.splitlines()[-1] == f"{{{threads}}}"
    environment.clear()
    multiply_on_one_thread(environment)
    assert environment == {"OPENBLAS_NUM_THREADS": "1"}


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


def test_the_command_ends_without_a_last_look_at_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run_pipeline.py", "--help"])
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # set, so that nothing of this process is changed
    try:
        assert command.run() == 0
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
