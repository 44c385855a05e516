"""What a person said about stretches of the video, given to the lines they belong to."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence

from yuki_builder.characters.enrolment import ManualLabel
from yuki_builder.records import AlignedCue, Span

MIN_AGREEMENT = 0.4
SAME_TEXT = 0.8


def match_labels(lines: Sequence[AlignedCue], labels: Sequence[ManualLabel]) -> Mapping[str, str]:
    """The character that the labels of this video give to each line, by line id.

    A line takes the character of the label that covers the same stretch best (intersection over union of at
    least ``MIN_AGREEMENT``). Where the texts agree, the subtitle's own times count as well: the label was
    then made from that subtitle, however far it was shifted since. Of labels that fit equally well in time
    the one with the more similar text wins; where two characters still tie, the line gets no label.
    """
    ordered = sorted(labels, key=lambda label: label.span)
    matches = {}
    for line in lines:
        text = _letters(line.cue.text)
        scored = []
        for label in ordered:
            near = label.span.overlap_ms(line.span) or label.span.overlap_ms(line.cue.span)
            if not near:
                continue
            likeness = _likeness(text, _letters(label.text))
            agreement = _agreement(label.span, line.span)
            if likeness >= SAME_TEXT:
                agreement = max(agreement, _agreement(label.span, line.cue.span))
            if agreement >= MIN_AGREEMENT:
                scored.append((round(agreement, 1), likeness, label.character))
        if scored:
            best = max(scored)
            characters = {character for *score, character in scored if tuple(score) == best[:2]}
            if len(characters) == 1:
                matches[line.cue.cue_id] = best[2]
    return matches


def _agreement(a: Span, b: Span) -> float:
    """Intersection over union of two stretches of time."""
    shared = a.overlap_ms(b)
    return shared / (a.duration_ms + b.duration_ms - shared) if shared else 0.0


def _likeness(a: str, b: str) -> float:
    if not a or not b:
        return 0.0
    return 1.0 if a == b else difflib.SequenceMatcher(a=a, b=b, autojunk=False).ratio()


def _letters(text: str) -> str:
    """Letters and digits only: punctuation and spacing differ between subtitles and annotations."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
