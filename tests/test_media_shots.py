"""Changes of the picture, in real videos of known shots."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from video_preprocessing.media import detect_shots, find_ffmpeg, probe
from video_preprocessing.media.shots import difference

SHOTS = ("testsrc2", "color=c=navy", "mandelbrot", "color=c=white", "smptebars")


def video(path: Path, *options: str) -> Path:
    """Five pictures of two seconds each."""
    inputs = [arg for source in SHOTS for arg in ("-f", "lavfi", "-t", "2", "-i", _sized(source))]
    join = "".join(f"[{k}:v]format=yuv420p[v{k}];" for k in range(len(SHOTS)))
    join += "".join(f"[v{k}]" for k in range(len(SHOTS))) + f"concat=n={len(SHOTS)}[v]"
    command = [find_ffmpeg(), "-v", "error", "-y", *inputs, "-f", "lavfi", "-i", "sine=d=10", "-filter_complex", join]
    command += [
        "-map",
        "[v]",
        "-map",
        f"{len(SHOTS)}:a",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        *options,
        str(path),
    ]
    subprocess.run(command, check=True)
    return path


def _sized(source: str) -> str:
    return f"{source}{':' if '=' in source else '='}s=320x180:r=25"


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_shots_are_found_where_they_change(tmp_path: Path, name: str) -> None:
    # A key frame every half second as well: most change nothing.
    shots = detect_shots(probe(video(tmp_path / name, "-g", "12")))
    times = [shot.time_ms for shot in shots]
    assert len(times) == 4
    assert times == pytest.approx([2000, 4000, 6000, 8000], abs=520)
    assert all(0.3 <= shot.score <= 1 for shot in shots)


def test_no_picture_no_shots(tmp_path: Path) -> None:
    sound = tmp_path / "a.flac"
    subprocess.run([find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=d=2", str(sound)], check=True)
    assert detect_shots(probe(sound)) == []
    cover = tmp_path / "cover.m4a"
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=d=2",
        "-f",
        "lavfi",
        "-i",
        "color=s=64x64:d=0.1",
    ]
    command += [
        "-map",
        "0:a",
        "-map",
        "1:v",
        "-frames:v",
        "1",
        "-c:v",
        "mjpeg",
        "-disposition:v",
        "attached_pic",
        str(cover),
    ]
    subprocess.run(command, check=True)
    assert detect_shots(probe(cover)) == []


def test_a_damaged_picture_is_no_failure(tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mkv", "-g", "12")
    info = probe(whole)
    data = bytearray(whole.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    whole.write_bytes(bytes(data))
    assert len(detect_shots(info)) <= 4


def test_the_difference_of_pictures() -> None:
    black, white = np.zeros((36, 64), np.float32), np.ones((36, 64), np.float32)
    assert difference(black, black) == 0.0
    assert difference(black, white) == 1.0
    noise = np.random.default_rng(0).uniform(0.4, 0.5, (36, 64)).astype(np.float32)
    assert difference(noise, noise[::-1]) < 0.2
