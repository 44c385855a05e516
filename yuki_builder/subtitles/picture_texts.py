"""Text that was read from pictures as a subtitle sheet: decided about as any subtitle file is. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from yuki_builder.records import CueOrigin, PictureText, TextRow
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.formats.base import as_markup, coloured
from yuki_builder.subtitles.sheet import CueSheet, read_sheet

_GREY = 48  # channels that differ by less are one of white, grey or black
_STEP = 128
# Notes stand at both ends of what is sung; the network often misses one. In Japanese and Chinese one is only cheerful.
_ONE_NOTE = re.compile("[♪♫][^♪♫]+|[^♪♫]+[♪♫]")
_WIDE = re.compile("[\u3041-\u30ff\u3400-\u9fff]")


def read_picture_texts(texts: Sequence[PictureText], *, language: str | None = None) -> CueSheet:
    """The cues of what pictures say; what is left out there is none. A cue's ``index`` is its text's position.

    Args:
        texts: by time.
        language: of a text in two languages the one that is the text; the upper one where it is left out.
    """
    kept = [(k, text) for k, text in enumerate(texts) if text.left_out is None]
    colours = {colour for _, text in kept for row in text.rows if (colour := _plain_colour(row))}
    has_colours = len(colours) > 1
    events = [
        Event(text.start_ms, text.end_ms, "\n".join(_markup(row, has_colours) for row in text.rows)) for _, text in kept
    ]
    cues, conventions = read_sheet(events, is_ass=False, language=language)
    found = tuple(
        dataclasses.replace(
            cue, index=kept[cue.index][0], origin=CueOrigin.OCR, confidence=kept[cue.index][1].confidence
        )
        for cue in cues
    )
    return CueSheet(cues=found, encoding="pictures", format="ocr", conventions=conventions)


def _markup(row: TextRow, has_colours: bool) -> str:
    text = row.text
    if _ONE_NOTE.fullmatch(text) and not _WIDE.search(text):
        text = f"♪ {text.strip('♪♫ ')} ♪"
    markup = coloured(as_markup(text), _plain_colour(row) if has_colours else None)
    return f"<i>{markup}</i>" if row.italic else markup


def _plain_colour(row: TextRow) -> str | None:
    """The colour of a row without its shades: pictures are noisy, and what tells speakers apart is not subtle."""
    if row.colour is None:
        return None
    channels = [int(row.colour[k : k + 2], 16) for k in (1, 3, 5)]
    if max(channels) - min(channels) < _GREY:
        return "#ffffff"
    return "#" + "".join("ff" if channel >= max(channels) - _STEP / 2 else "00" for channel in channels)
