"""Chinese text written in the other characters, by OpenCC's tables (BYVoid; in Python by Hsuan-Hau Chuang)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

from yuki_builder.records import Cue
from yuki_builder.subtitles.bilingual import Script, script_of

_TABLES = {"simplified": "t2s", "traditional": "s2t"}


def convert_chinese(cues: Iterable[Cue], to: str) -> list[Cue]:
    """The cues with Chinese texts and names in ``simplified`` or ``traditional`` characters.

    Japanese is told by its kana and stays as it is; so does ``raw_text``.
    """
    convert = _converter(_TABLES[to])

    def text(value: str) -> str:
        return value if script_of(value) is Script.KANA else convert(value)

    return [
        dataclasses.replace(
            cue,
            text=text(cue.text),
            text_secondary=None if cue.text_secondary is None else text(cue.text_secondary),
            tags=tuple(dataclasses.replace(tag, name=text(tag.name)) for tag in cue.tags),
        )
        for cue in cues
    ]


@functools.cache
def _converter(table: str) -> Callable[[str], str]:
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC(table).convert
    return convert
