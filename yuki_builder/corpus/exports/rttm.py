"""RTTM of who says the lines: what diarization tools score and train on."""

from __future__ import annotations

from pathlib import Path

from yuki_builder.corpus.exports.base import ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.voices import write_rows
from yuki_builder.names import path_name
from yuki_builder.records import Progress


def write_line_rttm(source: Source, destination: Path, options: ExportOptions, progress: Progress) -> ExportReport:
    """``<episode>.rttm``: a SPEAKER row for each line whose name is sure; fields hold no white space."""
    rows: dict[str, list[str]] = {}
    left_out: dict[str, int] = {}
    for number, line in enumerate(source.lines, start=1):
        if reason := options.why_not(line):
            left_out[reason] = left_out.get(reason, 0) + 1
        elif line.end_ms > line.start_ms:
            seconds = f"{line.start_ms / 1000:.3f} {(line.end_ms - line.start_ms) / 1000:.3f}"
            name = "_".join((line.character or "").split())
            episode = "_".join(line.episode_id.split())
            row = f"SPEAKER {episode} 1 {seconds} <NA> <NA> {name} <NA> <NA>"
            rows.setdefault(line.episode_id, []).append(row)
        progress(number, len(source.lines))
    for episode, own in rows.items():
        write_rows(destination / f"{path_name(episode)}.rttm", own)
    return ExportReport(len(rows), {"lines": sum(map(len, rows.values()))}, left_out)
