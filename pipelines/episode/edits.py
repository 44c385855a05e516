"""What a person corrected in an episode's lines, brought to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.episode.context import Episode
from pipelines.layout import line_id
from yuki_builder.records import AlignedCue, Cue, CueOrigin, Line, Span

if TYPE_CHECKING:
    from yuki_builder.corpus import LineEdit


def spoken(episode: Episode, lines: Sequence[AlignedCue]) -> list[AlignedCue]:
    """Without those that are no speech, with those that a person added, at the times that a person gave; by time."""
    from yuki_builder.corpus import ADDED, NOT_SPEECH

    edits = episode.edits
    if not edits:
        return list(lines)
    ids = {line_id(episode.episode_id, line.cue) for line in lines}
    added = [_added(episode, e) for key, e in sorted(edits.items()) if ADDED in e.marks and key not in ids]
    found = []
    for line in (*lines, *added):
        edit = edits.get(line_id(episode.episode_id, line.cue))
        if edit is None:
            found.append(line)
        elif NOT_SPEECH not in edit.marks:
            found.append(_placed(line, edit))
    return sorted(found, key=lambda line: (line.start_ms, line.end_ms))


def changed_spans(episode: Episode, lines: Sequence[AlignedCue]) -> dict[str, tuple[Span, ...]]:
    """By line id, where each line's speaker is heard alone now, of those where a correction has changed that.

    Those are lines that a person added, cut or moved, and those that such a line touches or touched.
    """
    if not for_times(episode):
        return {}
    before = alone(episode, lines)
    return {key: spans for key, spans in alone(episode, spoken(episode, lines)).items() if spans != before.get(key)}


def not_yet_heard(episode: Episode, aligned: Sequence[AlignedCue], applied: Sequence[Line]) -> frozenset[str]:
    """The ids of lines that corrections moved since the episode was finished: no voice was heard where they are now.

    Args:
        episode: with all that was decided.
        aligned: its cues.
        applied: its lines as they were finished.
    """
    heard = alone(episode, aligned)  # lines that were no speech until now are not among the finished ones
    heard |= {line.line_id: spans for line, spans in zip(applied, _alone(applied), strict=True)}
    now = alone(episode, spoken(episode, aligned))
    return frozenset(key for key, spans in now.items() if spans != heard.get(key))


def alone(episode: Episode, lines: Sequence[AlignedCue]) -> dict[str, tuple[Span, ...]]:
    """Where in each line its speaker is heard alone, by line id."""
    pairs = zip(lines, _alone(lines), strict=True)
    return {line_id(episode.episode_id, line.cue): spans for line, spans in pairs}


def _alone(lines: Sequence[AlignedCue] | Sequence[Line]) -> list[tuple[Span, ...]]:
    from yuki_builder.alignment import single_speaker_spans

    return [tuple(spans) for spans in single_speaker_spans(lines)]


def _added(episode: Episode, edit: LineEdit) -> AlignedCue:
    text, start_ms, end_ms = edit.text or "", edit.start_ms or 0, edit.end_ms or 0
    cue_id = edit.line_id.removeprefix(f"{episode.episode_id}-")
    cue = Cue(cue_id, 0, start_ms, end_ms, text, text, origin=CueOrigin.REVIEW)
    return AlignedCue(cue, start_ms, end_ms, end_ms - start_ms)


def _placed(line: AlignedCue, edit: LineEdit) -> AlignedCue:
    if edit.start_ms is None or edit.end_ms is None:
        return line
    speech_ms = min(line.speech_ms, edit.end_ms - edit.start_ms)
    return dataclasses.replace(line, start_ms=edit.start_ms, end_ms=edit.end_ms, speech_ms=speech_ms)


def corrected(episode: Episode, lines: Sequence[Line]) -> list[Line]:
    """With the words that a person gave."""
    edits = episode.edits
    return [
        line
        if (edit := edits.get(line.line_id)) is None or edit.text is None
        else dataclasses.replace(line, text=edit.text)
        for line in lines
    ]


def rows(episode: Episode) -> list[Any]:
    """The corrections as plain values, for the recipes of the stages that they concern."""
    return [edit.to_dict() for _, edit in sorted(episode.edits.items())]


def for_names(episode: Episode) -> list[Any]:
    """Of the corrections, what concerns who speaks: where lines are, and which are no speech, of nobody, or added."""
    from yuki_builder.corpus import ADDED, NOBODY, NOT_SPEECH

    return _of_kinds(episode, {NOT_SPEECH, NOBODY, ADDED})


def for_times(episode: Episode) -> list[Any]:
    """Of the corrections, what concerns which lines are where."""
    from yuki_builder.corpus import ADDED, NOT_SPEECH

    return _of_kinds(episode, {NOT_SPEECH, ADDED})


def _of_kinds(episode: Episode, kinds: set[str]) -> list[Any]:
    edits = sorted(episode.edits.items())
    return [
        [key, sorted(kinds & set(edit.marks)), *([] if edit.start_ms is None else [edit.start_ms, edit.end_ms])]
        for key, edit in edits
        if kinds & set(edit.marks) or edit.start_ms is not None
    ]
