"""What a review keeps in the output folder: the history, and the tables that the next run reads."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.atomic import sync_folder, write_atomically
from yuki_builder.corpus.review.history import Act, Added, Decisions
from yuki_builder.corpus.tables.edits_csv import ADDED, MARKS, LineEdit, read_edits, write_edits
from yuki_builder.corpus.tables.labels_csv import Correction, clock, read_labels, write_labels
from yuki_builder.errors import InputError
from yuki_builder.records import Line
from yuki_builder.untrusted import parse_json, read_json

HISTORY, SAVED = "history.jsonl", "saved.json"


class HistoryFile:
    """Acts, one a row of JSON; a row is only ever added. A row that a crash cut short is nobody's decision."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Act]:
        """All acts.

        Raises:
            InputError: a row that is no act stands between others.
        """
        if not self._path.exists():
            return []
        rows = self._path.read_bytes().split(b"\n")
        acts: list[Act] = []
        for number, row in enumerate(rows, 1):
            if not row.strip():
                continue
            try:
                acts.append(Act.from_dict(parse_json(row)))
            except (ValueError, KeyError, TypeError) as e:
                if _is_cut_short(row):
                    continue
                remedy = "move it away to begin a new history; labels.csv and corrections.csv stay"
                raise InputError(f"row {number} is not a decision ({e})", where=self._path, remedy=remedy) from e
        return acts

    def add(self, acts: Sequence[Act]) -> None:
        """Append acts, durably."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        with self._path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # an earlier row was cut short
            file.write(b"".join(json.dumps(act.to_dict(), ensure_ascii=False).encode() + b"\n" for act in acts))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self._path.parent)


def _is_cut_short(row: bytes) -> bool:
    return row.lstrip().startswith(b"{") and not row.rstrip().endswith(b"}")


@dataclass(frozen=True, slots=True)
class TablePaths:
    """Where the tables of an output folder are."""

    labels: Path
    corrections: Path
    renames: Path
    saved: Path


class Tables:
    """``labels.csv``, ``corrections.csv`` and the renamed characters: what the decisions amount to, and rows of others.

    Rows about lines that are not in this corpus stay as they are, before the others.
    """

    def __init__(self, paths: TablePaths) -> None:
        self._paths = paths
        self._foreign_labels: list[tuple[str, ...]] = []
        self._foreign_edits: list[LineEdit] = []

    def changed_by_others(self) -> bool:
        """Whether the tables are not as a review left them."""
        try:
            return bool(read_json(self._paths.saved) != self._digests())
        except (OSError, ValueError):
            return self._paths.labels.exists() or self._paths.corrections.exists()

    def read(
        self, lines: Mapping[str, Line], episodes: Collection[str] = ()
    ) -> tuple[dict[str, str], dict[str, LineEdit]]:
        """What the tables say of these lines, by line id: names, and edits; and of those added to these episodes.

        Raises:
            InputError: a table of another form.
        """
        at = {(x.episode_id, clock(x.start_ms), clock(x.end_ms)): x.line_id for x in lines.values()}
        names: dict[str, str] = {}
        self._foreign_labels = []
        for row in read_labels(self._paths.labels):
            line_id = row[5] if row[5] in lines else at.get((row[4], row[2], row[3])) if not row[5] else None
            if line_id is None or not row[0].strip():
                self._foreign_labels.append(row)
            else:
                names[line_id] = row[0]
        edits = read_edits(self._paths.corrections) if self._paths.corrections.exists() else {}
        own = {
            key: edit
            for key, edit in edits.items()
            if key in lines or (ADDED in edit.marks and edit.episode_id in episodes)
        }
        self._foreign_edits = [edit for key, edit in edits.items() if key not in own]
        return names, own

    def write(self, decided: Decisions, lines: Mapping[str, Line]) -> None:
        """Bring the tables up to date, each in one step.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        rows = [*self._foreign_labels, *label_rows(decided, lines)]
        _replace(self._paths.labels, rows, lambda: write_labels(rows, self._paths.labels))
        edits = [*self._foreign_edits, *line_edits(decided, lines)]
        _replace(self._paths.corrections, edits, lambda: write_edits(edits, self._paths.corrections))
        renames = renames_toml(decided.renames)
        _replace(self._paths.renames, renames, lambda: write_atomically(self._paths.renames, renames))
        write_atomically(self._paths.saved, json.dumps(self._digests()))

    def _digests(self) -> dict[str, str | None]:
        return {path.name: _digest(path) for path in (self._paths.labels, self._paths.corrections)}


