"""The reports: HTML files that show who spoke, when, and how sure that is, of an episode and of a corpus."""

from __future__ import annotations

from yuki_builder.corpus.report.index import CHARACTERS, LARGE, write_large_corpus_report
from yuki_builder.corpus.report.pictures import SoundPictures, picture_sound
from yuki_builder.corpus.report.render import write_corpus_report, write_report
from yuki_builder.corpus.report.view import EpisodeOverview

__all__ = [
    "CHARACTERS",
    "LARGE",
    "EpisodeOverview",
    "SoundPictures",
    "picture_sound",
    "write_corpus_report",
    "write_large_corpus_report",
    "write_report",
]
