"""Errors of the operating system, said in one line that helps: which disk, which folder, what to do."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yuki_builder.errors import InputError, OutputError, YukiError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NEARLY_FULL_BYTES = 64 << 10


@contextmanager
def clear_errors(out: Path) -> Iterator[None]:
    """Turn what a full disk, a read-only folder or a vanished file raises within into a ``YukiError``.

    Libraries report a full disk in their own words (libsndfile, ffmpeg), so an error of any kind counts as one
    while the output's disk has no room left.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        in_words = explanation(error, out)
        if in_words is None:
            raise
        raise in_words from error


def explanation(error: Exception, out: Path) -> YukiError | None:
    """What to tell the user of an error of the operating system; None for any other."""
    cause = _os_error(error)
    if isinstance(error, YukiError) and cause is None:
        return None
    place = _place(cause, out)
    is_read_only = cause is not None and cause.errno == errno.EROFS
    if (cause is not None and cause.errno in _FULL) or (_is_full(out) and not is_read_only):
        return OutputError("the disk is full", where=out, remedy="make room and run again: finished stages are kept")
    if cause is None or isinstance(error, YukiError) or cause.errno is None:
        return None
    words = (cause.strerror or str(cause)).lower()
    if is_read_only or _is_within(place, out):
        return OutputError(
            f"the output cannot be written ({words})", where=place, remedy="choose another --out, or free this one"
        )
    return InputError(f"the file cannot be read ({words})", where=place)


def _os_error(error: BaseException | None) -> OSError | None:
    """The error of the operating system that ``error`` is, or was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _place(error: OSError | None, out: Path) -> Path:
    """Where it happened: the last path that the system call named, else the output folder."""
    name = None if error is None else error.filename2 or error.filename
    return Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) else out


def _is_within(path: Path, folder: Path) -> bool:
    try:
        place, resolved = path.resolve(), folder.resolve()
    except (OSError, ValueError, RuntimeError):  # a name too long, or links in a circle
        return path.is_relative_to(folder)
    return place.is_relative_to(resolved) or resolved.is_relative_to(place)


def _is_full(folder: Path) -> bool:
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free < _NEARLY_FULL_BYTES
    except OSError:
        return False
