"""The quality of all lines of a corpus, with repeats between episodes (recaps, narration) found."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.clips import quality_note
from pipelines.episode.records import read_audio_fingerprints, read_records
from pipelines.layout import AUDIO_FINGERPRINTS, QUALITY

if TYPE_CHECKING:
    from pipelines.corpus.corpus import Corpus
    from yuki_builder.corpus import ClipQuality

QUALITY_TABLE = "quality.parquet"
_SAID_SO = b'"unusable": true'


def corpus_qualities(corpus: Corpus) -> Iterator[ClipQuality]:
    """The measures of every line that has any, episode by episode, repeats between episodes marked."""
    from yuki_builder.corpus import ClipQuality, DuplicateFinder, problems_of, repeated_words

    folders = [folder for folder in corpus.episodes if (folder / QUALITY).is_file()]  # else by an earlier version
    finder = DuplicateFinder(repeated_words(line for folder in folders for line in corpus.lines_of(folder)))
    for folder in folders:
        read = read_records(folder / QUALITY, ClipQuality, keep=False)
        by_id = {quality.line_id: quality for quality in read}
        own = [line for line in corpus.lines_of(folder) if line.line_id in by_id]
        audio_fingerprints = read_audio_fingerprints(folder / AUDIO_FINGERPRINTS)
        for quality in finder.mark([by_id[line.line_id] for line in own], own, audio_fingerprints):
            yield dataclasses.replace(quality, problems=problems_of(quality))


def unusable_lines(folders: Iterable[Path]) -> set[str]:
    """The ids of the lines of these episodes that a person marked as not to train on."""
    from yuki_builder.corpus import ClipQuality

    found: set[str] = set()
    for folder in folders:
        path = folder / QUALITY
        if path.is_file() and _SAID_SO in path.read_bytes():  # few episodes have any: the others are not parsed
            found |= {quality.line_id for quality in read_records(path, ClipQuality) if quality.unusable}
    return found


def write_quality(corpus: Corpus, job: Job) -> Counts:
    """``quality.parquet``, and in a line what the usual limits would leave out."""
    from yuki_builder.corpus import write_quality_parquet

    counts: Counter[str] = Counter()

    def counted() -> Iterator[ClipQuality]:
        for quality in corpus_qualities(corpus):
            counts.update(quality.problems or ("kept",))
            counts["lines"] += 1
            yield quality

    write_quality_parquet(counted(), job.output(QUALITY_TABLE))
    total = counts.pop("lines", 0)
    kept = counts.pop("kept", 0)
    return Counts(total, notes=quality_note(counts, clean=kept, total=total))
