"""Several processes of this machine, started afresh (spawn), each with its share of the cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from pipelines.engine.events import Event, EventKind, Listener
from pipelines.executors.base import Lost, Make, Pool, in_order, sparing
from yuki_builder.errors import InternalError

T = TypeVar("T")
R = TypeVar("R")

_TRIES = 2
_GRACE_SECONDS = 10.0
_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_BY_ONE = "OPENBLAS_NUM_THREADS"
"""NumPy's products have the same bits in every process, however many there are (``console.threads``)."""


def usable_cores() -> int:
    """The cores that this process may use: its affinity and its container's quota count."""
    import joblib

    return int(joblib.cpu_count())


class ProcessExecutor:
    """Works on ``jobs`` items at once, one in each process.

    A process that dies is replaced and its item tried once more. The threads of a process are limited so that all
    together are as many as there are cores; where the user has set a limit (``OMP_NUM_THREADS``), that holds.

    Args:
        jobs: how many processes.
        threads: of each; None: an equal share of the cores.
    """

    def __init__(self, jobs: int, *, threads: int | None = None) -> None:
        self._jobs, self._threads = jobs, threads

    @contextmanager
    def start(self, make: Make[T, R], *, listener: Listener, lost: Lost[T, R]) -> Iterator[Pool[T, R]]:
        threads = self._threads or max(1, usable_cores() // self._jobs)
        pool = _Processes(make, listener, lost, jobs=self._jobs, threads=threads)
        try:
            yield pool
        finally:
            pool.stop()


@dataclass(eq=False, slots=True)
class _Process(Generic[T]):
    """A process, the line to it, and what it is at."""

    process: BaseProcess
    line: Connection
    number: int | None = None


class _Processes(Pool[T, R]):
    def __init__(self, make: Make[T, R], listener: Listener, lost: Lost[T, R], *, jobs: int, threads: int) -> None:
        self._make, self._listener, self._lost = make, listener, lost
        self._jobs, self._threads = jobs, threads
        self._processes: list[_Process[T]] = []

    def map(self, items: Sequence[T]) -> Iterator[R]:
        return in_order(self._as_completed(items))

    def _as_completed(self, items: Sequence[T]) -> Iterator[tuple[int, R]]:
        waiting, tries = deque(range(len(items))), [0] * len(items)
        while waiting or any(p.number is not None for p in self._processes):
            for process in self._idle(len(waiting)):
                process.number = waiting.popleft()
                tries[process.number] += 1
                with contextlib.suppress(OSError):  # it has died; its line tells so below
                    process.line.send(items[process.number])
            for process in self._ready():
                number = process.number
                try:
                    kind, content = process.line.recv()
                except (EOFError, OSError):
                    why = self._bury(process)
                    if number is None:
                        continue
                    if tries[number] < _TRIES:
                        self._listener(Event(EventKind.NOTICE, "season", message=f"{why}; its episode is tried again"))
                        waiting.appendleft(number)
                    else:
                        yield number, self._lost(items[number], f"{why}, {_TRIES} times")
                    continue
                if kind == "event":
                    self._listener(content)
                elif kind == "error":
                    raise InternalError(f"a worker could not begin: {content}")
                elif number is not None:
                    process.number = None
                    yield number, content

    def _idle(self, wanted: int) -> list[_Process[T]]:
        """Processes without work, as many as wanted, or as there may be."""
        idle = [p for p in self._processes if p.number is None][:wanted]
        while len(idle) < wanted and len(self._processes) < self._jobs:
            idle.append(self._started())
        return idle

    def _started(self) -> _Process[T]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._make), daemon=False)
        with _limited(self._threads):
            process.start()
        theirs.close()  # so that its end is heard
        started: _Process[T] = _Process(process, ours)
        self._processes.append(started)
        return started

    def _ready(self) -> list[_Process[T]]:
        lines = set(wait([p.line for p in self._processes]))
        return [p for p in self._processes if p.line in lines]

    def _bury(self, process: _Process[T]) -> str:
        """Forget a process that has died; how it ended."""
        process.process.join(_GRACE_SECONDS)
        self._end(process)
        self._processes.remove(process)
        status = process.process.exitcode or 0
        if status == -signal.SIGKILL:
            return "a worker process was killed (out of memory?)"
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"a worker process ended ({name})"

    def stop(self) -> None:
        """End all processes: those at work give up in order, so that their episodes can go on later."""
        for process in self._processes:
            process.line.close()  # an idle one ends by itself
            if process.number is not None:
                process.process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in self._processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            self._end(process)
        self._processes.clear()

    @staticmethod
    def _end(process: _Process[T]) -> None:
        if process.process.is_alive():
            process.process.kill()
            process.process.join()
        process.line.close()


@contextmanager
def _limited(threads: int) -> Iterator[None]:
    """The environment of a process that is started within: libraries read their limits when they are loaded."""
    limits = dict.fromkeys(_LIMITS, str(threads)) | {_BY_ONE: "1"}
    before = {name: os.environ.get(name) for name in limits}
    for name, limit in limits.items():
        os.environ.setdefault(name, limit)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]


def _serve(line: Connection, make: Make[Any, Any]) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process decides what is given up
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sending = threading.Lock()

    def send(kind: str, content: Any) -> None:
        with sending:
            line.send((kind, content))

    tell = sparing(lambda event: send("event", event))
    with contextlib.suppress(KeyboardInterrupt, EOFError, BrokenPipeError, ConnectionResetError):
        try:
            worker = make()
        except Exception:
            send("error", traceback.format_exc())
            return
        while True:
            send("result", worker(line.recv(), tell))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
