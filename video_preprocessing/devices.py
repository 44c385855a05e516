"""Where networks run: the one place that decides it, for separation and for speech alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yuki_builder.errors import ConfigError

if TYPE_CHECKING:
    import torch


STEADY_ROWS = 16
"""A product of matrices of a multiple of so many rows has the same bits for any number of threads."""


def steady_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """``torch.nn.functional.linear`` with the same bits for any number of threads.

    The library of matrix products shares the rows out among the threads, and computes the last rows of a share that
    does not come out even in another order. Rows of zeros are added here until every share comes out even.

    Args:
        x: shape (…, n).
        weight: shape (m, n).
        bias: shape (m,).

    Returns:
        Shape (…, m).
    """
    from torch.nn import functional

    rows = x.reshape(-1, x.shape[-1])
    missing = -len(rows) % STEADY_ROWS
    if not missing or x.device.type != "cpu":
        return functional.linear(rows, weight, bias).reshape(*x.shape[:-1], -1)
    y = functional.linear(functional.pad(rows, (0, 0, 0, missing)), weight, bias)
    return y[: len(rows)].reshape(*x.shape[:-1], -1)


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
