"""Formats of one row a cue, with ``|`` between its lines: MicroDVD counts frames, MPL2 tenths, TMPlayer seconds."""

from __future__ import annotations

import re

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.base import Format, Source, coloured, share_of_rows
from yuki_builder.subtitles.formats.open_ended import close

_MAX_ROW_CHARS = 5000  # no cue is longer
_MICRODVD = re.compile(r"\s*\{\s*(\d{1,9})\s*\}\s*\{\s*(\d{0,9})\s*\}(.*)")
_MPL2 = re.compile(r"\s*\[(-?\d{1,9})\]\s*\[(-?\d{0,9})\](.*)")
_TMPLAYER = re.compile(r"\s*(\d{1,2}):(\d{1,2}):(\d{1,2})(?:,\d)?\s?[:=, ](.*)")
_TIMECODE = re.compile(r"\s*\d{1,2}:\d{2}:\d{2}[:;]\d{2}(?!\d)")  # of frames: another format's
_RATE = re.compile(r"\d{2,3}(?:[.,]\d{1,6})?")
# "movie info: XVID 608x256 25.0fps 700.0 MB|subtitles by …" is the first row of many files, shown for no time.
_RATE_IN_WORDS = re.compile(r"(?<![\d.,])(\d{2,3}(?:[.,]\d{1,6})?)\s?fps", re.IGNORECASE)
_RATES = (10.0, 121.0)
_BRACE = re.compile(r"\{([yYcCfFsSpPoOhH]):([^{}]*)\}")
_BGR = re.compile(r"\$([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


class MicroDvd(Format):
    """MicroDVD: ``{24}{72}text``, in frames."""

    name = "microdvd"
    title = "MicroDVD"
    suffixes = (".sub", ".txt")

    def recognises(self, text: str) -> bool:
        return share_of_rows(text, _MICRODVD) >= 0.5

    def read(self, source: Source) -> Events:
        """All cues. The frame rate is the file's own where its first row says it, else the video's."""
        rows, unreadable = _rows(source.text, _MICRODVD)
        rate_hz = source.frame_rate_hz
        if rows and (stated_hz := _stated_rate_hz(rows[0])) is not None:
            rate_hz = stated_hz
            rows = rows[1:]
        if not rate_hz:
            source.refuse(
                "the file counts frames and does not say how many make a second",
                remedy="put {1}{1}23.976 (its frame rate) in as the first line, or convert it to SRT",
            )
        starts = [int(row[1]) for row in rows] + [int(rows[-1][1]) + 3 * round(rate_hz) if rows else 0]
        ends = [int(row[2]) if row[2] else following for row, following in zip(rows, starts[1:], strict=True)]
        return Events(
            tuple(
                Event(round(start * 1000 / rate_hz), round(end * 1000 / rate_hz), _markup(row[3]))
                for row, start, end in zip(rows, starts, ends, strict=False)
            ),
            unreadable,
        )


class Mpl2(Format):
    """MPL2: ``[10][30]text``, in tenths of a second."""

    name = "mpl2"
    title = "MPL2"
    suffixes = (".mpl", ".txt")

    def recognises(self, text: str) -> bool:
        return share_of_rows(text, _MPL2) >= 0.5

    def read(self, source: Source) -> Events:
        rows, unreadable = _rows(source.text, _MPL2)
        starts = [int(row[1]) for row in rows] + [int(rows[-1][1]) + 30 if rows else 0]
        ends = [int(row[2]) if row[2] else following for row, following in zip(rows, starts[1:], strict=True)]
        return Events(
            tuple(
                Event(100 * start, 100 * end, _markup(row[3]))
                for row, start, end in zip(rows, starts, ends, strict=False)
            ),
            unreadable,
        )


class TmPlayer(Format):
    """TMPlayer: ``00:00:01:text``, also with ``=``; a line goes when the next one comes."""

    name = "tmp"
    title = "TMPlayer"
    suffixes = (".txt", ".tmp", ".sub")

    def recognises(self, text: str) -> bool:
        is_timecode = share_of_rows(text, _TIMECODE) > 0.5
        return share_of_rows(text, _TMPLAYER) >= 0.5 and not is_timecode

    def read(self, source: Source) -> Events:
        rows, unreadable = _rows(source.text, _TMPLAYER)
        lines = [
            (((int(row[1]) * 60 + int(row[2])) * 60 + int(row[3])) * 1000, _markup(row[4]).strip()) for row in rows
        ]
        return Events(close(lines), unreadable)


def _rows(text: str, pattern: re.Pattern[str]) -> tuple[list[re.Match[str]], int]:
    """The rows that a pattern reads, and how many others there are."""
    rows = [row for row in text.split("\n") if row.strip()]
    found = [match for row in rows if len(row) <= _MAX_ROW_CHARS and (match := pattern.match(row))]
    return found, len(rows) - len(found)


def _stated_rate_hz(row: re.Match[str]) -> float | None:
    """The frame rate that the first row states in place of a text."""
    text = row[3].strip()
    is_instant = row[2] and int(row[2]) <= max(1, int(row[1]))
    match = _RATE.fullmatch(text)
    found = match[0] if match and is_instant else None
    if found is None and (worded := _RATE_IN_WORDS.search(text[:300])):
        found = worded[1]
    rate_hz = float(found.replace(",", ".")) if found else 0.0
    return rate_hz if _RATES[0] <= rate_hz <= _RATES[1] else None


def _markup(text: str) -> str:
    """Lines of a cue without codes of style; a colour stays as markup. A slash in front makes italics."""
    lines = []
    colors: list[str] = []
    for line in text.split("|"):
        codes = [(kind, value) for kind, value in _BRACE.findall(line)]
        own = next((rgb for kind, value in codes if kind in "cC" and (rgb := _rgb(value))), None)
        colors += [rgb for kind, value in codes if kind == "C" and (rgb := _rgb(value))]
        shown = _BRACE.sub("", line).lstrip()
        shown = shown[1:] if shown.startswith("/") and not shown.endswith("/") else shown
        lines.append(coloured(shown, own or next(iter(colors), None)))
    return "\n".join(lines)


def _rgb(code: str) -> str | None:
    match = _BGR.fullmatch(code.strip())
    return f"#{match[3]}{match[2]}{match[1]}".lower() if match else None
