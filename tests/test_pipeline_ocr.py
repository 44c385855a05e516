"""Subtitles that are pictures, by the whole way of an episode."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from media_files import Subtitles, click_track, ffmpeg, make_video
from picture_subtitles import Shown, at_bottom, burned_in_video, draw_rows, write_sup
from speech_files import sample_path
from whisper_model import whisper_base

from pipelines import EpisodeConfig, run_episode
from pipelines.episode.records import read_records
from pipelines.season import plan_season
from video_preprocessing.media import choose_bitmap_track
from yuki_builder.corpus import read_lines_jsonl
from yuki_builder.errors import MissingExtraError, SubtitleError
from yuki_builder.records import Cue, CueOrigin, LineSource, MediaInfo, PictureText, SubtitleTrack

SHOWN = (
    at_bottom(1000, 1900, draw_rows(["We sail at dawn."])),
    at_bottom(2100, 2900, draw_rows(["- Then I will pack.", "- Bring the map."])),
)
SAID = ["We sail at dawn.", "Then I will pack.", "Bring the map."]


def bitmap_video(folder: Path, *, language: str = "eng", text: tuple[Subtitles, ...] = ()) -> Path:
    sup = write_sup(folder / "ocr-track.sup", SHOWN)
    plain = make_video(folder / "plain.mkv", click_track(folder / "c.wav"), subtitles=text)
    video = folder / "ep.mkv"
    maps = ["-map", "0", "-map", "1:s", "-c", "copy", f"-metadata:s:s:{len(text)}", f"language={language}"]
    ffmpeg("-copyts", "-i", plain, "-copyts", "-i", sup, *maps, video)
    plain.unlink()
    sup.unlink()
    return video


def run(video: Path, out: Path, **options: object) -> tuple[list[str], list[str]]:
    """What is said, and what the run has to say."""
    result = run_episode(EpisodeConfig(video, out=out, separator="none", **options), until="cues")  # type: ignore[arg-type]
    rows = (out / "ep" / ".work" / "cues.jsonl").read_text(encoding="utf-8").splitlines()
    cues = [json.loads(row) for row in rows]
    assert all(cue["origin"] == CueOrigin.OCR.value and cue["confidence"] > 0.9 for cue in cues if "OCR" in str(result))
    return [cue["text"] for cue in cues if cue["left_out"] is None], list(result.notes)


def missing(name: str, *_: object) -> object:
    return None if name == "rapidocr" else object()


def test_a_bitmap_track_is_read_and_that_is_said(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    said, notes = run(bitmap_video(tmp_path), tmp_path / "out")
    assert said == SAID
    assert any(note.startswith("read track 0: en hdmv_pgs_subtitle (pictures) by OCR: 2 texts") for note in notes)
    assert "subtitles: track 0: en hdmv_pgs_subtitle (pictures) (OCR)" in notes
    rows = (tmp_path / "out" / "ep" / "subtitles" / "ocr.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2 and '"picture": "UklGR' in rows[0]


def test_what_pictures_do_not_tell_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture without readable text says when somebody speaks: what is said there, and only there, is transcribed."""
    pytest.importorskip("rapidocr")
    model = whisper_base(tmp_path)
    scribble = np.zeros((60, 300, 4), np.uint8)
    scribble[25:35, 20:280] = 255
    shown = (at_bottom(7400, 10_700, draw_rows(["Who is there?"])), at_bottom(10_800, 14_300, scribble))
    sup, video = write_sup(tmp_path / "t.sup", shown), tmp_path / "ep.mkv"
    maps = ["-map", "0", "-map", "1:s", "-c:a", "flac", "-c:s", "copy"]
    ffmpeg("-i", sample_path(), "-copyts", "-i", sup, *maps, "-metadata:s:s:0", "language=eng", video)
    config = EpisodeConfig(video, out=tmp_path / "out", separator="none", transcriber=str(model), device="cpu")
    result = run_episode(config)
    assert any("heard where pictures of subtitles could not be read" in note for note in result.notes)
    lines = read_lines_jsonl(tmp_path / "out/ep/lines.jsonl")
    assert [line.source for line in lines] == [LineSource.OCR, *[LineSource.ASR] * (len(lines) - 1)]
    assert "jersey" in " ".join(line.text for line in lines[1:]).casefold()
    assert all(line.start_ms > 10_500 and line.end_ms < 15_000 for line in lines[1:])
    cues = read_records(tmp_path / "out/ep/subtitles/cues.jsonl", Cue)
    assert [cue.origin for cue in cues if cue.left_out is None] == [
        CueOrigin.OCR,
        *[CueOrigin.ASR] * (len(lines) - 1),
    ]
    # Without a transcriber the lines of the pictures are there, and the run says what is missing.
    monkeypatch.setattr("pipelines.episode.context.has_transcriber", lambda: False)
    result = run_episode(EpisodeConfig(video, out=tmp_path / "out", separator="none"))
    assert any("what is said there was not transcribed" in note for note in result.notes)
    assert [line.source for line in read_lines_jsonl(tmp_path / "out/ep/lines.jsonl")] == [LineSource.OCR]


