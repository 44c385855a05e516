"""What a transcriber is: waveforms in, words with times out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from yuki_builder.records import FloatArray, HeardSegment, Progress

SAMPLE_RATE_HZ = 16_000
SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
LONGEST_S = 28.0
"""A waveform handed to a transcriber is no longer: Whisper hears 30 s at once."""


class Transcriber(Protocol):
    """Speech to text, a stretch of half a minute at a time."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same audio could be heard otherwise."""
        ...

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        """How probable each language is (codes such as ``ja``); empty where the engine does not tell beforehand.

        Args:
            waveform: shape (samples,), float32, 16 kHz.
        """
        ...

    def check_language(self, language: str) -> None:
        """Raises ConfigError for a language that the model does not know."""
        ...

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        """What is said, in order of time; times are milliseconds from the start of ``waveform``.

        Args:
            waveform: shape (samples,), float32, 16 kHz, at most ``LONGEST_S`` seconds.
            language: a code such as ``ja``; None: the engine finds out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs transcribers of a kind: a row of ``transcribers.ENGINES``.

    Attributes:
        extra: the extra that brings it.
        files: of a model, as patterns: first that of the weights, then one more that is always there.
        holds: what a folder with such a model has, in words.
        is_model: whether a folder holds one.
        load: the transcriber of a name or folder, on a device; whether it may be fetched, and who is told how far
            that is.
        fingerprint: of a name or folder; see ``Transcriber``. Loads and fetches nothing.
    """

    extra: str
    files: tuple[str, ...]
    holds: str
    is_model: Callable[[Path], bool]
    load: Callable[[str, str, bool, Progress], Transcriber]
    fingerprint: Callable[[str], str]
