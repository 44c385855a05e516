"""How lines stand in a review: as they are on the disk, as decisions make them, and what differs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from yuki_builder.corpus.review.history import Added, Decisions
from yuki_builder.records import Attribution, Line, LineSource, Verdict

SEASON_VOICE = "VOICE_"
"""What the corpus calls a voice that nobody named, with a number behind it."""


def standing(line: Line, decided: Decisions, suggested: Mapping[str, Attribution]) -> Line:
    """A line by what was decided, and by what follows from it.

    Args:
        line: as it is on the disk.
        decided: by people, of any lines.
        suggested: what follows from that for other lines, by line id.
    """
    key = line.line_id
    found = suggested.get(key)
    changes: dict[str, Any] = {}
    if found is not None:
        changes = {"confidence": found.confidence, "verdict": found.verdict, "evidence": found.evidence}
        if line.source is LineSource.REVIEW:
            changes["speaker"] = found.speaker
        if not (found.character == found.speaker and (line.character or "").startswith(SEASON_VOICE)):
            changes["character"] = found.character  # else the season has its own name for the voice
    if key in decided.texts:
        changes["text"] = decided.texts[key]
    if key in decided.times:
        changes["start_ms"], changes["end_ms"] = decided.times[key]
    name = changes.get("character", line.character)
    if name is not None and name in decided.renames:
        changes["character"] = decided.renames[name]
    if key in decided.names:
        changes |= {"character": decided.names[key], "confidence": 1.0, "verdict": Verdict.CERTAIN}
    elif decided.is_decided(key):
        changes |= {"character": None, "confidence": 1.0, "verdict": Verdict.UNKNOWN}
    return replace(line, **changes) if changes else line


def added_line(line_id: str, added: Added) -> Line:
    """A line that is not on the disk yet."""
    return Line(line_id, added.episode, 0, added.start_ms, added.end_ms, added.text, source=LineSource.REVIEW)


def changes(before: Sequence[Line], after: Sequence[Line]) -> list[dict[str, Any]]:
    """What differs, line by line: name, words, times, or that the line is gone or new. Pure."""
    then, now = ({line.line_id: line for line in lines} for lines in (before, after))
    found = []
    for key in dict.fromkeys([*then, *now]):
        old, new = then.get(key), now.get(key)
        line = new or old
        assert line is not None
        what: dict[str, Any] = {}
        if old is None or new is None:
            what["there"] = [old is not None, new is not None]
        else:
            for name in ("character", "verdict", "text", "start_ms", "end_ms"):
                if getattr(old, name) != getattr(new, name):
                    what[name] = [getattr(old, name), getattr(new, name)]
        if what:
            found.append(
                {"id": key, "episode": line.episode_id, "start": line.start_ms, "text": line.text, "what": what}
            )
    return found
