"""The command, as ``run_pipeline.py`` and as the installed ``yuki-builder``."""

from __future__ import annotations

import gc
import os

from pipelines.console.threads import multiply_on_one_thread, wait_sparingly


def run() -> int:
    """Settles how threads work and wait, before anything loads PyTorch, and runs the command line; the exit status."""
    wait_sparingly(os.environ)
    multiply_on_one_thread(os.environ)
    from pipelines.console.app import main

    status = main()
    # Python's last look for garbage, before it ends, would go over a million objects of the libraries: 0.8 s.
    gc.freeze()
    return status
