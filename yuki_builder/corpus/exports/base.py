"""What an export is: lines and scenes in, files out, and what was left out for which reason."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yuki_builder.corpus.exports.split import TRAIN, VALIDATION, held_out
from yuki_builder.corpus.scenes import Scene, split_scenes, without_lines
from yuki_builder.records import Line, Progress, Span, Verdict

PRIMARY, SECONDARY = "primary", "secondary"
UNUSABLE = "unusable"
_HEARD = frozenset({"duplicate", UNUSABLE})
"""The problems that are a matter of text too: what is said again would leak from one split to the other."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What goes into an export.

    Attributes:
        min_confidence: lines less sure of their name are no examples of their character.
        verdicts: the verdicts that count, besides.
        characters: only these; empty: all.
        without: problems of quality (``duplicate``, ``clipped`` …) that keep a line out.
        text: ``primary``, or ``secondary`` for the other language of bilingual subtitles.
        validation: the share of examples (0..1) that are kept for validation, in whole scenes.
        context_lines: so many lines before an answer are shown to a chat model; 0: the whole scene.
        system_prompt: a template with ``{character}``; None: the project's own, in the lines' language.
        shard_bytes: the largest size of a WebDataset shard or Parquet file.
    """

    min_confidence: float = 0.7
    verdicts: frozenset[Verdict] = frozenset({Verdict.CERTAIN, Verdict.DOUBTFUL})
    characters: tuple[str, ...] = ()
    without: frozenset[str] = frozenset({"duplicate", UNUSABLE})
    text: str = PRIMARY
    validation: float = 0.1
    context_lines: int = 0
    system_prompt: str | None = None
    shard_bytes: int = 256 << 20

    def __post_init__(self) -> None:
        if not (0 <= self.min_confidence <= 1 and 0 <= self.validation < 1):
            raise ValueError("min_confidence and validation are shares from 0 to 1")
        if self.context_lines < 0 or self.shard_bytes < 1:
            raise ValueError("context_lines and shard_bytes are no negative numbers")
        if self.text not in (PRIMARY, SECONDARY):
            raise ValueError(f"text is {PRIMARY} or {SECONDARY}")

    def why_not(self, line: Line) -> str | None:
        """Why a line is no example of its character; None where it is one."""
        if line.character is None or not line.character.strip():
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
        shown: when the subtitles show a line, by its id, where that is known; it is a little longer than it is said.
        made_with: models and versions that the lines were made with, for the card: what, and which of it.
    """

    lines: tuple[Line, ...]
    scenes: tuple[Scene, ...]
    root: Path
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shown: Mapping[str, Span] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        lines: Iterable[Line],
        root: Path,
        *,
        scenes: Sequence[Scene] | None = None,
        problems: Mapping[str, tuple[str, ...]] | None = None,
        shown: Mapping[str, Span] | None = None,
        made_with: Mapping[str, str] | None = None,
    ) -> Source:
        """Lines with their scenes, which are found where they are not given.

        Args:
            lines: of one or several episodes.
            root: the folder that the paths of clips start at.
            scenes: those of the lines; None: they are found by pauses.
            problems: what speaks against training on a line, by line id.
            shown: when the subtitles show a line, by line id.
            made_with: what the card says of the making, by heading.
        """
        every = tuple(lines)
        found = split_scenes([line for line in every if line.text.strip()]) if scenes is None else scenes
        return cls(every, tuple(found), root, problems or {}, shown or {}, made_with or {})

    def having(self, problem: str) -> frozenset[str]:
        """The ids of the lines with this problem."""
        return frozenset(x.line_id for x in self.lines if problem in self.problems.get(x.line_id, ()))

    def without(self, line_ids: Collection[str]) -> Source:
        """The same without these lines, also where they stand between others."""
        lines = tuple(line for line in self.lines if line.line_id not in line_ids)
        return dataclasses.replace(self, lines=lines, scenes=tuple(without_lines(self.scenes, line_ids)))

    def in_other_language(self) -> Source:
        """The same with ``text`` and ``text_secondary`` exchanged; a line without the other has no text."""
        scenes = []
        for scene in self.scenes:
            lines = tuple(map(_exchanged, scene.lines))
            if spoken := tuple(line for line in lines if line.text.strip()):
                scenes.append(dataclasses.replace(scene, lines=spoken))
        return dataclasses.replace(self, lines=tuple(map(_exchanged, self.lines)), scenes=tuple(scenes))


def _exchanged(line: Line) -> Line:
    return dataclasses.replace(line, text=line.text_secondary or "", text_secondary=line.text or None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An example: a line, the scene it is in, and the part of the data it belongs to."""

    line: Line
    scene_id: str
    split: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written.

    Attributes:
        files: how many.
        items: lines, chats or turns, by split; by kind in formats that are not split.
        left_out: lines by reason.
        examples: the lines that were written as their characters'.
    """

    files: int
    items: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)
    examples: Sequence[Chosen] = ()


Write = Callable[[Source, Path, ExportOptions, Progress], ExportReport]


def splits(source: Source, options: ExportOptions) -> dict[str, str]:
    """The part of the data that each scene belongs to, by scene id.

    It depends on who says the lines and how surely, not on clips or their quality: with the same options a scene is
    in the same part in every format, so that a voice and a chat model can be tried on the same scenes.
    """
    examples = {s.scene_id: sum(options.why_not(line) is None for line in s.lines) for s in source.scenes}
    kept = held_out({scene_id: count for scene_id, count in examples.items() if count}, options.validation)
    return {scene_id: VALIDATION if scene_id in kept else TRAIN for scene_id in examples}


def choose(
    source: Source, options: ExportOptions, *, without: Collection[str] | None = None
) -> tuple[list[Chosen], Counter[str]]:
    """The lines that are examples, in order, whole scenes to one split; and the others by reason.

    Args:
        source: the corpus.
        options: what is an example.
        without: problems that keep a line out; None: those of the options.
    """
    chosen: list[Chosen] = []
    left_out: Counter[str] = Counter()
    unwanted = options.without if without is None else without
    in_scenes = {line.line_id: scene.scene_id for scene in source.scenes for line in scene.lines}
    split_of = splits(source, options)
    for line in source.lines:
        reason = options.why_not(line)
        problem = next((name for name in source.problems.get(line.line_id, ()) if name in unwanted), None)
        reason = reason or problem
        scene_id = in_scenes.get(line.line_id)
        if reason is None and scene_id is not None:
            chosen.append(Chosen(line, scene_id, split_of[scene_id]))
        else:
            left_out[reason or "in no scene"] += 1
    return chosen, left_out


def choose_texts(source: Source, options: ExportOptions) -> tuple[list[Chosen], Counter[str]]:
    """As ``choose``, for formats without sound: how good a clip is does not concern them."""
    return choose(source, options, without=options.without & _HEARD)


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
    """Where the line's clip is; None where there is none, it is empty, or it would lie outside the output folder."""
    if line.clip is None:
        return None
    path = root / line.clip
    is_inside = path.resolve().is_relative_to(root.resolve())
    return path if is_inside and path.is_file() and path.stat().st_size else None


def count_splits(items: Iterable[Chosen]) -> dict[str, int]:
    """How many items each split has."""
    return dict(sorted(Counter(item.split for item in items).items()))
