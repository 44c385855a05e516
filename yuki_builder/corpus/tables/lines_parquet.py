"""``lines.parquet``: all lines of a corpus, typed, for pandas, DuckDB, Polars or Hugging Face ``datasets``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuki_builder.errors import InputError
from yuki_builder.records import Line, LineSource

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def lines_schema() -> pa.Schema:
    """One column a field of :class:`~yuki_builder.records.Line`; ``evidence`` is a list of structs."""
    import pyarrow as pa

    text, number, time = pa.string(), pa.float64(), pa.int64()
    evidence = pa.list_(pa.struct([("source", text), ("character", text), ("weight", number)]))
    return pa.schema(
        [
            pa.field("line_id", text, nullable=False),
            pa.field("episode_id", text, nullable=False),
            pa.field("index", time, nullable=False),
            pa.field("start_ms", time, nullable=False),
            pa.field("end_ms", time, nullable=False),
            pa.field("text", text, nullable=False),
            pa.field("text_secondary", text),
            pa.field("character", text),
            pa.field("confidence", number, nullable=False),
            pa.field("verdict", text, nullable=False),
            pa.field("evidence", evidence, nullable=False),
            pa.field("speaker", text),
            pa.field("overlap", number, nullable=False),
            pa.field("snr_db", number),
            pa.field("quality", number),
            pa.field("clip", text),
            pa.field("source", text, nullable=False),
        ]
    )


_EARLIER: dict[str, Any] = {"source": LineSource.SUBTITLE.value}


def lines_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A typed table of rows as ``Line.to_dict`` makes them; keys that no field has are left aside.

    Rows of earlier versions have no ``source``; their lines are from subtitles.

    Raises:
        ValueError, TypeError: a value does not fit its column, or a field that every line has is missing.
    """
    import pyarrow as pa

    table = pa.Table.from_pylist([_encodable({**_EARLIER, **row}) for row in rows], schema=lines_schema())
    for field in table.schema:
        if not field.nullable and table[field.name].null_count:
            raise ValueError(f"{field.name} is missing in {table[field.name].null_count} of {len(rows)} lines")
    return table


_ROWS_PER_GROUP = 65_536
_ROWS_AT_ONCE = 1 << 12
"""Rows that are Python objects at one time; as columns they take a tenth of that."""


def write_lines_parquet(lines: Iterable[Line], destination: Path) -> None:
    """Write all lines as one Parquet file; the same lines give the same bytes.

    They are written in groups of rows, so that a corpus larger than the memory can come from an iterator.
    """
    import pyarrow.parquet as pq

    # Through Python's own file: a full disk then is the OSError that the caller expects.
    with (
        destination.open("wb") as file,
        pq.ParquetWriter(
            file, lines_schema(), compression="zstd", version="2.6", data_page_version="1.0", store_schema=False
        ) as writer,
    ):
        write_groups(writer, (line.to_dict() for line in lines), lines_table, size=_ROWS_PER_GROUP)


Row = Mapping[str, Any]


def write_groups(
    writer: pq.ParquetWriter, rows: Iterable[Row], table_of: Callable[[list[Row]], pa.Table], *, size: int
) -> None:
    """Write rows in groups of ``size``, the last one smaller; one empty group where there are none.

    Args:
        writer: of the file.
        rows: taken one after the other.
        table_of: makes a table of some of them.
        size: rows of a group, a multiple of those that are converted at once.
    """
    import pyarrow as pa

    parts = [table_of([])]
    rows = iter(rows)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        if sum(map(len, parts)) >= size:
            writer.write_table(pa.concat_tables(parts).combine_chunks(), row_group_size=size)
            parts = []
        parts.append(table_of(some))
    writer.write_table(pa.concat_tables(parts).combine_chunks(), row_group_size=size)


def read_lines_table(source: Path) -> pa.Table:
    """The table in a ``lines.parquet``, columns as in :func:`lines_schema`.

    Raises:
        InputError: no Parquet file, or not one of lines.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = lines_schema()
    with source.open("rb") as file:
        try:
            own = pq.ParquetFile(file)
            table = own.read([name for name in schema.names if name in own.schema_arrow.names])
            for name, value in _EARLIER.items():
                if name not in table.column_names:
                    table = table.append_column(name, pa.repeat(pa.scalar(value, schema.field(name).type), len(table)))
            return table.select(schema.names).cast(schema)
        except (pa.ArrowException, KeyError) as e:
            raise InputError("no Parquet file of lines", where=source, remedy="run the pipeline again") from e


def read_lines_parquet(source: Path) -> list[Line]:
    """The lines that :func:`write_lines_parquet` wrote.

    Raises:
        InputError: no Parquet file, or not one of lines.
    """
    return [Line.from_dict(row) for row in read_lines_table(source).to_pylist()]


def _encodable(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, with halves of surrogate pairs (from a file name that was no UTF-8) written out as escapes."""
    return {key: _encodable_value(value) for key, value in row.items()}


def _encodable_value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_encodable_value(v) for v in value]
    if isinstance(value, Mapping):
        return _encodable(value)
    return value
