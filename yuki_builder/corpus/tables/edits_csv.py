"""``corrections.csv``: what a person says about lines beside who speaks: words, times, and what a line is not.

UTF-8 with a byte order mark, one row a line. An empty cell leaves the line as it is. ``marks`` holds any of
``not speech`` (there is no such line), ``unusable`` (not to train on), ``nobody`` (none of the characters speaks) and
``added`` (the subtitles lack the line: the row says all of it), with semicolons between them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.atomic import sweep, write_atomically
from yuki_builder.errors import InputError
from yuki_builder.records import Record

EDIT_COLUMNS = ("episode_id", "line_id", "text", "start_ms", "end_ms", "marks")
NOT_SPEECH, UNUSABLE, NOBODY = "not speech", "unusable", "nobody"
MARKS = (NOT_SPEECH, UNUSABLE, NOBODY)
"""What a person may call a line."""
ADDED = "added"
_REMEDY = f"correct the row, or move the file away; it has the columns {','.join(EDIT_COLUMNS)}"
_MAX_BYTES = 64 << 20
_LATEST_MS = 1 << 31


@dataclass(frozen=True, slots=True)
class LineEdit(Record):
    """What a person says about one line; None and no mark: as it was."""

    episode_id: str
    line_id: str
    text: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    marks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := set(self.marks) - {*MARKS, ADDED}:
            raise ValueError(f"unknown mark {min(unknown)!r}; there are {', '.join((*MARKS, ADDED))}")
        if (self.start_ms is None) != (self.end_ms is None):
            raise ValueError("a start without an end, or an end without a start")
        if self.start_ms is not None and self.end_ms is not None and not 0 <= self.start_ms < self.end_ms < _LATEST_MS:
            raise ValueError(f"{self.start_ms} to {self.end_ms} ms is no stretch of time")
        if ADDED in self.marks and (not self.text or self.start_ms is None):
            raise ValueError("a line that is added has words, a start and an end")

    @property
    def is_empty(self) -> bool:
        return self.text is None and self.start_ms is None and not self.marks

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table, in the order of ``EDIT_COLUMNS``."""
        times = tuple("" if time is None else str(time) for time in (self.start_ms, self.end_ms))
        return (self.episode_id, self.line_id, self.text or "", *times, ";".join(self.marks))


def read_edits(path: Path) -> dict[str, LineEdit]:
    """The edits of a table, by line id; of several rows about one line the last counts.

    Raises:
        InputError: the file is no such table; names the row.
    """
    edits: dict[str, LineEdit] = {}
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"larger than {_MAX_BYTES >> 20} MiB, too large for a table of corrections", where=path)
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if not {"episode_id", "line_id"} <= set(reader.fieldnames or ()):
            raise ValueError("a column is missing")
        for row in reader:
            edit = _edit(row)
            if edit.line_id:
                edits[edit.line_id] = edit
    except (UnicodeDecodeError, csv.Error) as e:
        raise InputError("is not a table of corrections in UTF-8", where=path, remedy=_REMEDY) from e
    except (ValueError, TypeError, AttributeError) as e:
        number = f"row {reader.line_num}: " if reader.line_num > 1 else ""
        raise InputError(f"is not a table of corrections ({number}{e})", where=path, remedy=_REMEDY) from e
    return edits


def _edit(row: Mapping[str, str | None]) -> LineEdit:
    cell = {name: (row.get(name) or "").strip() for name in EDIT_COLUMNS}
    times = [int(cell[name]) if cell[name] else None for name in ("start_ms", "end_ms")]
    marks = tuple(mark for part in cell["marks"].split(";") if (mark := part.strip()))
    return LineEdit(cell["episode_id"], cell["line_id"], cell["text"] or None, times[0], times[1], marks)


def write_edits(edits: Iterable[LineEdit], path: Path) -> None:
    """Replace the table by these edits, in one step; those that say nothing are left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EDIT_COLUMNS)
    writer.writerows(edit.row for edit in edits if not edit.is_empty)
    sweep(path.parent)
    write_atomically(path, text.getvalue(), encoding="utf-8-sig")
