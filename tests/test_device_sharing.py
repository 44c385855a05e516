"""A GPU that several processes use in turn: tried on a processor, for the lock does not mind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from season_files import differences, finished_season

from pipelines.config import EpisodeConfig
from pipelines.engine.events import Event, EventKind
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.sharing import SharedDevice, begin_with_gpu, shared_device
from pipelines.engine.stage import Counts, Job, Runner, Stage
from pipelines.engine.store import Store
from pipelines.episode.session import Session
from pipelines.season import run_season

ON_DEVICE = {"turns", "transcribe", "embeddings", "corrected", "dub", "corrected dub", "enrol"}


def _say(diary: Path, word: str) -> None:
    with diary.open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


def _take_turns(device: SharedDevice, diary: Path) -> None:
    for _ in range(5):
        with device.turn(lambda: _say(diary, "released")):
            _say(diary, "in")
            time.sleep(0.02)
            _say(diary, "out")


def _hold(device: SharedDevice, diary: Path) -> None:
    with device.turn():
        _say(diary, "in")
        time.sleep(600)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    diary = tmp_path / "diary"
    with shared_device() as device:
        processes = [context.Process(target=_take_turns, args=(device, diary)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
    said = [row.split() for row in diary.read_text().splitlines()]
    assert len(said) == 45 and len({process for _, process in said}) == 3
    for k in range(0, 45, 3):
        words, who = zip(*said[k : k + 3], strict=True)
        assert words == ("in", "out", "released") and len(set(who)) == 1


def test_the_turn_of_a_killed_process_is_free(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with shared_device() as device:
        holder = multiprocessing.get_context("spawn").Process(target=_hold, args=(device, diary))
        holder.start()
        while not diary.exists():
            time.sleep(0.05)
        with pytest.raises(TimeoutError):
            FileLock(device._lock, timeout=0.2).acquire()
        os.kill(holder.pid or 0, signal.SIGKILL)
        holder.join()
        FileLock(device._lock, timeout=10).acquire()
        folder = device._lock.parent
        assert folder.stat().st_mode & 0o077 == 0  # nobody else can put a link there
    assert not folder.exists()


def test_what_takes_long_begins_while_another_has_the_device(tmp_path: Path) -> None:
    device, begun, had = SharedDevice(tmp_path), threading.Event(), threading.Event()

    def take() -> None:
        with device.turn(begin=begun.set):
            had.set()

    with device.turn():
        waiting = threading.Thread(target=take)
        waiting.start()
        assert begun.wait(60)
        assert not had.is_set()
    waiting.join(60)
    assert had.is_set()


def test_a_session_loads_torch_before_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pipelines.episode.session.begin_with_gpu", lambda: said.append("begun"))
    device = SharedDevice(tmp_path)
    with Session(tmp_path, device=device).device_turn(), pytest.raises(TimeoutError):
        assert said == ["begun"]
        FileLock(device._lock, timeout=0).acquire()
    begin_with_gpu()  # also where there is none


def test_what_fails_gives_its_turn_back(tmp_path: Path) -> None:
    released: list[bool] = []
    device = SharedDevice(tmp_path)
    with pytest.raises(ZeroDivisionError), device.turn(lambda: released.append(True)):
        raise ZeroDivisionError
    with device.turn():
        assert released == [True]


def test_only_stages_that_use_the_device_wait_for_it(tmp_path: Path) -> None:
    said: list[str] = []

    @contextmanager
    def turn() -> Any:
        said.append("turn")
        yield
        said.append("over")

    def stage(name: str, **more: Any) -> Stage[str]:
        def run(subject: str, job: Job) -> Counts:
            said.append(name)
            job.output(f"{name}.txt").write_text(subject)
            return Counts()

        return Stage(name, 1, run, writes=(f"{name}.txt",), **more)

    on_device = {"on_device": lambda _: True}
    stages = [stage("one"), stage("two", **on_device), stage("three", **on_device, wanted=lambda _: False)]

    def run(turn: Any) -> None:
        store = Store(tmp_path / "out")
        with store.locked():
            Runner(stages, "x", store=store, fingerprints=Fingerprints(), name="x", turn=turn).run(lambda _: None)

    run(turn)
    assert said == ["one", "turn", "two", "over"]
    run(turn)  # all is there
    assert said == ["one", "turn", "two", "over"]


def test_the_processes_of_a_season_take_turns(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody else has the device, both processes come as far as they can without it, and no further."""
    alone = finished_season(tmp_path_factory, count=2, named_from=1)
    told: list[tuple[EventKind | str, str]] = []

    def listen(event: Event) -> None:
        told.append((event.kind, event.stage or ""))
        if told.count((EventKind.FINISHED, "align")) == 2 and not timer.is_alive() and held.is_locked:
            timer.start()

    def give_up() -> None:
        told.append(("given up", ""))
        held.release()

    def here() -> AbstractContextManager[SharedDevice]:
        return _given(SharedDevice(tmp_path))

    held, timer = FileLock(SharedDevice(tmp_path)._lock, thread_local=False), threading.Timer(1.0, give_up)
    monkeypatch.setattr("pipelines.season.has_gpu", lambda device: device == "auto")
    monkeypatch.setattr("pipelines.season.shared_device", here)
    configs = [EpisodeConfig(v, out=tmp_path / "out", separator="none", jobs=2) for v in alone.episodes]
    with held:
        result = run_season(configs, progress=listen)
    assert len(result.episodes) == 2
    started = [stage for kind, stage in told if kind is EventKind.STARTED]
    before = [stage for kind, stage in told[: told.index(("given up", ""))] if kind is EventKind.STARTED]
    assert before.count("align") == 2 and not ON_DEVICE & set(before)
    assert {"turns", "embeddings"} <= set(started)
    assert differences(alone.out, tmp_path / "out") == []


@contextmanager
def _given(device: SharedDevice) -> Any:
    yield device
