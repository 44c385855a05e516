"""What a person said about stretches of the video, given to the lines they belong to."""

from __future__ import annotations

import difflib
import heapq
import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from yuki_builder.characters.enrolment import ManualLabel
from yuki_builder.records import AlignedCue, Span

MIN_AGREEMENT = 0.4
SAME_TEXT = 0.8
_MOST_LABELS = 50  # at one line; comparing texts takes its time
_MOST_LETTERS = 500


def match_labels(
    lines: Sequence[AlignedCue], labels: Sequence[ManualLabel], *, episode_id: str | None = None
) -> Mapping[str, str]:
    """The character that the labels of this video give to each line, by cue id.

    A label that names a line of ``episode_id`` which is there (``<episode>-<cue>``) is that line's and no other's.
    Otherwise a line takes the character of the label that covers the same stretch best (intersection over union of at
    least ``MIN_AGREEMENT``). Where the texts agree, the subtitle's own times count as well: the label was
    then made from that subtitle, however far it was shifted since. Of labels that fit equally well in time
    the one with the more similar text wins; where two characters still tie, the line gets no label.

    Args:
        lines: those of one video, with unique cue ids.
        labels: those of the same video; others fit no time.
        episode_id: the episode that the lines are of, for labels that name lines.
    """
    if not labels:
        return {}
    named = _by_line(lines, labels, episode_id)
    near = _Nearby([label for label in labels if label.line_id not in named])
    matches = {}
    for line in lines:
        own = named.get(f"{episode_id}-{line.cue.cue_id}")
        if own is not None:
            matches[line.cue.cue_id] = own
            continue
        text = _letters(line.cue.text)
        scored = []
        for label in near.labels(line):
            similarity = _similarity(text, _letters(label.text))
            agreement = _agreement(label.span, line.span)
            if similarity >= SAME_TEXT:
                agreement = max(agreement, _agreement(label.span, line.cue.span))
            if agreement >= MIN_AGREEMENT:
                scored.append((round(agreement, 1), similarity, label.character))
        if scored:
            best = max(scored)
            characters = {character for *score, character in scored if tuple(score) == best[:2]}
            if len(characters) == 1:
                matches[line.cue.cue_id] = best[2]
    return matches


def _by_line(
    lines: Sequence[AlignedCue], labels: Sequence[ManualLabel], episode_id: str | None
) -> Mapping[str | None, str]:
    """The character of each line that a label names; of several labels the last counts."""
    there = {f"{episode_id}-{line.cue.cue_id}" for line in lines} if episode_id is not None else set()
    return {label.line_id: label.character for label in labels if label.line_id in there}


class _Nearby:
    """Labels by time, each once, so that a line looks at few of them however many there are."""

    def __init__(self, labels: Sequence[ManualLabel]) -> None:
        unique = {(label.span, label.character, label.text): label for label in labels}
        self._ordered = [unique[key] for key in sorted(unique)]
        self._starts = [label.span.start_ms for label in self._ordered]
        # Of the first k labels: when the last of them ends. Before a line that is later, nothing can touch it.
        self._latest_ms = list(accumulate((label.span.end_ms for label in self._ordered), max))

    def labels(self, line: AlignedCue) -> Sequence[ManualLabel]:
        """Those that touch the line or its subtitle's own times; the best of them where there are very many."""
        found: set[int] = set()
        for span in {line.span, line.cue.span}:
            for k in reversed(range(bisect_left(self._starts, span.end_ms))):
                if self._latest_ms[k] <= span.start_ms:
                    break
                if self._ordered[k].span.overlap_ms(span):
                    found.add(k)
        if len(found) > _MOST_LABELS:

            def agreement(k: int) -> float:
                label = self._ordered[k].span
                return max(_agreement(label, line.span), _agreement(label, line.cue.span))

            found = set(heapq.nlargest(_MOST_LABELS, sorted(found), key=agreement))
        return [self._ordered[k] for k in sorted(found)]


def _agreement(a: Span, b: Span) -> float:
    """Intersection over union of two stretches of time."""
    shared = a.overlap_ms(b)
    return shared / (a.duration_ms + b.duration_ms - shared) if shared else 0.0


def _similarity(a: str, b: str) -> float:
    if not a or not b:
        return 0.0
    return 1.0 if a == b else difflib.SequenceMatcher(a=a, b=b, autojunk=False).ratio()


def _letters(text: str) -> str:
    """Letters and digits only: punctuation and spacing differ between subtitles and annotations."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())[:_MOST_LETTERS]
