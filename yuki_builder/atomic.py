"""Files that are there complete or not at all, and never through somebody's link.

What is being written lies beside its place under a private name, which says which process is at it. So what a killed
process left can be told from what another one is writing, and swept away.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = re.compile(r"\.(?P<host>[0-9a-f]{8})-(?P<pid>\d{1,10})-[0-9a-f]{8}\.unfinished")


def private_name(folder: Path) -> Path:
    """A path in ``folder`` that nothing else uses, and that tells whose it is."""
    return folder / f".{_host()}-{os.getpid()}-{secrets.token_hex(4)}.unfinished"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A fresh file to write, which takes the place of ``path``, durably, if nothing goes wrong within.

    A link that stands at ``path`` is replaced; what it points to is not touched.
    """
    temporary = private_name(path.parent)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_atomically(path: Path, text: str, *, encoding: str = "utf-8", errors: str = "backslashreplace") -> None:
    """Write a small file so that it has, at any instant, either its old content or the new one.

    Args:
        path: the file; its folder has to be there.
        text: its whole content.
        encoding: the name of a Python codec.
        errors: what becomes of characters that the encoding lacks.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding=encoding, errors=errors, newline="")


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that are no more left unfinished in ``folder``."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match is None or match["host"] != _host() or _is_alive(int(match["pid"])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make what was renamed and removed in a folder durable."""
    if os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # a signal of 0 would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
