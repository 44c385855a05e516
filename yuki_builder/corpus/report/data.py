"""What the page's script works with, as JSON: numbers by column, and names by their position in a table.

The lines' own text is not in it: the page holds it once, where people without scripts can read it, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yuki_builder.corpus.report.cast import Colour, Speaker
from yuki_builder.corpus.report.pictures import SoundPictures
from yuki_builder.corpus.report.rows import Row
from yuki_builder.records import Span, Turn, Verdict

VERDICTS = [verdict.value for verdict in Verdict]


@dataclass(frozen=True, slots=True)
class EpisodeData:
    """An episode as the script knows it; ``mix`` and ``vocals`` are URLs relative to the page."""

    name: str
    duration_ms: int
    mix: str | None = None
    vocals: str | None = None


class Table:
    """Texts by position, each once."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def position(self, text: str) -> int:
        """Where ``text`` stands; new ones are added at the end."""
        return self._positions.setdefault(text, len(self._positions))

    def texts(self) -> list[str]:
        """All of them, in order."""
        return list(self._positions)


def page_data(
    *,
    episodes: Sequence[EpisodeData],
    speakers: Sequence[Speaker],
    rows: Sequence[Row],
    turns: Sequence[Turn] = (),
    speech: Sequence[Span] = (),
    scene_starts_ms: Sequence[int] = (),
    pictures: SoundPictures | None = None,
) -> str:
    """The JSON, in ASCII and without ``<``, so that no text in it can end the block it stands in.

    Args:
        episodes: the episodes of the page.
        speakers: the people, in the order of their colours.
        rows: the rows of the table.
        turns: who speaks when.
        speech: where somebody speaks.
        scene_starts_ms: where scenes begin.
        pictures: of the sound, where there are any.
    """
    sources, names, voices, folders = Table(), Table(), Table(), Table()
    return script_json(
        {
            "episodes": [{"name": e.name, "ms": e.duration_ms, "mix": e.mix, "vocals": e.vocals} for e in episodes],
            "speakers": [
                {"name": s.name, "known": s.statistics.character is not None, "colour": _colour(s.colour)}
                for s in speakers
            ],
            "verdicts": VERDICTS,
            "lines": _lines(rows, sources, names, voices, folders),
            "sources": sources.texts(),
            "names": names.texts(),
            "voices": voices.texts(),
            "folders": folders.texts(),
            "turns": _turns(turns),
            "speech": [value for span in speech for value in (span.start_ms, span.duration_ms)],
            "scenes": list(scene_starts_ms),
            "peaks": pictures and {"ms": pictures.bin_ms, "mix": pictures.mix_peaks, "vocals": pictures.vocals_peaks},
        }
    )


def script_json(value: Any) -> str:
    """JSON for a ``<script type="application/json">`` block."""
    # "<" alone could open a comment or an end tag there; half a surrogate pair stays an escape in ASCII.
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _lines(rows: Sequence[Row], sources: Table, names: Table, voices: Table, folders: Table) -> dict[str, list[Any]]:
    lines = [row.line for row in rows]
    clips = [(row.clip_url or "").rpartition("/") for row in rows]
    return {
        "number": [row.number for row in rows],
        "episode": [row.episode for row in rows],
        "who": [row.speaker.number for row in rows],
        "start": [line.start_ms for line in lines],
        "length": [line.span.duration_ms for line in lines],
        "sure": [round(1000 * line.confidence) for line in lines],
        "verdict": [VERDICTS.index(line.verdict.value) for line in lines],
        "overlap": [round(100 * line.overlap) for line in lines],
        "snr": [line.snr_db for line in lines],
        "quality": [line.quality for line in lines],
        "voice": [None if line.speaker is None else voices.position(line.speaker) for line in lines],
        "id": [line.line_id for line in lines],
        "folder": [folders.position(folder + slash) for folder, slash, _ in clips],
        "clip": [file for _, _, file in clips],
        "evidence": [
            [
                value
                for e in line.evidence
                for value in (sources.position(e.source), names.position(e.character), round(e.weight, 2))
            ]
            for line in lines
        ],
    }


def _turns(turns: Sequence[Turn]) -> dict[str, list[Any]]:
    names = sorted({turn.speaker for turn in turns})
    ordered = sorted(turns)
    return {
        "names": names,
        "who": [names.index(turn.speaker) for turn in ordered],
        "start": [turn.start_ms for turn in ordered],
        "length": [turn.span.duration_ms for turn in ordered],
    }


def _colour(colour: Colour) -> list[int] | None:
    return None if colour.hue is None else [round(colour.hue), colour.tier]
