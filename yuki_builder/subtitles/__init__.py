"""Subtitles: find the file, read it, clean it, and say who it names. Decisions are pure; ``reading`` does the I/O."""

from yuki_builder.subtitles.chinese import convert_chinese
from yuki_builder.subtitles.reading import read_cues
from yuki_builder.subtitles.reasons import LeftOut
from yuki_builder.subtitles.sheet import CueSheet
from yuki_builder.subtitles.sidecar import find_sidecar

__all__ = ["CueSheet", "LeftOut", "convert_chinese", "find_sidecar", "read_cues"]
