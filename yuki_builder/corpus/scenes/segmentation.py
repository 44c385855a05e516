"""Where one scene ends and the next begins: evidence for a cut at each place, and the best set of cuts.

Each place between two lines gets a score from the pause, the shot changes in it and whether other people talk
after it; each scene gets a cost from its length. The cuts are those with the largest sum of scores less costs,
found by dynamic programming. A score depends only on lines near its place, so that an edited line moves borders
near it and none far away.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.records import Record, ShotChange, Span

PAUSE_MS = 8_000
MAX_LINES = 25


@dataclass(frozen=True, slots=True)
class SceneSettings(Record):
    """What weighs how much.

    Attributes:
        pause_ms: a longer pause ends a scene, whatever else.
        max_lines: no scene has more.
        even_pause_ms: a pause that by itself speaks neither for a cut nor against one.
        usual_lines: a scene of this many lines costs nothing; half and twice as many cost ``length_weight / 2``.
        length_weight: how much the length of a scene counts.
        shot_weight: how much a new picture during the pause counts; the same picture counts half as much, against.
        cast_weight: how much other people before and after count; the same people count half as much, against.
        cast_lines: how many lines before and after are looked at for who speaks.
        shot_reach_ms: a shot change so near a pause counts as in it.
    """

    pause_ms: int = PAUSE_MS
    max_lines: int = MAX_LINES
    even_pause_ms: int = 2_000
    usual_lines: float = 5.0
    length_weight: float = 0.5
    shot_weight: float = 1.2
    cast_weight: float = 0.8
    cast_lines: int = 4
    shot_reach_ms: int = 300

    def __post_init__(self) -> None:
        if self.max_lines < 1:
            raise ValueError("a scene has at least one line")


_SOFTENING_MS = 500  # half a second more or less is nothing in a long pause, and much in a short one
_CLEAR_NOVELTY = 0.15  # pictures that differ so much at the least show another place
_TIE_BREAK = 0.05


def scene_starts(
    spans: Sequence[Span],
    *,
    cast: Sequence[str | None] | None = None,
    shots: Sequence[ShotChange] | None = None,
    keys: Sequence[str] | None = None,
    settings: SceneSettings | None = None,
) -> list[int]:
    """Positions at which a scene starts. Pure.

    Args:
        spans: n lines, in order of their starts.
        cast: who says each; None where nobody knows.
        shots: the shot changes, by time; None where there is no picture, which is not the same as no change.
        keys: an id of each line; breaks ties where lines follow each other like a clock, so that a line more or
            less moves no far cut.
        settings: what weighs how much.
    """
    settings = settings or SceneSettings()
    if not spans:
        return []
    pauses = _pauses(spans)
    people = cast if cast is not None and any(cast) else None
    scores = [
        pause_score(pause.duration_ms, settings)
        + (shot_score(pause, shots, settings) if shots is not None else 0.0)
        + (cast_score(people, place, settings) if people is not None else 0.0)
        + (_tie_break(keys[place]) if keys is not None else 0.0)
        for place, pause in enumerate(pauses)
    ]
    starts = [0, *(i for i, p in enumerate(pauses) if i and p.duration_ms > settings.pause_ms)]
    cuts = []
    for start, end in zip(starts, [*starts[1:], len(spans)], strict=True):
        cuts += [start, *best_cuts(scores[start:end], settings, offset=start)]
    return cuts


def pause_score(pause_ms: int, settings: SceneSettings) -> float:
    """How much a pause speaks for a cut: doubling it adds about one."""
    return math.log2((pause_ms + _SOFTENING_MS) / (settings.even_pause_ms + _SOFTENING_MS))


def shot_score(pause: Span, shots: Sequence[ShotChange], settings: SceneSettings) -> float:
    """How much the pictures during ``pause`` speak for a cut, from ``-shot_weight / 2`` to ``shot_weight``.

    A change between two far-apart pictures counts by the chance that it fell into the pause, and one back to
    a picture seen shortly before counts little.

    Args:
        pause: the pause between two lines.
        shots: the changes of picture of the episode, by time.
        settings: the weights.
    """
    start, end = pause.start_ms - settings.shot_reach_ms, pause.end_ms + settings.shot_reach_ms
    best = 0.0
    for shot in shots[bisect_left(shots, start, key=lambda s: s.time_ms) :]:
        if shot.after_ms >= end:
            break
        uncertain_ms = max(1, shot.time_ms - shot.after_ms)
        inside = min(1.0, max(1, min(end, shot.time_ms) - max(start, shot.after_ms)) / uncertain_ms)
        best = max(best, inside * min(1.0, shot.novelty / _CLEAR_NOVELTY))
    return settings.shot_weight * (1.5 * best - 0.5)


def cast_score(cast: Sequence[str | None], place: int, settings: SceneSettings) -> float:
    """How much a change of people before line ``place`` speaks for a cut, ``-cast_weight / 2`` to ``cast_weight``.

    Args:
        cast: who says each line, None for nobody known.
        place: the line before which a scene might end.
        settings: the weights.
    """
    before = {name for name in cast[max(0, place - settings.cast_lines) : place] if name is not None}
    after = {name for name in cast[place : place + settings.cast_lines] if name is not None}
    if not before or not after:
        return 0.0
    # Of the smaller circle: one who only listens so far is no change of cast.
    shared = len(before & after) / min(len(before), len(after))
    return settings.cast_weight * (1 - 1.5 * shared)


def length_cost(lines: int, settings: SceneSettings) -> float:
    """What a scene of so many lines costs: nothing at the usual number, the more the further from it."""
    return settings.length_weight / 2 * math.log2(lines / settings.usual_lines) ** 2


def best_cuts(scores: Sequence[float], settings: SceneSettings, *, offset: int = 0) -> list[int]:
    """Positions after the first at which to cut a run of lines, plus ``offset``; the earlier one of equal ways.

    Args:
        scores: for each line of the run what a cut before it brings; the first is not looked at.
        settings: the cost of a length, and the longest.
        offset: added to each position.
    """
    count = len(scores)
    costs = [0.0, *(length_cost(n, settings) for n in range(1, settings.max_lines + 1))]
    best, came_from = [0.0] * (count + 1), [0] * (count + 1)
    for end in range(1, count + 1):
        best[end] = -math.inf
        for start in range(max(0, end - settings.max_lines), end):
            value = best[start] - costs[end - start] + (scores[start] if start else 0.0)
            if value > best[end]:
                best[end], came_from[end] = value, start
    cuts, at = list[int](), came_from[count]
    while at:
        cuts.append(at + offset)
        at = came_from[at]
    return cuts[::-1]


def _pauses(spans: Sequence[Span]) -> list[Span]:
    """The silence before each line; empty before the first one, and where lines overlap."""
    pauses, latest_ms = [], spans[0].start_ms
    for span in spans:
        pauses.append(Span(min(latest_ms, span.start_ms), span.start_ms))
        latest_ms = max(latest_ms, span.end_ms)
    return pauses


def _tie_break(key: str) -> float:
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return _TIE_BREAK * int.from_bytes(digest) / 2**32
