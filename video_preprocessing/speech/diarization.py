"""Who speaks when, without knowing anybody: what a diarizer is, and how to get one."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

from video_preprocessing.speech.embedders import load_embedder
from video_preprocessing.speech.embedding import SpeakerEmbedder
from yuki_builder.records import Progress, Span, Turn, no_progress


class Diarizer(Protocol):
    """Finds the turns of an episode's voices."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same audio could get other turns."""
        ...

    def diarize(self, vocals: Path, speech: Sequence[Span], *, progress: Progress = no_progress) -> list[Turn]:
        """The turns in ``vocals``, in order of time.

        Args:
            vocals: an audio file.
            speech: where somebody speaks in it, in order, without overlap; nowhere means no turns.
            progress: counts seconds of audio.

        Returns:
            Turns labelled ``SPEAKER_01``, ``SPEAKER_02``… in the order in which the voices first appear.

        Raises:
            MediaError: the file cannot be read as audio.
        """
        ...


def load_diarizer(
    name_or_path: str | Path = "embedded", *, device: str = "auto", embedder: SpeakerEmbedder | None = None
) -> Diarizer:
    """The diarizer that ``--diarizer`` names.

    Args:
        name_or_path: ``embedded``; ``pyannote``, for pyannote's own current pipeline; the name of a pipeline on
            Hugging Face (``owner/name``); or a folder with a pyannote pipeline (``config.yaml``).
        device: ``auto``, ``cpu`` or ``cuda``.
        embedder: what the embedded diarizer tells voices apart with; loaded where left out. Others bring their own.

    Raises:
        ConfigError: no such name or folder, a model that cannot be fetched, or a device that is not there.
        CheckpointError: a folder or model that is no pipeline, or must not be trusted.
    """
    if name_or_path == "embedded":
        from video_preprocessing.speech.embedded import EmbeddedDiarizer

        return EmbeddedDiarizer(embedder or load_embedder(device=device))
    from video_preprocessing.speech.pyannote_backend import PyannoteDiarizer

    return PyannoteDiarizer(name_or_path, device=device)


def diarizer_fingerprint(name_or_path: str | Path = "embedded", *, embedder: str = "") -> str:
    """What a diarizer's result depends on beside the audio, found without loading it.

    Args:
        name_or_path: see ``load_diarizer``.
        embedder: the fingerprint of the embedder that the embedded diarizer tells voices apart with.

    Returns:
        Of the embedded one its embedder; of a pipeline on Hugging Face the revisions of it and of its models that are
        in the cache; of one in a folder no more than that: its files have hashes.
    """
    if name_or_path == "embedded":
        return f"embedded-{embedder}"
    from video_preprocessing.speech.pyannote_loading import cached_revisions

    return f"pyannote.audio-{_version('pyannote.audio')}-{cached_revisions(str(name_or_path))}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
