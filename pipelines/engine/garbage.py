"""How often Python looks for garbage that refers to itself while stages run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (50_000, 20, 10)


@contextmanager
def rare_collection() -> Iterator[None]:
    """Records form no circles, yet Python's collector goes over all of them each time that there are some more."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
