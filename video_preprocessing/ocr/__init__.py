"""Text in pictures: bitmap subtitles, and subtitles that are part of the video's picture."""

from video_preprocessing.ocr.bitmaps import NO_TEXT, read_bitmaps
from video_preprocessing.ocr.reader import TextReader, can_read, is_installed, ocr_fingerprint, require_ocr
from video_preprocessing.ocr.resuming import read_burned_in

__all__ = [
    "NO_TEXT",
    "TextReader",
    "can_read",
    "is_installed",
    "ocr_fingerprint",
    "read_bitmaps",
    "read_burned_in",
    "require_ocr",
]
