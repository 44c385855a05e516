"""Shot changes of real videos, and what they are worked out from."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from media_files import click_track, cut_off, ffmpeg

from video_preprocessing.media import detect_shots, probe
from video_preprocessing.media.shots import shot_changes
from yuki_builder.errors import MediaError

CUTS_MS = [3000, 5500, 9000]
PLACES = ["testsrc2", "mandelbrot", "smptehdbars", "rgbtestsrc"]


def film(path: Path, *options: str | Path, inputs: tuple[str | Path, ...] = ()) -> Path:
    """Four places, 12 s."""
    parts = [b - a for a, b in zip([0, *CUTS_MS], [*CUTS_MS, 12_000], strict=True)]
    sources: list[str | Path] = []
    for place, length_ms in zip(PLACES, parts, strict=True):
        sources += ["-f", "lavfi", "-t", str(length_ms / 1000), "-i", f"{place}=size=160x90:rate=25"]
    same = "".join(f"[{n}:v]format=yuv420p,setsar=1[p{n}];" for n in range(len(PLACES)))
    joined = same + "".join(f"[p{n}]" for n in range(len(PLACES))) + f"concat=n={len(PLACES)}[v]"
    ffmpeg(*sources, *inputs, "-filter_complex", joined, "-map", "[v]", *options, path)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264.mkv", ("-c:v", "libx264", "-g", "250")),  # the encoder finds the cuts
        ("h264.mp4", ("-c:v", "libx264", "-g", "12", "-bf", "2", "-sc_threshold", "0")),  # a key picture by the clock
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-g", "12", "-cpu-used", "8", "-deadline", "realtime")),
        ("mpeg2.ts", ("-c:v", "mpeg2video", "-g", "12")),
        ("mjpeg.avi", ("-c:v", "mjpeg")),
    ],
)
def test_cuts_are_between_the_two_times_given(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    shots = detect_shots(probe(film(tmp_path / name, *options)))
    assert shots == sorted(shots)
    clear = [shot for shot in shots if shot.novelty > 0.2]
    assert len(clear) == len(CUTS_MS)
    for shot, cut_ms in zip(clear, CUTS_MS, strict=True):
        assert shot.after_ms < cut_ms <= shot.time_ms + 1
        assert shot.difference >= shot.novelty


def test_times_are_on_the_videos_clock_and_progress_is_told(tmp_path: Path) -> None:
    sound = click_track(tmp_path / "clicks.wav", seconds=12)
    path = film(tmp_path / "late.mkv", "-map", "4:a", "-c:v", "libx264", "-output_ts_offset", "3", inputs=("-i", sound))
    info = probe(path)
    assert info.start_ms == pytest.approx(3000, abs=50)
    seen: list[tuple[float, float | None]] = []
    shots = detect_shots(info, progress=lambda done, total: seen.append((done, total)))
    assert [s.time_ms for s in shots if s.novelty > 0.2] == pytest.approx(CUTS_MS, abs=45)
    assert seen
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_picture_that_goes_back_and_forth_is_not_new() -> None:
    rng = np.random.default_rng(0)
    one, two, other = rng.integers(0, 256, (3, 18, 32, 3), dtype=np.uint8)
    times = list(range(0, 20_000, 1000))
    talk = [one, two] * 5
    pictures = np.stack([*talk, *[other] * 10])
    changes = shot_changes(times, pictures)
    assert [c.time_ms for c in changes] == times[1:11]
    assert all(c.difference > 0.2 for c in changes)
    assert [c.novelty > 0.2 for c in changes] == [*[False] * 9, True]


def test_no_picture_no_shots(tmp_path: Path) -> None:
    assert detect_shots(probe(click_track(tmp_path / "clicks.wav"))) == []
    assert shot_changes([], np.zeros((0, 18, 32, 3), np.uint8)) == []
    assert shot_changes([0], np.zeros((1, 18, 32, 3), np.uint8)) == []


def test_a_damaged_video_gives_what_can_be_seen_and_else_an_error(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.mkv", "-c:v", "mpeg2video", "-g", "12")
    info = probe(whole)
    all_shots = detect_shots(info)
    cut_off(whole, whole, share=0.6)
    some = detect_shots(info)
    assert 0 < len(some) < len(all_shots)
    still = film(tmp_path / "film.avi", "-c:v", "mjpeg")
    info = probe(still)
    with av.open(still) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    raw = bytearray(still.read_bytes())
    for position, size in packets:
        raw[position : position + size] = bytes(size)
    still.write_bytes(raw)
    with pytest.raises(MediaError, match="no picture"):
        detect_shots(info)
