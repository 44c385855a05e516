"""What an export is: lines and scenes in, files out, and what was left out for which reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yuki_builder.corpus.scenes import Scene, split_scenes
from yuki_builder.records import Line, Progress, Verdict

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What goes into an export.

    Attributes:
        min_confidence: lines less sure of their name are no examples of their character.
        verdicts: the verdicts that count, besides.
        characters: only these; empty: all.
        without: problems of quality (``duplicate``, ``clipped`` …) that keep a line out.
        validation: the share of scenes (0..1) that are kept for validation.
        context_lines: so many lines before an answer are shown to a chat model; 0: the whole scene.
        system_prompt: a template with ``{character}``; None: the project's own, in the lines' language.
        shard_bytes: the largest size of a WebDataset shard or Parquet file.
    """

    min_confidence: float = 0.7
    verdicts: frozenset[Verdict] = frozenset({Verdict.CERTAIN, Verdict.DOUBTFUL})
    characters: tuple[str, ...] = ()
    without: frozenset[str] = frozenset({"duplicate"})
    validation: float = 0.1
    context_lines: int = 0
    system_prompt: str | None = None
    shard_bytes: int = 256 << 20

    def __post_init__(self) -> None:
        if not (0 <= self.min_confidence <= 1 and 0 <= self.validation < 1):
            raise ValueError("min_confidence and validation are shares from 0 to 1")
        if self.context_lines < 0 or self.shard_bytes < 1:
            raise ValueError("context_lines and shard_bytes are no negative numbers")

    def why_not(self, line: Line) -> str | None:
        """Why a line is no example of its character; None where it is one."""
        if line.character is None:
            return "speaker unknown"
        if self.characters and line.character not in self.characters:
            return "another character"
        if line.verdict not in self.verdicts or line.confidence < self.min_confidence:
            return "name not sure enough"
        return None if line.text.strip() else "no text"


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported.

    Attributes:
        lines: of all episodes, episode by episode.
        scenes: they fall into; together they hold every line with text.
        root: the output folder, to which ``Line.clip`` is relative.
        problems: of quality, by line id, as far as they are known.
    """

    lines: tuple[Line, ...]
    scenes: tuple[Scene, ...]
    root: Path
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        lines: Iterable[Line],
        root: Path,
        *,
        scenes: Sequence[Scene] | None = None,
        problems: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Source:
        """Lines with their scenes, which are found where they are not given."""
        every = tuple(lines)
        found = split_scenes([line for line in every if line.text.strip()]) if scenes is None else scenes
        return cls(every, tuple(found), root, problems or {})


@dataclass(frozen=True, slots=True)
class Chosen:
    """An example: a line, the scene it is in, and the part of the data it belongs to."""

    line: Line
    scene_id: str
    split: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written: files, items (lines, chats, turns) by split, and what was left out by reason."""

    files: int
    items: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)


Write = Callable[[Source, Path, ExportOptions, Progress], ExportReport]


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format: its name on the command line, what it is for in a line, and the function that writes it."""

    name: str
    summary: str
    write: Write
    needs_clips: bool = False


def split_of(scene_id: str, validation: float) -> str:
    """Which part of the data a scene belongs to: by a hash of its id, so that it stays there as the corpus grows."""
    number = int(hashlib.sha256(scene_id.encode("utf-8", "surrogatepass")).hexdigest()[:12], 16)
    return VALIDATION if number < validation * 16**12 else TRAIN


def choose(source: Source, options: ExportOptions) -> tuple[list[Chosen], Counter[str]]:
    """The lines that are examples, in order, whole scenes to one split; and the others by reason."""
    chosen: list[Chosen] = []
    left_out: Counter[str] = Counter()
    in_scenes = {line.line_id: scene.scene_id for scene in source.scenes for line in scene.lines}
    for line in source.lines:
        reason = options.why_not(line)
        problem = next((name for name in source.problems.get(line.line_id, ()) if name in options.without), None)
        reason = reason or problem
        scene_id = in_scenes.get(line.line_id)
        if reason is None and scene_id is not None:
            chosen.append(Chosen(line, scene_id, split_of(scene_id, options.validation)))
        else:
            left_out[reason or "no text"] += 1
    return chosen, left_out


def choose_clips(source: Source, options: ExportOptions) -> tuple[list[tuple[Chosen, Path]], Counter[str]]:
    """As ``choose``, with each line's clip; lines without one are left out."""
    chosen, left_out = choose(source, options)
    found = []
    for item in chosen:
        path = clip_path(item.line, source.root)
        if path is None:
            left_out["no clip"] += 1
        else:
            found.append((item, path))
    return found, left_out


def clip_path(line: Line, root: Path) -> Path | None:
    """Where the line's clip is; None where there is none, or it would lie outside the output folder."""
    if line.clip is None:
        return None
    path = root / line.clip
    is_inside = path.resolve().is_relative_to(root.resolve())
    return path if is_inside and path.is_file() else None


def count_splits(items: Iterable[Chosen]) -> dict[str, int]:
    """How many items each split has."""
    return dict(sorted(Counter(item.split for item in items).items()))
