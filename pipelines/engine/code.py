"""What code a stage's result depends on, as a hash: changed code is noticed without anybody raising a number.

The hash covers a module and every module of this project that it imports, directly or not, late imports included.
Lines of comments and docstrings do not count. Nothing is imported to find it: the source files are read.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipelines", "video_preprocessing", "yuki_builder")
# The records' own tests hold what they read and write; every stage would depend on every one of them.
COMMON_GROUND = frozenset(
    f"yuki_builder{name}" for name in ("", ".atomic", ".errors", ".names", ".records", ".untrusted", ".version")
)
# Tables and kernels beside the code; weights count by their own hash.
_DATA_SUFFIXES = frozenset((".c", ".css", ".html", ".js", ".json"))


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
    text = source_file(module).read_text(encoding="utf-8")
    tree = ast.parse(text)
    imported = tuple(sorted({name for name in _names(tree) if name.split(".")[0] in PACKAGES}))
    idle = _docstring_lines(tree)
    lines = (line.rstrip() for number, line in enumerate(text.splitlines(), 1) if number not in idle)
    code = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return hashlib.sha256(code.encode()).hexdigest(), imported


@functools.cache
def _data_hash(folder: Path) -> str:
    """Of the files beside the code: tables, kernels, what pages are made of."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _DATA_SUFFIXES)
    return hashlib.sha256(b"\0".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def _names(tree: ast.Module) -> Iterator[str]:
    """The modules that are imported, but for type checkers only."""
    for node in _executed(tree.body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                is_module = (
                    node.module.split(".")[0] in PACKAGES and source_file(f"{node.module}.{alias.name}").exists()
                )
                yield f"{node.module}.{alias.name}" if is_module else node.module


def _executed(body: Sequence[ast.stmt], *, with_types: bool = False) -> Iterator[ast.stmt]:
    """The statements, and those within them; an import is a statement, so that expressions need no look.

    What type checkers alone see is left out, unless ``with_types``.
    """
    for statement in body:
        if isinstance(statement, ast.If) and not with_types and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        yield statement
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            for inner in getattr(statement, part, ()):
                if isinstance(inner, ast.stmt):
                    yield from _executed((inner,), with_types=with_types)
                else:  # an exception's handler, or a case of a match
                    yield from _executed(inner.body, with_types=with_types)


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in (tree, *_executed(tree.body, with_types=True)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines
