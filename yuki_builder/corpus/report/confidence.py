"""How sure the lines are, in twenty steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from yuki_builder.records import Line, Verdict

STEPS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """Lines with a confidence from ``low`` up to ``high``.

    ``parts`` are counts by verdict, ``share`` is the count relative to the largest.
    """

    low: float
    high: float
    count: int
    parts: tuple[tuple[str, int], ...]
    share: float


def histogram_of(lines: Iterable[Line], *, steps: int = STEPS) -> tuple[Step, ...]:
    """``steps`` steps from 0 to 1; the last includes 1."""
    counts = Counter((min(steps - 1, int(line.confidence * steps + 1e-9)), line.verdict) for line in lines)
    totals = [sum(counts[step, verdict] for verdict in Verdict) for step in range(steps)]
    largest = max(totals) or 1
    return tuple(
        Step(
            low=step / steps,
            high=(step + 1) / steps,
            count=totals[step],
            parts=tuple((v.value, counts[step, v]) for v in Verdict if counts[step, v]),
            share=totals[step] / largest,
        )
        for step in range(steps)
    )
