"""Chats to train a role-play model on: rows of messages, and ShareGPT; users and the character take turns strictly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source, split_of
from yuki_builder.corpus.jsonl import write_jsonl
from yuki_builder.corpus.prompts import Prompts, prompts_for
from yuki_builder.corpus.roleplay import scene_messages
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.texts import scenes_by_character
from yuki_builder.names import path_name
from yuki_builder.records import Line, Progress

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
    destination.mkdir(parents=True, exist_ok=True)
    files, items = 0, dict[str, int]()
    targets: set[str] = set()
    # A verdict that does not count is a name that is not sure.
    scenes = [replace(scene, lines=tuple(_as_sure(line, options) for line in scene.lines)) for scene in source.scenes]
    by_character = scenes_by_character(scenes, min_confidence=options.min_confidence)
    wanted = [name for name in by_character if not options.characters or name in options.characters]
    for number, character in enumerate(wanted, start=1):
        members = by_character[character]
        prompts = prompts_for(line.text for scene in members for line in scene.lines)
        if options.system_prompt is not None:
            prompts = replace(prompts, system=options.system_prompt)
        rows: dict[str, list[dict[str, Any]]] = {}
        for scene in members:
            split = split_of(scene.scene_id, options.validation)
            rows.setdefault(split, []).extend(
                _row(chat, character, scene, sharegpt=sharegpt) for chat in _chats(scene, character, prompts, options)
            )
            targets |= {line.line_id for line in scene.lines if _is_target(line, character, options)}
        for split, chats in rows.items():
            folder = destination / path_name(character)
            folder.mkdir(exist_ok=True)
            write_jsonl(chats, folder / f"{split}.jsonl")
            files += 1
            items[split] = items.get(split, 0) + len(chats)
        progress(number, len(wanted))
    never = len(source.lines) - len(targets)
    return ExportReport(files, dict(sorted(items.items())), {"context only, or not in a chat": never} if never else {})


def _as_sure(line: Line, options: ExportOptions) -> Line:
    return line if line.verdict in options.verdicts else replace(line, confidence=0.0)


def _is_target(line: Line, character: str, options: ExportOptions) -> bool:
    return line.character == character and line.confidence >= options.min_confidence


def _chats(scene: Scene, character: str, prompts: Prompts, options: ExportOptions) -> Iterator[list[dict[str, str]]]:
    """The scene as one chat, or as one for each answer with so many lines before it."""
    confidence = options.min_confidence
    if not options.context_lines:
        if chat := scene_messages(scene, character, prompts, min_confidence=confidence):
            yield chat
        return
    for end, line in enumerate(scene.lines, start=1):
        is_last = end == len(scene.lines) or not _is_target(scene.lines[end], character, options)
        if _is_target(line, character, options) and is_last:
            start = end - 1
            while start and _is_target(scene.lines[start - 1], character, options):
                start -= 1
            window = scene.lines[max(0, start - options.context_lines) : end]
            yield scene_messages(replace(scene, lines=window), character, prompts, min_confidence=confidence)


def _row(chat: list[dict[str, str]], character: str, scene: Scene, *, sharegpt: bool) -> dict[str, Any]:
    about = {"character": character, "episode": scene.episode_id, "scene": scene.scene_id}
    if not sharegpt:
        return {"messages": chat, **about}
    system, *talk = chat
    conversations = [{"from": _SHAREGPT[m["role"]], "value": m["content"]} for m in talk]
    return {"conversations": conversations, "system": system["content"], **about}
