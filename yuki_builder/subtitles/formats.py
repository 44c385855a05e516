"""Which format a text is in, and its entries: SubRip and WebVTT by ``blocks``, everything else by pysubs2."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.blocks import has_timing, read_srt, read_vtt
from yuki_builder.subtitles.events import Event, Events

_ASS_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_ASS_SYNONYMS = {"actor": "name", "marked": "layer"}
_ASS_TIME = re.compile(r"-?\d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?$")
_SIGNATURES = {
    "vtt": re.compile(r"\A\s*WEBVTT"),
    "sami": re.compile(r"\A\s*<sami>", re.IGNORECASE),
    "ssa": re.compile(r"^[ \t]*\[v4 styles\]", re.IGNORECASE | re.MULTILINE),
    "ass": re.compile(
        r"^[ \t]*(?:\[(?:script info|v4\+ styles|events)\]|(?:dialogue|comment):\s*(?:\d|marked=))",
        re.IGNORECASE | re.MULTILINE,
    ),
}
# Formats of one line per cue. Frame counts and times are bounded: int() is for people's files, not for bombs.
_ONE_LINE_CUES = {
    "microdvd": re.compile(r"\s*\{\s*\d{1,9}\s*\}\s*\{\s*\d{1,9}\s*\}."),
    "mpl2": re.compile(r"\[-?\d{1,9}\]\[-?\d{1,9}\]"),
    "tmp": re.compile(r"\d{1,2}:\d{2}:\d{2}:."),
}
# Below pysubs2, such lines and SAMI's HTML are searched in quadratic time; no cue and no SAMI file is this long.
_MAX_LINE_CHARS = 500
_MAX_SAMI_CHARS = 1 << 19
# What pysubs2 and the XML and HTML parsers below it raise on damaged files.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, AssertionError, SyntaxError, RuntimeError, OverflowError)


def guess_format(text: str) -> str | None:
    """The name of the format (``srt``, ``vtt``, ``ass``, ``ssa``, ``microdvd``, ``ttml`` …) by content, or None."""
    head = text[:10000]
    for format_name, pattern in _SIGNATURES.items():
        if pattern.search(head):
            return format_name
    return "srt" if has_timing(text) else _guess_by_pysubs2(head)


def _guess_by_pysubs2(head: str) -> str | None:
    from pysubs2.exceptions import FormatAutodetectionError
    from pysubs2.formats import autodetect_format

    try:
        guess = autodetect_format(head)
    except FormatAutodetectionError:
        return None
    return guess if guess in {*_ONE_LINE_CUES, "ttml"} else None


def read_events(
    text: str, format_name: str, *, frame_rate_hz: float | None = None, where: str | os.PathLike[str] | None = None
) -> Events:
    """All entries of ``text``. ``frame_rate_hz`` times formats that count frames (MicroDVD) and do not say it.

    Raises:
        SubtitleError: the text is not what its format asks for, or counts frames of unknown length.
    """
    if format_name == "srt":
        return read_srt(text)
    if format_name == "vtt":
        return read_vtt(text)
    if format_name in ("ass", "ssa"):
        return _read_ass(text, where=where)
    if format_name in _ONE_LINE_CUES:
        lines = [line for line in text.split("\n") if line.strip()]
        kept = [line for line in lines if _ONE_LINE_CUES[format_name].match(line) and len(line) <= _MAX_LINE_CHARS]
        events = _by_pysubs2("\n".join(kept), format_name, frame_rate_hz=frame_rate_hz, where=where)
        return Events(events, unreadable=len(lines) - len(kept))
    if (format_name == "sami" and len(text) > _MAX_SAMI_CHARS) or "<!ENTITY" in text:
        raise SubtitleError(f"not a plain {format_name.upper()} file", where=where, remedy="convert it to SRT")
    return Events(_by_pysubs2(text, format_name, where=where))


def _read_ass(text: str, *, where: str | os.PathLike[str] | None) -> Events:
    """Only sound event lines reach pysubs2, their columns in its order: one damaged line would end its reading."""
    fields: Sequence[str] = _ASS_FIELDS
    lines, unreadable, in_events = [], 0, True
    for line in map(str.strip, text.split("\n")):
        if line.startswith("["):
            in_events = line[:8].lower() == "[events]"
        kind, colon, rest = line.partition(":")
        kind = kind.lower()
        if not colon or not in_events or kind not in ("format", "dialogue", "comment"):
            continue
        if kind == "format":
            named = tuple(_ASS_SYNONYMS.get(name, name) for name in map(str.strip, rest.lower().split(",")))
            fields = named if named[-1:] == ("text",) and {"start", "end"} <= set(named) else _ASS_FIELDS
            continue
        values = dict(zip(fields, rest.strip().split(",", len(fields) - 1), strict=False))
        if "text" not in values or not all(_ASS_TIME.match(values[name].strip()) for name in ("start", "end")):
            unreadable += 1
            continue
        numbers = dict.fromkeys(("layer", "marginl", "marginr", "marginv"), "0")
        lines.append(f"{kind.capitalize()}: {','.join((values | numbers).get(name, '') for name in _ASS_FIELDS)}")
    return Events(_by_pysubs2("\n".join(["[Events]", *lines]), "ass", where=where), unreadable)


def _by_pysubs2(
    text: str, format_name: str, *, frame_rate_hz: float | None = None, where: str | os.PathLike[str] | None
) -> tuple[Event, ...]:
    from pysubs2 import Pysubs2Error, SSAFile, UnknownFPSError

    try:
        file = SSAFile.from_string(text, format_=format_name, fps=frame_rate_hz)
    except UnknownFPSError as e:
        raise SubtitleError(
            "the file counts frames and does not say how many make a second",
            where=where,
            remedy="put {1}{1}23.976 (its frame rate) in as the first line, or convert it to SRT",
        ) from e
    except (Pysubs2Error, *_DAMAGE) as e:
        raise SubtitleError(
            f"damaged as a {format_name.upper()} file ({type(e).__name__}: {str(e)[:80]})",
            where=where,
            remedy="convert it to SRT",
        ) from e
    return tuple(
        Event(
            start_ms=event.start,
            end_ms=event.end,
            # pysubs2 writes every format's line breaks as ASS does.
            text=event.text if format_name == "ass" else event.text.replace("\\N", "\n"),
            style=event.style if format_name == "ass" else None,
            actor=event.name,
            effect=event.effect,
            is_comment=event.is_comment,
        )
        for event in file
    )
