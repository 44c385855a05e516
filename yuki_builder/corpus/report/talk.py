"""Who talks to whom, as far as the order of lines tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yuki_builder.corpus.report.cast import Speaker
from yuki_builder.corpus.scenes import Scene

MOST_SPEAKERS = 14


@dataclass(frozen=True, slots=True)
class TalkCell:
    """How often ``answering`` speaks next after ``first`` within a scene; ``share`` relative to the largest."""

    first: Speaker
    answering: Speaker
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Talk:
    """The table of turn-taking: one row of cells for each of ``speakers``, in their order.

    ``pairs`` are the liveliest exchanges, both directions together; ``elsewhere`` counts exchanges with
    characters for whom the table has no room.
    """

    speakers: tuple[Speaker, ...]
    rows: tuple[tuple[TalkCell, ...], ...]
    pairs: tuple[tuple[Speaker, Speaker, int], ...]
    elsewhere: int


def talk_of(scenes: Iterable[Scene], speakers: Sequence[Speaker], *, most_speakers: int = MOST_SPEAKERS) -> Talk | None:
    """Count within each scene who speaks after whom; None where nobody named ever answers anybody.

    A line after one's own line is no exchange; a line of unknown speaker parts its neighbours.

    Args:
        scenes: the scenes of the page.
        speakers: the people, the most talkative first.
        most_speakers: how many of them are shown.
    """
    counts: Counter[tuple[str | None, str | None]] = Counter(
        (before.character, after.character)
        for scene in scenes
        for before, after in pairwise(scene.lines)
        if before.character is not None and after.character is not None and before.character != after.character
    )
    if not counts:
        return None
    busy = {name for pair in counts for name in pair}
    everyone = [speaker for speaker in speakers if speaker.statistics.character in busy]
    shown = everyone[:most_speakers]
    names = {speaker.statistics.character for speaker in shown}
    largest = max(counts.values())
    rows = tuple(
        tuple(
            TalkCell(first, answering, count, count / largest)
            for answering in shown
            for count in [counts[first.statistics.character, answering.statistics.character]]
        )
        for first in shown
    )
    inside = sum(count for pair, count in counts.items() if set(pair) <= names)
    pairs = [
        (a, b, both)
        for position, a in enumerate(everyone)
        for b in everyone[position + 1 :]
        if (
            both := counts[a.statistics.character, b.statistics.character]
            + counts[b.statistics.character, a.statistics.character]
        )
    ]
    pairs.sort(key=lambda pair: -pair[2])
    return Talk(tuple(shown), rows, tuple(pairs[:8]), counts.total() - inside)
