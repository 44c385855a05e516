"""Tables of who says what, as people annotated them."""

from __future__ import annotations

import csv
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.characters.times import parse_time_ms
from yuki_builder.errors import GalleryError
from yuki_builder.records import Span

MAX_BYTES = 64 * 2**20
MAX_ROWS = 200_000  # 200 episodes of 1,000 lines
MAX_ROW_CHARS = 1 << 17
MAX_NAME_LENGTH = 200
_SAMPLE_ROWS = 1000
_PIECE_CHARS = 1 << 20
_REMEDY = "save it as CSV in UTF-8"

_COLUMNS = {
    "character": ("人物", "空白", "角色", "character", "role", "speaker", "name"),
    "text": ("人物台词", "内容", "台词", "text", "content"),
    "start": ("开始时间", "start", "start_time"),
    "end": ("结束时间", "end", "end_time"),
    "start_ms": ("start_ms",),
    "end_ms": ("end_ms",),
    "verdict": ("verdict",),
    "episode_id": ("episode_id",),
    "line_id": ("line_id",),
}
_MAP_COLUMNS = (("标注文件", "annotation"), ("视频文件", "video"))
_DOUBTFUL_PREFIX = re.compile(r"^[(（]可能[)）]")


@dataclass(frozen=True, slots=True)
class AnnotatedRow:
    """One labelled row; ``number`` counts the table's rows from 1, its header included."""

    number: int
    span: Span
    character: str
    text: str
    episode_id: str | None = None
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is read as it is used: its first row, and the others, once."""

    first: list[str]
    rest: Iterator[list[str]]

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]]) -> Table:
        """The table with these rows."""
        iterator = (list(row) for row in rows)
        return cls(next(iterator, []), iterator)


def read_table(path: Path) -> Table:
    """The cells of a CSV file in UTF-8, UTF-16 or GB18030, separated by commas, semicolons or tabs.

    What is held in memory is a row, whatever the file holds. Later rows may raise the same errors.

    Raises:
        GalleryError: too large, too many rows, an endless row, not text, or not a table.
    """
    if path.stat().st_size > MAX_BYTES:
        raise GalleryError(f"larger than {MAX_BYTES // 2**20} MiB, so not an annotated table", where=path)
    encoding = _encoding(path)
    return Table.of(_rows(path, encoding, _delimiter(path, encoding)))


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        row_chars = 0

        def lines() -> Iterator[str]:
            nonlocal row_chars
            while line := file.readline(MAX_ROW_CHARS + 1):
                row_chars += len(line)  # a quoted cell may go over many lines
                if row_chars > MAX_ROW_CHARS:
                    raise GalleryError(
                        f"not a table: a row longer than {MAX_ROW_CHARS} characters", where=path, remedy=_REMEDY
                    )
                yield line

        try:
            for number, cells in enumerate(csv.reader(lines(), delimiter=delimiter), 1):
                if number > MAX_ROWS:
                    raise GalleryError(f"more than {MAX_ROWS} rows", where=path, remedy="split the table by episode")
                row_chars = 0
                yield [cell.strip() for cell in cells]
        except csv.Error as e:
            raise GalleryError(f"not a table of comma-separated values ({e})", where=path, remedy=_REMEDY) from e


def _delimiter(path: Path, encoding: str) -> str:
    """The one that finds most columns in the first rows."""

    def columns(delimiter: str) -> int:
        rows = itertools.islice(_rows(path, encoding, delimiter), _SAMPLE_ROWS)
        return sum(min(len(row), len(_COLUMNS)) for row in rows)

    return max(",\t;", key=columns)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ("utf-16",)
    elif b"\0" in head:
        # No text in the other encodings holds a zero byte; in UTF-16 every ASCII character has one.
        zeros = Counter(i % 2 for i, byte in enumerate(head) if byte == 0)
        encodings = ("utf-16-le",) if zeros[1] > zeros[0] else ("utf-16-be",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    found = next((encoding for encoding in encodings if _is_text(path, encoding)), None)
    if found is None:
        raise GalleryError("neither UTF-8, UTF-16 nor GB18030 text", where=path, remedy=_REMEDY)
    return found


def _is_text(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            return all("\0" not in piece for piece in iter(lambda: file.read(_PIECE_CHARS), ""))
    except UnicodeError:
        return False


def read_map(table: Table) -> list[tuple[str, str]] | None:
    """The (annotation file, video file) pairs of an annotation map, or None where the table is none."""
    header = table.first
    if len(header) < 2 or any(_folded(header[i]) not in _MAP_COLUMNS[i] for i in range(2)):
        return None
    return [(row[0], row[1]) for row in table.rest if len(row) >= 2 and row[0] and row[1]]


def read_rows(table: Table, skipped: Counter[str]) -> list[AnnotatedRow]:
    """The labelled rows of an annotated table; all other rows are counted in ``skipped``, by reason.

    Columns are found by their names, in any order; without a header they are character, text, start, end.
    """
    columns = _columns(table.first)
    data: Iterable[tuple[int, list[str]]] = enumerate(table.rest, 2)
    if not columns:
        columns = {"character": 0, "text": 1, "start": 2, "end": 3}
        data = itertools.chain([(1, table.first)], data)
    rows = []
    for number, cells in data:
        row = _read_row(number, cells, columns)
        if isinstance(row, AnnotatedRow):
            rows.append(row)
        elif row:
            skipped[row] += 1
    return rows


def _columns(header: Iterable[str]) -> dict[str, int]:
    """Positions of the known columns, or nothing where this is no header."""
    names = [_folded(cell) for cell in header]
    found = {field: names.index(name) for field, known in _COLUMNS.items() for name in known if name in names}
    has_times = {"start", "end"} <= found.keys() or {"start_ms", "end_ms"} <= found.keys()
    return found if has_times and "character" in found else {}


def _read_row(number: int, cells: Sequence[str], columns: dict[str, int]) -> AnnotatedRow | str | None:
    """The row, why it is left out, or None for an empty one."""
    if not any(cells):
        return None
    row = {field: cells[position] for field, position in columns.items() if position < len(cells)}
    start = _time_ms(row.get("start", ""), row.get("start_ms", ""))
    end = _time_ms(row.get("end", ""), row.get("end_ms", ""))
    if start is None or end is None:
        return "row with a time that is not readable"
    character = clean_name(row.get("character", ""))
    reasons = {
        "row without a character": not character,
        "row with a doubtful character": bool(_DOUBTFUL_PREFIX.match(character))
        or row.get("verdict") in ("doubtful", "unknown"),
        "row whose character is too long for a name": len(character) > MAX_NAME_LENGTH,
        "row that ends before it starts": end <= start,
    }
    for reason, applies in reasons.items():
        if applies:
            return reason
    identity = (row.get("episode_id"), row.get("line_id") or None)
    return AnnotatedRow(number, Span(start, end), character, row.get("text", ""), *identity)


def _time_ms(clock: str, milliseconds: str) -> int | None:
    if milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) < 12:
        return int(milliseconds)
    return parse_time_ms(clock)


def clean_name(name: str) -> str:
    """A name as text on one line: white space and control characters become single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", name)).split())


def _folded(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip().casefold()
