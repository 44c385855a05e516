"""The proof that a stage is done: by which recipe, and what it wrote; in memory and as a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pipelines.engine.fingerprints import hash_text
from yuki_builder.atomic import replacing
from yuki_builder.records import Record, StageReport
from yuki_builder.untrusted import parse_json

_SEAL = "sha256"
_MOST_BYTES_OF_A_MARK = 256 << 20  # a corpus of a thousand episodes has 300,000 files
_MARKS: dict[bytes, tuple[Mark, bool]] = {}
"""The latest marks, by the hash of their files: those of a large corpus take seconds to parse."""
_MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class Recipe(Record):
    """Everything that a stage's result depends on. Two equal recipes give the same bytes.

    Attributes:
        version: of the stage's own code.
        settings: the options that concern it, plain JSON values.
        packages: versions of the libraries that shape its result.
        inputs: content hash by name, of the user's files and of earlier stages' outputs.
        code: hash by module, of the code that makes the result.
        models: fingerprint by kind, of the networks that shape the result.
    """

    version: int
    settings: Mapping[str, Any]
    packages: Mapping[str, str]
    inputs: Mapping[str, str]
    code: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """In a few letters; safe as a name of a folder."""
        return hash_text(json.dumps(self.to_dict(), sort_keys=True))[:16]

    def difference(self, earlier: Recipe) -> str | None:
        """In a few words, what has changed since ``earlier``; None if nothing has."""
        return next(self._differences(earlier), None)

    def _differences(self, earlier: Recipe) -> Iterator[str]:
        if self.version != earlier.version:
            yield "this version of the program does it differently"
        for name, now, then in _changes(self.settings, earlier.settings):
            yield f"{name} is now {now}, was {then}"
        for name, now, then in _changes(self.models, earlier.models):
            yield f"the {name} is now {now}, was {then or 'not recorded'}"
        for name, now, then in _changes(self.packages, earlier.packages):
            yield f"{name} {then} became {now}"
        for name, now, then in _changes(self.inputs, earlier.inputs):
            yield f"{name} is {'new' if then is None else 'gone' if now is None else 'not what it was'}"
        for name, _, _ in _changes(self.code, earlier.code):
            yield f"this version of the program does it differently ({name})"


def _changes(now: Mapping[str, Any], then: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(now.keys() | then.keys()):
        if now.get(name) != then.get(name):
            yield name, now.get(name), then.get(name)


@dataclass(frozen=True, slots=True)
class OutputFile(Record):
    """One file that a stage wrote; ``path`` is relative to the output folder, with forward slashes."""

    path: str
    size_bytes: int
    mtime_ns: int
    sha256: str

    def __post_init__(self) -> None:
        # Marks are read back from a folder that anybody may have written to, and old outputs get deleted.
        parts = PurePosixPath(self.path).parts
        if not parts or self.path.startswith("/") or ".." in parts:
            raise ValueError(f"{self.path!r} is outside the output folder")


@dataclass(frozen=True, slots=True)
class Mark(Record):
    """The proof that a stage is done."""

    stage: str
    recipe: Recipe
    outputs: tuple[OutputFile, ...]
    report: StageReport


@dataclass(frozen=True, slots=True)
class Renames:
    """Stages and outputs that had other names in earlier versions of this program: today's name by the earlier one."""

    stages: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def of(self, mark: Mark) -> Mark:
        """A mark with today's names."""
        stage = self.stages.get(mark.stage, mark.stage)
        outputs = (replace(output, path=self.paths.get(output.path, output.path)) for output in mark.outputs)
        return Mark(stage, mark.recipe, tuple(outputs), replace(mark.report, stage=stage))


# A mark is JSON with one row for each output, which a reader takes one at a time: some have 300,000. The last row holds
# the seal, a hash of all that is before it.
_HEAD_END, _TAIL_START = b'"outputs": [\n', b'], "sha256": "'


def _mark_rows(mark: Mark) -> Iterator[bytes]:
    about = {"stage": mark.stage, "recipe": mark.recipe.to_dict(), "report": mark.report.to_dict()}
    yield json.dumps(about, allow_nan=False)[:-1].encode() + b", " + _HEAD_END
    last = len(mark.outputs) - 1
    for number, output in enumerate(mark.outputs):
        yield json.dumps(output.to_dict()).encode() + (b"\n" if number == last else b",\n")


def write_mark(path: Path, mark: Mark) -> None:
    """Write a mark, sealed, in the place of an earlier one."""
    seal = hashlib.sha256()
    with replacing(path) as temporary, temporary.open("wb") as file:
        for row in _mark_rows(mark):
            seal.update(row)
            file.write(row)
        file.write(_TAIL_START + f'{seal.hexdigest()}"}}\n'.encode())


def _seal(content: Any) -> str:
    return hash_text(json.dumps(content, sort_keys=True))


def read_mark(path: Path) -> Mark | None:
    """The mark in a file; None if there is none, or a damaged one: the stage is simply done again.

    A pending mark deletes and renames files, so that one without a seal is not believed.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > _MOST_BYTES_OF_A_MARK:
                raise ValueError("too large")
            digest = hashlib.file_digest(file, "sha256").digest()
            if digest not in _MARKS:
                file.seek(0)
                _MARKS[digest] = _parse_mark(file)
                while len(_MARKS) > _MOST_MARKS:
                    del _MARKS[next(iter(_MARKS))]
        mark, is_sealed = _MARKS[digest]
        return mark if is_sealed or path.suffix != ".pending" else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _parse_mark(file: BinaryIO) -> tuple[Mark, bool]:
    """A mark, and whether it has a seal.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is damaged.
    """
    head = file.readline(_MOST_BYTES_OF_A_MARK)
    if not head.endswith(_HEAD_END):
        return _parse_earlier_mark(head + file.read(_MOST_BYTES_OF_A_MARK))
    seal = hashlib.sha256(head)
    values = parse_json(head + b"]}")
    outputs: list[OutputFile] = []
    for row in file:
        if row.startswith(_TAIL_START):
            if row != _TAIL_START + f'{seal.hexdigest()}"}}\n'.encode() or file.read(1):
                raise ValueError("it is not what was sealed")
            return dataclasses.replace(Mark.from_dict(values), outputs=tuple(outputs)), True
        seal.update(row)
        outputs.append(OutputFile.from_dict(parse_json(row.removesuffix(b"\n").removesuffix(b","))))
    raise ValueError("it has no end")


def _parse_earlier_mark(content: bytes) -> tuple[Mark, bool]:
    """A mark as earlier versions wrote it."""
    values = parse_json(content)
    seal = values.pop(_SEAL, None)
    if seal not in (None, _seal(values)):
        raise ValueError("it is not what was sealed")
    return Mark.from_dict(values), seal is not None
