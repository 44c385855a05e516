"""What every format offers: a name, a test for its files, and a reader."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NoReturn

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.events import Events

HEAD_CHARS = 10_000  # a format shows itself in these
_SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file with its line ends as ``\\n``, and what is known beside it.

    Attributes:
        text: the whole text.
        frame_rate_hz: of the video, for formats that count frames; None where it is unknown.
        where: the file, for messages.
    """

    text: str
    frame_rate_hz: float | None = None
    where: str | os.PathLike[str] | None = None

    def refuse(self, what: str, *, remedy: str, cause: Exception | None = None) -> NoReturn:
        """Raise the error for a file that its format cannot be read from.

        Args:
            what: what is wrong.
            remedy: what to do.
            cause: the error that told.

        Raises:
            SubtitleError: always.
        """
        raise SubtitleError(what, where=self.where, remedy=remedy) from cause


class Format(ABC):
    """One text format. A subclass in a module of its own and a row in ``formats.FORMATS`` are a new format.

    Attributes:
        name: the key in records and messages.
        title: the name that people use.
        suffixes: what its files end with.
        is_ass: its text has ASS markup.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    is_ass: bool = False

    @abstractmethod
    def recognises(self, text: str) -> bool:
        """Whether a text is in this format. Linear in the length of the text."""

    @abstractmethod
    def read(self, source: Source) -> Events:
        """All entries of a text in this format.

        Raises:
            SubtitleError: the text is not what the format asks for.
        """


class BinaryFormat(ABC):
    """A format that is no text: it is recognised and read by its bytes."""

    name: str
    title: str
    suffixes: tuple[str, ...]

    @abstractmethod
    def recognises(self, data: bytes) -> bool:
        """Whether these are the bytes of a file in this format."""

    @abstractmethod
    def read(self, data: bytes, where: str | os.PathLike[str] | None) -> Events:
        """All entries.

        Raises:
            SubtitleError: the file is damaged.
        """


def share_of_rows(text: str, pattern: re.Pattern[str]) -> float:
    """The share of the first rows that a pattern matches; rows without a visible character do not count."""
    rows = [row for row in text[: 10 * HEAD_CHARS].split("\n") if row.strip()][:_SAMPLE_ROWS]
    return sum(pattern.match(row) is not None for row in rows) / max(1, len(rows))


def as_markup(text: str) -> str:
    """Shown text as the markup of events has it."""
    return text.replace("&", "&amp;").replace("<", "&lt;") if "&" in text or "<" in text else text


def coloured(text: str, color: str | None) -> str:
    """Markup in a colour, where there is one and a text to colour."""
    return f'<font color="{color}">{text}</font>' if color and text.strip() else text
