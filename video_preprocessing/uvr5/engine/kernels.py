"""Which code computes the convolutions on CPUs: minimal filtering in C, or PyTorch's own.

A wheel holds the library of ``winograd.c`` for the usual processors, and PyTorch says which of them this one is. From a
source tree, or on another processor, it is compiled for this machine at its first use, in about two seconds, and kept
in the user's cache under a name that holds the source, the compiler and the processor. Without a compiler, with
``YUKI_NATIVE=0``, or where the result is not that of PyTorch, PyTorch computes: the same, at about half the speed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from video_preprocessing.uvr5.checkpoints.downloads import cache_folder
from video_preprocessing.uvr5.engine.compilation import (
    BUILDS,
    SOURCE,
    CompilationError,
    build_native,
    compiler_version,
    find_compiler,
)
from video_preprocessing.uvr5.engine.winograd import Kernels, WinogradConv2d

_TOLERANCE = 1e-4
PREBUILT = SOURCE.parent


@dataclass(frozen=True, slots=True)
class Engine:
    """What computes the convolutions of networks in single precision on this machine's processor.

    Attributes:
        name: in words, with the reason where it is the slower one.
        kernels: of minimal filtering; None: PyTorch computes.
    """

    name: str
    kernels: Kernels | None


def kernels() -> Kernels | None:
    """The code of minimal filtering, built now if it never was; None where it cannot be had, or is not wanted."""
    return engine().kernels


@functools.cache
def engine() -> Engine:
    """The fastest that there is here."""
    if os.environ.get("YUKI_NATIVE", "1") == "0":
        return _slow("YUKI_NATIVE=0")
    if sys.platform == "win32":
        return _slow("the faster code is not made for Windows")
    return _prebuilt() or _compiled()


def _slow(reason: str) -> Engine:
    return Engine(f"PyTorch ({reason})", None)


def _prebuilt() -> Engine | None:
    """The library that the wheel brought for this processor."""
    machine, capability = platform.machine(), torch.backends.cpu.get_cpu_capability()
    for build in BUILDS:
        if build.runs_on(machine, capability) and (PREBUILT / build.file_name).is_file():
            with contextlib.suppress(OSError, AttributeError):  # of another system
                found = Kernels(PREBUILT / build.file_name)
                if _agrees(found):
                    return Engine(f"minimal filtering, {build.name}", found)
    return None


def _compiled() -> Engine:
    """The library for this very machine, or the reason why there is none."""
    compiler = find_compiler()
    if not compiler:
        return _slow("no C compiler found for the faster code; install gcc or clang")
    try:
        built = _built(compiler)
    except (OSError, AttributeError, CompilationError):
        return _slow(f"{compiler[0]} did not build the faster code")
    if not _agrees(built):
        return _slow(f"the faster code that {compiler[0]} built computes something else")
    return Engine("minimal filtering, compiled on this machine", built)


def _built(compiler: list[str]) -> Kernels:
    """The library from the user's cache, built first where it is not there.

    Raises:
        OSError: the compiler does not run, or what it made cannot be loaded.
        AttributeError: what it made is not the library of this source.
        CompilationError: it does not compile.
    """
    parts = [SOURCE.read_bytes(), compiler_version(compiler), _processor().encode()]
    name = f"winograd-{hashlib.sha256(bytes(1).join(parts)).hexdigest()[:16]}.so"
    folder = cache_folder() / "kernels"
    with contextlib.suppress(OSError, AttributeError):  # not there, or not whole
        return Kernels(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=folder)
    except OSError:  # a home that cannot be written to: for this process alone
        with tempfile.TemporaryDirectory() as private:
            return Kernels(build_native(compiler, Path(private) / name, SOURCE))
    with scratch:
        # Whole or not at all, however many processes build it.
        return Kernels(build_native(compiler, Path(scratch.name) / name, SOURCE).replace(folder / name))


def _processor() -> str:
    """What the compiled code depends on: the machine's kind and what its processor can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        flags = platform.processor()
    return f"{platform.system()} {platform.machine()} {flags}"


def _agrees(found: Kernels) -> bool:
    """Whether it computes what PyTorch does, on an image of every kind of border."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        convolution = nn.Conv2d(21, 19, 3, padding=1)
        small, skip = torch.randn(1, 8, 7, 10), torch.randn(1, 13, 14, 20)
    enlarged = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=True)
    with torch.no_grad():
        wanted = F.leaky_relu(convolution(torch.cat([enlarged, skip], dim=1)), 0.01)
        both = [WinogradConv2d(convolution, 0.01, found, ahead=ahead).joined(small, skip) for ahead in (True, False)]
    return all(bool((wanted - got).abs().max() <= _TOLERANCE * wanted.abs().max()) for got in both)
