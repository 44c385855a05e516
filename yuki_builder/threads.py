"""Streams across threads: read ahead of the work, and written behind it.

Libraries of sound let go of Python's lock while they decode and encode, and so do networks while they compute.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_DEPTH = 2
_WAIT_SECONDS = 0.1


class _End:
    """Marks the end of a stream, and carries what ended it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Abandoned(Exception):
    """The other side is gone."""


class _Pipe:
    """A short queue between two threads; either side notices when the other one is gone."""

    def __init__(self, depth: int = _DEPTH) -> None:
        self.items: queue.Queue[object] = queue.Queue(depth)
        self.abandoned = threading.Event()

    def put(self, item: object) -> None:
        while not self.abandoned.is_set():
            try:
                self.items.put(item, timeout=_WAIT_SECONDS)
                return
            except queue.Full:
                continue
        raise _Abandoned

    def __iter__(self) -> Iterator[object]:
        while True:
            item = self.items.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item


def in_thread(items: Iterable[T], *, depth: int = _DEPTH) -> Generator[T]:
    """The same stream, made a little ahead in a thread of its own; its errors come out here.

    Where the stream reads a file that is closed afterwards, ``contextlib.closing`` around it ends the thread before.

    Args:
        items: read by the thread alone.
        depth: so many items wait at most, besides the one that is being made.
    """
    pipe = _Pipe(depth)

    def produce() -> None:
        try:
            error: BaseException | None = None
            try:
                for item in items:
                    pipe.put(item)
            except _Abandoned:
                raise
            except BaseException as e:
                error = e
            pipe.put(_End(error))
        except _Abandoned:
            pass

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        yield from pipe  # type: ignore[misc]
    finally:
        pipe.abandoned.set()
        thread.join()


def written_in_thread(items: Iterable[T], consumers: Sequence[Callable[[Iterator[T]], None]]) -> None:
    """Makes the stream here and lets every consumer have it all, each in a thread of its own.

    Raises:
        BaseException: what the stream or a consumer raises; everybody has then stopped.
    """
    pipes = [_Pipe() for _ in consumers]
    errors: list[BaseException] = []

    def consume(consumer: Callable[[Iterator[T]], None], pipe: _Pipe) -> None:
        try:
            consumer(iter(pipe))  # type: ignore[arg-type]
        except _Stopped:
            pass
        except BaseException as e:
            errors.append(e)
        finally:
            pipe.abandoned.set()

    threads = [threading.Thread(target=consume, args=pair, daemon=True) for pair in zip(consumers, pipes, strict=True)]
    for thread in threads:
        thread.start()
    end = _End()
    try:
        for item in items:
            for pipe in pipes:
                pipe.put(item)
    except _Abandoned:
        end = _End(_Stopped())
    except BaseException:
        end = _End(_Stopped())
        raise
    finally:
        for pipe, thread in zip(pipes, threads, strict=True):
            with contextlib.suppress(_Abandoned):
                pipe.put(end)
            thread.join()
    if errors:
        raise errors[0]


class _Stopped(Exception):
    """Ends a consumer whose stream broke off; it has not failed itself."""
