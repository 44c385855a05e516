#!/usr/bin/env python3
"""Fit how far a voice is believed by how much speech there is, on television-like episodes kept for it.

    python benchmarks/fit_duration.py EPISODE [EPISODE ...] [--work DIR] [--check EPISODE ...]

An EPISODE is a folder as ``drama.py`` takes it. The command runs on each once; then attribution alone is run again and
again on what it heard: everybody enrolled, two of the voices not enrolled (three times), and names on 30 % of the lines
(twice). Nelder and Mead's method looks for the scale and offset of CAM++'s log odds, as functions of the logarithm of
the seconds of speech, and for the prior log odds of an unknown speaker, under which confidence has the least log-loss.
``--check`` prints the figures of other episodes, too: fitted, as it ships, and with one calibration for all durations.
``calibration.py`` may take what was fitted, once ``simulated_episodes.py --by-duration`` agrees.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from who_said_it import run, tags

from pipelines.episode.records import read_embeddings, read_records, read_turns
from pipelines.layout import ALIGNED, EMBEDDINGS, GALLERY, TURNS, line_id
from yuki_builder.characters import Gallery, attribute, voice_model, weighing
from yuki_builder.characters.calibration import CAMPPLUS, ByDuration
from yuki_builder.records import AlignedCue, Attribution, NameTag, SpeakerEmbeddings, Turn, Verdict

TAG_DRAWS = 2
_FIRST = (0.16, 0.05, 0.5, -1.0, -2.0)
_STEPS = (0.05, 0.04, 0.6, 0.8, 0.7)


@dataclass(frozen=True, eq=False)
class Heard:
    """What the command heard in an episode, and who really says each line."""

    name: str
    lines: list[AlignedCue]
    embeddings: SpeakerEmbeddings
    turns: list[Turn]
    gallery: Gallery
    truth: list[str]

    def rows(self) -> Iterator[tuple[list[Attribution], list[str], set[str]]]:
        """Attributions, the truth, and whom the run could know, for each way of knowing people."""
        everybody = sorted(set(self.gallery.characters))
        casts = [everybody, everybody[2:], everybody[:-2], everybody[:1] + everybody[3:]]
        for cast in casts:
            named = {k: c for k, c in zip(self.gallery.keys, self.gallery.characters, strict=True) if c in cast}
            gallery = self._enrolled(named)
            yield self._attributed(self.lines, gallery), self.truth, set(cast)
        for draw in range(TAG_DRAWS):
            entries: list[dict[str, Any]] = [{"speaker": speaker} for speaker in self.truth]
            marked = [x.get("name", "") for x in tags(entries, draw)]
            lines = [
                replace(line, cue=replace(line.cue, tags=(NameTag(name, "actor"),) if name else ()))
                for line, name in zip(self.lines, marked, strict=True)
            ]
            yield self._attributed(lines, self._enrolled({})), self.truth, set(filter(None, marked))

    def _enrolled(self, named: dict[str, str]) -> Gallery:
        g = self.gallery
        return Gallery.build(SpeakerEmbeddings(g.keys, g.vectors, g.speech_ms), named, embedder=g.embedder)

    def _attributed(self, lines: Sequence[AlignedCue], gallery: Gallery) -> list[Attribution]:
        return attribute(lines, self.embeddings, gallery=gallery, turns=self.turns, manual={})


def hear(episode: Path, work: Path) -> Heard:
    """Run the command with everybody enrolled, and read what it kept."""
    out = work / episode.name
    run(episode, out, "--characters", str(episode / "enrol"))
    (folder,) = (path.parent for path in out.glob("*/lines.jsonl"))
    lines = read_records(folder / ALIGNED, AlignedCue)
    embeddings, _ = read_embeddings(folder / EMBEDDINGS)
    cue_ids = {line_id(folder.name, line.cue): line.cue.cue_id for line in lines}
    said = json.loads((episode / "truth.json").read_text(encoding="utf-8"))["lines"]

    def speaker(line: AlignedCue) -> str:
        ends = ((min(1000 * x["end"], line.end_ms) - max(1000 * x["start"], line.start_ms), x["speaker"]) for x in said)
        return str(max(ends)[1])

    return Heard(
        episode.name,
        [replace(line, cue=replace(line.cue, tags=())) for line in lines],
        replace(embeddings, keys=tuple(cue_ids.get(key, key) for key in embeddings.keys)),
        read_turns(folder / TURNS),
        Gallery.load(folder / GALLERY, embedder=None),
        [speaker(line) for line in lines],
    )


def use(figures: Sequence[float]) -> None:
    """Let attribution work with these: scale, its slope, offset, its slope, log odds of an unknown speaker."""
    *by_duration, prior = map(float, figures)
    voice_model.CAMPPLUS = replace(CAMPPLUS, by_duration=ByDuration(*by_duration))
    weighing._LOG_PRIOR_OF_UNKNOWN = prior


def judged(episodes: Sequence[Heard]) -> dict[str, float]:
    """Shares of all rows' lines, in per cent, and the log-loss of confidence."""
    right, certain, certain_right, losses = [], [], [], []
    for episode in episodes:
        for found, truth, known in episode.rows():
            for one, speaker in zip(found, truth, strict=True):
                is_right = one.character == speaker if speaker in known else one.character is None
                right.append(is_right)
                if one.verdict is Verdict.CERTAIN:
                    certain_right.append(is_right)
                certain.append(one.verdict is Verdict.CERTAIN)
                likely = one.confidence if one.character == speaker else 1 - one.confidence
                # A wrong name leaves the truth a share of what is left.
                share = 0.3 if speaker in known and not is_right else 1.0
                losses.append(-np.log(max(share * likely, 1e-3)))
    return {
        "right": 100 * float(np.mean(right)),
        "certain": 100 * float(np.mean(certain)),
        "of certain": 100 * float(np.mean(certain_right)),
        "log-loss": float(np.mean(losses)),
    }


