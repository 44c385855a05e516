"""``haruhi/<character>.jsonl``: ChatHaruhi 2.0's own form, a system prompt, a reserved row, then one scene a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from yuki_builder.corpus.exports.prompts import Prompts, fill, prompts_for
from yuki_builder.corpus.exports.texts import scene_texts
from yuki_builder.corpus.exports.utterances import MIN_NAME_CONFIDENCE
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.tables.jsonl import write_jsonl

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
    prompts: Mapping[str, Prompts] | None = None,
    append: Collection[str] = (),
) -> dict[str, int]:
    """Write ``destination/<character>.jsonl`` for every character: the scenes in which the character speaks.

    The first two rows are marked under every embedding's key, so that any loader of the family tells them from
    scenes. Scene rows carry ``text`` alone: their embeddings need a model of the user's choice and are for a
    loader to fill in. ``names`` are those who get a file, with its name; None: all do. ``system_prompt`` is a template
    with ``{character}`` in place of the project's own.

    Args:
        scenes: of the corpus, or of a part of it.
        destination: the folder of the files.
        min_confidence: 0 to 1: a name that is less sure is not written.
        names: the characters that get a file, and its name; None: all.
        system_prompt: a template with ``{character}`` in it, in place of the project's own.
        prompts: the words of each character's language; None: by the language of these scenes.
        append: characters of whom earlier parts of the corpus were written: their scenes go behind those.

    Returns:
        Scenes written by character.

    Raises:
        OSError: a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    written = {}
    for character, name, members in scene_texts(scenes, min_confidence=min_confidence, names=names):
        rows = [{"text": text} for _, text in members]
        if character not in append:
            own = prompts_for(x.text for s, _ in members for x in s.lines) if prompts is None else prompts[character]
            system = fill(own.system if system_prompt is None else system_prompt, character)
            rows[:0] = [
                {"text": system, **dict.fromkeys(EMBEDDINGS, "system_prompt")},
                {"text": RESERVED, **dict.fromkeys(EMBEDDINGS, "config")},
            ]
        write_jsonl(rows, destination / f"{name}.jsonl", append=character in append)
        written[character] = len(members)
    return written
