"""The files of a whole corpus, made from the lines of all its episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.corpus.exports.haruhi import write_haruhi
from yuki_builder.corpus.exports.roleplay import RoleplayCounts, write_roleplay
from yuki_builder.corpus.exports.texts import scenes_by_character, write_texts
from yuki_builder.corpus.scenes import Scene, split_scenes
from yuki_builder.corpus.tables.lines_parquet import write_lines_parquet
from yuki_builder.records import Line, Progress, no_progress


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What was written.

    Attributes:
        lines: rows of ``lines.parquet``.
        scenes: scenes that the lines fall into.
        scene_files: files under ``texts/``, by character (a scene counts for everyone who speaks in it).
        roleplay: counts by character.
        left_out: lines that are in ``lines.parquet`` only, by reason.
    """

    lines: int
    scenes: int
    scene_files: Mapping[str, int]
    roleplay: Mapping[str, RoleplayCounts]
    left_out: Mapping[str, int]


def build_corpus_files(
    lines: Iterable[Line],
    destination: Path,
    *,
    scenes: Sequence[Scene] | None = None,
    progress: Progress = no_progress,
) -> CorpusReport:
    """Write ``lines.parquet``, ``texts/``, ``haruhi/`` and ``roleplay/`` into ``destination``.

    The same lines in the same order give the same bytes. Nothing is removed: give a fresh folder where characters
    or scenes may have gone since the last time.

    Args:
        lines: of all episodes, episode by episode.
        destination: folder to write to; made if need be.
        scenes: that the lines fall into; None: found by pauses and cast.
        progress: called with the number of files or folders done, of four.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    every_line = list(lines)
    spoken = [line for line in every_line if line.text.strip()]
    scenes = split_scenes(spoken) if scenes is None else scenes
    destination.mkdir(parents=True, exist_ok=True)
    write_lines_parquet(every_line, destination / "lines.parquet")
    progress(1, 4)
    scene_files = write_texts(scenes, destination / "texts")
    progress(2, 4)
    write_haruhi(scenes, destination / "haruhi")
    progress(3, 4)
    roleplay = write_roleplay(scenes, destination / "roleplay")
    progress(4, 4)
    left_out = {}
    if without_text := len(every_line) - len(spoken):
        left_out["no text"] = without_text
    named = {scene.scene_id for members in scenes_by_character(scenes).values() for scene in members}
    if nameless := sum(len(scene.lines) for scene in scenes if scene.scene_id not in named):
        left_out["in a scene without a named character"] = nameless
    return CorpusReport(len(every_line), len(scenes), scene_files, roleplay, left_out)
