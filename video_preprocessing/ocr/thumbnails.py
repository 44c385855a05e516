"""What was read, as a picture small enough to go into a report."""

from __future__ import annotations

import base64
import io

import numpy as np

from video_preprocessing.ocr.reader import Picture

MAX_WIDTH, MAX_HEIGHT = 420, 72
_QUALITY = 35


def thumbnail(picture: Picture) -> str:
    """A picture as a small WebP file, in base64."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((MAX_WIDTH, MAX_HEIGHT))
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=4)
    return base64.b64encode(file.getvalue()).decode("ascii")
