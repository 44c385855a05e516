"""A second audio track with other voices, through the whole way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from speech_files import sample_path

from pipelines import EpisodeConfig, EpisodeResult, run_episode
from pipelines.episode.records import read_voiceprints
from video_preprocessing.media import find_ffmpeg
from yuki_builder.errors import MediaError

SECONDS = 20


def dubbed(folder: Path, *, second_s: float = SECONDS) -> Path:
    """Twenty seconds of the packaged conversation, and the same in higher voices as an English track."""
    subtitles = folder / "ep.srt"
    cues = [(1.0, 2.5), (4.0, 6.5), (8.0, 9.8), (11.0, 12.5), (14.0, 15.5), (16.5, 18.0)]
    rows = [f"{k}\n00:00:{a:06.3f} --> 00:00:{b:06.3f}\nRow {k}.\n" for k, (a, b) in enumerate(cues, 1)]
    subtitles.write_text("\n".join(rows).replace(".", ",", 0), encoding="utf-8")
    voice = str(sample_path())
    higher = f"asetrate=16000*1.15,aresample=16000,atempo=1/1.15,atrim=0:{second_s}"
    languages = ["-metadata:s:a:0", "language=jpn", "-metadata:s:a:1", "language=eng"]
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-loglevel", "error", "-y", "-t", str(SECONDS), "-i", voice, "-t", str(SECONDS)),
            *("-i", voice, "-map", "0:a", "-map", "1:a", "-filter:a:1", higher, "-c:a", "flac", *languages),
            str(folder / "ep.mkv"),
        ],
        check=True,
    )
    return folder / "ep.mkv"


def config(video: Path, out: Path, **options: str) -> EpisodeConfig:
    return EpisodeConfig(video=video, out=out, separator="none", **options)  # type: ignore[arg-type]


def told(result: EpisodeResult) -> tuple[int, str]:
    """How many lines the dub gave, and what was said of it."""
    report = next(report for report in result.reports if report.stage == "dub")
    return report.kept, " ".join(report.notes)


def test_a_dub_is_heard_and_told_about(tmp_path: Path) -> None:
    video = dubbed(tmp_path)
    kept, notes = told(run_episode(config(video, tmp_path / "out")))
    assert kept > 0
    assert "track 1: en flac" in notes
    dub, _ = read_voiceprints(tmp_path / "out/ep/.work/dub.npz")
    first, _ = read_voiceprints(tmp_path / "out/ep/.work/voiceprints.npz")
    assert set(first.keys) & set(dub.keys)
    assert told(run_episode(config(video, tmp_path / "out", second_audio_track="none"))) == (0, "")


def test_a_dub_of_another_length_is_left_alone(tmp_path: Path) -> None:
    video = dubbed(tmp_path, second_s=SECONDS - 8)
    kept, notes = told(run_episode(config(video, tmp_path / "out")))
    assert kept == 0
    assert "8 s shorter than the first: another cut, not heard" in notes


def test_a_second_track_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    video = dubbed(tmp_path)
    with pytest.raises(MediaError, match=r"0: ja flac .*1: en flac"):
        run_episode(config(video, tmp_path / "out", second_audio_track="ko"))
    assert not (tmp_path / "out/ep/audio").exists()
