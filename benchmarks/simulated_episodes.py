#!/usr/bin/env python3
"""Choose the calibration of attribution on simulated episodes, whose voices no reported episode has to share.

    python benchmarks/simulated_episodes.py --read DIR --acted DIR --music DIR [--embedder campplus] [--cache FOLDER]

``--read`` and ``--acted`` hold one folder per voice with utterances in it; files of ``--acted`` are named as EmoDB's
(the sixth letter is the mood, N = neutral). Utterances are cut into lines of 0.8 to 4 s and embedded clean, with music
0 to 20 dB below, and as a separator would leave them. Then episodes of 3 to 10 voices are drawn: who speaks next
follows the habits of real series (the same speaker goes on in 45 %), up to two voices are unknown, the others are
enrolled from three neutral clean clips or named on 30 % of the lines, the diarizer's labels split every voice in two
and are wrong in 5 to 25 % of the lines, or (every second episode) put voices together. For each prior, scale and offset
the whole of attribution is run; printed are, for read and acted episodes without and with unknown speakers: right /
certain / of certain right / calibration error / log-loss.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.fit_calibration import cut_lines, load, scaled, separated
from video_preprocessing.speech import load_embedder
from video_preprocessing.speech.campplus_embedder import CamPlusPlusEmbedder
from yuki_builder.characters import Gallery, attribute, voice_model, weighing
from yuki_builder.characters.calibration import ByDuration, Calibration
from yuki_builder.records import AlignedCue, Attribution, Cue, NameTag, SpeakerEmbeddings, Turn, Verdict

RATE_HZ = 16_000
LINES = 90
STAYS = 0.45
TAGGED = 0.3


@dataclass(frozen=True, eq=False)
class Pieces:
    """n embedded lines: whose, which line of which utterance, how it was made, how long, and whether neutral."""

    vectors: np.ndarray
    voice: np.ndarray
    line: np.ndarray
    condition: np.ndarray
    seconds: np.ndarray
    is_neutral: np.ndarray


def make_pieces(speech: Path, music: Path, embedder_name: str, *, acted: bool, cache: Path | None) -> Pieces:
    """All lines of all voices, embedded in three conditions."""
    kept = cache / f"{embedder_name}-{'acted' if acted else 'read'}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept, allow_pickle=False) as arrays:
            return Pieces(**arrays)
    rng = np.random.default_rng(5)
    plain = embedder_name == "campplus-plain"
    embedder = CamPlusPlusEmbedder(device="cpu", wccn=False) if plain else load_embedder(embedder_name, device="cpu")
    beds = [load(path) for path in sorted(music.iterdir())[::2]]
    rows: list[tuple[str, str, str, float, bool]] = []
    vectors: list[np.ndarray] = []
    for folder in sorted(p for p in speech.iterdir() if p.is_dir()):
        waves: list[np.ndarray] = []
        for path in sorted(p for p in folder.iterdir() if p.suffix != ".txt"):
            whole = load(path)
            for cut, (shortest_s, longest_s) in enumerate([(1.2, 3.5)] if acted else [(0.8, 1.6), (1.6, 4.0)]):
                for number, line in enumerate(cut_lines(whole, rng, shortest_s=shortest_s, longest_s=longest_s)):
                    for condition in ("clean", "mixed", "masked"):
                        waves.append(_under(line, condition, beds, rng))
                        neutral = not acted or path.stem[5] == "N"
                        rows.append(
                            (folder.name, f"{path.stem}_{cut}_{number}", condition, len(line) / RATE_HZ, neutral)
                        )
        vectors.append(embedder.embed_many(waves))
        print(f"\r{folder.name}: {len(rows)} lines", end="", file=sys.stderr, flush=True)
    pieces = Pieces(np.concatenate(vectors), *(np.array(column) for column in zip(*rows, strict=True)))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{name: getattr(pieces, name) for name in Pieces.__dataclass_fields__})
    return pieces


def _under(line: np.ndarray, condition: str, beds: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    if condition == "clean":
        return line
    while True:
        bed = beds[rng.integers(len(beds))]
        start = int(rng.integers(max(1, len(bed) - len(line))))
        part = bed[start : start + len(line)]
        if len(part) == len(line) and (part**2).mean() > 1e-6:
            break
    music = scaled(part, line, rng.uniform(0, 20) if condition == "mixed" else rng.uniform(-3, 12))
    return line + music if condition == "mixed" else separated(line, music, rng)


@dataclass(frozen=True, eq=False)
class Episode:
    """What attribution is given, and who says what."""

    lines: list[AlignedCue]
    embeddings: SpeakerEmbeddings
    gallery: Gallery
    turns: list[Turn]
    truth: list[str]
    known: set[str]
    acted: bool

    def attributions(self) -> list[Attribution]:
        return attribute(self.lines, self.embeddings, gallery=self.gallery, turns=self.turns, manual={})


def draw(pieces: Pieces, rng: np.random.Generator, *, acted: bool, embedder: str) -> Episode:
    """One episode."""
    voices = np.unique(pieces.voice)
    size = len(voices) if acted else int(rng.integers(5, 11))
    cast = rng.permutation(voices)[:size]
    enrolled, by_tags = cast[int(rng.integers(0, 3)) :], bool(rng.random() < 0.5)
    condition = rng.choice(["mixed", "masked"])
    clips: list[np.ndarray] = []
    owners: list[str] = []
    pool: dict[str, list[int]] = {}
    for name in cast:
        mine = pieces.voice == name
        clean = mine & (pieces.condition == "clean") & pieces.is_neutral
        kept = rng.permutation(np.unique(pieces.line[clean]))
        kept = kept[: min(3, max(1, len(kept) // 3))]
        if name in enrolled and not by_tags:
            clips += [pieces.vectors[np.flatnonzero(clean & (pieces.line == key))[0]] for key in kept]
            owners += [str(name)] * len(kept)
        free = np.flatnonzero(mine & (pieces.condition == condition) & ~np.isin(pieces.line, kept))
        pool[str(name)] = list(rng.permutation(free))
    share = dict(zip(map(str, cast), rng.dirichlet(np.ones(size)) + 0.02, strict=True))
    lines, rows, truth, tags = [], [], [], set()
    now_ms, last = 0, ""
    for index, name in enumerate(_speakers(pool, share, rng)):
        row = pool[name].pop()
        now_ms += int(rng.exponential(900))
        end_ms = now_ms + int(1000 * pieces.seconds[row])
        given: tuple[NameTag, ...] = ()
        if by_tags and name in enrolled and rng.random() < TAGGED:
            given = (NameTag(name, "actor"),)
            tags.add(name)
        cue = Cue(f"c{index}", index, now_ms, end_ms, "x", raw_text="x", tags=given)
        lines.append(AlignedCue(cue, now_ms, end_ms, speech_ms=end_ms - now_ms))
        now_ms, last = end_ms, name
        rows.append(row)
        truth.append(last)
    names, wrong = sorted(set(truth)), rng.uniform(0.05, 0.25)
    is_mixed = bool(rng.random() < 0.5)
    label = {name: k % max(2, round(0.7 * len(names))) if is_mixed else k for k, name in enumerate(names)}
    heard = [label[t if rng.random() > wrong else str(rng.choice(names))] for t in truth]
    turns = [
        Turn(x.start_ms, x.end_ms, f"S{voice}{0 if is_mixed else rng.integers(2)}")
        for x, voice in zip(lines, heard, strict=True)
    ]
    dim = pieces.vectors.shape[1]
    keys = tuple(f"e{k}" for k in range(len(clips)))
    enrolment = SpeakerEmbeddings(keys, np.array(clips, np.float32).reshape(-1, dim), (1000,) * len(keys))
    gallery = Gallery.build(enrolment, dict(zip(keys, owners, strict=True)), embedder=embedder)
    embeddings = SpeakerEmbeddings(
        tuple(x.cue.cue_id for x in lines), pieces.vectors[rows], tuple(x.speech_ms or 1 for x in lines)
    )
    return Episode(lines, embeddings, gallery, turns, truth, set(owners) | tags, acted)


def _speakers(pool: dict[str, list[int]], share: dict[str, float], rng: np.random.Generator) -> Iterator[str]:
    last = ""
    for _ in range(LINES):
        live = [name for name, rows in pool.items() if rows]
        if len(live) < 2:
            return
        if last not in live or rng.random() >= STAYS:
            others = [name for name in live if name != last]
            weights = np.array([share[name] for name in others])
            last = str(rng.choice(others, p=weights / weights.sum()))
        yield last


def figures(episodes: list[Episode]) -> str:
    """Right / certain / of certain right / calibration error / log-loss, over the lines of all episodes."""
    if not episodes:
        return "-"
    said = [(a, t, t in e.known) for e in episodes for a, t in zip(e.attributions(), e.truth, strict=True)]
    right = np.array([(a.character == t) if known else a.character is None for a, t, known in said])
    named_right = np.array([a.character == t for a, t, _ in said])
    sure = np.array([a.verdict is Verdict.CERTAIN for a, _, _ in said])
    confidence = np.array([a.confidence for a, _, _ in said])
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = sum(
        abs(confidence[bins == b].mean() - named_right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    )
    loss = -np.where(named_right, np.log(confidence + 1e-3), np.log(1.001 - confidence)).mean()
    return f"{right.mean():.3f} / {sure.mean():.2f} / {named_right[sure].mean():.3f} / {error:.3f} / {loss:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--read", type=Path, required=True)
    parser.add_argument("--acted", type=Path, required=True)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--embedder", default="campplus")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--scales", type=float, nargs="+", default=[0.12, 0.16, 0.2])
    parser.add_argument("--offsets", type=float, nargs="+", default=[0.0, 0.5, 1.0, 2.0])
    parser.add_argument(
        "--priors", type=float, nargs="+", default=[-2.0], help="log odds of an unknown speaker beforehand"
    )
    parser.add_argument(
        "--by-duration", type=float, nargs=4, metavar=("SCALE", "PER_E", "OFFSET", "PER_E"), help="at 1 s, and slopes"
    )
    a = parser.parse_args()
    by_duration = ByDuration(*a.by_duration) if a.by_duration else None
    sets = {
        acted: make_pieces(folder, a.music, a.embedder, acted=acted, cache=a.cache)
        for acted, folder in ((False, a.read), (True, a.acted))
    }
    rng = np.random.default_rng(4)
    drawn = []
    for _ in range(a.episodes):
        acted = bool(rng.random() < 0.5)
        drawn.append(draw(sets[acted], rng, acted=acted, embedder=a.embedder))
    kinds = [(acted, unknown) for acted in (False, True) for unknown in (False, True)]
    print(
        "| prior | scale | offset | " + " | ".join(f"{'acted' if x else 'read'}, unknown: {y}" for x, y in kinds) + " |"
    )
    for prior, scale, offset in itertools.product(a.priors, a.scales, a.offsets):
        weighing._LOG_PRIOR_OF_UNKNOWN = prior
        voice_model.CAMPPLUS = Calibration(scale=scale, offset=offset, clarity_slope=0.0, by_duration=by_duration)
        cells = [
            figures([e for e in drawn if e.acted == acted and bool(set(e.truth) - e.known) == unknown])
            for acted, unknown in kinds
        ]
        print(f"| {prior} | {scale} | {offset} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
