"""From the bytes of a subtitle file to its text: a decision that reads nothing but those bytes."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.errors import SubtitleError

_BOMS = (
    # UTF-32 first: its little-endian mark begins like the one of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PICTURE_SUBTITLES = (b"PG", b"\x00\x00\x01\xba")  # Blu-ray (PGS) and DVD (VobSub)
# Supersets stand for their kin: cp932 reads Shift-JIS, cp949 EUC-KR, gb18030 GBK and GB2312. Central European
# code pages are not offered: French and German in cp1252 look just as well in them.
_JAPANESE = ("cp932", "euc_jp")
_SINGLE_BYTE = ("cp1252", "cp1251")  # these read nearly any bytes
_LEGACY = (*_JAPANESE, "gb18030", "big5", "cp950", "big5hkscs", "cp949", *_SINGLE_BYTE)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_ACCENTED = re.compile(
    "[\u00a0\u00a1\u00a3\u00a9\u00aa\u00ab\u00b0\u00b4\u00b7\u00ba\u00bb\u00bf-\u017e\u2013-\u2026€]"
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_UNREADABLE_LINES = 0.02  # a code page may fail on this share of the lines: files get damaged on the way
_CONTROL_BYTES = bytes(set(range(32)) - {0x09, 0x0A, 0x0C, 0x0D, 0x1B}) + b"\x7f"
_BINARY_SHARE = 0.01
_SAMPLE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the codec that read it, and how many damaged characters became U+FFFD."""

    text: str
    encoding: str
    replaced: int = 0


def decode(data: bytes, *, where: str | os.PathLike[str] | None = None) -> Decoded:
    """The text in ``data``, tried in this order: byte order mark, UTF-16 without one, UTF-8, code pages.

    UTF-8 is taken wherever nearly all lines are valid UTF-8, since no other encoding is that by chance. Of the
    code pages (GB18030, Big5, Shift-JIS, EUC-KR, CP1252, CP1251) charset-normalizer picks the one whose text
    looks like a language.

    Raises:
        SubtitleError: ``data`` is empty, binary, or in an encoding that cannot be told.
    """
    if not data.strip(b"\x00\t\n\r "):
        raise SubtitleError("the subtitle file is empty", where=where, remedy="choose another with --subtitles")
    encoding = encoding_of(data)
    if encoding is None:
        if data.startswith(_PICTURE_SUBTITLES):
            raise SubtitleError(
                "the file holds subtitles as pictures", where=where, remedy="use a text format (SRT, ASS, WebVTT)"
            )
        if _control_share(data) > _BINARY_SHARE:
            raise SubtitleError("the file is binary, not subtitles", where=where, remedy="use SRT, ASS or WebVTT")
        raise SubtitleError("the encoding of the text cannot be told", where=where, remedy="save it as UTF-8")
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding, replaced=text.count("\ufffd"))


def encoding_of(data: bytes) -> str | None:
    """The codec that reads ``data`` as text, or None for what is no text or in an unknown encoding."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    if (wide := _utf16_without_bom(data)) is not None:
        return wide
    if _control_share(data) > _BINARY_SHARE:
        return None
    lines = [line for line in data[:_SAMPLE_BYTES].splitlines() if not line.isascii()]
    if len(data) > _SAMPLE_BYTES:
        # The sample ends anywhere, also inside a character. An ASCII beginning says nothing of the rest.
        lines = lines[:-1] or [line for line in data.splitlines() if not line.isascii()]
    if _reads(lines, "utf-8"):
        return "utf-8"
    return _code_page(lines)


def _utf16_without_bom(data: bytes) -> str | None:
    """UTF-16 shows in zero bytes on every other place: those of the digits, arrows and line ends of any format."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd < 0.1 * len(sample) or max(even, odd) < 0.9 * (even + odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _control_share(data: bytes) -> float:
    sample = data[:_SAMPLE_BYTES]
    return (len(sample) - len(sample.translate(None, _CONTROL_BYTES))) / max(1, len(sample))


def _reads(lines: Sequence[bytes], encoding: str) -> bool:
    return sum(not _is_readable(line, encoding) for line in lines) <= _UNREADABLE_LINES * len(lines)


def _is_readable(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _code_page(lines: Sequence[bytes]) -> str | None:
    candidates = [encoding for encoding in _LEGACY if _reads(lines, encoding)]
    # Only lines that all candidates can read are weighed, so that a damaged one does not rule out the right one.
    sample = b"\n".join(line for line in lines if all(_is_readable(line, encoding) for encoding in candidates))
    if not candidates or not sample:
        return None
    if _isolated_share(sample) > 0.6:
        is_latin = "cp1252" in candidates and _share(sample.decode("cp1252"), _ACCENTED) > 0.9
        return "cp1252" if is_latin else None
    for encoding in candidates:
        if encoding in _JAPANESE and _share(sample.decode(encoding), _KANA) > 0.25:
            return encoding
    # Korean is written without Chinese characters; Chinese read as Korean is full of them.
    if "cp949" in candidates and _share(sample.decode("cp949"), _HAN) > 0.05:
        candidates.remove("cp949")
    if len(candidates) == 1 and candidates[0] not in _SINGLE_BYTE:
        return candidates[0]
    return _most_natural(sample, candidates)


def _isolated_share(sample: bytes) -> float:
    """Share of the non-ASCII bytes that stand alone: accents among Latin letters do, any other script comes in runs."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", sample)]
    return runs.count(1) / sum(runs)


def _share(text: str, characters: re.Pattern[str]) -> float:
    return len(characters.findall(text)) / max(1, sum(not c.isascii() for c in text))


def _most_natural(sample: bytes, candidates: Sequence[str]) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=[*candidates], enable_fallback=False).best() if candidates else None
    return None if best is None else str(best.encoding)
