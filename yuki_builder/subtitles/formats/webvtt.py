"""WebVTT: a blank row ends a cue; notes, styles, regions and identifiers are no text.

Colours that mark speakers become ``<font>``: the eight classes that the standard names (``<c.yellow>``), and
classes that a STYLE block gives a colour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import Format, Source
from yuki_builder.subtitles.formats.subrip import make_event
from yuki_builder.subtitles.formats.timing import find_timing

_SIGNATURE = re.compile(r"\s*WEBVTT")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT|X-TIMESTAMP-MAP=)(?:\s|$|[A-Z=])")
_NAMED_COLORS = {
    "white": "#ffffff",
    "lime": "#00ff00",
    "cyan": "#00ffff",
    "red": "#ff0000",
    "yellow": "#ffff00",
    "magenta": "#ff00ff",
    "blue": "#0000ff",
    "black": "#000000",
}
_CUE_RULE = re.compile(r"::cue\(\s*(?:c|v)?\.([\w-]{1,60})\s*\)\s*\{([^{}]{0,500})\}")
_COLOR_RULE = re.compile(r"(?:^|[;\s])color\s*:\s*([#\w(),.\s%]{1,40}?)\s*(?:;|$)")
_CLASS_TAG = re.compile(r"<(/?)c((?:\.[^\s<>.]{1,60})*)\s*>")


class WebVtt(Format):
    """WebVTT."""

    name = "vtt"
    title = "WebVTT"
    suffixes = (".vtt", ".webvtt")

    def recognises(self, text: str) -> bool:
        return _SIGNATURE.match(text) is not None

    def read(self, source: Source) -> Events:
        """All cues; blocks without a timing row that are no note or style are counted as unreadable."""
        events: list[Event] = []
        unreadable = 0
        colors = _NAMED_COLORS | _style_colors(source.text)
        for block in _blocks(source.text):
            if _ASIDE.match(block[0]) and "-->" not in block[0]:
                block = _behind_header(block)  # noqa: PLW2901
                if not block:
                    continue
            timings = {k: timing for k, row in enumerate(block) if (timing := find_timing(row))}
            unreadable += not timings
            for head, following in pairwise([*timings, len(block)]):
                event = make_event(timings[head], block[head + 1 : following])
                if event is None:
                    unreadable += 1
                else:
                    events.append(_with_colors(event, colors))
        return Events(tuple(events), unreadable)


def _behind_header(block: list[str]) -> list[str]:
    """A cue that follows the header without a blank row between them; nothing of any other aside."""
    if not block[0].startswith("WEBVTT"):
        return []
    return next((block[k:] for k, row in enumerate(block) if find_timing(row)), [])


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for row in text.split("\n"):
        if row:
            blocks[-1].append(row)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _style_colors(text: str) -> dict[str, str]:
    if "::cue(" not in text:
        return {}
    return {name: color[1].strip() for name, body in _CUE_RULE.findall(text) if (color := _COLOR_RULE.search(body))}


def _with_colors(event: Event, colors: Mapping[str, str]) -> Event:
    if "<c." not in event.text:
        return event
    closings: list[str] = []

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return closings.pop() if closings else ""
        color = next((colors[name] for name in match[2].split(".") if name in colors), None)
        closings.append("</font>" if color else "</c>")
        return f'<font color="{color}">' if color else match[0]

    return Event(event.start_ms, event.end_ms, _CLASS_TAG.sub(replaced, event.text))
