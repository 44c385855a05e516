"""SubRip: blocks of a counter, a timing row and the text below it.

The text of a cue is what stands between its timing row and the next block, whatever it holds. A timing row that
cannot be read loses its own cue, which is counted, and never becomes text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import Format, Source
from yuki_builder.subtitles.formats.timing import Timing, find_timing

_FENCE = re.compile(r"\s*```\w*\s*$")  # a chat program's answer, saved as it was
_DECORATED_COUNT = re.compile(r"[^\w\s]*\s?[^\W\d]{0,10}\s?[^\w\s]?\s?(\d{1,6})(?:[.,]0)?\W{0,3}[^\W\d]{0,6}\W{0,3}$")


class SubRip(Format):
    """SRT."""

    name = "srt"
    title = "SubRip"
    suffixes = (".srt",)

    def recognises(self, text: str) -> bool:
        """Whether any row times a cue."""
        return any((timing := find_timing(row)) and timing.start_ms is not None for row in text.split("\n"))

    def read(self, source: Source) -> Events:
        """All cues. Blank rows inside a cue's text belong to it, so that no word is lost."""
        rows = [row for row in source.text.split("\n") if not _FENCE.match(row)]
        timings = {k: timing for k, row in enumerate(rows) if (timing := find_timing(row))}
        heads = [*timings]
        above = rows[heads[0] - 1 :: -1] if heads and heads[0] else []
        number = next((count for row in above if (count := _first_count(row)) is not None), None)
        events, unreadable = [], 0
        for head, following in pairwise([*heads, len(rows)]):
            end = following
            if following < len(rows):
                number, end = _number_above(rows, following, head + 1, number)
            event = make_event(timings[head], rows[head + 1 : end])
            if event is None:
                unreadable += 1
            else:
                events.append(event)
        return Events(tuple(events), unreadable)


def make_event(timing: Timing, text: Sequence[str]) -> Event | None:
    """The event of a timing row and the rows of text below it; None where its times cannot be read."""
    if timing.start_ms is None or timing.end_ms is None:
        return None
    rows = [timing.text, *text] if timing.text else text
    return Event(timing.start_ms, timing.end_ms, "\n".join(rows).strip("\n"))


def _number_above(rows: Sequence[str], head: int, floor: int, previous: int | None) -> tuple[int | None, int]:
    """The counter that belongs to the timing row ``head``, and where the text above it ends.

    A number is the counter where it continues the count or stands in the counter's place, directly above the
    timing row and below a blank one; any other number is spoken text. A number with something around it (``#4``,
    ``2个``) is the counter in the counter's place only, and if it continues the count.
    """
    k = _last_filled(rows, head, floor)
    if k < floor:
        return previous, head
    is_in_place = k == head - 1 and (k == floor or not rows[k - 1].strip())
    count, follows = _plain_count(rows[k]), None if previous is None else previous + 1
    if count is None and is_in_place and follows is not None and _decorated_count(rows[k]) == follows:
        return follows, k
    if count is None or not (is_in_place or count == follows):
        return previous, head
    doubled = _last_filled(rows, k, floor)
    if doubled > floor and _plain_count(rows[doubled]) == count and not rows[doubled - 1].strip():
        return count, doubled
    return count, k


def _last_filled(rows: Sequence[str], end: int, floor: int) -> int:
    k = end - 1
    while k >= floor and not rows[k].strip():
        k -= 1
    return k


def _plain_count(row: str) -> int | None:
    text = row.strip()
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _first_count(row: str) -> int | None:
    """The counter above the first cue, also one with something around it."""
    count = _plain_count(row)
    return _decorated_count(row) if count is None else count


def _decorated_count(row: str) -> int | None:
    match = _DECORATED_COUNT.match(row.strip()[:40])
    return int(match[1]) if match else None
