"""What a page of a review asks for, checked: a decision that can be kept, or an error in words. Pure."""

from __future__ import annotations

import datetime
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from yuki_builder.corpus.review.history import Act, Kind
from yuki_builder.corpus.review.messages import ReviewError
from yuki_builder.corpus.tables.edits_csv import MARKS
from yuki_builder.records import Line

_LONGEST_NAME, _LONGEST_TEXT = 200, 4000
_SHORTEST_MS = 20  # of a line that is added or cut off
_LATEST_MS = 1 << 31
_VALUES = ("kind", "lines", "value", "new_name", "start_ms", "end_ms", "target", "episode", "second", "cut_ms")


def kind_of(request: Mapping[str, Any]) -> Kind:
    """What kind of decision is asked for.

    Raises:
        InputError: none that a page may take.
    """
    try:
        kind = Kind(request.get("kind", ""))
    except ValueError as e:
        raise ReviewError("unknown_decision", request.get("kind")) from e
    if kind in (Kind.UNDO, Kind.REDO, Kind.APPLIED):
        raise ReviewError("unknown_decision", str(kind))
    return kind


def act_of(author: str, number: int, values: Mapping[str, Any]) -> Act:
    """An act of an author, now; other keys than those of acts are passed over.

    Args:
        author: who decides.
        number: of the act.
        values: what the act holds.

    Raises:
        InputError: a value is of another kind than it should be, or a text is too long.
    """
    data = {name: values[name] for name in _VALUES if values.get(name) is not None}
    is_text = data.get("kind") in (Kind.TEXT, Kind.ADD, Kind.CUT)
    for name in ("value", "new_name", "second"):
        if name in data:
            data[name] = _clean(data[name], _LONGEST_TEXT if is_text else _LONGEST_NAME, keep_breaks=is_text)
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    try:
        return Act.from_dict({**data, "number": number, "author": author[:64], "at": at})
    except (ValueError, TypeError, KeyError) as e:
        raise ReviewError("malformed_decision", e) from e


def check(act: Act) -> None:
    """Whether a decision about lines that are there makes sense.

    Raises:
        InputError: it makes none.
    """
    kind, value = act.kind, act.value
    problem: tuple[str, ...] = ()
    if kind is Kind.RENAME:
        if not (value and act.new_name) or value == act.new_name:
            problem = ("no_new_name",)
    elif not act.lines:
        problem = ("no_lines_meant",)
    elif kind in (Kind.MARK, Kind.UNMARK) and value not in MARKS:
        problem = ("unknown_mark", value)
    elif kind in (Kind.TEXT, Kind.TIMES) and len(act.lines) != 1:
        problem = ("one_line_at_a_time",)
    elif kind is Kind.TIMES and not _is_time_or_none(act.start_ms, act.end_ms):
        problem = ("end_before_start",)
    if problem:
        raise ReviewError(*problem)


def _is_time_or_none(start_ms: int | None, end_ms: int | None) -> bool:
    return start_ms is None or (end_ms is not None and 0 <= start_ms < end_ms < _LATEST_MS)


def cut(act: Act, line: Line) -> Act:
    """A cut of a line in two, with the id of what is behind it.

    Raises:
        InputError: the cut is outside of the line, or a part has no words.
    """
    act = replace(act, episode=line.episode_id, start_ms=line.start_ms, end_ms=line.end_ms)
    if act.cut_ms is None or not line.start_ms + _SHORTEST_MS <= act.cut_ms <= line.end_ms - _SHORTEST_MS:
        raise ReviewError("cut_outside")
    return _with_new_line(act, act.cut_ms, act.second)


def addition(act: Act, episode_id: str) -> Act:
    """A line that is added to an episode, with its id.

    Raises:
        InputError: it has no words, or ends before it begins.
    """
    act = replace(act, episode=episode_id, lines=())
    if act.start_ms is None or act.end_ms is None or not 0 <= act.start_ms <= act.end_ms - _SHORTEST_MS < _LATEST_MS:
        raise ReviewError("end_before_start")
    return _with_new_line(act, act.start_ms, act.value)


def _with_new_line(act: Act, first_ms: int, text: str) -> Act:
    if not (act.value and text):
        raise ReviewError("no_words")
    told = f"{act.author}|{act.at}|{act.number}|{text}".encode("utf-8", "surrogatepass")
    line_id = f"{act.episode}-{first_ms:08d}-{hashlib.sha256(told).hexdigest()[:8]}"
    return replace(act, lines=(*act.lines, line_id))


def _clean(text: Any, longest: int, *, keep_breaks: bool) -> str:
    if not isinstance(text, str):
        raise ReviewError("not_a_text")
    text = unicodedata.normalize("NFC", text)
    rows = ["".join(c if c.isprintable() else " " for c in row).strip() for row in text.splitlines()]
    joined = "\n".join(rows).strip() if keep_breaks else " ".join(" ".join(rows).split())
    if len(joined) > longest:
        raise ReviewError("too_long", longest)
    return joined
