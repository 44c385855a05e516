"""What an episode's sound looks like: the waveforms' outlines, and a stretch before and after the separator.

All of it small enough to travel inside an HTML file, and made in one pass over the sound files.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from yuki_builder.channels import mono
from yuki_builder.corpus.audio.sound import blocks, open_sound, to_samples
from yuki_builder.corpus.report.spectrogram import spectrogram_png, spectrogram_power
from yuki_builder.records import FloatArray, Progress, Record, Span, no_progress

if TYPE_CHECKING:
    import soundfile

Bytes = npt.NDArray[np.uint8]

STRETCH_MS = 10_000
_MOST_BINS = 90_000
_BIN_SIZES_MS = (20, 40, 50, 100, 200, 250, 500, 1000)  # each divides the 10 s blocks that sound files are read in
_LOUDEST = 127
_HEARD = 0.01  # a peak of -40 dBFS: below it, neither a voice nor what was removed shows in a picture


@dataclass(frozen=True, slots=True)
class SoundPictures(Record):
    """Pictures of one episode's sound.

    Attributes:
        bin_ms: how long each peak lasts.
        mix_peaks: base64 of one byte a bin, 0..127: 127 times the root of the largest sample, so that quiet
            speech still shows.
        vocals_peaks: likewise; None where mix and vocals are the same, because nothing was separated.
        stretch: what the spectrograms show; None where there is nothing to show.
        mix_spectrogram, vocals_spectrogram: PNG files as base64, of the same size and with the same colours.
    """

    bin_ms: int
    mix_peaks: str
    vocals_peaks: str | None = None
    stretch: Span | None = None
    mix_spectrogram: str | None = None
    vocals_spectrogram: str | None = None


def picture_sound(mix: Path, vocals: Path, *, progress: Progress = no_progress) -> SoundPictures:
    """Read both files once, front to back, and draw them.

    Args:
        mix: a sound file on the episode's clock.
        vocals: what was separated from it.
        progress: called with the milliseconds done of the mix.

    Raises:
        MediaError: one of the files cannot be read.
    """
    with open_sound(mix) as mix_sound, open_sound(vocals) as vocals_sound:
        bin_ms = bin_size_ms(1000 * mix_sound.frames // mix_sound.samplerate)
        # Decoding is most of the work and lets other threads run meanwhile.
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(file_peaks, vocals_sound, bin_ms=bin_ms)
            mix_peaks = file_peaks(mix_sound, bin_ms=bin_ms, progress=progress)
            vocals_peaks = waiting.result()
        if np.array_equal(mix_peaks, vocals_peaks):
            return SoundPictures(bin_ms, _base64(mix_peaks.tobytes()))
        stretch = most_separated_span(mix_peaks, vocals_peaks, bin_ms=bin_ms)
        before, after = (None, None) if stretch is None else _before_and_after(mix_sound, vocals_sound, stretch)
        return SoundPictures(
            bin_ms, _base64(mix_peaks.tobytes()), _base64(vocals_peaks.tobytes()), stretch, before, after
        )


def bin_size_ms(duration_ms: int) -> int:
    """How long each peak should last, so that a page can hold them all: 20 ms up to half an hour."""
    return next((size for size in _BIN_SIZES_MS if duration_ms / size <= _MOST_BINS), _BIN_SIZES_MS[-1])


def file_peaks(sound: soundfile.SoundFile, *, bin_ms: int, progress: Progress = no_progress) -> Bytes:
    """The largest sample of every ``bin_ms``, all channels together, from where the file stands.

    Args:
        sound: an open file.
        bin_ms: milliseconds of one value.
        progress: counts seconds of sound.

    Returns:
        shape (bins,), 0..127: 127 times the root of the peak.
    """
    total_ms = 1000 * sound.frames // sound.samplerate
    parts = [np.empty(0, np.float32)]
    for at, block in blocks(sound):
        parts.append(block_peaks(block, rate_hz=sound.samplerate, bin_ms=bin_ms))
        progress(min(total_ms, 1000 * (at + len(block)) // sound.samplerate), total_ms)
    return np.round(_LOUDEST * np.sqrt(np.minimum(np.concatenate(parts), 1.0))).astype(np.uint8)


def block_peaks(block: FloatArray, *, rate_hz: int, bin_ms: int) -> FloatArray:
    """The largest absolute sample of every ``bin_ms`` of a block, shape (samples, channels); the last may be short.

    Args:
        block: shape (samples, channels).
        rate_hz: the rate of the samples.
        bin_ms: milliseconds of one value.
    """
    count = -(-1000 * len(block) // (rate_hz * bin_ms))
    starts = [start for n in range(count) if (start := to_samples(n * bin_ms, rate_hz)) < len(block)]
    flat = np.abs(block).reshape(-1)
    return np.maximum.reduceat(flat, np.array(starts) * block.shape[1]) if starts else np.empty(0, np.float32)


def most_separated_span(
    mix_peaks: Bytes, vocals_peaks: Bytes, *, bin_ms: int, length_ms: int = STRETCH_MS
) -> Span | None:
    """The stretch that shows best what the separator does: voices in it, and much that was taken away beside them.

    Each moment counts with the quieter of both, in the scale of the peaks, so that one bang does not decide; the
    earliest of equals wins. None where no moment has both a voice and something removed.

    Args:
        mix_peaks: shape (bins,), 0 to 127, of the mix.
        vocals_peaks: the same of the voices.
        bin_ms: milliseconds of one value.
        length_ms: how long the stretch is.
    """
    count = min(len(mix_peaks), len(vocals_peaks))
    mix, voice = ((peaks[:count].astype(np.float64) / _LOUDEST) ** 2 for peaks in (mix_peaks, vocals_peaks))
    both = np.minimum(voice, np.maximum(0.0, mix - voice))
    score = np.sqrt(np.where(both >= _HEARD, both, 0.0))
    if not score.any():
        return None
    width = min(count, -(-length_ms // bin_ms))
    sums = np.concatenate([[0.0], np.cumsum(score)])
    windows = np.round(sums[width:] - sums[:-width], 6)
    start_ms = int(np.argmax(windows)) * bin_ms
    return Span(start_ms, start_ms + width * bin_ms)


def _before_and_after(mix: soundfile.SoundFile, vocals: soundfile.SoundFile, stretch: Span) -> tuple[str, str]:
    powers = [spectrogram_power(_mono(sound, stretch), rate_hz=sound.samplerate) for sound in (mix, vocals)]
    loudest = max(float(power.max()) for power in powers)
    before, after = (_base64(spectrogram_png(power, loudest=loudest)) for power in powers)
    return before, after


def _mono(sound: soundfile.SoundFile, stretch: Span) -> FloatArray:
    sound.seek(to_samples(stretch.start_ms, sound.samplerate))
    samples = sound.read(to_samples(stretch.duration_ms, sound.samplerate), dtype="float32", always_2d=True)
    return mono(samples)


def _base64(data: bytes | Iterable[int]) -> str:
    return base64.b64encode(bytes(data)).decode("ascii")
