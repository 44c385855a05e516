"""What several test files share."""

from __future__ import annotations

import os

# Two workers on two cores: a thread each, or they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# Shared machines stall for seconds: an example's time says nothing here.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
