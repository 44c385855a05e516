"""SAMI: ``<SYNC Start=1000><P Class=KRCC>text``; a text goes when the next SYNC of its class comes.

The markup is the HTML of 1998, mostly without end tags and often without a header: it is read tag by tag, not as a
tree. Texts of several classes at one time are several languages, and events of several styles.
"""

from __future__ import annotations

import re
from collections import defaultdict

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source

_SIGNATURE = re.compile(r"<sami\b|<sync\s[^<>]{0,40}start\s*=", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(sync|p|body|sami)\b([^<>]{0,400})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([A-Za-z]{1,20})\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CLASS = re.compile(r"\.([\w-]{1,40})\s*\{([^{}]{0,400})\}")
_LANGUAGE = re.compile(r"\blang\s*:\s*([A-Za-z]{2,3}(?:-\w{1,8})?)", re.IGNORECASE)
_SPACE = re.compile(r"&nbsp;?|[ \t\xa0]+")
_LAST_MS = 5000  # the last text where no SYNC ends it


class Sami(Format):
    """SAMI."""

    name = "sami"
    title = "SAMI"
    suffixes = (".smi", ".sami")

    def recognises(self, text: str) -> bool:
        return _SIGNATURE.search(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> Events:
        """All texts, by time, each with its class as its style; SYNC tags without a time are counted."""
        languages = {
            name.casefold(): found[1]
            for name, rules in _CLASS.findall(source.text[:HEAD_CHARS])
            if (found := _LANGUAGE.search(rules))
        }
        moments, unreadable = _moments(_without_comments(source.text))
        if not moments and unreadable:
            source.refuse("the SAMI file has no readable times", remedy="convert it to SRT")
        events: list[Event] = []
        next_ms: dict[str, int] = {}  # when the next text of a class comes; under "", what ends any class
        following_ms: int | None = None
        for time in sorted(moments, reverse=True):
            shown: list[Event] = []
            for (style, actor), texts in moments[time].items():
                text = "\n".join(filter(None, texts))
                ends = [ms for key in (style, "") if (ms := next_ms.get(key)) is not None]
                end = following_ms if not style and following_ms is not None else min(ends, default=time + _LAST_MS)
                if text:
                    language = languages.get(style.casefold())
                    shown.append(Event(time, end, text, style or None, actor, language=language))
            events += reversed(shown)
            next_ms.update({style: time for style, _ in moments[time]})
            if not any(texts for texts in moments[time].values()):
                next_ms[""] = time  # nothing but empty texts clears the picture
            following_ms = time
        return Events(tuple(reversed(events)), unreadable)


_Moment = dict[tuple[str, str], list[str]]


def _moments(text: str) -> tuple[dict[int, _Moment], int]:
    """What each SYNC shows, by class and speaker; and how many have no readable time."""
    moments: dict[int, _Moment] = defaultdict(dict)
    unreadable, moment, style, actor, is_source = 0, None, "", "", False
    actors: dict[str, str] = {}
    tags = list(_TAG.finditer(text))
    for k, tag in enumerate(tags):
        closing, kind, attributes = tag[1], tag[2].lower(), _attributes(tag[3])
        end = tags[k + 1].start() if k + 1 < len(tags) else len(text)
        if kind in ("body", "sami"):
            if closing:
                moment = None
            continue
        if kind == "sync" and not closing:
            start = re.match(r"\s*(-?\d{1,9})", attributes.get("start", ""))
            unreadable += start is None
            moment = None if start is None else moments[int(start[1])]
            style, actor, is_source, actors = "", "", False, {}
        elif kind == "p" and not closing:
            style = attributes.get("class", style)
            is_source = attributes.get("id", "").casefold() == "source"
            actor = actors.get(style, "")
            if moment is not None and not is_source:
                moment.setdefault((style, actor), [])  # an empty paragraph ends the one before
        if moment is None:
            continue
        shown = _shown(text[tag.end() : end])
        if is_source and kind == "p":
            actors[style] = shown
        elif shown:
            moment.setdefault((style, actor), []).append(shown)
    return moments, unreadable


def _without_comments(text: str) -> str:
    shown, position = [], 0
    while (opening := text.find("<!--", position)) >= 0 and (closing := text.find("-->", opening)) >= 0:
        shown.append(text[position:opening])
        position = closing + 3
    return "".join((*shown, text[position:]))


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(text)}


def _shown(markup: str) -> str:
    """Rows of a text: those of the source are none, ``<br>`` begins one."""
    rows = _BREAK.split(markup.replace("\n", " "))
    return "\n".join(filter(None, (_SPACE.sub(" ", row).strip() for row in rows)))
