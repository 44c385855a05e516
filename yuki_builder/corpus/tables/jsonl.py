"""JSON Lines, one way for every file of the corpus: UTF-8, one object a row, the same bytes for the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from yuki_builder.errors import InputError

# JSON leaves these raw, yet much software ends a line at them; their escapes mean the same character.
_LINE_BREAKS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}


def write_jsonl(rows: Iterable[Mapping[str, Any]], destination: Path, *, append: bool = False) -> int:
    """Write each row as one line, keys in the order given; returns their number.

    Text stays readable (no ``\\u`` escapes), except for what could break a row apart and for halves of
    surrogate pairs, which UTF-8 cannot hold: those are escaped, and read back as they were.

    Args:
        rows: of values that JSON has.
        destination: the file.
        append: put them behind the rows that are there.
    """
    written = 0
    with destination.open("a" if append else "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_BREAKS) + "\n")
            written += 1
    return written


def read_jsonl(source: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON Lines file; empty lines are skipped, a byte order mark is accepted.

    Raises:
        InputError: a row that is no JSON object, or bytes that are no UTF-8; names the row.
    """
    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                row = json.loads(text) if text.strip() else None
            except (ValueError, RecursionError) as e:
                raise InputError(f"row {number} is not a JSON object in UTF-8", where=source) from e
            if row is None and not text.strip():
                continue
            if not isinstance(row, dict):
                raise InputError(f"row {number} is not a JSON object", where=source)
            yield row
