"""Texts that are no subtitles, or none that can be read: they are refused by their name, not taken for another."""

from __future__ import annotations

import re
from typing import NoReturn

from yuki_builder.subtitles.formats.base import HEAD_CHARS, Format, Source


class Refused(Format):
    """A kind of text that is refused.

    Args:
        name: what the kind is called.
        pattern: what such a text begins with, as a regular expression; letters of either case.
        what: what the error says that it is.
        remedy: what to do instead.
    """

    suffixes = ()

    def __init__(self, name: str, pattern: str, what: str, remedy: str) -> None:
        self.name = self.title = name
        self.pattern = re.compile(pattern, re.IGNORECASE)
        self.what = what
        self.remedy = remedy

    def recognises(self, text: str) -> bool:
        return self.pattern.match(text[:HEAD_CHARS]) is not None

    def read(self, source: Source) -> NoReturn:
        source.refuse(self.what, remedy=self.remedy)


_PROLOGUE = r"\s*(?:<\?xml[^<>]{0,200}\?>\s*)?(?:<!--[^<>]{0,300}-->\s*)?"
REFUSED = (
    Refused(
        "vobsub",
        r"\s*# VobSub index file",
        "the file is the index of subtitles as pictures (VobSub)",
        "use a text format (SRT, ASS, WebVTT)",
    ),
    Refused(
        "html",
        _PROLOGUE + r"(?:<!doctype\s+html|<html\b)",
        "the file is a web page, not subtitles",
        "download the subtitles themselves",
    ),
    Refused("usf", _PROLOGUE + r"<USFSubtitles\b", "Universal Subtitle Format (USF) is not read", "convert it to SRT"),
    Refused(
        "xml",
        _PROLOGUE + r"(?:<!doctype[^<>]{0,200}>\s*)?<(?!sami|sync)[a-z][\w:.-]{0,60}[\s>/]",
        "the file is XML, but no TTML and no YouTube captions",
        "convert it to SRT",
    ),
    Refused("rtf", r"\s*\{\\rtf", "the file is a text document (RTF), not subtitles", "save it as plain text (SRT)"),
    Refused("cheetah", r"\s*\*NonDropFrame|\s*\*DropFrame|\s*\*Timing", "Cheetah CAP is not read", "convert it to SRT"),
)
