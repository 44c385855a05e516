"""Formats of broadcasters, read by ttconv: Scenarist captions (SCC, codes for a decoder) and EBU STL (binary)."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import Any

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.events import Events
from yuki_builder.subtitles.formats.base import HEAD_CHARS, BinaryFormat, Format, Source
from yuki_builder.subtitles.formats.subrip import SubRip

_SIGNATURE = re.compile(r"\s*Scenarist_SCC")
_CODES = re.compile(r"^\d{2}:\d{2}:\d{2}[:;]\d{2}[ \t]+(?:[0-9a-fA-F]{4}(?:[ \t]+|$)){2}", re.MULTILINE)
_REMEDY = "convert it to SRT"


class Scc(Format):
    """SCC."""

    name = "scc"
    title = "Scenarist SCC"
    suffixes = (".scc",)

    def recognises(self, text: str) -> bool:
        return bool(_SIGNATURE.match(text) or _CODES.search(text[:HEAD_CHARS]))

    def read(self, source: Source) -> Events:
        text = source.text if _SIGNATURE.match(source.text) else "Scenarist_SCC V1.0\n\n" + source.text
        from ttconv.scc.reader import to_model

        return _by_ttconv(lambda: to_model(text), self.title, source.where)


class EbuStl(BinaryFormat):
    """EBU STL (Tech 3264)."""

    name = "stl"
    title = "EBU STL"
    suffixes = (".stl",)

    def recognises(self, data: bytes) -> bool:
        return len(data) >= 1024 and re.match(rb"[0-9 ]{3}STL\d\d\.\d\d", data[:11]) is not None

    def read(self, data: bytes, where: str | os.PathLike[str] | None) -> Events:
        from ttconv.stl.reader import to_model

        whole = data[: 1024 + (len(data) - 1024) // 128 * 128]
        return _by_ttconv(lambda: to_model(io.BytesIO(whole)), self.title, where)


def _by_ttconv(make: Callable[[], Any], title: str, where: str | os.PathLike[str] | None) -> Events:
    """The entries of a document of ttconv's, colours as markup."""
    from ttconv.srt.writer import from_model

    try:
        text: str = from_model(make())
    except Exception as e:  # the library raises whatever a damaged code leads to
        raise SubtitleError(f"damaged as a {title} file ({type(e).__name__})", where=where, remedy=_REMEDY) from e
    return SubRip().read(Source(text.replace("\r\n", "\n"), where=where))
