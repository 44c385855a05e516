"""``lines.csv``: the lines for a spreadsheet.

UTF-8 with a byte order mark, so that Excel shows Chinese and Japanese (``pandas.read_csv(path,
encoding="utf-8-sig", keep_default_na=False)``); fields with commas, quotes or line breaks are quoted after RFC 4180.
An empty cell is null. ``evidence`` is JSON within its cell.

Text is written as it was said, even where it starts with ``=``, ``+``, ``-`` or ``@``: a quote or apostrophe in
front would be a change that every later reader inherits. A spreadsheet program may take such a cell for a formula,
so open files from people you do not trust with its text import ("column format: text").
"""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from yuki_builder.errors import InputError
from yuki_builder.records import Line

COLUMNS = tuple(field.name for field in dataclasses.fields(Line))
_NEVER_NULL = ("line_id", "episode_id", "text")
_PARSERS: dict[str, Callable[[str], Any]] = {
    "index": int,
    "start_ms": int,
    "end_ms": int,
    "confidence": float,
    "evidence": json.loads,
    "overlap": float,
    "snr_db": float,
    "quality": float,
}


def write_lines_csv(lines: Iterable[Line], destination: Path) -> None:
    """Write a header and one row a line, columns in the order of :class:`~yuki_builder.records.Line`."""
    # "backslashreplace": half a surrogate pair (a file name that was no UTF-8) must not stop the export.
    with destination.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for line in lines:
            row = line.to_dict()
            row["evidence"] = json.dumps(row["evidence"], ensure_ascii=False)
            writer.writerow(row)


def read_lines_csv(source: Path) -> list[Line]:
    """The lines that :func:`write_lines_csv` wrote, also after an edit that moved or added columns.

    Raises:
        InputError: not UTF-8, a column missing, or a cell that does not fit; names the row.
    """
    lines = []
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for row in reader:
                lines.append(_parse(row))
        except (csv.Error, KeyError, ValueError, TypeError, AttributeError) as e:
            raise InputError(f"row {reader.line_num} is not a line of dialogue ({e})", where=source) from e
    return lines


def _parse(row: dict[str, str]) -> Line:
    cells = {name: cell for name, cell in row.items() if name in COLUMNS and (cell or name in _NEVER_NULL)}
    return Line.from_dict({name: _PARSERS.get(name, str)(cell) for name, cell in cells.items()})
