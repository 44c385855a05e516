"""Which files are videos: files, folders and patterns become a list."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from yuki_builder.errors import InputError

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
    ".ogm", ".ogv", ".rmvb", ".ts", ".vob", ".webm", ".wmv",
))


AUDIO_SUFFIXES = frozenset((
    ".aac", ".ac3", ".aiff", ".dts", ".eac3", ".flac", ".m4a", ".mka", ".mp3", ".ogg", ".opus", ".wav", ".wma",
))
# fmt: on


def find_videos(paths: Iterable[str | Path]) -> list[Path]:
    """The media files that files, folders and globs amount to, each once, in the order given.

    A folder stands for the videos directly in it (for its sound files, if it holds no video), in natural order:
    ``ep2`` before ``ep10``.

    Raises:
        InputError: a folder or a glob without media files. That a file is there is not checked.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            files = _media_in(path)
        elif not path.exists() and glob.has_magic(str(path)):
            matches = glob.glob(str(path), recursive=True)  # noqa: PTH207  (Path.glob takes no absolute pattern)
            files = natural(p for p in map(Path, matches) if p.is_file())
            if not files:
                raise InputError("no file fits this pattern", where=path)
        else:
            files = [path]
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _media_in(folder: Path) -> list[Path]:
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    for suffixes in (VIDEO_SUFFIXES, AUDIO_SUFFIXES):
        media = natural(p for p in files if p.suffix.lower() in suffixes)
        if media:
            return media
    raise InputError("there is no video in this folder", where=folder, remedy="give a file, or another folder")


def natural(paths: Iterable[Path]) -> list[Path]:
    """In natural order of their names: ``ep2`` before ``ep10``."""
    return sorted(paths, key=lambda p: [int(part) if part.isdecimal() else part for part in _split(p.name)])


def _split(name: str) -> list[str]:
    # Starts with text, so that numbers are only ever compared with numbers.
    return re.split(r"(\d+)", name.casefold())
