"""The networks of a run: loaded when first needed, kept for the episodes that follow."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuki_builder.records import Progress, no_progress

if TYPE_CHECKING:
    from video_preprocessing.speech import Diarizer, SpeakerEmbedder
    from video_preprocessing.transcription import Transcriber
    from video_preprocessing.uvr5.separator import Separator


class Models:
    """Loads by name or path, each network once.

    Every method raises what its room raises: ``CheckpointError``, ``MissingExtraError``, ``ConfigError``.

    Args:
        download: whether weights that are not there may be fetched; not when nothing is to be written.

    Attributes:
        tell_download: is told of downloads on the way: what is fetched, bytes, and bytes in all.
    """

    def __init__(self, *, download: bool = True) -> None:
        self.download = download
        self.tell_download: Callable[[str, float, float | None], None] = lambda *_: None
        self.separator = functools.cache(_load_separator)
        self.embedder = functools.cache(_load_embedder)
        self.diarizer = functools.cache(self._load_diarizer)
        self.transcriber = functools.cache(self._load_transcriber)

    def _load_diarizer(self, name_or_path: str, embedder: str, device: str) -> Diarizer:
        from video_preprocessing.speech import load_diarizer

        return load_diarizer(name_or_path, device=device, embedder=self.embedder(embedder, device))

    def _load_transcriber(self, name_or_folder: str, device: str) -> Transcriber:
        from video_preprocessing.transcription import load_transcriber

        return load_transcriber(
            name_or_folder,
            device=device,
            download=self.download,
            progress=lambda done, total: self.tell_download(name_or_folder, done, total),
        )


def _load_separator(name_or_path: str, device: str, band_plan: str | None, **options: Any) -> Separator:
    from video_preprocessing.uvr5.separator import Separator, SeparatorOptions

    return Separator.load(name_or_path, device=device, band_plan=band_plan, options=SeparatorOptions(**options))


def _load_embedder(name_or_path: str, device: str) -> SpeakerEmbedder:
    from video_preprocessing.speech import load_embedder

    return load_embedder(name_or_path, device=device)


def embedder_fingerprint(name_or_path: str) -> str:
    """The fingerprint of a speaker embedder, from its files; no network is loaded."""
    from video_preprocessing.speech import embedder_fingerprint as of

    return of(name_or_path)


def diarizer_fingerprint(name_or_path: str, embedder: str) -> str:
    """That of a diarizer, without loading it; of a pipeline in a folder its files count by themselves."""
    from video_preprocessing.speech import diarizer_fingerprint as fingerprint

    return fingerprint(name_or_path, embedder=embedder_fingerprint(embedder) if name_or_path == "embedded" else "")


def checkpoint_files(separator: str, *, download: bool, progress: Progress = no_progress) -> list[Path]:
    """The files that hold the weights of a separator, or of each model of a chain, without loading anything.

    Args:
        separator: a name, a path, or several joined by ``+``.
        download: fetch a public one that is not there yet; otherwise that is a ``CheckpointError``.
        progress: of a download, in bytes.
    """
    from video_preprocessing.uvr5.checkpoints import find_checkpoint, parse_chain

    return [find_checkpoint(name, download=download, progress=progress) for name in parse_chain(separator)]


def transcriber_fingerprint(name_or_folder: str) -> str:
    """That of a transcriber, without loading it; of one in a folder the files count by themselves."""
    from video_preprocessing.transcription import transcriber_fingerprint as of

    return of(name_or_folder)


def chosen_transcriber(name: str, *, language: str | None, device: str) -> str:
    """The name that ``auto`` stands for on this machine; any other name is itself.

    Args:
        name: what the user asked for.
        language: the code of the spoken language, where it is known.
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    from video_preprocessing.transcription import choose_transcriber

    if name != "auto":
        return name
    return choose_transcriber(language=language, has_gpu=has_gpu(device))


def has_gpu(device: str) -> bool:
    """Whether that name of a device stands for a GPU of this machine."""
    if device == "cpu" or not (Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi")):
        return False  # known without loading PyTorch
    from video_preprocessing.devices import choose_device

    return choose_device(device).type == "cuda"


def has_transcriber() -> bool:
    """Whether the engine of ``auto`` is installed."""
    from video_preprocessing.transcription import is_installed

    return is_installed()
