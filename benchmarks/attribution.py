"""How often the right name is found: the whole command, with and without separation, by level.

    python benchmarks/attribution.py --tool make_episode.py --speech speech/dev --music music/dev

Each episode goes through ``run_pipeline.py`` with three enrolled clips a voice; no names in the subtitles. A line of
the truth counts as right if the line of ours that overlaps it most has its name; a line of the truth without one
counts as wrong. "of certain" is the share that is right among lines called certain, "certain" how many those are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from episodes import add_arguments, material, report, truth

ROOT = Path(__file__).parent.parent


def run(episode: Path, out: Path, separator: str) -> list[dict[str, Any]]:
    """The lines that the command finds."""
    command = [sys.executable, str(ROOT / "run_pipeline.py"), "--video", str(episode / "ep.mkv"), "--out", str(out)]
    command += ["--characters", str(episode / "enrol"), "--separator", separator, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = (out / "ep" / "lines.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row) for row in rows]


def judge(lines: list[dict[str, Any]], said: list[dict[str, Any]]) -> dict[str, int]:
    """Counts of one episode: lines of the truth, right ones, certain ones, certain and right ones."""
    counts = {"lines": len(said), "right": 0, "certain": 0, "certain and right": 0}
    for line in said:
        start_ms, end_ms = 1000 * line["start"], 1000 * line["end"]
        overlaps = [(min(end_ms, x["end_ms"]) - max(start_ms, x["start_ms"]), k) for k, x in enumerate(lines)]
        best, k = max(overlaps, default=(0, -1))
        if best <= 0:
            continue
        right = lines[k]["character"] == line["speaker"]
        certain = lines[k]["verdict"] == "certain"
        counts["right"] += right
        counts["certain"] += certain
        counts["certain and right"] += right and certain
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--levels", type=float, nargs="+", default=[20, 5, 0, -5], help="dialogue over music, dB")
    parser.add_argument("--episodes", type=int, default=3, help="a level (%(default)s)")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--separators", nargs="+", default=["none", "dialogue"])
    a = parser.parse_args()
    source, rows = material(a), []
    for level_db in a.levels:
        row: dict[str, Any] = {"level dB": level_db}
        for separator in a.separators:
            total = {"lines": 0, "right": 0, "certain": 0, "certain and right": 0}
            for seed in range(a.episodes):
                folder = source.episode(seed=seed, snr_db=level_db, minutes=a.minutes, more=("--subs", "srt"))
                lines = run(folder, a.work / "out" / f"{folder.name}_{Path(separator).name}", separator)
                for key, count in judge(lines, truth(folder)["lines"]).items():
                    total[key] += count
            row["lines"] = total["lines"]
            row[f"{separator}: right %"] = 100 * total["right"] / total["lines"]
            row[f"{separator}: certain %"] = 100 * total["certain"] / total["lines"]
            row[f"{separator}: of certain %"] = 100 * total["certain and right"] / max(1, total["certain"])
        rows.append(row)
    report("Attribution of the whole command, three enrolled clips a voice", rows, a.json)


if __name__ == "__main__":
    main()
