"""The lines with all that is known of them, their clips, quality and scenes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_records, read_turns, write_prints, write_records
from pipelines.layout import (
    ALIGNED,
    ATTRIBUTIONS,
    CLIPS,
    LINES,
    LINES_CSV,
    MIX,
    PRINTS,
    QUALITY,
    SCENES,
    SHOTS,
    SPEECH,
    TURNS,
    VOCALS,
    line_id,
)
from yuki_builder.records import AlignedCue, Attribution, Line, ShotChange, Span, Turn

if TYPE_CHECKING:
    from yuki_builder.corpus import ClipQuality, Print


def assemble(episode: Episode, job: Job) -> Counts:
    """The lines with all that is known of them, a clip of each, how good it is, and the scenes they make."""
    from yuki_builder.corpus import (
        SceneRow,
        cut_clips,
        measure_levels,
        split_scenes,
        write_lines_csv,
        write_lines_jsonl,
    )

    aligned = read_records(job.input(ALIGNED), AlignedCue)
    attributions = read_records(job.input(ATTRIBUTIONS), Attribution)
    lines = make_lines(episode.episode_id, aligned, attributions, read_turns(job.input(TURNS)))
    levels = measure_levels(lines, job.input(MIX), job.input(VOCALS))
    lines = [dataclasses.replace(line, snr_db=levels[line.line_id]) for line in lines]
    root = f"{episode.episode_id}/clips"
    clips = cut_clips(lines, job.input(VOCALS), job.output(CLIPS), clip_root=root, progress=job.progress)
    files = {line.line_id: job.outputs / CLIPS / line.clip[len(root) + 1 :] for line in clips.lines if line.clip}
    qualities, prints = _judge(episode, clips.lines, files, job)
    by_id = {quality.line_id: quality for quality in qualities}
    lines = [dataclasses.replace(line, quality=by_id[line.line_id].dnsmos) for line in clips.lines]
    write_lines_jsonl(lines, job.output(LINES))
    write_lines_csv(lines, job.output(LINES_CSV))
    write_records(qualities, job.output(QUALITY))
    write_prints(prints, job.output(PRINTS))
    shots = read_records(job.input(SHOTS), ShotChange)
    scenes = split_scenes([line for line in lines if line.text.strip()], shots=shots or None)
    write_records([SceneRow.of(scene) for scene in scenes], job.output(SCENES))
    without_clip = {f"no clip: {reason}": number for reason, number in clips.dropped.items()}
    return Counts(clips.kept, without_clip, _told(qualities))


def _judge(
    episode: Episode, lines: Sequence[Line], files: dict[str, Path], job: Job
) -> tuple[list[ClipQuality], dict[str, Print]]:
    from yuki_builder.corpus import add_dnsmos, mark_duplicates, measure_quality, problems_of

    speech = read_records(job.input(SPEECH), Span)
    qualities, prints = measure_quality(lines, job.input(MIX), job.input(VOCALS), speech)
    if episode.config.quality == "dnsmos":
        qualities = add_dnsmos(qualities, files, progress=job.progress)
    in_order = mark_duplicates(qualities, lines, prints)
    return [dataclasses.replace(quality, problems=problems_of(quality)) for quality in in_order], prints


def _told(qualities: Sequence[ClipQuality]) -> tuple[str, ...]:
    """What the limits of quality would leave out, in a line."""
    from yuki_builder.corpus import would_keep

    counts = dict(would_keep(qualities))
    kept = counts.pop("kept")
    if not counts:
        return ()
    reasons = ", ".join(f"{count} {name}" for name, count in counts.items())
    return (f"quality: {kept} of {len(qualities)} lines have no problem ({reasons})",)


def make_lines(
    episode_id: str, aligned: Sequence[AlignedCue], attributions: Sequence[Attribution], turns: Sequence[Turn]
) -> list[Line]:
    """One line a cue, in the order of ``aligned``. Pure; ``attributions`` are by cue id."""
    from yuki_builder.alignment import overlap_share

    said_by = {attribution.line_id: attribution for attribution in attributions}
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
            overlap=overlap_share(line.span, turns, said.speaker),
        )
        for index, line in enumerate(aligned)
        for said in [said_by[line.cue.cue_id]]
    ]
