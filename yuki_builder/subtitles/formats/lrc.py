"""LRC: rows of a time and a text, as players of music show them; a line goes when the next one comes."""

from __future__ import annotations

import re

from yuki_builder.subtitles.events import Events
from yuki_builder.subtitles.formats.base import Format, Source, share_of_rows
from yuki_builder.subtitles.formats.open_ended import close

_TIME = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_ROW = re.compile(r"\s*(?:\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\]|\[[A-Za-z#]{1,12}:[^\[\]]*\]\s*$)")
_TIMED_ROW = re.compile(r"\s*((?:\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\]\s?){1,50})(.*)")
_TAG = re.compile(r"\s*\[([A-Za-z#]{1,12}):([^\[\]]*)\]\s*$")
_WORD_TIME = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>\s?")


class Lrc(Format):
    """LRC."""

    name = "lrc"
    title = "LRC"
    suffixes = (".lrc",)

    def recognises(self, text: str) -> bool:
        return share_of_rows(text, _ROW) >= 0.5 and any(_TIMED_ROW.match(row) for row in text[:10_000].split("\n"))

    def read(self, source: Source) -> Events:
        """All lines; one that is sung several times has several times. A positive offset shows them earlier."""
        lines: list[tuple[int, str]] = []
        offset_ms = unreadable = 0
        for row in source.text.split("\n"):
            tag, timed = _TAG.match(row), _TIMED_ROW.match(row)
            if timed:
                text = _WORD_TIME.sub("", timed[2]).strip()
                lines += [(_ms(*time), text) for time in _TIME.findall(timed[1])]
            elif tag:
                if tag[1].lower() == "offset" and re.fullmatch(r"[+-]?\d{1,7}", tag[2].strip()):
                    offset_ms = int(tag[2])
            else:
                unreadable += bool(row.strip())
        return Events(close((start_ms - offset_ms, text) for start_ms, text in lines), unreadable)


def _ms(minutes: str, seconds: str, decimals: str) -> int:
    return (int(minutes) * 60 + int(seconds)) * 1000 + int((decimals or "0").ljust(3, "0"))
