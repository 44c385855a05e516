"""Vocals that another program separated, as the pipeline's own: checked for length and start."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_preprocessing.media.audio import extract_audio
from video_preprocessing.media.containers import probe
from video_preprocessing.media.tracks import choose_audio_track
from yuki_builder.channels import mono
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, Progress, no_progress

_LENGTH_TOLERANCE_S = 1.0
_START_TOLERANCE_S = 0.06
_FRAME_S = 0.01
_FARTHEST_S = 20.0
_CLEARLY_BETTER = 0.05  # in correlation, than no shift at all
_BLOCK = 1 << 16


def take_vocals(vocals: Path, mix: Path, destination: Path, *, progress: Progress = no_progress) -> None:
    """Write vocals from a file of any format as stereo FLAC, as long as the mix.

    Args:
        vocals: what a separator made of the whole of the video's sound.
        mix: the video's sound, FLAC.
        destination: the FLAC file to write.
        progress: counts seconds.

    Raises:
        MediaError: no audio, of another length, or begun at another moment than the mix.
    """
    import soundfile

    info = probe(vocals)
    decoded = destination.with_name(f"{destination.stem}-decoded.flac")
    try:
        wanted = soundfile.info(mix)
        extract_audio(
            info, choose_audio_track(info, None), decoded, sample_rate_hz=wanted.samplerate, progress=progress
        )
        found = soundfile.info(decoded)
        if abs(found.frames - wanted.frames) > _LENGTH_TOLERANCE_S * wanted.samplerate:
            raise MediaError(
                f"these vocals last {found.duration:.1f} s, the video's sound {wanted.duration:.1f} s",
                where=vocals,
                remedy="separate the whole of the audio track that is used (audio/mix.flac in the output folder)",
            )
        shift_s = _shift_s(_levels(mix), _levels(decoded))
        if shift_s is not None:
            when = "after" if shift_s > 0 else "before"
            raise MediaError(
                f"these vocals begin {abs(shift_s):.2f} s {when} the video's sound",
                where=vocals,
                remedy="separate audio/mix.flac of the output folder, which begins with the picture",
            )
        _write_as_long(decoded, destination, frames=wanted.frames)
    finally:
        decoded.unlink(missing_ok=True)


def _write_as_long(source: Path, destination: Path, *, frames: int) -> None:
    """A copy of exactly so many frames: cut, or filled with silence."""
    import soundfile

    with soundfile.SoundFile(source) as given:
        shape = {"samplerate": given.samplerate, "channels": given.channels}
        with soundfile.SoundFile(destination, "w", format="FLAC", subtype="PCM_16", **shape) as file:
            left = frames
            while left > 0:
                block = given.read(min(_BLOCK, left), dtype="float32", always_2d=True)
                if not len(block):
                    block = np.zeros((min(_BLOCK, left), given.channels), np.float32)
                file.write(block)
                left -= len(block)


def _levels(path: Path) -> FloatArray:
    """Loudness in steps of 10 ms, in decibels above the quiet, shape (steps,)."""
    import soundfile

    levels: list[FloatArray] = []
    with soundfile.SoundFile(path) as file:
        step = round(_FRAME_S * file.samplerate)
        for block in file.blocks(step * 1000, dtype="float32", always_2d=True):
            wave = mono(block)
            whole = wave[: len(wave) // step * step].reshape(-1, step)
            levels.append(np.sqrt((whole**2).mean(axis=1)))
    rms = np.concatenate(levels) if levels else np.zeros(0, np.float32)
    decibels: FloatArray = np.maximum(20 * np.log10(np.maximum(rms, 1e-6)), -60.0).astype(np.float32)
    return decibels


def _shift_s(mix: FloatArray, vocals: FloatArray) -> float | None:
    """How much later the vocals begin than the mix; None where they begin together, or nothing can be told. Pure."""
    steps = min(len(mix), len(vocals))
    farthest = min(round(_FARTHEST_S / _FRAME_S), steps // 2)
    if farthest < 1:
        return None
    one, other = (np.diff(x[:steps], prepend=x[:1]) for x in (mix, vocals))
    size = 1 << (2 * steps - 1).bit_length()
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    both = np.fft.irfft(spectrum, size)
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    if scale == 0.0:
        return None
    lags = np.concatenate([both[-farthest:], both[: farthest + 1]]) / scale
    best = int(lags.argmax()) - farthest
    is_better = lags.max() > lags[farthest] + _CLEARLY_BETTER
    return best * _FRAME_S if is_better and abs(best) * _FRAME_S > _START_TOLERANCE_S else None
