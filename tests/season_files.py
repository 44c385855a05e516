"""A small season to work on, and a look at all that came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from test_pipeline_episode import sample

from pipelines import EpisodeConfig, run_season

START_S, SECONDS = 8, 14
SAID = [(0.4, 1.8, "ADA: Yes."), (3.1, 4.7, "I think so."), (6.8, 8.3, "BOB: Hello?"), (8.4, 9.9, "Are you?")]


def clock(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", ",")


def make_episode(path: Path, *, title: str = "", named: bool = True) -> Path:
    """Fourteen seconds of two people who talk, with subtitles beside; other titles are other files."""
    from video_preprocessing.media import find_ffmpeg

    path.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["-ss", str(START_S), "-t", str(SECONDS), "-i", str(sample(".wav")), "-c:a", "flac", "-bitexact"]
    arguments += ["-metadata", f"title={title or path.stem}", str(path)]
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)
    texts = [(a, b, text if named else text.rpartition(": ")[2]) for a, b, text in SAID]
    rows = (f"{n}\n{clock(a)} --> {clock(b)}\n{text}\n" for n, (a, b, text) in enumerate(texts, 1))
    path.with_suffix(".srt").write_text("\n".join(rows), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Season:
    """Episodes, and what one process makes of them; no test changes either."""

    videos: Path
    out: Path

    @property
    def episodes(self) -> list[Path]:
        return sorted(self.videos.glob("*.mka"))


def finished_season(factory: pytest.TempPathFactory, *, count: int, named_from: int) -> Season:
    """Episodes of which those before ``named_from`` have no names; made once, whichever worker of the tests asks."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of all workers
    folder = base / f"{count} episodes, names from {named_from}"  # a folder called season1 would name the episodes
    season = Season(folder / "show", folder / "out")
    with FileLock(base / f"{folder.name}.lock"):
        if not (folder / "done").exists():
            for number in range(1, count + 1):
                make_episode(season.videos / f"ep{number}.mka", named=number >= named_from)
            configs = [EpisodeConfig(video, out=season.out, separator="none") for video in season.episodes]
            assert run_season(configs).failures == ()
            (folder / "done").touch()
    return season


_TIMES = ("lock", "hashes.json", "video.json", "holder.json")


def tree(out: Path) -> dict[str, bytes]:
    """Every file of an output folder by its path; how long stages took and marks, which tell of that, left out.

    Where the video is counts by its name alone.
    """
    files = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or "/done/" in name or path.name in _TIMES or path.suffix == ".lock":
            continue
        files[name] = path.read_bytes()
        if path.name == "episode.json":
            content = json.loads(files[name])
            for stage in content["stages"]:
                del stage["seconds"]
            files[name] = re.sub(r'"path": "[^"]*/', '"path": "', json.dumps(content)).encode()
    return files


def differences(one: Path, other: Path) -> list[str]:
    """The files of two output folders that are not the same."""
    left, right = tree(one), tree(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
