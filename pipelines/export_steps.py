"""Exports as stages of the corpus: one each, redone when lines, clips or its options change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines.fingerprints import hash_text
from pipelines.quality_steps import corpus_qualities
from pipelines.stage import Counts, Job, Stage
from pipelines.steps import LINES, PRINTS, QUALITY, SCENES, VOCALS, VOICEPRINTS
from yuki_builder.corpus import EXPORTERS, ExportOptions, Source
from yuki_builder.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.season import Corpus

FOLDER = "exports"


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of exports, each once; a comma parts several.

    Raises:
        ConfigError: a name that no export has.
    """
    every = dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip())
    for name in every:
        if name not in EXPORTERS:
            remedy = f"there are {', '.join(EXPORTERS)}"
            raise ConfigError(f"no export is called {name!r}", where="--export", remedy=remedy)
    return tuple(every)


def source_of(corpus: Corpus) -> Source:
    """All that is exported of a corpus."""
    problems = {quality.line_id: quality.problems for quality in corpus_qualities(corpus)}
    return Source.of(corpus.lines(), corpus.root, scenes=corpus.scenes(), problems=problems)


def export_stages(names: Iterable[str], options: ExportOptions) -> tuple[Stage[Corpus], ...]:
    """A stage for each export, writing into ``exports/<name>/`` of the corpus."""
    return tuple(_stage(name, options) for name in names)


def _stage(name: str, options: ExportOptions) -> Stage[Corpus]:
    exporter = EXPORTERS[name]
    inputs = (
        LINES,
        SCENES,
        VOICEPRINTS,
        QUALITY,
        PRINTS,
        *((VOCALS,) if exporter.needs_clips else ()),
    )  # clips are cut from these by those
    writes = f"{FOLDER}/{name}/"

    def run(corpus: Corpus, job: Job) -> Counts:
        report = exporter.write(source_of(corpus), job.output(writes), options, job.progress)
        items = ", ".join(f"{count} {split}" for split, count in report.items.items()) or "nothing"
        note = f"exports/{name}: {items} in {report.files} files"
        return Counts(sum(report.items.values()), report.left_out, (note,))

    return Stage(
        f"export {name}",
        version=1,
        run=run,
        files=lambda corpus: corpus.files(*inputs),
        settings=lambda _: _settings(options),
        packages=("pyarrow",) if name == "hf-parquet" else (),
        writes=(writes,),
    )


def _settings(options: ExportOptions) -> dict[str, Any]:
    values = dataclasses.asdict(options)
    prompt = options.system_prompt
    return values | {
        "verdicts": sorted(verdict.value for verdict in options.verdicts),
        "characters": list(options.characters),
        "without": sorted(options.without),
        "system_prompt": None if prompt is None else hash_text(prompt)[:12],
    }
