"""What an executor is, and the plain one: in this process, one item after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from pipelines.engine.events import Event, EventKind, Listener

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

_TELL_EVERY_SECONDS = 0.2

Worker = Callable[[T, Listener], R]
"""Works on one item and tells a listener how it goes. It raises nothing but what stops the run."""

Make = Callable[[], Worker[T, R]]
"""Makes the worker of one process, with what it keeps between items (networks). May be pickled."""

Lost = Callable[[T, str], R]
"""The result of an item whose process was lost for good, and why."""


class Pool(Protocol[T_contra, R_co]):
    """Workers that are ready; they keep what they have loaded from one ``map`` to the next."""

    def map(self, items: Sequence[T_contra]) -> Iterator[R_co]:
        """The results, in the order of ``items``, each as soon as it and those before it are there."""
        ...


class Executor(Protocol):
    """Works on many items; how many at once and where is its own business."""

    def start(self, make: Make[T, R], *, listener: Listener, lost: Lost[T, R]) -> AbstractContextManager[Pool[T, R]]:
        """Workers for the time of a ``with``. When it ends early, what they are at is given up.

        Args:
            make: makes the worker of each process.
            listener: is told in this process what the workers tell.
            lost: makes the result of an item whose process died, again when it was tried anew.
        """
        ...


class LocalExecutor:
    """In this process, one after the other."""

    def start(self, make: Make[T, R], *, listener: Listener, lost: Lost[T, R]) -> AbstractContextManager[Pool[T, R]]:
        return nullcontext(_Here(make(), listener))


class _Here(Pool[T, R]):
    def __init__(self, worker: Worker[T, R], listener: Listener) -> None:
        self._worker, self._listener = worker, listener

    def map(self, items: Sequence[T]) -> Iterator[R]:
        return (self._worker(item, self._listener) for item in items)


def in_order(results: Iterator[tuple[int, R]]) -> Iterator[R]:
    """The results by their numbers from 0, however they come."""
    early: dict[int, R] = {}
    wanted = 0
    for number, result in results:
        early[number] = result
        while wanted in early:
            yield early.pop(wanted)
            wanted += 1


def sparing(listener: Listener) -> Listener:
    """A listener that is told of progress a few times a second only: events of another process are not for free."""
    last = 0.0

    def tell(event: Event) -> None:
        nonlocal last
        if event.kind is EventKind.PROGRESS:
            now = time.monotonic()
            if now - last < _TELL_EVERY_SECONDS and event.completed != event.total:
                return
            last = now
        listener(event)

    return tell
