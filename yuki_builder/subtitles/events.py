"""What every format is read into before anything is decided about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a subtitle file, untouched: times in the file's own clock, text with its markup.

    Markup is ASS's in ASS files. Elsewhere it is HTML's: ``<font color="#rrggbb">`` for a colour that the file
    gives, ``<v Name>`` for a voice, ``<ruby>漢字<rt>かんじ</rt></ruby>`` for a reading, ``&lt;`` for a bare ``<``.

    Attributes:
        start_ms: when it appears.
        end_ms: when it goes.
        text: rows are parted by a line feed (in ASS by ``\\N``).
        style: the ASS style or the SAMI class.
        actor: who says it, by a field of the format.
        effect: the ASS effect.
        is_comment: a player does not show it.
        region: the part of the picture that TTML puts it in.
        language: the language that the file gives for this entry, as written there.
    """

    start_ms: int
    end_ms: int
    text: str
    style: str | None = None
    actor: str = ""
    effect: str = ""
    is_comment: bool = False
    region: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """All entries in the order of the file, and how many were too damaged to be read."""

    events: tuple[Event, ...]
    unreadable: int = 0
