"""Public functions say what they take and what they raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("yuki_builder", "video_preprocessing", "pipelines")
MANY = 3


@dataclass(frozen=True)
class Function:
    path: Path
    node: ast.FunctionDef
    names: tuple[str, ...]
    described_at: ast.Module | ast.ClassDef | ast.FunctionDef

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.described_at) or ""

    @property
    def described(self) -> set[str]:
        """The parameters under ``Args``."""
        section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", self.doc, re.MULTILINE)
        entries = re.findall(r"^    (\w+(?:, \w+)*):", section[1], re.MULTILINE) if section else []
        return {name for entry in entries for name in entry.split(", ")}

    @property
    def raises(self) -> bool:
        """Whether an error is made in its body, nested functions left out."""
        return any(isinstance(found, ast.Raise) and found.exc is not None for found in walk(self.node))

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.node.lineno} {self.node.name}({', '.join(self.names)})"


def walk(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from walk(child)


def functions() -> Iterator[Function]:
    """Public functions, methods and constructors of many parameters."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from public(path, ast.parse(path.read_text(encoding="utf-8")))


def public(path: Path, scope: ast.Module | ast.ClassDef) -> Iterator[Function]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(path, node)
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            every = (*node.args.posonlyargs, *node.args.args, node.args.vararg, *node.args.kwonlyargs)
            names = tuple(each.arg for each in every if each is not None and each.arg not in ("self", "cls"))
            if len(names) >= MANY:
                # What a constructor takes stands where the class is described.
                yield Function(path, node, names, scope if node.name == "__init__" else node)


def test_parameters_are_described() -> None:
    """Each one, unless a function beside it takes the same ones and describes them, or it says where they are."""
    every = list(functions())
    known = {(each.path.parent, each.names) for each in every if each.described >= set(each.names)}
    missing = [
        str(each)
        for each in every
        if not each.described >= set(each.names)
        and (each.path.parent, each.names) not in known
        and not re.search(r"\b(?:[Ss]ee|as those of) :func:", each.doc)
    ]
    assert len(every) > 200
    assert not missing, "\n".join(missing)


def test_errors_are_described() -> None:
    missing = [str(each) for each in functions() if each.raises and "Raises:" not in each.doc]
    assert not missing, "\n".join(missing)


def test_shapes_of_arrays_are_told() -> None:
    kinds = re.compile(r"Array|Tensor")
    missing = [
        f"{each}: {parameter.arg}"
        for each in functions()
        for parameter in (*each.node.args.args, *each.node.args.kwonlyargs)
        if parameter.annotation is not None
        and kinds.search(ast.unparse(parameter.annotation))
        and each.doc  # a method that a protocol describes has none
        and not re.search(r"[Ss]hape|\(|[Ss]ee :func:", each.doc)
    ]
    assert not missing, "\n".join(missing)


def test_what_is_described_is_there() -> None:
    wrong = [f"{each}: {extra}" for each in functions() if (extra := each.described - set(each.names))]
    assert not wrong, "\n".join(wrong)
