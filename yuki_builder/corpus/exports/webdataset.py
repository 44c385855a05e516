"""WebDataset shards: plain tar files in which the files of one example share a name and follow each other."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from yuki_builder.corpus.exports.base import (
    Chosen,
    ExportOptions,
    ExportReport,
    Source,
    choose_clips,
    count_splits,
)
from yuki_builder.names import path_name
from yuki_builder.records import Progress

_BLOCK = 512


def write_webdataset(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<split>-000000.tar`` …: for each line ``<line id>.flac``, ``.txt`` and ``.json`` with all that is known.

    Tar members carry no times, owners or modes of this machine: the same corpus gives the same bytes.
    """
    clips, left_out = choose_clips(source, options)
    destination.mkdir(parents=True, exist_ok=True)
    by_split: dict[str, list[tuple[Chosen, Path]]] = {}
    for item, clip in clips:
        by_split.setdefault(item.split, []).append((item, clip))
    files = done = 0
    for split, members in sorted(by_split.items()):
        for number, shard in enumerate(_shards(members, options.shard_bytes)):
            with tarfile.open(destination / f"{split}-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                for item, clip in shard:
                    _add(tar, item, clip)
                    done += 1
                    progress(done, len(clips))
            files += 1
    return ExportReport(files, count_splits(item for item, _ in clips), left_out)


def _add(tar: tarfile.TarFile, item: Chosen, clip: Path) -> None:
    about = item.line.to_dict() | {"scene_id": item.scene_id}
    # A dot would end the name of the example; the loaders split there.
    stem = path_name(item.line.line_id).replace(".", "_")
    for suffix, data in (
        ("flac", clip.read_bytes()),
        ("json", json.dumps(about, ensure_ascii=False).encode("utf-8", "backslashreplace")),
        ("txt", item.line.text.encode("utf-8", "backslashreplace")),
    ):
        member = tarfile.TarInfo(f"{stem}.{suffix}")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))


def _shards(members: Sequence[tuple[Chosen, Path]], limit: int) -> list[list[tuple[Chosen, Path]]]:
    shards: list[list[tuple[Chosen, Path]]] = [[]]
    size = 0
    for item, clip in members:
        length = clip.stat().st_size + 8 * _BLOCK
        if shards[-1] and size + length > limit:
            shards.append([])
            size = 0
        shards[-1].append((item, clip))
        size += length
    return shards
