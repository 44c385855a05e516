"""``haruhi/<character>.jsonl``: ChatHaruhi 2.0's own form, a system prompt, a reserved row, then one scene a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from yuki_builder.corpus.exports.prompts import fill, prompts_for
from yuki_builder.corpus.exports.texts import scene_text, scenes_by_character
from yuki_builder.corpus.exports.utterances import MIN_NAME_CONFIDENCE
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.tables.jsonl import write_jsonl
from yuki_builder.names import path_name

EMBEDDINGS = ("luotuo_openai", "bge_zh_s15", "bge_en_s15")
"""The keys under which loaders look, by the embedding they use, for what kind of row it is."""

RESERVED = "Reserve Config Setting Here"


def write_haruhi(
    scenes: Sequence[Scene],
    destination: Path,
    *,
    min_confidence: float = MIN_NAME_CONFIDENCE,
    names: Mapping[str, str] | None = None,
    system_prompt: str | None = None,
    among: Collection[str] | None = None,
) -> dict[str, int]:
    """Write ``destination/<character>.jsonl`` for every character: the scenes in which the character speaks.

    The first two rows are marked under every embedding's key, so that any loader of the family tells them from
    scenes. Scene rows carry ``text`` alone: their embeddings need a model of the user's choice and are for a
    loader to fill in. ``names`` are those who get a file, with its name; None: all do. ``system_prompt`` is a template
    with ``{character}`` in place of the project's own.

    Args:
        scenes: all scenes of the corpus.
        destination: the folder of the files.
        min_confidence: 0 to 1: a name that is less sure is not written.
        names: the characters that get a file, and its name; None: all.
        system_prompt: a template with ``{character}`` in it, in place of the project's own.
        among: only these characters; None: all.

    Returns:
        Scenes written by character.

    Raises:
        OSError: a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    written = {}
    for character, members in scenes_by_character(scenes, min_confidence=min_confidence, among=among).items():
        if names is not None and character not in names:
            continue
        prompts = prompts_for(line.text for scene in members for line in scene.lines)
        system = fill(prompts.system if system_prompt is None else system_prompt, character)
        rows = [
            {"text": system, **dict.fromkeys(EMBEDDINGS, "system_prompt")},
            {"text": RESERVED, **dict.fromkeys(EMBEDDINGS, "config")},
            *({"text": scene_text(scene, min_confidence=min_confidence)} for scene in members),
        ]
        write_jsonl(rows, destination / f"{path_name(character) if names is None else names[character]}.jsonl")
        written[character] = len(members)
    return written
