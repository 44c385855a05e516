#!/usr/bin/env python3
"""From a video to a character corpus: ``python run_pipeline.py --video ep01.mkv``."""

from __future__ import annotations

import os
import sys

from pipelines.console.app import main
from pipelines.console.threads import wait_sparingly

if __name__ == "__main__":
    wait_sparingly(os.environ)
    sys.exit(main())
