"""The reader that brings any file to 16 kHz mono."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from video_preprocessing.speech.audio import SAMPLE_RATE_HZ, SpeechAudio
from yuki_builder.errors import MediaError
from yuki_builder.records import Span


def tone(rate_hz: int, seconds: float, *, hz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate_hz: int, **options: str) -> Path:
    soundfile.write(path, samples, rate_hz, **options)
    return path


def whole(path: Path, block_s: float = 10.0) -> np.ndarray:
    with SpeechAudio(path) as audio:
        return np.concatenate([np.zeros(0, np.float32), *audio.blocks(block_s=block_s)])


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_tone_keeps_its_pitch_level_and_phase_at_any_rate(tmp_path: Path, rate_hz: int) -> None:
    path = write(tmp_path / "a.flac", np.stack([tone(rate_hz, 2.0)] * 2, axis=1), rate_hz)
    got, wanted = whole(path), tone(SAMPLE_RATE_HZ, 2.0)
    assert len(got) == len(wanted)
    inner = slice(800, -800)  # the edges of the file ring
    assert np.abs(got[inner] - wanted[inner]).max() < 2e-3


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", np.stack([tone(16000, 1.0), -tone(16000, 1.0)], axis=1), 16000)
    assert np.abs(whole(path)).max() < 1e-4


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_of_16_bits_are_read_as_floats_are(tmp_path: Path, channels: int) -> None:
    samples = np.random.default_rng(0).integers(-32768, 32768, (16_000, channels)).astype(np.int16)
    path = write(tmp_path / "a.flac", samples, 16_000)
    as_floats = (samples / np.float32(32768)).mean(axis=1, dtype=np.float32)
    assert (whole(path) == as_floats).all()
    assert (whole(write(tmp_path / "a.wav", samples / np.float32(32768), 16_000, subtype="FLOAT")) == as_floats).all()


@pytest.mark.parametrize("block_s", [0.013, 0.5, 7.77, 1000.0])
def test_the_stream_does_not_depend_on_the_block(tmp_path: Path, block_s: float) -> None:
    rng = np.random.default_rng(0)
    path = write(tmp_path / "a.flac", rng.uniform(-0.5, 0.5, (44100 * 3 + 17, 2)), 44100)
    np.testing.assert_array_equal(whole(path, block_s), whole(path))


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 47999])
@pytest.mark.parametrize("span", [Span(0, 500), Span(1234, 2345), Span(2990, 3500), Span(1000, 1000)])
def test_a_cut_equals_that_part_of_the_stream(tmp_path: Path, rate_hz: int, span: Span) -> None:
    rng = np.random.default_rng(1)
    path = write(tmp_path / "a.wav", rng.uniform(-0.5, 0.5, rate_hz * 3), rate_hz, subtype="FLOAT")
    with SpeechAudio(path) as audio:
        cut = audio.read(span)
    wanted = whole(path)[span.start_ms * 16 : span.end_ms * 16]
    assert abs(len(cut) - len(wanted)) <= 1
    shared = min(len(cut), len(wanted))
    np.testing.assert_allclose(cut[:shared], wanted[:shared], atol=1e-5)


def test_a_cut_outside_of_the_file_is_empty_or_shorter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", tone(44100, 1.0), 44100)
    with SpeechAudio(path) as audio:
        assert audio.duration_ms == 1000
        assert len(audio.read(Span(5000, 6000))) == 0
        assert len(audio.read(Span(900, 60_000))) == 1600
        assert len(audio.read(Span(-500, 100))) == 1600


def test_what_is_no_sample_becomes_one(tmp_path: Path) -> None:
    samples = tone(16000, 0.1)
    samples[:4] = [np.nan, np.inf, -np.inf, 1e30]
    got = whole(write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT"))
    np.testing.assert_array_equal(got[:4], [0.0, 1.0, -1.0, 1.0])
    assert np.isfinite(got).all()


def test_an_empty_file_has_no_audio(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(0, np.float32), 44100)
    assert len(whole(path)) == 0
    with SpeechAudio(path) as audio:
        assert len(audio.read(Span(0, 1000))) == 0


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", 44100, 2) as file:
        for _ in range(120):
            file.write(np.zeros((44100, 2), np.float32))
    with SpeechAudio(path) as audio:
        longest = max(len(block) for block in audio.blocks())
    assert longest <= 11 * SAMPLE_RATE_HZ


@pytest.mark.parametrize("content", [None, b"", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"])
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.flac"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=r"a\.flac: cannot be read as audio"):
        SpeechAudio(path)


def test_a_file_that_breaks_off_is_an_error_not_a_shorter_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    path = write(tmp_path / "a.flac", rng.uniform(-0.5, 0.5, 44100 * 5), 44100)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError, match="cannot be read as audio"):
        whole(path)
