"""Voices that nobody named, known again over a season: the episodes' own labels become the season's."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipelines.episode.records import read_lines, read_voiceprints
from pipelines.layout import VOICEPRINTS
from yuki_builder.characters import EpisodeVoice, link_voices
from yuki_builder.records import Line


def season_lines(episodes: Sequence[Path]) -> dict[Path, list[Line]]:
    """The lines of each episode's folder; where two or more hold voices without names, with one name a voice."""
    lines = {folder: read_lines(folder) for folder in episodes}
    nameless = {folder: own for folder, own in lines.items() if any(map(is_nameless, own))}
    if len(nameless) < 2:
        return lines
    voices: list[EpisodeVoice] = []
    embedders = set()
    for folder, own in nameless.items():
        voiceprints, embedder = read_voiceprints(folder / VOICEPRINTS)
        embedders.add(embedder)
        row_of = {key: row for row, key in enumerate(voiceprints.keys)}
        by_speaker: dict[str, list[Line]] = defaultdict(list)
        for line in own:
            if is_nameless(line):
                by_speaker[str(line.speaker)].append(line)
        for speaker, said in sorted(by_speaker.items()):
            rows = [row_of[line.line_id] for line in said if line.line_id in row_of]
            vectors = voiceprints.vectors[rows] if rows else np.zeros((0, 1), np.float32)
            voices.append(EpisodeVoice(folder.name, speaker, vectors, sum(x.span.duration_ms for x in said)))
    if len(embedders) > 1:
        return lines  # of different embedders: they do not compare
    names = link_voices(voices, embedder=embedders.pop())
    return {folder: [_renamed(line, folder.name, names) for line in own] for folder, own in lines.items()}


def is_nameless(line: Line) -> bool:
    """Whether a line's character is nothing but its episode's own label of a voice."""
    return line.character is not None and line.character == line.speaker


def _renamed(line: Line, episode: str, names: Mapping[tuple[str, str], str]) -> Line:
    evidence = tuple(
        dataclasses.replace(e, character=names.get((episode, e.character), e.character)) for e in line.evidence
    )
    name = names[episode, str(line.speaker)] if is_nameless(line) else line.character
    return dataclasses.replace(line, character=name, evidence=evidence)
