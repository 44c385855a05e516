"""The scenes that the lines make."""

from __future__ import annotations

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_line_file, read_records, write_records
from pipelines.layout import LINES, SCENES, SHOTS
from yuki_builder.records import ShotChange


def find_scenes(_: Episode, job: Job) -> Counts:
    """Where scenes begin, by pauses, cast and changes of the picture."""
    from yuki_builder.corpus import SceneRow, split_scenes

    shots = read_records(job.input(SHOTS), ShotChange)
    lines = [line for line in read_line_file(job.input(LINES)) if line.text.strip()]
    scenes = split_scenes(lines, shots=shots or None)
    write_records([SceneRow.of(scene) for scene in scenes], job.output(SCENES))
    return Counts(len(scenes))
