"""What Hugging Face ``datasets`` loads with an Audio column: a folder of clips, or Parquet with the clips inside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yuki_builder.corpus.exports.base import (
    Chosen,
    ExportOptions,
    ExportReport,
    Source,
    choose_clips,
    count_splits,
)
from yuki_builder.corpus.exports.labels import file_key, folders_of
from yuki_builder.corpus.exports.utterances import one_row
from yuki_builder.records import Progress

_COLUMNS = (
    *("line_id", "episode_id", "scene_id", "character", "confidence", "verdict", "start_ms", "end_ms"),
    *("text", "text_secondary", "snr_db", "quality"),
)
_FEATURES = {
    **{name: {"dtype": "string", "_type": "Value"} for name in _COLUMNS},
    **{name: {"dtype": "float64", "_type": "Value"} for name in ("confidence", "snr_db", "quality")},
    **{name: {"dtype": "int64", "_type": "Value"} for name in ("start_ms", "end_ms")},
    "audio": {"_type": "Audio"},
}


def write_folder(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<split>/metadata.parquet`` (``file_name``, ``text`` …), ``<split>/clips/<character>/*.flac``.

    Parquet, which says what type a column is: from CSV the loader takes a line that says "None" or "NA" for one
    without a text, and it refuses JSON in which a column (the other language, the quality) is empty in one split.
    """
    import pyarrow as pa

    clips, left_out = choose_clips(source, options)
    folder_of = folders_of(item.line.character or "" for item, _ in clips)
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, (item, clip) in enumerate(clips, start=1):
        name = f"clips/{folder_of[item.line.character or '']}/{_file_name(item, clip)}"
        target = destination / item.split / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, target)
        tables.setdefault(item.split, []).append({"file_name": name, **_row(item)})
        progress(number, len(clips))
    schema = pa.schema([pa.field("file_name", pa.string()), *_fields()])
    for split, rows in tables.items():
        _write_table(pa.Table.from_pylist(rows, schema=schema), destination / split / "metadata.parquet")
    examples = [item for item, _ in clips]
    return ExportReport(len(clips) + len(tables), count_splits(examples), left_out, examples)


def write_parquet(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``data/<split>-00000-of-00001.parquet`` with the clips' bytes in the ``audio`` column."""
    import pyarrow as pa

    clips, left_out = choose_clips(source, options)
    by_split: dict[str, list[tuple[Chosen, Path]]] = {}
    for item, clip in clips:
        by_split.setdefault(item.split, []).append((item, clip))
    (destination / "data").mkdir(parents=True, exist_ok=True)
    schema = _schema()
    files = done = 0
    for split, members in sorted(by_split.items()):
        shards = list(_shards(members, options.shard_bytes))
        for number, shard in enumerate(shards):
            rows = [
                _row(item) | {"audio": {"bytes": clip.read_bytes(), "path": _file_name(item, clip)}}
                for item, clip in shard
            ]
            path = destination / "data" / f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
            _write_table(pa.Table.from_pylist(rows, schema=schema), path)
            files += 1
            done += len(shard)
            progress(done, len(clips))
    examples = [item for item, _ in clips]
    return ExportReport(files, count_splits(examples), left_out, examples)


def _write_table(table: Any, path: Path) -> None:
    import pyarrow.parquet as pq

    # Through Python's own file: a full disk then is an OSError. Small groups, so that single rows can be had.
    with path.open("wb") as file:
        pq.write_table(table, file, row_group_size=100)


def _file_name(item: Chosen, clip: Path) -> str:
    return f"{file_key(item.line.line_id)}{clip.suffix}"


def _fields() -> list[Any]:
    import pyarrow as pa

    types: Mapping[str, Any] = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string()}
    return [pa.field(name, types[_FEATURES[name]["dtype"]]) for name in _COLUMNS]


def _schema() -> Any:
    import pyarrow as pa

    fields = _fields()
    fields.append(pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])))
    # Where the loader looks for what a column is: without it the clips would be structs of bytes.
    about = json.dumps({"info": {"features": {field.name: _FEATURES[field.name] for field in fields}}})
    return pa.schema(fields, metadata={"huggingface": about})


def _shards(members: Sequence[tuple[Chosen, Path]], limit: int) -> Iterator[list[tuple[Chosen, Path]]]:
    shard: list[tuple[Chosen, Path]] = []
    size = 0
    for item, clip in members:
        length = clip.stat().st_size
        if shard and size + length > limit:
            yield shard
            shard, size = [], 0
        shard.append((item, clip))
        size += length
    if shard:
        yield shard


def _row(item: Chosen) -> dict[str, Any]:
    line = item.line
    values = {name: getattr(line, name) for name in _COLUMNS if name not in ("scene_id", "verdict")}
    secondary = None if line.text_secondary is None else one_row(line.text_secondary)
    values |= {"scene_id": item.scene_id, "verdict": line.verdict.value, "text": one_row(line.text)}
    values |= {"text_secondary": secondary}
    return {name: _encodable(values[name]) for name in _COLUMNS}


def _encodable(value: Any) -> Any:
    """Half a surrogate pair, which no Parquet file holds, written out."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
