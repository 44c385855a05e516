"""Exports as stages of the corpus: one each, redone when lines, clips, models or its options change."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.corpus.quality import corpus_qualities
from pipelines.engine.fingerprints import hash_text
from pipelines.engine.stage import Counts, Job, Stage
from pipelines.episode.records import read_record, read_records
from pipelines.layout import (
    ALIGNED,
    AUDIO_FINGERPRINTS,
    EMBEDDINGS_OF_LINES,
    LINES,
    QUALITY,
    RESYNC,
    SCENES,
    SUMMARY,
    VOCALS,
    line_id,
)
from yuki_builder.corpus import EXPORTERS, ExportOptions, ExportReport, Source
from yuki_builder.errors import ConfigError
from yuki_builder.records import AlignedCue, Resync, Span
from yuki_builder.untrusted import read_json

if TYPE_CHECKING:
    from pipelines.corpus.corpus import Corpus

FOLDER = "exports"

_ALSO_CALLED = {"hf": "hf-folder", "roleplay": "chat"}
_MODELS = ("separator", "diarizer", "embedder")
_MODEL_PACKAGES = ("silero-vad", "pyannote.audio", "speechmos")


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of exports, each once; a comma parts several.

    Raises:
        ConfigError: a name that no export has.
    """
    parts = (part.strip() for name in names for part in name.split(",") if part.strip())
    every = dict.fromkeys(_ALSO_CALLED.get(part, part) for part in parts)
    for name in every:
        if name not in EXPORTERS:
            remedy = f"there are {', '.join(EXPORTERS)}"
            raise ConfigError(f"unknown export {name!r}", where="--export", remedy=remedy)
    return tuple(every)


def source_of(corpus: Corpus) -> Source:
    """All that is exported of a corpus."""
    problems = {quality.line_id: quality.problems for quality in corpus_qualities(corpus)}
    return Source.of(
        corpus.lines(),
        corpus.root,
        scenes=list(corpus.scenes()),
        problems=problems,
        shown=_shown(corpus),
        made_with=_made_with(corpus),
    )


def _shown(corpus: Corpus) -> dict[str, Span]:
    """When the subtitles show each line, on the video's clock; a line's own time is when it is said."""
    spans = {}
    for folder in corpus.episodes:
        if not (folder / ALIGNED).is_file():
            continue
        resync = read_record(folder / RESYNC, Resync) if (folder / RESYNC).is_file() else None
        for line in read_records(folder / ALIGNED, AlignedCue):
            span = line.cue.span if resync is None else resync.place(line.cue.span)
            spans[line_id(folder.name, line.cue)] = span
    return spans


def _made_with(corpus: Corpus) -> dict[str, str]:
    """The models that the episodes were made with, and versions of packages that hold some; all, where they differ."""
    found: dict[str, dict[str, None]] = {}
    for folder in corpus.episodes:
        facts = _summary_of(folder)
        configuration, versions, of_stages = (_table(facts, key) for key in ("configuration", "versions", "models"))
        models = [(name, configuration.get(name)) for name in _MODELS]
        models += of_stages.items()
        for name, value in [*models, *((name, versions.get(name)) for name in _MODEL_PACKAGES)]:
            if isinstance(value, str):
                # A path names the user's folders, which are nobody's business: its last part says which model.
                found.setdefault(name, {})[Path(value).name] = None
    return {name: ", ".join(sorted(values)) for name, values in sorted(found.items())}


def _summary_of(folder: Path) -> dict[str, Any]:
    """What ``episode.json`` says of an episode; nothing where it cannot be read: the card then says less."""
    try:
        facts = read_json(folder / SUMMARY)
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _table(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = facts.get(key)
    return table if isinstance(table, dict) else {}


def export_stages(names: Iterable[str], options: ExportOptions) -> tuple[Stage[Corpus], ...]:
    """A stage for each export, writing into ``exports/<name>/`` of the corpus."""
    read_once = functools.cache(source_of)
    return tuple(_stage(name, options, read_once) for name in names)


def _stage(name: str, options: ExportOptions, read: Callable[[Corpus], Source]) -> Stage[Corpus]:
    exporter = EXPORTERS[name]
    inputs = (
        LINES,
        SCENES,
        *EMBEDDINGS_OF_LINES,
        QUALITY,
        AUDIO_FINGERPRINTS,
        *((ALIGNED, RESYNC) if name in ("ass", "srt") else ()),
        *((VOCALS,) if exporter.needs_clips else ()),
    )  # clips are cut from these by those
    writes = f"{FOLDER}/{name}/"

    def run(corpus: Corpus, job: Job) -> Counts:
        report = exporter.write(read(corpus), job.output(writes), options, job.progress)
        return Counts(sum(report.items.values()), report.left_out, (in_words(report),))

    return Stage(
        stage_name(name),
        version=2,
        run=run,
        files=lambda corpus: corpus.files(*inputs),
        settings=lambda corpus: _settings(options) | {"made with": _made_with(corpus)},
        packages=exporter.packages,
        code=("yuki_builder.corpus.exports",),
        writes=(writes,),
    )


def stage_name(name: str) -> str:
    """What the stage of an export is called."""
    return f"export {name}"


def in_words(report: ExportReport) -> str:
    """What was written, in a line: ``412 train, 40 validation, in 455 files``."""
    items = ", ".join(f"{count} {kind}" for kind, count in report.items.items()) or "nothing"
    return f"{items}, in {report.files} files"


def _settings(options: ExportOptions) -> dict[str, Any]:
    values = dataclasses.asdict(options)
    prompt = options.system_prompt
    return values | {
        "verdicts": sorted(verdict.value for verdict in options.verdicts),
        "characters": list(options.characters),
        "without": sorted(options.without),
        "system_prompt": None if prompt is None else hash_text(prompt)[:12],
    }
