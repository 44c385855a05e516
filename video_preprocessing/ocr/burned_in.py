"""Subtitles that are part of a video's picture: found by their bright strokes, read once each.

Letters of subtitles are bright strokes on something darker, an outline or a scene, and stay where they are while the
scene moves. So a few times a second the bright strokes of the lower and the upper edge of the picture are marked; a
text is there from when many strokes appear together until they go, and only then the networks read it, from the darkest
that each pixel was meanwhile: the scene behind fades, the letters stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from video_preprocessing.ocr.corrections import corrected
from video_preprocessing.ocr.reader import Box, TextReader
from video_preprocessing.ocr.rows import (
    CREDITS,
    Sighting,
    group_rows,
    is_credits,
    join_parts,
    join_sightings,
    span_of,
    tell_apart,
)
from video_preprocessing.ocr.thumbnails import thumbnail
from yuki_builder.records import PictureText, TextRow, VideoPicture

Mask = npt.NDArray[np.uint8]
"""Shape (height, width), 255 where there is something."""
Luma = npt.NDArray[np.uint8]

LOWER_FROM, UPPER_TO = 0.62, 0.24
"""Shares of the picture's height: subtitles of two languages in two rows each take a third."""
_LARGE = 900  # pictures at least this high are looked at in half their size
_STROKE_SHARE = 1 / 48  # the widest stroke, of the picture's height
_CONTRAST = 56
_LONG_SHARE = 1 / 9
_BRIGHT = 112
_MANY_STROKES = 3  # along a row of pixels: the letters of one short word
_ROWS_SHARE = 0.012  # of the picture's height: so many such rows are letters
_PRESENT = 0.7
_MOST_IN_PICTURE = 12
_MIN_CONFIDENCE = 0.6
_MARGIN = 0.12
_MIN_STROKES = 0.03
THUMBNAIL_ROW = 30


@dataclass
class Stretch:
    """A while in which the strokes of a part of the picture stay."""

    start_ms: int
    end_ms: int
    darkest: Luma
    hits: npt.NDArray[np.int32]
    samples: int = 1

    @property
    def strokes(self) -> Mask:
        """Those that were there most of the time."""
        return np.where(self.hits >= max(2, _PRESENT * self.samples), 255, 0).astype(np.uint8)


@dataclass
class Watch:
    """One edge of the picture, sample by sample; gives the stretches in which there may be text."""

    top: int
    bottom: int
    picture_height: int
    pending: list[tuple[int, Luma, Mask]] = field(default_factory=list)
    stretch: Stretch | None = None

    def feed(self, time_ms: int, luma: Luma) -> Iterator[Stretch]:
        """Takes the next sample of the whole picture."""
        part = luma[self.top : self.bottom]
        yield from self.feed_part(time_ms, part, strokes_of(part, self.picture_height))

    def feed_part(self, time_ms: int, luma: Luma, strokes: Mask) -> Iterator[Stretch]:
        """The same of this edge alone.

        Args:
            time_ms: when the picture is shown.
            luma: its brightness, shape (rows, columns), 0 to 255.
            strokes: where letters may be, the same shape.
        """
        self.pending.append((time_ms, luma, strokes))
        if len(self.pending) == 3:
            yield from self._decide()
            self.pending.pop(0)

    def finish(self) -> Iterator[Stretch]:
        """The last stretch, when the video has ended."""
        if len(self.pending) == 2:
            yield from self.feed_part(*self.pending[-1])
        if self.stretch is not None and self.is_readable(self.stretch):
            self.stretch.end_ms = self.pending[-1][0]
            yield self.stretch

    def _decide(self) -> Iterator[Stretch]:
        (before_ms, _, before), (time_ms, luma, mask), (_, _, after) = self.pending
        dilated = _dilated(mask)
        if self.stretch is not None:
            appeared = mask & _dilated(after) & ~_dilated(before)
            strokes = self.stretch.strokes if self.stretch.samples > 1 else self.stretch.hits.astype(np.uint8) * 255
            gone = strokes & ~dilated & ~_dilated(after)
            if self._is_text(appeared) or self._is_text(gone):
                self.stretch.end_ms = (before_ms + time_ms) // 2
                if self.is_readable(self.stretch):
                    yield self.stretch
                self.stretch = None
        if self.stretch is None:
            start_ms = (before_ms + time_ms) // 2
            hits = (mask & _dilated(after) > 0).astype(np.int32)
            self.stretch = Stretch(start_ms, time_ms, luma.copy(), hits)
            return
        self.stretch.samples += 1
        self.stretch.hits += mask > 0
        self.stretch.end_ms = time_ms
        if self.stretch.samples <= _MOST_IN_PICTURE:
            np.minimum(self.stretch.darkest, luma, out=self.stretch.darkest)

    def is_readable(self, stretch: Stretch) -> bool:
        return stretch.samples >= 2 and self._is_text(stretch.strokes)

    def _is_text(self, mask: Mask) -> bool:
        import cv2

        if not mask.any():
            return False
        solid = cv2.medianBlur(mask, 3)
        changes = np.count_nonzero(solid[:, 1:] != solid[:, :-1], axis=1)
        rows = int(np.count_nonzero(changes >= 2 * _MANY_STROKES))
        return rows >= _ROWS_SHARE * self.picture_height / mask_scale(self.picture_height)


