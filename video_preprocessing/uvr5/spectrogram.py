"""Cropping, under the name that users and public code know: it is in ``network/crop.py``."""

from __future__ import annotations

from video_preprocessing.uvr5.network.crop import crop_center

__all__ = ["crop_center"]
