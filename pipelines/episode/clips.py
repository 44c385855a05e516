"""A clip of each line, and how good the lines are to train on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.lines import attributed_lines
from pipelines.episode.records import read_audio_fingerprints, read_records, write_audio_fingerprints, write_records
from pipelines.episode.transcription import is_wanted
from pipelines.layout import (
    AUDIO_FINGERPRINTS,
    CLIPS,
    MEASURES,
    MIX,
    QUALITY,
    SPEECH,
    TEXT_MATCH,
    VOCALS,
    line_id_of,
)
from yuki_builder.records import Span


def cut_clips(episode: Episode, job: Job) -> Counts:
    """Clips, levels and quality of all lines, in one pass over the sound."""
    from yuki_builder.corpus import LineSound, read_sounds

    sounds = read_sounds(
        attributed_lines(episode, job),
        job.input(VOCALS),
        mix=job.input(MIX),
        speech=read_records(job.input(SPEECH), Span),
        destination=job.output(CLIPS),
        clip_root=f"{episode.episode_id}/clips",
        progress=job.progress,
    )
    pairs = zip(sounds.clips.lines, sounds.qualities, strict=True)
    write_records([LineSound(line.line_id, quality, line.clip) for line, quality in pairs], job.output(MEASURES))
    write_audio_fingerprints(sounds.audio_fingerprints, job.output(AUDIO_FINGERPRINTS))
    dropped = {f"no clip: {reason}": number for reason, number in sounds.clips.dropped.items()}
    return Counts(sounds.clips.kept, dropped)


def judge(episode: Episode, job: Job) -> Counts:
    """The quality of each line, with repeats and problems marked."""
    from yuki_builder.corpus import UNUSABLE, LineSound, add_dnsmos, mark_duplicates, problems_of

    sounds = read_records(job.input(MEASURES), LineSound)
    qualities = [sound.quality for sound in sounds]
    if episode.config.quality == "dnsmos":
        folder = episode.store.folder.parent
        clips = {sound.line_id: folder / sound.clip for sound in sounds if sound.clip}
        qualities = add_dnsmos(qualities, clips, progress=job.progress)
    marked = mark_duplicates(
        qualities, attributed_lines(episode, job), read_audio_fingerprints(job.input(AUDIO_FINGERPRINTS))
    )
    shares = _text_matches(episode, job)
    refused = {key for key, edit in episode.edits.items() if UNUSABLE in edit.marks}
    if shares or refused:
        marked = [
            dataclasses.replace(quality, text_match=shares.get(quality.line_id), unusable=quality.line_id in refused)
            for quality in marked
        ]
    qualities = [dataclasses.replace(quality, problems=problems_of(quality)) for quality in marked]
    write_records(qualities, job.output(QUALITY))
    problems = Counter(problem for quality in qualities for problem in quality.problems)
    clean = sum(not quality.problems for quality in qualities)
    return Counts(len(qualities), notes=quality_note(problems, clean=clean, total=len(qualities)))


def _text_matches(episode: Episode, job: Job) -> dict[str, float]:
    """How much of each line's text is heard, where words were matched."""
    from yuki_builder.transcripts import TextMatch

    path = job.input(TEXT_MATCH)
    matches = read_records(path, TextMatch) if path.exists() and is_wanted(episode) else []
    return {line_id_of(episode.episode_id, match.cue_id): match.share for match in matches}


def quality_note(problems: Mapping[str, int], *, clean: int, total: int) -> tuple[str, ...]:
    """What the usual limits of quality would leave out, in a line.

    Args:
        problems: how many lines have each problem.
        clean: how many have none.
        total: how many there are.
    """
    reasons = ", ".join(f"{count} {name}" for name, count in Counter(problems).most_common())
    return (f"quality: {clean} of {total} lines have no problem ({reasons})",) if reasons else ()
