"""Subtitle files with what they should come to: small ones of the project's own, and checks on files in a folder.

A case is a table in ``subtitle_cases/*.toml``:

``rows``       the texts of an SRT file, a cue each; or
``ass``        the events of an ASS file, ``start end | style | actor | text`` (milliseconds); or
``text``       a whole file as it stands, with ``suffix``; or
``file``       a path in a folder of cases that is given from outside.
``spoken``     what is said, by time: ``text``, ``NAME+NAME| text`` or ``NAME| text | other language``.
``out``        rows that stand among the spoken ones, each a cue that has to be left out.
``times``      start and end of each spoken cue in milliseconds; ``frame_rate_hz``: the video's, for reading.
``left_out``   how many entries are left out, by reason; ``language``: the one that is wanted; ``names``: all names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yuki_builder.errors import SubtitleError
from yuki_builder.records import Cue
from yuki_builder.subtitles import CueSheet, read_cues

FOLDER = Path(__file__).parent / "subtitle_cases"


@dataclass(frozen=True)
class Case:
    """One case; ``checks`` gives for each of its expectations whether it holds."""

    kind: str
    name: str
    expected: dict[str, Any]

    @property
    def is_foreign(self) -> bool:
        return "file" in self.expected

    def read(self, folder: Path) -> CueSheet:
        if self.is_foreign:
            return read_cues(
                folder / self.expected["file"],
                language=self.expected.get("language"),
                frame_rate_hz=self.expected.get("frame_rate_hz"),
            )
        path = folder / f"case{self._suffix()}"
        path.write_text(self._content(), encoding="utf-8")
        return read_cues(path, language=self.expected.get("language"))

    def checks(self, folder: Path) -> Iterator[tuple[str, bool]]:
        """What was checked, and whether it holds. ``folder`` is written to, or read where the case is a file there."""
        try:
            sheet = self.read(folder)
        except SubtitleError as e:
            yield f"read: {e}", False
            return
        if "out" in self.expected:
            yield from self._checks_of_rows(sheet)
        elif "spoken" in self.expected:
            said = [shown(cue) for cue in sheet.spoken]
            wanted = [normal(line) for line in self.expected["spoken"]]
            for k in range(max(len(said), len(wanted))):
                one, other = (rows[k] if k < len(rows) else "(nothing)" for rows in (said, wanted))
                yield f"{one!r} for {other!r}", one == other
        if "times" in self.expected:
            times = [[cue.start_ms, cue.end_ms] for cue in sheet.spoken]
            yield f"times {times}", times == self.expected["times"]
        if "names" in self.expected:
            names = sorted({tag.name for cue in sheet.spoken for tag in cue.tags})
            yield f"names {names}", names == sorted(self.expected["names"])
        if "left_out" in self.expected:
            yield (
                f"left out {dict(sheet.left_out_by_reason)}",
                dict(sheet.left_out_by_reason) == self.expected["left_out"],
            )

    def _checks_of_rows(self, sheet: CueSheet) -> Iterator[tuple[str, bool]]:
        said = [cue.raw_text for cue in sheet.spoken]
        for row in self.expected["out"]:
            yield f"left out: {row!r}", row not in said
        for row in self.expected["spoken"]:
            yield f"spoken: {row!r}", row in said
        yield "names nobody", not any(cue.tags for cue in sheet.spoken)

    def _suffix(self) -> str:
        return ".ass" if "ass" in self.expected else str(self.expected.get("suffix", ".srt"))

    def _content(self) -> str:
        if "text" in self.expected:
            return str(self.expected["text"])
        if "ass" in self.expected:
            return ass_text(self.expected["ass"])
        rows = list(self.expected.get("rows", []))
        if "out" in self.expected:
            spoken = self.expected["spoken"]
            rows = [*spoken[:2], *self.expected["out"], *spoken[2:]]
        return srt_text(rows)


def srt_text(rows: list[str]) -> str:
    return "".join(
        f"{k}\n{clock(3000 * k, ',')} --> {clock(3000 * k + 2000, ',')}\n{row}\n\n"
        for k, row in enumerate(rows, start=1)
    )


def ass_text(events: list[str]) -> str:
    lines = ["[Script Info]", "ScriptType: v4.00+", "", "[Events]"]
    lines.append("Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text")
    for event in events:
        times, style, actor, text = (piece.strip() for piece in event.split("|", 3))
        start, end = (clock(int(ms), ".")[1:-1] for ms in times.split())
        lines.append(f"Dialogue: 0,{start},{end},{style},{actor},0,0,0,,{text}")
    return "\n".join(lines) + "\n"


def clock(ms: int, point: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def shown(cue: Cue) -> str:
    """A cue as a case writes it."""
    names = "+".join(tag.name for tag in cue.tags)
    text = f"{names}| {cue.text}" if names else cue.text
    return f"{text} | {cue.text_secondary}" if cue.text_secondary else text


def normal(line: str) -> str:
    return line.strip()


def read_cases(folder: Path = FOLDER) -> list[Case]:
    """All cases of a folder's tables."""
    cases = []
    for path in sorted(folder.glob("*.toml")):
        for table in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            cases.append(Case(table["kind"], table["name"], table))
    return cases
