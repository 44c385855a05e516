"""Formats of professional tools with timecodes of frames: Spruce STL and its like (DVD Studio Pro, Encore)."""

from __future__ import annotations

import re

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source, share_of_rows

_CODE = r"(\d{1,2}):(\d{2}):(\d{2})[:;.](\d{2})"
_ROW = re.compile(rf"\s*(?:\d{{1,6}}\s+)?{_CODE}(?:\s*,\s*|[ \t]+){_CODE}(?:\s*,\s*|[ \t]+|$)(.*)")
_SETTING = re.compile(r"\s*(?:\$\w{1,40}\s*=|//)")
_TOGGLE = re.compile(r"\^[BIUbiu]")


class SpruceStl(Format):
    """Spruce STL: ``00:00:01:10 , 00:00:03:00 , text``, the last part of a code in frames."""

    name = "spruce"
    title = "Spruce STL"
    suffixes = (".stl", ".txt")

    def recognises(self, text: str) -> bool:
        has_setting = any(_SETTING.match(row) for row in text[:HEAD_CHARS].split("\n"))
        share = share_of_rows(text, _ROW)
        return share >= 0.5 or (has_setting and share > 0)

    def read(self, source: Source) -> Events:
        """All cues. The frame rate is the video's; where it is unknown 25 a second, or 30 if a code needs it."""
        events: list[tuple[re.Match[str], list[str]]] = []
        unreadable = 0
        for row in source.text.split("\n"):
            match = _ROW.match(row)
            if match:
                events.append((match, [match[9]]))
            elif row.strip() and not _SETTING.match(row):
                if events and not re.match(r"\s*\d{1,2}:\d{2}", row):
                    events[-1][1].append(row.strip())
                else:
                    unreadable += 1
        highest = max((int(match[k]) for match, _ in events for k in (4, 8)), default=0)
        rate_hz = source.frame_rate_hz or 25.0
        rate_hz = max(rate_hz, 30.0 if highest >= rate_hz else 1.0)
        return Events(
            tuple(
                Event(
                    _ms(match.groups()[:4], rate_hz),
                    _ms(match.groups()[4:8], rate_hz),
                    _TOGGLE.sub("", "\n".join(rows)).replace("|", "\n").strip(),
                )
                for match, rows in events
            ),
            unreadable,
        )


def _ms(code: tuple[str | None, ...], rate_hz: float) -> int:
    hours, minutes, seconds, frames = (int(part or 0) for part in code)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + round(frames * 1000 / rate_hz)
