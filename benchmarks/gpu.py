#!/usr/bin/env python3
"""What a GPU gives: the same results as the processor, and how much faster, step by step and as the whole command.

    python benchmarks/gpu.py --video ep.mkv --minutes 24
    python benchmarks/gpu.py --only separation embeddings

Separation runs on random noise and chords, or on the sound of the video; embeddings and turns on the sound of the
video. "As the processor" is the signal-to-difference ratio of the vocals, the smallest cosine of two embeddings of one
line, and the diarization error of one side's turns against the other's. Needs a CUDA device.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parents[1]))

from episodes import report
from uvr5_speed import NETWORKS, make_checkpoint, write_recording

from video_preprocessing.media import find_ffmpeg
from video_preprocessing.uvr5.checkpoints import Checkpoint
from video_preprocessing.uvr5.engine.models import Precision

T = TypeVar("T")
DEVICES = ("cpu", "cuda")
PRECISIONS: dict[str, tuple[str, Precision]] = {
    "cpu": ("cpu", "float32"),
    "half": ("cuda", "auto"),
    "whole": ("cuda", "float32"),
}
_LINES = 400
_LINE_SECONDS = (0.6, 5.0)
_RATE_HZ = 16_000
_SILENCE = 1e-12


def separation(source: Path, folder: Path, networks: list[str]) -> list[dict[str, Any]]:
    """Every network on the processor and on the GPU, in half and in whole precision."""
    import torch

    from video_preprocessing.uvr5.engine.models import SeparatorOptions, make_model
    from video_preprocessing.uvr5.separator import Separator

    seconds = sf.info(source).duration
    rows = []
    for name in networks:
        row: dict[str, Any] = {"network": name}
        kept = None
        for label, (device, precision) in PRECISIONS.items():
            model = make_model(
                cast(Checkpoint, make_checkpoint(name)), device=device, options=SeparatorOptions(precision=precision)
            )
            separator = Separator([model])
            if device == "cuda":  # the first windows choose kernels
                separator.separate(np.zeros((2, 44_100), np.float32), 44_100)
                torch.cuda.reset_peak_memory_stats()
            out = folder / f"{name}-{label}.flac".replace(" ", "_")
            took = seconds_of(partial(separator.separate_file, source, out))[0]
            x = sf.read(out, dtype="float32")[0]
            row[f"{label}: s"] = took
            row[f"{label}: times real time"] = seconds / took
            if kept is None:
                kept = x
            else:
                row[f"{label}: dB to cpu"] = snr_db(x, kept)
                row[f"{label}: MiB"] = torch.cuda.max_memory_allocated() / 2**20
        rows.append(row)
    return rows


def snr_db(x: np.ndarray, reference: np.ndarray) -> float:
    """How far the difference lies below the reference."""
    difference, power = (float(np.square(y, dtype=np.float64).sum()) for y in (x - reference, reference))
    return float(10 * np.log10((power + _SILENCE) / (difference + _SILENCE)))


def embeddings(waveform: np.ndarray) -> list[dict[str, Any]]:
    """Four hundred lines of usual lengths from one recording."""
    from video_preprocessing.speech.embedders import load_embedder

    rng = np.random.default_rng(0)
    lengths = (rng.uniform(*_LINE_SECONDS, _LINES) * _RATE_HZ).astype(int)
    starts = (rng.uniform(0, 1, _LINES) * (len(waveform) - lengths.max())).astype(int)
    lines = [waveform[s : s + n] for s, n in zip(starts, lengths, strict=True)]
    rows: list[dict[str, Any]] = []
    first = None
    for device in DEVICES:
        embedder = load_embedder(device=device)
        embedder.embed_many(lines[:40])
        took, found = seconds_of(partial(embedder.embed_many, lines))
        first = found if first is None else first
        cosine = float((found * first).sum(1).min())
        rows.append({"device": device, "lines": _LINES, "seconds": took, "smallest cosine with cpu": cosine})
    return rows


def turns(sound: Path) -> list[dict[str, Any]]:
    """The embedded diarizer over one recording."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    from video_preprocessing.speech.activity import detect_speech
    from video_preprocessing.speech.diarization import load_diarizer

    speech = detect_speech(sound)
    seconds = sf.info(sound).duration
    rows: list[dict[str, Any]] = []
    first = None
    for device in DEVICES:
        diarizer = load_diarizer(device=device)
        diarizer.diarize(sound, speech[:1])  # loads the network
        took, found = seconds_of(partial(diarizer.diarize, sound, speech, mix=sound))
        said = Annotation()
        for k, turn in enumerate(found):
            said[Segment(turn.span.start_ms / 1000, turn.span.end_ms / 1000), k] = turn.speaker
        first = said if first is None else first
        error = 100 * DiarizationErrorRate()(first, said)
        rows.append({"device": device, "s per s": took / seconds, "voices": len(said.labels()), "% unlike cpu": error})
    return rows


