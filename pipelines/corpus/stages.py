"""The corpus, from finished episodes. ``STAGES`` is the whole way, in order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.corpus import quality
from pipelines.corpus.corpus import Corpus
from pipelines.corpus.gallery import write_gallery
from pipelines.corpus.report import report_settings, write_report
from pipelines.engine.stage import Counts, Job, Stage
from pipelines.episode.stages import REPORTED as EPISODE_STAGES
from pipelines.layout import (
    AUDIO_FINGERPRINTS,
    EMBEDDINGS_OF_LINES,
    GALLERY,
    LINES,
    MEDIA,
    QUALITY,
    REPORT,
    SCENES,
)

if TYPE_CHECKING:
    from yuki_builder.corpus import ExportOptions, Scene
    from yuki_builder.records import Line


def _write_files(corpus: Corpus, job: Job) -> Counts:
    """Parquet for programs, scenes as text for people, chats for training."""
    from yuki_builder.corpus import build_corpus_in_parts

    parts = [partial(_part, corpus, folder) for folder in corpus.episodes]
    unusable = quality.unusable_lines(corpus.episodes)
    report = build_corpus_in_parts(parts, job.outputs, unusable=unusable, progress=job.progress)
    return Counts(report.lines - sum(report.left_out.values()), report.left_out)


def _part(corpus: Corpus, folder: Path) -> tuple[list[Line], list[Scene]]:
    lines = corpus.lines_of(folder)
    return lines, corpus.scenes_of(folder, lines)


_REPORTED: tuple[Stage[Corpus], ...] = (
    Stage(
        "files",
        version=4,
        run=_write_files,
        files=lambda c: c.files(LINES, SCENES, *EMBEDDINGS_OF_LINES, QUALITY),
        packages=("pyarrow",),
        code=("yuki_builder.corpus.exports.build",),
        writes=("lines.parquet", "texts/", "haruhi/", "roleplay/"),
    ),
    Stage(
        "gallery",
        version=3,
        run=write_gallery,
        files=lambda c: c.files(LINES, *EMBEDDINGS_OF_LINES, GALLERY, QUALITY),
        code=("yuki_builder.characters",),
        writes=("gallery/",),
    ),
    Stage(
        "quality",
        version=1,
        run=quality.write_quality,
        files=lambda c: c.files(LINES, QUALITY, AUDIO_FINGERPRINTS),
        packages=("pyarrow",),
        code=("yuki_builder.corpus.audio.quality",),
        writes=(quality.QUALITY_TABLE,),
    ),
)

STAGES: tuple[Stage[Corpus], ...] = (
    *_REPORTED,
    Stage(
        "report",
        version=2,
        run=lambda c, job: write_report(c, job, of_episodes=EPISODE_STAGES, of_corpus=_REPORTED),
        files=lambda c: c.files(LINES, SCENES, *EMBEDDINGS_OF_LINES, MEDIA),
        code=("yuki_builder.corpus.report",),
        settings=lambda c: report_settings(c, of_episodes=EPISODE_STAGES, of_corpus=_REPORTED),
        writes=(REPORT, "characters/"),
    ),
)


def corpus_stages(exports: Sequence[str], options: ExportOptions | None = None) -> tuple[Stage[Corpus], ...]:
    """The stages of a corpus; the report, which tells of them, comes last."""
    if not exports:
        return STAGES
    from pipelines.corpus.exports import check_names, export_stages
    from yuki_builder.corpus import ExportOptions

    *others, last = STAGES
    return (*others, *export_stages(check_names(exports), options or ExportOptions()), last)
