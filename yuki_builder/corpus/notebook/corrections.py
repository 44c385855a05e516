"""What a person says of lines, kept as the annotated CSV that the next run takes by ``--characters``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.atomic import sweep, write_atomically
from yuki_builder.errors import InputError

COLUMNS = ("人物", "人物台词", "开始时间", "结束时间", "episode_id")


@dataclass(frozen=True, slots=True)
class Correction:
    """Who says one line, by a person."""

    episode_id: str
    start_ms: int
    end_ms: int
    text: str
    character: str

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table, in the order of ``COLUMNS``."""
        times = (clock(self.start_ms), clock(self.end_ms))
        return (self.character, " ".join(self.text.splitlines()), *times, self.episode_id)


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
    rows = {row[2:]: row for row in _read(path)}
    rows |= {c.row[2:]: c.row for c in corrections}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows.values())
    sweep(path.parent)
    write_atomically(path, text.getvalue(), encoding="utf-8-sig")
    return len(rows)


def _read(path: Path) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    try:
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    except (UnicodeDecodeError, ValueError, csv.Error) as e:
        raise InputError("is there already and is no table of labels", where=path, remedy="choose another name") from e
    if tuple(header) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        remedy = f"choose another name; only a table with the columns {','.join(COLUMNS)} is added to"
        raise InputError("is there already and has other columns", where=path, remedy=remedy)
    return [tuple(row) for row in rows]
