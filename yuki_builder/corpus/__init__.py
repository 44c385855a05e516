"""From lines to what people train on, look at and trust: clips, exports, scenes, the report, the notebook's door."""

from __future__ import annotations

from yuki_builder.corpus.browse import Corpus, open_corpus
from yuki_builder.corpus.build import CorpusReport, build_corpus_files
from yuki_builder.corpus.clips import ClipReport, cut_clips
from yuki_builder.corpus.exports import EXPORTERS, Exporter, ExportOptions, ExportReport, Source
from yuki_builder.corpus.levels import measure_levels
from yuki_builder.corpus.lines_csv import read_lines_csv, write_lines_csv
from yuki_builder.corpus.lines_jsonl import read_lines_jsonl, write_lines_jsonl
from yuki_builder.corpus.lines_parquet import read_lines_parquet, write_lines_parquet
from yuki_builder.corpus.report import (
    EpisodeOverview,
    SoundPictures,
    picture_sound,
    write_corpus_report,
    write_report,
)
from yuki_builder.corpus.scenes import Scene, split_scenes

__all__ = [
    "EXPORTERS",
    "ClipReport",
    "Corpus",
    "CorpusReport",
    "EpisodeOverview",
    "ExportOptions",
    "ExportReport",
    "Exporter",
    "Scene",
    "SoundPictures",
    "Source",
    "build_corpus_files",
    "cut_clips",
    "measure_levels",
    "open_corpus",
    "picture_sound",
    "read_lines_csv",
    "read_lines_jsonl",
    "read_lines_parquet",
    "split_scenes",
    "write_corpus_report",
    "write_lines_csv",
    "write_lines_jsonl",
    "write_lines_parquet",
    "write_report",
]
