"""``texts/<character>/*.txt``: the ChatHaruhi folder, one scene a file, one utterance a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from yuki_builder.corpus.exports.utterances import (
    MIN_NAME_CONFIDENCE,
    UNKNOWN_NAME,
    Utterance,
    format_utterance,
    parse_utterance,
    speaker_name,
    utterance_of,
)
from yuki_builder.corpus.scenes import Scene
from yuki_builder.errors import InputError
from yuki_builder.names import path_name


def scenes_by_character(
    scenes: Iterable[Scene], *, min_confidence: float = MIN_NAME_CONFIDENCE
) -> dict[str, list[Scene]]:
    """For each character, by name, the scenes in which the character speaks.

    Args:
        scenes: of the corpus, or of a part of it.
        min_confidence: 0 to 1: a name that is less sure does not count.
    """
    found: dict[str, list[Scene]] = {}
    for scene in scenes:
        names = {speaker_name(line, min_confidence=min_confidence) for line in scene.lines}
        for name in names - {None}:
            found.setdefault(str(name), []).append(scene)
    return dict(sorted(found.items()))


def scene_text(scene: Scene, *, min_confidence: float = MIN_NAME_CONFIDENCE) -> str:
    """The scene as text, rows joined by newlines, without one at the end."""
    return "\n".join(format_utterance(utterance_of(line, min_confidence=min_confidence)) for line in scene.lines)


def scene_texts(
    scenes: Sequence[Scene], *, min_confidence: float, names: Mapping[str, str] | None
) -> Iterator[tuple[str, str, list[tuple[Scene, str]]]]:
    """Each character, the name of its file or folder, and the scenes in which it speaks, with their text.

    Args:
        scenes: of the corpus, or of a part of it.
        min_confidence: 0 to 1: a name that is less sure does not count.
        names: the characters that are wanted, and their names of files; None: all.
    """
    texts: dict[int, str] = {}
    for character, members in scenes_by_character(scenes, min_confidence=min_confidence).items():
        if names is None or character in names:
            for scene in members:
                if id(scene) not in texts:  # whoever else speaks in it has the same
                    texts[id(scene)] = scene_text(scene, min_confidence=min_confidence)
            name = path_name(character) if names is None else names[character]
            yield character, name, [(scene, texts[id(scene)]) for scene in members]


def write_texts(
    scenes: Sequence[Scene],
    destination: Path,
    *,
    min_confidence: float = MIN_NAME_CONFIDENCE,
    names: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Write ``destination/<character>/<episode>_<time>_<scene>.txt`` for every scene a character speaks in.

    All lines of the scene are written. Where the speaker is unknown, or named with less than ``min_confidence``,
    the name is ``？？？``: the answer to a line that is left out would make no sense, and an empty name is
    narration to the loaders of this family. ``names`` are those who get a folder, with its name; None: all do.

    Args:
        scenes: of the corpus, or of a part of it.
        destination: the folder of the files.
        min_confidence: 0 to 1: a name that is less sure is written as ``？？？``.
        names: the characters that get a folder, and its name; None: all.

    Returns:
        Files written by character.

    Raises:
        OSError: a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    written = {}
    for character, name, members in scene_texts(scenes, min_confidence=min_confidence, names=names):
        folder = destination / name
        folder.mkdir(exist_ok=True)
        for scene, text in members:
            path = folder / f"{_file_stem(scene)}.txt"
            path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace", newline="\n")
        written[character] = len(members)
    return written


def read_scene_text(source: Path) -> list[Utterance]:
    """The utterances of one scene file, as :func:`write_texts` or another tool of the family wrote it.

    Raises:
        InputError: bytes that are no UTF-8, or a row without a name; names the row.
    """
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as e:
        raise InputError("not UTF-8 text", where=source) from e
    utterances = []
    for number, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        utterance = parse_utterance(row)
        if utterance is None:
            raise InputError(f"row {number} is not of the form 角色:「台词」", where=source)
        utterances.append(utterance if utterance.name else Utterance(UNKNOWN_NAME, utterance.text))
    return utterances


def _file_stem(scene: Scene) -> str:
    seconds = scene.start_ms // 1000
    clock = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
    return path_name(f"{scene.episode_id}_{clock}_{scene.scene_id.rpartition('-')[2]}")
