"""One character at a time: how much, how surely, the clips to listen to first, and the lines to check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.corpus.report.cast import Speaker
from yuki_builder.corpus.report.rows import Row
from yuki_builder.records import Verdict

MOST_BEST = 4
MOST_DOUBTFUL = 4
_SHORTEST_MS, _LONGEST_MS = 1200, 9000


@dataclass(frozen=True, slots=True)
class Portrait:
    """What the report tells of one character.

    ``doubtful`` are the least sure of the ``doubtful_count`` lines that are not certain; ``episodes`` counts lines
    by the position of their episode.
    """

    speaker: Speaker
    verdicts: tuple[tuple[str, int], ...]
    best: tuple[Row, ...]
    doubtful: tuple[Row, ...]
    doubtful_count: int
    episodes: tuple[tuple[int, int], ...]


def portraits_of(rows: Sequence[Row], speakers: Sequence[Speaker]) -> tuple[Portrait, ...]:
    """A portrait of each speaker, in their order."""
    said: dict[int, list[Row]] = {speaker.number: [] for speaker in speakers}
    for row in rows:
        said[row.speaker.number].append(row)
    return tuple(_portrait(speaker, said[speaker.number]) for speaker in speakers)


def _portrait(speaker: Speaker, rows: Sequence[Row]) -> Portrait:
    counts = Counter(row.line.verdict.value for row in rows)
    unsure = [row for row in rows if row.line.verdict is not Verdict.CERTAIN]
    return Portrait(
        speaker=speaker,
        verdicts=tuple((verdict.value, counts[verdict.value]) for verdict in Verdict),
        best=tuple(best_clips(rows)),
        doubtful=tuple(sorted(unsure, key=lambda row: (row.line.confidence, row.number))[:MOST_DOUBTFUL]),
        doubtful_count=len(unsure),
        episodes=tuple(sorted(Counter(row.episode for row in rows).items())),
    )


def best_clips(rows: Sequence[Row], *, most: int = MOST_BEST) -> list[Row]:
    """The rows to hear a voice by: certain, long enough, one voice alone, then the cleanest.

    Where a quality score was computed it decides; else confidence to the nearest tenth, then the level over the
    background.
    """
    fit = [
        row
        for row in rows
        if row.clip_url is not None
        and row.line.verdict is Verdict.CERTAIN
        and row.line.overlap == 0
        and _SHORTEST_MS <= row.line.span.duration_ms <= _LONGEST_MS
    ]
    return sorted(fit, key=_by_merit)[:most]


def _by_merit(row: Row) -> tuple[float, float, float, int]:
    line = row.line
    quality = 0.0 if line.quality is None else line.quality
    level_db = -100.0 if line.snr_db is None else line.snr_db
    return (-quality, -round(line.confidence, 1), -level_db, row.number)
