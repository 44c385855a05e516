"""One name for one voice over a season, where nobody was named: the voices of all episodes, put together.

Each episode calls its own voices ``SPEAKER_01``, ``SPEAKER_02`` …; whose they are is asked of their voiceprints. Two
voices of one episode are two people. The most alike are put together first, and only while the odds are for it
(complete linkage: every voice of one against every voice of the other).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from yuki_builder.characters.gallery import Gallery
from yuki_builder.characters.voice_model import Array, VoiceModel
from yuki_builder.records import FloatArray

_LEAST_ODDS = 0.0  # natural logarithm: as likely one person as two
_LEAST_LINES = 2


@dataclass(frozen=True, eq=False, slots=True)
class EpisodeVoice:
    """A voice that one episode has no name for.

    Attributes:
        episode_id: which.
        speaker: what the episode calls it.
        vectors: shape (n, d); voiceprints of its lines.
        speech_ms: how much it says.
    """

    episode_id: str
    speaker: str
    vectors: FloatArray
    speech_ms: int


def link_voices(voices: Sequence[EpisodeVoice], *, embedder: str) -> Mapping[tuple[str, str], str]:
    """A name (``VOICE_01`` …, who says most first) for each (episode, speaker); the same for the same voice.

    A voice without at least two voiceprints gets a name of its own. ``embedder`` is the fingerprint of what made them.
    """
    heard = [voice for voice in voices if len(voice.vectors) >= _LEAST_LINES]
    groups: list[list[EpisodeVoice]] = [[voice] for voice in heard]
    if heard:
        model = Gallery.empty(embedder=embedder).model(heard[0].vectors.shape[1])
        odds = _odds(heard, model)
        members = [[k] for k in range(len(heard))]
        _join(members, odds, [voice.episode_id for voice in heard])
        groups = [[heard[k] for k in group] for group in members]
    groups += [[voice] for voice in voices if len(voice.vectors) < _LEAST_LINES]
    groups.sort(key=lambda group: (-sum(v.speech_ms for v in group), min((v.episode_id, v.speaker) for v in group)))
    width = max(2, len(str(len(groups))))
    return {
        (voice.episode_id, voice.speaker): f"VOICE_{number:0{width}d}"
        for number, group in enumerate(groups, start=1)
        for voice in group
    }


def _odds(voices: Sequence[EpisodeVoice], model: VoiceModel) -> Array:
    """Calibrated log odds of each pair being one person, symmetric, shape (n, n)."""
    points = [model.project(voice.vectors) for voice in voices]
    totals = np.stack([p.sum(0) for p in points])
    counts = np.array([len(p) for p in points], np.float64)
    means = totals / counts[:, None]
    thresholds = np.array([float(model.threshold(voice.vectors).mean()) for voice in voices])
    odds: Array = np.zeros((len(voices), len(voices)))
    for k in range(len(voices)):
        raw = model.log_odds(means, totals[k][None], counts[k : k + 1], clips_per_point=counts)
        odds[:, k] = model.calibration.scale * raw + thresholds
    return (odds + odds.T) / 2


def _join(members: list[list[int]], odds: Array, episodes: Sequence[str]) -> None:
    """Join groups in place, the most alike first."""
    while len(members) > 1:
        best, pair = _LEAST_ODDS, None
        for i, one in enumerate(members):
            for j in range(i + 1, len(members)):
                if {episodes[k] for k in one}.isdisjoint(episodes[k] for k in members[j]):
                    worst = float(odds[np.ix_(one, members[j])].min())
                    if worst > best:
                        best, pair = worst, (i, j)
        if pair is None:
            return
        members[pair[0]] += members.pop(pair[1])
