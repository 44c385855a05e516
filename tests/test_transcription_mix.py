"""Vocals or mix: each stretch is heard in the one that harms the voice less."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.levels import level_over_rest_db
from video_preprocessing.transcription import transcribe_turns
from video_preprocessing.transcription.turn_by_turn import MIX_FROM_DB
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, HeardSegment, Span

RATE_HZ = 16_000
TURNS = [Span(1000, 3000), Span(5000, 7000)]


class Recorder:
    """Keeps the sound that it is asked about and hears nothing."""

    name = fingerprint = "recorder"

    def __init__(self) -> None:
        self.waveforms: list[FloatArray] = []

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        return {"en": 1.0}

    def check_language(self, language: str) -> None:
        pass

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        self.waveforms.append(waveform)
        return []


def voice_and_rest(levels_db: list[float]) -> tuple[FloatArray, FloatArray]:
    """A voice in every turn, and under each turn a rest so far below it."""
    rng = np.random.default_rng(0)
    voice, rest = np.zeros((2, 8 * RATE_HZ), np.float32)
    for turn, level_db in zip(TURNS, levels_db, strict=True):
        margin = slice((turn.start_ms - 400) * RATE_HZ // 1000, (turn.end_ms + 400) * RATE_HZ // 1000)
        samples = margin.stop - margin.start
        voice[margin] = 0.15 * np.convolve(rng.standard_normal(samples), np.ones(8) / 8, "same")
        rest[margin] = 0.05 * 10 ** (-level_db / 20) * rng.standard_normal(samples)
    return voice, rest


def heard(folder: Path, levels_db: list[float], *, rate_hz: int = RATE_HZ) -> tuple[FloatArray, FloatArray, FloatArray]:
    import soxr

    voice, rest = voice_and_rest(levels_db)
    vocals = soxr.resample(voice, RATE_HZ, rate_hz) if rate_hz != RATE_HZ else voice
    soundfile.write(folder / "vocals.wav", vocals, rate_hz, subtype="FLOAT")
    soundfile.write(folder / "mix.wav", voice + rest, RATE_HZ, subtype="FLOAT")
    engine = Recorder()
    transcribe_turns(folder / "vocals.wav", TURNS, TURNS, engine, language="en", mix=folder / "mix.wav")
    return engine.waveforms[0], voice, voice + rest


def test_each_stretch_is_heard_in_the_mix_where_little_was_taken_away(tmp_path: Path) -> None:
    found, voice, mix = heard(tmp_path, [MIX_FROM_DB + 3, MIX_FROM_DB - 3])
    one, other = (slice((turn.start_ms - 200) * 16, (turn.end_ms + 200) * 16) for turn in TURNS)
    length = one.stop - one.start
    np.testing.assert_array_equal(found[:length], mix[one])
    np.testing.assert_array_equal(found[-length:], voice[other])


def test_vocals_of_another_rate_are_compared_at_one_rate(tmp_path: Path) -> None:
    found, _, mix = heard(tmp_path, [MIX_FROM_DB + 3, MIX_FROM_DB + 3], rate_hz=48_000)
    np.testing.assert_array_equal(found[: 2400 * 16], mix[800 * 16 : 3200 * 16])


def test_a_damaged_mix_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "vocals.wav", np.zeros(8 * RATE_HZ, np.float32), RATE_HZ)
    (tmp_path / "mix.wav").write_bytes(b"no sound")
    with pytest.raises(MediaError, match=r"mix\.wav"):
        transcribe_turns(tmp_path / "vocals.wav", TURNS, TURNS, Recorder(), language="en", mix=tmp_path / "mix.wav")


@pytest.mark.parametrize(("rest_db", "least"), [(-20, 15.0), (20, -25.0)])
def test_levels_of_the_vocals_over_the_rest(rest_db: float, least: float) -> None:
    rng = np.random.default_rng(0)
    voice, rest = rng.normal(0, 0.1, (2, 16_000)).astype(np.float32)
    found = level_over_rest_db(voice, voice + rest * np.float32(10 ** (rest_db / 20)))
    assert found == pytest.approx(-rest_db, abs=0.5) and found > least
    assert level_over_rest_db(voice, voice) > 60  # nothing taken away
    assert level_over_rest_db(voice, voice[:0]) == 0.0


@given(st.floats(-40, 40), st.floats(0.01, 1.0))
def test_the_level_does_not_depend_on_how_loud_the_recording_is(rest_db: float, gain: float) -> None:
    voice, rest = np.random.default_rng(1).normal(0, 0.2, (2, 4000))
    mix = voice + rest * 10 ** (rest_db / 20)
    one = level_over_rest_db(voice.astype(np.float32), mix.astype(np.float32))
    other = level_over_rest_db((gain * voice).astype(np.float32), (gain * mix).astype(np.float32))
    assert other == pytest.approx(one, abs=0.05)
