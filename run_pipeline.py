#!/usr/bin/env python3
"""From a video to a character corpus: ``python run_pipeline.py --video ep01.mkv``."""

from __future__ import annotations

import sys

from pipelines.console.command import run

if __name__ == "__main__":
    sys.exit(run())
