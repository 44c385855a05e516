"""Who said it: known characters, their voices, and the lines that are theirs."""

from __future__ import annotations

from .attribution import AttributionSettings, attribute, main_speakers, verdict_of
from .enrolment import EnrolClip, Enrolment, ManualLabel, read_enrolment
from .gallery import Gallery
from .labels import match_labels

__all__ = [
    "AttributionSettings",
    "EnrolClip",
    "Enrolment",
    "Gallery",
    "ManualLabel",
    "attribute",
    "main_speakers",
    "match_labels",
    "read_enrolment",
    "verdict_of",
]