def test_a_text_track_goes_before_unless_it_is_in_another_language(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    srt = "1\n00:00:01,000 --> 00:00:02,000\nWir segeln.\n"
    video = bitmap_video(tmp_path, text=(Subtitles(srt, language="ger"),))
    said, notes = run(video, tmp_path / "out")
    assert said == ["Wir segeln."]
    assert not any("OCR" in note for note in notes)
    said, notes = run(video, tmp_path / "out", language="en")
    assert said == SAID
    assert any("not 0: de subrip (not en)" in note for note in notes)
    assert run(video, tmp_path / "out", subtitle_track="1")[0] == SAID


def test_a_file_of_pictures(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"))
    sup = write_sup(tmp_path / "other.sup", SHOWN)
    said, notes = run(tmp_path / "ep.mkv", tmp_path / "out", subtitles=str(sup))
    assert said == SAID
    assert "subtitles: other.sup (OCR)" in notes


def test_half_of_vobsub_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"))
    half = tmp_path / "half.sub"
    half.write_bytes(b"\x00\x00\x01\xba" + bytes(4000))
    with pytest.raises(SubtitleError, match=r"no half\.idx beside it"):
        run(tmp_path / "ep.mkv", tmp_path / "out", subtitles=str(half))
    damaged = write_sup(tmp_path / "damaged.sup", SHOWN)
    data = damaged.read_bytes()
    damaged.write_bytes(data[:60])
    with pytest.raises(SubtitleError, match="no picture can be decoded"):
        run(tmp_path / "ep.mkv", tmp_path / "out", subtitles=str(damaged))


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on, and names the extra; what was asked for by name is refused."""
    monkeypatch.setattr("importlib.util.find_spec", missing)
    video = bitmap_video(tmp_path)
    said, notes = run(video, tmp_path / "out")
    assert said == []
    assert any("pip install 'yuki-builder[ocr]'" in note for note in notes)
    with pytest.raises(MissingExtraError, match=r"yuki-builder\[ocr\]"):
        run(video, tmp_path / "out", subtitle_track="0")
    with pytest.raises(MissingExtraError, match=r"yuki-builder\[ocr\]"):
        run(video, tmp_path / "out", subtitles="burned-in")


def test_a_script_that_the_network_does_not_know(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    video = bitmap_video(tmp_path, language="rus")
    said, _ = run(video, tmp_path / "out")
    assert said == []
    with pytest.raises(SubtitleError, match=r"letters of its language \(ru\)"):
        run(video, tmp_path / "out", subtitle_track="0")


def test_an_empty_bitmap_track_stops_nothing(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    video = make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"), subtitles=[Subtitles(codec="pgs")])
    said, notes = run(video, tmp_path / "out")
    assert said == []
    assert any("no picture can be decoded" in note for note in notes)


def test_sound_alone_has_no_burned_in_subtitles(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    video = make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"), video=None)
    plan = plan_season([EpisodeConfig(video, out=tmp_path / "out", subtitles="burned-in", separator="none")])
    assert plan.failures or plan.subjects
    with pytest.raises(Exception, match="holds no picture to read subtitles from"):
        run(video, tmp_path / "out", subtitles="burned-in")


def test_burned_in_subtitles(tmp_path: Path) -> None:
    """Those of the upper edge as well; the logo is none, and says why."""
    pytest.importorskip("rapidocr")
    canvas = (1280, 720)
    shown = [
        at_bottom(800, 2200, draw_rows(["We sail at dawn."], size=44), canvas=canvas),
        at_bottom(2200, 3600, draw_rows(["- Then I will pack.", "- Bring the map."], size=44), canvas=canvas),
        at_bottom(4200, 5600, draw_rows(["Up here for once."], size=44), canvas=canvas, top=0.06),
    ]
    logo = draw_rows(["YK TV"], size=40)
    shown.append(Shown(0, 20_000, logo, 1280 - logo.shape[1] - 40, 600))
    sound = click_track(tmp_path / "c.wav", seconds=14)
    video = burned_in_video(tmp_path / "ep.mkv", shown, seconds=14, sound=sound)
    said, notes = run(video, tmp_path / "out", subtitles="burned-in")
    assert said == [*SAID, "Up here for once."]
    assert "subtitles: the picture (burned-in) (OCR)" in notes
    texts = [
        PictureText.from_dict(json.loads(row))
        for row in (tmp_path / "out" / "ep" / "subtitles" / "ocr.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [text.left_out for text in texts if "YK" in text.text] == ["logo"]
    kept = [text for text in texts if text.left_out is None]
    times = [time for text in kept for time in (text.start_ms, text.end_ms)]
    assert times == pytest.approx([800, 2200, 2200, 3600, 4200, 5600], abs=100)


def tracks(*kinds: tuple[bool, str | None, bool]) -> MediaInfo:
    found = tuple(
        SubtitleTrack(k, k, "subrip" if is_text else "hdmv_pgs_subtitle", is_text, language, is_forced=is_forced)
        for k, (is_text, language, is_forced) in enumerate(kinds)
    )
    return MediaInfo("ep.mkv", "matroska", 1000, 0, 1000, (), found, has_video=True)


@pytest.mark.parametrize(
    ("kinds", "wanted", "language", "chosen"),
    [
        ([(False, "ja", False)], None, None, 0),
        ([(True, "en", False), (False, "ja", False)], None, None, None),
        ([(True, "en", False), (False, "ja", False)], None, "ja", 1),
        ([(True, "en", False), (False, "ja", False)], None, "zh", None),
        ([(True, None, False), (False, "ja", False)], None, "ja", None),
        ([(True, "en", True), (False, "en", False)], None, None, 1),
        ([(False, "en", True), (False, "en", False)], None, None, 1),
        ([(True, "en", False), (False, "ja", False)], "1", None, 1),
        ([(True, "ja", False), (False, "ja", False)], "ja", None, None),
        ([(False, "ru", False), (False, "en", False)], None, None, 1),
        ([(False, "ru", False)], None, None, None),
        ([(False, "ru", False)], "0", None, 0),
    ],
)
def test_which_bitmap_track(
    kinds: list[tuple[bool, str | None, bool]], wanted: str | None, language: str | None, chosen: int | None
) -> None:
    track = choose_bitmap_track(tracks(*kinds), wanted, language=language, can_read=lambda code: code != "ru")
    assert (None if track is None else track.position) == chosen


def test_texts_survive_being_written() -> None:
    text = PictureText(0, 5, ())
    assert PictureText.from_dict(text.to_dict()) == text
