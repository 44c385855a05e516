"""``quality.parquet``: the measures of all lines, to join with ``lines.parquet`` by ``line_id``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from yuki_builder.corpus.audio.quality import ClipQuality
from yuki_builder.corpus.tables.lines_parquet import write_groups

_ROWS_PER_GROUP = 1 << 18


def write_quality_parquet(qualities: Iterable[ClipQuality], destination: Path) -> None:
    """Write one row a line.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.float64()
    schema = pa.schema(
        [
            pa.field("line_id", text, nullable=False),
            *(pa.field(name, number) for name in ("seconds", "clipping")),
            pa.field("bandwidth_hz", pa.int64()),
            *(pa.field(name, number) for name in ("speech_ratio", "chars_per_second", "overlap", "snr_db")),
            *(pa.field(name, number) for name in ("dnsmos", "dnsmos_speech", "dnsmos_background")),
            pa.field("duplicate_of", text),
            pa.field("unusable", pa.bool_()),
            pa.field("problems", pa.list_(text)),
            pa.field("text_match", number),
        ]
    )
    with destination.open("wb") as file, pq.ParquetWriter(file, schema) as writer:
        rows = (quality.to_dict() for quality in qualities)
        write_groups(writer, rows, lambda some: pa.Table.from_pylist(some, schema=schema), size=_ROWS_PER_GROUP)
