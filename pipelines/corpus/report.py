"""The page of all episodes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.corpus.corpus import Corpus
from pipelines.engine.fingerprints import hash_text
from pipelines.engine.stage import Counts, Job, Stage
from pipelines.engine.store import Store
from pipelines.episode.records import read_records
from pipelines.episode.report import stage_reports
from pipelines.layout import CORPUS_FOLDER, MEDIA, MIX, REPORT, VOCALS
from yuki_builder.records import MediaInfo, StageReport

if TYPE_CHECKING:
    from yuki_builder.corpus import EpisodeOverview


Stages = Sequence[Stage[Any]]


def write_report(corpus: Corpus, job: Job, *, of_episodes: Stages, of_corpus: Stages) -> Counts:
    """The page for people, of all episodes; of a large corpus an index, and a page for each character.

    Args:
        corpus: the finished episodes.
        job: where to write.
        of_episodes: the stages of an episode whose reports the page shows.
        of_corpus: those of the corpus.
    """
    from yuki_builder.corpus import LARGE, write_corpus_report, write_large_corpus_report

    stages = _corpus_reports(corpus, of_corpus)
    read = [partial(_overview, corpus, folder, of_episodes) for folder in corpus.episodes]
    if _line_count(corpus) < LARGE:
        write_corpus_report(job.output(REPORT), episodes=[one() for one in read], stages=stages, folder=CORPUS_FOLDER)
    else:
        write_large_corpus_report(job.outputs, episodes=read, stages=stages, folder=CORPUS_FOLDER)
    return Counts()


def _line_count(corpus: Corpus) -> int:
    marks = (Store(folder).mark("lines") for folder in corpus.episodes)
    return sum(mark.report.kept for mark in marks if mark is not None)


def report_settings(corpus: Corpus, *, of_episodes: Stages, of_corpus: Stages) -> dict[str, Any]:
    """What the corpus page shows beside the episodes' files; the stages are those of ``write_report``.

    Args:
        corpus: the finished episodes.
        of_episodes: their stages.
        of_corpus: the corpus's stages before the report.
    """
    episodes = corpus.episodes
    reports = [*(stage_reports(Store(folder), of_episodes) for folder in episodes), _corpus_reports(corpus, of_corpus)]
    told = json.dumps([[report.to_dict() for report in of_one] for of_one in reports])
    return {"episodes": [folder.name for folder in episodes], "stages": hash_text(told)[:12]}


def _overview(corpus: Corpus, folder: Path, stages: Stages) -> EpisodeOverview:
    from yuki_builder.corpus import EpisodeOverview

    lines = corpus.lines_of(folder)
    media = read_records(folder / MEDIA, MediaInfo) if (folder / MEDIA).exists() else []
    mix, vocals = (f"{folder.name}/{file}" if (folder / file).exists() else None for file in (MIX, VOCALS))
    return EpisodeOverview(
        episode_id=folder.name,
        lines=tuple(lines),
        duration_ms=media[0].duration_ms if media else max((line.end_ms for line in lines), default=0),
        stages=tuple(stage_reports(Store(folder), stages)),
        mix=mix,
        vocals=vocals,
        scenes=tuple(corpus.scenes_of(folder, lines)),
    )


def _corpus_reports(corpus: Corpus, stages: Stages) -> list[StageReport]:
    """What the corpus's stages did, under names that tell them from those of the episodes."""
    if not corpus.episodes:
        return []
    reports = stage_reports(Store(corpus.episodes[0].parent / CORPUS_FOLDER), stages)
    return [dataclasses.replace(report, stage=f"{CORPUS_FOLDER}: {report.stage}") for report in reports]
