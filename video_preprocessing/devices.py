"""Where networks run: the one place that decides it, for isolation and for speech alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yuki_builder.errors import ConfigError

if TYPE_CHECKING:
    import torch


def choose_device(wanted: str) -> torch.device:
    """The device that ``wanted`` names: ``cpu``, ``cuda`` (or ``cuda:N``), or ``auto``, the best there is.

    Raises:
        ConfigError: another name, or a CUDA device that this machine does not have.
    """
    import torch

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = wanted.partition(":")
    if kind not in {"cpu", "cuda"} or (number and not (kind == "cuda" and number.isdecimal())):
        raise ConfigError(f"unknown device '{wanted}'", where="--device", remedy="choose auto, cpu or cuda")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device '{wanted}' is not available", where="--device", remedy="choose auto or cpu, or check the driver"
        )
    return torch.device(wanted)
