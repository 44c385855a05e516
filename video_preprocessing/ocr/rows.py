"""Rows of text seen now and then in a video: joined to subtitles, and told from what else is written there. Pure."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from video_preprocessing.ocr.reader import Box
from yuki_builder.records import TextRow

LOGO, CLOCK, SIGN, CREDITS, UNSURE = "logo", "clock", "text in the scene", "credits", "unsure"
_MEET_MS = 700
"""Two sightings of a row that lie no further apart are one: between them it was hidden by something bright."""
_ALIKE = 0.6
_STAYS_MS = 12_000  # no subtitle is shown for longer
_STAYS_ELSEWHERE_MS = 8000
_RECURS_MS, _RECURS = 20_000, 3
_CLOCK = re.compile(r"[\s\d:.,/\-年月日时時分秒]*\d{1,2}\s*[:：]\s*\d{2}[\s\d:.,/\-年月日时時分秒APMapm]*")
_LOWER = 0.5
_SAME_MOMENT = 0.6  # of the longer of two rows: they are one subtitle
_APART = 2.2  # heights of a row
_MOST_ROWS = 4
_GAP = 1.0  # heights of a row: pieces of it are no further apart
_ENOUGH = 6
_CENTRED, _OFF_CENTRE = 0.05, 0.2
_SURE_ALONE = 0.8  # a row seen once, for a moment, has to be read surely
_MOMENT_MS = 400


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row of text that was there for a while. ``pictures`` are keys of what was read."""

    start_ms: int
    end_ms: int
    row: TextRow
    picture: int | None = None
    left_out: str | None = None

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


def similarity(one: str, other: str) -> float:
    """How much two texts are alike (0..1), white space aside."""
    return _similarity("".join(one.split()), "".join(other.split()))


