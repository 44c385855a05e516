"""Subtitles that say who speaks: ASS with the Name field, and one SRT a character."""

from __future__ import annotations

import colorsys
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.voices import write_rows
from yuki_builder.corpus.utterances import one_row
from yuki_builder.names import path_name
from yuki_builder.records import Line, Progress

_STYLE_FORMAT = (
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, "
    "MarginV, Encoding"
)
_EVENT_FORMAT = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_NO_FIELD = re.compile(r"[,\r\n]+")


def write_ass(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<episode>.ass``: every line, its character in the Name field and in a colour of the character's.

    A player or Aegisub then shows who speaks. Names that are not sure enough are left empty; no line is left out.
    """
    episodes = _by_episode(source.lines)
    for number, (episode, lines) in enumerate(episodes.items(), start=1):
        named = [(line, None if options.why_not(line) else line.character) for line in lines]
        names = sorted({name for _, name in named if name})
        rows = ["[Script Info]", "ScriptType: v4.00+", "PlayResX: 1280", "PlayResY: 720", "WrapStyle: 0"]
        rows += ["ScaledBorderAndShadow: yes", "", "[V4+ Styles]", _STYLE_FORMAT, _style("Default", "&H00FFFFFF")]
        rows += [_style(_field(name), _colour(name)) for name in names if _field(name) != "Default"]
        rows += ["", "[Events]", _EVENT_FORMAT, *(_dialogue(line, name) for line, name in named)]
        # With a byte order mark: players on Windows take a file without one for their own code page.
        write_rows(destination / f"{path_name(episode)}.ass", ["\ufeff" + rows[0], *rows[1:]])
        progress(number, len(episodes))
    return ExportReport(len(episodes), {"lines": len(source.lines)})


def write_srt(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/<episode>.srt``: the lines of one character; those of nobody in ``_unknown``."""
    files, written = 0, 0
    episodes = _by_episode(source.lines)
    for number, (episode, lines) in enumerate(episodes.items(), start=1):
        by_name: dict[str, list[Line]] = {}
        for line in lines:
            reason = options.why_not(line)
            if reason == "another character":
                continue
            by_name.setdefault("_unknown" if reason else path_name(line.character or ""), []).append(line)
        for folder, own in by_name.items():
            blocks = [
                f"{k}\n{_clock(line.start_ms, ',')} --> {_clock(line.end_ms, ',')}\n{one_row(line.text)}\n"
                for k, line in enumerate(own, start=1)
            ]
            write_rows(destination / folder / f"{path_name(episode)}.srt", blocks)
            files += 1
            written += len(own)
        progress(number, len(episodes))
    left_out = {"another character": len(source.lines) - written} if written < len(source.lines) else {}
    return ExportReport(files, {"lines": written}, left_out)


def _by_episode(lines: Sequence[Line]) -> dict[str, list[Line]]:
    episodes: dict[str, list[Line]] = {}
    for line in lines:
        episodes.setdefault(line.episode_id, []).append(line)
    return {name: sorted(own, key=lambda x: (x.start_ms, x.index)) for name, own in episodes.items()}


def _style(name: str, colour: str) -> str:
    return f"Style: {name},Arial,44,{colour},&H000000FF,&H00101010,&H80000000,0,0,0,0,100,100,0,0,1,2.5,0,2,60,60,40,1"


def _colour(name: str) -> str:
    """A pastel of the character's own, as ASS writes colours: blue, green, red."""
    hue = int(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6], 16) / 16**6
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.8, 0.75))
    return f"&H00{blue:02X}{green:02X}{red:02X}"


def _dialogue(line: Line, name: str | None) -> str:
    # Braces would be markup; a backslash before N would be a line break. Both get a look-alike.
    text = one_row(line.text).replace("{", "｛").replace("}", "｝").replace("\\", "＼")
    field = _field(name) if name else ""
    times = f"{_centiseconds(line.start_ms)},{_centiseconds(line.end_ms)}"
    return f"Dialogue: 0,{times},{field or 'Default'},{field},0,0,0,,{text}"


def _field(name: str) -> str:
    """A name without the characters that end a field."""
    return _NO_FIELD.sub("，", one_row(name)).strip() or "_"


def _clock(time_ms: int, point: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def _centiseconds(time_ms: int) -> str:
    whole = (time_ms + 5) // 10
    return f"{whole // 360000}:{whole // 6000 % 60:02d}:{whole // 100 % 60:02d}.{whole % 100:02d}"
