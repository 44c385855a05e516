"""Where text is in a picture, and what it says: PP-OCR by RapidOCR, whose wheel holds the networks."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from yuki_builder.errors import MissingExtraError

Picture = npt.NDArray[np.uint8]
"""Shape (height, width) for brightness or (height, width, 3) for RGB."""

DETECTION_SIDE = 736
"""Pictures are brought to this longest side to find text in them."""
_NEEDED = ("rapidocr", "onnxruntime", "cv2")
_RECIPE = 1  # of what is done to a picture before the networks
# Languages of whose letters the network lacks some or all: Greek and Vietnamese lose those with accents.
# fmt: off
_UNREAD = frozenset({
    "am", "ar", "be", "bg", "bn", "bo", "dv", "el", "fa", "gu", "he", "hi", "hy", "ka", "kk", "km", "kn", "ko",
    "ky", "lo", "mk", "ml", "mn", "mr", "my", "ne", "pa", "ps", "ru", "sa", "sd", "si", "sr", "ta", "te", "tg",
    "th", "ti", "ug", "uk", "ur", "vi", "yi",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Box:
    """Where a row of text is, in pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def is_installed() -> bool:
    """Whether text in pictures can be read here; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def require_ocr(what: str) -> None:
    """Refuse ``what`` where the extra is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    if not is_installed():
        raise MissingExtraError(what, extra="ocr")


def can_read(language: str | None) -> bool:
    """Whether the network knows the letters of a language (``ja``, ``zh-hant``); of an unknown one it is supposed."""
    return language is None or language.split("-")[0].lower() not in _UNREAD


def ocr_fingerprint() -> str:
    """Changes whenever the same picture could be read otherwise; loads nothing."""
    try:
        versions = [metadata.version(name) for name in ("rapidocr", "onnxruntime")]
    except metadata.PackageNotFoundError:
        return "not installed"
    return hashlib.sha256(f"{_RECIPE} {versions}".encode()).hexdigest()[:16]


class TextReader:
    """The two networks: one finds rows of text, the other reads a row.

    Raises:
        MissingExtraError: the extra is not installed.
    """

    def __init__(self) -> None:
        require_ocr("reading text in pictures needs RapidOCR")
        from rapidocr import RapidOCR

        threads = int(os.environ.get("OMP_NUM_THREADS") or 0) or len(os.sched_getaffinity(0))
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": 0.0,
                "Global.max_side_len": 4096,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "Det.limit_type": "max",
                "Det.limit_side_len": DETECTION_SIDE,
            }
        )

    def find_rows(self, picture: Picture) -> list[Box]:
        """Where rows of text are in a picture."""
        height, width = picture.shape[:2]
        found = self._engine(_bgr(picture), use_det=True, use_cls=False, use_rec=False)
        boxes = found.boxes if found.boxes is not None else ()
        rows = []
        for corners in boxes:  # (4, 2)
            left, top = np.floor(corners.min(axis=0)).astype(int)
            right, bottom = np.ceil(corners.max(axis=0)).astype(int)
            box = Box(max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom)))
            if box.width > 1 and box.height > 1:
                rows.append(box)
        return rows

    def read_row(self, picture: Picture) -> tuple[str, float]:
        """What a picture of one row says, and how sure that is (0..1)."""
        found = self._engine(_bgr(picture), use_det=False, use_cls=False, use_rec=True)
        if not found.txts:
            return "", 0.0
        return str(found.txts[0]), float(min(1.0, max(0.0, found.scores[0])))


def _bgr(picture: Picture) -> Picture:
    if picture.ndim == 2:
        return np.ascontiguousarray(np.repeat(picture[..., None], 3, axis=2))
    return np.ascontiguousarray(picture[..., ::-1])
