"""A video whose picture was read half goes on there, and gives what an uninterrupted run gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media_files import click_track
from picture_subtitles import at_bottom, burned_in_video, draw_rows

from video_preprocessing.media import probe, read_video_pictures
from video_preprocessing.ocr import TextReader, read_burned_in, resuming
from yuki_builder.records import MediaInfo, VideoPicture

CANVAS = (1280, 720)
SHOWN = [
    at_bottom(800, 2200, draw_rows(["We sail at dawn."], size=44), canvas=CANVAS),
    at_bottom(2200, 3600, draw_rows(["- Then I will pack.", "- Bring the map."], size=44), canvas=CANVAS),
    at_bottom(4200, 5600, draw_rows(["Up here for once."], size=44), canvas=CANVAS, top=0.06),
    at_bottom(6000, 7400, draw_rows(["The end is near."], size=44), canvas=CANVAS),
]


class Interrupted(Exception):
    pass


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> MediaInfo:
    folder = tmp_path_factory.mktemp("video")
    return probe(burned_in_video(folder / "ep.mkv", SHOWN, seconds=8, sound=click_track(folder / "c.wav", seconds=8)))


@pytest.mark.parametrize("from_ms", [1, 159, 160, 161, 3000, 7990])
def test_pictures_from_a_time_on_are_the_rest_of_all(video: MediaInfo, from_ms: int) -> None:
    every = [(picture.time_ms, picture.luma) for picture in read_video_pictures(video)]
    rest = [(picture.time_ms, picture.luma) for picture in read_video_pictures(video, from_ms=from_ms)]
    expected = [pair for pair in every if pair[0] >= -(-from_ms // 160) * 160]
    assert [time_ms for time_ms, _ in rest] == [time_ms for time_ms, _ in expected]
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(rest, expected, strict=True))


@pytest.mark.parametrize("at_ms", [1700, 2300, 5000, 7500])
def test_an_interrupted_reading_goes_on(
    video: MediaInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_ms: int
) -> None:
    pytest.importorskip("rapidocr")
    monkeypatch.setattr(resuming, "_KEEP_EVERY_MS", 500)
    reader, asked = TextReader(), []

    def until(from_ms: int) -> Iterator[VideoPicture]:
        for picture in read_video_pictures(video, from_ms=from_ms):
            if picture.time_ms >= at_ms:
                raise Interrupted
            yield picture

    def rest(from_ms: int) -> Iterator[VideoPicture]:
        asked.append(from_ms)
        return read_video_pictures(video, from_ms=from_ms)

    whole = read_burned_in(lambda from_ms: read_video_pictures(video, from_ms=from_ms), reader)
    assert len([text for text in whole if text.left_out is None]) == 4
    with pytest.raises(Interrupted):
        read_burned_in(until, reader, unfinished=tmp_path)
    assert read_burned_in(rest, reader, unfinished=tmp_path) == whole
    assert at_ms - 900 <= asked[0] <= at_ms
    # Half a file is none.
    file = tmp_path / "burned_in.npz"
    file.write_bytes(file.read_bytes()[:1000])
    assert resuming.kept(file) is None
