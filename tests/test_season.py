"""A season by several processes, in shards, with trouble: always the same bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from season_files import differences, finished_season

import pipelines.season
from pipelines import EpisodeResult
from pipelines.console.app import main
from pipelines.console.summary import print_summary
from pipelines.season import SeasonResult
from yuki_builder.records import StageReport

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Three episodes, the first without names for the voices, and what one process makes of them."""
    made = finished_season(tmp_path_factory, count=3, named_from=2)
    return made.videos, made.out


def run(videos: Path, out: Path, *more: str) -> int:
    return main(["--video", str(videos), "--out", str(out), "--separator", "none", "--quiet", *more])


def start(videos: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["--video", str(videos), "--out", str(out), "--separator", "none", *more]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run_pipeline.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def workers(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(c) for c in children if "spawn_main" in Path(f"/proc/{c}/cmdline").read_text()]


def test_shards_and_a_last_run_give_the_bytes_of_one(season: tuple[Path, Path], tmp_path: Path) -> None:
    videos, out = season
    for shard in ("2/2", "1/2"):  # in whichever order
        assert run(videos, tmp_path / "out", "--shard", shard) == 0
        assert not (tmp_path / "out/corpus").exists()
    assert run(videos, tmp_path / "out") == 0
    assert differences(out, tmp_path / "out") == []


def test_a_second_run_adds_episodes(season: tuple[Path, Path], tmp_path: Path) -> None:
    videos, out = season
    assert run(videos / "ep3.mka", tmp_path / "out") == 0
    assert run(videos, tmp_path / "out") == 0
    assert differences(out, tmp_path / "out") == []


def test_two_processes_give_the_bytes_of_one_and_a_failing_episode_does_not_stop_them(
    season: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = season
    for file in videos.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "ep0.mka").write_bytes(b"no media file")
    assert run(tmp_path, tmp_path / "out", "--jobs", "2", "--json") == 3
    said = capsys.readouterr()
    assert "ep0.mka" in said.err and "Traceback" not in said.err
    assert [Path(f["video"]).name for f in json.loads(said.out)["failures"]] == ["ep0.mka"]
    assert [name for name in differences(out, tmp_path / "out") if not name.startswith("ep0/")] == []


@pytest.mark.slow
def test_a_killed_worker_is_replaced(season: tuple[Path, Path], tmp_path: Path) -> None:
    videos, out = season
    with start(videos, tmp_path / "out", "--jobs", "2") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "align" in line:
                os.kill(workers(process)[0], signal.SIGKILL)
                break
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert "tried again" in rest
    assert differences(out, tmp_path / "out") == []


@pytest.mark.slow
def test_a_season_goes_on_after_each_interruption(season: tuple[Path, Path], tmp_path: Path) -> None:
    """Ended in three ways, one after the other, each time further on."""
    videos, out = season
    for stop, stage in ((signal.SIGINT, "align"), (signal.SIGTERM, "turns"), (signal.SIGKILL, "embeddings")):
        with start(videos, tmp_path / "out", "--jobs", "2") as process:
            assert process.stderr is not None
            children: list[int] = []
            for line in process.stderr:
                if re.search(rf"\b{stage}\b", line) and "reused" not in line:
                    children = workers(process)
                    if stop is signal.SIGINT:
                        os.killpg(process.pid, stop)  # as a terminal does
                    else:
                        process.send_signal(stop)
                    break
            rest = process.stderr.read()
        assert children, f"it was done before it came to {stage}"
        if stop is not signal.SIGKILL:
            assert process.returncode == 130 and rest.splitlines()[-1].startswith("error: interrupted")
            assert "Traceback" not in rest
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline, "worker processes outlive the run"
            time.sleep(0.1)
    assert run(videos, tmp_path / "out") == 0
    assert differences(out, tmp_path / "out") == []


def test_an_episode_that_appears_meanwhile(
    season: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is worked on when the others are done; one that may still be being written is left to the next run."""
    from pipelines.console import app

    videos, out = season
    show = tmp_path / "show"
    show.mkdir()
    for name in ("ep1.mka", "ep1.srt", "ep3.mka", "ep3.srt"):
        shutil.copy(videos / name, show / name)
    run_season = pipelines.season.run_season

    def meanwhile(*arguments: Any, **more: Any) -> Any:
        for name in ("ep2.srt", "ep2.mka"):
            shutil.copy(videos / name, show / name)
        return run_season(*arguments, **more)

    monkeypatch.setattr("pipelines.season.run_season", meanwhile)
    assert main(["--video", str(show), "--out", str(tmp_path / "out"), "--separator", "none"]) == 0
    assert "note: appeared while the run went on: ep2.mka. Run again to add it" in capsys.readouterr().err
    assert not (tmp_path / "out/ep2").exists()
    (show / "ep2.mka").unlink()
    monkeypatch.setattr(app, "_SETTLED_SECONDS", -1.0)
    assert run(show, tmp_path / "out") == 0
    assert differences(out, tmp_path / "out") == []


def test_the_summary_of_a_large_season_is_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = StageReport("cues", 0.0, 0, 0, {}, ("subtitles: x.srt",))
    episodes = tuple(EpisodeResult(f"ep{k:03d}", tmp_path / f"ep{k:03d}", (note,)) for k in range(1000))
    print_summary(SeasonResult(episodes, (), None))
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["ep000: subtitles: x.srt", f"report: {tmp_path / 'ep000' / 'report.html'}"]
    assert said[-1] == "980 more episodes: each has a report.html, and its notes in episode.json"
    assert len(said) == 41
    print_summary(SeasonResult(episodes[:20], (), None))
    assert "more episodes" not in capsys.readouterr().out
