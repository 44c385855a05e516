"""The list of lines: one row each, of one episode or of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from yuki_builder.corpus.report.cast import Colour, Speaker
from yuki_builder.corpus.report.formatting import file_url
from yuki_builder.records import Evidence, Line

_MOST_BARS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of evidence as a small bar: ``height`` 0..1, in the colour of the character it speaks for."""

    height: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list. ``number`` counts from 1, ``episode`` is the position of the line's episode.

    ``read_from`` is the picture that the line was read from, a WebP file in base64.
    """

    number: int
    line: Line
    speaker: Speaker
    episode: int
    starts_scene: bool
    clip_url: str | None
    evidence: str
    read_from: str | None
    bars: tuple[Bar, ...]


def rows_of(
    lines: Sequence[Line],
    *,
    speakers: Iterable[Speaker],
    episodes: Mapping[str, int],
    scene_openers: frozenset[str],
    folder: str,
    read_from: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Row, ...]:
    """The rows, in the order of ``lines``.

    Args:
        lines: of all episodes.
        speakers: everyone who has a line.
        episodes: the position of each episode, by its id.
        scene_openers: ids of the lines that start a scene.
        folder: where the report will lie, relative to the output folder.
        read_from: the pictures that lines were read from, by the lines' ids.
    """
    by_name = {speaker.statistics.character: speaker for speaker in speakers}
    return tuple(
        Row(
            number=number,
            line=line,
            speaker=by_name[line.character],
            episode=episodes[line.episode_id],
            starts_scene=line.line_id in scene_openers,
            clip_url=None if line.clip is None else file_url(line.clip, folder=folder),
            evidence=evidence_text(line.evidence),
            read_from=read_from.get(line.line_id),
            bars=tuple(
                Bar(
                    min(1.0, max(0.0, e.weight)),
                    by_name[e.character].colour if e.character in by_name else Colour(None),
                )
                for e in line.evidence[:_MOST_BARS]
            ),
        )
        for number, line in enumerate(lines, 1)
    )


def evidence_text(evidence: Iterable[Evidence]) -> str:
    """``voice 0.81 Yuki · actor 1.00 Yuki``."""
    return " · ".join(f"{e.source} {e.weight:.2f} {e.character}" for e in evidence)
