"""The door: a file in, its cues out. All decisions are elsewhere; this reads the bytes."""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.decoding import decode
from yuki_builder.subtitles.events import Event, Events
from yuki_builder.subtitles.formats import BINARY_FORMATS, format_of
from yuki_builder.subtitles.formats.base import Source
from yuki_builder.subtitles.languages import language_of_name
from yuki_builder.subtitles.sheet import CueSheet, read_sheet

MAX_BYTES = 32 << 20  # an episode of heavily typeset ASS is 20 MB; dialogue is 50 kB
_LINE_END = re.compile(r"\r+\n|\r")  # also `\r\r\n`, which a file gets when it is saved twice


@contextlib.contextmanager
def _without_garbage_collector() -> Iterator[None]:
    """The entries of a file form no circles, and the collector would go over all of them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_garbage_collector()
def read_cues(
    path: Path, *, frame_rate_hz: float | None = None, language: str | None = None, encoding: str | None = None
) -> CueSheet:
    """The cues of a subtitle file of any format and encoding.

    Args:
        path: a file of any format in ``formats.FORMATS``. The content decides, not the name.
        frame_rate_hz: of the video, for files that count frames and do not say how long one is.
        language: the language of the text (``zh``, ``ja``…), which helps to tell the code page; of a file in two
            languages, the one that is the text (the upper one where it is left out).
        encoding: the name of a Python codec; told by the bytes where it is left out.

    Raises:
        SubtitleError: no such file, empty, binary, far too large, in an unknown encoding or format, or without
            any cue.
        OSError: the file cannot be read.
    """
    data = _read_bytes(path)
    binary = next((known for known in BINARY_FORMATS if known.recognises(data)), None)
    if binary is not None:
        found, format_name, is_ass, used, replaced = binary.read(data, path), binary.name, False, "binary", 0
    else:
        decoded = decode(data, where=path, language=language or language_of_name(path.name), encoding=encoding)
        text = _LINE_END.sub("\n", decoded.text.lstrip("\ufeff"))
        known = format_of(text)
        if known is None:
            raise SubtitleError(
                f"no subtitles of a known format (its text was read as {decoded.encoding})",
                where=path,
                remedy="use SRT, ASS or WebVTT, saved as UTF-8",
            )
        found = known.read(Source(text, frame_rate_hz, path))
        format_name, is_ass, used, replaced = known.name, known.is_ass, decoded.encoding, decoded.replaced
    if not found.events:
        damaged = f" ({found.unreadable} damaged)" if found.unreadable else ""
        raise SubtitleError(
            f"the {format_name.upper()} file holds no cues{damaged}",
            where=path,
            remedy="choose another with --subtitles",
        )
    cues, conventions = read_sheet(_until_nul(found).events, is_ass=is_ass, language=language)
    return CueSheet(
        cues=cues,
        encoding=used,
        format=format_name,
        unreadable=found.unreadable,
        replaced=replaced,
        conventions=conventions,
    )


def _until_nul(found: Events) -> Events:
    """A text ends at a NUL in its last row: what some tools leave behind it is a rest of their memory."""
    return replace(found, events=tuple(_cut(event) if "\0" in event.text else event for event in found.events))


def _cut(event: Event) -> Event:
    above, line_feed, last = event.text.rpartition("\n")
    return replace(event, text=above + line_feed + last.partition("\0")[0])


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        what = "not a file" if path.exists() else "no such subtitle file"
        raise SubtitleError(what, where=path, remedy="check --subtitles")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SubtitleError(
            f"larger than {MAX_BYTES >> 20} MiB: too large for subtitles", where=path, remedy="check --subtitles"
        )
    return data
