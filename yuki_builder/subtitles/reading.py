"""The door: a file in, its cues out. All decisions are elsewhere; this reads the bytes."""

from __future__ import annotations

import re
from pathlib import Path

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.decoding import decode
from yuki_builder.subtitles.formats import guess_format, read_events
from yuki_builder.subtitles.sheet import CueSheet, read_sheet

MAX_BYTES = 32 << 20  # an episode of heavily typeset ASS is 20 MB; dialogue is 50 kB


def read_cues(path: Path, *, frame_rate_hz: float | None = None, language: str | None = None) -> CueSheet:
    """The cues of a subtitle file of any format and encoding.

    Args:
        path: SRT, ASS/SSA, WebVTT; also MicroDVD, MPL2, TMP, SAMI, TTML. The content decides, not the name.
        frame_rate_hz: of the video, for files that count frames (MicroDVD) and do not say how long one is.
        language: which language of a file in two is the text (``zh``, ``ja``…); the upper one where left out.

    Raises:
        SubtitleError: no such file, empty, binary, far too large, in an unknown encoding or format, or without
            any cue.
        OSError: the file cannot be read.
    """
    text, encoding, replaced = _read_text(path)
    format_name = guess_format(text)
    if format_name is None:
        raise SubtitleError(
            f"no subtitles of a known format (its text was read as {encoding})",
            where=path,
            remedy="use SRT, ASS or WebVTT, saved as UTF-8",
        )
    found = read_events(text, format_name, frame_rate_hz=frame_rate_hz, where=path)
    if not found.events:
        damaged = f" ({found.unreadable} damaged)" if found.unreadable else ""
        raise SubtitleError(
            f"the {format_name.upper()} file holds no cues{damaged}",
            where=path,
            remedy="choose another with --subtitles",
        )
    cues, conventions = read_sheet(found.events, is_ass=format_name in ("ass", "ssa"), language=language)
    return CueSheet(
        cues=cues,
        encoding=encoding,
        format=format_name,
        unreadable=found.unreadable,
        replaced=replaced,
        conventions=conventions,
    )


def _read_text(path: Path) -> tuple[str, str, int]:
    if not path.is_file():
        what = "not a file" if path.exists() else "no such subtitle file"
        raise SubtitleError(what, where=path, remedy="check --subtitles")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SubtitleError(
            f"larger than {MAX_BYTES >> 20} MiB, which no subtitles are", where=path, remedy="check --subtitles"
        )
    decoded = decode(data, where=path)
    text = re.sub(r"\r\n?", "\n", decoded.text.lstrip("\ufeff"))
    return text, decoded.encoding, decoded.replaced
