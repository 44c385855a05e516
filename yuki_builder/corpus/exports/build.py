"""The files of a whole corpus, made from the lines of all its episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.corpus.exports.haruhi import write_haruhi
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
        progress: called with the number of files or folders done, of four.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    every_line = list(lines)
    if scenes is None:
        scenes = split_scenes([line for line in every_line if line.text.strip()])
    return build_corpus_in_parts([lambda: (every_line, scenes)], destination, unusable=unusable, progress=progress)


Part = Callable[[], tuple[Sequence[Line], Sequence[Scene]]]
"""Reads the lines of one episode, and the scenes that they fall into."""

_MOST_LINES = 100_000


def build_corpus_in_parts(
    parts: Sequence[Part],
    destination: Path,
    *,
    unusable: Collection[str] = (),
    progress: Progress = no_progress,
    most_lines: int = _MOST_LINES,
) -> CorpusReport:
    """As ``build_corpus_files``, from episodes that are read when they are wanted: more than the memory holds.

    Every part is read once for the table, and again with the characters who speak in it, of whom so many are written
    together that their scenes have no more than ``most_lines`` lines, or one whose own have more.

    Args:
        parts: the episodes.
        destination: the corpus folder.
        unusable: ids of lines that no model is to learn from.
        progress: counts parts and characters.
        most_lines: how many lines are held in memory at once.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    index = _Index(unusable)
    write_lines_parquet(index.reading(parts), destination / "lines.parquet")
    progress(1, 4)
    scene_files: dict[str, int] = {}
    roleplay: dict[str, RoleplayCounts] = {}
    batches = index.batches(most_lines)
    for number, names in enumerate(batches):
        numbers = sorted({k for name in names for k in index.parts_of[name]})
        scenes = without_lines((scene for k in numbers for scene in parts[k]()[1]), unusable)
        scene_files |= write_texts(scenes, destination / "texts", among=names)
        progress(1 + 3 * (number + 1 / 3) / len(batches), 4)
        write_haruhi(scenes, destination / "haruhi", among=names)
        progress(1 + 3 * (number + 2 / 3) / len(batches), 4)
        roleplay |= write_roleplay(scenes, destination / "roleplay", among=names)
        progress(1 + 3 * (number + 1) / len(batches), 4)
    return CorpusReport(index.lines, index.scenes, scene_files, roleplay, index.left_out())


class _Index:
    """What is known of a corpus after its lines were read once: which characters speak in which parts, how much."""

    def __init__(self, unusable: Collection[str]) -> None:
        self._unusable = unusable
        self.lines = self.scenes = 0
        self.parts_of: dict[str, list[int]] = {}
        self._lines_of: Counter[str] = Counter()
        self._without_text = self._nameless = self._refused = 0

    def reading(self, parts: Sequence[Part]) -> Iterator[Line]:
        """All lines, once; what is counted is there when they have been read."""
        for number, part in enumerate(parts):
            lines, all_scenes = part()
            yield from lines
            scenes = without_lines(all_scenes, self._unusable)
            self.lines += len(lines)
            self.scenes += len(scenes)
            refused = [line for line in lines if line.line_id in self._unusable]
            self._refused += len(refused)
            self._without_text += sum(not line.text.strip() for line in lines)
            self._without_text -= sum(not line.text.strip() for line in refused)
            by_character = scenes_by_character(scenes)
            for name, members in by_character.items():
                self.parts_of.setdefault(name, []).append(number)
                self._lines_of[name] += sum(len(scene.lines) for scene in members)
            named = {scene.scene_id for members in by_character.values() for scene in members}
            self._nameless += sum(len(scene.lines) for scene in scenes if scene.scene_id not in named)

    def batches(self, most_lines: int) -> list[list[str]]:
        """The characters in order, those together whose scenes are not too much at once; at least one batch."""
        batches: list[list[str]] = [[]]
        room = most_lines
        for name in sorted(self.parts_of):
            if batches[-1] and self._lines_of[name] > room:
                batches.append([])
                room = most_lines
            batches[-1].append(name)
            room -= self._lines_of[name]
        return batches

    def left_out(self) -> dict[str, int]:
        """Lines that are in the table only, by reason."""
        counts = {
            "unusable": self._refused,
            "no text": self._without_text,
            "in a scene without a named character": self._nameless,
        }
        return {reason: count for reason, count in counts.items() if count}
