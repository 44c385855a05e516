"""What a run says while it goes on: one kind of event, for any number of front ends."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from yuki_builder.records import Record, StageReport


class EventKind(enum.StrEnum):
    """What has happened."""

    BEGUN = "begun"  # an episode, completed of total came before it; or the corpus, then without numbers
    STARTED = "started"  # a stage, for a reason
    PROGRESS = "progress"  # within a stage
    FINISHED = "finished"  # a stage, with its report
    REUSED = "reused"  # a stage was done before
    NOTICE = "notice"  # the user should know: message
    DONE = "done"  # an episode of a season, completed of total having come before it
    FAILED = "failed"  # likewise: message


@dataclass(frozen=True, slots=True)
class Event(Record):
    """One thing that happened during a run; ``subject`` is the episode, or ``corpus``."""

    kind: EventKind
    subject: str
    stage: str | None = None
    message: str | None = None
    completed: float | None = None
    total: float | None = None
    report: StageReport | None = None


Listener = Callable[[Event], None]


def silent(event: Event, /) -> None:
    """The listener that shows nothing."""


def download_events(listener: Listener) -> Callable[[str, float, float | None], None]:
    """What tells the listener of downloads: what is fetched, bytes, and bytes in all."""
    begun: set[str] = set()

    def tell(name: str, done: float, total: float | None) -> None:
        if name not in begun:
            begun.add(name)
            listener(Event(EventKind.STARTED, name, "download", "the weights are not here yet"))
        listener(Event(EventKind.PROGRESS, name, "download", completed=done, total=total))

    return tell
