"""Subtitles that say who speaks: ASS with the Name field, and one SRT a character."""

from __future__ import annotations

import colorsys
import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source, choose
from yuki_builder.corpus.exports.labels import distinct_labels, folders_of
from yuki_builder.corpus.exports.utterances import one_row
from yuki_builder.corpus.exports.voices import write_rows
from yuki_builder.names import path_name
from yuki_builder.records import Line, Progress, Span

_STYLE_FORMAT = (
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, "
    "MarginV, Encoding"
)
_EVENT_FORMAT = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_NO_FIELD = re.compile(r"[,\r\n]+")
_NOBODY = "Default"
_UNKNOWN_FOLDER = "_unknown"


def write_ass(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<episode>.ass``: every line, its character in the Name field and in a style of the character's own.

    A player or Aegisub then shows who speaks. Names that are not sure enough are left empty; no line is left out.
    Lines are shown for as long as the subtitles show them, and both languages of bilingual ones.
    """
    examples, _ = choose(source, options, without=())
    is_named = {item.line.line_id for item in examples}
    style_of = distinct_labels((item.line.character or "" for item in examples), _field, taken=(_NOBODY,))
    episodes = _by_episode(source.lines, source.shown)
    for number, (episode, lines) in enumerate(episodes.items(), start=1):
        named = [(line, line.character if line.line_id in is_named else None) for line in lines]
        names = sorted({name for _, name in named if name})
        rows = ["[Script Info]", "ScriptType: v4.00+", "PlayResX: 1280", "PlayResY: 720", "WrapStyle: 0"]
        rows += ["ScaledBorderAndShadow: yes", "", "[V4+ Styles]", _STYLE_FORMAT, _style(_NOBODY, "&H00FFFFFF")]
        rows += [_style(style_of[name], _colour(name)) for name in names]
        rows += ["", "[Events]", _EVENT_FORMAT]
        rows += [_dialogue(line, name, style_of.get(name or "", _NOBODY)) for line, name in named]
        # With a byte order mark: players on Windows take a file without one for their own code page.
        write_rows(destination / f"{path_name(episode)}.ass", ["\ufeff" + rows[0], *rows[1:]])
        progress(number, len(episodes))
    return ExportReport(len(episodes), {"lines": len(source.lines)}, {}, examples)


def write_srt(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<character>/<episode>.srt``: the lines of one character; those of nobody in ``_unknown``."""
    examples, _ = choose(source, options, without=())
    is_named = {item.line.line_id for item in examples}
    folder_of = folders_of((item.line.character or "" for item in examples), taken=(_UNKNOWN_FOLDER,))
    files, written = 0, 0
    left_out: Counter[str] = Counter()
    episodes = _by_episode(source.lines, source.shown)
    for number, (episode, lines) in enumerate(episodes.items(), start=1):
        by_folder: dict[str, list[Line]] = {}
        for line in lines:
            if line.line_id in is_named:
                by_folder.setdefault(folder_of[line.character or ""], []).append(line)
            elif not line.text.strip():
                left_out["no text"] += 1
            elif options.why_not(line) == "another character":
                left_out["another character"] += 1
            else:
                by_folder.setdefault(_UNKNOWN_FOLDER, []).append(line)
        for folder, own in by_folder.items():
            blocks = [
                f"{k}\n{_clock(line.start_ms)} --> {_clock(line.end_ms)}\n{_srt_text(line)}\n"
                for k, line in enumerate(own, start=1)
            ]
            write_rows(destination / folder / f"{path_name(episode)}.srt", blocks)
            files += 1
            written += len(own)
        progress(number, len(episodes))
    return ExportReport(files, {"lines": written}, left_out, examples)


def _by_episode(lines: Sequence[Line], shown: Mapping[str, Span]) -> dict[str, list[Line]]:
    """Lines by episode in order of time, with the times at which the subtitles show them where those are known."""
    episodes: dict[str, list[Line]] = {}
    for line in lines:
        span = shown.get(line.line_id, line.span)
        placed = dataclasses.replace(line, start_ms=span.start_ms, end_ms=span.end_ms)
        episodes.setdefault(line.episode_id, []).append(placed)
    return {name: sorted(own, key=lambda x: (x.start_ms, x.index)) for name, own in episodes.items()}


def _style(name: str, colour: str) -> str:
    return f"Style: {name},Arial,44,{colour},&H000000FF,&H00101010,&H80000000,0,0,0,0,100,100,0,0,1,2.5,0,2,60,60,40,1"


def _colour(name: str) -> str:
    """A pastel of the character's own, as ASS writes colours: blue, green, red."""
    hue = int(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6], 16) / 16**6
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.8, 0.75))
    return f"&H00{blue:02X}{green:02X}{red:02X}"


def _dialogue(line: Line, name: str | None, style: str) -> str:
    text = _ass_text(line.text)
    if line.text_secondary and line.text_secondary.strip():
        text += r"\N" + _ass_text(line.text_secondary)
    times = f"{_centiseconds(line.start_ms)},{_centiseconds(line.end_ms)}"
    return f"Dialogue: 0,{times},{style},{_field(name) if name else ''},0,0,0,,{text}"


def _ass_text(text: str) -> str:
    # Braces would be markup; a backslash before N would be a line break. Both get a look-alike.
    return one_row(text).replace("{", "｛").replace("}", "｝").replace("\\", "＼")


def _srt_text(line: Line) -> str:
    # Players take what looks like a tag, of HTML or of ASS, for one; the look-alikes they show.
    return one_row(line.text).replace("<", "＜").replace("{\\", "｛\\")


def _field(name: str) -> str:
    """A name without the characters that end a field."""
    return _NO_FIELD.sub("，", one_row(name)).strip() or "_"


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{ms:03d}"


def _centiseconds(time_ms: int) -> str:
    whole = (time_ms + 5) // 10
    return f"{whole // 360000}:{whole // 6000 % 60:02d}:{whole // 100 % 60:02d}.{whole % 100:02d}"
