"""Files of weights that the voices' networks are read from: where they are, and what they should be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A published file of weights.

    Attributes:
        name: of the network.
        source: where it comes from, in words.
        find: where it is on this machine, or None; fetches nothing.
        sha256: of the published file, where that is known.
    """

    name: str
    source: str
    find: Callable[[], Path | None]
    sha256: str | None = None


def packaged_file(package: str, *parts: str) -> Path | None:
    """A file of an installed package, or None. The package is not imported: that may load much."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(folders))).joinpath(*parts) if folders else None
    return path if path is not None and path.is_file() else None
