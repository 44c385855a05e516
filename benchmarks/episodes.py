"""Episodes with ground truth for the benchmarks, made by a program that is given on the command line.

Such a program is called as ``TOOL OUT --speech DIR --music DIR --seed N --snr DB --speakers N --minutes M …`` with
ffmpeg's path in $FFMPEG, and leaves in OUT: ``ep.mkv``; ``dialogue.flac`` and ``mixture.flac`` (16 kHz mono, as mixed);
``truth.json`` with ``lines`` of {start, end (s), speaker, text}; ``enrol/<speaker>/*.flac`` with three clips each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from video_preprocessing.media import find_ffmpeg


@dataclass(frozen=True)
class Material:
    """Where episodes come from.

    Attributes:
        tool: the program that makes one.
        speech: one folder per voice.
        music: pieces of music.
        folder: where finished episodes are kept between runs.
    """

    tool: Path
    speech: Path
    music: Path
    folder: Path

    def episode(
        self, *, seed: int, snr_db: float, minutes: float, speakers: int = 5, more: tuple[str, ...] = ()
    ) -> Path:
        """The folder of that episode, made if it is not there."""
        name = "_".join([f"seed{seed}", f"{snr_db:+g}dB", f"{minutes:g}min", f"{speakers}voices", *more]).replace(
            "/", ""
        )
        out = self.folder / name
        if not (out / "ep.mkv").exists():
            command = [
                sys.executable,
                str(self.tool),
                str(out),
                "--speech",
                str(self.speech),
                "--music",
                str(self.music),
            ]
            command += ["--seed", str(seed), "--snr", str(snr_db), "--minutes", str(minutes)]
            command += ["--speakers", str(speakers), *more]
            environment = {**os.environ, "FFMPEG": str(find_ffmpeg())}
            subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        return out


def truth(episode: Path) -> dict[str, Any]:
    """What ``truth.json`` says."""
    return dict(json.loads((episode / "truth.json").read_text(encoding="utf-8")))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every benchmark of this kind has."""
    parser.add_argument("--tool", type=Path, required=True, help="program that makes an episode (see episodes.py)")
    parser.add_argument("--speech", type=Path, required=True, help="held-out voices, one folder each")
    parser.add_argument("--music", type=Path, required=True, help="held-out music")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="kept between runs (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")


def material(a: argparse.Namespace) -> Material:
    """From the options above."""
    return Material(a.tool, a.speech, a.music, a.work / "episodes")


def machine() -> str:
    """What the figures were taken on."""
    import torch

    model = platform.processor() or "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row.split(":", 1)[1].strip() for row in info.read_text().splitlines() if row.startswith("model name")]
        model = names[0] if names else model
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{os.cpu_count()} cores of {model}{gpu}; Python {platform.python_version()}, torch {torch.__version__}"


def report(title: str, rows: list[dict[str, Any]], path: Path | None) -> None:
    """Rows of one shape as a Markdown table on stdout, and as JSON where asked for."""
    columns = list(rows[0])
    print(f"{title}\n{machine()}\n\n| {' | '.join(columns)} |\n|{'-|' * len(columns)}")
    for row in rows:
        print("| " + " | ".join(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()) + " |")
    if path is not None:
        path.write_text(json.dumps({"title": title, "machine": machine(), "rows": rows}, indent=1) + "\n")
