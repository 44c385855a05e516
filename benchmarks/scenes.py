#!/usr/bin/env python3
"""How well scenes are found in simulated episodes, how far an edit reaches, and how long it takes.

An episode is a row of scenes with a cast each, pauses that are longer between scenes than within them (both
log-normal, so that they overlap), shots that go back and forth within a scene, and a new picture with most
scenes. What is found with pauses alone, with the cast and with the pictures is compared with a fixed pause.

    python benchmarks/scenes.py
    python benchmarks/scenes.py --video ep01.mkv      seconds for the shot changes of a real file
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from video_preprocessing.media import detect_shots, probe
from yuki_builder.corpus.scenes.segmentation import scene_starts
from yuki_builder.records import ShotChange, Span


@dataclass(frozen=True)
class Episode:
    """Lines with the truth about their scenes; ``starts`` are positions of first lines."""

    spans: tuple[Span, ...]
    cast: tuple[str | None, ...]
    shots: tuple[ShotChange, ...]
    keys: tuple[str, ...]
    starts: tuple[int, ...]


def simulate(seed: int, *, lines: int = 400, known: float = 0.85) -> Episode:
    """An episode of about ``lines`` lines of whose speakers ``known`` are known."""
    rng = random.Random(seed)  # noqa: S311
    people = [f"p{n}" for n in range(14)]
    spans, cast, shots, starts = list[Span](), list[str | None](), list[ShotChange](), list[int]()
    now_ms, last_picture_ms = 5_000, 0
    while len(spans) < lines:
        present = rng.sample(people, rng.choice((2, 2, 3, 3, 4)))
        if starts and rng.random() < 0.4:  # somebody stays
            present[0] = next((name for name in reversed(cast) if name), present[0])
        starts.append(len(spans))
        if rng.random() < 0.9:  # a new picture somewhere in the pause
            at_ms = max(last_picture_ms, now_ms - rng.randint(0, 800))
            shots.append(ShotChange(at_ms, max(last_picture_ms, at_ms - rng.randint(100, 3_000)), 0.3, 0.25))
            last_picture_ms = at_ms
        for _ in range(max(1, min(25, round(rng.lognormvariate(1.7, 0.6))))):
            duration_ms = int(min(7_000, rng.lognormvariate(7.5, 0.5)))
            spans.append(Span(now_ms, now_ms + duration_ms))
            cast.append(rng.choice(present) if rng.random() < known else None)
            end_ms = now_ms + duration_ms
            now_ms = end_ms + int(rng.lognormvariate(6.3, 0.9))
            if rng.random() < 0.5:  # the other face again
                at_ms = max(last_picture_ms, rng.randint(end_ms - duration_ms // 2, now_ms))
                shots.append(ShotChange(at_ms, max(last_picture_ms, at_ms - 1_500), 0.3, rng.uniform(0.01, 0.09)))
                last_picture_ms = at_ms
        now_ms = spans[-1].end_ms + int(rng.lognormvariate(8.1, 0.7))
    shots.sort()
    keys = tuple(f"{seed}-{n}" for n in range(len(spans)))
    return Episode(tuple(spans), tuple(cast), tuple(shots), keys, tuple(starts))


def borders_f1(found: Sequence[int], truth: Sequence[int]) -> float:
    """Harmonic mean of precision and recall of the borders, the first line's left out."""
    a, b = set(found) - {0}, set(truth) - {0}
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


def fixed_pause(episode: Episode, pause_ms: int) -> list[int]:
    """The plain way: cut at every pause above a length."""
    gaps = [b.start_ms - a.end_ms for a, b in pairwise(episode.spans)]
    return [0, *(n for n, gap in enumerate(gaps, 1) if gap > pause_ms)]


WAYS: dict[str, Callable[[Episode], list[int]]] = {
    "fixed pause of 8 s": lambda e: fixed_pause(e, 8_000),
    "fixed pause of 2.5 s": lambda e: fixed_pause(e, 2_500),
    "pauses": lambda e: scene_starts(e.spans, keys=e.keys),
    "pauses, cast": lambda e: scene_starts(e.spans, cast=e.cast, keys=e.keys),
    "pauses, shots": lambda e: scene_starts(e.spans, shots=e.shots, keys=e.keys),
    "pauses, cast, shots": lambda e: scene_starts(e.spans, cast=e.cast, shots=e.shots, keys=e.keys),
}


def reach_of_an_edit(episode: Episode, rng: random.Random) -> int:
    """How many lines away the farthest border moves when one line is taken out."""
    gone = rng.randrange(1, len(episode.spans) - 1)

    def without(row: Sequence[object]) -> tuple[object, ...]:
        return (*row[:gone], *row[gone + 1 :])

    edited = replace(
        episode,
        spans=without(episode.spans),
        cast=without(episode.cast),
        keys=without(episode.keys),
    )
    way = WAYS["pauses, cast, shots"]
    before = {episode.keys[i] for i in way(episode)}
    after = {edited.keys[i] for i in way(edited)}
    place = {key: n for n, key in enumerate(episode.keys)}
    return max((abs(place[key] - gone) for key in before ^ after), default=0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    figures: dict[str, object] = {}
    if arguments.video:
        began = time.monotonic()
        info = probe(arguments.video)
        changes = detect_shots(info)
        seconds = time.monotonic() - began
        figures["shots"] = {"minutes": info.duration_ms / 60_000, "seconds": seconds, "changes": len(changes)}
        print(f"shot changes: {len(changes)} in {info.duration_ms / 60_000:.1f} min, {seconds:.1f} s")
    episodes = [simulate(seed) for seed in range(arguments.episodes)]
    print(f"{'way':<22} {'F1 of borders':>13} {'median lines':>13} {'at most':>8} {'ms':>7}")
    for name, way in WAYS.items():
        began = time.perf_counter()
        found = [way(episode) for episode in episodes]
        each_ms = 1000 * (time.perf_counter() - began) / len(episodes)
        f1 = statistics.fmean(borders_f1(f, e.starts) for f, e in zip(found, episodes, strict=True))
        sizes = [b - a for f, e in zip(found, episodes, strict=True) for a, b in pairwise([*f, len(e.spans)])]
        figures[name] = {"f1": f1, "median": statistics.median(sizes), "most": max(sizes), "ms": each_ms}
        print(f"{name:<22} {f1:>13.3f} {statistics.median(sizes):>13g} {max(sizes):>8} {each_ms:>7.1f}")
    rng = random.Random(0)  # noqa: S311
    reaches = [reach_of_an_edit(episode, rng) for episode in episodes for _ in range(10)]
    figures["reach"] = {"mean": statistics.fmean(reaches), "most": max(reaches)}
    print(f"an edit moves borders {statistics.fmean(reaches):.1f} lines away on average, {max(reaches)} at most")
    truth = [b - a for e in episodes for a, b in pairwise([*e.starts, len(e.spans)])]
    print(f"the truth: median {statistics.median(truth):g} lines, {len(truth) / len(episodes):.0f} scenes an episode")
    many = simulate(99, lines=50_000)
    began = time.perf_counter()
    WAYS["pauses, cast, shots"](many)
    figures["50000 lines, s"] = time.perf_counter() - began
    print(f"50,000 lines: {figures['50000 lines, s']:.1f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
