"""Silero VAD's network for 16 kHz, run over whole blocks of frames at once.

The ``silero-vad`` package ships the weights; its own loader goes through TorchScript (deprecated in torch),
sets torch's thread count for the whole process on import, and calls the network once per 32 ms. The network
itself is small: a short-time Fourier transform as a convolution, four convolutions, a recurrent cell that
carries its state from frame to frame, and one output. Only that state depends on the frames before, so all
frames of a block go through the convolutions together and through the recurrent cell as one sequence.

Source: https://github.com/snakers4/silero-vad (MIT).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuki_builder.errors import InternalError
from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import nn

FRAME_SAMPLES = 512
"""Samples per probability, at 16 kHz: 32 ms."""

_CONTEXT_SAMPLES = 64
_PAD_SAMPLES = 64
_FFT_SAMPLES = 256
_HOP_SAMPLES = 128
_HIDDEN = 128
_STRIDES = (1, 2, 2, 1)
_WEIGHTS = "silero_vad_16k.safetensors"


def weights_path() -> Path:
    """Where the installed ``silero-vad`` package keeps the weights; the package itself is not imported."""
    spec = importlib.util.find_spec("silero_vad")
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(folders[0]) / "data" / _WEIGHTS if folders else None
    if path is None or not path.is_file():
        raise InternalError(
            "the weights of Silero VAD are missing",
            where=_WEIGHTS,
            remedy="install the requirements again: pip install -r requirements.txt",
        )
    return path


class SileroStream:
    """Speech probabilities of one stream of audio; give it the frames in order."""

    def __init__(self, weights: dict[str, torch.Tensor] | None = None) -> None:
        """Args:
        weights: the network's tensors by name; the packaged ones where left out.
        """
        import torch
        from safetensors.torch import load_file

        self._weights = load_file(weights_path()) if weights is None else weights
        self._recurrent = _lstm(self._weights)
        self._context = torch.zeros(_CONTEXT_SAMPLES)
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None

    def probabilities(self, frames: FloatArray) -> FloatArray:
        """How probable speech is in each of the next frames.

        Args:
            frames: shape (n, 512), 16 kHz, -1..1; they follow on those of the last call.

        Returns:
            Shape (n,), float32, 0..1.
        """
        import torch

        if not len(frames):
            return np.zeros(0, np.float32)
        with torch.inference_mode():
            new = torch.from_numpy(np.ascontiguousarray(frames))
            before = torch.cat([self._context[None], new[:-1, -_CONTEXT_SAMPLES:]])
            self._context = new[-1, -_CONTEXT_SAMPLES:]
            hidden, self._state = self._recurrent(self._encode(torch.cat([before, new], dim=1)), self._state)
            scores = hidden.relu() @ self._weights["final_conv.weight"][0, :, 0] + self._weights["final_conv.bias"]
            probabilities: FloatArray = scores.sigmoid().numpy()
        return probabilities

    def _encode(self, frames: torch.Tensor) -> torch.Tensor:
        """Shape (n, 64 + 512) to (n, 128)."""
        from torch.nn import functional

        w = self._weights
        x = functional.pad(frames[:, None], (0, _PAD_SAMPLES), mode="reflect")
        x = functional.conv1d(x, w["stft_conv.weight"], stride=_HOP_SAMPLES)
        bins = _FFT_SAMPLES // 2 + 1
        x = (x[:, :bins].square() + x[:, bins:].square()).sqrt()
        # (n, 129, 4): magnitudes of four short windows
        for i, stride in enumerate(_STRIDES, start=1):
            x = functional.conv1d(x, w[f"conv{i}.weight"], w[f"conv{i}.bias"], stride=stride, padding=1).relu()
        return x[..., 0]


def _lstm(weights: dict[str, torch.Tensor]) -> nn.LSTM:
    """A one-layer LSTM over a sequence with the weights of the network's recurrent cell."""
    from torch import nn

    lstm = nn.LSTM(_HIDDEN, _HIDDEN)
    prefix = "lstm_cell."
    lstm.load_state_dict({f"{k.removeprefix(prefix)}_l0": v for k, v in weights.items() if k.startswith(prefix)})
    return lstm
