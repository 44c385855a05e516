"""Scenes: runs of lines that belong together, found by the pauses between them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yuki_builder.records import Line, Record, Span

PAUSE_MS = 8_000
MAX_LINES = 25


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


def split_scenes(lines: Iterable[Line], *, pause_ms: int = PAUSE_MS, max_lines: int = MAX_LINES) -> list[Scene]:
    """Group lines into scenes, episode by episode in the order of their first lines.

    A scene ends where more than ``pause_ms`` pass without a line, and holds ``max_lines`` at most.
    """
    by_episode: dict[str, list[Line]] = {}
    for line in lines:
        by_episode.setdefault(line.episode_id, []).append(line)
    scenes = []
    for episode_id, members in by_episode.items():
        members.sort(key=lambda line: (line.start_ms, line.index, line.line_id))
        starts = scene_starts([line.span for line in members], pause_ms=pause_ms, max_lines=max_lines)
        for start, end in pairwise([*starts, len(members)]):
            scenes.append(
                Scene(scene_id(episode_id, members[start].line_id), episode_id, tuple(members[start:end])),
            )
    return scenes


def scene_id(episode_id: str, first_line_id: str) -> str:
    """An id made from the identity of a scene's first line, so that it lasts as long as that line's id does."""
    return f"{episode_id}-{hashlib.sha256(first_line_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def scene_starts(spans: Sequence[Span], *, pause_ms: int = PAUSE_MS, max_lines: int = MAX_LINES) -> list[int]:
    """Positions at which a scene starts, given the lines' spans in order of their starts.

    A run of more than ``max_lines`` is cut at the longest pause of its middle half, and again while it is too
    long: cutting at every 25th line would part a question from its answer, and move all later cuts with one line.
    """
    if not spans:
        return []
    pauses_ms, latest_ms = [0], spans[0].end_ms  # pauses_ms[i]: silence before line i; none in an overlap
    for span in spans[1:]:
        pauses_ms.append(max(0, span.start_ms - latest_ms))
        latest_ms = max(latest_ms, span.end_ms)
    starts = [i for i, pause in enumerate(pauses_ms) if i == 0 or pause > pause_ms]
    waiting = list(pairwise([*starts, len(spans)]))
    while waiting:
        start, end = waiting.pop()
        if (count := end - start) > max_lines:
            middle = (start + end) / 2
            reach = range(start + max(1, count // 4), end - count // 4)
            cut = max(reach, key=lambda i: (pauses_ms[i], -abs(i - middle), -i))
            starts.append(cut)
            waiting += [(start, cut), (cut, end)]
    return sorted(starts)
