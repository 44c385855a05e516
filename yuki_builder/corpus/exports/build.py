"""The files of a whole corpus, made from the lines of all its episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.corpus.exports.haruhi import write_haruhi
from yuki_builder.corpus.exports.prompts import Scripts
from yuki_builder.corpus.exports.roleplay import RoleplayCounts, write_roleplay
from yuki_builder.corpus.exports.texts import scenes_by_character, write_texts
from yuki_builder.corpus.scenes import Scene, split_scenes, without_lines
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
    unusable: Collection[str] = (),
    progress: Progress = no_progress,
) -> CorpusReport:
    """Write ``lines.parquet``, ``texts/``, ``haruhi/`` and ``roleplay/`` into ``destination``.

    The same lines in the same order give the same bytes. Nothing is removed: give a fresh folder where characters
    or scenes may have gone since the last time.

    Args:
        lines: of all episodes, episode by episode.
        destination: folder to write to; made if need be.
        scenes: that the lines fall into; None: found by pauses and cast.
        unusable: the ids of lines that are not to train on: they are in ``lines.parquet`` only.
        progress: called with how much is done, of four.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    every_line = list(lines)
    if scenes is None:
        scenes = split_scenes([line for line in every_line if line.text.strip()])
    return build_corpus_in_parts([lambda: (every_line, scenes)], destination, unusable=unusable, progress=progress)


Part = Callable[[], tuple[Sequence[Line], Sequence[Scene]]]
"""Reads the lines of one episode, and the scenes that they fall into."""


def build_corpus_in_parts(
    parts: Sequence[Part],
    destination: Path,
    *,
    unusable: Collection[str] = (),
    progress: Progress = no_progress,
) -> CorpusReport:
    """As ``build_corpus_files``, from episodes that are read when they are wanted: more than the memory holds.

    Every part is read twice: for the table, which also tells the language of each character's scenes, and to write its
    scenes behind those of earlier parts.

    Args:
        parts: the episodes.
        destination: the corpus folder.
        unusable: ids of lines that no model is to learn from.
        progress: counts the table as one of four, and the parts as the rest.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    index = _Index(unusable)
    write_lines_parquet(index.reading(parts), destination / "lines.parquet")
    progress(1, 4)
    prompts = {name: scripts.prompts for name, scripts in index.scripts.items()}
    scene_files: Counter[str] = Counter()
    roleplay: dict[str, RoleplayCounts] = {}
    for number, part in enumerate(parts or [lambda: ((), ())], 1):
        scenes = without_lines(part()[1], unusable)
        written = write_texts(scenes, destination / "texts")
        write_haruhi(scenes, destination / "haruhi", prompts=prompts, append=scene_files)
        counts = write_roleplay(scenes, destination / "roleplay", prompts=prompts, append=roleplay)
        for name, own in counts.items():
            roleplay[name] = own if name not in roleplay else roleplay[name] + own
        scene_files.update(written)
        progress(1 + 3 * number / max(1, len(parts)), 4)
    return CorpusReport(
        index.lines, index.scenes, dict(sorted(scene_files.items())), dict(sorted(roleplay.items())), index.left_out()
    )


class _Index:
    """What is known of a corpus after its lines were read once: which scripts the scenes of each character are in."""

    def __init__(self, unusable: Collection[str]) -> None:
        self._unusable = unusable
        self.lines = self.scenes = 0
        self.scripts: dict[str, Scripts] = {}
        self._without_text = self._nameless = self._refused = 0

    def reading(self, parts: Sequence[Part]) -> Iterator[Line]:
        """All lines, once; what is counted is there when they have been read."""
        for part in parts:
            lines, all_scenes = part()
            yield from lines
            scenes = without_lines(all_scenes, self._unusable)
            self.lines += len(lines)
            self.scenes += len(scenes)
            refused = [line for line in lines if line.line_id in self._unusable]
            self._refused += len(refused)
            self._without_text += sum(not line.text.strip() for line in lines)
            self._without_text -= sum(not line.text.strip() for line in refused)
            named: set[int] = set()
            scripts = {id(scene): Scripts.of(line.text for line in scene.lines) for scene in scenes}
            for name, members in scenes_by_character(scenes).items():
                named.update(map(id, members))
                self.scripts[name] = sum((scripts[id(s)] for s in members), self.scripts.get(name, Scripts()))
            self._nameless += sum(len(scene.lines) for scene in scenes if id(scene) not in named)

    def left_out(self) -> dict[str, int]:
        """Lines that are in the table only, by reason."""
        counts = {
            "unusable": self._refused,
            "no text": self._without_text,
            "in a scene without a named character": self._nameless,
        }
        return {reason: count for reason, count in counts.items() if count}
