"""What the stages of the reports do, of an episode's sound and of the whole corpus."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.fingerprints import hash_text
from pipelines.intermediate import read_records, write_records
from pipelines.session import CORPUS_FOLDER
from pipelines.stage import Counts, Job, Stage
from pipelines.steps import MEDIA, MIX, PICTURES, REPORT, VOCALS, read_lines
from pipelines.store import Store
from yuki_builder.records import MediaInfo, StageReport

if TYPE_CHECKING:
    from pipelines.session import Episode
    from yuki_builder.corpus import EpisodeOverview


def picture_sound(_: Episode, job: Job) -> Counts:
    """The waveforms and spectrograms of the report: reading the sound takes seconds, the page itself none."""
    from yuki_builder.corpus import picture_sound as draw

    write_records([draw(job.input(MIX), job.input(VOCALS), progress=job.progress)], job.output(PICTURES))
    return Counts()


def stage_reports(store: Store, stages: Iterable[Stage[Any]]) -> list[StageReport]:
    """What finished stages did, without the seconds: those would make every page differ from the last."""
    marks = [mark for stage in stages if (mark := store.mark(stage.name))]
    return [dataclasses.replace(mark.report, seconds=0.0) for mark in marks]


def report_corpus(episodes: Sequence[Path], job: Job) -> Counts:
    """The page for people, of all episodes, given by their folders."""
    from yuki_builder.corpus import write_corpus_report

    overviews = [_overview(folder) for folder in episodes]
    write_corpus_report(job.output(REPORT), episodes=overviews, stages=_corpus_reports(episodes), folder=CORPUS_FOLDER)
    return Counts()


def corpus_settings(episodes: Sequence[Path]) -> dict[str, Any]:
    """What the corpus page shows beside the episodes' files."""
    reports = [*map(_episode_reports, episodes), _corpus_reports(episodes)]
    told = json.dumps([[report.to_dict() for report in of_one] for of_one in reports])
    return {"episodes": [folder.name for folder in episodes], "stages": hash_text(told)[:12]}


def _overview(folder: Path) -> EpisodeOverview:
    from yuki_builder.corpus import EpisodeOverview

    lines = read_lines(folder)
    media = read_records(folder / MEDIA, MediaInfo) if (folder / MEDIA).exists() else []
    mix, vocals = (f"{folder.name}/{file}" if (folder / file).exists() else None for file in (MIX, VOCALS))
    return EpisodeOverview(
        episode_id=folder.name,
        lines=tuple(lines),
        duration_ms=media[0].duration_ms if media else max((line.end_ms for line in lines), default=0),
        stages=tuple(_episode_reports(folder)),
        mix=mix,
        vocals=vocals,
    )


def _episode_reports(folder: Path) -> list[StageReport]:
    from pipelines.episode import STAGES  # which has this module's stages in it

    return stage_reports(Store(folder), [stage for stage in STAGES if stage.name not in ("report", "summary")])


def _corpus_reports(episodes: Sequence[Path]) -> list[StageReport]:
    """What the corpus's other stages did, under names that tell them from those of the episodes."""
    from pipelines.season import STAGES

    if not episodes:
        return []
    others = [stage for stage in STAGES if stage.name != "report"]
    reports = stage_reports(Store(episodes[0].parent / CORPUS_FOLDER), others)
    return [dataclasses.replace(report, stage=f"{CORPUS_FOLDER}: {report.stage}") for report in reports]
