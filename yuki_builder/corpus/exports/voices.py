"""Sets to train a voice on: LJSpeech (one folder a character) and GPT-SoVITS lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from yuki_builder.corpus.exports.audio import read_mono, write_wav
from yuki_builder.corpus.exports.base import (
    TRAIN,
    VALIDATION,
    Chosen,
    ExportOptions,
    ExportReport,
    Source,
    choose_clips,
    count_splits,
)
from yuki_builder.corpus.prompts import language_of
from yuki_builder.corpus.utterances import one_row
from yuki_builder.names import path_name
from yuki_builder.records import Progress

LJSPEECH_RATE_HZ = 22_050
SOVITS_RATE_HZ = 32_000
_BAR = re.compile(r"\|")


def write_ljspeech(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/metadata.csv`` (``id|text|normalised text``, no header, no quotes) and ``<character>/wavs/*.wav``.

    ``metadata.csv`` has the training rows, ``metadata_validation.csv`` the others, as the recipes of this family do.
    """
    clips, left_out = choose_clips(source, options)
    rows: dict[Path, list[str]] = {}
    for number, (item, clip) in enumerate(clips, start=1):
        folder = destination / path_name(_name(item))
        name = "metadata.csv" if item.split == TRAIN else "metadata_validation.csv"
        (folder / "wavs").mkdir(parents=True, exist_ok=True)
        stem = path_name(item.line.line_id)
        wave = read_mono(clip, sample_rate_hz=LJSPEECH_RATE_HZ)
        write_wav(wave, folder / "wavs" / f"{stem}.wav", sample_rate_hz=LJSPEECH_RATE_HZ)
        text = bar_free(item.line.text)
        rows.setdefault(folder / name, []).append(f"{stem}|{text}|{bar_free(unicodedata.normalize('NFKC', text))}")
        progress(number, len(clips))
    for path, lines in rows.items():
        write_rows(path, lines)
    return ExportReport(len(rows) + len(clips), count_splits(item for item, _ in clips), left_out)


def write_sovits(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``train.list`` and ``validation.list`` (``path|speaker|language|text``) and ``wavs/<character>/*.wav``.

    Paths are relative to the folder of the list. Languages are those that GPT-SoVITS knows: zh, ja, en, ko.
    """
    clips, left_out = choose_clips(source, options)
    rows: dict[str, list[str]] = {TRAIN: [], VALIDATION: []}
    for number, (item, clip) in enumerate(clips, start=1):
        folder = f"wavs/{path_name(_name(item))}"
        (destination / folder).mkdir(parents=True, exist_ok=True)
        path = f"{folder}/{path_name(item.line.line_id)}.wav"
        wave = read_mono(clip, sample_rate_hz=SOVITS_RATE_HZ)
        write_wav(wave, destination / path, sample_rate_hz=SOVITS_RATE_HZ)
        text = bar_free(item.line.text)
        rows[item.split].append(f"{path}|{bar_free(_name(item))}|{language_of([text])}|{text}")
        progress(number, len(clips))
    for split, lines in rows.items():
        write_rows(destination / f"{split}.list", lines)
    return ExportReport(len(rows) + len(clips), count_splits(item for item, _ in clips), left_out)


def bar_free(text: str) -> str:
    """One row without the separator of these formats: a bar becomes its full-width twin."""
    return _BAR.sub("｜", one_row(text)).strip()


def write_rows(path: Path, rows: Iterable[str]) -> None:
    """A text file of rows in UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row}\n" for row in rows)
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _name(item: Chosen) -> str:
    return item.line.character or ""
