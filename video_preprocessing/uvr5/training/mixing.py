"""Training material made on the fly: dialogue over music, effects and noise, as films mix them.

Every draw takes its own numpy generator, so that example number k of a seed is the same in every run.
Waveforms are (2, samples) float32 at one sample rate.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_preprocessing.uvr5.training import effects
from yuki_builder.errors import InputError
from yuki_builder.records import FloatArray

AUDIO_SUFFIXES = {".flac", ".wav", ".ogg", ".opus", ".mp3", ".m4a", ".aiff"}
Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True)
class MixSettings:
    """How examples are drawn; probabilities 0..1, levels in dB.

    Attributes:
        level_db: dialogue over music, drawn evenly between the two.
        music_only: no dialogue, so that nothing leaks in its pauses.
        speech_only: no music, so that clean dialogue passes.
        second_voice: another voice over or after the first.
        second_music: another piece on top.
        off_centre: dialogue panned away from the centre.
        room: dialogue with a room around it.
        equaliser: random tone, on dialogue and on music.
        noise: a noise floor 15 to 40 dB below the dialogue.
        effects: short bursts, as doors and steps and shots.
        ambience: sounds of all kinds (``effects.py``) instead of music or beside it.
        narrow_music: music folded to mono.
        mono: everything folded to mono, as in old films and telephone recordings.
        codec: the mixture through a lossy codec and back, as every video's sound; what that changes is background.
    """

    level_db: tuple[float, float] = (-8.0, 12.0)
    music_only: float = 0.10
    speech_only: float = 0.04
    second_voice: float = 0.35
    second_music: float = 0.2
    off_centre: float = 0.2
    room: float = 0.35
    equaliser: float = 0.6
    noise: float = 0.3
    effects: float = 0.5
    narrow_music: float = 0.15
    mono: float = 0.4
    codec: float = 0.3
    ambience: float = 0.5


@dataclass(frozen=True)
class Example:
    """One drawn example: (2, samples) each; the mixture is ``dialogue + background``."""

    dialogue: FloatArray
    background: FloatArray


def find_audio(folder: Path) -> list[Path]:
    """Audio files below ``folder``, sorted.

    Raises:
        InputError: there are none.
    """
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in AUDIO_SUFFIXES)
    if not files:
        raise InputError("no audio files in this folder", where=folder, remedy="give one with .flac or .wav files")
    return files


def load_pool(files: Sequence[Path], *, sample_rate_hz: int, channels: int) -> list[Int16Array]:
    """Whole files as (channels, samples) int16, resampled; half the memory of float32.

    Args:
        files: audio files.
        sample_rate_hz: the rate that is wanted.
        channels: how many are wanted.
    """

    def load(path: Path) -> Int16Array:
        import soundfile as sf
        import soxr

        x, rate_hz = sf.read(path, dtype="float32", always_2d=True)
        x = x.mean(axis=1, keepdims=True) if channels == 1 else x[:, [0, -1]][:, :channels]
        if rate_hz != sample_rate_hz:
            x = soxr.resample(x, rate_hz, sample_rate_hz)
        return np.ascontiguousarray((np.clip(x.T, -1, 1) * 32767).astype(np.int16))

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(load, files))


class Mixer:
    """Draws examples from voices and pieces of music.

    Args:
        voices: mono speech, (1, samples) int16 each.
        music: stereo pieces, (2, samples) int16 each.
        sample_rate_hz: of both.
        settings: how to mix.
    """

    def __init__(
        self,
        voices: Sequence[Int16Array],
        music: Sequence[Int16Array],
        *,
        sample_rate_hz: int,
        settings: MixSettings | None = None,
    ) -> None:
        self.voices, self.music = voices, music
        self.sample_rate_hz = sample_rate_hz
        self.settings = settings or MixSettings()

    def draw(self, rng: np.random.Generator, samples: int) -> Example:
        """One example of that length."""
        s = self.settings
        kind = rng.random()
        dialogue, background = self._dialogue(rng, samples), self._background(rng, samples)
        if kind < s.music_only:
            dialogue[:] = 0
        elif kind < s.music_only + s.speech_only:
            background[:] = 0
        else:
            background *= _gain_to(dialogue, background, rng.uniform(*s.level_db))
        if rng.random() < s.noise:
            background = background + self._noise(rng, samples) * _active_rms(dialogue + background) * _amplitude(
                -rng.uniform(15, 40)
            )
        if rng.random() < s.mono:
            dialogue, background = (np.repeat(x.mean(axis=0, keepdims=True), 2, axis=0) for x in (dialogue, background))
        if s.codec and rng.random() < s.codec:
            background = coded(rng, dialogue + background, self.sample_rate_hz) - dialogue
        level = _amplitude(rng.uniform(-12, 6))
        return Example((dialogue * level).astype(np.float32), (background * level).astype(np.float32))

    def _dialogue(self, rng: np.random.Generator, samples: int) -> FloatArray:
        """One to three utterances on a timeline, with pauses; now and then two at once."""
        out = np.zeros((2, samples), np.float32)
        start, previous = int(rng.uniform(-0.3, 0.3) * samples), None
        for _ in range(3):
            voice = previous if previous is not None and rng.random() > self.settings.second_voice else None
            voice = int(rng.integers(len(self.voices))) if voice is None else voice
            previous = voice
            piece = self._utterance(rng, voice, int(rng.uniform(1.0, 4.5) * self.sample_rate_hz))
            _add(out, piece, start)
            gap_s = rng.uniform(-0.8, 0.0) if rng.random() < 0.15 else rng.uniform(0.1, 1.5)
            start += piece.shape[1] + int(gap_s * self.sample_rate_hz)
            if start >= samples:
                break
        return out

    def _utterance(self, rng: np.random.Generator, voice: int, samples: int) -> FloatArray:
        s = self.settings
        mono = _crop(rng, self.voices[voice], samples)[0]
        speed = rng.choice([0.88, 0.94, 1.0, 1.0, 1.06, 1.13])
        if speed != 1.0:
            # Speed and pitch together: the pool of voices becomes a larger one of higher and lower voices.
            mono = np.interp(np.arange(0, len(mono) - 1, speed), np.arange(len(mono)), mono).astype(np.float32)
        mono = mono / (_rms(mono) + 1e-5) * 0.06 * _amplitude(rng.uniform(-4, 4))
        stereo = np.stack([mono, mono])
        if rng.random() < s.equaliser:
            stereo = _equalise(rng, stereo, self.sample_rate_hz, depth_db=6)
        if rng.random() < s.room:
            stereo = self._room(rng, stereo)
        if rng.random() < s.off_centre:
            stereo = stereo * _pan(rng.uniform(-0.8, 0.8))
        return stereo

    def _room(self, rng: np.random.Generator, x: FloatArray) -> FloatArray:
        """Convolves with exponentially decaying noise behind the direct sound (Moorer 1979)."""
        decay_s, wet = rng.uniform(0.1, 0.7), _amplitude(rng.uniform(-18, -3))
        n = int(decay_s * self.sample_rate_hz)
        tail = rng.normal(size=(2, n)) * np.exp(-6.9 * np.arange(n) / n)
        tail[:, : int(0.004 * self.sample_rate_hz)] = 0
        tail *= wet / np.sqrt((tail**2).sum(axis=1, keepdims=True))
        tail[:, 0] += 1.0
        return effects.convolve(x, tail).astype(np.float32)

    def _background(self, rng: np.random.Generator, samples: int) -> FloatArray:
        s = self.settings
        out = self._music(rng, samples)
        if rng.random() < s.second_music:
            out = out + self._music(rng, samples) * _amplitude(rng.uniform(-9, 0))
        if rng.random() < s.effects:
            for _ in range(int(rng.integers(1, 4))):
                _add(out, self._effect(rng), int(rng.integers(samples)))
        # Without ambience nothing is drawn for it, so that recipes from before it keep their draws.
        if s.ambience and rng.random() < s.ambience:
            beside = rng.random() < 0.5
            out = self._ambience(rng, samples) + (out * _amplitude(rng.uniform(-9, 6)) if beside else 0)
        return out.astype(np.float32)

    def _ambience(self, rng: np.random.Generator, samples: int) -> FloatArray:
        """One to three sounds, each with a tone and a room of its own."""
        out = np.zeros((2, samples), np.float32)
        for k in range(int(rng.integers(1, 4))):
            many = rng.random() < 0.1
            x = self._crowd(rng, samples) if many else effects.draw(rng, samples, self.sample_rate_hz)
            x = x.astype(np.float32)
            if rng.random() < self.settings.equaliser:
                x = _equalise(rng, x, self.sample_rate_hz, depth_db=9)
            if rng.random() < self.settings.room:
                x = self._room(rng, x)[:, :samples]
            out += x / (_rms(x) + 1e-4) * (_amplitude(rng.uniform(-15, 0)) if k else 1)
        return out

    def _crowd(self, rng: np.random.Generator, samples: int) -> FloatArray:
        """Many voices at once, none of which is to be understood: background, as in a film's own sound."""
        out = np.zeros((2, samples), np.float32)
        for _ in range(int(rng.integers(7, 16))):
            voice = self.voices[int(rng.integers(len(self.voices)))]
            mono = np.resize(_crop(rng, voice, samples)[0], samples)
            out += _pan(rng.uniform(-0.9, 0.9)) * np.roll(mono, int(rng.integers(samples))) / (_rms(mono) + 1e-4)
        return self._room(rng, out)[:, :samples]

    def _music(self, rng: np.random.Generator, samples: int) -> FloatArray:
        x = _crop(rng, self.music[int(rng.integers(len(self.music)))], samples)
        mid, side = (x[0] + x[1]) / 2, (x[0] - x[1]) / 2
        width = 0.0 if rng.random() < self.settings.narrow_music else rng.uniform(0.4, 1.5)
        x = np.stack([mid + width * side, mid - width * side]) * _pan(rng.uniform(-0.15, 0.15))
        if rng.random() < self.settings.equaliser:
            x = _equalise(rng, x, self.sample_rate_hz, depth_db=9)
        return (x / (_rms(x) + 1e-4)).astype(np.float32)

    def _effect(self, rng: np.random.Generator) -> FloatArray:
        n = int(rng.uniform(0.05, 0.8) * self.sample_rate_hz)
        shape = np.exp(-np.linspace(0, rng.uniform(2, 8), n))
        noise = rng.normal(size=(2, n)) if rng.random() < 0.5 else np.repeat(rng.normal(size=(1, n)), 2, axis=0)
        burst = effects.tilt(noise, rng.uniform(-9, 0)) * shape * rng.uniform(0.5, 2.5)
        return (burst * _pan(rng.uniform(-1, 1))).astype(np.float32)

    def _noise(self, rng: np.random.Generator, samples: int) -> FloatArray:
        x = effects.tilt(rng.normal(size=(2, samples)), rng.uniform(-9, 0))
        return (x / (_rms(x) + 1e-9)).astype(np.float32)


