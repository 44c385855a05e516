"""Embedded subtitles come out as files, their text as it was, their times on the picture's clock."""

from __future__ import annotations

from pathlib import Path

import pysubs2
import pytest
from media_files import ASS, CUES, SRT, VTT, Subtitles, click_times, click_track, ffmpeg, make_video

from video_preprocessing.media import choose_audio_track, choose_subtitle_track, extract_audio, extract_subtitles, probe
from yuki_builder.errors import SubtitleError


def cues(path: Path) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.plaintext) for e in pysubs2.load(str(path), encoding="utf-8")]


def extract(video: Path, wanted: str | None = None) -> Path:
    info = probe(video)
    track = choose_subtitle_track(info, wanted)
    assert track is not None
    return extract_subtitles(info, track, video.with_name("cues.v1"))


@pytest.mark.parametrize(
    ("suffix", "codec", "text", "written"),
    [
        ("mkv", "ass", ASS, "cues.v1.ass"),
        ("mkv", "srt", SRT, "cues.v1.srt"),
        ("mkv", "webvtt", VTT, "cues.v1.vtt"),
        ("mp4", "mov_text", SRT, "cues.v1.srt"),
        ("webm", "webvtt", VTT, "cues.v1.vtt"),
    ],
)
@pytest.mark.parametrize("delay_s", [0.0, 0.4])
def test_text_and_times(tmp_path: Path, suffix: str, codec: str, text: str, written: str, delay_s: float) -> None:
    """Sound and subtitles together begin ``delay_s`` after the picture, and must come out together."""
    clicks = click_track(tmp_path / "clicks.wav")
    video = make_video(
        tmp_path / f"ep.{suffix}", clicks, audio_delay_s=delay_s, subtitles=[Subtitles(text, codec)],
        video="libvpx" if suffix == "webm" else "libx264", audio="libopus" if suffix == "webm" else "aac",
    )  # fmt: skip
    file = extract(video)
    assert file.name == written
    late_ms = round(1000 * delay_s)
    found = cues(file)
    assert [c[2] for c in found] == [c[2] for c in CUES]
    assert [t for c in found for t in c[:2]] == pytest.approx([t + late_ms for c in CUES for t in c[:2]], abs=10)


def test_same_clock_as_the_sound_when_the_picture_begins_late(tmp_path: Path) -> None:
    clicks = click_track(tmp_path / "clicks.wav")
    on_clicks = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},500\nclick {n}\n\n" for n in (1, 2, 3))
    video = make_video(tmp_path / "ep.mkv", clicks, video_delay_s=0.4, subtitles=[Subtitles(on_clicks)])
    info = probe(video)
    extract_audio(info, choose_audio_track(info, None), tmp_path / "x.flac")
    heard_ms = [1000 * t for t in click_times(tmp_path / "x.flac")]
    assert [start for start, _, _ in cues(extract(video))] == pytest.approx(heard_ms, abs=2)


@pytest.mark.parametrize(("codec", "text"), [("ass", ASS), ("srt", SRT), ("webvtt", VTT)])
def test_a_cue_before_the_first_picture_begins_with_it(tmp_path: Path, codec: str, text: str) -> None:
    """The first cue runs from 1100 to 1900 ms, the picture begins at 1600 ms, later at 2000 ms."""
    clicks = click_track(tmp_path / "clicks.wav")
    video = make_video(tmp_path / "a.mkv", clicks, video_delay_s=1.6, subtitles=[Subtitles(text, codec)])
    assert [c[:2] for c in cues(extract(video))] == [(0, 300), (650, 1400)]
    video = make_video(tmp_path / "b.mkv", clicks, video_delay_s=2.0, subtitles=[Subtitles(text, codec)])
    assert [c[:2] for c in cues(extract(video))] == [(0, 0), (250, 1000)]


def test_actor_names_tags_and_styles_stay(tmp_path: Path) -> None:
    video = make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"), subtitles=[Subtitles(ASS, "ass")])
    script = pysubs2.load(str(extract(video)), encoding="utf-8")
    assert [e.name for e in script] == ["Ann", "Bob"]
    assert script[0].text == r"{\an8}Where were you?"
    assert "Default" in script.styles


def test_text_that_looks_like_markup_or_times_stays(tmp_path: Path) -> None:
    """Copied, not converted; and only timing lines are touched where a cue may begin too early."""
    awkward = 'a < b & "c" 50% \\N {\\i1} <b>x\n00:00:-1,-500 -- > not a time\n「え？」 12:30 [door] …'
    source = tmp_path / "awkward.srt"
    source.write_text(f"1\n00:00:01,000 --> 00:00:02,000\n{awkward}\n\n", encoding="utf-8")
    silent = make_video(tmp_path / "silent.mkv", video_delay_s=0.4)
    ffmpeg("-i", silent, "-i", source, "-map", "0", "-map", "1", "-c", "copy", "-copyts", tmp_path / "ep.mkv")
    number_and_time, text = extract(tmp_path / "ep.mkv").read_text(encoding="utf-8").split("00:00:01,600\n")
    assert number_and_time == "1\n00:00:00,600 --> "
    assert text.strip() == awkward


def test_the_wanted_language(tmp_path: Path) -> None:
    video = make_video(
        tmp_path / "ep.mkv",
        click_track(tmp_path / "c.wav"),
        subtitles=[Subtitles(ASS, "ass", "eng"), Subtitles(SRT.replace("Where", "Wo"), "srt", "ger")],
    )
    assert cues(extract(video, "de"))[0][2] == "Wo were you?"
    assert extract(video).suffix == ".ass"


def test_pictures_are_refused(tmp_path: Path) -> None:
    video = make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"), subtitles=[Subtitles(codec="pgs")])
    info = probe(video)
    with pytest.raises(SubtitleError, match=r"holds pictures, not text.*OCR"):
        extract_subtitles(info, info.subtitles[0], tmp_path / "x")
    assert not list(tmp_path.glob("x*"))


def test_an_unwritable_destination_is_an_oserror(tmp_path: Path) -> None:
    info = probe(make_video(tmp_path / "ep.mkv", click_track(tmp_path / "c.wav"), subtitles=[Subtitles(SRT)]))
    with pytest.raises(FileNotFoundError):
        extract_subtitles(info, info.subtitles[0], tmp_path / "no" / "x")


def test_webvtt_as_mkvmerge_writes_it_is_text(tmp_path: Path) -> None:
    """ffmpeg has no decoder for it, which is no reason to call it pictures."""
    video = make_video(tmp_path / "ffmpeg.mkv", click_track(tmp_path / "c.wav"), subtitles=[Subtitles(VTT, "webvtt")])
    data, by_ffmpeg, by_mkvmerge = video.read_bytes(), b"D_WEBVTT/SUBTITLES", b"S_TEXT/WEBVTT"
    assert data.count(by_ffmpeg) == 1
    renamed = tmp_path / "mkvmerge.mkv"
    renamed.write_bytes(data.replace(by_ffmpeg, by_mkvmerge.ljust(len(by_ffmpeg), b"\0")))
    (track,) = probe(renamed).subtitles
    assert track.is_text and track.codec == "s_text/webvtt"
    file = extract(renamed)
    assert file.suffix == ".vtt"
    assert cues(file) == cues(extract(video))
