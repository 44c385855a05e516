"""Reading long sound files front to back, without holding them in memory.

Front to back and not by seeking: to find one place in a FLAC file takes as long as to decode half a minute of it, and
an episode's lines lie closer together than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import soundfile

_BLOCK_MS = 10_000
_REMEDY = "delete it and run the pipeline again"


@contextmanager
def open_sound(source: Path) -> Iterator[soundfile.SoundFile]:
    """The file, open for reading and seeking.

    Raises:
        MediaError: it is no sound file, or breaks off while it is read.
        OSError: it cannot be opened at all.
    """
    import soundfile

    with source.open("rb"):  # "no such file" and "permission denied" as what they are
        pass
    try:
        with soundfile.SoundFile(source) as sound:
            yield sound
    except soundfile.LibsndfileError as e:
        raise MediaError("the sound file cannot be read", where=source, remedy=_REMEDY) from e


def to_samples(time_ms: int, sample_rate_hz: int) -> int:
    """The sample at ``time_ms``, rounded to the nearest: the one place where the room turns time into samples."""
    return (time_ms * sample_rate_hz + 500) // 1000


def blocks(sound: soundfile.SoundFile) -> Iterator[tuple[int, FloatArray]]:
    """The whole file, from where it stands, in blocks of some seconds.

    Yields:
        The position of the block's first sample and the block, shape (samples, channels), float32 in -1..1 (which
        holds samples of up to 24 bits exactly).

    Raises:
        MediaError: the file ends before the length that it declares.
    """
    size = to_samples(_BLOCK_MS, sound.samplerate)
    while (start := sound.tell()) < sound.frames:
        block = sound.read(size, dtype="float32", always_2d=True)
        if len(block) < min(size, sound.frames - start):
            raise MediaError("the sound file breaks off", where=sound.name, remedy=_REMEDY)
        yield start, block


class ForwardReader:
    """Stretches of a sound file, asked for in the order of their starts; they may overlap.

    Holds in memory what lies between the start of the last stretch and its end, and one block more.
    """

    def __init__(self, sound: soundfile.SoundFile) -> None:
        self._blocks = blocks(sound)
        self._held: list[tuple[int, FloatArray]] = []
        self._end = sound.tell()
        self._channels = sound.channels

    def read(self, start: int, end: int) -> FloatArray:
        """Samples ``start`` to ``end`` (excluded), shape (samples, channels), float32; both within the file."""
        self._forget_before(start)
        while self._end < end:
            block_start, block = next(self._blocks)
            self._end = block_start + len(block)
            self._held.append((block_start, block))
            self._forget_before(start)
        parts = [held[max(0, start - at) : max(0, end - at)] for at, held in self._held]
        return np.concatenate([np.empty((0, self._channels), np.float32), *parts])

    def _forget_before(self, start: int) -> None:
        self._held = [(at, block) for at, block in self._held if at + len(block) > start]
