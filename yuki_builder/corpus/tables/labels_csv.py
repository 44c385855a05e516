"""What a person says of who speaks, kept as the annotated CSV that the next run takes by ``--labels``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.atomic import sweep, write_atomically
from yuki_builder.errors import InputError

COLUMNS = ("人物", "人物台词", "开始时间", "结束时间", "episode_id")
LINE_COLUMN = "line_id"
"""May stand behind the others: a row that names its line is that line's and no other's."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Who says one line, by a person."""

    episode_id: str
    start_ms: int
    end_ms: int
    text: str
    character: str
    line_id: str = ""

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table, in the order of ``COLUMNS`` and ``LINE_COLUMN``."""
        times = (clock(self.start_ms), clock(self.end_ms))
        return (self.character, " ".join(self.text.splitlines()), *times, self.episode_id, self.line_id)


def clock(time_ms: int) -> str:
    """``H:MM:SS.mmm``."""
    seconds, ms = divmod(max(0, time_ms), 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def save_corrections(corrections: Sequence[Correction], path: Path) -> int:
    """Write a table, or add to the one that is there; the number of rows that it then has.

    A row of the same episode and times is replaced. Rows that somebody else wrote stay as they are.

    Raises:
        InputError: there is a file of another form.
        OSError: it cannot be written.
    """
    rows = {row[2:5]: row for row in read_labels(path)}
    for c in corrections:
        before = rows.get(c.row[2:5])
        rows[c.row[2:5]] = (*c.row[:5], c.line_id or (before[5] if before else ""))
    write_labels(rows.values(), path)
    return len(rows)


def write_labels(rows: Iterable[Sequence[str]], path: Path) -> None:
    """Replace the table by these rows, in one step; the column of line ids is there where a row has one."""
    rows = list(rows)
    width = len(COLUMNS) + any(row[5] for row in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, LINE_COLUMN)[:width])
    writer.writerows(row[:width] for row in rows)
    sweep(path.parent)
    write_atomically(path, text.getvalue(), encoding="utf-8-sig")


def read_labels(path: Path) -> list[tuple[str, ...]]:
    """The rows of a table, each with a cell for every column and one for the line id; none where there is no file.

    Raises:
        InputError: a file of another form.
    """
    if not path.exists():
        return []
    try:
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    except (UnicodeDecodeError, ValueError, csv.Error) as e:
        raise InputError(
            "is there already and is not a table of labels", where=path, remedy="choose another name"
        ) from e
    known = (COLUMNS, (*COLUMNS, LINE_COLUMN))
    if tuple(header) not in known or any(len(row) != len(header) for row in rows):
        remedy = f"choose another name; only a table with the columns {','.join(COLUMNS)} is added to"
        raise InputError("is there already and has other columns", where=path, remedy=remedy)
    return [(*row, "")[:6] for row in rows]
