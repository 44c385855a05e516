"""Bitmap subtitles come out as they were drawn, at their places and times, with their colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from media_files import click_track, ffmpeg, make_video
from picture_subtitles import Shown, at_bottom, convert, draw_rows, write_sup

from video_preprocessing.media import (
    bitmap_kind,
    find_bitmap_file,
    look_at_bitmaps,
    probe,
    read_subtitle_pictures,
)
from yuki_builder.errors import SubtitleError
from yuki_builder.records import SubtitlePicture

SHOWN = (
    at_bottom(1000, 2500, draw_rows(["Good evening."], colours=["yellow"])),
    at_bottom(2500, 4000, draw_rows(["Who is there?", "Nobody."])),
    at_bottom(5200, 6100, draw_rows(["Up here."]), top=0.05),
)


def pictures_of(path: Path, tmp_path: Path) -> list[SubtitlePicture]:
    return list(read_subtitle_pictures(path, None, look_at_bitmaps(path), tmp_path))


def test_a_file_of_pictures(tmp_path: Path) -> None:
    sup = write_sup(tmp_path / "a.sup", SHOWN)
    assert bitmap_kind(sup) == "PGS"
    assert find_bitmap_file(sup) == sup
    found = pictures_of(sup, tmp_path)
    assert [(p.start_ms, p.end_ms) for p in found] == [(s.start_ms, s.end_ms) for s in SHOWN]
    for picture, shown in zip(found, SHOWN, strict=True):
        assert (picture.canvas_width, picture.canvas_height) == (1920, 1080)
        opaque = shown.rgba[..., 3] > 8
        top, left = (int(np.flatnonzero(opaque.any(axis=axis))[0]) for axis in (1, 0))
        assert (picture.left, picture.top) == pytest.approx((shown.left + left, shown.top + top), abs=1)
    yellow = found[0].rgba[(found[0].rgba[..., 3] > 250) & (found[0].rgba[..., 0] > 200)]
    assert np.abs(np.median(yellow[:, :3], axis=0) - (255, 255, 0)).max() < 8


@pytest.mark.parametrize("codec", ["copy", "dvdsub", "dvbsub"])
def test_a_track_of_a_video_is_on_its_clock(tmp_path: Path, codec: str) -> None:
    """The picture begins 0.4 s after the container's zero; so the subtitles are earlier on the video's clock."""
    sup = write_sup(tmp_path / "a.sup", SHOWN)
    track = convert(sup, tmp_path / "t.mkv", codec)
    plain = make_video(tmp_path / "plain.mkv", click_track(tmp_path / "c.wav", seconds=8), seconds=7, video_delay_s=0.4)
    video = tmp_path / "ep.mkv"
    ffmpeg("-copyts", "-i", plain, "-copyts", "-i", track, "-map", "0", "-map", "1:s", "-c", "copy", video)
    info = probe(video)
    (subtitles,) = info.subtitles
    seen = look_at_bitmaps(video, subtitles.index)
    assert seen.damaged == 0
    found = list(read_subtitle_pictures(info, subtitles, seen, tmp_path))
    assert len(found) == len(SHOWN)
    starts = [s.start_ms - info.start_ms for s in SHOWN]
    assert info.start_ms > 300
    assert [p.start_ms for p in found] == pytest.approx(starts, abs=60)
    if codec == "copy":  # ffmpeg's own encoders write no ends
        assert [p.end_ms for p in found] == pytest.approx([s.end_ms - info.start_ms for s in SHOWN], abs=60)


def test_what_is_shown_again_at_once_is_one_picture(tmp_path: Path) -> None:
    """Blu-rays repeat a display set so that a player that jumps there has it."""
    first = SHOWN[0]
    again = Shown(1600, 2500, first.rgba, first.left, first.top)
    sup = write_sup(tmp_path / "a.sup", [Shown(1000, 1600, first.rgba, first.left, first.top), again])
    assert [(p.start_ms, p.end_ms) for p in pictures_of(sup, tmp_path)] == [(1000, 2500)]


def test_a_damaged_packet_costs_its_picture_only(tmp_path: Path) -> None:
    sup = write_sup(tmp_path / "a.sup", SHOWN)
    data = bytearray(sup.read_bytes())
    where = data.index(b"PG", data.index(b"\x15", 40))  # the size of an object, far too large
    spot = data.index(b"\x15")
    data[spot + 7 : spot + 10] = b"\xff\xff\xff"
    assert where
    sup.write_bytes(bytes(data))
    found = pictures_of(sup, tmp_path)
    assert [p.start_ms for p in found][-2:] == [2500, 5200]


def test_vobsub_is_two_files(tmp_path: Path) -> None:
    index, data = tmp_path / "a.idx", tmp_path / "a.sub"
    index.write_text("# VobSub index file, v7 (do not modify this line!)\n")
    assert bitmap_kind(index) == "VobSub"
    with pytest.raises(SubtitleError, match=r"no a\.sub beside it"):
        find_bitmap_file(index)
    data.write_bytes(b"\x00\x00\x01\xba" + bytes(100))
    assert bitmap_kind(data) == "VobSub"
    assert find_bitmap_file(data) == index
    index.unlink()
    with pytest.raises(SubtitleError, match=r"no a\.idx beside it"):
        find_bitmap_file(data)


def test_text_is_no_bitmap(tmp_path: Path) -> None:
    microdvd = tmp_path / "a.sub"
    microdvd.write_text("{25}{50}Hello.\n")
    assert bitmap_kind(microdvd) is None
    (tmp_path / "b.sup").write_bytes(b"")
    assert bitmap_kind(tmp_path / "b.sup") is None
    assert bitmap_kind(tmp_path / "missing.sub") is None
