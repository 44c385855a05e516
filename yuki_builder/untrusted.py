"""JSON and TOML from files that anybody may have written or damaged: what cannot be read is one kind of error."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

MAX_BYTES = 64 << 20
MAX_TOML_BYTES = 1 << 20


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: this is no JSON, no UTF-8, or nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError as e:
        raise ValueError("nested too deeply") from e


def read_json(path: Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """The value that a JSON file in UTF-8 holds.

    Raises:
        OSError: the file cannot be read.
        ValueError: as ``parse_json``, or the file is larger than ``max_bytes``.
    """
    return parse_json(_text(path, max_bytes))


def read_toml(path: Path) -> dict[str, Any]:
    """The table that a TOML file holds.

    Raises:
        OSError: the file cannot be read.
        ValueError: this is no TOML, no UTF-8, nested too deeply, or larger than anybody writes by hand.
    """
    try:
        return tomllib.loads(_text(path, MAX_TOML_BYTES))
    except RecursionError as e:
        raise ValueError("nested too deeply") from e


def _text(path: Path, max_bytes: int) -> str:
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"larger than {max_bytes >> 20} MiB")
    return data.decode("utf-8-sig")
