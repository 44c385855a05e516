"""Figures of a line's sound, on sounds that are made to have them; problems; repeats."""

from __future__ import annotations

import dataclasses
import importlib.util
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from speech_files import sample_path

from yuki_builder.corpus import (
    PROBLEMS,
    ClipQuality,
    DuplicateFinder,
    QualityLimits,
    add_dnsmos,
    mark_duplicates,
    problems_of,
    read_sounds,
    repeated_words,
)
from yuki_builder.corpus.audio.quality import bandwidth_hz, fingerprint, letters
from yuki_builder.records import Line, Span

RATE = 44_100
GOOD = ClipQuality("x", 2.0, 0.0, 16_000, 0.9, 12.0, 0.0, 15.0)


def line(k: int, start_ms: int, end_ms: int, text: str = "Where were you last night?", **more: object) -> Line:
    return dataclasses.replace(Line(f"l{k}", "ep", k, start_ms, end_ms, text), **more)


def speech() -> np.ndarray:
    """The packaged conversation at 44.1 kHz."""
    wave, rate = soundfile.read(sample_path(), dtype="float32")
    return scipy.signal.resample_poly(wave, RATE, rate).astype(np.float32)


def test_figures_of_made_sounds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 8 * RATE).astype(np.float32)
    low = scipy.signal.sosfilt(scipy.signal.butter(12, 3000, fs=RATE, output="sos"), noise).astype(np.float32)
    mix = np.concatenate([noise[: 2 * RATE], low[2 * RATE : 4 * RATE], 1.5 * np.sign(noise[4 * RATE : 6 * RATE])])
    soundfile.write(tmp_path / "mix.flac", np.clip(mix, -1, 1)[:, None], RATE, subtype="PCM_24")
    soundfile.write(tmp_path / "vocals.flac", np.clip(mix, -1, 1)[:, None] / 2, RATE, subtype="PCM_24")
    lines = [line(0, 100, 1900), line(1, 2100, 3900, "好的"), line(2, 4100, 5900, overlap=0.4, snr_db=-13.0)]
    sounds = read_sounds(
        lines[::-1],
        tmp_path / "vocals.flac",
        mix=tmp_path / "mix.flac",
        speech=[Span(0, 1000), Span(2100, 3900)],
    )
    found, audio_fingerprints = sounds.qualities, sounds.audio_fingerprints
    third, second, first = found
    assert [q.line_id for q in found] == ["l2", "l1", "l0"]
    assert (first.seconds, first.clipping, first.speech_ratio) == (1.8, 0.0, 0.5)
    assert first.bandwidth_hz > 20_000
    assert 3000 <= second.bandwidth_hz <= 5500 and second.speech_ratio == 1.0
    assert second.chars_per_second == pytest.approx(4 / 1.8, abs=0.01)
    assert third.clipping > 0.9 and third.speech_ratio == 0.0
    assert problems_of(first) == ()
    assert problems_of(second) == ("narrow band",)
    assert problems_of(third) == ("clipped", "little speech", "overlapped", "low level")
    assert set(audio_fingerprints) == {"l0", "l1", "l2"}


@pytest.mark.parametrize("cut_hz", [4000, 8000, 15_000])
def test_bandwidth_is_where_the_sound_ends(cut_hz: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * RATE)
    wave = scipy.signal.sosfiltfilt(scipy.signal.butter(20, cut_hz, fs=RATE, output="sos"), noise).astype(np.float32)
    assert bandwidth_hz(wave, RATE) == pytest.approx(cut_hz * 1.1, rel=0.15)
    assert bandwidth_hz(np.zeros(RATE, np.float32), RATE) == 0
    assert bandwidth_hz(np.zeros(100, np.float32), RATE) == 0


def test_letters_of_several_scripts() -> None:
    assert [letters(t) for t in ("Hi, you!", "你好。", "こん", "한국", "50 %", "")] == [5, 4, 4, 4, 2, 0]


@given(st.sets(st.sampled_from(PROBLEMS)))
def test_each_limit_finds_its_own_problem(wanted: set[str]) -> None:
    bad = {
        "too short": {"seconds": 0.1},
        "too long": {"seconds": 99.0},
        "clipped": {"clipping": 0.5},
        "narrow band": {"bandwidth_hz": 100},
        "little speech": {"speech_ratio": 0.0},
        "too slow": {"chars_per_second": 0.1},
        "too fast": {"chars_per_second": 99.0},
        "overlapped": {"overlap": 1.0},
        "low level": {"snr_db": -20.0},
        "low DNSMOS": {"dnsmos": 1.0},
        "duplicate": {"duplicate_of": "y"},
        "text not heard": {"text_match": 0.1},
        "unusable": {"unusable": True},
    }
    assert set(bad) == set(PROBLEMS)
    if {"too short", "too long"} <= wanted or {"too slow", "too fast"} <= wanted:
        return
    changes = {key: value for name in wanted for key, value in bad[name].items()}
    assert set(problems_of(dataclasses.replace(GOOD, **changes))) == wanted
    assert problems_of(GOOD, QualityLimits(min_seconds=3.0)) == ("too short",)


