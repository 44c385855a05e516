"""What speech recognisers and web players write: JSON of segments, tables (TSV, CSV), rows of ``[start --> end] text``.

JSON: Whisper, whisper.cpp, WhisperX, faster-whisper, Transformers, services with ``utterances``, Bilibili's BCC. Any
list of objects that have a start and a text is one of segments, whatever it is called.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source, as_markup, share_of_rows
from yuki_builder.subtitles.formats.open_ended import close_runs
from yuki_builder.subtitles.formats.timing import find_timing

_START = ("start", "from", "begin", "startTime", "start_time", "start_ms", "startMs", "tStartMs", "offset")
_END = ("end", "to", "stop", "endTime", "end_time", "end_ms", "endMs")
_DURATION = ("duration", "dur", "dDurationMs")
_TEXT = ("text", "content", "transcript", "sentence", "line", "caption", "punctuated_word")
_SPEAKER = ("speaker", "speaker_label", "speakerLabel", "speaker_id", "spk", "role", "character")
_LISTS = ("segments", "transcription", "chunks", "utterances", "body", "captions", "cues", "subtitles", "sentences")
_LONGEST_SECONDS = 100  # a median entry of more units than this counts milliseconds
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?")
_MAX_DEPTH = 6
_JSON = re.compile(r"\s*(?:\{|\[\s*\{)")
_TABLE_HEAD = re.compile(r'\s*"?(?:start|begin|from)\w*"?\s*([\t,;])\s*"?(?:end|to|stop)\w*"?\s*\1', re.IGNORECASE)
_BARE_TABLE = re.compile(r"\s*\d{1,6}(?:\.\d{1,9})?\t\d{1,6}(?:\.\d{1,9})?\t\S")
_TIMED_ROW = re.compile(r"\s*\[([^\[\]]{5,60})\]\s?(.*)")


class SegmentsJson(Format):
    """JSON of segments."""

    name = "json"
    title = "JSON of segments (Whisper and others)"
    suffixes = (".json",)

    def recognises(self, text: str) -> bool:
        if not _JSON.match(text[:HEAD_CHARS]):
            return False
        try:
            return bool(_segments(json.loads(text)))
        except (ValueError, RecursionError):
            return False

    def read(self, source: Source) -> Events:
        try:
            rows = [_row(segment) for segment in _segments(json.loads(source.text))]
        except (ValueError, RecursionError) as e:
            source.refuse(f"damaged JSON ({e})", remedy="make it again", cause=e)
        return _events(rows)


class SegmentsTable(Format):
    """A table with a start, an end and a text, as Whisper's ``.tsv`` is, and Audacity's labels without a header."""

    name = "tsv"
    title = "table of segments (Whisper TSV)"
    suffixes = (".tsv", ".csv", ".txt")

    def recognises(self, text: str) -> bool:
        return bool(_TABLE_HEAD.match(text[:HEAD_CHARS])) or share_of_rows(text, _BARE_TABLE) > 0.8

    def read(self, source: Source) -> Events:
        head = _TABLE_HEAD.match(source.text[:HEAD_CHARS])
        if head is None:
            columns, lines = ["start", "end", "text"], [row.split("\t", 2) for row in _filled(source.text)]
        else:
            columns, *lines = _table(source, delimiter=head[1])
        rows = [_row(dict(zip(map(_plain_column, columns), line, strict=False))) for line in lines]
        has_decimals = any("." in str(row[0]) for row in rows if row)
        return _events(rows, unit_ms=1000 if head is None or has_decimals else None, has_plain_numbers=True)


def _table(source: Source, *, delimiter: str) -> list[list[str]]:
    if delimiter == "\t":  # Whisper quotes nothing there
        return [row.split("\t") for row in _filled(source.text)]
    try:
        return [row for row in csv.reader(io.StringIO(source.text.lstrip()), delimiter=delimiter) if row]
    except csv.Error as e:
        source.refuse(f"damaged table ({e})", remedy="make it again", cause=e)


def _plain_column(column: str) -> str:
    return column.strip().strip('"').lower()


class TimedRows(Format):
    """Rows of ``[00:00:01.000 --> 00:00:03.000] text``, as Whisper prints them."""

    name = "whisper"
    title = "rows of times and text (Whisper's output)"
    suffixes = (".txt",)

    def recognises(self, text: str) -> bool:
        return any(found.text for row in text[:HEAD_CHARS].split("\n") if (found := _timed(row)))

    def read(self, source: Source) -> Events:
        events: list[Event] = []
        unreadable = 0
        for row in _filled(source.text):
            found = _timed(row)
            if found is not None:
                events.append(found)
            else:
                unreadable += 1
        return Events(tuple(events), unreadable)


def _timed(row: str) -> Event | None:
    match = _TIMED_ROW.match(row)
    timing = find_timing(match[1]) if match else None
    if match is None or timing is None or timing.start_ms is None or timing.end_ms is None:
        return None
    return Event(timing.start_ms, timing.end_ms, match[2].strip())


def _filled(text: str) -> list[str]:
    return [row for row in text.split("\n") if row.strip()]


_Row = tuple[float | str, float | str | None, str, str]  # start, end, text, speaker


def _segments(found: Any, depth: int = 0) -> list[Mapping[str, Any]]:
    """The list of segments in whatever a JSON file holds; the known names first."""
    candidates: list[Any]
    if depth > _MAX_DEPTH:
        return []
    if isinstance(found, list):
        rows = [item for item in found if isinstance(item, dict) and _row(item) is not None]
        if rows and 2 * len(rows) >= len(found):
            return [item for item in found if isinstance(item, dict)]
        candidates = found[:20]
    elif isinstance(found, dict):
        candidates = [found[key] for key in _LISTS if key in found] + [
            value for key, value in found.items() if key not in _LISTS
        ]
    else:
        return []
    return next((inner for item in candidates if (inner := _segments(item, depth + 1))), [])


def _row(segment: Mapping[str, Any]) -> _Row | None:
    """Start, end, text and speaker of a segment; None where it has no start or no text."""
    text = _first(segment, _TEXT, str)
    if text is None:
        return None
    speaker = _first(segment, _SPEAKER, (str, int))
    times: Any = segment.get("timestamp") or segment.get("timestamps") or segment.get("offsets") or segment
    if isinstance(times, list) and len(times) == 2:
        start, end = times
    elif isinstance(times, dict) or times is segment:
        start, end = _first(times, _START, (int, float, str)), _first(times, _END, (int, float, str))
        duration = _first(times, _DURATION, (int, float))
        if end is None and duration is not None and isinstance(start, (int, float)):
            end = start + duration
    else:
        return None
    if not _is_time(start):
        return None
    return start, end if _is_time(end) else None, text, "" if speaker is None else str(speaker)


def _first(row: Mapping[str, Any], names: Sequence[str], kind: type | tuple[type, ...]) -> Any:
    values = (row.get(name) for name in names)
    return next((value for value in values if isinstance(value, kind) and not isinstance(value, bool)), None)


def _is_time(value: Any) -> bool:
    return _seconds_or_units(value) is not None


def _seconds_or_units(value: Any) -> tuple[float, bool] | None:
    """A time as a number, and whether it was written as a clock (then it is seconds)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (float(value), False) if abs(value) < 1 << 40 else None
    if isinstance(value, str):
        text = value.strip().removesuffix("s")
        if re.fullmatch(r"-?\d{1,12}(?:[.,]\d{1,12})?", text):
            return float(text.replace(",", ".")), False
        if match := _CLOCK.fullmatch(text):
            hours, minutes, seconds, decimals = (part or "0" for part in match.groups())
            return (int(hours) * 60 + int(minutes)) * 60 + int(seconds) + float(f"0.{decimals}"), True
    return None


