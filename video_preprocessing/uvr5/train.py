"""``python -m video_preprocessing.uvr5.train``; the code is in ``training/train.py``."""

from __future__ import annotations

import sys

from video_preprocessing.uvr5.training.train import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
