"""The project's own checkpoints: one ``.safetensors`` file that says what network it holds.

The weights lie there in half precision; the header's metadata holds, as JSON, the network's sizes and its signal
path. Such a file can neither run code nor name a class: whatever it says is checked against what this module
knows. Pickled checkpoints are refused without being opened.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from video_preprocessing.uvr5.plan import SignalPath
from yuki_builder.errors import CheckpointError
from yuki_builder.records import Record

if TYPE_CHECKING:
    import torch

    from video_preprocessing.uvr5.nets import CascadedNet

SHIPPED = Path(__file__).parent / "models"
FORMAT = "yuki-uvr5/1"
_METADATA_KEY = "yuki"
_LARGEST_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class NetConfig(Record):
    """What rebuilds the network of a checkpoint.

    Attributes:
        nout: width, see ``CascadedNet``.
        nout_lstm: LSTM features.
        path: signal path around it.
        primary: the stem that the mask gives, ``vocals`` or ``accompaniment``.
        notes: where it comes from, for people.
    """

    nout: int
    nout_lstm: int
    path: SignalPath = field(default_factory=SignalPath)
    primary: str = "vocals"
    notes: str = ""

    def __post_init__(self) -> None:
        if self.primary not in ("vocals", "accompaniment"):
            raise ValueError(f"primary stem {self.primary!r} is neither vocals nor accompaniment")
        if not (4 <= self.nout <= 512 and 4 <= self.nout_lstm <= 4096):
            raise ValueError(f"no network is {self.nout} wide with {self.nout_lstm} LSTM features")

    def build(self) -> CascadedNet:
        """The network with fresh weights."""
        from video_preprocessing.uvr5.nets import CascadedNet

        return CascadedNet(self.path.n_fft, self.nout, self.nout_lstm)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        name: as the user gave it.
        config: sizes and signal path.
        state: state dict, float32.
        sha256: of the file.
    """

    name: str
    config: NetConfig
    state: dict[str, torch.Tensor]
    sha256: str

    def build(self) -> CascadedNet:
        """The network with these weights, in evaluation mode.

        Raises:
            CheckpointError: weights and sizes do not belong together.
        """
        net = self.config.build()
        try:
            net.load_state_dict(self.state, strict=True)
        except RuntimeError as e:
            detail = str(e).splitlines()[1].strip() if "\n" in str(e) else str(e)
            raise CheckpointError(f"weights do not fit the network it names ({detail})", where=self.name) from e
        return net.eval()


def shipped_names() -> list[str]:
    """Checkpoints that come with the project, by name."""
    return sorted(f.stem for f in SHIPPED.glob("*.safetensors"))


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The file of a shipped checkpoint, or the path given.

    Raises:
        CheckpointError: there is none.
    """
    if str(name_or_path) in shipped_names():
        return SHIPPED / f"{name_or_path}.safetensors"
    path = Path(name_or_path)
    if not path.is_file():
        raise CheckpointError(
            "no such separator",
            where=path,
            remedy=f"give one of {', '.join(shipped_names()) or '(none shipped)'}, none, or the path of a checkpoint",
        )
    return path


def load_checkpoint(name_or_path: str | Path) -> Checkpoint:
    """Reads a checkpoint by name or from a file.

    Raises:
        CheckpointError: not there, not a safetensors file, or not of a network of this project.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    path = find_checkpoint(name_or_path)
    if path.stat().st_size > _LARGEST_BYTES:
        raise CheckpointError("too large for a checkpoint of this family", where=path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (not a mapping)
    except (SafetensorError, OSError, ValueError) as e:
        raise CheckpointError(
            "not a .safetensors checkpoint",
            where=path,
            remedy=f"this version reads the project's own checkpoints ({', '.join(shipped_names())}); "
            "pickled .pth files are never opened",
        ) from e
    config = _read_config(metadata, path)
    state = {k: v.to(torch.float32) if v.is_floating_point() else v for k, v in state.items()}
    return Checkpoint(str(name_or_path), config, state, hashlib.sha256(path.read_bytes()).hexdigest())


def save_checkpoint(path: Path, config: NetConfig, state: dict[str, torch.Tensor]) -> None:
    """Writes a checkpoint; floating-point weights in half precision."""
    import torch
    from safetensors.torch import save_file

    half = {k: (v.to(torch.float16) if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()}
    header = json.dumps({"format": FORMAT, **config.to_dict()}, sort_keys=True)
    save_file(half, path, metadata={_METADATA_KEY: header})


def _read_config(metadata: dict[str, Any], path: Path) -> NetConfig:
    try:
        header = json.loads(metadata[_METADATA_KEY])
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r}")
        return NetConfig.from_dict(header)
    except (KeyError, TypeError, ValueError) as e:
        raise CheckpointError(
            "a .safetensors file, but not a checkpoint of this project",
            where=path,
            remedy=f"its header has no readable {_METADATA_KEY!r} entry ({e}); train one with "
            "python -m video_preprocessing.uvr5.train",
        ) from e
