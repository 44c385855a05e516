"""The lines, from who says which cue to the files that hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.edits import corrected, spoken
from pipelines.episode.records import read_records, read_turns, write_line_file
from pipelines.layout import ALIGNED, ATTRIBUTIONS, LINES, LINES_CSV, MEASURES, QUALITY, TURNS, line_id
from yuki_builder.records import AlignedCue, Attribution, Line, LineSource, Turn

ATTRIBUTED = (ALIGNED, ATTRIBUTIONS, TURNS)
"""What ``attributed_lines`` reads."""


def attributed_lines(episode: Episode, job: Job) -> list[Line]:
    """The lines as far as they are known before their sound is measured."""
    turns = read_turns(job.input(TURNS))
    lines = make_lines(
        episode.episode_id,
        spoken(episode, read_records(job.input(ALIGNED), AlignedCue)),
        read_records(job.input(ATTRIBUTIONS), Attribution),
        turns,
    )
    return corrected(episode, lines)


def write_lines(episode: Episode, job: Job) -> Counts:
    """``lines.jsonl`` and ``lines.csv``: the lines with their clips, levels and quality."""
    from yuki_builder.corpus import ClipQuality, LineSound, write_lines_csv

    sounds = {sound.line_id: sound for sound in read_records(job.input(MEASURES), LineSound)}
    quality = {q.line_id: q for q in read_records(job.input(QUALITY), ClipQuality)}
    lines = [
        dataclasses.replace(
            line,
            clip=sounds[line.line_id].clip,
            snr_db=quality[line.line_id].snr_db,
            quality=quality[line.line_id].dnsmos,
        )
        for line in attributed_lines(episode, job)
    ]
    write_line_file(lines, job.output(LINES))
    write_lines_csv(lines, job.output(LINES_CSV))
    return Counts(len(lines))


def make_lines(
    episode_id: str, aligned: Sequence[AlignedCue], attributions: Sequence[Attribution], turns: Sequence[Turn]
) -> list[Line]:
    """One line a cue, in the order of ``aligned``. Pure.

    Args:
        episode_id: the first part of the lines' ids.
        aligned: the cues that are spoken, by time.
        attributions: who says each, by cue id.
        turns: who speaks when, for the overlap.
    """
    from yuki_builder.alignment import Overlaps

    overlaps = Overlaps(turns)
    said_by = {attribution.cue_id: attribution for attribution in attributions}
    return [
        Line(
            line_id=line_id(episode_id, line.cue),
            episode_id=episode_id,
            index=index,
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            text=line.cue.text,
            text_secondary=line.cue.text_secondary,
            character=said.character,
            confidence=said.confidence,
            verdict=said.verdict,
            evidence=said.evidence,
            speaker=said.speaker,
            overlap=overlaps.share(line.span, said.speaker),
            source=LineSource.of(line.cue.origin),
        )
        for index, line in enumerate(aligned)
        for said in [said_by[line.cue.cue_id]]
    ]
