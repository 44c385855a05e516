"""Scenes: runs of lines that belong together, found by pauses, changes of the picture and changes of the cast.

A pause of more than ``PAUSE_MS`` always ends a scene. Between two such pauses the cuts are those of the best
segmentation (dynamic programming): a cut is worth more in a longer pause, at a change of the picture, and where other
people speak after it than before, less in the middle of a talk of two; scenes of about six lines are likeliest.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yuki_builder.records import Line, Record, Span

PAUSE_MS = 8_000
MAX_LINES = 25
_LIKELY_LINES = 6  # scenes of public corpora have 5 lines in the median
_LINES_SPREAD = 0.6  # of the logarithm of their number
_EVEN_PAUSE_MS = 1500  # a pause that speaks neither for a cut nor against it
_WORTH_OF_PAUSE = 1.2  # for each doubling of the pause
_LEAST_WORTH, _MOST_WORTH = -4.0, 3.0
_WORTH_OF_SHOT = 1.0
_SHOT_REACH_MS = 400
_SHORT_PAUSE_MS = 300  # the picture changes within talk all the time
_WORTH_OF_CAST = 1.0
_CAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Scene(Record):
    """Some lines of one episode, in order of time, without a long pause between them."""

    scene_id: str
    episode_id: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError(f"scene {self.scene_id} has no lines")

    @property
    def start_ms(self) -> int:
        return self.lines[0].start_ms

    @property
    def end_ms(self) -> int:
        return max(line.end_ms for line in self.lines)


@dataclass(frozen=True, slots=True)
class SceneRow(Record):
    """A scene as ``scenes.jsonl`` has it: which lines, and who speaks in it, the most first."""

    scene_id: str
    episode_id: str
    start_ms: int
    end_ms: int
    line_ids: tuple[str, ...]
    characters: tuple[str, ...]

    @classmethod
    def of(cls, scene: Scene) -> SceneRow:
        """The row of a scene."""
        names = Counter(line.character for line in scene.lines if line.character)
        ordered = tuple(sorted(names, key=lambda name: (-names[name], name)))
        lines = tuple(line.line_id for line in scene.lines)
        return cls(scene.scene_id, scene.episode_id, scene.start_ms, scene.end_ms, lines, ordered)


def scenes_of(rows: Iterable[SceneRow], lines: Iterable[Line]) -> list[Scene]:
    """The scenes that rows describe, of lines with those ids; a row none of whose lines is there is left out."""
    by_id = {line.line_id: line for line in lines}
    scenes = []
    for row in rows:
        members = tuple(by_id[key] for key in row.line_ids if key in by_id)
        if members:
            scenes.append(Scene(row.scene_id, row.episode_id, members))
    return scenes


def split_scenes(
    lines: Iterable[Line], *, shots_ms: Sequence[int] = (), pause_ms: int = PAUSE_MS, max_lines: int = MAX_LINES
) -> list[Scene]:
    """Group lines into scenes, episode by episode in the order of their first lines.

    Args:
        lines: of one or several episodes.
        shots_ms: when the picture changes, for lines of one episode.
        pause_ms: a longer pause always ends a scene.
        max_lines: a scene holds so many at most.
    """
    by_episode: dict[str, list[Line]] = {}
    for line in lines:
        by_episode.setdefault(line.episode_id, []).append(line)
    scenes = []
    for episode_id, members in by_episode.items():
        members.sort(key=lambda line: (line.start_ms, line.index, line.line_id))
        starts = scene_starts(
            [line.span for line in members],
            cast=[line.character or line.speaker for line in members],
            shots_ms=shots_ms,
            pause_ms=pause_ms,
            max_lines=max_lines,
        )
        for start, end in pairwise([*starts, len(members)]):
            scenes.append(
                Scene(scene_id(episode_id, members[start].line_id), episode_id, tuple(members[start:end])),
            )
    return scenes


def scene_id(episode_id: str, first_line_id: str) -> str:
    """An id made from the identity of a scene's first line, so that it lasts as long as that line's id does."""
    return f"{episode_id}-{hashlib.sha256(first_line_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def scene_starts(
    spans: Sequence[Span],
    *,
    cast: Sequence[str | None] = (),
    shots_ms: Sequence[int] = (),
    pause_ms: int = PAUSE_MS,
    max_lines: int = MAX_LINES,
) -> list[int]:
    """Positions at which a scene starts, given the lines' spans in order of their starts; see the module."""
    if not spans:
        return []
    pauses_ms, latest_ms = [0], spans[0].end_ms  # pauses_ms[i]: silence before line i; none in an overlap
    for span in spans[1:]:
        pauses_ms.append(max(0, span.start_ms - latest_ms))
        latest_ms = max(latest_ms, span.end_ms)
    shots = sorted(shots_ms)
    worth = [
        _worth_of_pause(pause) + _worth_of_shot(span, pause, shots) + _worth_of_cast(cast, k)
        for k, (span, pause) in enumerate(zip(spans, pauses_ms, strict=True))
    ]
    blocks = [k for k, pause in enumerate(pauses_ms) if k == 0 or pause > pause_ms]
    starts: list[int] = []
    for first, behind in pairwise([*blocks, len(spans)]):
        starts += [first + k for k in _best_cuts(worth[first:behind], max_lines)]
    return starts


def _worth_of_pause(pause_ms: int) -> float:
    worth = _WORTH_OF_PAUSE * math.log2((pause_ms + 200) / (_EVEN_PAUSE_MS + 200))
    return min(max(worth, _LEAST_WORTH), _MOST_WORTH)


def _worth_of_shot(span: Span, pause_ms: int, shots_ms: Sequence[int]) -> float:
    if pause_ms < _SHORT_PAUSE_MS:
        return 0.0
    first = bisect_left(shots_ms, span.start_ms - pause_ms - _SHOT_REACH_MS)
    is_near = first < len(shots_ms) and shots_ms[first] <= span.start_ms + _SHOT_REACH_MS
    return _WORTH_OF_SHOT if is_near else 0.0


def _worth_of_cast(cast: Sequence[str | None], k: int) -> float:
    """What a change of the people who speak says for a cut before line ``k``."""
    before, behind = cast[max(0, k - _CAST_LINES) : k], cast[k : k + _CAST_LINES]
    if not before or not behind or None in before or None in behind:
        return 0.0
    if set(before).isdisjoint(behind):
        return _WORTH_OF_CAST
    is_talk = len(behind) > 1 and len(before) > 1 and before[-2] == behind[0] and before[-1] == behind[1]
    return -_WORTH_OF_CAST if is_talk else 0.0


def _best_cuts(worth: Sequence[float], max_lines: int) -> list[int]:
    """Where scenes start in a run of lines, given what a cut before each is worth; the first is 0."""
    likely = [-0.5 * ((math.log(n) - math.log(_LIKELY_LINES)) / _LINES_SPREAD) ** 2 for n in range(1, max_lines + 1)]
    best = [0.0]
    cut_before = [0]
    for end in range(1, len(worth) + 1):
        options = [
            (best[end - n] + likely[n - 1] + (worth[end - n] if end > n else 0.0), end - n)
            for n in range(1, min(end, max_lines) + 1)
        ]
        value, start = max(options)
        best.append(value)
        cut_before.append(start)
    starts, end = [], len(worth)
    while end > 0:
        end = cut_before[end]
        starts.append(end)
    return starts[::-1]
