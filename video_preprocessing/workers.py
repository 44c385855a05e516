"""Batches of a network side by side, each on one thread of its own.

PyTorch shares the work of one layer out among its threads, which then wait for each other at every layer: small
networks lose a third of the time by that. Whole batches need not wait, and the last bit of what one thread computes
does not depend on how many threads there are.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
R = TypeVar("R")

MOST_WORKERS = 16
"""Memory grows with each: some 60 MB for a batch of CAM++."""


def map_batches(function: Callable[[T], R], batches: Iterable[T], *, device: torch.device) -> list[R]:
    """``function`` of each batch, in order.

    On a CPU as many run at once as PyTorch has threads, each on a single one, so that results have the same bits for
    any number of threads. On a GPU they run one after the other.

    Args:
        function: what the network does; called in other threads, so it must not change what it shares.
        batches: what it is called with.
        device: where the network lies.

    Raises:
        BaseException: what ``function`` raises, of the first batch that failed; none is running then.
    """
    if device.type != "cpu":
        return [function(batch) for batch in batches]
    import torch

    pool = workers(min(torch.get_num_threads(), MOST_WORKERS))
    running = [pool.submit(function, batch) for batch in batches]
    try:
        return [future.result() for future in running]
    except BaseException:
        for future in running:
            future.cancel()
        for future in running:
            if not future.cancelled():
                future.exception()
        raise


@functools.lru_cache(maxsize=4)
def workers(count: int, threads: int = 1) -> ThreadPoolExecutor:
    """Workers in which PyTorch uses few threads; everybody else's keep their number.

    Args:
        count: how many run at once.
        threads: of PyTorch, in each.
    """
    import torch

    before = torch.get_num_threads()
    all_there = threading.Barrier(count + 1)
    pool = ThreadPoolExecutor(count, thread_name_prefix="batches", initializer=_use_threads, initargs=(threads,))
    for _ in range(count):
        pool.submit(all_there.wait)
    all_there.wait()
    # The number is each thread's own, but threads that begin later take over the one that was set last.
    torch.set_num_threads(before)
    return pool


def _use_threads(count: int) -> None:
    import torch

    torch.get_num_threads()  # at its first use of PyTorch a thread takes over the common number: now, not later
    torch.set_num_threads(count)
