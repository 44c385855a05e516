"""Lines of which a person says that none of the characters speaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from yuki_builder.characters.attribution import main_speakers
from yuki_builder.records import AlignedCue, Attribution, Evidence, Turn, Verdict

NOBODY = "nobody"
"""What the evidence of such a line names."""

_STAND_IN = "\0"


def stand_ins(lines: Sequence[AlignedCue], turns: Sequence[Turn], nobody: Collection[str]) -> Mapping[str, str]:
    """Names, for the time of an attribution, of the people in ``nobody`` (cue ids): one for each voice.

    So their voices are learned like a character's, and other lines of the same voice are not forced onto a known name.
    ``revealed`` takes the names away again.

    Args:
        lines: those of one episode.
        turns: who speaks when, by episode-local voice.
        nobody: ids of the cues that nobody known says.
    """
    if not nobody:
        return {}
    speakers = main_speakers(lines, turns)
    return {
        line.cue.cue_id: f"{_STAND_IN}{speaker or line.cue.cue_id}"
        for line, speaker in zip(lines, speakers, strict=True)
        if line.cue.cue_id in nobody
    }


def revealed(attributions: Iterable[Attribution]) -> list[Attribution]:
    """The attributions without the names of ``stand_ins``: those lines are of nobody known."""
    return [_revealed(attribution) for attribution in attributions]


def _revealed(attribution: Attribution) -> Attribution:
    names = [e.character for e in attribution.evidence]
    if not any(name is not None and name.startswith(_STAND_IN) for name in (*names, attribution.character)):
        return attribution
    evidence = tuple(
        Evidence(e.source, NOBODY, e.weight) if e.character.startswith(_STAND_IN) else e for e in attribution.evidence
    )
    if attribution.character is None or not attribution.character.startswith(_STAND_IN):
        return dataclasses.replace(attribution, evidence=evidence)
    return dataclasses.replace(attribution, character=None, confidence=0.0, verdict=Verdict.UNKNOWN, evidence=evidence)