@functools.lru_cache(maxsize=4096)
def _similarity(one: str, other: str) -> float:
    return 1.0 if one == other else difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def join_sightings(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Each row once, from its first to its last sighting, as it was read the longest and the surest."""
    groups: list[list[Sighting]] = []
    open_groups: list[list[Sighting]] = []
    for seen in sorted(sightings, key=lambda s: (s.start_ms, s.end_ms, s.row.top, s.row.left, s.row.text)):
        open_groups = [group for group in open_groups if seen.start_ms - group[-1].end_ms <= _MEET_MS]
        fitting = [group for group in open_groups if _is_same_row(group[-1].row, seen.row)]
        if fitting:
            max(fitting, key=lambda group: similarity(group[-1].row.text, seen.row.text)).append(seen)
        else:
            group = [seen]
            groups.append(group)
            open_groups.append(group)
    return [_joined(group) for group in groups]


def _is_same_row(one: TextRow, other: TextRow) -> bool:
    return _is_same_place(one, other) and similarity(one.text, other.text) >= _ALIKE


def _is_same_place(one: TextRow, other: TextRow) -> bool:
    height = min(one.height, other.height)
    is_level = abs((one.top + one.bottom) - (other.top + other.bottom)) / 2 <= 0.6 * height
    shared = min(one.right, other.right) - max(one.left, other.left)
    return is_level and shared >= 0.3 * min(one.right - one.left, other.right - other.left)


def _joined(group: Sequence[Sighting]) -> Sighting:
    weights: dict[str, float] = defaultdict(float)
    for seen in group:
        weights[seen.row.text] += max(1, seen.duration_ms) * seen.row.confidence**4
    text = max(weights, key=lambda t: (weights[t], t))
    best = max((s for s in group if s.row.text == text), key=lambda s: (s.row.confidence, -s.start_ms))
    return Sighting(min(s.start_ms for s in group), max(s.end_ms for s in group), best.row, best.picture)


def tell_apart(rows: Sequence[Sighting]) -> list[Sighting]:
    """The rows with the reason of those that are no subtitles: logos, clocks, text in the scene."""
    usual = _usual_style(rows)
    reasons = [_reason(row, rows, usual) for row in rows]
    return [dataclasses.replace(row, left_out=reason) for row, reason in zip(rows, reasons, strict=True)]


@dataclass(frozen=True, slots=True)
class _Style:
    height: float | None
    is_centred: bool


def _usual_style(rows: Sequence[Sighting]) -> _Style:
    """How subtitles look here, by the rows of the lower half that come and go as subtitles do."""
    usual = [r for r in rows if r.row.top >= _LOWER and 500 <= r.duration_ms <= _STAYS_MS and len(r.row.text) > 1]
    if len(usual) < _ENOUGH:
        return _Style(None, False)
    centred = sum(abs(_centre(r.row) - 0.5) <= _CENTRED for r in usual)
    return _Style(statistics.median(r.row.height for r in usual), centred >= 0.7 * len(usual))


def _centre(row: TextRow) -> float:
    return (row.left + row.right) / 2


def _reason(seen: Sighting, rows: Sequence[Sighting], usual: _Style) -> str | None:
    row = seen.row
    is_subtitle_place = row.top >= _LOWER and abs(_centre(row) - 0.5) <= _CENTRED
    if _CLOCK.fullmatch(row.text) and not is_subtitle_place:
        return CLOCK
    longest_ms = _STAYS_MS if is_subtitle_place else _STAYS_ELSEWHERE_MS
    if seen.duration_ms > longest_ms or (not is_subtitle_place and _recurs(seen, rows)):
        return LOGO
    if not _is_in_style(row, usual):
        return SIGN
    return UNSURE if seen.duration_ms < _MOMENT_MS and row.confidence < _SURE_ALONE else None


def _recurs(seen: Sighting, rows: Sequence[Sighting]) -> bool:
    again = [other for other in rows if _is_same_row(other.row, seen.row)]
    return len(again) >= _RECURS and sum(other.duration_ms for other in again) >= _RECURS_MS


def _is_in_style(row: TextRow, usual: _Style) -> bool:
    if usual.is_centred and abs(_centre(row) - 0.5) > _OFF_CENTRE:
        return False
    if usual.height is None:
        return True
    lowest, highest = (0.55, 1.7) if row.top >= _LOWER else (0.75, 1.35)
    return lowest <= row.height / usual.height <= highest


def group_rows(rows: Sequence[Sighting]) -> list[list[Sighting]]:
    """Rows that come and go together, one near the other, are one subtitle; each from top to bottom, by time."""
    groups: list[list[Sighting]] = []
    for seen in sorted(rows, key=lambda s: (s.start_ms, s.row.top, s.row.left, s.end_ms)):
        home = next((group for group in reversed(groups) if any(_belongs(one, seen) for one in group)), None)
        if home is None:
            groups.append([seen])
        else:
            home.append(seen)
    return [in_reading_order(group) for group in groups]


def _belongs(one: Sighting, other: Sighting) -> bool:
    shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
    if one.left_out != other.left_out or shared < _SAME_MOMENT * max(one.duration_ms, other.duration_ms):
        return False
    gap = max(one.row.top, other.row.top) - min(one.row.bottom, other.row.bottom)
    return gap <= _APART * min(one.row.height, other.row.height)


def in_reading_order(group: Sequence[Sighting]) -> list[Sighting]:
    """From top to bottom; what stands level, from left to right."""
    lines: list[list[Sighting]] = []
    for seen in sorted(group, key=lambda s: (s.row.top + s.row.bottom, s.row.left, s.start_ms, s.row.text)):
        if lines and is_level(_edges(lines[-1][0].row), _edges(seen.row)):
            lines[-1].append(seen)
        else:
            lines.append([seen])
    return [seen for line in lines for seen in sorted(line, key=lambda s: (s.row.left, s.row.top))]


def _edges(row: TextRow) -> tuple[float, float]:
    return row.top, row.bottom


def is_level(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two things, by their upper and lower edges, stand in one row."""
    height = min(one[1] - one[0], other[1] - other[0])
    return abs(sum(one) - sum(other)) / 2 <= 0.5 * height


def join_parts(boxes: Sequence[Box]) -> list[Box]:
    """Rows that the network found in pieces as one; what stands level but far apart stays two. From top to bottom."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda b: (b.left, b.top, b.right, b.bottom)):
        fitting = [
            other
            for other in joined
            if is_level((other.top, other.bottom), (box.top, box.bottom))
            and box.left - other.right <= _GAP * min(box.height, other.height)
            and max(box.height, other.height) <= 1.6 * min(box.height, other.height)
        ]
        if not fitting:
            joined.append(box)
            continue
        other = max(fitting, key=lambda b: b.right)
        joined[joined.index(other)] = Box(
            min(other.left, box.left),
            min(other.top, box.top),
            max(other.right, box.right),
            max(other.bottom, box.bottom),
        )
    return sorted(joined, key=lambda b: (b.top, b.left))


def span_of(group: Sequence[Sighting]) -> tuple[int, int]:
    """When most of a subtitle is there."""
    return (
        round(statistics.median_low([s.start_ms for s in group])),
        round(statistics.median_high([s.end_ms for s in group])),
    )


def is_credits(group: Sequence[Sighting]) -> bool:
    """Whether so much is written at once that nobody says it."""
    return len(group) > _MOST_ROWS
