"""What people decided about lines, as a history: acts one after the other, undo and redo, and what they amount to.

Pure. Nothing is ever taken out of a history: to undo is an act of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from yuki_builder.corpus.tables.edits_csv import NOBODY, NOT_SPEECH, UNUSABLE
from yuki_builder.records import Record

T = TypeVar("T")


class Kind(enum.StrEnum):
    """What an act does."""

    ASSIGN = "assign"  # lines: the character who says them; an empty value takes the decision back
    MARK = "mark"  # lines: value is a mark of corrections.csv
    UNMARK = "unmark"
    TEXT = "text"  # one line: its words; an empty value gives the first ones back
    TIMES = "times"  # one line: its start and end; without them, the first ones again
    ADD = "add"  # one line that the subtitles lack: its episode, words, start and end; without words it goes again
    CUT = "cut"  # a line and the new one behind it: the words of both, where the first begins, the cut, and the end
    RENAME = "rename"  # value: a character's name; new_name: what it is called from now on
    UNDO = "undo"  # target: the number of an act
    REDO = "redo"
    APPLIED = "applied"  # value: the episodes were brought up to date


@dataclass(frozen=True, slots=True)
class Act(Record):
    """One act of a person.

    Attributes:
        number: its place in the history, from 1.
        author: which browser, or file, it came from.
        kind: what it does.
        lines: the lines that it concerns.
        value, new_name, start_ms, end_ms, target, episode, second, cut_ms: as ``kind`` says.
        at: when, as ISO 8601 in UTC.
    """

    number: int
    author: str
    kind: Kind
    lines: tuple[str, ...] = ()
    value: str = ""
    new_name: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    target: int | None = None
    at: str = ""
    episode: str = ""
    second: str = ""
    cut_ms: int | None = None

    @property
    def is_decision(self) -> bool:
        return self.kind not in (Kind.UNDO, Kind.REDO, Kind.APPLIED)


@dataclass(frozen=True, slots=True)
class Added:
    """A line that a person added, as it was then."""

    episode: str
    text: str
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Decisions:
    """What a history amounts to; by line id.

    Attributes:
        names: who says the line.
        marks: what it is not (``corrections.csv``).
        texts, times: its words, its start and end.
        renames: what a character is called, by the name that the corpus has.
        added: lines that the subtitles lack.
        changed_by: the number and the author of the last act that concerns a line.
    """

    names: dict[str, str] = field(default_factory=dict)
    marks: dict[str, frozenset[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    added: dict[str, Added] = field(default_factory=dict)
    changed_by: dict[str, tuple[int, str]] = field(default_factory=dict)

    def is_decided(self, line_id: str) -> bool:
        """Whether a person said who speaks, or that it is no speech to name."""
        return line_id in self.names or bool(self.marks.get(line_id, frozenset()) & {NOBODY, NOT_SPEECH})

    def do(self, act: Act) -> None:
        """Take an act into account."""
        for line_id in act.lines:
            _TO_LINE[act.kind](self, line_id, act)
            self.changed_by[line_id] = (act.number, act.author)
        if act.kind is Kind.RENAME:
            self._rename(act.value, act.new_name)

    def _rename(self, old: str, new: str) -> None:
        self.renames = {name: new if now == old else now for name, now in self.renames.items()}
        self.renames[old] = new
        self.renames.pop(new, None)  # a name that is in use again stands for itself
        for line_id, name in self.names.items():
            if name == old:
                self.names[line_id] = new

    def assign(self, line_id: str, act: Act) -> None:
        """A name takes away what contradicts it."""
        if act.value:
            self.names[line_id] = act.value
            self._without(line_id, {NOBODY, NOT_SPEECH})
        else:
            self.names.pop(line_id, None)
            self._without(line_id, {NOBODY})

    def mark(self, line_id: str, act: Act) -> None:
        """A line of nobody, or that is no speech, has no name."""
        if act.value != UNUSABLE:
            self.names.pop(line_id, None)
            self._without(line_id, {NOBODY, NOT_SPEECH})
        self.marks[line_id] = self.marks.get(line_id, frozenset()) | {act.value}

    def unmark(self, line_id: str, act: Act) -> None:
        """The mark is taken off."""
        self._without(line_id, {act.value})

    def set_text(self, line_id: str, act: Act) -> None:
        """The words of a line."""
        _set(self.texts, line_id, act.value or None)

    def set_times(self, line_id: str, act: Act) -> None:
        """The start and end of a line."""
        times = None if act.start_ms is None or act.end_ms is None else (act.start_ms, act.end_ms)
        _set(self.times, line_id, times)

    def add(self, line_id: str, act: Act) -> None:
        """A line that is not in the subtitles."""
        there = act.value and act.start_ms is not None and act.end_ms is not None
        _set(self.added, line_id, Added(act.episode, act.value, act.start_ms or 0, act.end_ms or 0) if there else None)

    def cut(self, line_id: str, act: Act) -> None:
        """The first half is the line, the second one is added."""
        if act.start_ms is None or act.end_ms is None or act.cut_ms is None:
            return
        if line_id == act.lines[0]:
            self.texts[line_id], self.times[line_id] = act.value, (act.start_ms, act.cut_ms)
        else:
            self.added[line_id] = Added(act.episode, act.second, act.cut_ms, act.end_ms)

    def _without(self, line_id: str, marks: Collection[str]) -> None:
        _set(self.marks, line_id, self.marks.get(line_id, frozenset()) - frozenset(marks) or None)


def _set(table: dict[str, T], key: str, value: T | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


_TO_LINE = {
    Kind.ASSIGN: Decisions.assign,
    Kind.MARK: Decisions.mark,
    Kind.UNMARK: Decisions.unmark,
    Kind.TEXT: Decisions.set_text,
    Kind.TIMES: Decisions.set_times,
    Kind.ADD: Decisions.add,
    Kind.CUT: Decisions.cut,
}


def undone(history: Iterable[Act]) -> set[int]:
    """The numbers of the acts that are undone."""
    off: set[int] = set()
    for act in history:
        if act.target is not None:
            (off.add if act.kind is Kind.UNDO else off.discard)(act.target)
    return off


def decisions(history: Sequence[Act]) -> Decisions:
    """What all acts amount to that are not undone."""
    off = undone(history)
    by_number = {act.number: act for act in history}
    result = Decisions()
    for act in history:
        if act.is_decision and act.number not in off:
            result.do(act)
        elif act.target in by_number:
            # What is undone is a change too: who decides on what they saw before it has to look again.
            for line_id in by_number[act.target].lines:
                result.changed_by[line_id] = (act.number, act.author)
    return result


def next_undo(history: Iterable[Act], authors: Collection[str] | None = None) -> int | None:
    """The act that undo takes back: the latest of these authors (None: of all) that is not undone."""
    done, _ = _stacks(history, authors)
    return done[-1] if done else None


def next_redo(history: Iterable[Act], authors: Collection[str] | None = None) -> int | None:
    """The act that redo does again: the last one undone, unless something new was done since."""
    _, off = _stacks(history, authors)
    return off[-1] if off else None


def _stacks(history: Iterable[Act], authors: Collection[str] | None) -> tuple[list[int], list[int]]:
    done: list[int] = []
    off: list[int] = []
    for act in history:
        if act.is_decision and (authors is None or act.author in authors):
            done.append(act.number)
            off.clear()
        elif act.kind is Kind.UNDO and act.target in done:
            done.remove(act.target)
            off.append(act.target)
        elif act.kind is Kind.REDO and act.target in off:
            off.remove(act.target)
            done.append(act.target)
    return done, off


def episodes_to_apply(
    history: Sequence[Act], episode_of: Mapping[str, str], saying: Mapping[str, set[str]]
) -> set[str]:
    """The episodes that acts concern since they were last brought up to date.

    Args:
        history: all acts.
        episode_of: the episode of a line.
        saying: the episodes in which a name is said to speak.
    """
    by_number = {act.number: act for act in history}
    open_: set[str] = set()
    for act in history:
        if act.kind is Kind.APPLIED:
            open_ -= set(act.lines)
            continue
        meant = act if act.target is None else by_number.get(act.target, act)
        open_ |= {episode_of[line_id] for line_id in meant.lines if line_id in episode_of}
        if meant.episode:
            open_.add(meant.episode)
        if meant.kind is Kind.RENAME:
            open_ |= saying.get(meant.value, set()) | saying.get(meant.new_name, set())
    return open_
