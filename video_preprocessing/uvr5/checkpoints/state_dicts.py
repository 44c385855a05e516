"""State dicts from files that strangers made: read without running anything, and understood from their shapes.

A ``.pth`` file is a pickle, and a pickle can run code. It is opened by PyTorch's restricted unpickler, which knows
tensors and plain containers and refuses everything else; a ``.safetensors`` file cannot hold anything else.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from yuki_builder.errors import CheckpointError

if TYPE_CHECKING:
    import torch

LARGEST_BYTES = 2 << 30
_LARGEST_WEIGHT = 1e12  # running variances of public networks reach a million

# Under these keys trainers nest the network's weights, beside the optimiser's and their own notes.
_NESTS = ("state_dict", "model_state_dict", "model", "net", "weights", "ema")
_PREFIXES = ("module.", "model.", "net.", "_orig_mod.")


@dataclass(frozen=True, slots=True)
class NetSizes:
    """What a state dict's shapes say of its network.

    Attributes:
        generation: ``5.0`` (``CascadedASPPNet``) or ``5.1`` (``CascadedNet``).
        nout: width of the last stage.
        nout_lstm: LSTM features; None in v5.0, which has none.
        bins: bins that the network sees; None in v5.0, whose weights fit any number.
    """

    generation: Literal["5.0", "5.1"]
    nout: int
    nout_lstm: int | None
    bins: int | None


def net_sizes(shapes: Mapping[str, tuple[int, ...]]) -> NetSizes | None:
    """The network that a state dict of these shapes belongs to; None: neither generation."""
    try:
        if "stg2_bridge.conv.0.weight" in shapes:
            return NetSizes("5.0", shapes["out.weight"][1], None, None)
        gates, bins = shapes["stg3_full_band_net.lstm_dec2.lstm.weight_ih_l0"]
        # Four gates, of half the features in each direction; the LSTM works at half the resolution.
        return NetSizes("5.1", shapes["out.weight"][1], gates // 2, 2 * bins)
    except (KeyError, IndexError, ValueError):
        return None


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a ``.pth`` or ``.safetensors`` file, in float32, and the metadata of the latter.

    Raises:
        CheckpointError: it is neither, is too large, or holds something other than one network's tensors.
    """
    import torch

    if path.stat().st_size > LARGEST_BYTES:
        raise CheckpointError("too large for a checkpoint of this family", where=path)
    metadata: dict[str, str] = {}
    if _is_pickle(path):
        state = _unwrapped(_read_pickle(path), path)
    else:
        state, metadata = _read_safetensors(path)
    held = sum(t.numel() * t.element_size() for t in state.values())
    if held > 2 * path.stat().st_size:  # views of a few bytes can pretend to be any size
        raise CheckpointError("claims more weights than the file has room for", where=path)
    state = {k: v.to(torch.float32) if v.is_floating_point() else v for k, v in state.items()}
    bad = next((key for key, value in state.items() if not _is_sound(value)), None)
    if bad is not None:
        raise CheckpointError(
            f"the weights {bad!r:.100} hold values that are not finite, or too large",
            where=path,
            remedy="get the checkpoint again; one that was trained here is to be trained again",
        )
    return state, metadata


def _is_sound(tensor: torch.Tensor) -> bool:
    """Whether a network can compute with it: one value that is none spoils the whole output."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    low, high = tensor.aminmax()
    return bool(low >= -_LARGEST_WEIGHT) and bool(high <= _LARGEST_WEIGHT)


def _is_pickle(path: Path) -> bool:
    """By its first bytes, since names lie: a zip archive, or a bare pickle of the time before those."""
    with path.open("rb") as file:
        head = file.read(9)
    if head[8:] == b"{":  # safetensors: the length of the header, then the header, which is JSON
        return False
    return zipfile.is_zipfile(path) or head[:1] == b"\x80"


def _read_pickle(path: Path) -> Any:
    import torch

    try:
        # Copied, not mapped: what a network has no use for any more, layer by layer, is then free at once, while pages
        # of a mapped file stay until the last of its tensors has gone.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=False)
    except Exception as e:  # what a hostile or broken file makes the reader raise has no end
        raise CheckpointError(
            "refused: not a file of tensors alone",
            where=path,
            remedy="nothing of it was run; get the checkpoint from its publisher, or as .safetensors",
        ) from e


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            return {key: file.get_tensor(key) for key in file.keys()}, dict(metadata)  # noqa: SIM118  (not a mapping)
    except (SafetensorError, OSError, ValueError) as e:
        raise CheckpointError(
            "neither a .safetensors nor a .pth checkpoint",
            where=path,
            remedy="download it again: the file may be incomplete",
        ) from e


def _unwrapped(content: Any, path: Path) -> dict[str, torch.Tensor]:
    """The innermost state dict, its keys without what wrappers put before them."""
    for _ in range(3):
        if not isinstance(content, Mapping) or _is_state_dict(content):
            break
        nests = [key for key in (*_NESTS, *content) if isinstance(content.get(key), Mapping) and content[key]]
        if not nests:
            break
        content = content[nests[0]]
    if not _is_state_dict(content):
        raise CheckpointError("holds no state dict of a network", where=path)
    state = dict(content)
    while prefix := next((p for p in _PREFIXES if all(key.startswith(p) for key in state)), None):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _is_state_dict(content: Any) -> bool:
    import torch

    return (
        isinstance(content, Mapping)
        and bool(content)
        and all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in content.items())
    )
