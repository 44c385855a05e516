"""Subtitles: find the file, read it, clean it, and say who it names. Decisions are pure; ``reading`` does the I/O."""

from yuki_builder.subtitles.chinese import convert_chinese
from yuki_builder.subtitles.languages import language_of_name
from yuki_builder.subtitles.partners import take_names
from yuki_builder.subtitles.picture_texts import read_picture_texts
from yuki_builder.subtitles.reading import read_cues
from yuki_builder.subtitles.reasons import LeftOut
from yuki_builder.subtitles.sheet import CueSheet
from yuki_builder.subtitles.sidecar import find_names_sidecar, find_sidecar, unfit_names

__all__ = [
    "CueSheet",
    "LeftOut",
    "convert_chinese",
    "find_names_sidecar",
    "find_sidecar",
    "language_of_name",
    "read_cues",
    "read_picture_texts",
    "take_names",
    "unfit_names",
]
