"""Subtitles and voice activity, brought together."""

from __future__ import annotations

import dataclasses
import shutil

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.ocr import unread_cues
from pipelines.episode.records import read_record, read_records, read_turns, write_records
from pipelines.episode.transcription import hears_all, is_wanted
from pipelines.layout import (
    ALIGNED,
    CUES,
    CUES_READ,
    HEARD_CUES,
    NAMED,
    PICTURE_TEXTS,
    PIECES,
    PLACED,
    RESYNC,
    SPEECH,
    SPOKEN,
    TEXT_MATCH,
    TURNS,
    UNREAD,
    UNWRITTEN,
)
from yuki_builder.records import AlignedCue, Cue, PictureText, Resync, Span, Turn


def align(episode: Episode, job: Job) -> Counts:
    """The spoken cues on the video's clock, their edges on the voice; songs without audible speech are left out.

    Voice activity is cut where they begin and end: there the voice may change. That and the lines that name a speaker
    are outputs of their own, so that other words at the same times do not ask for the turns again. So is where pictures
    of subtitles stand that could not be read.
    """
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import inaudible_songs, resync, split_at_lines
    from yuki_builder.subtitles import LeftOut

    cues = read_records(job.input(CUES_READ), Cue)
    speech = read_records(job.input(SPEECH), Span)
    change = resync(cues, speech) if episode.config.resync else Resync.none("switched off")
    lines = align_cues(cues, speech, resync=change)
    songs = inaudible_songs(lines)
    if songs:
        cues = [
            dataclasses.replace(cue, left_out=LeftOut.INAUDIBLE_SONG) if cue.cue_id in songs else cue for cue in cues
        ]
        lines = align_cues(cues, speech, resync=change)
        write_records(cues, job.output(SPOKEN))
    else:
        shutil.copyfile(job.input(CUES_READ), job.output(SPOKEN))
    write_records([change], job.output(RESYNC))
    write_records(lines, job.output(PLACED))
    write_records(split_at_lines(speech, lines), job.output(PIECES))
    write_records([Turn(x.start_ms, x.end_ms, name) for x in lines if (name := _name(x.cue))], job.output(NAMED))
    texts = read_records(job.input(PICTURE_TEXTS), PictureText) if job.input(PICTURE_TEXTS).exists() else []
    unread = unread_cues(texts)
    beside = align_cues([*cues, *unread], speech, resync=change) if unread else []
    ids = {cue.cue_id for cue in unread}
    write_records([x.span for x in beside if x.cue.cue_id in ids], job.output(UNREAD))
    notes = (f"subtitles retimed: {change}",) if change.reason is None else ()
    return Counts(len(lines), {str(LeftOut.INAUDIBLE_SONG): len(songs)} if songs else {}, notes)


def _name(cue: Cue) -> str | None:
    """Who speaks, if the subtitle names one person."""
    names = {tag.name.casefold() for tag in cue.tags}
    return names.pop() if len(names) == 1 else None


def part_speakers(episode: Episode, job: Job) -> Counts:
    """The lines of the episode: the cues with the speakers of one parted where the turns change, or those heard.

    Cues that were heard are used where subtitles gave no lines, and where their pictures could not be read.
    """
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import on_turns
    from yuki_builder.transcripts import heard_within

    cues = read_records(job.input(SPOKEN), Cue)
    heard = read_records(job.input(HEARD_CUES), Cue) if is_wanted(episode) else []
    parted = {cue.group for cue in cues if cue.left_out is None and cue.group}
    speech = read_records(job.input(SPEECH), Span)
    turns = read_turns(job.input(TURNS)) if heard or parted else []
    if heard and not any(cue.left_out is None for cue in cues):
        write_records([*cues, *heard], job.output(CUES))
        lines = on_turns(align_cues(heard, speech), turns, speech)
        write_records(lines, job.output(ALIGNED))
        return Counts(len(lines))
    if parted:
        change = read_record(job.input(RESYNC), Resync)
        lines = align_cues(cues, speech, turns=turns, resync=change)
    else:
        lines = read_records(job.input(PLACED), AlignedCue)
    are_as_placed = not parted
    notes: tuple[str, ...] = ()
    added = heard_within(heard, read_records(job.input(UNREAD), Span), [line.span for line in lines])
    if heard and hears_all(episode):
        ids = {cue.cue_id for cue in added}
        are_as_placed = False
        lines, notes = _match_words(lines, [cue for cue in heard if cue.cue_id not in ids], job)
    new = on_turns(align_cues(added, speech), turns, speech)
    if new:
        notes = (*notes, f"{len(new)} lines were heard where pictures of subtitles could not be read")
    if added:
        write_records([*cues, *added], job.output(CUES))
    else:
        shutil.copyfile(job.input(SPOKEN), job.output(CUES))
    lines = sorted([*lines, *new], key=lambda line: line.span) if new else lines
    if are_as_placed and not new:
        shutil.copyfile(job.input(PLACED), job.output(ALIGNED))
    else:
        write_records(lines, job.output(ALIGNED))
    return Counts(len(parted) + len(new), notes=notes)


_WORD_REACH_MS = 150  # words are timed to about that; voice activity is finer where it has an edge


def _match_words(lines: list[AlignedCue], heard: list[Cue], job: Job) -> tuple[list[AlignedCue], tuple[str, ...]]:
    """The lines with their edges on the words heard, and what to say of it."""
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.transcripts import match_words

    words = [word for cue in heard if cue.left_out is None for word in cue.words]
    speech = read_records(job.input(SPEECH), Span)
    found = match_words(lines, words, heard, speech)
    write_records(found.matches, job.output(TEXT_MATCH))
    write_records(found.unwritten, job.output(UNWRITTEN))
    told = f"{100 * found.share:.0f} % of the subtitles' words are heard"
    if not found.is_trusted:
        return lines, (f"{told}: they are not what is said, perhaps a translation; no line was moved to words",)
    timed = [
        dataclasses.replace(x.cue, start_ms=x.start_ms, end_ms=x.end_ms, group=None, left_out=None) for x in found.lines
    ]
    snapped = align_cues(timed, speech, reach_ms=_WORD_REACH_MS)
    own = {line.cue.cue_id: line.cue for line in lines}
    if found.unwritten:
        told += f"; {len(found.unwritten)} lines are spoken but not in the subtitles ({UNWRITTEN})"
    return [dataclasses.replace(line, cue=own[line.cue.cue_id]) for line in snapped], (told,)
