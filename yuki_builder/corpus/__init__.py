"""From lines to what people train on, look at and trust: clips, exports, scenes, the report, the notebook's door."""

from __future__ import annotations

from yuki_builder.corpus.audio.clips import ClipReport
from yuki_builder.corpus.audio.dnsmos import add_dnsmos, require_dnsmos
from yuki_builder.corpus.audio.lines import LineSounds, read_sounds
from yuki_builder.corpus.audio.quality import (
    PROBLEMS,
    AudioFingerprint,
    ClipQuality,
    DuplicateFinder,
    LineSound,
    QualityLimits,
    mark_duplicates,
    problems_of,
    repeated_words,
)
from yuki_builder.corpus.exports import EXPORTERS, Exporter, ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.build import CorpusReport, build_corpus_files, build_corpus_in_parts
from yuki_builder.corpus.notebook.browse import Corpus, open_corpus
from yuki_builder.corpus.report import (
    CHARACTERS,
    LARGE,
    EpisodeOverview,
    SoundPictures,
    picture_sound,
    write_corpus_report,
    write_large_corpus_report,
    write_report,
)
from yuki_builder.corpus.review import (
    Applied,
    Desk,
    LineVoices,
    ReviewEpisode,
    ReviewError,
    ReviewPaths,
    Tools,
    require_review,
    serve,
)
from yuki_builder.corpus.scenes import Scene, SceneRow, scenes_of, split_scenes
from yuki_builder.corpus.tables.edits_csv import ADDED, NOBODY, NOT_SPEECH, UNUSABLE, LineEdit, read_edits
from yuki_builder.corpus.tables.lines_csv import read_lines_csv, write_lines_csv
from yuki_builder.corpus.tables.lines_jsonl import read_lines_jsonl, write_lines_jsonl
from yuki_builder.corpus.tables.lines_parquet import read_lines_parquet, write_lines_parquet
from yuki_builder.corpus.tables.quality_parquet import write_quality_parquet

__all__ = [
    "ADDED",
    "CHARACTERS",
    "EXPORTERS",
    "LARGE",
    "NOBODY",
    "NOT_SPEECH",
    "PROBLEMS",
    "UNUSABLE",
    "Applied",
    "AudioFingerprint",
    "ClipQuality",
    "ClipReport",
    "Corpus",
    "CorpusReport",
    "Desk",
    "DuplicateFinder",
    "EpisodeOverview",
    "ExportOptions",
    "ExportReport",
    "Exporter",
    "LineEdit",
    "LineSound",
    "LineSounds",
    "LineVoices",
    "QualityLimits",
    "ReviewEpisode",
    "ReviewError",
    "ReviewPaths",
    "Scene",
    "SceneRow",
    "SoundPictures",
    "Source",
    "Tools",
    "add_dnsmos",
    "build_corpus_files",
    "build_corpus_in_parts",
    "mark_duplicates",
    "open_corpus",
    "picture_sound",
    "problems_of",
    "read_edits",
    "read_lines_csv",
    "read_lines_jsonl",
    "read_lines_parquet",
    "read_sounds",
    "repeated_words",
    "require_dnsmos",
    "require_review",
    "scenes_of",
    "serve",
    "split_scenes",
    "write_corpus_report",
    "write_large_corpus_report",
    "write_lines_csv",
    "write_lines_jsonl",
    "write_lines_parquet",
    "write_quality_parquet",
    "write_report",
]
