"""Models of sherpa-onnx in a folder: SenseVoice (zh, yue, en, ja, ko), Parakeet and other NeMo models.

What a folder holds is told by its files: an encoder, a decoder and a joiner are a transducer; one network is SenseVoice
where its table of tokens has languages, else a NeMo CTC network.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from video_preprocessing.transcription.transcriber import SAMPLE_RATE_HZ, Engine
from yuki_builder.errors import CheckpointError, ConfigError, MissingExtraError
from yuki_builder.records import FloatArray, HeardSegment, Word

PACKAGE = "sherpa-onnx"
_RECIPE = 1
_TOKENS = "tokens.txt"
_LONGEST_TOKEN_MS = 400  # tokens have a start only; the last before a pause would last until the next
_SENSE_VOICE_LANGUAGES = ("zh", "en", "ja", "ko", "yue")
_MARK = re.compile(r"<\|?[^<>|]*\|?>")


class SherpaTranscriber:
    """A model of sherpa-onnx.

    Args:
        folder: holds ``tokens.txt`` and the networks.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        MissingExtraError: sherpa-onnx is not installed.
        CheckpointError: the folder holds no such model, or a damaged one.
    """

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        if importlib.util.find_spec("sherpa_onnx") is None:
            raise MissingExtraError("this folder is a model of sherpa-onnx, which is not installed", extra="sherpa")
        self.name, self.fingerprint = folder.name, sherpa_fingerprint()
        self._folder = folder
        self._provider = "cuda" if device.startswith("cuda") else "cpu"
        self._is_sense_voice = "<|en|>" in _tokens(folder) and not _is_transducer(folder)
        self._recognizers: dict[str, Any] = {}
        self._recognizer("")

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        if not self._is_sense_voice:
            return {}
        heard = _MARK.sub(lambda m: m[0].strip("<|>"), self._decode(waveform, "").lang)
        return {heard: 1.0} if heard in _SENSE_VOICE_LANGUAGES else {}

    def check_language(self, language: str) -> None:
        if self._is_sense_voice and language not in _SENSE_VOICE_LANGUAGES:
            raise ConfigError(
                f"SenseVoice ({self.name}) does not know this language",
                where=f"--language {language}",
                remedy=f"it knows {', '.join(_SENSE_VOICE_LANGUAGES)}; choose another model",
            )

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        result = self._decode(waveform, (language or "") if self._is_sense_voice else "")
        words = words_of(result.tokens, result.timestamps, duration_ms=len(waveform) * 1000 // SAMPLE_RATE_HZ)
        return [HeardSegment(words, language)] if words else []

    def _decode(self, waveform: FloatArray, language: str) -> Any:
        recognizer = self._recognizer(language)
        stream = recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, waveform)
        recognizer.decode_stream(stream)
        return stream.result

    def _recognizer(self, language: str) -> Any:
        if language not in self._recognizers:
            try:
                self._recognizers[language] = self._build(language)
            except (RuntimeError, ValueError, OSError) as e:
                reason = (str(e).splitlines() or [type(e).__name__])[0][:160]
                raise CheckpointError(
                    f"not a model that sherpa-onnx can run ({reason})",
                    where=self._folder,
                    remedy="give a folder of SenseVoice or Parakeet",
                ) from e
        return self._recognizers[language]

    def _build(self, language: str) -> Any:
        from sherpa_onnx import OfflineRecognizer

        common = {
            "tokens": str(self._folder / _TOKENS),
            "num_threads": _threads(),
            "provider": self._provider,
        }
        if _is_transducer(self._folder):
            parts = {part: str(_network(self._folder, part)) for part in ("encoder", "decoder", "joiner")}
            return OfflineRecognizer.from_transducer(**parts, model_type="nemo_transducer", **common)
        model = str(_network(self._folder, ""))
        if self._is_sense_voice:
            return OfflineRecognizer.from_sense_voice(model=model, language=language, use_itn=True, **common)
        return OfflineRecognizer.from_nemo_ctc(model=model, **common)


def is_model(folder: Path) -> bool:
    """Whether a folder looks like a model of sherpa-onnx."""
    return (folder / _TOKENS).is_file() and _network(folder, "") is not None


def sherpa_fingerprint() -> str:
    """That of the engine; the files of the folder have hashes by themselves."""
    try:
        version = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return f"{PACKAGE}-{version}-{_RECIPE}"


def words_of(tokens: Sequence[str], starts_s: Sequence[float], *, duration_ms: int) -> tuple[Word, ...]:
    """Words from tokens that begin at these seconds. Pure.

    A token that begins with a space (or SentencePiece's mark for one) begins a word; others go on with it, except
    where letters without spaces (Chinese, Japanese) stand alone anyway.

    Args:
        tokens: pieces of words, as the recogniser gives them.
        starts_s: when each begins, in seconds.
        duration_ms: the length of the audio: where the last word ends.
    """
    words: list[Word] = []
    for k, (token, start_s) in enumerate(zip(tokens, starts_s, strict=False)):
        text = _MARK.sub("", token).replace("▁", " ")
        if not text:
            continue
        start_ms = min(duration_ms, max(0, round(1000 * start_s)))
        following_ms = round(1000 * starts_s[k + 1]) if k + 1 < len(starts_s) else duration_ms
        end_ms = max(start_ms, min(following_ms, start_ms + _LONGEST_TOKEN_MS, duration_ms))
        if words and not text.startswith(" ") and text.isascii():
            last = words[-1]
            words[-1] = Word(last.start_ms, max(last.end_ms, end_ms), last.text + text)
        else:
            words.append(Word(start_ms, end_ms, text))
    return tuple(word for word in words if word.text.strip())


def _tokens(folder: Path) -> str:
    return (folder / _TOKENS).read_text(encoding="utf-8", errors="replace")


def _is_transducer(folder: Path) -> bool:
    return _network(folder, "joiner") is not None


def _network(folder: Path, part: str) -> Path | None:
    """The file of a network; the one in 8 bits where there are several."""
    found = sorted(folder.glob(f"{part}*.onnx"), key=lambda path: ("int8" not in path.name, path.name))
    return found[0] if found else None


def _threads() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


SHERPA = Engine(
    extra="sherpa",
    files=("*.onnx", _TOKENS),
    holds="tokens.txt and *.onnx (sherpa-onnx)",
    is_model=is_model,
    load=lambda folder, device, _download, _progress: SherpaTranscriber(Path(folder), device=device),
    fingerprint=lambda _: sherpa_fingerprint(),
)
