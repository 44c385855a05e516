"""pyannote.audio's pipelines as a diarizer."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from video_preprocessing.devices import choose_device
from video_preprocessing.speech.audio import SAMPLE_RATE_HZ, SpeechAudio
from video_preprocessing.speech.pyannote_loading import load_pipeline, read_config
from video_preprocessing.speech.turns import NamedSpan, numbered
from yuki_builder.errors import ConfigError, InternalError
from yuki_builder.records import FloatArray, Progress, Span, Turn, no_progress

if TYPE_CHECKING:
    import torch
    from pyannote.audio import Pipeline
    from pyannote.core import Annotation

# The two long steps of a pipeline, and the share of the whole at which each begins and ends.
_STEPS = {"segmentation": (0.0, 0.4), "embeddings": (0.4, 1.0)}


class PyannoteDiarizer:
    """A pyannote.audio pipeline. It finds speech itself; overlapping voices get overlapping turns.

    The whole file is held in memory while it runs, 16 kHz mono float32: 230 MB an hour.
    """

    def __init__(self, name_or_path: str | Path, *, device: str = "auto") -> None:
        """Load the pipeline ``pyannote``, ``owner/name`` (Hugging Face) or of a folder (see ``load_diarizer``)."""
        chosen = choose_device(device)
        self.name = str(name_or_path)
        config, home = read_config(self.name)
        self._pipeline = load_pipeline(config, home, name=self.name)
        self._pipeline.to(chosen)
        self.fingerprint = _fingerprint(config, self._pipeline)

    def diarize(
        self,
        vocals: Path,
        speech: Sequence[Span],
        *,
        progress: Progress = no_progress,
        named: Sequence[NamedSpan] = (),
        mix: Path | None = None,
    ) -> list[Turn]:
        """See ``Diarizer.diarize``; ``speech`` only matters where it is empty, ``named`` and ``mix`` not at all.

        Raises:
            ConfigError: the pipeline is not one that diarizes.
            InternalError: it failed.
        """
        if not speech:
            return []
        import torch

        waveform = _whole(vocals)
        if not len(waveform):
            return []
        duration_s = len(waveform) / SAMPLE_RATE_HZ
        audio = {"waveform": torch.from_numpy(waveform)[None], "sample_rate": SAMPLE_RATE_HZ, "uri": vocals.stem}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of rounding modes, short chunks and statistics of one value
                output = self._pipeline(audio, hook=_Hook(progress, duration_s))
        except ValueError as e:
            raise ConfigError(f"this pipeline cannot diarize: {e}", where=self.name) from e
        except RuntimeError as e:
            raise InternalError(f"the pipeline failed: {e}", where=self.name) from e
        progress(duration_s, duration_s)
        return annotation_turns(output)


def annotation_turns(output: Any) -> list[Turn]:
    """The turns of what a pipeline returns: an annotation, or since pyannote.audio 4 an object that holds one."""
    annotation: Annotation = getattr(output, "speaker_diarization", output)
    turns = []
    for segment, _, label in annotation.itertracks(yield_label=True):
        start_ms, end_ms = max(0, round(segment.start * 1000)), round(segment.end * 1000)
        if end_ms > start_ms:
            turns.append(Turn(start_ms, end_ms, str(label)))
    return numbered(turns)


class _Hook:
    """pyannote's progress hook, in front of this project's ``Progress``."""

    def __init__(self, progress: Progress, duration_s: float) -> None:
        self._progress = progress
        self._duration_s = duration_s

    def __call__(
        self,
        step: str,
        artifact: object,
        file: object = None,
        total: float | None = None,
        completed: float | None = None,
    ) -> None:
        if step in _STEPS and total and completed is not None:
            begin, end = _STEPS[step]
            share = begin + (end - begin) * min(completed / total, 1.0)
            self._progress(share * self._duration_s, self._duration_s)


def _whole(path: Path) -> FloatArray:
    """All of the file, shape (samples,)."""
    with SpeechAudio(path) as audio:
        blocks = list(audio.blocks())
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _fingerprint(config: dict[str, Any], pipeline: Pipeline) -> str:
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    for _, inference in sorted(pipeline._inferences.items()):
        model: torch.nn.Module | None = getattr(inference, "model", None) or getattr(inference, "model_", None)
        for key, tensor in model.state_dict().items() if model is not None else ():
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"pyannote-{metadata.version('pyannote.audio')}-{digest.hexdigest()[:16]}"
