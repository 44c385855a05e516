"""Who said it: known characters, their voices, and the lines that are theirs."""

from __future__ import annotations

from yuki_builder.characters.aliases import Aliases, read_aliases
from yuki_builder.characters.attribution import (
    AttributionSettings,
    Contradiction,
    attribute,
    contradictions,
    main_speakers,
    verdict_of,
)
from yuki_builder.characters.enrolment import EnrolClip, Enrolment, ManualLabel, read_enrolment
from yuki_builder.characters.evaluation import Evaluation, TrueLine, draw_evaluation, evaluate, read_truth
from yuki_builder.characters.gallery import Gallery, write_joined
from yuki_builder.characters.labels import match_labels
from yuki_builder.characters.nobody import revealed, stand_ins
from yuki_builder.characters.season_voices import EpisodeVoice, link_voices

__all__ = [
    "Aliases",
    "AttributionSettings",
    "Contradiction",
    "EnrolClip",
    "Enrolment",
    "EpisodeVoice",
    "Evaluation",
    "Gallery",
    "ManualLabel",
    "TrueLine",
    "attribute",
    "contradictions",
    "draw_evaluation",
    "evaluate",
    "link_voices",
    "main_speakers",
    "match_labels",
    "read_aliases",
    "read_enrolment",
    "read_truth",
    "revealed",
    "stand_ins",
    "verdict_of",
    "write_joined",
]
