"""Subtitle formats: one module per format behind one base. Adding a format is one file and one row in ``FORMATS``."""

from __future__ import annotations

import os

from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats.ass import Ass, Ssa
from yuki_builder.subtitles.formats.base import BinaryFormat, Format, Source
from yuki_builder.subtitles.formats.broadcast import EbuStl, Scc
from yuki_builder.subtitles.formats.comma_times import Sbv, SubViewer
from yuki_builder.subtitles.formats.lrc import Lrc
from yuki_builder.subtitles.formats.one_line import MicroDvd, Mpl2, TmPlayer
from yuki_builder.subtitles.formats.refused import REFUSED
from yuki_builder.subtitles.formats.sami import Sami
from yuki_builder.subtitles.formats.subrip import SubRip
from yuki_builder.subtitles.formats.timecodes import SpruceStl
from yuki_builder.subtitles.formats.transcripts import SegmentsJson, SegmentsTable, TimedRows
from yuki_builder.subtitles.formats.ttml import Ttml
from yuki_builder.subtitles.formats.webvtt import WebVtt
from yuki_builder.subtitles.formats.youtube import YouTubeJson, YouTubeXml

__all__ = ["BINARY_FORMATS", "FORMATS", "SUFFIXES", "Event", "Events", "guess_format", "read_events"]

# In the order in which they are tried: those that show a signature, then those that show in their rows alone.
FORMATS: tuple[Format, ...] = (
    WebVtt(),
    Scc(),
    Ttml(),
    YouTubeXml(),
    Sami(),
    YouTubeJson(),
    SegmentsJson(),
    Ssa(),
    Ass(),
    SubViewer(),
    SpruceStl(),
    TimedRows(),
    SegmentsTable(),
    Sbv(),
    SubRip(),
    Lrc(),
    MicroDvd(),
    Mpl2(),
    TmPlayer(),
)
BINARY_FORMATS: tuple[BinaryFormat, ...] = (EbuStl(),)
_ALL: tuple[Format | BinaryFormat, ...] = (*FORMATS, *BINARY_FORMATS)
SUFFIXES = frozenset(suffix for known in _ALL for suffix in known.suffixes)
"""What files of a known format may end with."""


def format_of(text: str) -> Format | None:
    """The format of a text by its content, also one that is refused when it is read; None where there is none."""
    for known in FORMATS:
        if known.recognises(text):
            return known
    return next((refused for refused in REFUSED if refused.recognises(text)), None)


def guess_format(text: str) -> str | None:
    """The name of the format (``srt``, ``vtt``, ``ass``, ``microdvd``, ``ttml`` …) by content, or None."""
    found = next((known for known in FORMATS if known.recognises(text)), None)
    return None if found is None else found.name


def read_events(
    text: str, format_name: str, *, frame_rate_hz: float | None = None, where: str | os.PathLike[str] | None = None
) -> Events:
    """All entries of ``text``. ``frame_rate_hz`` times formats that count frames and do not say how long one is.

    Args:
        text: the whole file, decoded.
        format_name: a name of ``FORMATS``.
        frame_rate_hz: of the video, for formats that count frames and do not say how long one is.
        where: what an error names as the file.

    Raises:
        SubtitleError: the text is not what its format asks for, or counts frames of unknown length.
    """
    known = next(known for known in FORMATS if known.name == format_name)
    return known.read(Source(text, frame_rate_hz, where))
