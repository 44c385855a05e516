"""How fast and how large separation is, beside a plain loop of the same network with the same weights.

    python benchmarks/uvr5_speed.py
    python benchmarks/uvr5_speed.py --memory dialogue --minutes 10 180

Both sides go from a file to two stems in files, on the same threads, one right after the other, each in a process of
its own. The plain side does what the public tools do: the whole file's spectrogram in memory, one window of 512
frames after the other in float32 through the network as it was trained. It has our vectorised transforms, so
the difference is the network's and the memory's alone. Weights are random where no trained ones are shipped; speed
does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf
from episodes import report

RATE_HZ = 44_100
# What stands for each family: generation, sizes, band plan.
NETWORKS = {
    "v5.1 nout 48": ("5.1", 48, 128, "4band_v3"),
    "v5.1 nout 32": ("5.1", 32, 128, "4band_v4_ms_fullband"),
    "v5.0 61968KB": ("5.0", "61968KB", 0, "4band_v2"),
}


# Which of our functions make up which step.
STEPS = {
    ("windows.py", "finished"): "waiting for the network",
    ("windows.py", "start"): "waiting for the network",
    ("multiband.py", "_frames"): "forward transforms",
    ("framing.py", "analyse"): "forward transforms",
    ("models.py", "_written"): "inverse transforms",
    ("framing.py", "synthesise"): "inverse transforms",
}


def make_model(name: str, window_frames: int | None) -> object:
    from video_preprocessing.uvr5.engine.models import SeparatorOptions, make_model

    options = SeparatorOptions(window_frames=window_frames)
    return make_model(make_checkpoint(name), device="cpu", options=options)


def make_checkpoint(name: str) -> object:
    import torch

    from video_preprocessing.uvr5.checkpoints import Checkpoint, load_checkpoint
    from video_preprocessing.uvr5.nets import CascadedASPPNet, CascadedNet
    from video_preprocessing.uvr5.signal.band_plan import band_plan

    if name not in NETWORKS:
        return load_checkpoint(name)
    generation, size, lstm, plan_name = NETWORKS[name]
    plan = band_plan(plan_name)
    torch.manual_seed(0)
    net = CascadedNet(2 * plan.bins, size, lstm) if generation == "5.1" else CascadedASPPNet(2 * plan.bins, size)
    stems = ("vocals", "accompaniment")
    return Checkpoint(name, generation, plan, "mask", stems, net.state_dict(), "0")


def ours(name: str, source: Path, folder: Path, window_frames: int | None) -> float:
    """Seconds from file to stems; loading and preparing the network is not counted on either side."""
    from video_preprocessing.uvr5.separator import Separator

    separator = Separator([make_model(name, window_frames)])
    begun = time.perf_counter()
    separator.separate_file(source, folder / "voice.flac", accompaniment=folder / "rest.flac")
    return time.perf_counter() - begun


def plain(name: str, source: Path, folder: Path, window_frames: int) -> float:
    """The same by the book: everything in memory, one window after the other."""
    import torch
    from torch.nn import functional as F

    from video_preprocessing.uvr5.signal.band_plan import BandPlan
    from video_preprocessing.uvr5.signal.multiband import analyse, synthesise
    from video_preprocessing.uvr5.signal.singleband import carry_upward, left_right, mid_side, network_input
    from video_preprocessing.uvr5.signal.stft import Framer

    checkpoint = make_checkpoint(name)
    net, path = checkpoint.build(), checkpoint.path
    begun = time.perf_counter()
    x = np.ascontiguousarray(sf.read(source, dtype="float32", always_2d=True)[0].T)
    if isinstance(path, BandPlan):
        spec = analyse(x, path)
        seen = spec.abs() / spec.abs().max()
    else:
        framer = Framer(path.window_samples(RATE_HZ), path.hop_samples(RATE_HZ))
        spec = mid_side(torch.cat(list(framer.analyse([x])), dim=-1).movedim(0, -2)).movedim(-2, 0)
        seen = network_input(spec[None].abs(), float(spec.abs().square().mean().sqrt()), path)[0]
    core = window_frames - 2 * net.offset
    padded = F.pad(seen, (net.offset, core - seen.shape[-1] % core + net.offset))
    masks = []
    with torch.no_grad():
        for start in range(0, padded.shape[-1] - 2 * net.offset, core):
            masks.append(net.predict_mask(padded[None, ..., start : start + window_frames])[0])
    mask = torch.cat(masks, dim=-1)[..., : spec.shape[-1]]
    if isinstance(path, BandPlan):
        voice = spec * mask
        stems = [synthesise(s, path, x.shape[1]) for s in (voice, spec - voice)]
    else:
        mask = carry_upward(mask, spec.abs(), path, spec.shape[1])
        voice = left_right((spec * mask).movedim(0, -2)).movedim(-2, 0)
        wave = np.concatenate([framer.synthesise(voice), framer.flush()], axis=1)
        stems = [wave, x - wave]
    for stem, file in zip(stems, ("voice.flac", "rest.flac"), strict=True):
        sf.write(folder / file, np.clip(stem.T, -1, 1), RATE_HZ, subtype="PCM_16")
    return time.perf_counter() - begun


def shares(name: str, source: Path, folder: Path) -> dict[str, float]:
    """Seconds by step of our side, reading and writing in their own threads left out."""
    import cProfile
    import pstats

    from video_preprocessing.uvr5.separator import Separator

    separator = Separator([make_model(name, None)])
    profile = cProfile.Profile()
    profile.enable()
    separator.separate_file(source, folder / "voice.flac", accompaniment=folder / "rest.flac")
    profile.disable()
    found = {"waiting for the network": 0.0, "forward transforms": 0.0, "inverse transforms": 0.0}
    for (file, _, function), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        step = STEPS.get((Path(file).name, function))
        if step is not None:
            found[step] += cumulative
    total = pstats.Stats(profile).total_tt  # type: ignore[attr-defined]
    return found | {"everything": total}


def write_recording(path: Path, seconds: float) -> Path:
    """Chords and noise, in stereo, written as a stream."""
    rng = np.random.default_rng(0)
    with sf.SoundFile(path, "w", RATE_HZ, 2, subtype="PCM_16") as file:
        for second in range(int(seconds)):
            t = np.arange(RATE_HZ) / RATE_HZ + second
            tone = 0.1 * sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330)) * (0.5 + 0.5 * np.cos(t))
            file.write(np.stack([tone, 0.7 * tone], axis=1) + 0.02 * rng.standard_normal((RATE_HZ, 2)))
    return path


def measured(arguments: list[str]) -> dict[str, float]:
    """Runs one side in a process of its own; its answer, with the peak of its memory."""
    command = [sys.executable, __file__, "--worker", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def worker(side: str, name: str, source: str, window_frames: str) -> None:
    import resource

    frames = int(window_frames) or None
    with tempfile.TemporaryDirectory() as folder:
        if side == "shares":
            answer = shares(name, Path(source), Path(folder))
        else:
            run = {"ours": ours, "plain": plain}[side]
            answer = {"seconds": run(name, Path(source), Path(folder), frames)}  # type: ignore[arg-type]
    answer["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS, "dialogue"])
    parser.add_argument("--seconds", type=int, default=60, help="of audio (%(default)s)")
    parser.add_argument("--windows", type=int, nargs="+", default=[512, 1024], help="frames (%(default)s)")
    parser.add_argument("--memory", metavar="NETWORK", help="peak memory by length instead")
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 180])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.worker:
        worker(*a.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        if a.memory:
            rows = []
            for minutes in a.minutes:
                source = write_recording(Path(folder) / "in.flac", 60 * minutes)
                answer = measured(["ours", a.memory, str(source), "0"])
                speed = 60 * minutes / answer["seconds"]
                rows.append({"minutes": minutes, "peak MiB": answer["peak MiB"], "times real time": speed})
            report(f"memory by length: {a.memory}", rows, a.json)
            return
        source, rows, steps = write_recording(Path(folder) / "in.flac", a.seconds), [], []
        for name in a.networks:
            base = measured(["plain", name, str(source), "512"])
            row = {"network": name, "plain s": base["seconds"], "plain MiB": base["peak MiB"]}
            for frames in a.windows:
                answer = measured(["ours", name, str(source), str(frames)])
                row[f"{frames}: s"] = answer["seconds"]
                row[f"{frames}: times"] = base["seconds"] / answer["seconds"]
                row[f"{frames}: MiB"] = answer["peak MiB"]
            rows.append(row)
            parts = measured(["shares", name, str(source), "0"])
            whole = parts["everything"]
            steps.append(
                {"network": name}
                | {k: 100 * v / whole for k, v in parts.items() if k not in ("everything", "peak MiB")}
            )
    report(f"{a.seconds} s of stereo, from file to two stems", rows, a.json)
    report("shares of the time, per cent", steps, None)


if __name__ == "__main__":
    main()
