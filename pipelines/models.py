"""The networks of a run: loaded when first needed, kept for the episodes that follow."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from video_preprocessing.speech import Diarizer, SpeakerEmbedder
    from video_preprocessing.uvr5.separator import Separator

EMBEDDER = "resemblyzer"


class Models:
    """Loads by name or path, each network once.

    Every method raises what its room raises: ``CheckpointError``, ``MissingExtraError``, ``ConfigError``.
    """

    def __init__(self) -> None:
        self.separator = functools.cache(_load_separator)
        self.embedder = functools.cache(_load_embedder)
        self.diarizer = functools.cache(self._load_diarizer)

    def _load_diarizer(self, name_or_path: str, device: str) -> Diarizer:
        from video_preprocessing.speech import load_diarizer

        return load_diarizer(name_or_path, device=device, embedder=self.embedder(device))


def _load_separator(name_or_path: str, device: str) -> Separator:
    from video_preprocessing.uvr5.separator import Separator

    return Separator.load(name_or_path, device=device)


def _load_embedder(device: str) -> SpeakerEmbedder:
    from video_preprocessing.speech import load_embedder

    return load_embedder(EMBEDDER, device=device)


def checkpoint_file(name_or_path: str) -> Path:
    """The file that holds a separator's weights, found without loading anything."""
    from video_preprocessing.uvr5.checkpoints import find_checkpoint

    return find_checkpoint(name_or_path)
