"""A trained network made ready to run: where, and without what only training needs."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from video_preprocessing.uvr5.layers import Conv2DBNActiv
from yuki_builder.errors import ConfigError

Net = TypeVar("Net", bound=nn.Module)


def pick_device(device: str) -> torch.device:
    """``auto`` is CUDA where there is one; else ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        ConfigError: CUDA is asked for and there is none, or the name is unknown.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        picked = torch.device(device)
    except RuntimeError as e:
        raise ConfigError(f"unknown device {device!r}", where="--device", remedy="use auto, cpu or cuda") from e
    if picked.type == "cuda" and (picked.index or 0) >= torch.cuda.device_count():
        raise ConfigError("no such CUDA device is usable here", where=f"--device {device}", remedy="use auto or cpu")
    return picked


def fold_batch_norms(net: Net) -> Net:
    """Multiplies every batch normalisation into the convolution before it; the output stays the same.

    In place; the network must be in evaluation mode and cannot be trained or saved by name afterwards.
    """
    for block in net.modules():
        if isinstance(block, Conv2DBNActiv):
            convolution, norm, activation = block.conv
            assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            block.conv = nn.Sequential(fuse_conv_bn_eval(convolution, norm), activation)
    return net
