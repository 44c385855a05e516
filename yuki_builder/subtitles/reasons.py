"""Why a cue is no spoken line: the values that ``Cue.left_out`` takes."""

from __future__ import annotations

import enum


class LeftOut(enum.StrEnum):
    """One reason per cue; the first that applies, in this order. The last is found by ear, in the vocals."""

    COMMENT = "comment"
    BAD_TIMES = "bad times"
    KARAOKE = "karaoke"
    DRAWING = "drawing"
    SONG = "song"
    SIGN = "sign"
    TITLE = "title"
    CREDITS = "credits"
    ADVERTISEMENT = "advertisement"
    NOTE = "note"
    EMPTY = "empty"
    TOO_LONG = "too long"
    SOUND = "sound description"
    CONTINUED = "continues the line before"
    DUPLICATE = "duplicate"
    SECOND_LANGUAGE = "second language"
    INAUDIBLE_SONG = "song without a speaking voice"


UNREADABLE = "unreadable"
"""Counted beside the reasons above: entries of the file that are damaged so that they make no cue at all."""
