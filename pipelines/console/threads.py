"""How the threads of libraries work and wait for work; to be settled before these are loaded."""

from __future__ import annotations

from collections.abc import MutableMapping

# Rounds of libgomp's waiting loop, some tens of microseconds.
ROUNDS = "1000"


def wait_sparingly(environment: MutableMapping[str, str]) -> None:
    """Let idle threads go to sleep soon; to be called before PyTorch is loaded, with ``os.environ``.

    PyTorch's OpenMP library (GNU's on Linux) lets threads busy-wait for milliseconds before they sleep. With the
    machine to itself that saves little. Where another program wants the processor too, every layer of a network
    waits for threads that only wait: beside one busy process the demo took 150 s, and takes 15. What the user has
    set stays.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", ROUNDS)


def multiply_on_one_thread(environment: MutableMapping[str, str]) -> None:
    """Let NumPy's and SciPy's matrix products (OpenBLAS) use one thread; to be called likewise.

    What they multiply here is small, and the last bit of what several threads compute can depend on how many there
    are. PyTorch's products are not concerned. What the user has set stays.
    """
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
