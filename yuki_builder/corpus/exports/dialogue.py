"""ChatHaruhi's own forms: scenes as text, and 2.0 JSONL.

They are a character's memory, which is looked up, not trained on: hence they are not split.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from yuki_builder.corpus.exports.base import Chosen, ExportOptions, ExportReport, Source, choose_texts
from yuki_builder.corpus.exports.haruhi import write_haruhi
from yuki_builder.corpus.exports.labels import folders_of
from yuki_builder.corpus.exports.texts import write_texts
from yuki_builder.corpus.scenes import Scene
from yuki_builder.records import Progress


def write_scene_texts(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/<episode>_<time>_<scene>.txt``, one scene each, one utterance a row."""
    scenes, examples, left_out = _named(source, options)
    written = write_texts(scenes, destination, min_confidence=0.0, names=_names(examples))
    progress(1, 1)
    return ExportReport(sum(written.values()), {"scenes": _count_scenes(examples)}, left_out, examples)


def write_scene_jsonl(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>.jsonl``: a system prompt, a reserved row, then a scene a row."""
    scenes, examples, left_out = _named(source, options)
    prompt, names = options.system_prompt, _names(examples)
    written = write_haruhi(scenes, destination, min_confidence=0.0, names=names, system_prompt=prompt)
    progress(1, 1)
    return ExportReport(len(written), {"scenes": _count_scenes(examples)}, left_out, examples)


def _named(source: Source, options: ExportOptions) -> tuple[list[Scene], list[Chosen], dict[str, int]]:
    """The scenes with the names that are sure, all lines in place: an answer needs its question."""
    examples, left_out = choose_texts(source, replace(options, without=frozenset(), validation=0.0))
    anybody = replace(options, characters=())
    scenes = [
        replace(s, lines=tuple(x if anybody.why_not(x) is None else replace(x, character=None) for x in s.lines))
        for s in source.scenes
    ]
    return scenes, examples, dict(left_out)


def _names(examples: list[Chosen]) -> dict[str, str]:
    return folders_of(item.line.character or "" for item in examples)


def _count_scenes(examples: list[Chosen]) -> int:
    return len({item.scene_id for item in examples})
