"""Formats that other tools read. One module a family; ``EXPORTERS`` is the list."""

from __future__ import annotations

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.chats import write_chat, write_sharegpt
from yuki_builder.corpus.exports.dialogue import write_scene_jsonl, write_scene_texts
from yuki_builder.corpus.exports.exporter import Exporter
from yuki_builder.corpus.exports.huggingface import write_folder, write_parquet
from yuki_builder.corpus.exports.rttm import write_line_rttm
from yuki_builder.corpus.exports.split import TRAIN, VALIDATION
from yuki_builder.corpus.exports.subtitles import write_ass, write_srt
from yuki_builder.corpus.exports.voices import write_ljspeech, write_sovits
from yuki_builder.corpus.exports.webdataset import write_webdataset

__all__ = ["EXPORTERS", "ExportOptions", "ExportReport", "Exporter", "Source"]

_SPLITS = (TRAIN, VALIDATION)
_CHATS = {split: f"*/{split}.jsonl" for split in _SPLITS}
_TO_CHAT, _TO_SPEAK = ("text-generation",), ("text-to-speech", "automatic-speech-recognition")

EXPORTERS = {
    exporter.name: exporter
    for exporter in (
        Exporter(
            "texts",
            "ChatHaruhi scenes as text, one file a scene",
            write_scene_texts,
            "`<character>/<episode>_<time>_<scene>.txt`, an utterance a row",
            tasks=_TO_CHAT,
            is_split=False,
        ),
        Exporter(
            "haruhi",
            "ChatHaruhi 2.0 JSONL, one file a character",
            write_scene_jsonl,
            "`<character>.jsonl`: system prompt, a reserved row, then a scene a row; a loader fills in embeddings",
            tasks=_TO_CHAT,
            is_split=False,
        ),
        Exporter(
            "chat",
            "role-play chats as JSONL messages, training and validation",
            write_chat,
            '`<character>/<split>.jsonl`, rows of `{"messages": …, "character": …, "episode": …, "scene": …}`',
            tasks=_TO_CHAT,
            data=_CHATS,
        ),
        Exporter(
            "sharegpt",
            "the same chats as ShareGPT conversations",
            write_sharegpt,
            '`<character>/<split>.jsonl`, rows of `{"conversations": …, "system": …, "character": …}`, a human first',
            tasks=_TO_CHAT,
            data=_CHATS,
        ),
        Exporter(
            "ljspeech",
            "metadata.csv and wavs/, one folder a character",
            write_ljspeech,
            "`<character>/metadata.csv` and `metadata_validation.csv` (`id|text|normalised text`, no header, no "
            "quotes), `<character>/wavs/<id>.wav`: mono, 22.05 kHz, 16 bit",
            tasks=_TO_SPEAK,
            needs_clips=True,
            packages=("soxr",),
        ),
        Exporter(
            "gpt-sovits",
            "lists and wavs for GPT-SoVITS",
            write_sovits,
            "`train.list` and `validation.list` (`path|speaker|language|text`), the same for each character in "
            "`characters/<character>/`, `wavs/<id>.wav`: mono, 32 kHz, 16 bit; paths start at this folder",
            tasks=_TO_SPEAK,
            needs_clips=True,
            packages=("soxr",),
        ),
        Exporter(
            "hf-folder",
            "Hugging Face datasets: a folder of clips",
            write_folder,
            "`<split>/metadata.parquet`, `<split>/clips/<character>/<id>.flac`",
            tasks=_TO_SPEAK,
            data={split: f"{split}/**" for split in _SPLITS},
            needs_clips=True,
            packages=("pyarrow",),
        ),
        Exporter(
            "hf-parquet",
            "Hugging Face datasets: Parquet with the clips inside",
            write_parquet,
            "`data/<split>-*.parquet`, the clips' bytes in the column `audio`",
            tasks=_TO_SPEAK,
            data={split: f"data/{split}-*.parquet" for split in _SPLITS},
            needs_clips=True,
            packages=("pyarrow",),
        ),
        Exporter(
            "webdataset",
            "tar shards of clip, text and JSON",
            write_webdataset,
            "`<split>-*.tar`, for each line `<id>.flac`, `<id>.json` and `<id>.txt`",
            tasks=_TO_SPEAK,
            data={split: f"{split}-*.tar" for split in _SPLITS},
            needs_clips=True,
        ),
        Exporter(
            "rttm",
            "who speaks when, for diarization tools",
            write_line_rttm,
            "`<episode>.rttm`, a turn a row",
            tasks=("voice-activity-detection",),
            is_split=False,
        ),
        Exporter(
            "ass",
            "subtitles with the character in the Name field",
            write_ass,
            "`<episode>.ass`, a style a character; names that are not sure are empty",
            is_split=False,
            shows_all=True,
        ),
        Exporter(
            "srt",
            "subtitles of each character alone",
            write_srt,
            "`<character>/<episode>.srt`; lines of nobody in `_unknown`",
            is_split=False,
        ),
    )
}
