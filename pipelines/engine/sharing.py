"""One device that several processes of this machine use in turn."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


class SharedDevice:
    """A device for one process at a time. May be pickled: every process then waits for the same lock.

    The lock is the operating system's, so that a process that dies gives it up at once.

    Args:
        folder: of the lock, on a disk of this machine, that nobody else may write to.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = folder / "device.lock"

    @contextmanager
    def turn(
        self, release: Callable[[], None] = lambda: None, *, begin: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Wait until no other process is at it, and have it for the time of a ``with``.

        Args:
            release: called at the end, before the next one begins: gives back what the device still holds for nothing.
            begin: called before the wait: what takes long and little of the device, such as loading what drives it.
        """
        begin()
        with FileLock(self._lock):
            try:
                yield
            finally:
                release()


@contextmanager
def shared_device() -> Iterator[SharedDevice]:
    """A device to share, for the time of a ``with``; its lock lies in a private temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="yuki-device-"))
    try:
        yield SharedDevice(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def begin_with_gpu() -> None:
    """Load PyTorch and let it find the GPU: seconds in which another process may use it."""
    import torch

    if torch.cuda.is_available():
        torch.empty(1, device="cuda")


def release_memory() -> None:
    """Give the memory of a GPU back that PyTorch keeps for later, so that other processes find it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
