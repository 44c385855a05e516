"""Which shape of the network suits: short training runs of several, from nothing, on the same draws.

    python benchmarks/shapes.py --speech train/speech --music train/music --dev-speech dev/speech --dev-music dev/music

Every shape trains for as many steps on the same seconds of mixtures with a learning rate that falls to their end. What
they reach on the held-out mixtures is comparable between shapes, and says little about what long training reaches.
Beside it: the weights, the seconds a step takes, and how many times real time the network alone runs on mixtures
(one thread, windows of 1024 frames). Runs are resumed; what is finished is not trained again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from episodes import report

from video_preprocessing.uvr5.checkpoints import NetConfig, load_checkpoint
from video_preprocessing.uvr5.engine.optimise import keeping_freed_memory, prepare
from video_preprocessing.uvr5.signal.path import SignalPath
from video_preprocessing.uvr5.training import train

CPU = torch.device("cpu")
SECONDS = 3.84


@dataclass(frozen=True)
class Shape:
    """What is varied; times in ms."""

    window_ms: float = 60.0
    hop_ms: float = 20.0
    width: int = 16
    lstm: int = 128
    power: float = 0.5

    @property
    def config(self) -> NetConfig:
        path = SignalPath(window_ms=self.window_ms, hop_ms=self.hop_ms, input_power=self.power)
        return NetConfig(nout=self.width, nout_lstm=self.lstm, path=path)

    @property
    def name(self) -> str:
        return f"{self.window_ms:g}-{self.hop_ms:g}-{self.width}-{self.lstm}-{self.power:g}"


SHAPES = (
    Shape(),
    Shape(window_ms=64, hop_ms=16),
    Shape(power=0.3),
    Shape(window_ms=80, hop_ms=20),
    Shape(lstm=256),
    Shape(width=24),
)


def times_real_time(shape: Shape, checkpoint: Path) -> float:
    """Of the network alone, on one thread."""
    net = prepare(load_checkpoint(str(checkpoint)).build(), CPU)
    frames = 1024
    x = torch.rand(1, 2, shape.config.path.bins, frames).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), keeping_freed_memory():
        net.predict_mask(x)
        begun = time.perf_counter()
        for _ in range(3):
            net.predict_mask(x)
    kept = frames - 2 * net.offset
    return 3 * kept * shape.hop_ms / 1000 / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--speech", "--music", "--dev-speech", "--dev-music"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300, help="of every run (%(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/shapes"), help="kept between runs (%(default)s)")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    rows = []
    for shape in SHAPES:
        folder = a.work / f"{shape.name}-{a.steps}"
        frames = round(SECONDS * 1000 / shape.hop_ms / 16) * 16
        path = shape.config.path
        command = ["--window", str(path.window_ms), "--hop", str(path.hop_ms), "--input-power", str(path.input_power)]
        command += ["--width", str(shape.width), "--lstm", str(shape.lstm), "--frames", str(frames), "--bfloat16"]
        command += ["--steps", str(a.steps), "--check-every", str(a.steps // 3), "--codec", "0", "--out", str(folder)]
        for name in ("speech", "music", "dev_speech", "dev_music"):
            command += [f"--{name.replace('_', '-')}", str(getattr(a, name))]
        if train.main(command):
            raise SystemExit(1)
        log = [json.loads(row) for row in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        best = folder / "best.safetensors"
        rows.append(
            {
                "window ms": shape.window_ms,
                "hop ms": shape.hop_ms,
                "width": shape.width,
                "LSTM": shape.lstm,
                "power": shape.power,
                "million weights": sum(t.numel() for t in load_checkpoint(str(best)).state.values()) / 1e6,
                "held-out improvement dB": max(row["held_out_si_sdr_improvement_db"] for row in log),
                "seconds a step": log[-1]["seconds"] / a.steps,
                "network, times real time": times_real_time(shape, best),
            }
        )
    report(f"shapes after {a.steps} steps", rows, a.json)


if __name__ == "__main__":
    main()
