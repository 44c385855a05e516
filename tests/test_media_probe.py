"""What a probe tells of a file, and what it says of a file that is none."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from media_files import ASS, SRT, Subtitles, click_times, click_track, cut_off, ffmpeg, make_video

from video_preprocessing.media import extract_audio, probe
from yuki_builder.errors import MediaError
from yuki_builder.records import MediaInfo


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("episode")
    clicks = click_track(folder / "clicks.wav")
    return make_video(
        folder / "ep.mkv", clicks, clicks,
        subtitles=[
            Subtitles(ASS, "ass", "chi", "简体", "default"),
            Subtitles(SRT, "srt", "eng", "SDH", "hearing_impaired"),
            Subtitles(codec="pgs", language="jpn", flags="forced"),
        ],
        options=["-metadata:s:a:0", "language=jpn", "-metadata:s:a:1", "language=und", "-metadata:s:a:1", "title=Staff",
                 "-disposition:a:0", "default", "-disposition:a:1", "comment"],
    )  # fmt: skip


def test_tracks_with_language_title_and_flags(episode: Path) -> None:
    info = probe(episode)
    assert info.container == "matroska,webm"
    assert info.duration_ms == pytest.approx(4000, abs=60)
    assert (info.has_video, info.width, info.height, info.frame_rate_hz) == (True, 64, 36, 25.0)
    assert [(t.codec, t.channels, t.channel_layout, t.language, t.title, t.is_default) for t in info.audio] == [
        ("aac", 2, "stereo", "ja", None, True),
        ("aac", 2, "stereo", None, "Staff (commentary)", False),
    ]
    assert [(t.codec, t.is_text, t.language, t.title) for t in info.subtitles] == [
        ("ass", True, "zh", "简体"),
        ("subrip", True, "en", "SDH"),
        ("hdmv_pgs_subtitle", False, "ja", None),
    ]
    assert [(t.is_default, t.is_hearing_impaired, t.is_forced) for t in info.subtitles] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert MediaInfo.from_dict(info.to_dict()) == info


def test_start_is_the_first_picture(tmp_path: Path) -> None:
    clicks = click_track(tmp_path / "clicks.wav")
    info = probe(make_video(tmp_path / "ep.mkv", clicks, video_delay_s=0.4))
    assert info.start_ms == 400
    assert info.audio[0].start_ms == -400


def test_cover_art_is_no_picture(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1", tmp_path / "cover.jpg")
    clicks = click_track(tmp_path / "clicks.wav")
    file = tmp_path / "song.mp3"
    ffmpeg("-i", clicks, "-i", tmp_path / "cover.jpg", "-map", "0", "-map", "1", "-c:v", "copy",
           "-disposition:v", "attached_pic", file)  # fmt: skip
    info = probe(file)
    assert not info.has_video
    assert info.width is None
    extract_audio(info, info.audio[0], tmp_path / "song.flac")
    assert click_times(tmp_path / "song.flac") == pytest.approx([1, 2, 3], abs=0.002)


def test_a_video_without_sound_probes(tmp_path: Path) -> None:
    info = probe(make_video(tmp_path / "silent.mkv", seconds=1))
    assert info.has_video
    assert info.audio == ()


def test_a_truncated_file_probes(tmp_path: Path, episode: Path) -> None:
    info = probe(cut_off(episode, tmp_path / "broken.mkv", share=0.6))
    assert info.duration_ms == probe(episode).duration_ms


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"Dear diary, this is no video.\n" * 50, "is not a readable media file"),
        (SRT.encode(), "is not a readable media file"),
        (bytes(100_000), "is not a readable media file"),
        (b"\x1a\x45\xdf\xa3" + os.urandom(2000), "is not a readable media file"),
    ],
)
def test_what_is_no_media_file_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "ep.mkv"
    file.write_bytes(content)
    with pytest.raises(MediaError, match=says) as caught:
        probe(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_what_is_no_file_is_one_clear_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mkv")  # opening it would wait for ever
    for path, says in [
        (tmp_path / "missing.mkv", "No such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe.mkv", "not a regular file"),
        (tmp_path / "pipe.mkv" / "x.mkv", "Not a directory"),
        (tmp_path / "nul\0.mkv", "cannot be read"),
        (tmp_path / os.fsdecode(b"latin\xe9.mkv"), "not valid UTF-8"),
        (Path("http://127.0.0.1/ep.mkv"), "No such file"),
    ]:
        with pytest.raises(MediaError, match=says) as caught:
            probe(path)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, episode: Path) -> None:
    file = tmp_path / "ep.mkv"
    file.write_bytes(episode.read_bytes())
    file.chmod(0)
    with pytest.raises(MediaError, match="permission denied"):
        probe(file)


@pytest.mark.parametrize(
    "name",
    ["-y.mkv", "a:b.mkv", "http:x.mkv", "pipe:0", "concat:a|b.mkv", "100%d.mkv", "it's \"so\".mkv", "[x];,=\\.mkv",
     "two\nlines.mkv", "日本 語.mkv", "$(touch x).mkv"],
)  # fmt: skip
def test_file_names_are_only_names(tmp_path: Path, episode: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(episode.read_bytes())
    info = probe(name)
    destination = Path(f"{name}.flac")
    extract_audio(info, info.audio[0], destination)
    assert click_times(destination) == pytest.approx([1, 2, 3], abs=0.002)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, f"{name}.flac"])


def test_a_playlist_opens_neither_network_nor_other_files(tmp_path: Path, episode: Path) -> None:
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: (server.accept(), asked.set()), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        for name, text in {
            "hls.mkv": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\n{address}\n",
            "local.mkv": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\n{episode}\n#EXT-X-ENDLIST\n",
            "concat.mkv": f"ffconcat version 1.0\nfile '{episode}'\n",
            "sdp.mkv": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        }.items():
            (tmp_path / name).write_text(text)
            with pytest.raises(MediaError, match="is not a readable media file"):
                probe(tmp_path / name)
        assert not asked.wait(0.2)
