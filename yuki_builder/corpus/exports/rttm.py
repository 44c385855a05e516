"""RTTM of who says the lines: what diarization tools score and train on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from yuki_builder.corpus.exports.base import Chosen, ExportOptions, ExportReport, Source, choose
from yuki_builder.corpus.exports.labels import distinct_labels
from yuki_builder.corpus.exports.voices import write_rows
from yuki_builder.names import path_name
from yuki_builder.records import Progress

_ENDS_A_COLUMN = re.compile(r"[\s\x00-\x1f\x7f]+")


def write_line_rttm(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<episode>.rttm``: a SPEAKER row for each line whose name is sure.

    White space would end a column: in names it becomes ``_``, and two names that would become one do not.
    """
    examples, left_out = choose(source, options, without=())
    speakers = distinct_labels((item.line.character or "" for item in examples), _column)
    turns: dict[str, list[tuple[int, str]]] = {}
    written: list[Chosen] = []
    for number, item in enumerate(examples, start=1):
        line = item.line
        if line.end_ms > line.start_ms:
            speaker = speakers[line.character or ""]
            seconds = f"{line.start_ms / 1000:.3f} {(line.end_ms - line.start_ms) / 1000:.3f}"
            row = f"SPEAKER {_column(line.episode_id)} 1 {seconds} <NA> <NA> {speaker} <NA> <NA>"
            turns.setdefault(line.episode_id, []).append((line.start_ms, row))
            written.append(item)
        progress(number, len(examples))
    if silent := len(examples) - len(written):
        left_out = left_out + Counter({"of no length": silent})
    for episode, own in turns.items():
        write_rows(destination / f"{path_name(episode)}.rttm", (row for _, row in sorted(own)))
    return ExportReport(len(turns), {"turns": len(written)}, left_out, written)


def _column(text: str) -> str:
    return _ENDS_A_COLUMN.sub("_", text) or "_"
