"""The demo episode: what is promised of it, measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile
import soxr

from video_preprocessing.media import choose_audio_track, choose_subtitle_track, extract_audio, extract_subtitles, probe
from video_preprocessing.media import demo as demo_module
from video_preprocessing.media.demo import MUSIC_BELOW_VOICE_DB, build_demo, main, mix_with_music, read_stm
from video_preprocessing.media.demo_music import SAMPLE_RATE_HZ, synthesise_music
from yuki_builder.records import FloatArray, Span
from yuki_builder.rttm import read_rttm


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_demo(tmp_path_factory.mktemp("demo") / "new" / "ep01.mkv")


@pytest.fixture(scope="module")
def voices() -> FloatArray:
    samples, rate_hz = soundfile.read(demo_module._sample_folder() / "sample.wav", dtype="float32")
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ), np.float32)


def test_contents(demo: Path) -> None:
    info = probe(demo)
    assert info.duration_ms == pytest.approx(30_000, abs=100)
    assert info.has_video
    assert [(t.codec, t.sample_rate_hz, t.channels) for t in info.audio] == [("aac", 48000, 2)]
    assert [(t.codec, t.is_default) for t in info.subtitles] == [("ass", True)]
    assert [p.name for p in demo.parent.iterdir()] == ["ep01.mkv"]


def test_subtitles_name_about_half_of_the_lines(demo: Path, tmp_path: Path) -> None:
    info = probe(demo)
    track = choose_subtitle_track(info, None)
    assert track is not None
    script = pysubs2.load(str(extract_subtitles(info, track, tmp_path / "demo")), encoding="utf-8")
    spoken = [e for e in script if e.type == "Dialogue" and e.style == "Default"]
    transcript = read_stm(demo_module._sample_folder() / "sample.stm")
    assert [e.text for e in spoken] == [u.text for u in transcript]
    assert [e.name for e in spoken] == [
        "Diane",
        "Sheila",
        "",
        "Diane",
        "",
        "",
        "Diane",
        "Sheila",
        "",
        "Diane",
        "",
        "Sheila",
        "",
    ]
    assert [e.name or u.speaker for e, u in zip(spoken, transcript, strict=True)] == [u.speaker for u in transcript]
    assert [e.start for e in spoken] == pytest.approx([u.span.start_ms for u in transcript], abs=10)
    assert [e.style for e in script if e.type == "Dialogue" and e.style != "Default"] == ["Song"]
    assert sum(e.type == "Comment" for e in script) == 1


def test_subtitles_lie_on_the_voices(voices: FloatArray) -> None:
    inside = np.zeros(len(voices), bool)
    for line in read_stm(demo_module._sample_folder() / "sample.stm"):
        inside[line.span.start_ms * 48 : line.span.end_ms * 48] = True
    assert np.sum(voices[inside] ** 2) > 0.95 * np.sum(voices**2)


def test_sound_is_voices_and_music_on_time(demo: Path, tmp_path: Path, voices: FloatArray) -> None:
    info = probe(demo)
    extract_audio(info, choose_audio_track(info, None), tmp_path / "x.flac")
    heard, rate_hz = soundfile.read(tmp_path / "x.flac", dtype="float32")
    heard = soxr.resample(heard, rate_hz, SAMPLE_RATE_HZ)[: len(voices)]
    made = mix_with_music(voices, [turn.span for turn in read_rttm(demo_module._sample_folder() / "sample.rttm")])
    assert np.corrcoef(heard[:, 0], made[: len(heard), 0])[0, 1] > 0.99
    assert np.abs(heard).max() < 1


def test_music_is_below_the_voices_by_what_is_said() -> None:
    """A tone in the second half stands for the voices; the music's share of the mix is known from the first half."""
    half = 2 * SAMPLE_RATE_HZ
    tone = np.asarray(np.sin(np.arange(2 * half) / 20), np.float32)
    tone[:half] = 0
    mix, music = mix_with_music(tone, [Span(2000, 4000)]), synthesise_music(2 * half)
    music *= rms(mix[:half]) / rms(music[:half])
    assert 20 * np.log10(rms(mix[half:] - music[half:]) / rms(music)) == pytest.approx(MUSIC_BELOW_VOICE_DB, abs=0.1)
    assert np.abs(mix).max() == pytest.approx(0.9)


def rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def test_music_is_the_same_every_time_and_sounds_in_the_range_of_voices() -> None:
    music = synthesise_music(8 * SAMPLE_RATE_HZ)
    assert np.array_equal(music, synthesise_music(8 * SAMPLE_RATE_HZ))
    power = np.abs(np.fft.rfft(music[:, 0])) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / SAMPLE_RATE_HZ)
    assert power[(hz > 300) & (hz < 3400)].sum() > 0.3 * power.sum()


@pytest.fixture
def muxed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Where the demo was muxed to, with the real work left out."""
    calls: list[Path] = []

    def mux(folder: Path, scratch: Path, destination: Path, recipe: str) -> None:
        calls.append(destination)
        destination.write_text("half")

    monkeypatch.setattr(demo_module, "_mux", mux)
    yield calls


def test_an_up_to_date_demo_is_left_alone(demo: Path, muxed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    before = demo.stat().st_mtime_ns
    assert build_demo(demo) == demo
    assert demo.stat().st_mtime_ns == before
    assert muxed == []
    assert demo_module._recipe_of(demo) == demo_module._recipe(demo_module._sample_folder())


def test_it_is_built_anew_when_forced_outdated_or_no_demo(tmp_path: Path, muxed: list[Path]) -> None:
    destination = tmp_path / "ep01.mkv"
    for force, content in [(False, None), (False, "not a video"), (True, "whatever")]:
        if content:
            destination.write_text(content)
        build_demo(destination, force=force)
        assert destination.read_text() == "half"
    assert len(muxed) == 3
    assert {p.parent for p in muxed} == {tmp_path}


def test_an_interrupted_build_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path, scratch: Path, destination: Path, recipe: str) -> None:
        destination.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_module, "_mux", interrupted)
    destination = tmp_path / "ep01.mkv"
    destination.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        build_demo(destination)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("ep01.mkv", "old")]


def test_command_line(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(demo)]) == 0
    assert capsys.readouterr().out.strip() == str(demo)
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file" / "ep01.mkv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
