"""Which transcribers there are, and how to get one.

``TRANSCRIBERS`` is the table that the command line, ``models list`` and the docs read; ``ENGINES`` that of what runs
them. To add an engine, write a module with a class that fulfils ``Transcriber`` and with its ``Engine``, and add a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from video_preprocessing.transcription.sherpa_engine import SHERPA
from video_preprocessing.transcription.transcriber import Engine, Transcriber
from video_preprocessing.transcription.whisper_engine import NAMES, WHISPER
from yuki_builder.errors import CheckpointError, ConfigError
from yuki_builder.records import Progress, no_progress


@dataclass(frozen=True, slots=True)
class TranscriberEntry:
    """A row of the table of transcribers.

    Attributes:
        name: what ``--transcriber`` calls it.
        summary: one line for ``models list``.
        weights: where its weights come from.
        engine: what runs it.
        repository: on the Hugging Face hub.
    """

    name: str
    summary: str
    weights: str
    engine: Engine
    repository: str

    @property
    def extra(self) -> str:
        """The extra that brings its engine."""
        return self.engine.extra

    def folder(self) -> Path | None:
        """Where its weights are on this machine; fetches nothing."""
        from video_preprocessing.transcription.hub import cached_folder

        return cached_folder(self.repository, self.engine.files[0])

    def files(self) -> list[Path]:
        """Its files on this machine; fetches nothing."""
        folder = self.folder()
        return [] if folder is None else sorted(path for path in folder.iterdir() if path.is_file())

    def fetch(self, *, progress: Progress = no_progress) -> Path:
        """The folder with its weights, downloaded where they are not here.

        Raises:
            ConfigError: they cannot be downloaded.
        """
        from video_preprocessing.transcription.hub import download_folder

        return download_folder(self.repository, self.engine.files, progress=progress)


def _whisper(name: str, size: str, what: str) -> TranscriberEntry:
    return TranscriberEntry(name, f"Whisper {what}, {size}", f"Hugging Face: {NAMES[name]}", WHISPER, NAMES[name])


ENGINES = (WHISPER, SHERPA)
"""In the order in which they are asked whether a folder holds a model of theirs."""
TRANSCRIBERS = {
    entry.name: entry
    for entry in (
        _whisper("tiny", "75 MB", "tiny: for trying out"),
        _whisper("base", "145 MB", "base: quick on any processor"),
        _whisper("small", "484 MB", "small: what auto takes on processors"),
        _whisper("medium", "1.5 GB", "medium"),
        _whisper("large-v3", "3.1 GB", "large-v3: what auto takes on GPUs"),
        _whisper("turbo", "1.6 GB", "large-v3-turbo: nearly as good, several times as fast"),
        _whisper("kotoba", "1.5 GB", "trained for Japanese (kotoba-whisper 2.0): what auto takes for it on GPUs"),
    )
}


def choose_transcriber(*, language: str | None, has_gpu: bool) -> str:
    """What ``auto`` stands for. Pure."""
    if not has_gpu:
        return "small"
    return "kotoba" if language == "ja" else "large-v3"


def load_transcriber(
    name_or_folder: str, *, device: str = "auto", download: bool = True, progress: Progress = no_progress
) -> Transcriber:
    """The transcriber that ``--transcriber`` names.

    Args:
        name_or_folder: a row of ``TRANSCRIBERS``, ``owner/name`` of a Whisper model for faster-whisper on Hugging
            Face, or a folder with a model: of faster-whisper, or of sherpa-onnx (SenseVoice, Parakeet).
        device: ``auto``, ``cpu`` or ``cuda``.
        download: whether a model that is not here may be fetched.
        progress: of a download, in bytes.

    Raises:
        ConfigError: an unknown name, or a model that cannot be downloaded.
        CheckpointError: a folder that is no model.
        MissingExtraError: the engine is not installed; the error names the extra.
    """
    return _engine(name_or_folder).load(name_or_folder, device, download, progress)


def model_files(folder: Path) -> list[Path]:
    """The files of a model in a folder, which is loaded to see whether they are whole.

    Raises:
        CheckpointError: a folder that is no model, or a damaged one.
        MissingExtraError: the engine is not installed.
    """
    load_transcriber(str(folder), device="cpu", download=False)
    return sorted(path for path in folder.iterdir() if path.is_file())


def transcriber_fingerprint(name_or_folder: str) -> str:
    """What the result depends on beside the audio and, of a folder, its files; loads and fetches nothing."""
    return _engine(name_or_folder).fingerprint(name_or_folder)


def _engine(name_or_folder: str) -> Engine:
    """What runs a transcriber; any name of the hub is Whisper's."""
    path = Path(name_or_folder)
    if path.is_dir():
        found = next((engine for engine in ENGINES if engine.is_model(path)), None)
        if found is None:
            raise CheckpointError(
                "a folder without a speech recognition model",
                where=f"--transcriber {name_or_folder}",
                remedy=f"give one with {', or with '.join(engine.holds for engine in ENGINES)}",
            )
        return found
    if name_or_folder in TRANSCRIBERS:
        return TRANSCRIBERS[name_or_folder].engine
    if name_or_folder not in NAMES and name_or_folder.count("/") != 1:
        what = "no such folder" if path.suffix or name_or_folder.count("/") else "unknown transcriber"
        raise ConfigError(
            what,
            where=f"--transcriber {name_or_folder}",
            remedy=f"choose {', '.join(TRANSCRIBERS)}, owner/name on Hugging Face, or a model's folder",
        )
    return WHISPER
