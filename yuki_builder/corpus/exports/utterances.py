"""How a line is written as text in the ChatHaruhi family: ``角色:「台词」``, an ASCII colon and corner brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from yuki_builder.records import Line

UNKNOWN_NAME = "？？？"
"""Stands where the speaker is not known, as in visual novels. Not an empty name: loaders take that for narration."""

NARRATORS = frozenset({"旁白", "narrator", "Narrator", "scene", "Scene"})
"""Names whose text is narration, written without brackets."""

MIN_NAME_CONFIDENCE = 0.5
"""A name less likely than not is treated as unknown in the text exports."""

_QUOTED = re.compile(r"(?P<name>.*?):「(?P<text>.*)」", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a text file keeps of a line: who (``UNKNOWN_NAME`` where nobody knows) and what."""

    name: str
    text: str


def speaker_name(line: Line, *, min_confidence: float = MIN_NAME_CONFIDENCE) -> str | None:
    """The line's character where the name is sure enough, else None."""
    return line.character if line.confidence >= min_confidence else None


def utterance_of(line: Line, *, min_confidence: float = MIN_NAME_CONFIDENCE) -> Utterance:
    """The line as an utterance on one row: each line break becomes one space."""
    name = speaker_name(line, min_confidence=min_confidence)
    # A name with the separator in it could not be told from its text again.
    return Utterance(
        one_row(UNKNOWN_NAME if name is None else name).replace(":「", "：「"),
        one_row(line.text),
    )


def one_row(text: str) -> str:
    """``text`` on one row: every kind of line break becomes one space, all else stays."""
    return " ".join(text.splitlines())


def format_utterance(utterance: Utterance) -> str:
    """``角色:「台词」``, or ``旁白:台词`` for narration."""
    if utterance.name in NARRATORS:
        return f"{utterance.name}:{utterance.text}"
    return f"{utterance.name}:「{utterance.text}」"


def parse_utterance(row: str) -> Utterance | None:
    """The utterance that :func:`format_utterance` wrote; None for a row of another form."""
    name, colon, text = row.partition(":")
    if colon and name in NARRATORS:
        return Utterance(name, text)
    match = _QUOTED.fullmatch(row)
    if match:
        return Utterance(match["name"], match["text"])
    return Utterance(name, text) if colon else None
