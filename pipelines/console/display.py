"""The front ends that show a run on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from pipelines.engine.events import Event, EventKind
from pipelines.layout import CORPUS_FOLDER
from yuki_builder.records import StageReport

if TYPE_CHECKING:
    from rich.progress import TaskID


class Display(AbstractContextManager["Display"], Protocol):
    """A listener that needs opening and closing (it draws on a terminal)."""

    def __call__(self, event: Event, /) -> None: ...


def choose_display(*, quiet: bool, several: bool = False, stream: TextIO | None = None) -> Display:
    """Bars on a terminal, a line per finished stage elsewhere, nothing at all with ``quiet``.

    Where ``several`` episodes are worked on at once, every line says of which it is.

    Args:
        quiet: show nothing.
        several: several episodes are worked on at once.
        stream: where to; None: standard error.
    """
    stream = stream or sys.stderr
    if quiet:
        return _Silence()
    return Bars(stream, several=several) if stream.isatty() else Lines(stream, several=several)


class _Silence:
    def __enter__(self) -> _Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event, /) -> None:
        return None


class Lines:
    """For logs and pipes: one line when an episode begins, one per finished stage, and what went wrong."""

    def __init__(self, stream: TextIO, *, several: bool = False) -> None:
        self._stream = stream
        self._describe = Several() if several else describe

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event, /) -> None:
        text = self._describe(event)
        if text is not None:
            print(text, file=self._stream, flush=True)


class Bars:
    """For terminals: a bar with an estimate for each stage at work, above them what has been done.

    With several episodes at once, one bar more shows how many are done.
    """

    def __init__(self, stream: TextIO, *, several: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._describe: Callable[[Event], str | None] = Several() if several else describe
        self._all = self._progress.add_task("all episodes", total=None, visible=False) if several else None

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        for subject in list(self._tasks):
            self._clear(subject)
        self._progress.stop()

    def __call__(self, event: Event, /) -> None:
        if event.kind is EventKind.STARTED:
            self._clear(event.subject)
            name = one_line(f"{event.subject}  {event.stage}")
            self._tasks[event.subject] = self._progress.add_task(name, total=None)
        elif event.kind is EventKind.PROGRESS:
            if event.subject in self._tasks:
                self._progress.update(self._tasks[event.subject], completed=event.completed or 0, total=event.total)
        else:
            if event.kind is not EventKind.NOTICE:
                self._clear(event.subject)
            text = self._describe(event)
            if text is not None:
                self._progress.console.print(text, soft_wrap=True)
        if self._all is not None and event.kind in _ENDS:
            self._progress.update(self._all, advance=1, total=event.total, visible=True)

    def _clear(self, subject: str) -> None:
        if subject in self._tasks:
            self._progress.remove_task(self._tasks.pop(subject))


_ENDS = (EventKind.DONE, EventKind.FAILED)


class Several:
    """Describes the events of several episodes at once: each line with the episode, and how many are done."""

    def __init__(self) -> None:
        self._ended = 0
        self._began: dict[str, float] = {}

    def __call__(self, event: Event) -> str | None:
        if event.subject == CORPUS_FOLDER or (event.total is None and event.kind in (EventKind.BEGUN, *_ENDS)):
            return describe(event)
        subject, now = event.subject, time.monotonic()
        match event.kind:
            case EventKind.BEGUN:
                self._began[subject] = now
                text = f"{subject}: begun"
            case EventKind.DONE | EventKind.FAILED:
                self._ended += 1
                took = _seconds(now - self._began.pop(subject, now))
                how = "done" if event.kind is EventKind.DONE else f"failed: {event.message};"
                text = f"{subject}: {how} after {took} ({self._ended} of {int(event.total or 0)} episodes)"
            case EventKind.FINISHED:
                text = f"{subject}: {(describe(event) or '').strip()}"
            case EventKind.NOTICE:
                text = f"{subject}: note: {event.message}"
            case _:
                return None
        return one_line(text)


def describe(event: Event) -> str | None:
    """An event in one line; None where a line would say too little."""
    match event.kind:
        case EventKind.BEGUN if event.total is None:
            text = event.subject
        case EventKind.BEGUN if _is_season(event):
            text = f"{event.subject} ({int(event.completed or 0) + 1} of {int(event.total or 0)})"
        case EventKind.FINISHED if event.report is not None:
            text = f"  {event.stage:<13}{_seconds(event.report.seconds):>9}  {counts(event.report)}".rstrip()
        case EventKind.REUSED:
            text = f"  {event.stage:<12}    reused"
        case EventKind.NOTICE:
            text = f"  note: {event.message}"
        case EventKind.FAILED if _is_season(event):  # of a single video the command itself says it
            text = f"  failed: {event.message}"
        case _:
            return None
    return one_line(text)


def _is_season(event: Event) -> bool:
    return event.total is not None and event.total > 1


def counts(report: StageReport) -> str:
    """What came in, was kept, and was left out for which reason, in one line."""
    if not report.came_in:
        return ""
    left_out = ", ".join(f"{number} {reason}" for reason, number in sorted(report.dropped.items()) if number)
    return f"{report.kept} of {report.came_in} kept" + (f" ({left_out})" if left_out else "")


def one_line(text: str) -> str:
    """``text`` without anything that a terminal would act on: names of files and characters come from outside."""
    return "".join(c if c.isprintable() else " " for c in text)


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
