"""What downloaders save of YouTube's captions: srv1, srv2, srv3 (XML) and json3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source, as_markup, coloured
from yuki_builder.subtitles.formats.xml_tree import attribute, parse_xml

_XML = re.compile(r"\s*(?:<\?xml[^<>]{0,200}\?>\s*)?<(?:transcript|timedtext)\b")
_JSON = re.compile(r'\s*\{.{0,4000}"(?:wireMagic|tStartMs)"\s*:', re.DOTALL)
_NO_COLOR = frozenset(("#FEFEFE", "#FFFFFF", "#CCCCCC", "#E5E5E5"))  # the player's own


class YouTubeXml(Format):
    """srv1, srv2 and srv3."""

    name = "srv3"
    title = "YouTube timed text"
    suffixes = (".srv3", ".srv2", ".srv1", ".xml")

    def recognises(self, text: str) -> bool:
        return _XML.match(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> Events:
        root = parse_xml(source, title=self.title)
        pens = {
            pen.get("id", ""): color
            for pen in root.iter("pen")
            if (color := pen.get("fc")) and color.upper() not in _NO_COLOR
        }
        entries: list[tuple[int, int | None, str]] = []
        unreadable = 0
        for element in root.iter():
            if element.tag not in ("text", "p"):
                continue
            times = _times(element)
            text = _rows(element, pens)
            if times is None:
                unreadable += bool(text.strip())
            elif text.strip():
                entries.append((*times, text))
        return Events(_without_overlap(entries, is_rolling=root.find(".//s[@t]") is not None), unreadable)


class YouTubeJson(Format):
    """json3."""

    name = "json3"
    title = "YouTube json3"
    suffixes = (".json3", ".json")

    def recognises(self, text: str) -> bool:
        return _JSON.match(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> Events:
        """All captions; the empty ones that open windows and scroll them are none."""
        try:
            found = json.loads(source.text)
        except (ValueError, RecursionError) as e:
            source.refuse(f"damaged as a {self.title} file ({e})", remedy="download it again", cause=e)
        events = found.get("events") if isinstance(found, dict) else None
        entries: list[tuple[int, int | None, str]] = []
        unreadable, is_rolling = 0, False
        for event in events if isinstance(events, list) else []:
            segments = event.get("segs") if isinstance(event, dict) else None
            if not isinstance(segments, list):
                continue
            pieces = [segment for segment in segments if isinstance(segment, dict)]
            text = as_markup("".join(str(piece.get("utf8") or "") for piece in pieces)).strip()
            start, duration = (_whole(event.get(key)) for key in ("tStartMs", "dDurationMs"))
            is_rolling = is_rolling or any("tOffsetMs" in piece for piece in pieces)
            if start is None and text:
                unreadable += 1
            elif start is not None and text:
                entries.append((start, None if duration is None else start + duration, text))
        return Events(_without_overlap(entries, is_rolling=is_rolling), unreadable)


def _times(element: Element) -> tuple[int, int | None] | None:
    """Start and end: srv3 and srv2 have whole milliseconds, srv1 seconds."""
    if element.tag == "text" and attribute(element, "start") is not None:
        start, duration = (_decimal(attribute(element, name)) for name in ("start", "dur"))
    else:
        start, duration = (_decimal(attribute(element, name), 1) for name in ("t", "d"))
    if start is None:
        return None
    return start, None if duration is None else start + duration


def _rows(element: Element, pens: dict[str, str]) -> str:
    color = pens.get(element.get("p", ""))
    pieces = [coloured(as_markup(element.text or ""), color)]
    for child in element:
        own = pens.get(child.get("p", ""), color)
        if child.tag == "br":
            pieces.append("\n")
        else:
            pieces.append(coloured(as_markup("".join(child.itertext())), own))
        pieces.append(coloured(as_markup(child.tail or ""), color))
    # srv1 escapes twice: what the parser gives is escaped once still.
    return re.sub(r"&amp;(#?\w{1,8};)", r"&\1", "".join(pieces)).strip()


def _without_overlap(entries: Sequence[tuple[int, int | None, str]], *, is_rolling: bool) -> tuple[Event, ...]:
    """Events whose ends are stated; of captions that roll, each goes from the bottom row when the next comes."""
    return tuple(_ended(sorted(entries, key=lambda entry: entry[0]), is_rolling=is_rolling))


def _ended(entries: Sequence[tuple[int, int | None, str]], *, is_rolling: bool) -> Iterator[Event]:
    starts = [start for start, _, _ in entries]
    for k, (start, end, text) in enumerate(entries):
        following = starts[k + 1] if k + 1 < len(starts) else None
        if end is None:
            yield Event(start, min(following or start + 3000, start + 7000), text)
        elif is_rolling and following is not None and following > start:
            yield Event(start, min(end, following), text)
        else:
            yield Event(start, end, text)


def _whole(value: Any) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1 << 40
    return int(value) if is_number else None


def _decimal(text: str | None, unit: int = 1000) -> int | None:
    match = re.fullmatch(r"\s*(-?\d{1,12}(?:\.\d{1,12})?)\s*", text or "")
    return round(float(match[1]) * unit) if match else None
