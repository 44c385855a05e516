#!/usr/bin/env python3
"""Who said it in television-like episodes, by the whole command.

    python benchmarks/drama.py EPISODE [EPISODE ...] [--rows enrolled tagged unknown nameless] [--work DIR]

An EPISODE is a folder with ``ep.mkv``, ``truth.json`` (lines: start, end, speaker, text) and ``enrol/<voice>/*``, as
tools that build test episodes leave it. Rows:

* ``enrolled``: the clips of ``enrol``, no names in the subtitles;
* ``tagged``: nobody enrolled, the actor field filled on 30 % of the lines, drawn anew ``--draws`` times (whom the tags
  leave out decides more than anything else); what no tag names cannot be known;
* ``unknown``: two of the voices are not enrolled; their lines are right without a name;
* ``nameless``: no name anywhere; voices are matched with people one to one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from who_said_it import enrolled_but, row, run, tags, write_ass

from yuki_builder.characters import TrueLine

ROWS = ("enrolled", "tagged", "unknown", "nameless")
COLUMNS = ("lines", "right %", "of the speech %", "certain %", "of certain %", "calibration error", "DER %")


def measure(episode: Path, kind: str, work: Path, draws: int) -> dict[str, object]:
    """The figures of one episode and row."""
    said = json.loads((episode / "truth.json").read_text(encoding="utf-8"))["lines"]
    true = [TrueLine(round(1000 * x["start"]), round(1000 * x["end"]), x["speaker"]) for x in said]
    options: list[str] = []
    if kind == "enrolled":
        options = ["--characters", str(episode / "enrol")]
    if kind == "unknown":
        options = ["--characters", str(enrolled_but(episode, work, 2))]
    started = time.perf_counter()
    found = []
    for draw in range(draws if kind == "tagged" else 1):
        named: list[str] = []
        marked = said
        if kind == "tagged":
            marked = tags(said, draw)
            named = ["--subtitles", str(write_ass(work / f"{episode.name}_{kind}{draw}.ass", marked))]
        lines, turns, known = run(episode, work / "out" / episode.name, *options, *named)
        if kind == "tagged":
            known = {x["speaker"] for x in marked if x.get("name")}
        found.append((lines, true, turns, known))
    return row(kind, 0.0, found) | {"episode": episode.name, "seconds": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("episodes", type=Path, nargs="+")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--draws", type=int, default=4, help="of the tags (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("runs/drama"))
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    print("| episode | row | " + " | ".join(COLUMNS) + " | s |\n" + "|-" * (len(COLUMNS) + 3) + "|")
    for episode in a.episodes:
        for kind in a.rows:
            found = measure(episode, kind, a.work, a.draws)
            cells = [found[c] for c in COLUMNS]
            shown = ["" if c is None else f"{c:.3g}" if isinstance(c, float) else str(c) for c in cells]
            print(f"| {episode.name} | {kind} | " + " | ".join(shown) + f" | {found['seconds']:.0f} |", flush=True)
            print(json.dumps(found), file=sys.stderr)


if __name__ == "__main__":
    main()
