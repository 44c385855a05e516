"""SBV and SubViewer: a row of two times with a comma between, the text below it."""

from __future__ import annotations

import re
from itertools import pairwise

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source
from yuki_builder.subtitles.formats.open_ended import close
from yuki_builder.subtitles.formats.timing import milliseconds

_TIME = r"(-?)(\d{1,3}):(\d{1,2}):(\d{1,2})[.:](\d{1,6})"
_TIMING = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}\s*$")
_LIKE_A_TIMING = re.compile(r"\s*\d{1,3}:\d{1,2}:\S{1,12}\s*,\s*\S{1,20}\s*$")
_HEADER = re.compile(r"^\s*\[(?:INFORMATION|SUBTITLE|BEGIN)\]", re.IGNORECASE | re.MULTILINE)
_BREAK = re.compile(r"\[br\]", re.IGNORECASE)
_LONE_TIME = re.compile(r"\s*\[(\d{1,2}):(\d{1,2}):(\d{1,2})\]\s*$")


class Sbv(Format):
    """SBV, as YouTube gives captions away."""

    name = "sbv"
    title = "SBV (YouTube)"
    suffixes = (".sbv",)

    def recognises(self, text: str) -> bool:
        return any(_TIMING.match(row) for row in text[:HEAD_CHARS].split("\n"))

    def read(self, source: Source) -> Events:
        rows = source.text.split("\n")
        heads = [k for k, row in enumerate(rows) if _TIMING.match(row) or _LIKE_A_TIMING.match(row)]
        events, unreadable = [], 0
        for head, following in pairwise([*heads, len(rows)]):
            match = _TIMING.match(rows[head])
            if match is None:
                unreadable += 1
                continue
            text = _BREAK.sub("\n", "\n".join(rows[head + 1 : following])).strip("\n")
            events.append(Event(milliseconds(match.groups()[:5]), milliseconds(match.groups()[5:]), text))
        return Events(tuple(events), unreadable)


class SubViewer(Sbv):
    """SubViewer 2: the same rows of times below a header, ``[br]`` between lines."""

    name = "subviewer"
    title = "SubViewer"
    suffixes = (".sub",)

    def recognises(self, text: str) -> bool:
        head = text[:HEAD_CHARS]
        has_lone_times = sum(bool(_LONE_TIME.match(row)) for row in head.split("\n")) >= 2
        return (bool(_HEADER.search(head)) and (has_lone_times or super().recognises(text))) or has_lone_times

    def read(self, source: Source) -> Events:
        found = super().read(source)
        return found if found.events else _read_first_version(source)


def _read_first_version(source: Source) -> Events:
    """SubViewer 1: a time on its own row, the text below, an empty one where it goes."""
    lines: list[tuple[int, str]] = []
    start_ms: int | None = None
    for row in source.text.split("\n"):
        match = _LONE_TIME.match(row)
        if match:
            start_ms = ((int(match[1]) * 60 + int(match[2])) * 60 + int(match[3])) * 1000
            lines.append((start_ms, ""))
        elif start_ms is not None and row.strip():
            lines.append((start_ms, row.strip().replace("|", "\n")))
    return Events(close(lines))
