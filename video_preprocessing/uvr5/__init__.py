"""Vocal separation with the UVR5 "VR" networks: layers, networks, signal path, checkpoints, separator, training.

The door is ``separator.Separator``; it is imported late, because it brings torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from video_preprocessing.uvr5.separator import SeparationReport, Separator, Stems

__all__ = ["SeparationReport", "Separator", "Stems"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from video_preprocessing.uvr5 import separator

        return getattr(separator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
