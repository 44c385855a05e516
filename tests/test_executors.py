"""Worker processes: results in order, limits, lost ones, and what they tell."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.events import Event, EventKind, Listener
from pipelines.executors import LocalExecutor, ProcessExecutor
from pipelines.executors.base import in_order
from yuki_builder.errors import InternalError


class Squares:
    """Squares numbers; the first is the slowest. A negative one ends the process, once where there is a folder."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, item: tuple[int, str], listener: Listener) -> tuple[int, int, int, str]:
        number, folder = item
        listener(Event(EventKind.BEGUN, str(number)))
        for k in range(100):
            listener(Event(EventKind.PROGRESS, str(number), "square", completed=k, total=100))
        self.done += 1
        if number == 0:
            time.sleep(0.5)
        if number < 0 and not (folder and Path(folder).exists()):
            if folder:
                Path(folder).mkdir()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number, self.done, os.getpid(), os.environ["OMP_NUM_THREADS"]


def broken() -> Squares:
    raise ZeroDivisionError("a bug")


def lost(item: tuple[int, str], why: str) -> tuple[int, int, int, str]:
    return item[0], -1, 0, why


def silent(_: Event) -> None:
    return None


@given(st.permutations(range(8)))
def test_results_come_in_order(order: list[int]) -> None:
    assert list(in_order((k, k) for k in order)) == list(range(8))


def test_processes_do_what_one_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    told: list[Event] = []
    items = [(k, "") for k in range(5)]
    with ProcessExecutor(2, threads=3).start(Squares, listener=told.append, lost=lost) as pool:
        results = list(pool.map(items))
        again = list(pool.map(items))
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with LocalExecutor().start(Squares, listener=silent, lost=lost) as here:
        assert [(r[0], r[3]) for r in results] == [(r[0], r[3]) for r in here.map(items)]
    processes = {r[2] for r in results}
    assert len(processes) == 2 and {r[2] for r in again} <= processes  # the same, with what they have loaded
    assert sum(max(r[1] for r in again if r[2] == p) for p in {r[2] for r in again}) >= 5
    assert {e.subject for e in told if e.kind is EventKind.BEGUN} == {"0", "1", "2", "3", "4"}
    assert sum(e.kind is EventKind.PROGRESS for e in told) < 100  # told of now and then
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_limit_of_the_user_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with ProcessExecutor(2).start(Squares, listener=silent, lost=lost) as pool:
        assert {r[3] for r in pool.map([(1, "")])} == {"7"}


def test_a_lost_process_is_replaced_and_then_reported(tmp_path: Path) -> None:
    told: list[Event] = []
    items = [(1, ""), (-2, str(tmp_path / "once")), (3, ""), (-4, ""), (5, "")]
    with ProcessExecutor(2).start(Squares, listener=told.append, lost=lost) as pool:
        results = list(pool.map(items))
    assert [r[0] for r in results] == [1, 4, 9, -4, 25]
    assert results[3][1:] == (-1, 0, "a worker process was killed (out of memory?), 2 times")
    notices = [e.message for e in told if e.kind is EventKind.NOTICE]
    assert notices == ["a worker process was killed (out of memory?); its episode is tried again"] * 2


def test_a_worker_that_cannot_begin_ends_the_run() -> None:
    with (
        pytest.raises(InternalError, match="ZeroDivisionError: a bug"),
        ProcessExecutor(2).start(broken, listener=silent, lost=lost) as pool,
    ):
        list(pool.map([(1, "")]))


def test_what_is_under_way_is_given_up() -> None:
    began = time.monotonic()
    with ProcessExecutor(1).start(Sleeper, listener=silent, lost=lost) as pool, pytest.raises(KeyboardInterrupt):
        _raise_at_first(pool.map([60, 60]))  # type: ignore[arg-type]
    assert time.monotonic() - began < 30


class Sleeper:
    """Sleeps as long as it is told, but for the first time."""

    def __init__(self) -> None:
        self.is_first = True

    def __call__(self, item: int, listener: Listener) -> int:
        if not self.is_first:
            time.sleep(item)
        self.is_first = False
        return item


def _raise_at_first(results: object) -> None:
    for _ in results:  # type: ignore[attr-defined]
        raise KeyboardInterrupt
