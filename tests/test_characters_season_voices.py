"""The same voice, called by the same name over a season."""

from __future__ import annotations

import numpy as np
import pytest
from test_characters_voices import EMBEDDER, Voices

from yuki_builder.characters import EpisodeVoice, link_voices, season_voices


def voice(voices: Voices, episode: str, speaker: str, person: str, count: int = 6) -> EpisodeVoice:
    embeddings = voices.embeddings({f"{episode}/{speaker}/{k}": person for k in range(count)})
    return EpisodeVoice(episode, speaker, embeddings.vectors, 1000 * count)


@pytest.mark.parametrize("seed", range(4))
def test_voices_are_known_again(seed: int) -> None:
    voices = Voices(seed)
    cast = {"e1": "ABC", "e2": "CAD", "e3": "BDE"}
    heard = [
        voice(voices, episode, f"SPEAKER_{k:02d}", person)
        for episode, people in cast.items()
        for k, person in enumerate(people, start=1)
    ]
    names = link_voices(heard, embedder=EMBEDDER)
    people = {
        (episode, f"SPEAKER_{k:02d}"): person for episode, own in cast.items() for k, person in enumerate(own, start=1)
    }
    assert len({(names[key], people[key]) for key in names}) == len(set(people.values())) == len(set(names.values()))
    assert link_voices(heard[::-1], embedder=EMBEDDER) == names


def test_who_says_most_is_first_and_short_voices_stay_alone() -> None:
    voices = Voices(0)
    heard = [
        voice(voices, "e1", "SPEAKER_01", "A", 3),
        voice(voices, "e1", "SPEAKER_02", "B", 9),
        voice(voices, "e2", "SPEAKER_01", "A", 1),
        EpisodeVoice("e2", "SPEAKER_02", np.zeros((0, 1), np.float32), 500),
    ]
    assert link_voices(heard, embedder=EMBEDDER) == {
        ("e1", "SPEAKER_02"): "VOICE_01",
        ("e1", "SPEAKER_01"): "VOICE_02",
        ("e2", "SPEAKER_01"): "VOICE_03",
        ("e2", "SPEAKER_02"): "VOICE_04",
    }
    assert link_voices([], embedder=EMBEDDER) == {}


def test_many_voices_are_linked_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every pair weighed would: with exact and with approximate neighbours, in whatever order they come."""
    voices = Voices(5)
    dice = np.random.default_rng(0)
    people = {}
    heard = []
    for episode in range(12):
        for k, person in enumerate(dice.choice(list("ABCDEFGH"), 4, replace=False)):
            people[f"e{episode:02d}", f"SPEAKER_{k}"] = person
            heard.append(voice(voices, f"e{episode:02d}", f"SPEAKER_{k}", str(person)))
    by_pairs = link_voices(heard, embedder=EMBEDDER)
    assert len({(by_pairs[key], people[key]) for key in people}) == len(set(people.values()))
    monkeypatch.setattr(season_voices, "_MOST_BY_PAIRS", 0)
    assert link_voices(heard, embedder=EMBEDDER) == by_pairs
    assert link_voices(iter(heard[::-1]), embedder=EMBEDDER) == by_pairs
    pytest.importorskip("hnswlib")
    monkeypatch.setattr(season_voices, "_MOST_BY_SEARCH", 0)
    assert link_voices(heard, embedder=EMBEDDER) == by_pairs
