"""Speech to test with."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def sample_path() -> Path:
    """The 30 s conversation of two that ships with pyannote.audio: 16 kHz mono, speech from 6.7 s on."""
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "sample" / "sample.wav"
