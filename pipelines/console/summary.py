"""The last words of a run, for people and as JSON: who speaks how much, and where everything is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.console.display import one_line
from yuki_builder.records import Line

if TYPE_CHECKING:
    from pipelines.season import EpisodeFailure, SeasonPlan, SeasonResult


_MOST_SHOWN = 20
"""Episodes of which a summary tells one by one."""
_MOST_ROWS = 50
"""Characters in its table."""


@dataclass(frozen=True, slots=True)
class CharacterRow:
    """One character's share; ``character`` None: lines whose speaker is unknown."""

    character: str | None
    lines: int
    minutes: float
    mean_confidence: float


def character_rows(lines: Iterable[Line]) -> list[CharacterRow]:
    """Who speaks how much, the most talkative first, the unknown last."""
    sums: dict[str | None, list[float]] = {}
    for line in lines:
        total = sums.setdefault(line.character, [0, 0, 0.0])
        total[0] += 1
        total[1] += line.span.duration_ms
        total[2] += line.confidence
    rows = [
        CharacterRow(character, int(count), duration_ms / 60_000, confidence / count)
        for character, (count, duration_ms, confidence) in sums.items()
    ]
    return sorted(rows, key=lambda row: (row.character is None, -row.minutes, row.character or ""))


def print_summary(result: SeasonResult) -> None:
    """For people, on stdout."""
    rows = character_rows(result.corpus.corpus.lines()) if result.corpus else []
    if rows:
        cells = [
            (row.character or "(unknown)", str(row.lines), f"{row.minutes:.1f}", f"{row.mean_confidence:.2f}")
            for row in rows[:_MOST_ROWS]
        ]
        _print_table(("character", "lines", "minutes", "confidence"), cells)
    if len(rows) > _MOST_ROWS:
        _print(f"{len(rows) - _MOST_ROWS:,} more characters: in the report of all episodes")
    for episode in result.episodes[:_MOST_SHOWN]:
        for note in episode.notes:
            _print(f"{episode.episode_id}: {note}")
        _print(f"report: {episode.folder / 'report.html'}")
    if (more := len(result.episodes) - _MOST_SHOWN) > 0:
        _print(f"{more:,} more episodes: each has a report.html, and its notes in episode.json")
    if result.corpus:
        _print(f"corpus: {result.corpus.folder} ({sum(row.lines for row in rows)} lines)")
        for report in result.corpus.reports:
            if report.stage.startswith("export "):
                _print(f"{report.stage}: {'; '.join(report.notes)}")
        if len(result.corpus.corpus.episodes) > 1:
            _print(f"report of all episodes: {result.corpus.folder / 'report.html'}")


def summary_json(result: SeasonResult) -> dict[str, Any]:
    """For programs."""
    rows = character_rows(result.corpus.corpus.lines()) if result.corpus else []
    return {
        "episodes": [
            {
                "episode_id": episode.episode_id,
                "folder": str(episode.folder),
                "lines": episode.line_count,
                "notes": list(episode.notes),
                "stages": [report.to_dict() for report in episode.reports],
            }
            for episode in result.episodes
        ],
        "failures": _failures_json(result.failures),
        "corpus": result.corpus
        and {
            "folder": str(result.corpus.folder),
            "lines": sum(row.lines for row in rows),
            "characters": [
                {
                    "character": row.character,
                    "lines": row.lines,
                    "minutes": round(row.minutes, 3),
                    "mean_confidence": round(row.mean_confidence, 4),
                }
                for row in rows
            ],
        },
    }


def print_plan(plan: SeasonPlan) -> None:
    """What would run and what is reused, for people, on stdout."""
    for subject, stages in plan.subjects:
        _print(subject)
        for stage in stages:
            what = "reuse" if stage.reason is None else f"run    {stage.reason}"
            _print(f"  {stage.stage:<13} {what}{f': {stage.detail}' if stage.detail else ''}")


def plan_json(plan: SeasonPlan) -> dict[str, Any]:
    """The same for programs."""
    return {
        "plan": {subject: [stage.to_dict() for stage in stages] for subject, stages in plan.subjects},
        "failures": _failures_json(plan.failures),
    }


def _failures_json(failures: Iterable[EpisodeFailure]) -> list[dict[str, Any]]:
    return [{"video": str(f.video), "message": f.message, "exit_status": f.exit_status} for f in failures]


def _print(text: str) -> None:
    print(one_line(text))


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(header):
        table.add_column(title, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)
