"""A second audio track with other voices, through the whole way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from speech_files import sample_path

from pipelines import EpisodeConfig, EpisodeResult, run_episode
from pipelines.corpus.review import open_desk
from pipelines.episode.records import dub_of, read_embeddings, read_records
from pipelines.layout import SPEECH
from video_preprocessing.media import find_ffmpeg
from video_preprocessing.speech import embed_spans, load_embedder
from yuki_builder.errors import MediaError
from yuki_builder.records import Span

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
    dub, _ = read_embeddings(tmp_path / "out/ep/.work/dub.npz")
    first, _ = read_embeddings(tmp_path / "out/ep/.work/embeddings.npz")
    assert set(first.keys) & set(dub.keys)
    assert told(run_episode(config(video, tmp_path / "out", second_audio_track="none"))) == (0, "")


def test_lines_that_a_person_moved_are_heard_in_the_dub_where_they_are_now(tmp_path: Path) -> None:
    result = run_episode(config(dubbed(tmp_path), tmp_path / "out"))
    place = result.folder.joinpath
    before, _ = read_embeddings(dub_of(place))
    moved, touched, *others = (line for line in result.lines if line.line_id in before.keys)
    desk = open_desk(tmp_path / "out")
    start_ms, end_ms = moved.start_ms, moved.start_ms + (moved.end_ms - moved.start_ms) * 2 // 3
    desk.decide("me", {"kind": "times", "lines": [moved.line_id], "start_ms": start_ms, "end_ms": end_ms})
    desk.apply()
    assert desk.applying["state"] == "done", desk.applying
    after, embedder = read_embeddings(dub_of(place))
    assert set(after.keys) == set(before.keys)
    assert embedder
    second = tmp_path / "second.flac"
    subprocess.run(
        [
            *(str(find_ffmpeg()), "-loglevel", "error", "-i", str(tmp_path / "ep.mkv"), "-map", "0:a:1"),
            *("-ar", "16000", str(second)),
        ],
        check=True,
    )
    speech = read_records(place(SPEECH), Span)
    heard = embed_spans(second, {"x": Span(start_ms, end_ms)}, speech, load_embedder())
    np.testing.assert_allclose(after.get(moved.line_id), heard.vectors[0], atol=2e-2)
    assert not np.allclose(before.get(moved.line_id), after.get(moved.line_id), atol=2e-2)
    for line in (touched, *others):
        np.testing.assert_array_equal(before.get(line.line_id), after.get(line.line_id))
    while desk.undo("me"):
        pass
    desk.apply()
    assert (read_embeddings(dub_of(place))[0].vectors == before.vectors).all()


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
