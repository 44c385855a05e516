"""The quality of all lines of a corpus, with repeats between episodes (recaps, narration) found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.clips import quality_notes
from pipelines.episode.records import read_audio_fingerprints, read_lines, read_records
from pipelines.layout import AUDIO_FINGERPRINTS, QUALITY

if TYPE_CHECKING:
    from pipelines.corpus.corpus import Corpus
    from yuki_builder.corpus import AudioFingerprint, ClipQuality
    from yuki_builder.records import Line

QUALITY_TABLE = "quality.parquet"


def corpus_qualities(corpus: Corpus) -> list[ClipQuality]:
    """The figures of every line that has any, episode by episode, repeats between episodes marked."""
    from yuki_builder.corpus import ClipQuality, mark_duplicates, problems_of

    lines: list[Line] = []
    qualities: list[ClipQuality] = []
    prints: dict[str, AudioFingerprint] = {}
    for folder in corpus.episodes:
        if not (folder / QUALITY).is_file():
            continue  # made by an earlier version
        by_id = {quality.line_id: quality for quality in read_records(folder / QUALITY, ClipQuality)}
        own = [line for line in read_lines(folder) if line.line_id in by_id]
        lines += own
        qualities += [by_id[line.line_id] for line in own]
        prints |= read_audio_fingerprints(folder / AUDIO_FINGERPRINTS)
    marked = mark_duplicates(qualities, lines, prints)
    return [dataclasses.replace(quality, problems=problems_of(quality)) for quality in marked]


def write_quality(corpus: Corpus, job: Job) -> Counts:
    """``quality.parquet``, and in a line what the usual limits would leave out."""
    from yuki_builder.corpus import write_quality_parquet

    qualities = corpus_qualities(corpus)
    write_quality_parquet(qualities, job.output(QUALITY_TABLE))
    return Counts(len(qualities), notes=quality_notes(qualities))
