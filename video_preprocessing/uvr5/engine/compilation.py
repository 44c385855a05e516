"""Compiles ``winograd.c``: ahead, for the kinds of processor that a wheel serves, or at its first use for this machine.

``setup.py`` loads this file by its path, where nothing else of the project can be imported: it needs nothing but the
standard library.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class CompilationError(Exception):
    """The compiler does not run, or does not compile the source."""


SOURCE = Path(__file__).with_name("winograd.c")
_TIMEOUT_S = 120
# Tried in this order: the name of the native instruction set differs between compilers and processors.
_NATIVE: tuple[tuple[str, ...], ...] = (("-march=native",), ("-mcpu=native",), ())
_X86, _ARM = ("x86_64", "amd64"), ("aarch64", "arm64")


@dataclass(frozen=True)
class Build:
    """The library for one kind of processor.

    Attributes:
        name: of the instruction set, as people call it.
        machines: ``platform.machine()`` of the systems it is for, in lower case.
        capability: what PyTorch calls a processor that runs it; empty for every one of ``machines``.
        flags: of the compiler. They allow what PyTorch asks of the processor for ``capability``, and no more.
    """

    name: str
    machines: tuple[str, ...]
    capability: str
    flags: tuple[str, ...]

    @property
    def file_name(self) -> str:
        return f"winograd-{self.name.lower()}.so"

    def runs_on(self, machine: str, capability: str) -> bool:
        """Whether a processor runs it."""
        return machine.lower() in self.machines and capability.startswith(self.capability)


BUILDS = (
    Build("AVX-512", _X86, "AVX512", ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma")),
    Build("AVX2", _X86, "AVX2", ("-mavx2", "-mfma")),
    Build("NEON", _ARM, "", ()),
)


def find_compiler() -> list[str]:
    """The command of a C compiler, ``$CC`` first; empty where there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    return named or [path for path in map(shutil.which, ("cc", "gcc", "clang")) if path][:1]


def compiler_version(compiler: list[str]) -> bytes:
    """What it says of itself.

    Raises:
        CompilationError: it does not run.
    """
    return _run([*compiler, "--version"])


def build_native(compiler: list[str], path: Path, source: Path = SOURCE) -> Path:
    """The library for the processor of this machine, at ``path``.

    Args:
        compiler: its command.
        path: the library to make.
        source: the C file.

    Raises:
        CompilationError: the compiler does not run, or does not compile it.
    """
    for flags in _NATIVE:
        with contextlib.suppress(CompilationError):
            _compile(compiler, flags, source, path)
            return path
    raise CompilationError(f"{compiler[0]} does not compile {source.name}")


def build_ahead(folder: Path, machine: str | None = None) -> Iterator[Path]:
    """The libraries for all processors of a machine's kind, in ``folder``; none where no compiler makes them."""
    compiler, machine = find_compiler(), (machine or platform.machine()).lower()
    if not compiler or platform.system() == "Windows":
        return
    for build in BUILDS:
        path = folder / build.file_name
        if machine in build.machines:
            with contextlib.suppress(CompilationError):
                _compile(compiler, build.flags, SOURCE, path)
                yield path


def _compile(compiler: list[str], flags: tuple[str, ...], source: Path, path: Path) -> None:
    _run([*compiler, "-O3", *flags, "-std=gnu11", "-shared", "-fPIC", "-o", str(path), str(source)])


def _run(command: list[str]) -> bytes:
    """A compiler's run; it may name the user's own (``CC``), and sees nothing but our source."""
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError) as e:
        raise CompilationError(f"{command[0]}: {e}") from e
