"""Turns as all diarizers give them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yuki_builder.records import Span, Turn


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """Where something else than the voice tells who speaks: a subtitle with a name."""

    span: Span
    name: str


def numbered(turns: Iterable[Turn]) -> list[Turn]:
    """The turns in order of time, their voices renamed by first appearance: ``SPEAKER_01``, ``SPEAKER_02``…"""
    ordered = sorted(turns)
    names: dict[str, str] = {}
    for t in ordered:
        names.setdefault(t.speaker, f"SPEAKER_{len(names) + 1:02d}")
    return [Turn(t.start_ms, t.end_ms, names[t.speaker]) for t in ordered]


def exclusive(turns: Iterable[Turn]) -> list[Turn]:
    """The turns without overlapping speech: at most one voice at a time.

    Where two speak at once, the shorter turn keeps the time: a word thrown into a long speech would be lost otherwise,
    the speech loses little.

    Returns:
        In order of time.
    """
    kept: list[Turn] = []  # in order of time, without overlap
    for turn in sorted(turns, key=lambda t: (t.end_ms - t.start_ms, t)):
        left = turn.start_ms
        parts = []
        for other in kept:
            if other.end_ms <= left or other.start_ms >= turn.end_ms:
                continue
            if other.start_ms > left:
                parts.append(Turn(left, other.start_ms, turn.speaker))
            left = other.end_ms
        if left < turn.end_ms:
            parts.append(Turn(left, turn.end_ms, turn.speaker))
        kept = sorted([*kept, *parts])
    return kept
