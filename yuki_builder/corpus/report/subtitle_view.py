"""What became of the subtitles: how far their times were moved, and which cues are no lines."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from yuki_builder.records import AlignedCue, Cue

MOST_CUES = 300


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Cues left out for one reason; ``cues`` are the first of ``count``."""

    reason: str
    count: int
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one edge of the lines was moved: the median, and what nine in ten stay below, in milliseconds."""

    edge: str
    median_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class Timing:
    """How the subtitles' times fit the voice; ``voiceless`` counts lines without any voice in their reach.

    ``shifts`` counts lines by how far their start was moved, in steps of ``step_ms`` from the earliest.
    """

    lines: int
    moved: tuple[Moved, ...]
    voiceless: int
    shifts: tuple[tuple[int, int], ...]
    step_ms: int


def left_out_of(cues: Iterable[Cue], *, most: int = MOST_CUES) -> tuple[LeftOut, ...]:
    """The cues that are no spoken line, by reason, the most frequent first."""
    by_reason: dict[str, list[Cue]] = {}
    for cue in cues:
        if cue.left_out is not None:
            by_reason.setdefault(cue.left_out, []).append(cue)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(LeftOut(reason, len(members), tuple(members[:most])) for reason, members in ordered)


def timing_of(aligned: Sequence[AlignedCue], *, step_ms: int = 100, reach_ms: int = 500) -> Timing | None:
    """Statistics of the alignment; None where nothing was aligned. Shifts beyond ``reach_ms`` count with the outermost.

    Args:
        aligned: the cues, with their times before and after.
        step_ms: width of a bar.
        reach_ms: shifts beyond count with the outermost bar.
    """
    if not aligned:
        return None
    starts = [line.start_ms - line.cue.start_ms for line in aligned]
    ends = [line.end_ms - line.cue.end_ms for line in aligned]
    counts = dict.fromkeys(range(-reach_ms, reach_ms + 1, step_ms), 0)
    for shift in starts:
        nearest = (shift + step_ms // 2) // step_ms * step_ms
        counts[min(reach_ms, max(-reach_ms, nearest))] += 1
    return Timing(
        lines=len(aligned),
        moved=(_moved("start", starts), _moved("end", ends)),
        voiceless=sum(line.speech_ms == 0 for line in aligned),
        shifts=tuple(counts.items()),
        step_ms=step_ms,
    )


def _moved(edge: str, shifts_ms: Sequence[int]) -> Moved:
    sizes = sorted(abs(shift) for shift in shifts_ms)
    return Moved(edge, round(statistics.median(shifts_ms)), sizes[(9 * len(sizes) - 1) // 10])
