"""Whisper by faster-whisper (CTranslate2): any model of that format, by name, from the hub or from a folder."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from video_preprocessing.transcription.hub import cached_revision, download_folder
from video_preprocessing.transcription.transcriber import SAMPLE_RATE_HZ, Engine
from yuki_builder.errors import CheckpointError, ConfigError, MissingExtraError
from yuki_builder.records import FloatArray, HeardSegment, Progress, Word, no_progress

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

PACKAGE = "faster-whisper"
FILES = ("model.bin", "config.json", "preprocessor_config.json", "tokenizer.json", "vocabulary.*")
_RECIPE = 3  # of how the model is asked; raised when the same audio could be heard otherwise
_BEAM = 5
# Whisper's other temperatures draw by lot: another run would hear otherwise. What repeats itself is asked for again in
# shorter windows instead, which is quicker, too.
_TEMPERATURE = 0.0
# So many tokens a second nobody speaks: what repeats itself over a short stretch ends there.
_TOKENS_PER_S, _LEAST_TOKENS, _MOST_TOKENS = 20, 40, 400
_LEAST_FRAMES, _SILENT_FRAMES = 300, 100  # of 10 ms
_SYSTRAN = "Systran/faster-whisper-"
NAMES = {
    **{name: f"{_SYSTRAN}{name}" for size in ("tiny", "base", "small", "medium") for name in (size, f"{size}.en")},
    **{name: f"{_SYSTRAN}{name}" for name in ("large-v1", "large-v2", "large-v3")},
    "distil-large-v3": f"{_SYSTRAN}distil-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "kotoba": "kotoba-tech/kotoba-whisper-v2.0-faster",
}
"""Names for ``--transcriber``, and where the hub has them."""


class WhisperTranscriber:
    """A Whisper model in CTranslate2's format.

    Args:
        folder: holds ``model.bin``, ``config.json`` and the tokenizer.
        name: for messages.
        fingerprint: see ``Transcriber``.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        CheckpointError: the folder holds no such model.
        ConfigError: no such device.
    """

    def __init__(self, folder: Path, *, name: str, fingerprint: str, device: str = "auto") -> None:
        self.name, self.fingerprint = name, fingerprint
        self._model = _load(folder, device)

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        if not self._model.model.is_multilingual:
            return {"en": 1.0}
        from faster_whisper.audio import pad_or_trim

        # Half a minute is needed to transcribe; the language of a short turn is told by a tenth of the work.
        features = self._model.feature_extractor(waveform)
        frames = min(features.shape[-1] + _SILENT_FRAMES, self._model.feature_extractor.nb_max_frames)
        encoded = self._model.encode(pad_or_trim(features, max(_LEAST_FRAMES, frames)))
        return {token[2:-2]: probability for token, probability in self._model.model.detect_language(encoded)[0]}

    def check_language(self, language: str) -> None:
        known = self._model.supported_languages
        if language not in known:
            raise ConfigError(
                f"the transcriber {self.name} does not know this language",
                where=f"--language {language}",
                remedy=f"it knows {', '.join(known)}" if len(known) < 8 else "give another code, or another model",
            )

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        tokens = _LEAST_TOKENS + _TOKENS_PER_S * len(waveform) // SAMPLE_RATE_HZ
        segments, info = self._model.transcribe(
            waveform,
            language=language,
            beam_size=_BEAM,
            temperature=_TEMPERATURE,
            word_timestamps=True,
            max_new_tokens=tokens if tokens <= _MOST_TOKENS else None,
            condition_on_previous_text=False,  # a mistake would go on into the next segment
        )
        return [
            HeardSegment(
                words=words,
                language=language or info.language,
                no_speech=min(1.0, max(0.0, float(segment.no_speech_prob))),
                log_probability=float(segment.avg_logprob),
            )
            for segment in segments
            if (words := tuple(_word(w) for w in segment.words or () if w.word.strip()))
        ]


def _word(word: Any) -> Word:
    start_ms = max(0, round(1000 * word.start))
    confidence = float(word.probability)
    return Word(
        start_ms=start_ms,
        end_ms=max(start_ms, round(1000 * word.end)),
        text=word.word,
        confidence=min(1.0, max(0.0, confidence)) if math.isfinite(confidence) else None,
    )


def is_installed() -> bool:
    """Whether faster-whisper is installed; imports nothing."""
    return importlib.util.find_spec("faster_whisper") is not None


def is_model(folder: Path) -> bool:
    """Whether a folder looks like a Whisper model of CTranslate2."""
    return all((folder / name).is_file() for name in ("model.bin", "config.json"))


def whisper_fingerprint(name: str, *, folder: Path | None = None) -> str:
    """That of a model by name or of one in a folder, whose files have hashes by themselves; loads nothing."""
    which = "folder" if folder is not None else f"{name}@{cached_revision(NAMES.get(name, name), 'model.bin')}"
    return f"{PACKAGE}-{_version()}-{_RECIPE}-{which}"


def load_whisper(
    name: str, *, device: str, progress: Progress = no_progress, download: bool = True
) -> WhisperTranscriber:
    """A model by its name (``small``, ``owner/name``), from the hub's cache or downloaded; or from a folder.

    Args:
        name: a name of the table, ``owner/name``, or a folder.
        device: ``cpu`` or ``cuda``.
        progress: counts bytes of a download.
        download: whether it may be fetched.

    Raises:
        MissingExtraError, CheckpointError, ConfigError: see ``WhisperTranscriber`` and ``download_folder``.
    """
    require()
    path = Path(name)
    if path.is_dir():
        return WhisperTranscriber(
            path, name=path.name, fingerprint=whisper_fingerprint(name, folder=path), device=device
        )
    folder = download_folder(NAMES.get(name, name), FILES, progress=progress, download=download)
    return WhisperTranscriber(folder, name=name, fingerprint=whisper_fingerprint(name), device=device)


def require() -> None:
    """Raises MissingExtraError where faster-whisper is not installed."""
    if not is_installed():
        raise MissingExtraError("speech is transcribed by faster-whisper, which is not installed", extra="asr")


def _load(folder: Path, device: str) -> WhisperModel:
    require()
    from faster_whisper import WhisperModel

    kind, _, number = device.partition(":")
    device_index = int(number or 0)
    tries = ["cuda", "cpu"] if kind == "auto" and _gpus() else ["cpu" if kind == "auto" else kind]
    for place in tries:
        try:
            model = WhisperModel(
                str(folder),
                device=place,
                device_index=device_index if place == "cuda" else 0,
                compute_type="int8" if place == "cpu" else "float16",
                cpu_threads=_threads(),
                local_files_only=True,
            )
            if place == "cuda":
                _warm(model)  # missing libraries of CUDA show at the first layer only
        except (RuntimeError, ValueError, OSError, KeyError) as e:
            if place != tries[-1]:
                continue
            raise _refused(folder, place, e) from e
        else:
            return model
    raise AssertionError  # the last try returns or raises


def _warm(model: WhisperModel) -> None:
    import numpy as np

    model.detect_language(np.zeros(SAMPLE_RATE_HZ, np.float32))


def _refused(folder: Path, place: str, error: Exception) -> CheckpointError | ConfigError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
    if place == "cuda":
        return ConfigError(
            f"Whisper does not run on this GPU ({reason})",
            where="--device",
            remedy="use --device cpu, or install the CUDA libraries that CTranslate2 names",
        )
    return CheckpointError(
        f"not a Whisper model of faster-whisper ({reason})",
        where=folder,
        remedy="give a folder with model.bin, config.json and tokenizer.json",
    )


def _gpus() -> int:
    import ctranslate2

    try:
        return int(ctranslate2.get_cuda_device_count())
    except RuntimeError:
        return 0


def _threads() -> int:
    """As many as the user allows OpenMP, else as there are processors."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def _version() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


WHISPER = Engine(
    extra="asr",
    files=FILES,
    holds="model.bin and config.json (faster-whisper)",
    is_model=is_model,
    load=lambda name, device, download, progress: load_whisper(
        name, device=device, download=download, progress=progress
    ),
    fingerprint=lambda name: whisper_fingerprint(name, folder=Path(name) if Path(name).is_dir() else None),
)
