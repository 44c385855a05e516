"""``roleplay/<character>.jsonl``: chat rows to train a role-play model on, one scene a row.

``{"messages": [system, user, assistant, user, assistant, …], "character": …, "episode": …, "scene": …}``: user and
assistant strictly take turns, from a user turn to an assistant turn. ``scene`` lets a split keep scenes whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from yuki_builder.corpus.exports.prompts import Prompts, fill, prompts_for
from yuki_builder.corpus.exports.texts import scenes_by_character
from yuki_builder.corpus.exports.utterances import UNKNOWN_NAME, format_utterance, one_row, speaker_name, utterance_of
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.tables.jsonl import write_jsonl
from yuki_builder.names import path_name
from yuki_builder.records import Line

MIN_TARGET_CONFIDENCE = 0.7
"""Only lines at least this sure are what a model is trained to say."""


@dataclass(frozen=True, slots=True)
class RoleplayCounts:
    """Of one character: rows and target lines written, and lines left out after the character's last word."""

    rows: int
    target_lines: int
    lines_after_last_word: int

    def __add__(self, other: RoleplayCounts) -> RoleplayCounts:
        return RoleplayCounts(
            self.rows + other.rows,
            self.target_lines + other.target_lines,
            self.lines_after_last_word + other.lines_after_last_word,
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """Consecutive lines of one side of the chat."""

    is_target: bool
    lines: tuple[Line, ...]


def scene_messages(
    scene: Scene,
    character: str,
    prompts: Prompts,
    *,
    min_confidence: float = MIN_TARGET_CONFIDENCE,
    targets: Collection[str] | None = None,
) -> list[dict[str, str]]:
    """The scene as a chat in which the assistant is ``character``; empty where the character has no sure line.

    Consecutive lines of one side are merged, one row each. The user's rows carry their speakers' names, ``？？？``
    for an unknown one and for ``character``'s own doubtful lines: as a target such a line might teach another's
    words, and left out it would leave a hole in the talk. A scene that the character opens gets a scene-setting
    user turn; what follows the character's last line is left out, since nobody answers it.

    ``targets`` are the ids of the lines that the assistant may say, where ``min_confidence`` is not all that decides.

    Args:
        scene: one scene, with all its lines.
        character: whom the assistant plays.
        prompts: the words of the system and of a turn that sets the scene.
        min_confidence: 0 to 1: a line is a target from here on.
        targets: ids of the lines that the assistant may say, where confidence is not all that decides.
    """
    return _messages(_turns(scene, character, min_confidence, targets), character, prompts)


def _messages(turns: Sequence[_Turn], character: str, prompts: Prompts) -> list[dict[str, str]]:
    if not turns:
        return []
    messages = [{"role": "system", "content": fill(prompts.system, character)}]
    if turns[0].is_target:
        messages.append({"role": "user", "content": fill(prompts.opening, character)})
    for turn in turns:
        role, row = ("assistant", _target_row) if turn.is_target else ("user", _context_row)
        messages.append({"role": role, "content": "\n".join(row(line, character) for line in turn.lines)})
    return messages


def write_roleplay(
    scenes: Sequence[Scene],
    destination: Path,
    *,
    min_confidence: float = MIN_TARGET_CONFIDENCE,
    prompts: Mapping[str, Prompts] | None = None,
    append: Collection[str] = (),
) -> dict[str, RoleplayCounts]:
    """Write ``destination/<character>.jsonl`` for every character with a line of ``min_confidence`` or more.

    Args:
        scenes: of the corpus, or of a part of it.
        destination: the folder of the files.
        min_confidence: 0 to 1: a line is a target from here on.
        prompts: the words of each character's language; None: by the language of these scenes.
        append: characters of whom earlier parts of the corpus were written: their scenes go behind those.

    Returns:
        Counts by character.

    Raises:
        OSError: a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    written = {}
    for character, members in scenes_by_character(scenes, min_confidence=min_confidence).items():
        own = prompts_for(x.text for s in members for x in s.lines) if prompts is None else prompts[character]
        rows: list[dict[str, Any]] = []
        target_lines = lines_after = 0
        for scene in members:
            turns = _turns(scene, character, min_confidence)
            messages = _messages(turns, character, own)
            rows.append(
                {"messages": messages, "character": character, "episode": scene.episode_id, "scene": scene.scene_id}
            )
            target_lines += sum(len(turn.lines) for turn in turns if turn.is_target)
            lines_after += len(scene.lines) - sum(len(turn.lines) for turn in turns)
        write_jsonl(rows, destination / f"{path_name(character)}.jsonl", append=character in append)
        written[character] = RoleplayCounts(len(rows), target_lines, lines_after)
    return written


def _turns(scene: Scene, character: str, min_confidence: float, targets: Collection[str] | None = None) -> list[_Turn]:
    """The scene's lines by side, up to the character's last turn."""

    def is_target(line: Line) -> bool:
        if targets is not None:
            return line.character == character and line.line_id in targets
        return speaker_name(line, min_confidence=min_confidence) == character

    turns = [_Turn(target, tuple(lines)) for target, lines in groupby(scene.lines, key=is_target)]
    return turns if turns[-1].is_target else turns[:-1]


def _target_row(line: Line, character: str) -> str:
    return one_row(line.text)


def _context_row(line: Line, character: str) -> str:
    utterance = utterance_of(line)
    if line.character == character:
        utterance = dataclasses.replace(utterance, name=UNKNOWN_NAME)
    return format_utterance(utterance)
