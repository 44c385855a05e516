"""Chats to train a role-play model on: rows of messages, and ShareGPT; users and the character take turns strictly.

``<character>/train.jsonl`` trains one character; all of them together train a model that the system prompt tells whom
to play.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source, choose_texts
from yuki_builder.corpus.exports.labels import folders_of
from yuki_builder.corpus.exports.prompts import Prompts, prompts_for
from yuki_builder.corpus.exports.roleplay import scene_messages
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.tables.jsonl import write_jsonl
from yuki_builder.records import Progress

_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def write_chat(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/<split>.jsonl``, a row a scene: ``{"messages": [{"role", "content"}…], "character", …}``."""
    return _write(source, destination, options, progress, sharegpt=False)


def write_sharegpt(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """The same as ``{"conversations": [{"from": "human" | "gpt", "value"}…], "system": …}``, a human first."""
    return _write(source, destination, options, progress, sharegpt=True)


def _write(
    source: Source, destination: Path, options: ExportOptions, progress: Progress, *, sharegpt: bool
) -> ExportReport:
    examples, left_out = choose_texts(source, options)
    targets = {item.line.line_id for item in examples}
    split_of = {item.scene_id: item.split for item in examples}
    spoken_in: dict[str, dict[str, None]] = {}  # scenes by character, each once
    for item in examples:
        spoken_in.setdefault(item.line.character or "", {})[item.scene_id] = None
    folder_of = folders_of(spoken_in)
    scenes = {scene.scene_id: _with_sure_names(scene, options) for scene in source.scenes}
    files, items = 0, dict[str, int]()
    for number, (character, ids) in enumerate(sorted(spoken_in.items()), start=1):
        members = [scenes[scene_id] for scene_id in ids]
        prompts = prompts_for(line.text for scene in members for line in scene.lines)
        if options.system_prompt is not None:
            prompts = replace(prompts, system=options.system_prompt)
        rows: dict[str, list[dict[str, Any]]] = {}
        for scene in members:
            rows.setdefault(split_of[scene.scene_id], []).extend(
                _row(chat, character, scene, sharegpt=sharegpt)
                for chat in _chats(scene, character, prompts, targets, context_lines=options.context_lines)
            )
        for split, chats in rows.items():
            folder = destination / folder_of[character]
            folder.mkdir(parents=True, exist_ok=True)
            write_jsonl(chats, folder / f"{split}.jsonl")
            files += 1
            items[split] = items.get(split, 0) + len(chats)
        progress(number, len(spoken_in))
    return ExportReport(files, dict(sorted(items.items())), left_out, examples)


def _with_sure_names(scene: Scene, options: ExportOptions) -> Scene:
    """Names whose verdict does not count are not shown, not even around the character's own lines."""
    lines = (line if line.verdict in options.verdicts else replace(line, confidence=0.0) for line in scene.lines)
    return replace(scene, lines=tuple(lines))


def _chats(
    scene: Scene, character: str, prompts: Prompts, targets: Collection[str], *, context_lines: int
) -> Iterator[list[dict[str, str]]]:
    """The scene as one chat, or as one for each answer with so many lines before it."""
    if not context_lines:
        yield scene_messages(scene, character, prompts, targets=targets)
        return
    is_own = [line.character == character and line.line_id in targets for line in scene.lines]
    for start, end in _runs(is_own):
        first = max(0, start - context_lines)
        # Nobody opens a scene in its middle: a window begins with what somebody says to the character.
        while first and is_own[first]:
            first += 1
        window = replace(scene, lines=scene.lines[first:end])
        yield scene_messages(window, character, prompts, targets=targets)


def _runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last (excluded) position of each run of true ones."""
    position = 0
    for flag, members in groupby(flags):
        start, position = position, position + len(list(members))
        if flag:
            yield start, position


def _row(chat: list[dict[str, str]], character: str, scene: Scene, *, sharegpt: bool) -> dict[str, Any]:
    about = {"character": character, "episode": scene.episode_id, "scene": scene.scene_id}
    if not sharegpt:
        return {"messages": chat, **about}
    system, *talk = chat
    conversations = [{"from": _SHAREGPT[m["role"]], "value": m["content"]} for m in talk]
    return {"conversations": conversations, "system": system["content"], **about}
