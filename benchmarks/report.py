#!/usr/bin/env python3
"""Seconds and bytes of the reports: an episode of 24 minutes and 400 lines with its sound, and a season of those.

The sound is made up (tones over noise, as FLAC), as is the dialogue; what costs time is its length and number.

    python benchmarks/report.py
    python benchmarks/report.py --minutes 24 --lines 400 --episodes 12 --out reports
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from yuki_builder.corpus import EpisodeOverview, picture_sound, write_corpus_report, write_report
from yuki_builder.records import Evidence, Line, Verdict

RATE_HZ = 44_100
BLOCK_SECONDS = 10


def write_sound(path: Path, *, minutes: float, music: bool) -> None:
    """A stereo FLAC that is as much work to decode as an episode: voice-like tones, with noise where music is on."""
    import soundfile

    noise = np.random.default_rng(0)
    at = np.arange(BLOCK_SECONDS * RATE_HZ)[:, None] / RATE_HZ
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "PCM_16") as sound:
        for _ in range(int(minutes * 60 / BLOCK_SECONDS)):
            hz = noise.uniform(90, 400, (1, 2))
            voice = 0.3 * np.sin(2 * np.pi * hz * at) * (np.sin(2 * np.pi * 0.4 * at) > 0)
            hiss = noise.normal(0, 0.05 if music else 0.002, voice.shape)
            sound.write(np.clip(voice + hiss, -1, 1))


def make_lines(episode: str, *, count: int, minutes: float, seed: int) -> list[Line]:
    dice = random.Random(seed)  # noqa: S311
    every_ms = int(minutes * 60_000 / count)
    lines = []
    for i in range(count):
        name = f"角色 {min(dice.randrange(25), dice.randrange(25))}"
        sure = dice.betavariate(8, 1.5)
        start = i * every_ms + dice.randrange(every_ms // 3)
        line_id = f"{episode}-{start:08d}-{dice.getrandbits(32):08x}"
        lines.append(
            Line(
                line_id=line_id,
                episode_id=episode,
                index=i,
                start_ms=start,
                end_ms=start + every_ms // 2,
                text="因为你迟到了 这是当然的吧 " * dice.randrange(1, 4),
                character=name,
                confidence=round(sure, 4),
                verdict=Verdict.CERTAIN if sure > 0.8 else Verdict.DOUBTFUL,
                evidence=(Evidence("voice", name, 0.7), Evidence("cluster", name, 0.5), Evidence("scene", name, 0.1)),
                speaker="SPEAKER_00",
                snr_db=round(dice.gauss(8, 5), 1),
                clip=f"{episode}/clips/{name}/{line_id}.flac",
            )
        )
    return lines


def timed(what: str, work: Callable[[], object], file: Path | None = None) -> float:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    size = f"{file.stat().st_size / 1e6:8.2f} MB" if file else ""
    print(f"{what:<58} {seconds:7.2f} s {size}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=24)
    parser.add_argument("--lines", type=int, default=400)
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--out", type=Path, help="keep the reports there, to look at them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        names = [f"ep{n:02d}" for n in range(1, options.episodes + 1)]
        spoken = {
            name: make_lines(name, count=options.lines, minutes=options.minutes, seed=seed)
            for seed, name in enumerate(names)
        }
        audio = out / names[0] / "audio"
        audio.mkdir(parents=True, exist_ok=True)
        (out / "corpus").mkdir(exist_ok=True)
        for name in ("mix", "vocals"):
            write_sound(audio / f"{name}.flac", minutes=options.minutes, music=name == "mix")
        mix, vocals = f"{names[0]}/audio/mix.flac", f"{names[0]}/audio/vocals.flac"
        drawn = []
        seconds = timed(
            f"pictures of {options.minutes:g} minutes of mix and vocals",
            lambda: drawn.append(picture_sound(out / mix, out / vocals)),
        )
        page = out / names[0] / "report.html"
        seconds += timed(
            f"report of an episode of {options.lines} lines",
            lambda: write_report(
                page, episode_id=names[0], lines=spoken[names[0]], pictures=drawn[0], mix=mix, vocals=vocals
            ),
            page,
        )
        print(f"{'both':<58} {seconds:7.2f} s")
        overviews = [
            EpisodeOverview(name, tuple(lines), int(options.minutes * 60_000)) for name, lines in spoken.items()
        ]
        page = out / "corpus" / "report.html"
        total = options.lines * options.episodes
        timed(
            f"report of a corpus of {len(names)} episodes, {total} lines",
            lambda: write_corpus_report(page, episodes=overviews),
            page,
        )


if __name__ == "__main__":
    main()
