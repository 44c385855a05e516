"""What the media file gives: its facts, its audio, where the picture changes."""

from __future__ import annotations

import dataclasses

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_media, write_records
from pipelines.layout import MEDIA, MIX, SHOTS
from yuki_builder.errors import MediaError


def probe(episode: Episode, job: Job) -> Counts:
    """What is in the media file."""
    from video_preprocessing.media import choose_audio_track, choose_second_audio_track
    from video_preprocessing.media import probe as probe_file

    info = probe_file(episode.video)
    # What could only fail later is refused here.
    first = choose_audio_track(info, episode.config.audio_track, language=episode.config.language)
    choose_second_audio_track(info, first, episode.config.second_audio_track)
    # Without the path: the record stays true when the video is moved.
    write_records([dataclasses.replace(info, path=episode.video.name)], job.output(MEDIA))
    return Counts()


def extract(episode: Episode, job: Job) -> Counts:
    """The audio track, on the video's clock."""
    from video_preprocessing.media import choose_audio_track, extract_audio, speaks

    info = read_media(job.input(MEDIA), episode.video)
    language = episode.config.language
    track = choose_audio_track(info, episode.config.audio_track, language=language)
    extract_audio(info, track, job.output(MIX), progress=job.progress)
    notes: tuple[str, ...] = ()
    if language and track.language and not speaks(track.language, language):
        notes = (f"the audio is {track.language}: there is no audio track in {language}",)
    return Counts(1, {"other audio track": len(info.audio) - 1}, notes)


def find_shots(episode: Episode, job: Job) -> Counts:
    """When the picture changes, for the scenes."""
    from video_preprocessing.media import detect_shots

    info = read_media(job.input(MEDIA), episode.video)
    try:
        shots = detect_shots(info, progress=job.progress)
    except MediaError as e:  # scenes do without: a damaged picture is no reason to lose the sound
        write_records([], job.output(SHOTS))
        return Counts(notes=(f"scenes by pauses and cast alone: {e.what}",))
    write_records(shots, job.output(SHOTS))
    return Counts(len(shots))
