"""The shipped checkpoint, on a real conversation that its training never saw."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
import torch

from video_preprocessing.uvr5.checkpoints import find_checkpoint, shipped_names
from video_preprocessing.uvr5.separator import Separator
from video_preprocessing.uvr5.training.train import si_sdr_db
from yuki_builder.records import FloatArray

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def separator() -> Separator:
    return Separator.load("dialogue", device="cpu")


@pytest.fixture(scope="module")
def voices() -> FloatArray:
    """Eight seconds of the telephone conversation in pyannote.audio's package, (2, samples), centred."""
    package = importlib.util.find_spec("pyannote.audio")
    assert package is not None
    assert package.origin is not None
    x, rate_hz = sf.read(Path(package.origin).parent / "sample" / "sample.wav", dtype="float32")
    mono = soxr.resample(x[10 * rate_hz : 18 * rate_hz], rate_hz, RATE_HZ)
    return np.stack([mono, mono]) * np.float32(0.1 / np.sqrt(np.mean(mono**2)))


def chords(samples: int, *, wide: bool) -> FloatArray:
    """A progression of four chords in plucked harmonic tones, at the level of ``voices``."""
    rng = np.random.default_rng(4)
    t = np.arange(samples) / RATE_HZ
    out = np.zeros((2, samples))
    for k, root in enumerate(np.tile([220.0, 174.6, 261.6, 196.0], 10)):
        sounding = slice(k * RATE_HZ // 2, k * RATE_HZ // 2 + 2 * RATE_HZ)  # computed where it sounds alone
        at = t[sounding] - 0.5 * k
        for ratio in (0.5, 1.0, 1.26, 1.5):
            tone = sum(np.sin(2 * np.pi * root * ratio * h * at) / h**1.5 for h in range(1, 9))
            pan = rng.uniform(0.1, 0.9) if wide else 0.5
            out[:, sounding] += np.outer([pan, 1 - pan], tone * np.exp(-3 * at))
    return (out * 0.1 / np.sqrt(np.mean(out**2))).astype(np.float32)


def similarity_db(x: FloatArray, reference: FloatArray) -> float:
    return float(si_sdr_db(torch.from_numpy(x.mean(axis=0)), torch.from_numpy(reference.mean(axis=0))))


@pytest.mark.parametrize("wide", [True, False], ids=["stereo", "mono"])
def test_dialogue_comes_out_of_music(separator: Separator, voices: FloatArray, wide: bool) -> None:
    mixture = voices + chords(voices.shape[1], wide=wide)
    vocals = separator.separate(mixture, RATE_HZ).vocals
    assert similarity_db(vocals, voices) - similarity_db(mixture, voices) > 5.0


@pytest.mark.parametrize("hz", [0.0, 12.0, 30.0])
def test_a_rumble_below_voices_does_not_drown_them(separator: Separator, voices: FloatArray, hz: float) -> None:
    """An offset, or a tone that nobody hears, five times as loud as the dialogue."""
    t = np.arange(voices.shape[1]) / RATE_HZ
    rumble = np.cos(2 * np.pi * hz * t) * 0.5 / (1 if hz == 0 else np.sqrt(0.5))

    def audible(x: FloatArray) -> FloatArray:
        spectrum = np.fft.rfft(x)
        spectrum[:, np.fft.rfftfreq(x.shape[1], 1 / RATE_HZ) < 80] = 0
        return np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)

    vocals = separator.separate((voices + rumble).astype(np.float32), RATE_HZ).vocals
    assert similarity_db(audible(vocals), audible(voices)) > 15.0


def burst(rng: np.random.Generator, samples: int) -> FloatArray:
    """A shot: noise that falls by 60 dB in 0.3 s."""
    return rng.standard_normal((2, samples)) * np.exp(-np.arange(samples) / (0.043 * RATE_HZ))


def test_effects_alone_are_turned_down(separator: Separator) -> None:
    rng, t = np.random.default_rng(5), np.arange(10 * RATE_HZ) / RATE_HZ
    shots = np.zeros((2, len(t)))
    for second in range(1, 10, 2):
        shots[:, second * RATE_HZ : (second + 1) * RATE_HZ] += burst(rng, RATE_HZ)
    sweep = np.sin(2 * np.pi * (900 * t - 400 / (2 * np.pi * 0.3) * np.cos(2 * np.pi * 0.3 * t)))
    for sound in (shots, np.stack([sweep, sweep])):
        x = (0.1 * sound / np.sqrt(np.mean(sound**2))).astype(np.float32)
        left = separator.separate(x, RATE_HZ).vocals
        assert 10 * np.log10(np.mean(left**2) / np.mean(x**2)) < -25


def test_clean_dialogue_passes(separator: Separator, voices: FloatArray) -> None:
    assert similarity_db(separator.separate(voices, RATE_HZ).vocals, voices) > 20.0


def test_music_alone_is_turned_down(separator: Separator) -> None:
    music = chords(RATE_HZ * 10, wide=True)
    left = separator.separate(music, RATE_HZ).vocals
    assert 20 * np.log10(np.sqrt(np.mean(left**2) / np.mean(music**2))) < -25


def test_it_is_small_and_has_a_card() -> None:
    assert "dialogue" in shipped_names()
    file = find_checkpoint("dialogue")
    assert file.stat().st_size < 12_000_000
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    assert all(word in card for word in ("LibriSpeech", "CC BY 4.0", "Recipe", "Figures", "Limits"))
