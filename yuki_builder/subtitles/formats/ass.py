"""Advanced SubStation Alpha and its older form SSA: one event a row, in the columns that the file names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source

_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_SYNONYMS = {"actor": "name", "marked": "layer"}
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
        fields: Sequence[str] = _FIELDS
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
                fields = named if named[-1:] == ("text",) and {"start", "end"} <= set(named) else _FIELDS
                continue
            event = _event(fields, rest.strip().split(",", len(fields) - 1), is_comment=kind == "comment")
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


def _event(fields: Sequence[str], values: Sequence[str], *, is_comment: bool) -> Event | None:
    if len(values) < len(fields):
        return None
    row = dict(zip(fields, values, strict=False))
    start_ms, end_ms = _ms(row["start"]), _ms(row["end"])
    if start_ms is None or end_ms is None:
        return None
    return Event(
        start_ms,
        end_ms,
        row["text"],
        style=row.get("style", "").strip() or "Default",
        actor=row.get("name", "").strip(),
        effect=row.get("effect", "").strip(),
        is_comment=is_comment,
    )


def _ms(time: str) -> int | None:
    match = _TIME.match(time)
    if match is None:
        return None
    sign, hours, minutes, seconds, decimals = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return (-1 if sign else 1) * (whole * 1000 + int((decimals or "0").ljust(3, "0")))
