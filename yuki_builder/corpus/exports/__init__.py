"""Formats that other tools read. One module a family; ``EXPORTERS`` is the list."""

from __future__ import annotations

from pathlib import Path

from yuki_builder.corpus.exports.base import Exporter, ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.chats import write_chat, write_sharegpt
from yuki_builder.corpus.exports.huggingface import write_folder, write_parquet
from yuki_builder.corpus.exports.rttm import write_line_rttm
from yuki_builder.corpus.exports.subtitles import write_ass, write_srt
from yuki_builder.corpus.exports.voices import write_ljspeech, write_sovits
from yuki_builder.corpus.exports.webdataset import write_webdataset
from yuki_builder.corpus.haruhi import write_haruhi
from yuki_builder.corpus.texts import write_texts
from yuki_builder.records import Progress

__all__ = ["EXPORTERS", "ExportOptions", "ExportReport", "Exporter", "Source"]


def _texts(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    written = write_texts(source.scenes, destination, min_confidence=options.min_confidence)
    progress(1, 1)
    return ExportReport(sum(written.values()), {"scenes": len(source.scenes)})


def _haruhi(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    written = write_haruhi(source.scenes, destination, min_confidence=options.min_confidence)
    progress(1, 1)
    return ExportReport(len(written), {"scenes": sum(written.values())})


EXPORTERS = {
    exporter.name: exporter
    for exporter in (
        Exporter("texts", "ChatHaruhi scenes as text, one file a scene", _texts),
        Exporter("haruhi", "ChatHaruhi 2.0 JSONL, one file a character", _haruhi),
        Exporter("chat", "role-play chats as JSONL messages, training and validation", write_chat),
        Exporter("sharegpt", "the same chats as ShareGPT conversations", write_sharegpt),
        Exporter("ljspeech", "metadata.csv and wavs/, one folder a character", write_ljspeech, needs_clips=True),
        Exporter("gpt-sovits", "train.list and wavs for GPT-SoVITS", write_sovits, needs_clips=True),
        Exporter("hf-folder", "Hugging Face datasets: a folder of clips", write_folder, needs_clips=True),
        Exporter("hf-parquet", "Hugging Face datasets: Parquet with the clips inside", write_parquet, needs_clips=True),
        Exporter("webdataset", "tar shards of clip, text and JSON", write_webdataset, needs_clips=True),
        Exporter("rttm", "who speaks when, for diarization tools", write_line_rttm),
        Exporter("ass", "subtitles with the character in the Name field", write_ass),
        Exporter("srt", "subtitles of each character alone", write_srt),
    )
}
