"""Long results written so that an interruption costs seconds, not hours.

While a separation is at work its stems lie beside their final place under a hidden name, with a note of what they
are made from. FLAC is made of short frames, each with a checksum, so what a killed process left behind can be
read up to its last whole frame; the next attempt keeps that much and goes on behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yuki_builder.records import FloatArray
from yuki_builder.untrusted import read_json

if TYPE_CHECKING:
    import soundfile

_READ_SAMPLES = 4096


def identity(path: Path) -> str:
    """Tells one audio file from another, by all of its content: hours of it are read in seconds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Note:
    """What is known of work in progress.

    Attributes:
        key: of everything that shapes the result; another key makes the leftovers worthless.
        facts: what took long to find out.
    """

    key: str
    facts: dict[str, Any] = field(default_factory=dict)


class Unfinished:
    """FLAC files at work, on their way to ``targets``.

    Args:
        targets: final paths by name.
        folder: where the unfinished files lie; the same file system as the targets.
        key: of everything that shapes the result.
    """

    def __init__(self, targets: Mapping[str, Path], folder: Path, key: str) -> None:
        self.targets = dict(targets)
        self._folder, self._stem = folder, next(iter(targets.values())).stem
        self.note = Note(key)
        self.samples = 0
        found = self._read_note()
        if found is not None and found.key == key:
            self.note = found
            self.samples = min(self._salvageable(name) for name in self.targets)
        else:
            self.discard()

    def remember(self, **facts: Any) -> None:
        """Adds to what is known, at once and atomically."""
        self.note.facts.update(facts)
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._path("note.tmp")
        temporary.write_text(json.dumps({"key": self.note.key, "facts": self.note.facts}), encoding="utf-8")
        temporary.replace(self._path("note.json"))

    def salvaged(self, name: str) -> Iterator[FloatArray]:
        """The first ``samples`` samples of a stem, (samples, channels) int16, as the earlier attempt wrote them."""
        left = self.samples
        for block in _readable(self._old(name)):
            yield block[:left]
            left -= min(left, len(block))
            if not left:
                return

    def open(self, name: str, sample_rate_hz: int, channels: int) -> soundfile.SoundFile:
        """A fresh file for the stem; what an earlier attempt left of it moves aside until ``settle``.

        Args:
            name: of the stem.
            sample_rate_hz: of the file.
            channels: of the file.

        Raises:
            OSError: the file cannot be written.
        """
        import soundfile as sf

        self._folder.mkdir(parents=True, exist_ok=True)
        return sf.SoundFile(self._new(name), "w", sample_rate_hz, channels, format="FLAC", subtype="PCM_16")

    def settle(self) -> None:
        """Says that the fresh files hold all that was salvaged."""
        for name in self.targets:
            self._old(name).unlink(missing_ok=True)

    def finish(self) -> None:
        """Puts the finished files in their places, durably, and clears up."""
        for name, target in self.targets.items():
            with self._new(name).open("rb") as file:
                os.fsync(file.fileno())
            self._new(name).replace(target)
        self.discard()

    def discard(self) -> None:
        """Removes everything unfinished."""
        for name in self.targets:
            self._new(name).unlink(missing_ok=True)
            self._old(name).unlink(missing_ok=True)
        self._path("note.json").unlink(missing_ok=True)

    def _salvageable(self, name: str) -> int:
        """Samples that can be kept; puts the longer of the leftovers in the place of the old one."""
        lengths = {path: sum(map(len, _readable(path))) for path in (self._old(name), self._new(name))}
        if lengths[self._new(name)] > lengths[self._old(name)]:
            self._new(name).replace(self._old(name))
        return max(lengths.values())

    def _read_note(self) -> Note | None:
        try:
            found = read_json(self._path("note.json"))
            return Note(str(found["key"]), dict(found["facts"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, ending: str) -> Path:
        return self._folder / f".{self._stem}.unfinished.{ending}"

    def _new(self, name: str) -> Path:
        return self._path(f"{name}.flac")

    def _old(self, name: str) -> Path:
        return self._path(f"{name}.earlier.flac")


def _readable(path: Path) -> Iterator[FloatArray]:
    """Blocks of a FLAC that may break off, (samples, channels) int16, up to its last whole frame."""
    import soundfile as sf

    try:
        with sf.SoundFile(path) as file:
            while True:
                block = file.read(_READ_SAMPLES, dtype="int16", always_2d=True)
                if not len(block):
                    return
                yield np.asarray(block)
    except (sf.LibsndfileError, OSError):
        return
