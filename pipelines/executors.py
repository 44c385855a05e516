"""Who works on the episodes of a season: one after the other here, or something larger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Works on many episodes. The work may be pickled and done elsewhere; it raises nothing but what stops the run."""

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """The results, in the order of ``items``, each as soon as it and those before it are there."""
        ...


class LocalExecutor:
    """In this process, one after the other."""

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        return map(work, items)