def coded(rng: np.random.Generator, x: FloatArray, sample_rate_hz: int) -> FloatArray:
    """``x`` through Ogg Vorbis and back, at one of its lower qualities; nothing is shifted in time.

    It quantises lapped transforms by what is heard, as AAC and the other codecs of video files do, whose encoders come
    with no Python package.

    Args:
        rng: the dice.
        x: shape (channels, samples), -1 to 1.
        sample_rate_hz: the rate of the samples.
    """
    import soundfile as sf

    peak = float(np.abs(x).max())
    if peak == 0:
        return x
    file = io.BytesIO()
    # libsndfile's scale: 0 is Vorbis' best quality, 1 its worst.
    quality = rng.uniform(0.5, 1.0)
    sf.write(file, (x / peak * 0.9).T, sample_rate_hz, format="OGG", subtype="VORBIS", compression_level=quality)
    file.seek(0)
    back = sf.read(file, dtype="float32", always_2d=True)[0].T[:, : x.shape[1]]
    back = np.pad(back, ((0, 0), (0, x.shape[1] - back.shape[1])))
    return np.asarray(back * (peak / 0.9), dtype=np.float32)


def _amplitude(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _rms(x: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0


def _active_rms(x: FloatArray) -> float:
    """Root mean square where there is sound at all: pauses do not make a voice quieter."""
    active = np.abs(x) > 1e-4
    return _rms(x[active]) if active.any() else 0.0


def _gain_to(dialogue: FloatArray, background: FloatArray, level_db: float) -> float:
    voice, rest = _active_rms(dialogue), _rms(background)
    return voice / (rest + 1e-9) / _amplitude(level_db) if voice else 1.0


def _crop(rng: np.random.Generator, pool: Int16Array, samples: int) -> FloatArray:
    """A random stretch of a pool entry, (channels, at most samples) float32; music shorter than asked repeats."""
    length = pool.shape[1]
    if pool.shape[0] == 2 and length < samples:
        pool = np.tile(pool, (1, -(-samples // length)))
        length = pool.shape[1]
    start = int(rng.integers(max(1, length - samples + 1)))
    return pool[:, start : start + samples].astype(np.float32) * np.float32(1 / 32768)


def _add(out: FloatArray, piece: FloatArray, start: int) -> None:
    """Adds ``piece`` at ``start``, cut at both ends of ``out``."""
    a, b = max(0, start), min(out.shape[1], start + piece.shape[1])
    if a < b:
        out[:, a:b] += piece[:, a - start : b - start]


def _pan(position: float) -> FloatArray:
    """Gains (2, 1) of the sine-cosine law; 0 is the centre with gain 1 on both sides."""
    angle = (position + 1) * np.pi / 4
    return (np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])).astype(np.float32)


def _equalise(rng: np.random.Generator, x: FloatArray, sample_rate_hz: int, *, depth_db: float) -> FloatArray:
    """A smooth random tone curve (six points over eight octaves), now and then a telephone's band."""
    spectrum = np.fft.rfft(x)
    octave = np.log2(np.maximum(np.fft.rfftfreq(x.shape[1], 1 / sample_rate_hz), 30) / 30)
    points = rng.uniform(-depth_db, depth_db, 6)
    curve_db = np.interp(octave, np.linspace(0, 8, 6), points)
    if rng.random() < 0.06:
        curve_db = curve_db - 40 * ((octave < np.log2(10)) | (octave > np.log2(3400 / 30)))
    return np.fft.irfft(spectrum * 10 ** (curve_db / 20), x.shape[1]).astype(np.float32)