def show(label: str, figures: dict[str, float]) -> None:
    print(f"| {label} | " + " | ".join(f"{value:.4g}" for value in figures.values()) + " |", flush=True)


def main() -> None:
    from scipy.optimize import minimize

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("episodes", type=Path, nargs="+")
    parser.add_argument("--check", type=Path, nargs="*", default=[])
    parser.add_argument("--work", type=Path, default=Path("runs/duration"))
    parser.add_argument("--tries", type=int, default=70)
    a = parser.parse_args()
    fitted_on = [hear(episode, a.work) for episode in a.episodes]
    others = [hear(episode, a.work) for episode in a.check]
    print("| scale, per e, offset, per e, unknown | right % | certain % | of certain % | log-loss |\n" + "|-" * 5 + "|")
    best = np.inf

    shipped = CAMPPLUS.by_duration
    assert shipped is not None
    ships = (*astuple(shipped)[:4], weighing._LOG_PRIOR_OF_UNKNOWN)

    def loss(figures: Sequence[float]) -> float:
        nonlocal best
        if figures[0] + figures[1] * np.log(shipped.shortest_s) < 0.02:  # odds would count the other way
            return np.inf
        use(figures)
        found = judged(fitted_on)
        if found["log-loss"] < best:
            best = found["log-loss"]
            show(", ".join(f"{x:.3f}" for x in figures), found)
        return found["log-loss"]

    start = np.array(_FIRST)
    simplex = np.array([start, *(start + step for step in np.diag(_STEPS))])
    end = minimize(loss, start, method="Nelder-Mead", options={"maxfev": a.tries, "initial_simplex": simplex})
    for label, figures in (("fitted", end.x), ("ships", ships)):
        use(figures)
        show(f"{label}, on these", judged(fitted_on))
        if others:
            show(f"{label}, on the others", judged(others))
    voice_model.CAMPPLUS = replace(CAMPPLUS, by_duration=None)
    if others:
        show("without, on the others", judged(others))


if __name__ == "__main__":
    main()
