"""Speaker embedders as ONNX files: those of WeSpeaker and 3D-Speaker (filterbank in), and ReDimNet2 (waveform in).

What a file wants is told by its input: (n, frames, 80) are filterbank features, (n, samples) or (n, 1, samples) is a
waveform. WeSpeaker calls its input ``feats`` and was trained on features with a Hamming window; 3D-Speaker's are as
Kaldi's default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from video_preprocessing.devices import choose_device
from video_preprocessing.speech.audio import SAMPLE_RATE_HZ
from video_preprocessing.speech.embedding import MAX_FRAMES, MIN_FRAMES, equal_parts, mean_of_parts, prepare
from video_preprocessing.speech.filterbank import HOP_SAMPLES, MEL_BINS, log_mel_filterbank
from yuki_builder.errors import CheckpointError, ConfigError, MissingExtraError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import onnxruntime

_RECIPE = 1  # of what is done to the audio before the network; raised when the same audio gets other vectors
_WESPEAKER_INPUT = "feats"
_HUB_TIMEOUT_S = 20
_GRID_SAMPLES = SAMPLE_RATE_HZ // 5


class OnnxEmbedder:
    """A speaker embedder in an ONNX file.

    Args:
        path: the file.
        device: ``auto``, ``cpu`` or ``cuda``; a GPU is used where onnxruntime has its provider.

    Raises:
        CheckpointError: the file is no ONNX model, or none that turns features or a waveform into one vector.
        MissingExtraError: onnxruntime is not installed.
    """

    def __init__(self, path: Path, *, device: str = "auto") -> None:
        self.name = path.stem
        self._path = path
        self._session = _session(path, device)
        self._takes_features, self._mel_window, self._one_by_one = self._signature()
        self.fingerprint = onnx_fingerprint(path)
        try:
            probe = self._forward([self._part(np.sin(np.arange(SAMPLE_RATE_HZ, dtype=np.float32) / 9))])
        except Exception as e:  # onnxruntime raises classes of its own that share no root but this
            raise self._refused(f"the network fails on one second of sound ({_first_line(e)})") from e
        if probe.ndim != 2 or len(probe) != 1 or not 8 <= probe.shape[1] <= 8192 or not np.isfinite(probe).all():
            raise self._refused(f"a vector per voice is expected, the network gives shape {probe.shape}")
        self.dim = int(probe.shape[1])

    def embed(self, waveform: FloatArray) -> FloatArray:
        vector: FloatArray = self.embed_many([waveform])[0]
        return vector

    def embed_many(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        return mean_of_parts([self._parts(w) for w in waveforms], lambda batches: map(self._forward, batches), self.dim)

    def _signature(self) -> tuple[bool, str, bool]:
        """Whether features go in, the window they are made with, and whether only one at a time."""
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)":
            raise self._refused("one input of float32 is expected: features or a waveform")
        shape = list(inputs[0].shape)
        one_by_one = isinstance(shape[0], int) if shape else False
        if len(shape) == 3 and shape[2] == MEL_BINS:
            return True, "hamming" if inputs[0].name == _WESPEAKER_INPUT else "povey", one_by_one
        if len(shape) == 2 or (len(shape) == 3 and shape[1] == 1):
            return False, "", one_by_one
        raise self._refused(
            f"an input of shape (n, frames, {MEL_BINS}) or (n, samples) is expected, not {tuple(shape)}"
        )

    def _parts(self, waveform: FloatArray) -> list[FloatArray]:
        wave = prepare(waveform)
        if self._takes_features:
            mel = log_mel_filterbank(wave, window=self._mel_window)
            return equal_parts(mel - mel.mean(0)) if len(mel) else []
        if not len(wave):
            return []
        count = -(-len(wave) // (MAX_FRAMES * HOP_SAMPLES))
        parts = []
        for piece in np.array_split(wave, count):
            samples = max(MIN_FRAMES * HOP_SAMPLES, -(-len(piece) // _GRID_SAMPLES) * _GRID_SAMPLES)
            parts.append(np.resize(piece, samples)[:, None])  # a column, as features are: shape (samples, 1)
        return parts

    def _part(self, waveform: FloatArray) -> FloatArray:
        return self._parts(waveform)[0]

    def _forward(self, parts: list[FloatArray]) -> FloatArray:
        given = np.stack(parts)
        wanted = self._session.get_inputs()[0]
        if not self._takes_features:
            given = given[..., 0] if len(wanted.shape) == 2 else given.transpose(0, 2, 1)
        batches = [given[k : k + 1] for k in range(len(given))] if self._one_by_one else [given]
        output = self._session.get_outputs()[0].name
        found = [np.asarray(self._session.run([output], {wanted.name: batch})[0]) for batch in batches]
        vectors: FloatArray = np.concatenate(found).astype(np.float32)
        return vectors

    def _refused(self, what: str) -> CheckpointError:
        return CheckpointError(
            f"not a speaker embedder: {what}",
            where=self._path,
            remedy="models of WeSpeaker, 3D-Speaker and ReDimNet2 are known to work",
        )


def onnx_fingerprint(path: Path) -> str:
    """The fingerprint of an embedder in an ONNX file; the model is not loaded."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        raise CheckpointError("cannot be read", where=path, remedy=e.strerror) from e
    return f"onnx-{digest[:16]}-{_RECIPE}"


def hub_file(name: str) -> Path:
    """The ONNX file of a repository on Hugging Face (``owner/name``), from the cache or fetched.

    Raises:
        ConfigError: no such repository, no network, or no single ONNX file in it.
    """
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    where = f"--embedder {name}"
    for usual in ("model.onnx", "onnx/model.onnx"):
        try:
            cached = try_to_load_from_cache(name, usual)
        except HFValidationError as e:
            raise ConfigError("not the name of a repository", where=where, remedy="give owner/name") from e
        if isinstance(cached, str):
            return Path(cached)
    try:
        # A single request: listing the files would be tried six times before a missing network is believed.
        siblings = HfApi().model_info(name, timeout=_HUB_TIMEOUT_S).siblings or ()
        files = [sibling.rfilename for sibling in siblings if sibling.rfilename.lower().endswith(".onnx")]
        whole = [file for file in files if not any(kind in file for kind in ("int8", "quant", "fp16", "q4", "uint8"))]
        named = [file for file in whole if Path(file).name == "model.onnx"]
        chosen = named if len(named) == 1 else whole
        if len(chosen) != 1:
            found = ", ".join(sorted(files)[:4]) or "none"
            raise ConfigError(
                f"one ONNX file is expected in the repository, found: {found}",
                where=where,
                remedy="download the one that you want and give it as FILE.onnx",
            )
        return Path(hf_hub_download(name, chosen[0]))
    except ConfigError:
        raise
    except Exception as e:  # errors of the hub and of its HTTP client, whose package differs between its versions
        status = getattr(getattr(e, "response", None), "status_code", None)
        reason = "no such repository, or it asks for a token" if status in (401, 403, 404) else "cannot be reached"
        raise ConfigError(
            f"{reason} on Hugging Face", where=where, remedy="check the name and the network, or give FILE.onnx"
        ) from e


def _session(path: Path, device: str) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError as e:
        raise MissingExtraError("speaker embedders in ONNX files run on ONNX Runtime", extra="onnx") from e
    providers: list[Any] = ["CPUExecutionProvider"]
    if choose_device(device).type == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as e:  # see above
        raise CheckpointError(
            f"not an ONNX model ({_first_line(e)})", where=path, remedy="give the file of a speaker embedder"
        ) from e


def _first_line(e: Exception) -> str:
    return (str(e).splitlines() or [type(e).__name__])[0][:160]
