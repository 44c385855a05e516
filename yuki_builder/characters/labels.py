"""What a person said about stretches of the video, given to the lines they belong to."""

from __future__ import annotations

import difflib
import heapq
import unicodedata
from collections.abc import Mapping, Sequence

from yuki_builder.characters.enrolment import ManualLabel
from yuki_builder.records import AlignedCue, Span
from yuki_builder.spans import ByTime

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
    by_time = ByTime(label for label in labels if label.line_id not in named)
    matches = {}
    for line in lines:
        own = named.get(f"{episode_id}-{line.cue.cue_id}")
        if own is not None:
            matches[line.cue.cue_id] = own
            continue
        text = _letters(line.cue.text)
        scored = []
        for label in _near(line, by_time):
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


def _near(line: AlignedCue, by_time: ByTime[ManualLabel]) -> Sequence[ManualLabel]:
    """The labels that touch the line or its subtitle's own times; the best of them where there are very many."""
    there = {line.span, line.cue.span}
    found = {
        (label.span, label.character, label.text): label
        for span in there
        for label in by_time.near(span)
        if label.span.overlap_ms(span)
    }
    if len(found) > _MOST_LABELS:
        best = heapq.nlargest(_MOST_LABELS, sorted(found), key=lambda key: max(_agreement(key[0], s) for s in there))
        return [found[key] for key in best]
    return list(found.values())


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
