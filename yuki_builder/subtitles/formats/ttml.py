"""TTML and its profiles (DFXP, IMSC, SMPTE-TT, EBU-TT-D), of any namespace, by W3C TTML2.

Times may be clock times with decimals or frames, offsets (``1.5s``, ``100f``, ``10000000t``), relative to the parent
element's, given by a duration, missing at the end, or given on ``div`` and ``span``. Agents are speakers, colours mark
them, ruby is a reading. An element with a time that cannot be read is counted and loses itself only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from xml.etree.ElementTree import Element

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source, as_markup, coloured
from yuki_builder.subtitles.formats.xml_tree import attribute, local_name, parse_xml

_SIGNATURE = re.compile(r"<(?:[A-Za-z][\w.-]{0,30}:)?tt[\s>]")
_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})|[:;](\d{1,3})(?:\.(\d{1,3}))?)?")
_SHORT_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2})(?:[.,](\d{1,9}))?")
_OFFSET = re.compile(r"(\d{1,12}(?:[.,]\d{1,9})?)\s?(h|ms|m|s|f|t)?")
_SPACE = re.compile(r"[ \t\r\n]+")
_LAST_MS = 5000  # the last entry where nothing ends it
_ENDLESS_MS = 1 << 53
_STYLE_DEPTH = 5
_IMAGE = re.compile(r"backgroundImage\s*=|<(?:[\w.-]{1,30}:)?image[\s>]")


class BadTime(ValueError):
    """A time that no rule reads."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How long frames and ticks of a document are."""

    frame_rate_hz: float = 30.0
    sub_frames: int = 1
    tick_rate_hz: float = 1.0

    def ms(self, time: str) -> int:
        """A time expression in milliseconds.

        Raises:
            BadTime: it is none.
        """
        time = time.strip()
        if match := _CLOCK.fullmatch(time):
            hours, minutes, seconds, decimals, frames, sub_frames = match.groups()
            whole_ms = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000
            if decimals:
                return whole_ms + int(decimals[:3].ljust(3, "0"))
            count = int(frames or 0) + int(sub_frames or 0) / self.sub_frames
            return whole_ms + round(1000 * count / self.frame_rate_hz)
        if match := _SHORT_CLOCK.fullmatch(time):
            minutes, seconds, decimals = match.groups()
            return (int(minutes) * 60 + int(seconds)) * 1000 + int((decimals or "0")[:3].ljust(3, "0"))
        if match := _OFFSET.fullmatch(time):
            units = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "": 1000}
            per_unit = {"f": 1000 / self.frame_rate_hz, "t": 1000 / self.tick_rate_hz}
            return round(float(match[1].replace(",", ".")) * (units | per_unit)[match[2] or ""])
        raise BadTime(time)


@dataclass(frozen=True, slots=True)
class _Context:
    """What an element inherits: its time span, and what says who speaks."""

    start_ms: int = 0
    end_ms: int | None = None
    is_timed: bool = False
    color: str | None = None
    agent: str = ""
    region: str | None = None
    language: str | None = None
    keeps_space: bool = False


@dataclass(frozen=True, slots=True)
class _Head:
    """What the head of a document declares."""

    clock: Clock
    styles: Mapping[str, Mapping[str, str]]  # colour and ruby by the style's identifier
    agents: Mapping[str, str]  # name by identifier


