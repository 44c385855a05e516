"""Resemblyzer as a speaker embedder: the default of earlier versions, an extra now."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_preprocessing.devices import choose_device
from video_preprocessing.speech.audio import SAMPLE_RATE_HZ
from video_preprocessing.speech.embedding import unit_rows
from yuki_builder.errors import MissingExtraError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    from resemblyzer import VoiceEncoder

LOUDNESS_DB = -30.0
"""Level that every waveform is brought to, dB relative to full scale (Resemblyzer's own target)."""

_SILENCE_RMS = 1e-5  # -100 dB: below the last bit of 16-bit audio
_WINDOW_SAMPLES = int(1.6 * SAMPLE_RATE_HZ)  # what Resemblyzer was trained on
_WINDOWS_PER_S = 1.3
_MIN_COVERAGE = 0.75
_BATCH_WINDOWS = 128
_RECIPE = 1  # of what is done to the audio before the network; raised when the same audio gets other vectors


class ResemblyzerEmbedder:
    """Resemblyzer's GE2E encoder: 256 dimensions, weights in its package.

    A waveform is brought to one loudness and cut into overlapping windows of 1.6 s; its vector is the
    normalised mean of the windows' vectors, as in Resemblyzer's ``embed_utterance``. Two things differ from
    Resemblyzer's own preprocessing, both measured on five voices: loud waveforms are brought down as well as
    quiet ones up (the network sees plain power, so its vectors depend on level), and what is shorter than one
    window is repeated instead of filled up with silence (0.5 s of speech: 89 % right instead of 76 %). Pauses
    are not cut out here: callers pass speech.

    Source: https://github.com/resemble-ai/Resemblyzer; Wan et al. 2018, arXiv:1710.10467.
    """

    name = "resemblyzer"
    dim = 256

    def __init__(self, *, device: str = "auto") -> None:
        voice_encoder = _import_voice_encoder()
        # torch.load's default since 2.6 is weights_only=True: the packaged file is read as tensors, not as code.
        self._encoder: VoiceEncoder = voice_encoder(device=choose_device(device), verbose=False).eval()
        self.fingerprint = resemblyzer_fingerprint()

    def embed(self, waveform: FloatArray) -> FloatArray:
        vector: FloatArray = self.embed_many([waveform])[0]
        return vector

    def embed_many(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        windows: list[FloatArray] = []
        owners: list[int] = []
        sums = np.zeros((len(waveforms), self.dim), np.float64)
        for i, waveform in enumerate(waveforms):
            for window in self._windows(waveform):
                windows.append(window)
                owners.append(i)
                if len(windows) == _BATCH_WINDOWS:
                    np.add.at(sums, owners, self._forward(windows))
                    windows, owners = [], []
        if windows:
            np.add.at(sums, owners, self._forward(windows))
        return unit_rows(sums)

    def _windows(self, waveform: FloatArray) -> Iterable[FloatArray]:
        """Mel spectrograms of shape (160, 40), one per window; none for silence."""
        from resemblyzer.audio import wav_to_mel_spectrogram

        prepared = at_one_loudness(waveform)
        if not len(prepared):
            return
        wave_slices, mel_slices = self._encoder.compute_partial_slices(len(prepared), _WINDOWS_PER_S, _MIN_COVERAGE)
        missing = wave_slices[-1].stop - len(prepared)
        mel = wav_to_mel_spectrogram(np.pad(prepared, (0, max(0, missing))))
        for part in mel_slices:
            yield mel[part]

    def _forward(self, windows: list[FloatArray]) -> FloatArray:
        import torch

        with torch.inference_mode():
            vectors: FloatArray = (
                self._encoder(torch.from_numpy(np.stack(windows)).to(self._encoder.device)).cpu().numpy()
            )
        # The network ends in a rectifier: all zeros, divided by their length, are no numbers.
        return np.nan_to_num(vectors, nan=0.0)


def at_one_loudness(waveform: FloatArray) -> FloatArray:
    """The waveform at ``LOUDNESS_DB`` and at least one window long; empty where it is silent.

    What is no number is taken as silence, and full scale is the most a sample can be.
    """
    wave: FloatArray = np.clip(np.nan_to_num(waveform, nan=0.0), -1.0, 1.0).astype(np.float32)
    rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if len(wave) else 0.0
    if rms < _SILENCE_RMS:
        return np.zeros(0, np.float32)
    if len(wave) < _WINDOW_SAMPLES:
        wave = np.resize(wave, _WINDOW_SAMPLES)  # numpy's resize repeats
    scaled: FloatArray = wave * np.float32(10 ** (LOUDNESS_DB / 20) / rms)
    return scaled


def _import_voice_encoder() -> type[VoiceEncoder]:
    # Below resemblyzer, webrtcvad reads its own version through pkg_resources, which announces its end.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*pkg_resources.*", category=UserWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        try:
            from resemblyzer import VoiceEncoder
        except ImportError as e:
            raise _missing() from e
    encoder: type[VoiceEncoder] = VoiceEncoder
    return encoder


def resemblyzer_fingerprint() -> str:
    """The fingerprint of the installed package's weights; the package is not imported.

    Raises:
        MissingExtraError: it is not installed.
    """
    spec = importlib.util.find_spec("resemblyzer")
    folders = spec.submodule_search_locations if spec is not None else None
    weights = Path(folders[0]) / "pretrained.pt" if folders else None
    if weights is None or not weights.is_file():
        raise _missing()
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"resemblyzer-{metadata.version('resemblyzer')}-{digest[:16]}-{_RECIPE}"


def _missing() -> MissingExtraError:
    return MissingExtraError("the embedder resemblyzer is a package that is not installed", extra="resemblyzer")
