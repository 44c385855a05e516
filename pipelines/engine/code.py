"""What code a stage's result depends on, as a hash: changed code is noticed without anybody raising a number.

The hash covers a module and every module of this project that it imports, directly or not, late imports included.
Lines of comments and docstrings do not count. Nothing is imported to find it: the source files are read, by patterns
that hold for code as ruff formats it. Python's own parser takes 0.8 s for the same; a test compares the two.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipelines", "video_preprocessing", "yuki_builder")
# The records' own tests hold what they read and write; every stage would depend on every one of them.
COMMON_GROUND = frozenset(
    f"yuki_builder{name}" for name in ("", ".atomic", ".errors", ".names", ".records", ".untrusted", ".version")
)
# Tables and kernels beside the code; weights count by their own hash.
_DATA_SUFFIXES = frozenset((".c", ".css", ".html", ".js", ".json"))

_DOCSTRING = re.compile(
    r"(\A(?:#.*\n)*|^[ \t]*(?:def |async def |class |\)).*:(?:[ \t]*#.*)?\n(?:[ \t]*(?:#.*)?\n)*)"
    r'[ \t]*[rR]?"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""[ \t]*$',
    re.MULTILINE,
)
_TYPE_CHECKING = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:(?:\1[ \t]+.*)?\n)*", re.MULTILINE)
_IMPORT = re.compile(
    r"^([ \t]*)(?:from ([\w.]+) import (\([^)]*\)|[^\n#]*)|import ([^\n#]*))",
    re.MULTILINE,
)


def code_fingerprint(module: str) -> str:
    """The hash of a module and of all that it imports of this project, in 16 hexadecimal digits.

    Raises:
        OSError: no such module.
    """
    digest = hashlib.sha256()
    names = sorted(_reachable(module))
    for name in names:
        digest.update(f"{name}\0{_parsed(name)[0]}\n".encode())
    for folder in sorted({source_file(name).parent for name in names}):
        digest.update(_data_hash(folder).encode())
    return digest.hexdigest()[:16]


def own_fingerprint(module: str) -> str:
    """The hash of a module alone."""
    return _parsed(module)[0][:16]


def _reachable(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in COMMON_GROUND:
            found.add(name)
            waiting += _parsed(name)[1]
    return found


def source_file(module: str) -> Path:
    """Where a module of this project is."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    """The module's own hash, and the project's modules that it imports."""
    text = _DOCSTRING.sub(r"\1", source_file(module).read_text(encoding="utf-8"))
    imported = tuple(sorted({name for name in _imported(text) if name.split(".")[0] in PACKAGES}))
    lines = (line.rstrip() for line in text.splitlines())
    code = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return hashlib.sha256(code.encode()).hexdigest(), imported


@functools.cache
def _data_hash(folder: Path) -> str:
    """Of the files beside the code: tables, kernels, what pages are made of."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _DATA_SUFFIXES)
    return hashlib.sha256(b"\0".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def _imported(text: str) -> Iterator[str]:
    """The modules that are imported, but for type checkers only."""
    for _, source, names, modules in _IMPORT.findall(_TYPE_CHECKING.sub("", text)):
        for name in (word.split()[0] for word in (names or modules).strip("()").split(",") if word.strip()):
            if not source:
                yield name
            else:
                is_module = source.split(".")[0] in PACKAGES and source_file(f"{source}.{name}").exists()
                yield f"{source}.{name}" if is_module else source
