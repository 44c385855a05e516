"""Turns as all diarizers give them."""

from __future__ import annotations

from collections.abc import Iterable

from yuki_builder.records import Turn


def numbered(turns: Iterable[Turn]) -> list[Turn]:
    """The turns in order of time, their voices renamed by first appearance: ``SPEAKER_01``, ``SPEAKER_02``…"""
    ordered = sorted(turns)
    names: dict[str, str] = {}
    for t in ordered:
        names.setdefault(t.speaker, f"SPEAKER_{len(names) + 1:02d}")
    return [Turn(t.start_ms, t.end_ms, names[t.speaker]) for t in ordered]
