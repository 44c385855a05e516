"""SubRip and WebVTT: blocks of a timing line and the text below it.

pysubs2 reads both as well, but hands a block whose timing line is damaged, a WebVTT note and an identifier to
the cue above as spoken text, takes `<b and c>` for a tag, and drops a last line that is a number. Here the text
of a cue is what stands between its timing line and the next block, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from yuki_builder.subtitles.events import Event, Events

_TIME = r"(-?)(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-{{1,3}}\s?>\s*{_TIME}(?:\s|$)")
_LIKE_A_TIME = re.compile(r"\s*-?\d{1,4}\s*[:.,]\s*\d")
_VTT_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)(?:\s|$)")


def has_timing(text: str) -> bool:
    """Whether any line times a cue as SubRip and WebVTT do."""
    return any("-" in line and _TIMING.match(line) for line in text.split("\n"))


def read_srt(text: str) -> Events:
    """The cues of a SubRip file. Blank lines inside a cue's text belong to it, so that no word is lost."""
    lines = text.split("\n")
    heads = [k for k, line in enumerate(lines) if _is_head(line)]
    above = lines[heads[0] - 1 :: -1] if heads and heads[0] else []
    number = next((int(line) for line in above if _is_count(line)), None)
    events, unreadable = [], 0
    for head, following in pairwise([*heads, len(lines)]):
        end = following
        if following < len(lines):
            number, end = _number_above(lines, following, head + 1, number)
        event = _event(lines[head], lines[head + 1 : end])
        if event is None:
            unreadable += 1
        else:
            events.append(event)
    return Events(tuple(events), unreadable)


def read_vtt(text: str) -> Events:
    """The cues of a WebVTT file: a blank line ends a cue; notes, styles, regions and identifiers are no text."""
    events, unreadable = [], 0
    for block in _blocks(text):
        heads = [k for k, line in enumerate(block) if _is_head(line)]
        if not heads:
            unreadable += not _VTT_ASIDE.match(block[0])
        for head, following in pairwise([*heads, len(block)]):
            event = _event(block[head], block[head + 1 : following])
            if event is None:
                unreadable += 1
            else:
                events.append(event)
    return Events(tuple(events), unreadable)


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _is_head(line: str) -> bool:
    if ">" not in line:
        return False
    start, arrow, end = line.partition("-->")
    is_damaged = arrow and (_LIKE_A_TIME.match(start) or _LIKE_A_TIME.match(end))
    return bool(is_damaged or _TIMING.match(line))


def _number_above(lines: Sequence[str], head: int, floor: int, previous: int | None) -> tuple[int | None, int]:
    """The counter line that belongs to the timing line ``head``, and where the text above it ends.

    A number is the counter where it continues the count or stands in the counter's place, directly above the
    timing line and below a blank one; any other number is spoken text.
    """
    k = head - 1
    while k >= floor and not lines[k].strip():
        k -= 1
    if k < floor or not _is_count(lines[k]):
        return previous, head
    is_in_place = k == head - 1 and (k == floor or not lines[k - 1].strip())
    if is_in_place or (previous is not None and int(lines[k]) == previous + 1):
        return int(lines[k]), k
    return previous, head


def _is_count(line: str) -> bool:
    return line.strip().isdecimal() and len(line) < 20


def _event(timing: str, text: Sequence[str]) -> Event | None:
    match = _TIMING.match(timing)
    if match is None:
        return None
    groups = match.groups()
    return Event(_ms(groups[:5]), _ms(groups[5:]), "\n".join(text).strip("\n"))


def _ms(groups: Sequence[str | None]) -> int:
    sign, hours, minutes, seconds, fraction = (group or "0" for group in groups)
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return (-1 if sign == "-" else 1) * (whole * 1000 + int(fraction.ljust(3, "0")))
