"""Scenes: runs of lines that belong together, and the file of them; where they are cut is in ``segmentation.py``."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from yuki_builder.corpus.scenes.segmentation import MAX_LINES, PAUSE_MS, SceneSettings, scene_starts
from yuki_builder.records import Line, Record, ShotChange


@dataclass(frozen=True, slots=True)
class Scene(Record):
    """Some lines of one episode, in order of time, without a long pause between them."""

    scene_id: str
    episode_id: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError(f"scene {self.scene_id} has no lines")

    @property
    def start_ms(self) -> int:
        return self.lines[0].start_ms

    @property
    def end_ms(self) -> int:
        return max(line.end_ms for line in self.lines)


@dataclass(frozen=True, slots=True)
class SceneRow(Record):
    """A scene as ``scenes.jsonl`` has it: which lines, and who speaks in it, the most first."""

    scene_id: str
    episode_id: str
    start_ms: int
    end_ms: int
    line_ids: tuple[str, ...]
    characters: tuple[str, ...]

    @classmethod
    def of(cls, scene: Scene) -> SceneRow:
        """The row of a scene."""
        names = Counter(line.character for line in scene.lines if line.character)
        ordered = tuple(sorted(names, key=lambda name: (-names[name], name)))
        lines = tuple(line.line_id for line in scene.lines)
        return cls(scene.scene_id, scene.episode_id, scene.start_ms, scene.end_ms, lines, ordered)


def scenes_of(rows: Iterable[SceneRow], lines: Iterable[Line]) -> list[Scene]:
    """The scenes that rows describe, of lines with those ids; a row none of whose lines is there is left out."""
    by_id = {line.line_id: line for line in lines}
    scenes = []
    for row in rows:
        members = tuple(by_id[key] for key in row.line_ids if key in by_id)
        if members:
            scenes.append(Scene(row.scene_id, row.episode_id, members))
    return scenes


def without_lines(scenes: Iterable[Scene], line_ids: Collection[str]) -> list[Scene]:
    """The scenes without these lines; one of which nothing remains is left out."""
    found = []
    for scene in scenes:
        members = tuple(line for line in scene.lines if line.line_id not in line_ids)
        if members:
            found.append(scene if len(members) == len(scene.lines) else replace(scene, lines=members))
    return found


def split_scenes(
    lines: Iterable[Line],
    *,
    shots: Sequence[ShotChange] | None = None,
    pause_ms: int = PAUSE_MS,
    max_lines: int = MAX_LINES,
) -> list[Scene]:
    """Group lines into scenes, episode by episode in the order of their first lines.

    A scene ends where more than ``pause_ms`` pass without a line, holds ``max_lines`` at most, and for the rest
    goes by pauses, shot changes and who speaks (:mod:`~yuki_builder.corpus.scenes.segmentation`).

    Args:
        lines: of one episode or several.
        shots: shot changes by time, where the lines are of one episode with a picture.
        pause_ms: see above.
        max_lines: see above.
    """
    by_episode: dict[str, list[Line]] = {}
    for line in lines:
        by_episode.setdefault(line.episode_id, []).append(line)
    settings = SceneSettings(pause_ms=pause_ms, max_lines=max_lines)
    scenes = []
    for episode_id, members in by_episode.items():
        members.sort(key=lambda line: (line.start_ms, line.index, line.line_id))
        starts = scene_starts(
            [line.span for line in members],
            cast=[line.character or line.speaker for line in members],
            shots=shots,
            keys=[line.line_id for line in members],
            settings=settings,
        )
        for start, end in pairwise([*starts, len(members)]):
            scenes.append(
                Scene(scene_id(episode_id, members[start].line_id), episode_id, tuple(members[start:end])),
            )
    return scenes


def scene_id(episode_id: str, first_line_id: str) -> str:
    """An id made from the identity of a scene's first line, so that it lasts as long as that line's id does."""
    return f"{episode_id}-{hashlib.sha256(first_line_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