def _replace(path: Path, content: object, write) -> None:  # type: ignore[no-untyped-def]
    """A table that says nothing is not there."""
    if content:
        write()
    elif path.exists():
        path.unlink()
        sync_folder(path.parent)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def label_rows(decided: Decisions, lines: Mapping[str, Line]) -> list[tuple[str, ...]]:
    """The rows of ``labels.csv``, in the order of episodes and time. Pure."""
    said = sorted((lines[key] for key in decided.names.keys() & lines.keys()), key=_order)
    return [
        Correction(x.episode_id, x.start_ms, x.end_ms, x.text, decided.names[x.line_id], x.line_id).row for x in said
    ]


def line_edits(decided: Decisions, lines: Mapping[str, Line]) -> list[LineEdit]:
    """The rows of ``corrections.csv``, in the order of episodes and time. Pure."""
    known = decided.marks.keys() | decided.texts.keys() | decided.times.keys() | decided.added.keys()
    keys = known & lines.keys()
    edits = []
    for line in sorted((lines[key] for key in keys), key=_order):
        added = decided.added.get(line.line_id)
        first = (None, None) if added is None else (added.start_ms, added.end_ms)
        start_ms, end_ms = decided.times.get(line.line_id, first)
        here = decided.marks.get(line.line_id, frozenset())
        marks = tuple(mark for mark in MARKS if mark in here) + (() if added is None else (ADDED,))
        text = decided.texts.get(line.line_id, None if added is None else added.text)
        edits.append(LineEdit(line.episode_id, line.line_id, text, start_ms, end_ms, marks))
    return edits


def _order(line: Line) -> tuple[str, int, str]:
    return line.episode_id, line.start_ms, line.line_id


def renames_toml(renames: Mapping[str, str]) -> str:
    """As a file of aliases: the name to keep, and what else the character was called. Pure."""
    kept: dict[str, list[str]] = {}
    for old, new in sorted(renames.items()):
        kept.setdefault(new, []).append(old)
    out = io.StringIO()
    for new, olds in kept.items():
        out.write(f"{_quoted(new)} = [{', '.join(map(_quoted, olds))}]\n")
    return out.getvalue()


def _quoted(text: str) -> str:
    # A JSON string is a basic string of TOML, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _says(edit: LineEdit) -> tuple[object, ...]:
    return edit.text, edit.start_ms, edit.end_ms


def _says_now(added: Added, decided: Decisions, line_id: str) -> tuple[object, ...]:
    times = decided.times.get(line_id, (added.start_ms, added.end_ms))
    return (decided.texts.get(line_id, added.text), *times)


def differences(
    decided: Decisions, names: Mapping[str, str], edits: Mapping[str, LineEdit], lines: Iterable[str]
) -> list[dict[str, object]]:
    """What acts would make the decisions say what the tables say; without numbers and authors. Pure.

    Args:
        decided: what the history says.
        names: the character of each line by the table of labels.
        edits: the table of corrections, by line id.
        lines: ids of all lines that are there.
    """
    acts: list[dict[str, object]] = []
    nothing = LineEdit("", "")
    for line_id, edit in edits.items():
        if ADDED in edit.marks and line_id not in decided.added:
            times_ms = {"start_ms": edit.start_ms, "end_ms": edit.end_ms}
            acts.append({"kind": "add", "lines": [line_id], "episode": edit.episode_id, "value": edit.text, **times_ms})
    for line_id in dict.fromkeys([*lines, *edits]):
        edit = edits.get(line_id, nothing)
        name, before = names.get(line_id, ""), decided.names.get(line_id, "")
        marks, had = frozenset(edit.marks) - {ADDED}, decided.marks.get(line_id, frozenset())
        acts += [{"kind": "unmark", "lines": [line_id], "value": mark} for mark in sorted(had - marks)]
        acts += [{"kind": "mark", "lines": [line_id], "value": mark} for mark in sorted(marks - had)]
        if name != before and not (name and marks - {"unusable"}):
            acts.append({"kind": "assign", "lines": [line_id], "value": name})
        added = decided.added.get(line_id)
        if added is not None and ADDED not in edit.marks:
            acts.append({"kind": "add", "lines": [line_id], "episode": added.episode, "value": ""})
            continue
        if ADDED in edit.marks and (added is None or _says(edit) == _says_now(added, decided, line_id)):
            continue
        if (edit.text or "") != decided.texts.get(line_id, ""):
            acts.append({"kind": "text", "lines": [line_id], "value": edit.text or ""})
        times = None if edit.start_ms is None or edit.end_ms is None else (edit.start_ms, edit.end_ms)
        if times != decided.times.get(line_id):
            start_ms, end_ms = times or (None, None)
            acts.append({"kind": "times", "lines": [line_id], "start_ms": start_ms, "end_ms": end_ms})
    return acts
