"""Checkpoints by name or file: the project's own, and every public one of the UVR5 "VR" family.

The project's own are ``.safetensors`` files whose header says what network they hold: the weights in half
precision, and as JSON the network's sizes and its signal path. Public ones say nothing of themselves. Their
generation and sizes are read off the weights' shapes, their band plan and what their outputs are come from the
registry (by hash or name), and what neither knows is inferred, or the user says it.

Free of torch until a checkpoint is loaded: a run names and fingerprints them long before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from video_preprocessing.uvr5.checkpoints.downloads import (
    cached_path,
    get_model,
    sha256_of,
)
from video_preprocessing.uvr5.checkpoints.identification import SHIPPED, identify
from video_preprocessing.uvr5.checkpoints.registry import KnownModel, Voice, find_model, similar_names
from video_preprocessing.uvr5.signal.path import SignalPath
from yuki_builder.errors import CheckpointError, ConfigError
from yuki_builder.records import Progress, Record, no_progress
from yuki_builder.untrusted import parse_json

if TYPE_CHECKING:
    import torch

    from video_preprocessing.uvr5.checkpoints.state_dicts import NetSizes
    from video_preprocessing.uvr5.network.nets import CascadedNet
    from video_preprocessing.uvr5.network.nets_v50 import CascadedASPPNet
    from video_preprocessing.uvr5.signal.band_plan import BandPlan

FORMAT = "yuki-uvr5/1"
_METADATA_KEY = "yuki"


@dataclass(frozen=True, slots=True)
class NetConfig(Record):
    """What rebuilds the network of one of the project's own checkpoints.

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
        from video_preprocessing.uvr5.network.nets import CascadedNet

        return CascadedNet(self.path.n_fft, self.nout, self.nout_lstm)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        name: as the user gave it.
        generation: of the network, ``5.0`` or ``5.1``.
        path: what surrounds it: a ``SignalPath`` (the project's own) or a ``BandPlan`` (public ones).
        voice: where the voice is: in what the ``mask`` gives, or in the ``residual`` of the mixture.
        stems: what the mask gives, and what the residual is.
        state: state dict, float32. Networks built from it share its tensors.
        sha256: of the file.
        model: the public model it is, where the registry knows it.
        own: what the header of one of the project's own says.
        assumed: what neither the file, nor the registry, nor the user said; for people, a sentence each.
    """

    name: str
    generation: Literal["5.0", "5.1"]
    path: SignalPath | BandPlan
    voice: Voice
    stems: tuple[str, str]
    state: dict[str, torch.Tensor]
    sha256: str
    model: KnownModel | None = None
    own: NetConfig | None = None
    assumed: tuple[str, ...] = ()

    @property
    def config(self) -> NetConfig:
        """The header of one of the project's own checkpoints.

        Raises:
            CheckpointError: it is a public one.
        """
        if self.own is None:
            raise CheckpointError("a public checkpoint, which cannot serve here", where=self.name)
        return self.own

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the state dict's tensors."""
        return {key: tuple(value.shape) for key, value in self.state.items()}

    @property
    def sizes(self) -> NetSizes:
        """What the shapes say of the network."""
        return _sizes(self.shapes, self.name)

    def build(self) -> CascadedNet | CascadedASPPNet:
        """The network with these weights, in evaluation mode.

        Raises:
            CheckpointError: weights and sizes do not belong together.
        """
        import torch

        # Without weights of its own: nothing is drawn only to be overwritten, and shapes that a hostile
        # file claims cost no memory before they have been compared.
        try:
            with torch.device("meta"):
                net = self._empty_net()
            net.load_state_dict(self.state, strict=True, assign=True)
        except (RuntimeError, ValueError, KeyError, IndexError, ZeroDivisionError) as e:
            detail = str(e).splitlines()[1].strip() if "\n" in str(e) else str(e)
            raise CheckpointError(f"weights do not fit the network they name ({detail})", where=self.name) from e
        return net.eval()

    def _empty_net(self) -> CascadedNet | CascadedASPPNet:
        if self.own is not None:
            return self.own.build()
        sizes = self.sizes
        if sizes.generation == "5.0":
            from video_preprocessing.uvr5.network.nets_v50 import CascadedASPPNet

            return CascadedASPPNet.from_shapes(self.shapes, 2 * cast("BandPlan", self.path).bins)
        from video_preprocessing.uvr5.network.nets import CascadedNet

        assert sizes.bins is not None and sizes.nout_lstm is not None
        return CascadedNet(2 * sizes.bins, sizes.nout, sizes.nout_lstm)


def shipped_names() -> list[str]:
    """Checkpoints that come with the project, by name."""
    return sorted(f.stem for f in SHIPPED.glob("*.safetensors"))


def parse_chain(separators: str) -> list[str]:
    """The models of ``HP5+DeEcho-Normal``, in the order they work.

    A plus sign that belongs to the name of a file or model does not part two models.

    Raises:
        ConfigError: a model without a name, or ``none`` as one of several.
    """
    pieces, names, start = separators.split("+"), [], 0
    while start < len(pieces):
        ends = range(len(pieces), start, -1)
        whole = ("+".join(pieces[start:end]) for end in ends)
        end = next((e for e, name in zip(ends, whole, strict=True) if _exists(name)), start + 1)
        names.append("+".join(pieces[start:end]).strip())
        start = end
    if not all(names) or (len(names) > 1 and "none" in names):
        raise ConfigError(
            f"{separators!r} is not a chain of separators",
            where="--separator",
            remedy="join names or paths by a plus sign: HP5+DeEcho-Normal",
        )
    return names


def is_mdx(name_or_path: str | Path) -> bool:
    """Whether that is an MDX-Net, to be loaded by ``mdx.MdxNet``, and no VR network."""
    model = None if Path(name_or_path).is_file() else find_model(str(name_or_path))
    return model.architecture == "mdx-net" if model else Path(name_or_path).suffix.lower() == ".onnx"


def find_checkpoint(name_or_path: str | Path, *, download: bool = True, progress: Progress = no_progress) -> Path:
    """The file of a checkpoint: a shipped one, the path given, or a public one's place in the cache.

    Args:
        name_or_path: a name of ``shipped_names`` or of the registry, or a file.
        download: fetch a public one that is not in the cache yet; otherwise that is an error.
        progress: of the download, in bytes.

    Raises:
        CheckpointError: there is none, or it cannot be had.
    """
    if str(name_or_path) in shipped_names():
        return SHIPPED / f"{name_or_path}.safetensors"
    path = Path(name_or_path)
    if path.is_file():
        return path
    model = find_model(str(name_or_path))
    if model is None:
        near = similar_names(str(name_or_path), among=tuple(shipped_names()))
        raise CheckpointError(
            "no such separator",
            where=path,
            remedy=f"did you mean {' or '.join(near)}?"
            if near
            else f"give {', '.join(shipped_names()) or '(none shipped)'}, none, a name that "
            "`run_pipeline.py models list` shows, or the path of a checkpoint",
        )
    if download or cached_path(model).is_file():
        return get_model(model, progress=progress)
    raise CheckpointError(
        "not downloaded yet", where=model.name, remedy=f"get it with: run_pipeline.py models get {model.name}"
    )


def load_checkpoint(
    name_or_path: str | Path,
    *,
    band_plan: str | Path | None = None,
    voice: Voice | None = None,
    progress: Progress = no_progress,
) -> Checkpoint:
    """Reads a checkpoint by name or from a file; a public one that is not in the cache is downloaded.

    Args:
        name_or_path: see ``find_checkpoint``.
        band_plan: a public checkpoint's band plan, by name or as a JSON file, over what is known or inferred.
        voice: where the voice is, over what is known: in what the ``mask`` gives, or in the ``residual``.
        progress: of a download, in bytes.

    Raises:
        CheckpointError: it cannot be had or read, is of no network of this family, or has a band plan that
            nothing tells.
    """
    from video_preprocessing.uvr5.checkpoints.state_dicts import read_state

    if is_mdx(name_or_path):
        raise CheckpointError("an MDX-Net, which cannot be loaded as a VR network", where=name_or_path)
    path = find_checkpoint(name_or_path, progress=progress)
    state, metadata = read_state(path)
    name, sha256 = str(name_or_path), sha256_of(path)
    if _METADATA_KEY in metadata:
        own = _read_config(metadata, path)
        stems = ("vocals", "accompaniment")
        if (voice or ("mask" if own.primary == "vocals" else "residual")) == "residual":
            stems = ("accompaniment", "vocals")
        kept: Voice = "mask" if stems[0] == "vocals" else "residual"
        return Checkpoint(name, "5.1", own.path, kept, stems, state, sha256, own=own)
    sizes = _sizes({key: tuple(value.shape) for key, value in state.items()}, name)
    found = identify(path, sizes, sha256=sha256, band_plan=band_plan, voice=voice)
    return Checkpoint(
        name,
        sizes.generation,
        found.plan,
        found.voice,
        found.stems,
        state,
        sha256,
        model=found.model,
        assumed=found.assumed,
    )


def save_checkpoint(path: Path, config: NetConfig, state: dict[str, torch.Tensor]) -> None:
    """Writes a checkpoint; floating-point weights in half precision.

    Args:
        path: a ``.safetensors`` file.
        config: sizes, signal path and notes; they travel with the weights.
        state: weights by name, of the shapes that the sizes give.

    Raises:
        OSError: the file cannot be written.
    """
    import torch
    from safetensors.torch import save_file

    half = {k: (v.to(torch.float16) if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()}
    header = json.dumps({"format": FORMAT, **config.to_dict()}, sort_keys=True)
    save_file(half, path, metadata={_METADATA_KEY: header})


def _exists(name: str) -> bool:
    """Whether a name that may hold a plus sign is that of one thing."""
    name = name.strip()
    if not name or Path(name).is_file() or name in shipped_names():
        return bool(name)
    model = find_model(name)
    return model is not None and ("+" not in name or name.removesuffix(".pth") in model.names)


def _sizes(shapes: Mapping[str, tuple[int, ...]], name: str) -> NetSizes:
    from video_preprocessing.uvr5.checkpoints.state_dicts import net_sizes

    sizes = net_sizes(shapes)
    if sizes is None:
        raise CheckpointError(
            "a file of weights, but not of a UVR5 VR network",
            where=name,
            remedy="v5.0 and v5.1 networks are read, and the project's own, which "
            "python -m video_preprocessing.uvr5.train makes",
        )
    return sizes


def _read_config(metadata: Mapping[str, Any], path: Path) -> NetConfig:
    try:
        header = parse_json(metadata[_METADATA_KEY])
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
