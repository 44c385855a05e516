"""A Ray cluster, existing or started on this machine: an episode a task."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pipelines.engine.events import Event, EventKind, Listener
from pipelines.executors.base import Lost, Make, Pool, Worker, in_order, sparing
from yuki_builder.errors import ConfigError, InternalError, MissingExtraError

T = TypeVar("T")
R = TypeVar("R")

_TRIES = 3
_CORES = 4
_MEMORY_BYTES = 2 << 30
_LOOK_EVERY_SECONDS = 0.3
_GRACE_SECONDS = 10.0
_AHEAD = 2


class RayExecutor:
    """Works on items as tasks of a Ray cluster; one that is lost with its worker or node is tried again.

    All machines must have this program in the same version, and see the same folders at the same paths.

    Args:
        address: of the cluster; None: one is started on this machine, and ended afterwards.
        at_once: how many tasks at the most; None: as many as the cluster has room for.
        device: ``cuda``: every task wants a GPU; ``cpu``: none does; ``auto``: every one, if the cluster has any.
    """

    def __init__(self, *, address: str | None = None, at_once: int | None = None, device: str = "auto") -> None:
        self._address, self._at_once, self._device = address, at_once, device

    @contextmanager
    def start(self, make: Make[T, R], *, listener: Listener, lost: Lost[T, R]) -> Iterator[Pool[T, R]]:
        ray = _import_ray()
        is_ours = not ray.is_initialized()
        if is_ours:
            self._connect(ray)
        pool = _Tasks(ray, make, listener, lost, at_once=self._at_once, device=self._device)
        try:
            yield pool
        finally:
            pool.stop()
            if is_ours:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.getsignal(signal.SIGTERM) if is_main else None
        try:
            ray.init(
                address=self._address or "local", log_to_driver=False, logging_level="error", include_dashboard=None
            )
        except (ConnectionError, ValueError, RuntimeError) as e:
            remedy = "start one with: ray start --head, or leave --ray-address away"
            raise ConfigError("no Ray cluster answers", where=self._address or "--executor ray", remedy=remedy) from e
        finally:
            if is_main:
                signal.signal(signal.SIGTERM, before)


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as e:
        raise MissingExtraError("--executor ray needs Ray", extra="ray") from e
    return ray


class _Mailbox:
    """Holds what workers tell until the first process asks for it."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def put(self, event: Event) -> None:
        self._events.append(event)

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events


class _Tasks(Pool[T, R]):
    def __init__(
        self, ray: Any, make: Make[T, R], listener: Listener, lost: Lost[T, R], *, at_once: int | None, device: str
    ) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray, self._listener, self._lost, self._at_once = ray, listener, lost, at_once
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._cores = min(_CORES, *(int(node["CPU"]) for node in nodes if node.get("CPU")), _CORES)
        memory = min(
            _MEMORY_BYTES, *(int(n["memory"]) for n in nodes if n.get("CPU") and n.get("memory")), _MEMORY_BYTES
        )
        wants_gpu = device.startswith("cuda") or (device == "auto" and any(node.get("GPU") for node in nodes))
        self._task = ray.remote(
            num_cpus=self._cores, num_gpus=int(wants_gpu), memory=memory, max_retries=0, scheduling_strategy="SPREAD"
        )(_work)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox = ray.remote(num_cpus=0, scheduling_strategy=here)(_Mailbox).remote()
        self._make = ray.put(make)
        self._key = uuid.uuid4().hex
        self._at_work: dict[Any, int] = {}

    def map(self, items: Sequence[T]) -> Iterator[R]:
        return in_order(self._as_completed(items))

    def _as_completed(self, items: Sequence[T]) -> Iterator[tuple[int, R]]:
        waiting, tries = deque(range(len(items))), [0] * len(items)
        while waiting or self._at_work:
            while waiting and len(self._at_work) < self._room():
                number = waiting.popleft()
                tries[number] += 1
                task = self._task.remote(self._key, self._make, str(Path.cwd()), items[number], self._mailbox)
                self._at_work[task] = number
            done, _ = self._ray.wait(list(self._at_work), timeout=_LOOK_EVERY_SECONDS)
            for event in self._ray.get(self._mailbox.take.remote()):
                self._listener(event)
            for task in done:
                number = self._at_work.pop(task)
                try:
                    result = self._ray.get(task)
                except self._ray.exceptions.RayTaskError as e:
                    raise InternalError(f"a worker of the cluster failed: {e}") from e
                except self._ray.exceptions.RayError as e:
                    why = f"a worker of the cluster was lost ({type(e).__name__})"
                    if tries[number] < _TRIES:
                        self._listener(Event(EventKind.NOTICE, "season", message=f"{why}; its episode is tried again"))
                        waiting.appendleft(number)
                        continue
                    result = self._lost(items[number], f"{why}, {_TRIES} times")
                yield number, result

    def _room(self) -> int:
        if self._at_once is not None:
            return self._at_once
        return int(self._ray.cluster_resources().get("CPU", 0) // self._cores) + _AHEAD

    def stop(self) -> None:
        """End all tasks: in order, then by force."""
        tasks = list(self._at_work)
        for force in (False, True) if tasks else ():
            for task in tasks:
                with contextlib.suppress(Exception):
                    self._ray.cancel(task, force=force)
            with contextlib.suppress(Exception):
                _, tasks = self._ray.wait(tasks, num_returns=len(tasks), timeout=_GRACE_SECONDS)
            if not tasks:
                break
        self._at_work.clear()
        with contextlib.suppress(Exception):
            self._ray.kill(self._mailbox)


_workers: dict[str, Worker[Any, Any]] = {}


def _work(key: str, make: Make[Any, Any], folder: str, item: Any, mailbox: Any) -> Any:
    """One task, in a process of the cluster: Ray gives the next one to the same process, networks and all."""
    if key not in _workers:
        try:
            os.chdir(folder)  # paths of the command line start there
        except OSError as e:
            raise InternalError(
                "this folder is not on every machine of the cluster", where=folder, remedy="use a shared file system"
            ) from e
        _workers.clear()
        _workers[key] = make()
    return _workers[key](item, sparing(mailbox.put.remote))
