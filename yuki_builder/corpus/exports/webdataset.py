"""WebDataset shards: plain tar files in which the files of one example share a name and follow each other."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from yuki_builder.corpus.exports.base import (
    Chosen,
    ExportOptions,
    ExportReport,
    Source,
    choose_clips,
    count_splits,
)
from yuki_builder.corpus.exports.labels import file_key
from yuki_builder.records import Progress

_BLOCK_BYTES = tarfile.BLOCKSIZE
_END_BYTES = 2 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE  # two empty blocks, and padding up to a whole record
_SUFFIXES = ("flac", "json", "txt")

_Example = tuple[str, tuple[bytes, ...]]


def write_webdataset(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<split>-000000.tar`` …: for each line ``<key>.flac``, ``.json`` with all that is known, and ``.txt``.

    Tar members carry no times, owners or modes of this machine: the same corpus gives the same bytes. A shard is
    larger than ``options.shard_bytes`` only where a single line is.
    """
    clips, left_out = choose_clips(source, options)
    by_split: dict[str, list[tuple[Chosen, Path]]] = {}
    for item, clip in clips:
        by_split.setdefault(item.split, []).append((item, clip))
    files = done = 0
    for split, members in sorted(by_split.items()):
        for number, shard in enumerate(_shards(members, options.shard_bytes)):
            with tarfile.open(destination / f"{split}-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                for key, data in shard:
                    for suffix, content in zip(_SUFFIXES, data, strict=True):
                        member = tarfile.TarInfo(f"{key}.{suffix}")
                        member.size = len(content)
                        tar.addfile(member, io.BytesIO(content))
                    done += 1
                    progress(done, len(clips))
            files += 1
    return ExportReport(files, count_splits(item for item, _ in clips), left_out, [item for item, _ in clips])


def _shards(members: Sequence[tuple[Chosen, Path]], limit_bytes: int) -> Iterator[Iterator[_Example]]:
    """The examples of each shard, read one at a time: a shard need not fit into memory."""
    sized = [(item, clip, _tar_bytes(clip.stat().st_size, *map(len, _words(item)))) for item, clip in members]
    start = 0
    while start < len(sized):
        end, size = start + 1, _END_BYTES + sized[start][2]
        while end < len(sized) and size + sized[end][2] <= limit_bytes:
            size += sized[end][2]
            end += 1
        yield ((file_key(i.line.line_id), (c.read_bytes(), *_words(i))) for i, c, _ in sized[start:end])
        start = end


def _words(item: Chosen) -> tuple[bytes, bytes]:
    about = item.line.to_dict() | {"scene_id": item.scene_id}
    return (
        json.dumps(about, ensure_ascii=False).encode("utf-8", "backslashreplace"),
        item.line.text.encode("utf-8", "backslashreplace"),
    )


def _tar_bytes(*sizes: int) -> int:
    """What files of these sizes take up in a tar: each has a header, and is padded to whole blocks."""
    return sum(_BLOCK_BYTES * (1 + -(-size // _BLOCK_BYTES)) for size in sizes)