def test_repeats_have_the_same_words_and_the_same_sound(tmp_path: Path) -> None:
    wave = speech()
    rng = np.random.default_rng(2)
    # 7.6 to 9.6 s again behind the end with a little noise, and 14.8 to 16.8 s with those words.
    first, other = wave[round(7.6 * RATE) : round(9.6 * RATE)], wave[round(14.8 * RATE) : round(16.8 * RATE)]
    sound = np.concatenate([wave, first + rng.normal(0, 0.003, len(first)).astype(np.float32), other])
    soundfile.write(tmp_path / "vocals.flac", sound, RATE)
    end = 1000 * len(wave) // RATE
    lines = [
        line(0, 7600, 9600),
        line(1, 9600, 11_000, "Something else was said here"),
        line(2, end + 20, end + 1990, "where WERE you, last night"),  # the words as another typed them
        line(3, end + 2000, end + 4000),  # the same words, another voice
        line(4, end + 40, end + 1990, "Other words than before"),  # the same sound, other words
    ]
    sounds = read_sounds(lines, tmp_path / "vocals.flac", mix=tmp_path / "vocals.flac")
    found, audio_fingerprints = list(sounds.qualities), sounds.audio_fingerprints
    marked = mark_duplicates(found, lines, audio_fingerprints)
    assert [q.duplicate_of for q in marked] == [None, None, "l0", None, None]
    assert mark_duplicates(found, lines, {}) == found
    finder = DuplicateFinder(repeated_words(lines))  # episode by episode
    assert [q for k in range(5) for q in finder.mark(found[k : k + 1], lines[k : k + 1], audio_fingerprints)] == marked


def test_a_fingerprint_is_of_its_sound() -> None:
    wave = speech()
    one = fingerprint(wave[7 * RATE : 9 * RATE], RATE)
    louder = fingerprint(0.3 * wave[7 * RATE : 9 * RATE], RATE)
    other = fingerprint(wave[20 * RATE : 22 * RATE], RATE)
    assert one is not None and louder is not None and other is not None
    assert one @ louder > 0.99
    assert one @ other < 0.9
    assert fingerprint(np.zeros(100, np.float32), RATE) is None


@pytest.mark.skipif(importlib.util.find_spec("speechmos") is None, reason="the extra quality is not installed")
def test_dnsmos_hears_noise(tmp_path: Path) -> None:
    wave = speech()[7 * RATE : 17 * RATE]
    noisy = wave + np.random.default_rng(3).normal(0, 0.05, len(wave)).astype(np.float32)
    soundfile.write(tmp_path / "a.flac", wave, RATE)
    soundfile.write(tmp_path / "b.flac", np.clip(noisy, -1, 1), RATE)
    figures = [dataclasses.replace(GOOD, line_id=name) for name in ("a", "b", "c")]
    clean, dirty, absent = add_dnsmos(figures, {name: tmp_path / f"{name}.flac" for name in ("a", "b")})
    assert clean.dnsmos is not None and dirty.dnsmos is not None and clean.dnsmos_background is not None
    assert 1 <= dirty.dnsmos < clean.dnsmos <= 5
    assert absent.dnsmos is None


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("speechmos") is None, reason="the extra quality is not installed")
def test_dnsmos_is_that_of_its_package(tmp_path: Path) -> None:
    from speechmos import dnsmos

    wave, rate = soundfile.read(sample_path(), dtype="float32")
    for name, cut in (("whole", wave[6 * rate : 20 * rate]), ("short", wave[15 * rate : 18 * rate])):
        soundfile.write(tmp_path / f"{name}.flac", cut, rate)
        (ours,) = add_dnsmos([dataclasses.replace(GOOD, line_id=name)], {name: tmp_path / f"{name}.flac"})
        theirs = dnsmos.run(soundfile.read(tmp_path / f"{name}.flac", dtype="float32")[0], sr=16_000)
        assert ours.dnsmos == pytest.approx(theirs["ovrl_mos"], abs=0.02 if name == "whole" else 0.15)
        assert ours.dnsmos_background == pytest.approx(theirs["bak_mos"], abs=0.02 if name == "whole" else 0.15)


def test_repeats_are_found_alike_when_their_sounds_are_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(0)
    lines = [line(k, 2000 * k, 2000 * k + 1500) for k in range(60)]
    sounds = dice.standard_normal((20, 768)).astype(np.float32)
    sounds /= np.linalg.norm(sounds, axis=1, keepdims=True)
    prints = {own.line_id: sounds[k % 20] for k, own in enumerate(lines)}
    qualities = [ClipQuality(own.line_id, 1.5, 0.0, 16000, 0.9, 12.0, 0.0) for own in lines]
    expected = [None if k < 20 else lines[k % 20].line_id for k in range(60)]
    assert [q.duplicate_of for q in mark_duplicates(qualities, lines, prints)] == expected
    monkeypatch.setattr("yuki_builder.corpus.audio.quality._MOST_BYTES_OF_SOUNDS", 5000)
    assert [q.duplicate_of for q in mark_duplicates(qualities, lines, prints)] == expected
    # Another episode's fingerprints of another size (a damaged file) are no repeats of these.
    odd = {own.line_id: sounds[k % 20][: 700 if k % 2 else 768] for k, own in enumerate(lines)}
    assert len(mark_duplicates(qualities, lines, odd)) == 60


def test_what_is_remembered_of_an_episode_does_not_hold_its_fingerprints_in_memory() -> None:
    finder = DuplicateFinder(repeated_words([line(0, 0, 1500), line(1, 0, 1500)]))
    tracemalloc.start()
    try:
        for episode in range(20):
            sounds = np.full((400, 768), 1 / np.sqrt(768), np.float32) * (1 if episode % 2 else -1)
            one = line(episode, 0, 1500)
            quality = ClipQuality(one.line_id, 1.5, 0.0, 16000, 0.9, 12.0, 0.0)
            finder.mark([quality], [one], {one.line_id: sounds[7]})
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * sounds.nbytes  # the last episode's; a view of each would hold all twenty
