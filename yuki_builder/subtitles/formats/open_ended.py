"""Formats that say when a line appears and not when it goes: it goes when the next one comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from yuki_builder.subtitles.events import Event

_LONGEST_MS = 7000  # a line stays no longer than this, or than it takes to read
_MS_PER_CHAR = 100


def close(lines: Iterable[tuple[int, str]]) -> tuple[Event, ...]:
    """Events of lines with a start; those of one time are one event, an empty one only ends the line before."""
    joined: dict[int, list[str]] = {}
    for start_ms, text in sorted(lines, key=lambda line: line[0]):
        joined.setdefault(start_ms, []).append(text)
    return close_runs([(start_ms, "\n".join(filter(None, texts))) for start_ms, texts in joined.items()])


def close_runs(lines: Sequence[tuple[int, str]]) -> tuple[Event, ...]:
    """As ``close``, for lines that are in order and of different times already."""
    events = []
    for k, (start_ms, text) in enumerate(lines):
        longest_ms = max(_LONGEST_MS, _MS_PER_CHAR * len(text))
        next_ms = lines[k + 1][0] if k + 1 < len(lines) else start_ms + 1500 + _MS_PER_CHAR * len(text)
        if text.strip():
            events.append(Event(start_ms, min(next_ms, start_ms + longest_ms), text))
    return tuple(events)
