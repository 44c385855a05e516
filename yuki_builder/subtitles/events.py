"""What every format is read into before anything is decided about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a subtitle file, untouched: times in the file's own clock, text with its markup."""

    start_ms: int
    end_ms: int
    text: str
    style: str | None = None
    actor: str = ""
    effect: str = ""
    is_comment: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """All entries in the order of the file, and how many were too damaged to be read."""

    events: tuple[Event, ...]
    unreadable: int = 0
