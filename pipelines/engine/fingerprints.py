"""Content hashes of the user's files, remembered so that an episode of a gigabyte is read once.

A file counts as unchanged while path, size and time of change are the same; only then is the remembered hash
used. A file that was merely touched is read again, has the same hash, and costs nothing further.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from yuki_builder.atomic import sweep, write_atomically
from yuki_builder.untrusted import read_json


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Fingerprints:
    """Hashes by content for files and folders, with a memory that ``load`` and ``save`` keep between runs."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int, str]] = {}
        self._fresh: dict[str, tuple[int, int, str]] = {}

    def of(self, path: Path) -> str:
        """The hash of a file's content; of a folder, over the names and contents of all files in it.

        Raises:
            OSError: it cannot be read.
        """
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file())
            return hash_text("\n".join(f"{p.relative_to(path).as_posix()}\0{self.of(p)}" for p in files))
        facts = path.stat()
        key = os.fspath(path.resolve())
        known = self._known.get(key)
        if known is None or known[:2] != (facts.st_size, facts.st_mtime_ns):
            known = self._known[key] = self._fresh[key] = (facts.st_size, facts.st_mtime_ns, hash_file(path))
        return known[2]

    def learned(self) -> dict[str, tuple[int, int, str]]:
        """What was found out since this was last asked; for ``learn`` of another process."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def learn(self, learned: Mapping[str, tuple[int, int, str]]) -> None:
        """Add what another process has found out."""
        self._known |= learned

    def load(self, memory: Path) -> None:
        """Add what ``save`` wrote; a missing or damaged memory only means reading the files again."""
        try:
            data = read_json(memory)
            self._known |= {str(k): (int(size), int(time), str(sha)) for k, (size, time, sha) in data.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return

    def save(self, memory: Path) -> None:
        """Write all that is known. Of two runs that do so at once the later wins; that costs some reading, no more."""
        sweep(memory.parent)
        write_atomically(memory, json.dumps(self._known, indent=0, sort_keys=True))
