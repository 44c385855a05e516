"""The finished episodes of an output folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.corpus.voices import renamed, season_names
from pipelines.engine.store import Store
from pipelines.episode.records import read_lines, read_scenes
from pipelines.layout import LINES, SCENES
from pipelines.videos import natural
from yuki_builder.errors import InputError
from yuki_builder.records import Line

if TYPE_CHECKING:
    from yuki_builder.corpus import Scene


def no_episode(out: Path) -> InputError:
    """What is wrong with a folder in which nothing is finished."""
    return InputError("holds no finished episode", where=out, remedy="give the run's --out folder")


_MOST_KEPT = 50_000
"""Lines that are kept in memory; those of a larger corpus are read whenever they are wanted."""


@dataclass(frozen=True)
class Corpus:
    """What the making of a corpus works on: the folders of all finished episodes, in natural order."""

    episodes: tuple[Path, ...]
    root: Path = Path()

    @classmethod
    def finished(cls, out: Path) -> Corpus:
        """The same, of a folder that must hold a finished episode.

        Raises:
            InputError: it holds none.
        """
        corpus = cls.of(out) if out.is_dir() else None
        if corpus is None or not corpus.episodes:
            raise no_episode(out)
        return corpus

    @classmethod
    def of(cls, out: Path, *, notice: Callable[[str], None] = lambda _: None) -> Corpus:
        """The episodes of an output folder whose lines are finished, whichever run made them."""
        episodes = []
        for folder in natural(p for p in out.iterdir() if (p / LINES).is_file()):
            mark = Store(folder).mark("lines")
            if mark is None:
                continue
            # A copied or renamed folder: its lines have the ids of another, its clips are not where they say.
            if mark.recipe.settings.get("episode") != folder.name:
                notice(f"{folder} was copied or renamed and is left out of the corpus")
                continue
            episodes.append(folder)
        return cls(tuple(episodes), out)

    def files(self, *names: str) -> dict[str, Path]:
        """The files of those names in the episodes' folders, as far as they are there."""
        paths = [(f"{folder.name}/{name}", folder / name) for folder in self.episodes for name in names]
        return {name: path for name, path in paths if path.exists()}

    def scenes(self) -> Iterator[Scene]:
        """The scenes of all episodes, as their lines fall into them."""
        return (scene for folder in self.episodes for scene in self.scenes_of(folder))

    def scenes_of(self, folder: Path, lines: Sequence[Line] | None = None) -> list[Scene]:
        """The scenes of one episode, with its ``lines`` where they were read already."""
        return read_scenes(folder / SCENES, self.lines_of(folder) if lines is None else lines)

    def lines_of(self, folder: Path) -> list[Line]:
        """The lines of one episode, with the season's names of voices; read anew where there are many."""
        if folder in self._kept:
            return self._kept[folder]
        lines = [renamed(line, folder.name, self._names) for line in read_lines(folder)]
        if sum(map(len, self._kept.values())) + len(lines) <= _MOST_KEPT:
            self._kept[folder] = lines
        return lines

    def lines(self) -> Iterator[Line]:
        """All lines, episode by episode."""
        return (line for folder in self.episodes for line in self.lines_of(folder))

    @cached_property
    def _kept(self) -> dict[Path, list[Line]]:
        return {}

    @cached_property
    def _names(self) -> Mapping[tuple[str, str], str]:
        return season_names(self.episodes)
