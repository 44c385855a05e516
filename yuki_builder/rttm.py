"""Turns on disk: RTTM, one speaker turn a line.

Ten columns separated by spaces: type, file, channel, start (s), duration (s), two unused, speaker, two unused.
Source: NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path

from yuki_builder.errors import InputError
from yuki_builder.records import Turn

_MIN_COLUMNS = 8  # up to the speaker; what follows says nothing here
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]+")
_LONGEST_S = 1_000_000.0


def write_rttm(turns: Iterable[Turn], path: Path, *, uri: str) -> None:
    """Write ``turns`` in order of time; ``uri`` names the recording.

    White space would end a column, so that it becomes ``_`` in the name and in the labels.

    Args:
        turns: in any order.
        path: the file.
        uri: the name of the recording.

    Raises:
        OSError: the file cannot be written.
    """
    name = _column(uri)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for t in sorted(turns):
            start, duration = _seconds(t.start_ms), _seconds(t.end_ms - t.start_ms)
            file.write(f"SPEAKER {name} 1 {start} {duration} <NA> <NA> {_column(t.speaker)} <NA> <NA>\n")


def read_rttm(path: Path) -> list[Turn]:
    """The speaker turns of an RTTM file, in order of time; other kinds of line and comments (``;;``) are passed over.

    Raises:
        InputError: no such file, no text, or a line that is no turn; it names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as e:
        raise InputError("not an RTTM file: not UTF-8 text", where=path) from e
    except OSError as e:
        raise InputError(f"cannot be read: {e.strerror}", where=path) from e
    turns = (_turn(line, where=f"{path}, line {number}") for number, line in enumerate(lines, start=1))
    return sorted(t for t in turns if t is not None)


def _turn(line: str, *, where: str) -> Turn | None:
    columns = line.split()
    if not columns or columns[0].startswith(";") or columns[0] != "SPEAKER":
        return None
    if len(columns) < _MIN_COLUMNS:
        raise InputError(f"an RTTM turn has ten columns, this one {len(columns)}", where=where)
    try:
        start_s, duration_s = float(columns[3]), float(columns[4])
    except ValueError as e:
        raise InputError(f"start and duration must be numbers, not '{columns[3]} {columns[4]}'", where=where) from e
    if not (math.isfinite(start_s + duration_s) and 0 <= start_s <= _LONGEST_S and 0 <= duration_s <= _LONGEST_S):
        raise InputError(f"no such time: start {columns[3]} s, duration {columns[4]} s", where=where)
    start_ms = round(start_s * 1000)
    return Turn(start_ms, start_ms + round(duration_s * 1000), columns[7])


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def _column(text: str) -> str:
    return _UNPRINTABLE.sub("_", text) or "_"
