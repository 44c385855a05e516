"""The voices without music, and where somebody speaks."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import write_records
from pipelines.layout import MIX, SPEECH, VOCALS


def separate(episode: Episode, job: Job) -> Counts:
    """The voices without music and effects."""
    if episode.config.vocals is not None:
        from video_preprocessing.media import take_vocals

        take_vocals(episode.config.vocals, job.input(MIX), job.output(VOCALS), progress=job.progress)
        return Counts(notes=(f"vocals: {episode.config.vocals.name}",))
    separator = episode.separator()
    if separator is None:
        _link_or_copy(job.input(MIX), job.output(VOCALS))
    else:
        done = separator.separate_file(
            job.input(MIX), job.output(VOCALS), unfinished=job.unfinished, progress=job.progress
        )
        if done.resumed_ms:
            job.notice(f"resumed at {done.resumed_ms / 60_000:.1f} min")
        return Counts(notes=(f"separator: {separator.engine}", *separator.notes))
    return Counts()


def check_vocals(episode: Episode) -> None:
    """Loads what separates the vocals, or looks into the file of them."""
    if episode.config.vocals is None:
        episode.separator()
        return
    from video_preprocessing.media import choose_audio_track, probe

    choose_audio_track(probe(episode.config.vocals), None)


def _link_or_copy(source: Path, destination: Path) -> None:
    with suppress(OSError):
        os.link(source, destination)
        return
    shutil.copyfile(source, destination)


def find_speech(episode: Episode, job: Job) -> Counts:
    """Where somebody speaks."""
    from video_preprocessing.speech import detect_speech

    spans = detect_speech(job.input(VOCALS), progress=job.progress)
    write_records(spans, job.output(SPEECH))
    return Counts(len(spans))
