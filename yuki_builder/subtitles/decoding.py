"""From the bytes of a subtitle file to its text: a decision that reads nothing but those bytes."""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.code_pages import CODE_PAGES, Choice, choose_code_page

_BOMS = (
    # UTF-32 first: its little-endian mark begins like the one of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PICTURES = ("the file holds subtitles as pictures", "use a text format (SRT, ASS, WebVTT)")
_ARCHIVE = ("the file is an archive", "unpack it and give the subtitles in it")
_NO_TEXT = {
    b"PG": _PICTURES,  # Blu-ray (PGS)
    b"\x00\x00\x01\xba": _PICTURES,  # DVD (VobSub)
    b"PK\x03\x04": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"7z\xbc\xaf": _ARCHIVE,
    b"\x1f\x8b": _ARCHIVE,
    b"%PDF": ("the file is a PDF document, not subtitles", "use SRT, ASS or WebVTT"),
}
_ESCAPES = {b"\x1b$)C": "iso2022_kr", b"\x1b$B": "iso2022_jp_2", b"\x1b$@": "iso2022_jp_2", b"\x1b(J": "iso2022_jp_2"}
_WORD = re.compile(rb"[A-Za-z]{3}")
_UNREADABLE_LINES = 0.02  # a code page may fail on this share of the lines: files get damaged on the way
_CONTROL_BYTES = bytes(set(range(32)) - {0x09, 0x0A, 0x0C, 0x0D, 0x1B}) + b"\x7f"
_BINARY_SHARE = 0.01
_STRAY_CONTROLS = 4  # a short text may hold some by damage
_SAMPLE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the codec that read it, and how many damaged characters became U+FFFD."""

    text: str
    encoding: str
    replaced: int = 0


def decode(
    data: bytes,
    *,
    where: str | os.PathLike[str] | None = None,
    language: str | None = None,
    encoding: str | None = None,
) -> Decoded:
    """The text in ``data``, tried in this order: byte order mark, UTF-16 without one, UTF-8, code pages.

    UTF-8 is taken wherever nearly all lines are valid UTF-8, since no other encoding is that by chance. Of the
    code pages the one is taken whose text is likeliest in a language; where two are as likely, none is.

    Args:
        data: the bytes of the file.
        where: the file, for messages.
        language: of the text (``pl``, ``zh-hant``), where it is known: tells between code pages.
        encoding: the name of a Python codec, where the user says it.

    Raises:
        SubtitleError: ``data`` is empty, binary, in an encoding that cannot be told, or ``encoding`` is none.
    """
    if not data.strip(b"\x00\t\n\r "):
        raise SubtitleError("the subtitle file is empty", where=where, remedy="choose another with --subtitles")
    if encoding is not None:
        return _decoded(data, _known_codec(encoding, where))
    choice = _choose(data, language)
    if choice is None:
        what, remedy = _why_unreadable(data)
        raise SubtitleError(what, where=where, remedy=remedy)
    if choice.rival is not None:
        raise SubtitleError(
            f"the encoding may be {choice.encoding} or {choice.rival}: both read as text",
            where=where,
            remedy=f"say which with --encoding {choice.encoding} (or {choice.rival}), or the language with --language",
        )
    return _decoded(data, choice.encoding)


def _decoded(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    if encoding == "cp1258":  # writes tones as characters of their own
        text = unicodedata.normalize("NFC", text)
    return Decoded(text, encoding, replaced=text.count("\ufffd"))


def _known_codec(name: str, where: str | os.PathLike[str] | None) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError) as e:
        raise SubtitleError(
            f"there is no text encoding {name!r}",
            where=where,
            remedy="give a name that Python knows, such as --encoding utf-8, cp1250, cp1251, big5 or shift_jis",
        ) from e
    return name


def _why_unreadable(data: bytes) -> tuple[str, str]:
    for mark, (what, remedy) in _NO_TEXT.items():
        if data.startswith(mark):
            return what, remedy
    if _is_binary(data):
        return "the file is binary, not subtitles", "use SRT, ASS or WebVTT"
    return "the encoding of the text cannot be told", "say it with --encoding, or save the file as UTF-8"


def encoding_of(data: bytes, *, language: str | None = None) -> str | None:
    """The codec that reads ``data`` as text, or None for what is no text, or in an encoding that cannot be told."""
    choice = _choose(data, language)
    return None if choice is None or choice.rival else choice.encoding


def _choose(data: bytes, language: str | None) -> Choice | None:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return Choice(encoding)
    if (wide := _utf16_without_bom(data)) is not None:
        return Choice(wide)
    if _is_binary(data):
        return None
    escaped = next((encoding for mark, encoding in _ESCAPES.items() if mark in data), None)
    if escaped is not None and _reads(data.splitlines(), escaped):
        return Choice(escaped)
    return _eight_bits(data, language)


def _eight_bits(data: bytes, language: str | None) -> Choice | None:
    """UTF-8 where it reads nearly all rows, else the likeliest code page."""
    rows = [line for line in data[:_SAMPLE_BYTES].splitlines() if not line.isascii()]
    if len(data) > _SAMPLE_BYTES:
        # The sample ends anywhere, also inside a character. An ASCII beginning says nothing of the rest.
        rows = rows[:-1] or [line for line in data.splitlines() if not line.isascii()]
    if _reads(rows, "utf-8"):
        return Choice("utf-8")
    candidates = [encoding for encoding in CODE_PAGES if _reads(rows, encoding)]
    # Only rows that all candidates can read are weighed, so that a damaged one does not rule out the right one.
    weighed = [line for line in rows if all(_is_readable(line, encoding) for encoding in candidates)]
    if not candidates or not weighed:
        return None
    return choose_code_page(_with_neighbours(weighed, data), candidates, language=language)


def _with_neighbours(rows: list[bytes], data: bytes) -> list[bytes]:
    """The rows and rows of ASCII words beside them, which tell the language as well."""
    words = [line for line in data[:_SAMPLE_BYTES].splitlines() if line.isascii() and _WORD.search(line)]
    return [*rows, *(line[:200] for line in words[: len(rows)])]


def _utf16_without_bom(data: bytes) -> str | None:
    """UTF-16 shows in zero bytes on every other place: those of the digits, arrows and line ends of any format."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd < 0.1 * len(sample) or max(even, odd) < 0.9 * (even + odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    return controls > max(_STRAY_CONTROLS, _BINARY_SHARE * len(sample))


def _reads(lines: Sequence[bytes], encoding: str) -> bool:
    return sum(not _is_readable(line, encoding) for line in lines) <= _UNREADABLE_LINES * len(lines)


def _is_readable(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
