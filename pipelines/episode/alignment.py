"""Subtitles and voice activity, brought together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_records, read_turns, write_records
from pipelines.layout import ALIGNED, CUES, CUES_READ, PIECES, RESYNC, SPEECH, TURNS
from yuki_builder.records import Cue, Resync, Span


def cut_speech(episode: Episode, job: Job) -> Counts:
    """Voice activity cut where subtitles begin and end: there a voice may change, though they do not say whose it is.

    A stage of its own, so that other words at the same times do not ask for the turns again.
    """
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import split_at_lines

    speech = read_records(job.input(SPEECH), Span)
    cues = read_records(job.input(CUES_READ), Cue)
    lines = align_cues(cues, speech, resync=_resync(episode, cues, speech))
    pieces = split_at_lines(speech, lines)
    write_records(pieces, job.output(PIECES))
    return Counts(len(pieces))


def _resync(episode: Episode, cues: Sequence[Cue], speech: Sequence[Span]) -> Resync:
    from yuki_builder.alignment import resync

    return resync(cues, speech) if episode.config.resync else Resync.none("switched off")


def align(episode: Episode, job: Job) -> Counts:
    """The spoken cues on the video's clock, their edges snapped to the voice; songs that the ear tells are left out."""
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import unheard
    from yuki_builder.subtitles import LeftOut

    cues = read_records(job.input(CUES_READ), Cue)
    speech = read_records(job.input(SPEECH), Span)
    change = _resync(episode, cues, speech)
    lines = align_cues(cues, speech, turns=read_turns(job.input(TURNS)), resync=change)
    songs = unheard(lines)
    if songs:
        cues = [dataclasses.replace(cue, left_out=LeftOut.UNHEARD) if cue.cue_id in songs else cue for cue in cues]
        lines = align_cues(cues, speech, turns=read_turns(job.input(TURNS)), resync=change)
    write_records(cues, job.output(CUES))
    write_records([change], job.output(RESYNC))
    write_records(lines, job.output(ALIGNED))
    notes = (f"subtitles retimed: {change}",) if change.reason is None else ()
    return Counts(len(lines), {str(LeftOut.UNHEARD): len(songs)} if songs else {}, notes)
