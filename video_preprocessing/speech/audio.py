"""Audio for the speech models: any file that libsndfile reads, as 16 kHz mono float32.

Streamed in blocks or cut out by time; memory depends on the block or the span, never on the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from yuki_builder.channels import mono
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, Span

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
_BLOCK_S = 10.0
# The resampler's filter looks at this much on either side; reading it makes a cut equal to the stream there.
_MARGIN_S = 0.05


class SpeechAudio:
    """An audio file opened for reading as 16 kHz mono.

    Channels are averaged. What is no number is taken as silence, what exceeds full scale is clipped.
    Use as a context manager.

    Raises:
        MediaError: the file is missing, is no audio, or breaks off while it is read.
    """

    def __init__(self, path: Path) -> None:
        import soundfile

        self._path = path
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, OSError) as e:
            raise self._unreadable() from e

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    @property
    def duration_ms(self) -> int:
        """Length of the file, rounded down."""
        return int(self._file.frames * 1000 // self._file.samplerate)

    def blocks(self, *, block_s: float = _BLOCK_S) -> Iterator[FloatArray]:
        """The whole file from its start, resampled as one stream, in arrays of about ``block_s`` seconds.

        Yields:
            Shape (samples,), float32, 16 kHz. Their concatenation does not depend on ``block_s``.
        """
        import soxr

        rate_hz = self._file.samplerate
        frames = max(1, round(block_s * rate_hz))
        stream = None if rate_hz == SAMPLE_RATE_HZ else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1)
        self._seek(0)
        while True:
            block = self._read(frames)
            last = len(block) < frames
            if stream is not None:
                block = stream.resample_chunk(block, last=last)
            if len(block):
                yield block
            if last:
                return

    def read(self, span: Span) -> FloatArray:
        """The audio of ``span``, shape (samples,), float32, 16 kHz; shorter where the file ends before it does."""
        import soxr

        start, stop = (max(0, t) * SAMPLES_PER_MS for t in (span.start_ms, span.end_ms))
        rate_hz = self._file.samplerate
        # Both rates share a grid of instants; from one of those on, a cut has the phase of the whole stream.
        shared = math.gcd(rate_hz, SAMPLE_RATE_HZ)
        step_in, step_out = rate_hz // shared, SAMPLE_RATE_HZ // shared
        margin = round(_MARGIN_S * SAMPLE_RATE_HZ)
        first = max(0, start - margin) // step_out
        after = -(-(stop + margin) // step_out)
        if first * step_in >= self._file.frames:
            return np.zeros(0, np.float32)
        self._seek(first * step_in)
        wave = self._read((after - first) * step_in)
        if rate_hz != SAMPLE_RATE_HZ and len(wave):
            wave = soxr.resample(wave, rate_hz, SAMPLE_RATE_HZ)
        return wave[start - first * step_out : stop - first * step_out]

    def _seek(self, frame: int) -> None:
        import soundfile

        try:
            self._file.seek(frame)
        except soundfile.LibsndfileError as e:
            raise self._unreadable() from e

    def _read(self, frames: int) -> FloatArray:
        import soundfile

        try:
            if self._file.subtype == "PCM_16":  # reading whole numbers is twice as fast, to the same values
                return _mono_of_int16(self._file.read(frames, dtype="int16", always_2d=True))
            return _finite_mono(self._file.read(frames, dtype="float32", always_2d=True))
        except soundfile.LibsndfileError as e:
            raise self._unreadable() from e

    def _unreadable(self) -> MediaError:
        return MediaError("cannot be read as audio", where=self._path, remedy="check that the file is whole")


def _finite_mono(frames: npt.NDArray[np.float32]) -> FloatArray:
    """Shape (samples, channels) to (samples,): finite, within full scale."""
    if frames.size and not (frames.min() >= -1.0 and frames.max() <= 1.0):  # so also where there is NaN
        frames = np.clip(np.nan_to_num(frames, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return mono(frames)


def _mono_of_int16(frames: npt.NDArray[np.int16]) -> FloatArray:
    """``mono`` of 16-bit samples."""
    total = frames[:, 0].astype(np.float32)
    for channel in range(1, frames.shape[1]):
        total += frames[:, channel]
    mono: FloatArray = total / np.float32(frames.shape[1] * 32768)
    return mono
