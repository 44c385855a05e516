"""Which files are videos: files, folders and patterns become a list."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable
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

# What media centres and discs put beside the episodes.
_EXTRA_FOLDERS = frozenset(
    re.split(
        " *, *",
        "sample, samples, trailer, trailers, extra, extras, bonus, bonuses, featurette, featurettes, interview, "
        "interviews, scene, scenes, short, shorts, other, others, menu, menus, ncop, nced, creditless, pv, cm, scans, "
        "clips, backdrops, theme-music, nc, op, ed, op-ed, oped, openings, endings, behind the scenes, "
        "deleted scenes, special features, creditless op, ncop & nced, ncop&nced",
    )
)
_TAGS = re.compile(r"(?:\s*[\[(【][^\[\]()【】]*[\])】])+\s*$")  # [1080p][AB12CD34] at the end
_EXTRA_NAME = re.compile(
    r"""
      (?:^|[\W_]) nc[ ._-]?(?:op|ed) (?:[\W_\d]|v\d|$)              # creditless songs
    | (?:creditless|textless|clean) [\W_]* (?:op|ed|opening|ending)
    | ^ (?:sample|trailer) (?: [.-]\S | \W*\d*$ )
    | [\W_] (?:sample|trailer|teaser|featurette|interview|behindthescenes|deleted(?:scene)?|bloopers|gag[ ]reel)
      [\W_]* \d* $
    | - (?:scene|clip|short|other|extra) \d* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Only in capitals and at the end: a word of a title looks like them otherwise.
_EXTRA_MARK = re.compile(r"(?:^|[\s_.\[-])(?:OP|ED|PV|CM|Menu|MENU|Preview|Promo|IV)\s?\d{0,2}[a-z]?(?:v\d)?$")
_EXTRA_TAG = re.compile(
    r"[\[(【]\s*(?:NC(?:OP|ED)|OP|ED|PV|CM|Menu|Trailer|Teaser|Sample|Preview)[\s_]?\d{0,2}\s*[\])】]", re.IGNORECASE
)
_NAMED = 3  # of the files left out, in a notice


def is_address(text: str) -> bool:
    """Whether a path of the command line is an address of a storage, such as ``s3://bucket/show``."""
    return "://" in text


def find_videos(paths: Iterable[str | Path], *, notice: Callable[[str], None] = lambda _: None) -> list[Path]:
    """The media files that files, folders and globs amount to, each once, in the order given.

    A folder stands for the videos in it and in its folders (for the sound files directly in it, if it holds no
    video), in natural order: ``ep2`` before ``ep10``. Samples, trailers, creditless songs and extras are left out,
    by their names and folders; from a glob by their names. What exists of a glob is taken as it is written, so that
    ``[Group] Show/*.mkv`` finds what is in that folder.

    Args:
        paths: files, folders and globs.
        notice: told what was left out of each folder and glob.

    Raises:
        InputError: a folder or a glob without media files. That a file is there is not checked.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            files = _without_extras(_media_in(path), path, notice)
        elif not path.exists() and glob.has_magic(str(path)):
            files = natural(_matching(path))
            if not files:
                raise InputError("no file matches this pattern", where=path)
            files = _without_extras(files, path, notice)
        else:
            files = [path]
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def is_extra(file: Path, folder: Path | None = None) -> bool:
    """Whether a video is no episode, by its name or by the folders between it and ``folder``."""
    folders = file.relative_to(folder).parts[:-1] if folder is not None else ()
    if any(name.casefold().strip() in _EXTRA_FOLDERS for name in folders):
        return True
    stem = file.stem
    title = _TAGS.sub("", stem)
    return bool(
        any(_EXTRA_NAME.search(name) for name in (stem, title) if name)
        or _EXTRA_MARK.search(title)
        or _EXTRA_TAG.search(stem)
    )


def _matching(pattern: Path) -> list[Path]:
    """The files that fit a glob, its existing beginning taken literally; else with all its brackets literal."""
    literal = next(folder for folder in pattern.parents if folder.is_dir() or folder == Path(pattern.anchor))
    rest = str(pattern.relative_to(literal))
    for wanted in (rest, rest.replace("[", "[[]")):
        text = os.path.join(glob.escape(str(literal)), wanted)  # noqa: PTH118  (a glob is no path)
        matches = glob.glob(text, recursive=True)  # noqa: PTH207  (Path.glob takes no absolute pattern)
        files = [Path(match) for match in matches]
        if files := [file for file in files if file.is_file()]:
            return files
    return []


def _media_in(folder: Path) -> list[Path]:
    videos: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        videos += [
            Path(root, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES
        ]
    if videos:
        return natural(videos, folder)
    audio = [p for p in folder.iterdir() if p.suffix.lower() in AUDIO_SUFFIXES and not p.name.startswith(".")]
    if not audio:
        raise InputError("there is no video in this folder", where=folder, remedy="give a file, or another folder")
    return natural(p for p in audio if p.is_file())


def _without_extras(files: list[Path], where: Path, notice: Callable[[str], None]) -> list[Path]:
    """The episodes; everything where there is nothing else, since then it was meant."""
    folder = where if where.is_dir() else None
    extras = [file for file in files if is_extra(file, folder)]
    if not extras or len(extras) == len(files):
        return files
    names = ", ".join(file.name for file in extras[:_NAMED])
    more = f" and {len(extras) - _NAMED} more" if len(extras) > _NAMED else ""
    what = "1 file that is" if len(extras) == 1 else f"{len(extras)} files that are"
    notice(f"{where}: left out {what} no episode (samples, trailers, extras): {names}{more}")
    return [file for file in files if file not in set(extras)]


def natural(paths: Iterable[Path], folder: Path | None = None) -> list[Path]:
    """In natural order of their names, or of their paths below ``folder``: ``ep2`` before ``ep10``."""

    def key(path: Path) -> list[list[int | str]]:
        parts = (path.name,) if folder is None else path.relative_to(folder).parts
        return [[int(part) if part.isdecimal() else part for part in _split(name)] for name in parts]

    return sorted(paths, key=key)


def _split(name: str) -> list[str]:
    # Starts with text, so that numbers are only ever compared with numbers.
    return re.split(r"(\d+)", name.casefold())
