"""The page for people, and ``episode.json``."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.engine.marks import Mark
from pipelines.engine.stage import Counts, Job, Stage
from pipelines.engine.store import Store
from pipelines.episode.context import Episode
from pipelines.episode.records import (
    read_line_file,
    read_media,
    read_record,
    read_records,
    read_scenes,
    read_turns,
    write_records,
)
from pipelines.layout import (
    ALIGNED,
    CUES,
    EVALUATION_PICTURE,
    LINES,
    MEDIA,
    MIX,
    PICTURE_TEXTS,
    PICTURES,
    REPORT,
    SCENES,
    SPEECH,
    SUMMARY,
    TURNS,
    VOCALS,
    line_id,
)
from yuki_builder.records import AlignedCue, Cue, CueOrigin, MediaInfo, PictureText, Span, StageReport
from yuki_builder.version import __version__


def picture_sound(_: Episode, job: Job) -> Counts:
    """The waveforms and spectrograms of the report: reading the sound takes seconds, the page itself none."""
    from yuki_builder.corpus import picture_sound as draw

    write_records([draw(job.input(MIX), job.input(VOCALS), progress=job.progress)], job.output(PICTURES))
    return Counts()


def stage_reports(store: Store, stages: Iterable[Stage[Any]]) -> list[StageReport]:
    """What finished stages did, without the seconds: those would make every page differ from the last."""
    marks = [mark for stage in stages if (mark := store.mark(stage.name))]
    return [dataclasses.replace(mark.report, seconds=0.0) for mark in marks]


def report(episode: Episode, job: Job, stages: Sequence[StageReport]) -> Counts:
    """The page for people.

    Args:
        episode: the episode.
        job: where the stage reads and writes.
        stages: the reports of the stages before.
    """
    from yuki_builder.corpus import SoundPictures, write_report

    lines = read_line_file(job.input(LINES))
    pictures = read_record(job.input(PICTURES), SoundPictures)
    cues = read_records(job.input(CUES), Cue)
    write_report(
        job.output(REPORT),
        episode_id=episode.episode_id,
        lines=lines,
        turns=read_turns(job.input(TURNS)),
        speech=read_records(job.input(SPEECH), Span),
        cues=cues,
        aligned=read_records(job.input(ALIGNED), AlignedCue),
        media=read_media(job.input(MEDIA), episode.video),
        pictures=pictures,
        scenes=read_scenes(job.input(SCENES), lines),
        mix=f"{episode.episode_id}/{MIX}",
        vocals=f"{episode.episode_id}/{VOCALS}",
        stages=stages,
        evaluation=_evaluation(episode),
        read_from=_read_from(episode, job, cues),
        missing=[] if lines else [note for stage in stages if stage.stage != "separate" for note in stage.notes],
    )
    return Counts()


def _read_from(episode: Episode, job: Job, cues: Iterable[Cue]) -> dict[str, str]:
    """The pictures that lines were read from, by the lines' ids."""
    path = job.input(PICTURE_TEXTS)
    texts = read_records(path, PictureText) if path.exists() else []
    return {
        line_id(episode.episode_id, cue): picture
        for cue in cues
        if cue.origin is CueOrigin.OCR and cue.index < len(texts) and (picture := texts[cue.index].picture)
    }


def _evaluation(episode: Episode) -> bytes | None:
    """The picture that ``evaluate`` left in the episode's folder."""
    path = episode.store.folder / EVALUATION_PICTURE
    return path.read_bytes() if path.is_file() else None


def summary(episode: Episode, marks: Sequence[Mark]) -> dict[str, Any]:
    """What ``episode.json`` holds: facts of the media, options, versions, and what each stage did."""
    info = read_record(episode.store.folder / MEDIA, MediaInfo)
    packages = {name: installed for mark in marks for name, installed in mark.recipe.packages.items()}
    models = {kind: fingerprint for mark in marks for kind, fingerprint in mark.recipe.models.items()}
    return {
        "episode_id": episode.episode_id,
        "media": dataclasses.replace(info, path=str(episode.video.absolute())).to_dict(),
        "configuration": episode.config.to_dict(),
        "versions": {
            "yuki-builder": __version__,
            "python": platform.python_version(),
            **dict(sorted(packages.items())),
        },
        "models": dict(sorted(models.items())),
        "stages": [mark.report.to_dict() for mark in marks],
    }


def write_summary(content: Mapping[str, Any], job: Job) -> Counts:
    """``episode.json``."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    job.output(SUMMARY).write_text(text, encoding="utf-8", errors="backslashreplace")
    return Counts()
