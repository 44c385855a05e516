"""Rows of letters in a picture that holds nothing else: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from video_preprocessing.ocr.reader import Box

Mask = npt.NDArray[np.bool_]

_MIN_ROW_SHARE = 0.3  # of the tallest row: less are dots, dashes and readings
_RUBY_SHARE = 0.66
_COLUMN_GAP = 2.5  # heights of a row: two people's words side by side
_TALL = 1.9  # times its width: a column of letters
_BRIGHT = 128
_LONG = 5  # times its height: a row of several words
_ONE_ROW = 1.1
_BOX_SHARE = 0.75
_LEANS = np.arange(-2, 9) * 0.05  # shares of the height by which the top of a letter may stand to the right of its foot
_ITALIC_LEANS = (0.15, 0.30)
_ITALIC_WIDTH = 4  # heights of a row: less is too little to tell A and V from italics
_SHARPER = 1.02


def letters_of(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The letters of a subtitle picture bright on black, shape (height, width), whatever their colour and outline."""
    import cv2

    colours, alpha = rgba[..., :3], rgba[..., 3].astype(np.float32) / 255
    value = colours.max(axis=2).astype(np.float32)
    opaque = rgba[..., 3] >= _BRIGHT
    if not opaque.any():
        opaque = rgba[..., 3] > 0
        alpha = alpha / max(float(alpha.max()), 1e-6)
    if opaque.mean() > _BOX_SHARE:  # letters on a box: what is rarer is the text
        box = float(np.median(value[opaque]))
        return np.where(opaque, np.abs(value - box), 0).clip(0, 255).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(opaque, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    inner = opaque & (depth >= np.quantile(depth[opaque], 0.6))
    edge = opaque & (depth <= 1.5)
    fill, outline = float(np.median(value[inner])), float(np.median(value[edge]))
    if fill < outline - 40:
        value = 255 - value
    elif fill < 64:
        value = np.full_like(value, 255.0)  # dark letters without an outline
    strongest = float(np.quantile((value * alpha)[opaque], 0.95)) or 1.0
    return (value * alpha * (255 / max(strongest, 32.0))).clip(0, 255).astype(np.uint8)


def usual_row_height(pictures: Iterable[npt.NDArray[np.uint8]]) -> float | None:
    """How tall the rows of a track are, by those that are long enough to tell; None where none is."""
    heights = []
    for letters in pictures:
        mask = letters >= _BRIGHT
        for top, bottom in _joined_marks(_runs(mask.any(axis=1))):
            filled = np.flatnonzero(mask[top:bottom].any(axis=0))
            if filled[-1] - filled[0] >= _LONG * (bottom - top):
                heights.append(bottom - top)
    return float(np.median(heights)) if heights else None


def rows_of_letters(
    letters: npt.NDArray[np.uint8], *, usual_height: float | None = None
) -> tuple[list[Box], list[Box]]:
    """Where rows are, from top to bottom and from left to right, and where small readings stand above characters.

    ``usual_height`` keeps the strokes of 三 from being three rows, where there is nothing else in the row.
    """
    mask = letters >= _BRIGHT
    bands = _joined_marks(_runs(mask.any(axis=1)))
    if usual_height is not None:
        bands = _joined_strokes(bands, usual_height)
    boxes = [box for top, bottom in bands for box in _blocks(mask, top, bottom)]
    if not boxes:
        return [], []
    tallest = max(box.height for box in boxes)
    rows = [box for box in boxes if box.height >= _MIN_ROW_SHARE * tallest]
    readings = [box for box in rows if _is_reading(box, rows)]
    return [box for box in rows if box not in readings], readings


def columns_of_letters(letters: npt.NDArray[np.uint8]) -> list[Box]:
    """Columns of vertical writing, from right to left; none where the letters stand in rows."""
    mask = letters >= _BRIGHT
    runs = _runs(mask.any(axis=0))
    columns = []
    for left, right in runs:
        filled = np.flatnonzero(mask[:, left:right].any(axis=1))
        columns.append(Box(left, int(filled[0]), right, int(filled[-1]) + 1))
    widest = max((box.width for box in columns), default=0)
    columns = [box for box in columns if box.width >= _RUBY_SHARE * widest]
    if not columns or any(box.height < _TALL * box.width for box in columns):
        return []
    if any(len(cells_of_column(letters, box)) < 2 for box in columns):
        return []
    return sorted(columns, key=lambda box: -box.left)


def cells_of_column(letters: npt.NDArray[np.uint8], column: Box) -> list[Box]:
    """The characters of a column, from top to bottom; each about as tall as the column is wide."""
    mask = letters[column.top : column.bottom, column.left : column.right] >= _BRIGHT
    cells: list[list[int]] = []
    for top, bottom in _runs(mask.any(axis=1)):
        if cells and bottom - cells[-1][0] <= 1.08 * column.width:
            cells[-1][1] = bottom  # strokes of one character that do not touch
        else:
            cells.append([top, bottom])
    return [Box(column.left, column.top + top, column.right, column.top + bottom) for top, bottom in cells]


def laid_flat(letters: npt.NDArray[np.uint8], cells: Sequence[Box]) -> npt.NDArray[np.uint8]:
    """The characters of a column side by side, as a row."""
    side = max(max(box.width, box.height) for box in cells) + 4
    row = np.zeros((side, side * len(cells)), np.uint8)
    for k, box in enumerate(cells):
        top, left = (side - box.height) // 2, k * side + (side - box.width) // 2
        row[top : top + box.height, left : left + box.width] = letters[box.top : box.bottom, box.left : box.right]
    return row


def is_italic(letters: npt.NDArray[np.uint8], row: Box) -> bool:
    """Whether the letters of a row lean to the right.

    Strokes that stand upright fill few columns of pixels; those of italics do once the lean is taken out.
    """
    if row.width < _ITALIC_WIDTH * row.height:
        return False
    part = letters[row.top : row.bottom, row.left : row.right].astype(np.float32) / 255
    height, width = part.shape
    room = int(np.ceil(_LEANS.max() * height / 2)) + 1
    sharpness = np.zeros(len(_LEANS))
    for k, lean in enumerate(_LEANS):
        columns = np.zeros(width + 2 * room)
        for y, pixels in enumerate(part):
            left = room - round(float(lean) * (height / 2 - y))
            columns[left : left + width] += pixels
        sharpness[k] = (columns**2).sum()
    low, high = _ITALIC_LEANS
    upright = sharpness[np.abs(_LEANS) < 0.06].max()
    return bool(low - 0.01 <= _LEANS[sharpness.argmax()] <= high + 0.01 and sharpness.max() >= _SHARPER * upright)


def _runs(filled: Any) -> list[tuple[int, int]]:
    """Where a row of yes and no says yes: starts, and ends that are excluded."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], filled.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _joined_marks(bands: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Rows with the dots and accents that stand apart above or below them."""
    tallest = max((bottom - top for top, bottom in bands), default=0)
    joined: list[tuple[int, int]] = []
    for top, bottom in bands:
        if joined:
            above, below = joined[-1][1] - joined[-1][0], bottom - top
            is_near = top - joined[-1][1] <= 0.16 * tallest
            if is_near and min(above, below) < _MIN_ROW_SHARE * tallest:
                joined[-1] = (joined[-1][0], bottom)
                continue
        joined.append((top, bottom))
    return joined


def _joined_strokes(bands: Sequence[tuple[int, int]], usual_height: float) -> list[tuple[int, int]]:
    """Bands that together are no taller than a row usually is are one."""
    joined: list[tuple[int, int]] = []
    for top, bottom in bands:
        if joined and bottom - joined[-1][0] <= _ONE_ROW * usual_height:
            joined[-1] = (joined[-1][0], bottom)
        else:
            joined.append((top, bottom))
    return joined


def _blocks(mask: Mask, top: int, bottom: int) -> list[Box]:
    """The parts of a row that stand far apart."""
    gap = _COLUMN_GAP * (bottom - top)
    parts: list[list[int]] = []
    for left, right in _runs(mask[top:bottom].any(axis=0)):
        if parts and left - parts[-1][1] <= gap:
            parts[-1][1] = right
        else:
            parts.append([left, right])
    boxes = []
    for left, right in parts:
        filled = np.flatnonzero(mask[top:bottom, left:right].any(axis=1))
        boxes.append(Box(left, top + int(filled[0]), right, top + int(filled[-1]) + 1))
    return boxes


def _is_reading(box: Box, rows: Sequence[Box]) -> bool:
    """Whether a row is small and stands close above a much taller one that is at least as wide."""
    return any(
        box.height < _RUBY_SHARE * other.height
        and 0 <= other.top - box.bottom <= 0.5 * other.height
        and box.left >= other.left - other.height
        and box.right <= other.right + other.height
        for other in rows
    )
