"""Cues of Chinese subtitles in the other characters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from yuki_builder.chinese import in_characters
from yuki_builder.records import Cue
from yuki_builder.subtitles.bilingual import Script, script_of


def convert_chinese(cues: Iterable[Cue], to: str) -> list[Cue]:
    """The cues with Chinese texts and names in ``simplified`` or ``traditional`` characters.

    Japanese is told by its kana and stays as it is; so does ``raw_text``.
    """

    def text(value: str) -> str:
        return value if script_of(value) is Script.KANA else in_characters(value, to)

    return [
        dataclasses.replace(
            cue,
            text=text(cue.text),
            text_secondary=None if cue.text_secondary is None else text(cue.text_secondary),
            tags=tuple(dataclasses.replace(tag, name=text(tag.name)) for tag in cue.tags),
        )
        for cue in cues
    ]
