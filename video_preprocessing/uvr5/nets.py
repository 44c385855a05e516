"""The networks, under the name that users and public code know: they are in ``network/nets.py``."""

from __future__ import annotations

from video_preprocessing.uvr5.network.nets import (
    PUBLIC,
    PUBLIC_DILATIONS,
    RESOLUTION_STEP,
    BaseASPPNet,
    BaseNet,
    CascadedASPPNet,
    CascadedNet,
    Variant,
    laid_out_as,
)

__all__ = [
    "PUBLIC",
    "PUBLIC_DILATIONS",
    "RESOLUTION_STEP",
    "BaseASPPNet",
    "BaseNet",
    "CascadedASPPNet",
    "CascadedNet",
    "Variant",
    "laid_out_as",
]