def _events(rows: Sequence[_Row | None], *, unit_ms: int | None = None, has_plain_numbers: bool = False) -> Events:
    """Events of rows in one unit: seconds, or milliseconds where the rows would last minutes otherwise."""
    known = [row for row in rows if row is not None and row[2].strip()]
    lengths = [length for row in known if (length := _length(row)) is not None]
    if unit_ms is None:
        is_whole = has_plain_numbers or all(isinstance(row[0], int) for row in known)
        unit_ms = 1 if is_whole and lengths and median(lengths) > _LONGEST_SECONDS else 1000
    events = list(_timed_events(known, unit_ms))
    return Events(tuple(events), unreadable=sum(row is None for row in rows))


def _length(row: _Row) -> float | None:
    start, end = _seconds_or_units(row[0]), _seconds_or_units(row[1])
    return None if start is None or end is None or start[1] else end[0] - start[0]


def _timed_events(rows: Sequence[_Row], unit_ms: int) -> Iterator[Event]:
    for k, (start, end, text, speaker) in enumerate(rows):
        start_ms, end_ms = _ms(start, unit_ms), _ms(end, unit_ms)
        if end_ms is None:
            following = _ms(rows[k + 1][0], unit_ms) if k + 1 < len(rows) else None
            lines = [(start_ms or 0, text)] + ([(following, "")] if following is not None else [])
            end_ms = next(iter(close_runs(lines))).end_ms
        yield Event(start_ms or 0, end_ms, as_markup(text.strip()), actor=speaker)


def _ms(value: Any, unit_ms: int) -> int | None:
    found = _seconds_or_units(value)
    return None if found is None else round(found[0] * (1000 if found[1] else unit_ms))