class Ttml(Format):
    """TTML."""

    name = "ttml"
    title = "TTML"
    suffixes = (".ttml", ".dfxp", ".xml", ".itt", ".ttml2", ".imsc")

    def recognises(self, text: str) -> bool:
        return _SIGNATURE.search(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> Events:
        root = parse_xml(source, title=self.title)
        if local_name(root.tag) != "tt":
            source.refuse("not a TTML file, though it holds a tt element", remedy="convert it to SRT")
        reader = _Reader(_head(root, source.frame_rate_hz))
        body = next((child for child in root if local_name(child.tag) == "body"), None)
        if body is not None:
            context = _Context(language=attribute(root, "lang"), keeps_space=attribute(root, "space") == "preserve")
            reader.read(body, context)
        if not reader.events and _IMAGE.search(source.text):
            source.refuse("the TTML file holds subtitles as pictures", remedy="use a text format (SRT, ASS, WebVTT)")
        return Events(_with_ends(reader.events), reader.unreadable)


class _Reader:
    """Walks through a body and gathers its events."""

    def __init__(self, head: _Head) -> None:
        self.head = head
        self.events: list[Event] = []
        self.unreadable = 0

    def read(self, element: Element, context: _Context, sibling_end_ms: int | None = None) -> int | None:
        """Add the events of an element and its children; says when it ends, for a sequence."""
        try:
            context = self._inside(element, context, sibling_end_ms)
        except BadTime:
            self.unreadable += 1
            return None
        name = local_name(element.tag)
        if name == "p" or (name == "span" and context.is_timed):
            self._read_paragraph(element, context)
            return context.end_ms
        is_sequence = attribute(element, "timeContainer") == "seq"
        previous_end_ms: int | None = None
        for child in element:
            if isinstance(child.tag, str) and local_name(child.tag) in ("div", "p", "span"):
                ended_ms = self.read(child, context, previous_end_ms if is_sequence else None)
                previous_end_ms = ended_ms if ended_ms is not None else previous_end_ms
        return context.end_ms

    def _inside(self, element: Element, outer: _Context, sibling_end_ms: int | None) -> _Context:
        """What holds inside an element."""
        begin, dur, end = (attribute(element, name) for name in ("begin", "dur", "end"))
        clock = self.head.clock
        base_ms = sibling_end_ms if sibling_end_ms is not None else outer.start_ms
        start_ms = base_ms + (clock.ms(begin) if begin else 0)
        ends = [] if outer.end_ms is None else [outer.end_ms]
        if end:
            ends.append(base_ms + clock.ms(end))
        if dur:
            ends.append(start_ms + clock.ms(dur))
        style = self._style(element)
        agent = attribute(element, "agent")
        return replace(
            outer,
            start_ms=start_ms,
            end_ms=min(ends) if ends else None,
            is_timed=outer.is_timed or bool(begin or dur or end),
            color=style.get("color", outer.color),
            agent=self._agent(agent) if agent else outer.agent,
            region=attribute(element, "region") or outer.region,
            language=attribute(element, "lang") or outer.language,
            keeps_space={"preserve": True, "default": False}.get(attribute(element, "space") or "", outer.keeps_space),
        )

    def _agent(self, identifiers: str) -> str:
        return " / ".join(self.head.agents.get(agent, agent) for agent in identifiers.split())

    def _style(self, element: Element) -> dict[str, str]:
        found: dict[str, str] = {}
        for identifier in (attribute(element, "style") or "").split():
            found |= self.head.styles.get(identifier, {})
        return found | _own_style(element)

    def _read_paragraph(self, element: Element, context: _Context) -> None:
        """A paragraph is one event, or one for each of its timed spans."""
        timed = [
            child
            for child in element.iter()
            if child is not element and _is(child, "span") and any(attribute(child, k) for k in ("begin", "end", "dur"))
        ]
        if timed and not any(map(_is_text, _own_text(element))):
            for child in element:
                if _is(child, "span"):
                    self._read_span(child, context)
            return
        text = self._markup(element, context, context.color).strip(" \n")
        if not context.is_timed or not text:
            self.unreadable += bool(text)
            return
        end_ms = _ENDLESS_MS if context.end_ms is None else context.end_ms
        text = "\n".join(row if context.keeps_space else row.strip() for row in text.split("\n"))
        self.events.append(
            Event(
                context.start_ms,
                end_ms,
                text,
                actor=context.agent,
                region=context.region,
                language=context.language,
            )
        )

    def _read_span(self, span: Element, context: _Context) -> None:
        try:
            inner = self._inside(span, context, None)
        except BadTime:
            self.unreadable += 1
            return
        self._read_paragraph(span, inner)

    def _markup(self, element: Element, context: _Context, color: str | None) -> str:
        """The rows of an element with colours and readings as markup."""
        pieces = [self._characters(element.text, context)]
        for child in element:
            name = local_name(child.tag) if isinstance(child.tag, str) else ""
            if name == "br":
                pieces.append("\n")
            elif name == "span":
                style = self._style(child)
                inner = self._markup(child, context, style.get("color", color))
                agent = attribute(child, "agent")
                if agent and not context.agent and inner.strip() and (who := self._agent(agent).strip()):
                    inner = f"<v {re.sub('[<>]', '', who)}>{inner}"
                pieces.append(_as_ruby(inner, style.get("ruby")))
            pieces.append(self._characters(child.tail, context))
        return _join_coloured(pieces, element, color)

    @staticmethod
    def _characters(text: str | None, context: _Context) -> str:
        shown = as_markup(text or "")
        return shown if context.keeps_space else _SPACE.sub(" ", shown)


def _join_coloured(pieces: list[str], element: Element, color: str | None) -> str:
    """The pieces of an element, each row of its own characters in its colour. Children have theirs already."""
    if color is None:
        return "".join(pieces)
    own = [0, *range(2, len(pieces), 2)]
    return "".join(coloured(piece, color) if k in own and piece.strip() else piece for k, piece in enumerate(pieces))


def _as_ruby(text: str, role: str | None) -> str:
    if role == "container":
        return f"<ruby>{text}</ruby>"
    if role in ("text", "textContainer"):
        return text if text.startswith("<rt>") else f"<rt>{text}</rt>"
    return f"<rp>{text}</rp>" if role == "delimiter" else text


def _own_style(element: Element) -> dict[str, str]:
    return {name: value for name in ("color", "ruby") if (value := attribute(element, name))}


def _is(element: Element, name: str) -> bool:
    return isinstance(element.tag, str) and local_name(element.tag) == name


def _own_text(element: Element) -> Iterator[str | None]:
    yield element.text
    for child in element:
        yield child.tail


def _is_text(text: str | None) -> bool:
    return bool(text and text.strip())


def _head(root: Element, video_rate_hz: float | None) -> _Head:
    styles = {
        identifier: (_own_style(style), (attribute(style, "style") or "").split())
        for style in root.iter()
        if _is(style, "style") and (identifier := attribute(style, "id"))
    }
    agents: dict[str, str] = {}
    for agent in root.iter():
        if _is(agent, "agent") and (identifier := attribute(agent, "id")):
            names = [" ".join("".join(name.itertext()).split()) for name in agent.iter() if _is(name, "name")]
            agents[identifier] = next(filter(None, names), identifier)
    return _Head(_clock(root, video_rate_hz), _resolve(styles), agents)


def _resolve(styles: Mapping[str, tuple[Mapping[str, str], list[str]]]) -> dict[str, Mapping[str, str]]:
    """Each style with what it takes from those that it refers to, five deep at most."""
    found: dict[str, Mapping[str, str]] = {name: own for name, (own, _) in styles.items()}
    for _ in range(_STYLE_DEPTH):
        found = {
            name: _merged([*(found[other] for other in references if other in found), own])
            for name, (own, references) in styles.items()
        }
    return found


def _merged(layers: Iterable[Mapping[str, str]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for layer in layers:
        merged.update(layer)
    return merged


def _clock(root: Element, video_rate_hz: float | None) -> Clock:
    stated_hz = _number(attribute(root, "frameRate"))
    rate_hz = stated_hz or video_rate_hz or 30.0
    multiplier = re.fullmatch(r"\s*(\d{1,6})(?:\s+|:|/)(\d{1,6})\s*", attribute(root, "frameRateMultiplier") or "")
    if multiplier and stated_hz and int(multiplier[1]) and int(multiplier[2]):
        rate_hz = rate_hz * int(multiplier[1]) / int(multiplier[2])
    sub_frames = int(_number(attribute(root, "subFrameRate")) or 1)
    ticks_hz = _number(attribute(root, "tickRate")) or (rate_hz * sub_frames if stated_hz else 1.0)
    return Clock(rate_hz, sub_frames, ticks_hz)


def _number(text: str | None) -> float | None:
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*", text or "")
    return float(match[1]) or None if match else None


def _with_ends(events: list[Event]) -> tuple[Event, ...]:
    """Entries that nothing ends go when the next one comes."""
    starts = sorted({event.start_ms for event in events})
    following = dict(pairwise(starts))
    return tuple(
        replace(event, end_ms=min(following.get(event.start_ms, _ENDLESS_MS), event.start_ms + _LAST_MS))
        if event.end_ms == _ENDLESS_MS
        else event
        for event in events
    )