def whole(video: Path, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The whole command: seconds by stage, and how many lines are alike in time, text and character."""
    from pipelines import EpisodeConfig, run_episode

    costs: dict[str, dict[str, Any]] = {}
    lines = {}
    for device in (*DEVICES, "cuda again"):
        out = folder / device.replace(" ", "-")
        begun = time.perf_counter()
        result = run_episode(EpisodeConfig(video, out=out, device=device.split()[0]))
        costs.setdefault("all", {"stage": "all"})[device] = time.perf_counter() - begun
        for stage in result.reports:
            costs.setdefault(stage.stage, {"stage": stage.stage})[device] = stage.seconds
        lines[device] = [line.to_dict() for line in result.lines]
    costs["all"] = costs.pop("all")
    alike = [
        {
            "lines": len(lines["cpu"]),
            "same text and time": shared(lines["cpu"], lines["cuda"], ("text", "start_ms", "end_ms")),
            "same character": shared(lines["cpu"], lines["cuda"], ("text", "character")),
            "two runs on the GPU alike": lines["cuda"] == lines["cuda again"],
        }
    ]
    return list(costs.values()), alike


def shared(one: list[dict[str, Any]], other: list[dict[str, Any]], fields: tuple[str, ...]) -> int:
    """How many lines agree in some fields, by id."""
    by_id = {line["line_id"]: line for line in other}
    return sum(
        line["line_id"] in by_id and all(line.get(f) == by_id[line["line_id"]].get(f) for f in fields) for line in one
    )


def seconds_of(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def ffmpeg(*arguments: object) -> None:
    subprocess.run([str(find_ffmpeg()), "-v", "error", "-y", *map(str, arguments)], check=True)


def main() -> None:
    """Measure and print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = ("separation", "embeddings", "turns", "whole")
    parser.add_argument("--video", type=Path, help="an episode, or a piece of one")
    parser.add_argument("--minutes", type=float, default=6, help="the video is repeated to this length (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=steps, default=steps)
    parser.add_argument("--networks", nargs="+", default=["dialogue", *NETWORKS])
    parser.add_argument("--json", type=Path, metavar="FOLDER", help="write the figures there, too")
    a = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device here")
    if a.video is None and set(a.only) != {"separation"}:
        parser.error("all but --only separation needs --video")

    def told(title: str, rows: list[dict[str, Any]]) -> None:
        report(title, rows, a.json / f"{re.sub('[^a-z]+', '_', title)}.json" if a.json else None)
        print(flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = folder / "ep.mkv"
        if a.video is not None:
            ffmpeg("-stream_loop", -1, "-i", a.video, "-map", 0, "-c", "copy", "-t", 60 * a.minutes, video)
        if "separation" in a.only:
            source = folder / "recording.flac"
            if a.video is None:
                write_recording(source, 60 * a.minutes)
            else:
                ffmpeg("-i", video, "-vn", "-ac", 2, "-ar", 44_100, source)
            told("separation", separation(source, folder, a.networks))
        if {"embeddings", "turns"} & set(a.only):
            sound = folder / "sound.flac"
            ffmpeg("-i", video, "-vn", "-ac", 1, "-ar", _RATE_HZ, sound)
            if "embeddings" in a.only:
                told("embeddings", embeddings(sf.read(sound, dtype="float32")[0]))
            if "turns" in a.only:
                told("turns", turns(sound))
        if "whole" in a.only:
            costs, alike = whole(video, folder)
            told("whole command, seconds", costs)
            told("whole command, lines", alike)


if __name__ == "__main__":
    main()
