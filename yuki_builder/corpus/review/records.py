"""What a review is made of: episodes, paths, what the pipeline does for it, which lines to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yuki_builder.corpus.review.doubt import LineVoices
from yuki_builder.records import Attribution, Line


@dataclass(frozen=True, slots=True)
class ReviewEpisode:
    """What a review shows of one episode.

    Attributes:
        episode_id: its name.
        lines: by time.
        problems: of quality, by line id.
        voices: speaker embeddings of its lines, where there are any.
        mix, vocals: the sound files, as far as they are there.
    """

    episode_id: str
    lines: tuple[Line, ...]
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    voices: LineVoices | None = None
    mix: Path | None = None
    vocals: Path | None = None


@dataclass(frozen=True, slots=True)
class ReviewPaths:
    """Where a review keeps what it is told: two tables in the output folder, and a folder of its own."""

    labels: Path
    corrections: Path
    renames: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Applied:
    """What was not brought up to date with what was decided.

    Attributes:
        exports: names of exports in the output folder that are as they were.
        kept: stages that were not done again, although this version of the program, or a file that was changed since,
            would make something else of them.
        command: what does them again.
    """

    exports: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a review needs the pipeline for.

    Attributes:
        load: episodes as they are on the disk now, by their names.
        suggest: who says each line of an episode, by what was decided so far; None where it cannot be told.
        apply: brings episodes up to date with what was decided, and the corpus; tells which episode it is at, and which
            stage.
    """

    load: Callable[[Sequence[str]], Mapping[str, ReviewEpisode]]
    suggest: Callable[[str], Sequence[Attribution] | None] = lambda _: None
    apply: Callable[[Sequence[str], Callable[[str, str], None]], Applied] = lambda *_: Applied()


class ConflictError(Exception):
    """Somebody else decided about these lines since they were looked at."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("decided elsewhere meanwhile")
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines to show; an empty value does not matter.

    Attributes:
        state: ``doubtful`` (not certain and not decided), ``certain``, ``decided``, ``open`` (not decided).
        mark: lines with this mark.
        overlap: whether another voice speaks too.
        order: ``time`` or ``gain``.
    """

    episode: str = ""
    character: str = ""
    speaker: str = ""
    state: str = ""
    problem: str = ""
    source: str = ""
    mark: str = ""
    overlap: bool = False
    text: str = ""
    order: str = "time"
