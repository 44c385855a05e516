"""Timing rows: two times and an arrow, also as translators, converters and speech recognisers write them.

Wide digits and colons, spaces inside, any arrow, `&gt;`, Markdown around it, no hours, any number of decimals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_TIME = r"(-?)(?:(\d{1,4})\s?:\s?)?(\d{1,2})\s?:\s?(\d{1,2})(?:\s?[.,:;\u066b\u060c\u00b7]\s?(\d{1,9}))?"
_FULL_TIME = r"(-?)(\d{1,4})\s?:\s?(\d{1,2})\s?:\s?(\d{1,2})\s?[.,:;\u066b\u060c\u00b7]\s?(\d{1,9})"
_ARROW = (
    r"\s*(?:[-=~\u2010-\u2015\u2212\ufe63\u30fc](?:\s?[-=~\u2010-\u2015\u2212\ufe63\u30fc]){0,3}\s?[>\u203a\u00bb]"
    r"|[\u2192\u21d2\u27f6\u27a1\u2794\u279c\u21fe])\s*"
)
_COUNTER = r"(?:[#\[(]?\d{1,6}[\])]?[.):]?\s+)?"
_TIMING = re.compile(rf"{_TIME}{_ARROW}{_TIME}(?=\s|$)(.*)", re.DOTALL)
# A counter on the same row, or what is no arrow between the times: only beside times that are surely times.
_FULL_TIMING = re.compile(
    rf"{_COUNTER}{_FULL_TIME}(?:{_ARROW}|\s*[^\d\s]{{0,8}}\s*){_FULL_TIME}(?=\s|$)(.*)", re.DOTALL
)
_SECONDS = re.compile(rf"(\d{{1,6}}[.,]\d{{1,6}}){_ARROW}(\d{{1,6}}[.,]\d{{1,6}})\s*$")
_ANY_ARROW = re.compile(_ARROW)
_LIKE_A_TIME = re.compile(r"-?\d{1,4}\s?[:.,]\s?\d")
_SPOKEN = re.compile(r"[^\W\d_]{3}")  # a word before the arrow: the row is said
_SETTINGS = re.compile(r"(?:\s+[A-Za-z][A-Za-z0-9]*:[\w.,%+-]+)*\s*$")
_MAY_TIME = re.compile(r"[>\u203a\u00bb\u2192\u21d2\u27f6\u27a1\u2794\u279c\u21fe\uff1e]|&gt;|\d\s?[:\uff1a]\s?\d")
_MARKDOWN = " \t*`_|[]"
_MAX_ROW_CHARS = 400  # no timing row is longer; a text behind its times may be
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a row, and words that stand behind them; without times where the row is damaged."""

    start_ms: int | None
    end_ms: int | None
    text: str = ""


def find_timing(row: str) -> Timing | None:
    """What a timing row says, None for any other row. A row that only resembles one is a damaged timing row."""
    if not _MAY_TIME.search(row[:_MAX_ROW_CHARS]):
        return None
    head = _normal(row[:_MAX_ROW_CHARS])
    match = _TIMING.match(head)
    if match is not None and _SETTINGS.match(match[11]):
        if not _is_surely_timing(match, head):
            return None
        return Timing(milliseconds(match.groups()[:5]), milliseconds(match.groups()[5:10]))
    match = _FULL_TIMING.match(head)
    if match is not None:
        text = "" if _SETTINGS.match(match[11]) else _text_behind(row, match[11])
        return Timing(milliseconds(match.groups()[:5]), milliseconds(match.groups()[5:10]), text)
    match = _SECONDS.match(head)
    if match is not None:
        start, end = (round(1000 * float(seconds.replace(",", "."))) for seconds in match.groups())
        return Timing(start, end)
    start_row, *rest = _ANY_ARROW.split(head, maxsplit=1)
    is_damaged = (
        rest and not _SPOKEN.search(start_row) and (_LIKE_A_TIME.match(start_row) or _LIKE_A_TIME.match(rest[0]))
    )
    return Timing(None, None) if is_damaged else None


def _is_surely_timing(match: re.Match[str], head: str) -> bool:
    """Not so `10:30 -> 11:30`, which people say: with neither hours nor decimals the arrow has to be SubRip's."""
    return "--" in head or any(match[k] for k in (2, 5, 7, 10))


def milliseconds(groups: Sequence[str | None]) -> int:
    """A time from its sign, hours, minutes, seconds and decimals of a second."""
    sign, hours, minutes, seconds, decimals = (group or "0" for group in groups)
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return (-1 if sign == "-" else 1) * (whole * 1000 + int(decimals[:3].ljust(3, "0")))


def _normal(row: str) -> str:
    if not row.isascii():
        row = _INVISIBLE.sub("", unicodedata.normalize("NFKC", row))
    return row.replace("&gt;", ">").strip(_MARKDOWN)


def _text_behind(row: str, behind: str) -> str:
    """The words behind the times as the row has them; ``behind`` is their normalised beginning."""
    shown = behind.strip()
    return row[row.find(shown) :].strip() if shown in row else shown
