"""What a person corrected in an episode's lines, brought to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from pipelines.episode.context import Episode
from pipelines.layout import line_id
from yuki_builder.records import AlignedCue, Line


def spoken(episode: Episode, lines: Sequence[AlignedCue]) -> list[AlignedCue]:
    """Without those that are no speech."""
    from yuki_builder.corpus import NOT_SPEECH

    marks = {key: edit.marks for key, edit in episode.edits.items()}
    return [line for line in lines if NOT_SPEECH not in marks.get(line_id(episode.episode_id, line.cue), ())]


def corrected(episode: Episode, lines: Sequence[Line]) -> list[Line]:
    """With the words and times that a person gave; again in the order of time."""
    if not episode.edits:
        return list(lines)
    edited = sorted((_corrected(episode, line) for line in lines), key=lambda line: (line.start_ms, line.index))
    return [dataclasses.replace(line, index=index) for index, line in enumerate(edited)]


def _corrected(episode: Episode, line: Line) -> Line:
    edit = episode.edits.get(line.line_id)
    if edit is None:
        return line
    text = line.text if edit.text is None else edit.text
    if edit.start_ms is None or edit.end_ms is None:
        return dataclasses.replace(line, text=text)
    return dataclasses.replace(line, text=text, start_ms=edit.start_ms, end_ms=edit.end_ms)


def rows(episode: Episode) -> list[Any]:
    """The corrections as plain values, for the recipes of the stages that they concern."""
    return [edit.to_dict() for _, edit in sorted(episode.edits.items())]


def left_out(episode: Episode) -> list[Any]:
    """Of the corrections, what concerns who speaks: lines that are no speech, or of nobody."""
    from yuki_builder.corpus import NOBODY, NOT_SPEECH

    kinds = {NOT_SPEECH, NOBODY}
    edits = sorted(episode.edits.items())
    return [[key, sorted(kinds & set(edit.marks))] for key, edit in edits if kinds & set(edit.marks)]
