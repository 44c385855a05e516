#!/usr/bin/env python3
"""Seconds and peak memory of every stage, for an episode of usual length and for one twice as long.

Each stage runs in a process of its own (the stages before it are reused), so that its peak is its own; memory
is that of the process and its children (ffmpeg) together, sampled twenty times a second. Needs Linux's /proc.

    python benchmarks/stages.py --video ep.mkv --minutes 24
    python benchmarks/stages.py --tool make_episode.py --speech DIR --music DIR --minutes 24

A short video is repeated to the length wanted; the tool is any program that takes
``OUT_DIR --speech DIR --music DIR --minutes M --names actor`` and leaves ``OUT_DIR/ep.mkv``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.episode.stages import STAGES
from video_preprocessing.media import find_ffmpeg

_SAMPLE_SECONDS = 0.05
_RUN_STAGE = """
import json, sys
from pathlib import Path
from pipelines import EpisodeConfig, run_episode
options = json.loads(sys.argv[1])
result = run_episode(EpisodeConfig(Path(options.pop("video")), **options), until=sys.argv[2])
print(json.dumps(result.reports[-1].to_dict()))
"""


@dataclass(frozen=True)
class StageCost:
    """What one stage took: its own seconds, those of the whole process with start and reuse, and the peak."""

    stage: str
    seconds: float
    process_seconds: float
    peak_mib: float
    came_in: int
    kept: int


def measure(video: Path, out: Path, options: dict[str, Any]) -> list[StageCost]:
    """Run the stages one by one, each in a fresh process."""
    configuration = json.dumps({"video": str(video), "out": str(out), **options})
    costs = []
    for stage in STAGES:
        began = time.monotonic()
        command = [sys.executable, "-c", _RUN_STAGE, configuration, stage.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            peak_bytes = 0
            while process.poll() is None:
                peak_bytes = max(peak_bytes, sum(resident_bytes(pid) for pid in family(process.pid)))
                time.sleep(_SAMPLE_SECONDS)
            assert process.stdout is not None
            said = process.stdout.read()
        if process.returncode:
            raise SystemExit(f"stage {stage.name} failed")
        report = json.loads(said)
        whole = time.monotonic() - began
        cost = StageCost(stage.name, report["seconds"], whole, peak_bytes / 2**20, report["came_in"], report["kept"])
        print(f"  {cost.stage:<12} {cost.seconds:9.1f} s {cost.peak_mib:9.0f} MiB", flush=True)
        costs.append(cost)
    return costs


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def resident_bytes(pid: int) -> int:
    """Memory of a process that is really there; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def repeated(video: Path, minutes: float, destination: Path) -> Path:
    """The video, repeated and cut to a length, without encoding anything anew."""
    command = [find_ffmpeg(), "-v", "error", "-y", "-stream_loop", "-1", "-i", video, "-map", "0", "-c", "copy"]
    subprocess.run([*command, "-t", f"{60 * minutes:.3f}", destination], check=True)
    return destination


def built(tool: Path, speech: Path, music: Path, minutes: float, folder: Path) -> Path:
    """An episode by an external tool; it may end earlier, when it runs out of speech."""
    command = [sys.executable, tool, folder, "--speech", speech, "--music", music]
    environment = {**os.environ, "FFMPEG": str(find_ffmpeg())}
    subprocess.run([*command, "--minutes", str(minutes), "--names", "actor"], check=True, env=environment)
    return folder / "ep.mkv"


def table(lengths: dict[float, list[StageCost]]) -> str:
    """Both lengths side by side."""
    header = f"{'stage':<12}" + "".join(f" {f'{minutes:g} min':>10} {'peak':>10}" for minutes in lengths)
    rows = [header]
    for costs in zip(*lengths.values(), strict=True):
        cells = "".join(f" {c.seconds:>8.1f} s {c.peak_mib:>6.0f} MiB" for c in costs)
        rows.append(f"{costs[0].stage:<12}{cells}")
    totals = "".join(
        f" {sum(c.seconds for c in costs):>8.1f} s {max(c.peak_mib for c in costs):>6.0f} MiB"
        for costs in lengths.values()
    )
    return "\n".join([*rows, f"{'all':<12}{totals}"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="an episode, or a piece of one")
    parser.add_argument("--tool", type=Path, help="a program that builds an episode from --speech and --music")
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--minutes", type=float, default=24)
    parser.add_argument("--factors", type=float, nargs="+", default=[1, 2], help="lengths, relative to --minutes")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of EpisodeConfig")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    if (arguments.video is None) == (arguments.tool is None):
        parser.error("give either --video or --tool")
    options = dict(option.split("=", 1) for option in arguments.option)
    lengths: dict[float, list[StageCost]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        piece = arguments.video or built(
            arguments.tool, arguments.speech, arguments.music, arguments.minutes, folder / "piece"
        )
        for factor in arguments.factors:
            minutes = arguments.minutes * factor
            print(f"{minutes:g} minutes", flush=True)
            video = repeated(piece, minutes, folder / f"ep{minutes:g}.mkv")
            lengths[minutes] = measure(video, folder / f"out{minutes:g}", options)
    print(table(lengths))
    if arguments.json:
        figures = {f"{minutes:g}": [asdict(cost) for cost in costs] for minutes, costs in lengths.items()}
        arguments.json.write_text(json.dumps({"cpus": os.cpu_count(), "minutes": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
