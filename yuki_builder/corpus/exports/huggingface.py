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
from yuki_builder.corpus.exports.card import write_card
from yuki_builder.corpus.jsonl import write_jsonl
from yuki_builder.corpus.utterances import one_row
from yuki_builder.names import path_name
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
    """``<split>/metadata.jsonl`` (``file_name``, ``text`` …), ``<split>/clips/<character>/*.flac``, and a card.

    JSON and not CSV: the loader would take a line that says "None" or "NA" for one without a text.
    """
    clips, left_out = choose_clips(source, options)
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, (item, clip) in enumerate(clips, start=1):
        name = f"clips/{path_name(item.line.character or '')}/{path_name(item.line.line_id)}{clip.suffix}"
        target = destination / item.split / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, target)
        tables.setdefault(item.split, []).append({"file_name": name, **_row(item)})
        progress(number, len(clips))
    for split, rows in tables.items():
        write_jsonl(rows, destination / split / "metadata.jsonl")
    items = count_splits(item for item, _ in clips)
    paths = {split: f"{split}/**" for split in items}
    write_card(source, [item for item, _ in clips], destination, options, paths=paths, left_out=left_out)
    return ExportReport(len(clips) + len(tables) + 1, items, left_out)


def write_parquet(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``data/<split>-00000-of-00001.parquet`` with the clips' bytes in the ``audio`` column, and a card."""
    import pyarrow as pa
    import pyarrow.parquet as pq

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
                _row(item) | {"audio": {"bytes": clip.read_bytes(), "path": f"{path_name(item.line.line_id)}.flac"}}
                for item, clip in shard
            ]
            path = destination / "data" / f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=100)
            files += 1
            done += len(shard)
            progress(done, len(clips))
    paths = {split: f"data/{split}-*.parquet" for split in sorted(by_split)}
    write_card(source, [item for item, _ in clips], destination, options, paths=paths, left_out=left_out)
    return ExportReport(files + 1, count_splits(item for item, _ in clips), left_out)


def _schema() -> Any:
    import pyarrow as pa

    types: Mapping[str, Any] = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string()}
    fields = [pa.field(name, types[_FEATURES[name]["dtype"]]) for name in _COLUMNS]
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
