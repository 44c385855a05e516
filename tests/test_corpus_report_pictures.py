"""Waveforms and spectrograms of the report, compared with the plain way of computing them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import SoundPictures, picture_sound
from yuki_builder.corpus.audio.sound import to_samples
from yuki_builder.corpus.report.pictures import (
    bin_size_ms,
    block_peaks,
    most_separated_span,
)
from yuki_builder.corpus.report.spectrogram import HIGHEST_HZ, LOWEST_HZ, ROWS, spectrogram_png, spectrogram_power
from yuki_builder.errors import MediaError

RATE = 16_000


def peaks_of(encoded: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(encoded), np.uint8)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    sf.write(path, samples, rate, subtype="PCM_16")
    return path


def tone(hz: float, seconds: float, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


@settings(deadline=None)
@given(
    st.sampled_from([8000, 11_025, 22_050, 44_100, 48_000]),
    st.sampled_from([20, 40, 50, 500]),
    st.integers(0, 3000),
    st.integers(1, 3),
)
def test_peaks_are_the_largest_sample_of_each_bin(rate: int, bin_ms: int, samples: int, channels: int) -> None:
    block = np.random.default_rng(samples).uniform(-1, 1, (samples, channels)).astype(np.float32)
    found = block_peaks(block, rate_hz=rate, bin_ms=bin_ms)
    expected, start = [], 0
    while (begin := to_samples(start * bin_ms, rate)) < samples:
        expected.append(np.abs(block[begin : to_samples((start + 1) * bin_ms, rate)]).max())
        start += 1
    assert found.tolist() == expected


def test_a_file_of_several_blocks_is_seen_whole(tmp_path: Path) -> None:
    samples = np.zeros((25 * RATE, 2))
    samples[3 * RATE, 1] = -0.25
    samples[-1] = 1.0
    quiet = samples.copy()
    quiet[-1] = 0.0
    pictures = picture_sound(write(tmp_path / "mix.flac", samples), write(tmp_path / "vocals.flac", quiet))
    assert pictures.bin_ms == 20
    mix = peaks_of(pictures.mix_peaks)
    assert len(mix) == 25 * 50
    assert {int(k): int(mix[k]) for k in np.flatnonzero(mix)} == {150: round(127 * 0.25**0.5), 1249: 127}
    assert pictures.vocals_peaks is not None
    assert np.flatnonzero(peaks_of(pictures.vocals_peaks)).tolist() == [150]


@pytest.mark.parametrize("duration_ms", [0, 1, 24 * 60_000, 30 * 60_000, 31 * 60_000, 3 * 3_600_000, 30 * 3_600_000])
def test_peaks_fit_into_a_page(duration_ms: int) -> None:
    size = bin_size_ms(duration_ms)
    assert size == 20 or duration_ms / size <= 108_000
    assert 10_000 % size == 0


def test_the_stretch_shown_has_voice_and_what_was_taken_away() -> None:
    mix, vocals = np.zeros(3000, np.uint8), np.zeros(3000, np.uint8)
    mix[:1000] = 127  # music alone, loud
    mix[1500:1900] = 60  # a voice alone
    vocals[1500:1900] = 60
    mix[2200:2400] = 70  # a voice and music
    vocals[2200:2400] = 50
    mix[100], vocals[100] = 127, 90  # one bang
    stretch = most_separated_span(mix, vocals, bin_ms=20)
    assert stretch is not None
    assert stretch.duration_ms == 10_000
    assert stretch.start_ms <= 2200 * 20
    assert stretch.end_ms >= 2400 * 20
    assert most_separated_span(mix, mix, bin_ms=20) is None
    short = most_separated_span(mix[2200:2300], vocals[2200:2300], bin_ms=20)
    assert short is not None
    assert (short.start_ms, short.end_ms) == (0, 2000)


@pytest.mark.parametrize("hz", [110.0, 440.0, 1000.0, 5000.0])
def test_a_tone_lies_in_its_own_band(hz: float) -> None:
    power = spectrogram_power(tone(hz, 3.0).astype(np.float32), rate_hz=RATE, columns=40)
    assert power.shape == (ROWS, 40)
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS + 1)
    band = ROWS - 1 - int(np.argmax(power[:, 5:35].mean(axis=1)))
    # A band at 110 Hz is narrower than a bin of the spectrum: a neighbour may be as loud.
    assert edges[max(0, band - 4)] <= hz <= edges[min(ROWS, band + 5)]
    assert np.abs(power[edges[::-1][1:] >= RATE / 2 + 8]).max() == 0  # nothing above half the sample rate


def test_bands_keep_the_power_of_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 44_100).astype(np.float32)
    power = spectrogram_power(noise, rate_hz=44_100, columns=200)
    # White noise has the same power in every bin of the spectrum, so the same mean in every band.
    by_band = power[:, 5:-5].mean(axis=1)
    assert np.abs(10 * np.log10(by_band / by_band.mean())).max() < 2.5


def test_spectrograms_are_png_of_the_same_size_and_scale(tmp_path: Path) -> None:
    from PIL import Image

    voice, music = tone(300, 14) * (np.arange(14 * RATE) > 4 * RATE), tone(2000, 14, 0.3)
    pictures = picture_sound(write(tmp_path / "mix.flac", voice + music), write(tmp_path / "vocals.flac", voice))
    assert pictures.stretch is not None
    assert pictures.stretch.start_ms >= 3900
    images = []
    for encoded in (pictures.mix_spectrogram, pictures.vocals_spectrogram):
        assert encoded is not None
        image = Image.open(io.BytesIO(base64.b64decode(encoded)))
        assert image.format == "PNG"
        images.append(np.asarray(image.convert("L")).astype(int))
    assert images[0].shape == images[1].shape
    row = int(ROWS * (1 - np.log(2000 / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)))
    assert images[0][row].mean() > images[1][row].mean() + 40  # the music is gone
    assert SoundPictures.from_dict(pictures.to_dict()) == pictures


def test_the_same_sound_gives_the_same_pictures(tmp_path: Path) -> None:
    mix = write(tmp_path / "mix.flac", tone(300, 3) + tone(900, 3, 0.3))
    vocals = write(tmp_path / "vocals.flac", tone(300, 3))
    assert picture_sound(mix, vocals) == picture_sound(mix, vocals)


def test_without_a_separator_there_is_one_waveform_and_nothing_to_compare(tmp_path: Path) -> None:
    mix = write(tmp_path / "mix.flac", tone(300, 3))
    pictures = picture_sound(mix, mix)
    assert (pictures.vocals_peaks, pictures.stretch, pictures.mix_spectrogram) == (None, None, None)


def test_silence_and_next_to_nothing_have_pictures(tmp_path: Path) -> None:
    silence = write(tmp_path / "silence.flac", np.zeros(RATE))
    noise = write(tmp_path / "noise.flac", np.full(RATE, 0.1))
    blink = write(tmp_path / "blink.flac", np.zeros(1))
    assert set(peaks_of(picture_sound(silence, silence).mix_peaks)) == {0}
    assert picture_sound(noise, silence).stretch is None
    assert peaks_of(picture_sound(blink, blink).mix_peaks).tolist() == [0]


def test_black_is_black_whatever_the_loudest() -> None:
    from PIL import Image

    for loudest in (0.0, 1.0):
        image = Image.open(io.BytesIO(spectrogram_png(np.zeros((4, 5)), loudest=loudest)))
        assert image.size == (5, 4)
        assert np.asarray(image).max() == 0


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mix.flac").write_bytes(b"no sound")
    with pytest.raises(MediaError, match=r"mix\.flac"):
        picture_sound(tmp_path / "mix.flac", tmp_path / "mix.flac")
