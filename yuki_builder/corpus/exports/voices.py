"""Sets to train a voice on: LJSpeech (one folder a character) and GPT-SoVITS lists."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from yuki_builder.corpus.audio.wav import read_mono, write_wav
from yuki_builder.corpus.exports.base import (
    Chosen,
    ExportOptions,
    ExportReport,
    Source,
    choose_clips,
    count_splits,
)
from yuki_builder.corpus.exports.labels import file_key, folders_of
from yuki_builder.corpus.exports.prompts import language_of, line_language
from yuki_builder.corpus.exports.split import TRAIN, VALIDATION
from yuki_builder.corpus.exports.utterances import one_row
from yuki_builder.errors import MediaError
from yuki_builder.records import Progress

LJSPEECH_RATE_HZ = 22_050
SOVITS_RATE_HZ = 32_000
_TABLES = {TRAIN: "metadata.csv", VALIDATION: "metadata_validation.csv"}


def write_ljspeech(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/metadata.csv`` (``id|text|normalised text``, no header, no quotes) and ``<character>/wavs/*.wav``.

    ``metadata.csv`` has the training rows, ``metadata_validation.csv`` the others, as the recipes of this family do.
    """
    clips, left_out = choose_clips(source, options)
    folder_of = folders_of(_name(item) for item, _ in clips)
    rows: dict[Path, list[str]] = {}
    written: list[Chosen] = []
    for number, (item, clip) in enumerate(clips, start=1):
        folder = destination / folder_of[_name(item)]
        key = file_key(item.line.line_id)
        if _convert(clip, folder / "wavs" / f"{key}.wav", sample_rate_hz=LJSPEECH_RATE_HZ, left_out=left_out):
            row = f"{key}|{without_pipes(item.line.text)}|{normalised(item.line.text)}"
            rows.setdefault(folder / _TABLES[item.split], []).append(row)
            written.append(item)
        progress(number, len(clips))
    for path, lines in rows.items():
        write_rows(path, lines)
    return ExportReport(len(rows) + len(written), count_splits(written), left_out, written)


def write_sovits(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``train.list`` and ``validation.list`` (``path|speaker|language|text``), ``wavs/*.wav``; and lists by character.

    A voice is trained with ``characters/<character>/train.list``. All paths start at the export's own folder; the
    tool takes their last parts and looks in the folder that it is given, so that all clips lie in one. Languages are
    those that it knows: zh, ja, en, ko.
    """
    clips, left_out = choose_clips(source, options)
    usual = _usual_languages(source)
    folder_of = folders_of(_name(item) for item, _ in clips)
    rows: dict[Path, list[str]] = {}
    written: list[Chosen] = []
    for number, (item, clip) in enumerate(clips, start=1):
        text = without_pipes(item.line.text)
        language = line_language(text, usual=usual[item.line.episode_id])
        path = f"wavs/{file_key(item.line.line_id)}.wav"
        if language is None:
            left_out["no language that the tool knows"] += 1
        elif _convert(clip, destination / path, sample_rate_hz=SOVITS_RATE_HZ, left_out=left_out):
            row = f"{path}|{without_pipes(_name(item))}|{language}|{text}"
            for folder in (destination, destination / "characters" / folder_of[_name(item)]):
                rows.setdefault(folder / f"{item.split}.list", []).append(row)
            written.append(item)
        progress(number, len(clips))
    for list_path, lines in rows.items():
        write_rows(list_path, lines)
    return ExportReport(len(rows) + len(written), count_splits(written), left_out, written)


def without_pipes(text: str) -> str:
    """One row without the separator of these formats: a bar becomes its full-width twin."""
    return one_row(text).replace("|", "｜").strip()


def normalised(text: str) -> str:
    """The text as it is read aloud, as far as that needs no dictionary: half-width letters and digits, single spaces.

    Numbers stay digits. A text that is nothing but signs stays as it is, since an empty column is no text.
    """
    plain = " ".join(unicodedata.normalize("NFKC", one_row(text)).replace("|", " ").split())
    return plain or without_pipes(text)


def write_rows(path: Path, rows: Iterable[str]) -> None:
    """A text file of rows in UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row}\n" for row in rows)
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _convert(clip: Path, destination: Path, *, sample_rate_hz: int, left_out: Counter[str]) -> bool:
    """Whether the clip could be read, and is now at ``destination``; if not, it is counted."""
    try:
        wave = read_mono(clip, sample_rate_hz=sample_rate_hz)
    except MediaError:
        left_out["clip damaged"] += 1
        return False
    destination.parent.mkdir(parents=True, exist_ok=True)
    write_wav(wave, destination, sample_rate_hz=sample_rate_hz)
    return True


def _usual_languages(source: Source) -> dict[str, str]:
    """The language that most lines of each episode are in, each taken by itself.

    Not that of all their text together: a few songs in Japanese would make the dialogue around them Japanese.
    """
    counts: dict[str, Counter[str]] = {}
    for line in source.lines:
        counts.setdefault(line.episode_id, Counter())[language_of([line.text])] += 1
    return {episode: max(sorted(own, reverse=True), key=own.__getitem__) for episode, own in counts.items()}


def _name(item: Chosen) -> str:
    return item.line.character or ""
