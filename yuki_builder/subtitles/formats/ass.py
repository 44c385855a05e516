"""Advanced SubStation Alpha and its older form SSA: one event a row, in the columns that the file names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source

_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_SYNONYMS = {"actor": "name", "marked": "layer"}
_PAIRS = {f"{number:02d}": number for number in range(100)} | {str(number): number for number in range(10)}
_PLACES = ((0, 1), (2, 4), (5, 7), (8, 10))
_TIME = re.compile(r"\s*(-?)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?\s*$")
_OLD = re.compile(r"^[ \t]*\[v4 styles\]", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(
    r"^[ \t]*(?:\[(?:script info|v4\+ styles|events)\]|(?:dialogue|comment):\s*(?:\d|marked=))",
    re.IGNORECASE | re.MULTILINE,
)


class Ass(Format):
    """ASS."""

    name = "ass"
    title = "Advanced SubStation Alpha"
    suffixes = (".ass",)
    is_ass = True

    def recognises(self, text: str) -> bool:
        return _SIGNATURE.search(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> Events:
        """All events; rows without readable times are counted as unreadable."""
        columns = _Columns.of(_FIELDS)
        events: list[Event] = []
        unreadable, in_events = 0, True
        for row in map(str.strip, source.text.split("\n")):
            if row.startswith("["):
                in_events = row[:8].lower() == "[events]"
            kind, colon, rest = row.partition(":")
            kind = kind.lower()
            if not colon or not in_events or kind not in ("format", "dialogue", "comment"):
                continue
            if kind == "format":
                named = tuple(_SYNONYMS.get(name, name) for name in map(str.strip, rest.lower().split(",")))
                columns = _Columns.of(named if named[-1:] == ("text",) and {"start", "end"} <= set(named) else _FIELDS)
                continue
            event = _event(columns, rest.strip().split(",", columns.count - 1), is_comment=kind == "comment")
            if event is None:
                unreadable += 1
            else:
                events.append(event)
        return Events(tuple(events), unreadable)


class Ssa(Ass):
    """SSA."""

    name = "ssa"
    title = "SubStation Alpha"
    suffixes = (".ssa",)

    def recognises(self, text: str) -> bool:
        return _OLD.search(text[:HEAD_CHARS]) is not None


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the fields of an event are; -1 for one that the file does not have. The text is the last."""

    count: int
    start: int
    end: int
    style: int
    actor: int
    effect: int

    @classmethod
    def of(cls, fields: Sequence[str]) -> _Columns:
        # Of a field that is there twice the last counts.
        place = {name: k for k, name in enumerate(fields)}
        return cls(len(fields), *(place.get(name, -1) for name in ("start", "end", "style", "name", "effect")))


def _event(columns: _Columns, values: Sequence[str], *, is_comment: bool) -> Event | None:
    if len(values) < columns.count:
        return None
    start_ms, end_ms = _ms(values[columns.start]), _ms(values[columns.end])
    if start_ms is None or end_ms is None:
        return None
    return Event(
        start_ms,
        end_ms,
        values[-1],
        style=(values[columns.style].strip() if columns.style >= 0 else "") or "Default",
        actor=values[columns.actor].strip() if columns.actor >= 0 else "",
        effect=values[columns.effect].strip() if columns.effect >= 0 else "",
        is_comment=is_comment,
    )


def _ms(time: str) -> int | None:
    """Milliseconds of a time in an event, or None where it is none."""
    if len(time) == 10 and time[1] == time[4] == ":" and time[7] == ".":  # as nearly all are written
        hours, minutes, seconds, fraction = (_PAIRS.get(time[k:j]) for k, j in _PLACES)
        if hours is not None and minutes is not None and seconds is not None and fraction is not None:
            return 3_600_000 * hours + 60_000 * minutes + 1000 * seconds + 10 * fraction
    return _any_ms(time)


def _any_ms(time: str) -> int | None:
    match = _TIME.match(time)
    if match is None:
        return None
    sign, hours, minutes, seconds, decimals = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return (-1 if sign else 1) * (whole * 1000 + int((decimals or "0").ljust(3, "0")))
