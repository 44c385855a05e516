"""``lines.jsonl``: one line of dialogue a row, the form that other tools should read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from yuki_builder.corpus.tables.jsonl import read_jsonl, write_jsonl
from yuki_builder.errors import InputError
from yuki_builder.records import Line


def write_lines_jsonl(lines: Iterable[Line], destination: Path) -> None:
    """Write one JSON object a line, fields in the order of :class:`~yuki_builder.records.Line`."""
    write_jsonl((line.to_dict() for line in lines), destination)


def read_lines_jsonl(source: Path) -> list[Line]:
    """The lines that :func:`write_lines_jsonl` wrote; fields of newer writers are ignored.

    Raises:
        InputError: a row that is no line; names the row.
    """
    lines = []
    for number, row in enumerate(read_jsonl(source), 1):
        try:
            lines.append(Line.from_dict(row))
        except (KeyError, ValueError, TypeError, AttributeError) as e:
            raise InputError(f"row {number} is not a line of dialogue ({e})", where=source) from e
    return lines
