"""Voices that nobody named, known again over a season: the episodes' own labels become the season's."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from pipelines.episode.records import embeddings_in, read_embeddings, read_lines
from yuki_builder.characters import EpisodeVoice, link_voices
from yuki_builder.records import Line


def season_names(episodes: Sequence[Path]) -> Mapping[tuple[str, str], str]:
    """The season's name for each voice (episode, its label there) that nobody named; one episode at a time is read.

    None where fewer than two episodes hold such voices, or where they are of different embedders.
    """
    found = _Voices()
    reading = found.of(episodes)
    first = next(reading, None)
    if first is None:
        return {}
    (embedder,) = found.embedders
    names = link_voices(chain([first], reading), embedder=embedder)
    return names if len(found.embedders) == 1 and found.episodes > 1 else {}


class _Voices:
    """Reads the nameless voices of episodes, and what they were made with."""

    def __init__(self) -> None:
        self.embedders: set[str] = set()
        self.episodes = 0

    def of(self, episodes: Sequence[Path]) -> Iterator[EpisodeVoice]:
        for folder in episodes:
            by_speaker: dict[str, list[Line]] = defaultdict(list)
            for line in read_lines(folder):
                if is_nameless(line):
                    by_speaker[str(line.speaker)].append(line)
            if not by_speaker:
                continue
            self.episodes += 1
            embeddings, embedder = read_embeddings(embeddings_in(folder))
            self.embedders.add(embedder)
            if len(self.embedders) > 1:
                return  # they do not compare
            row_of = {key: row for row, key in enumerate(embeddings.keys)}
            for speaker, said in sorted(by_speaker.items()):
                rows = [row_of[line.line_id] for line in said if line.line_id in row_of]
                vectors = embeddings.vectors[rows] if rows else np.zeros((0, 1), np.float32)
                yield EpisodeVoice(folder.name, speaker, vectors, sum(x.span.duration_ms for x in said))


def is_nameless(line: Line) -> bool:
    """Whether a line's character is nothing but its episode's own label of a voice."""
    return line.character is not None and line.character == line.speaker


def renamed(line: Line, episode: str, names: Mapping[tuple[str, str], str]) -> Line:
    """The line with the season's name for its voice, where it has one.

    Args:
        line: a line of the episode.
        episode: its id.
        names: the season's name of a voice, by episode and episode-local voice.
    """
    if not names:
        return line
    evidence = tuple(
        dataclasses.replace(e, character=names.get((episode, e.character), e.character)) for e in line.evidence
    )
    name = names[episode, str(line.speaker)] if is_nameless(line) else line.character
    return dataclasses.replace(line, character=name, evidence=evidence)
