"""The pictures of a bitmap subtitle track as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from video_preprocessing.ocr.corrections import corrected
from video_preprocessing.ocr.layout import (
    cells_of_column,
    columns_of_letters,
    is_italic,
    laid_flat,
    letters_of,
    rows_of_letters,
    usual_row_height,
)
from video_preprocessing.ocr.reader import Box, TextReader
from video_preprocessing.ocr.thumbnails import thumbnail
from yuki_builder.records import PictureText, Progress, SubtitlePicture, TextRow, no_progress

NO_TEXT = "no text in the picture"
_MARGIN = 0.22  # of a row's height, around it
_OPEN_END_MS = 10_000  # nobody reads one subtitle for longer: its end was not said
_MIN_CONFIDENCE = 0.4
_ENOUGH, _GAPLESS_SHARE = 8, 0.9  # so many pictures that each end where the next begins: the track says no ends


def read_bitmaps(
    pictures: Iterable[SubtitlePicture],
    reader: TextReader,
    *,
    language: str | None = None,
    progress: Progress = no_progress,
) -> list[PictureText]:
    """What each picture says, in their order; those that say nothing are left out with a reason.

    Args:
        pictures: of the track.
        reader: the networks.
        language: of the track, where it is known.
        progress: called with pictures read and in all.
    """
    # All of them first, so that short rows are judged by long ones; colours are kept at half the size.
    drawn = [
        (dataclasses.replace(picture, rgba=picture.rgba[::2, ::2].copy()), letters_of(picture.rgba))
        for picture in pictures
    ]
    usual_height = usual_row_height(letters for _, letters in drawn)
    texts = []
    for done, (picture, letters) in enumerate(drawn, 1):
        texts.append(_read(picture, letters, reader, language=language, usual_height=usual_height))
        progress(done, len(drawn))
    return with_ends(texts)


def with_ends(texts: Sequence[PictureText]) -> list[PictureText]:
    """Texts that end when they have been read, where their track does not take them away. Pure."""
    gapless = sum(one.end_ms == two.start_ms for one, two in pairwise(texts))
    says_no_ends = len(texts) >= _ENOUGH and gapless >= _GAPLESS_SHARE * (len(texts) - 1)
    ended = []
    for text in texts:
        is_open = says_no_ends or text.end_ms <= text.start_ms or text.end_ms - text.start_ms > _OPEN_END_MS
        end_ms = text.start_ms + reading_ms(text.text)
        if is_open and text.end_ms > text.start_ms:
            end_ms = min(end_ms, text.end_ms)
        ended.append(dataclasses.replace(text, end_ms=end_ms) if is_open else text)
    return ended


def reading_ms(text: str) -> int:
    """How long a text is usually shown."""
    wide = sum(ord(c) >= 0x2E80 for c in text)
    return min(7000, max(1500, 800 + 200 * wide + 70 * (len(text) - wide)))


def _read(
    picture: SubtitlePicture,
    letters: npt.NDArray[np.uint8],
    reader: TextReader,
    *,
    language: str | None,
    usual_height: float | None,
) -> PictureText:
    rows = []
    for box, row in _row_pictures(letters, usual_height):
        text, confidence = reader.read_row(row)
        text = corrected(text, language)
        if text and confidence >= _MIN_CONFIDENCE:
            rows.append(
                TextRow(
                    text,
                    round(confidence, 4),
                    round((picture.left + box.left) / picture.canvas_width, 4),
                    round((picture.top + box.top) / picture.canvas_height, 4),
                    round((picture.left + box.right) / picture.canvas_width, 4),
                    round((picture.top + box.bottom) / picture.canvas_height, 4),
                    _colour(picture.rgba, letters, box),
                    is_italic(letters, box),
                )
            )
    return PictureText(
        picture.start_ms, picture.end_ms, tuple(rows), None if rows else NO_TEXT, thumbnail(255 - np.pad(letters, 4))
    )


def _row_pictures(
    letters: npt.NDArray[np.uint8], usual_height: float | None
) -> Iterable[tuple[Box, npt.NDArray[np.uint8]]]:
    """Each row with its picture, dark on white as print is; columns of vertical writing laid flat."""
    columns = columns_of_letters(letters)
    if columns:
        for box in columns:
            yield box, 255 - laid_flat(letters, cells_of_column(letters, box))
        return
    for box in rows_of_letters(letters, usual_height=usual_height)[0]:
        margin = max(3, round(_MARGIN * box.height))
        part = letters[max(0, box.top - 1) : box.bottom + 1, max(0, box.left - 1) : box.right + 1]
        yield box, 255 - np.pad(part, margin)


def _colour(rgba: npt.NDArray[np.uint8], letters: npt.NDArray[np.uint8], box: Box) -> str | None:
    """The colour of a row's letters; ``rgba`` is at half the size."""
    part = rgba[(box.top + 1) // 2 : (box.bottom + 1) // 2, (box.left + 1) // 2 : (box.right + 1) // 2]
    filled = (
        letters[::2, ::2][(box.top + 1) // 2 : (box.bottom + 1) // 2, (box.left + 1) // 2 : (box.right + 1) // 2] >= 200
    )
    if not filled.any():
        return None
    red, green, blue = (int(c) for c in np.median(part[filled][:, :3], axis=0))
    return f"#{red:02x}{green:02x}{blue:02x}"