def strokes_of(luma: Luma, picture_height: int) -> Mask:
    """Where bright strokes on something darker are, at half the size of a large picture."""
    import cv2

    scale = mask_scale(picture_height)
    small = luma if scale == 1 else cv2.resize(luma, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    side = max(3, round(_STROKE_SHARE * picture_height / scale)) | 1
    raised = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8))
    strokes = np.where((raised >= _CONTRAST) & (small >= _BRIGHT), 255, 0).astype(np.uint8)
    long = max(8, round(_LONG_SHARE * picture_height / scale)) | 1
    for size in ((1, long), (long, 1)):  # no stroke of a letter is so long: blinds, frames, horizons
        strokes &= ~np.asarray(cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones(size, np.uint8)), np.uint8)
    return strokes


def mask_scale(picture_height: int) -> int:
    """How many pixels of a picture are one of its strokes' mask."""
    return 2 if picture_height >= _LARGE else 1


def _dilated(mask: Mask) -> Mask:
    import cv2

    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)


@dataclass
class Reading:
    """How far a video has been read. ``done_ms``: pictures from then on are not seen yet."""

    height: int = 1
    width: int = 1
    done_ms: int = 0
    watches: list[Watch] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    pictures: list[Luma] = field(default_factory=list)

    def feed(self, picture: VideoPicture, reader: TextReader, language: str | None) -> None:
        """Takes the next picture.

        Args:
            picture: the next one, by time.
            reader: the networks.
            language: the code of the language of the text, where it is known.
        """
        if not self.watches:
            self.height, self.width = picture.luma.shape
            self.watches = [
                Watch(round(LOWER_FROM * self.height), self.height, self.height),
                Watch(0, round(UPPER_TO * self.height), self.height),
            ]
        for watch in self.watches:
            for stretch in watch.feed(picture.time_ms, picture.luma):
                self._read(stretch, watch.top, reader, language)
        self.done_ms = picture.time_ms + 1

    def finish(self, reader: TextReader, language: str | None) -> None:
        """Reads what is there to the end of the video."""
        for watch in self.watches:
            for stretch in watch.finish():
                self._read(stretch, watch.top, reader, language)

    def _read(self, stretch: Stretch, top: int, reader: TextReader, language: str | None) -> None:
        """Reads the rows of a stretch."""
        luma, strokes, s = stretch.darkest, stretch.strokes, mask_scale(self.height)
        boxes = [box for box in reader.find_rows(luma) if _share_of_strokes(strokes, box, s) >= _MIN_STROKES]
        for found in join_parts(boxes):
            box = _with_ends(found, strokes, luma.shape[1], s)
            margin = round(_MARGIN * box.height)
            part = luma[max(0, box.top - margin) : box.bottom + margin, max(0, box.left - margin) : box.right + margin]
            text, confidence = reader.read_row(part)
            text = corrected(text, language)
            if not text or confidence < _MIN_CONFIDENCE:
                continue
            row = TextRow(
                text,
                round(confidence, 4),
                round(box.left / self.width, 4),
                round((top + box.top) / self.height, 4),
                round(box.right / self.width, 4),
                round((top + box.bottom) / self.height, 4),
            )
            self.sightings.append(Sighting(stretch.start_ms, stretch.end_ms, row, len(self.pictures)))
            self.pictures.append(_small(part))

    def texts(self) -> list[PictureText]:
        """The rows joined to subtitles."""
        rows = tell_apart(join_sightings(self.sightings))
        texts = []
        for group in group_rows(rows):
            start_ms, end_ms = span_of(group)
            pictures = [self.pictures[seen.picture] for seen in group if seen.picture is not None]
            reason = CREDITS if group[0].left_out is None and is_credits(group) else group[0].left_out
            text_rows = tuple(seen.row for seen in group)
            picture = thumbnail(_stacked(pictures))
            texts.append(PictureText(start_ms, max(start_ms, end_ms), text_rows, reason, picture))
        return sorted(texts, key=lambda text: (text.start_ms, text.end_ms))


def _with_ends(box: Box, strokes: Mask, width: int, s: int) -> Box:
    """A row with the full stop or quote at its end that the network did not think part of it."""
    reach = box.height
    filled = np.asarray((strokes[box.top // s : box.bottom // s + 1] > 0).any(axis=0))
    before = np.flatnonzero(filled[max(0, (box.left - reach) // s) : box.left // s])
    after = np.flatnonzero(filled[box.right // s : (box.right + reach) // s])
    left = max(0, box.left - reach) + s * int(before[0]) if len(before) else box.left
    right = box.right + s * (int(after[-1]) + 1) if len(after) else box.right
    return Box(max(0, left), box.top, min(width, right), box.bottom)


def _share_of_strokes(strokes: Mask, box: Box, s: int) -> float:
    inside = strokes[box.top // s : box.bottom // s + 1, box.left // s : box.right // s + 1]
    return np.count_nonzero(inside) / inside.size if inside.size else 0.0


def _small(picture: Luma) -> Luma:
    """A row at the size that a report shows."""
    import cv2

    scale = min(1.0, THUMBNAIL_ROW / picture.shape[0])
    width = max(1, round(scale * picture.shape[1]))
    small = cv2.resize(picture, (width, max(1, round(scale * picture.shape[0]))), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _stacked(pictures: Sequence[Luma]) -> Luma:
    width = max(picture.shape[1] for picture in pictures)
    rows = []
    for picture in pictures:
        left = (width - picture.shape[1]) // 2
        rows.append(np.pad(picture, ((0, 0), (left, width - picture.shape[1] - left))))
    return np.concatenate(rows)
