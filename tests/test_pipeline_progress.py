"""What a run shows: bars on a terminal, a line per stage elsewhere, nothing when quiet; never foreign controls."""

from __future__ import annotations

import io
import re

import pytest

from pipelines.console.display import Bars, Lines, choose_display, describe
from pipelines.console.summary import character_rows
from pipelines.engine.events import Event, EventKind
from yuki_builder.records import Line, StageReport

REPORT = StageReport("cues", 75.4, 12, 9, {"song": 2, "comment": 1, "empty": 0})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Event(EventKind.BEGUN, "ep02.mkv", completed=1, total=24), "ep02.mkv (2 of 24)"),
        (Event(EventKind.BEGUN, "ep01.mkv", completed=0, total=1), None),
        (Event(EventKind.BEGUN, "corpus"), "corpus"),
        (Event(EventKind.STARTED, "ep01", "cues", "not done yet"), None),
        (Event(EventKind.PROGRESS, "ep01", "cues", completed=1, total=2), None),
        (
            Event(EventKind.FINISHED, "ep01", "cues", report=REPORT),
            "  cues              1:15  9 of 12 kept (1 comment, 2 song)",
        ),
        (
            Event(EventKind.FINISHED, "ep01", "separate", report=StageReport("separate", 3725.0)),
            "  separate       1:02:05",
        ),
        (Event(EventKind.REUSED, "ep01", "cues", report=REPORT), "  cues            reused"),
        (Event(EventKind.NOTICE, "ep01", message="kept\x1b[2J as\nx"), "  note: kept [2J as x"),
        (Event(EventKind.FAILED, "ep01", message="broke", total=3), "  failed: broke"),
        (Event(EventKind.FAILED, "ep01", message="broke", total=1), None),
    ],
)
def test_an_event_in_one_line(event: Event, text: str | None) -> None:
    assert describe(event) == text


def story() -> list[Event]:
    return [
        Event(EventKind.BEGUN, "ep01.mkv", completed=0, total=2),
        Event(EventKind.STARTED, "[red]ep01\x1b[0m", "separate", "not done yet"),
        Event(EventKind.PROGRESS, "[red]ep01\x1b[0m", "separate", completed=1, total=4),
        Event(EventKind.PROGRESS, "[red]ep01\x1b[0m", "separate", completed=4, total=None),
        Event(EventKind.FINISHED, "[red]ep01\x1b[0m", "separate", report=StageReport("separate", 1.0)),
        Event(EventKind.NOTICE, "ep01", message="[bold]a note[/nonsense]"),
    ]


def test_lines_for_logs() -> None:
    log = io.StringIO()
    with choose_display(quiet=False, stream=log) as display:
        assert isinstance(display, Lines)
        for event in story():
            display(event)
    assert log.getvalue() == "ep01.mkv (1 of 2)\n  separate         1.0 s\n  note: [bold]a note[/nonsense]\n"


def test_bars_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with choose_display(quiet=False, stream=terminal) as display:
        assert isinstance(display, Bars)
        for event in story():
            display(event)
    shown = terminal.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "  separate         1.0 s" in plain
    assert "note: [bold]a note[/nonsense]" in plain
    assert "\x1b[0m  separate" not in shown


def test_bars_are_cleared_when_the_run_breaks_off() -> None:
    terminal = Terminal()
    with pytest.raises(KeyboardInterrupt), choose_display(quiet=False, stream=terminal) as display:
        display(Event(EventKind.STARTED, "ep01", "separate", "not done yet"))
        raise KeyboardInterrupt
    assert terminal.getvalue().rstrip("\r\n").endswith("\x1b[2K\x1b[?25h")  # line empty, cursor shown


def test_quiet_shows_nothing() -> None:
    terminal = Terminal()
    with choose_display(quiet=True, stream=terminal) as display:
        for event in story():
            display(event)
    assert terminal.getvalue() == ""


def test_who_speaks_how_much() -> None:
    def line(character: str | None, seconds: int, confidence: float) -> Line:
        return Line("x", "e", 0, 0, seconds * 1000, "text", character=character, confidence=confidence)

    rows = character_rows([line("B", 30, 0.8), line(None, 600, 0.1), line("A", 60, 1.0), line("B", 60, 0.4)])
    assert [(r.character, r.lines, r.minutes, round(r.mean_confidence, 6)) for r in rows] == [
        ("B", 2, 1.5, 0.6),
        ("A", 1, 1.0, 1.0),
        (None, 1, 10.0, 0.1),
    ]


def test_several_episodes_on_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        Event(EventKind.BEGUN, "a.mkv", completed=0, total=2),
        Event(EventKind.BEGUN, "b.mkv", completed=1, total=2),
        Event(EventKind.STARTED, "a", "separate", "not done yet"),
        Event(EventKind.STARTED, "b", "cues", "not done yet"),
        Event(EventKind.PROGRESS, "a", "separate", completed=1, total=4),
        Event(EventKind.FINISHED, "b", "cues", report=REPORT),
        Event(EventKind.REUSED, "b", "extract", report=REPORT),
        Event(EventKind.FAILED, "b.mkv", message="broke", completed=1, total=2),
        Event(EventKind.DONE, "a.mkv", completed=0, total=2),
        Event(EventKind.BEGUN, "corpus"),
        Event(EventKind.FINISHED, "corpus", "report", report=StageReport("report", 1.0)),
    ]
    log = io.StringIO()
    with choose_display(quiet=False, several=True, stream=log) as display:
        for event in events:
            display(event)
    assert log.getvalue().splitlines() == [
        "a.mkv: begun",
        "b.mkv: begun",
        "b: cues              1:15  9 of 12 kept (1 comment, 2 song)",
        "b.mkv: failed: broke; after 0.0 s (1 of 2 episodes)",
        "a.mkv: done after 0.0 s (2 of 2 episodes)",
        "corpus",
        "  report           1.0 s",
    ]
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with choose_display(quiet=False, several=True, stream=terminal) as display:
        for event in events:
            display(event)
    assert "b.mkv: failed: broke; after 0.0 s (1 of 2 episodes)" in terminal.getvalue()
