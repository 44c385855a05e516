"""The embedded diarizer: windows, voices, turns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_files import sample_path

from video_preprocessing.speech import detect_speech, load_diarizer, load_embedder, read_rttm
from video_preprocessing.speech.clustering import (
    ClusteringSettings,
    Window,
    assign_voices,
    find_voices,
    slide,
    turns_of,
)
from video_preprocessing.speech.embedded import EmbeddedDiarizer
from video_preprocessing.speech.embedding import SpeakerEmbedder, unit_rows
from video_preprocessing.speech.turns import numbered
from yuki_builder.errors import ConfigError
from yuki_builder.records import FloatArray, Span, Turn

SETTINGS = ClusteringSettings()
DIM = 64


def voices(count: int, *, likeness: float = 0.5) -> FloatArray:
    """Directions of voices whose cosine is ``likeness``."""
    rng = np.random.default_rng(7)
    apart, _ = np.linalg.qr(rng.normal(size=(DIM, count + 1)))
    return unit_rows(np.sqrt(likeness) * apart[:, :1].T + np.sqrt(1 - likeness) * apart[:, 1:].T)


def heard(who: Sequence[int], of: FloatArray, *, noise: float, seed: int = 0) -> FloatArray:
    """Vectors of windows: their voice and a noise of its own; two of a voice have a cosine of 1 / (1 + noise)."""
    rng = np.random.default_rng(seed)
    return unit_rows(of[list(who)] + rng.normal(0, np.sqrt(noise / DIM), (len(who), DIM)))


def lines(who: Sequence[int], *, length_ms: int = 2000, pause_ms: int = 300) -> list[Span]:
    step = length_ms + pause_ms
    return [Span(i * step, i * step + length_ms) for i in range(len(who))]


def label_lines(who: Sequence[int], vectors_of: FloatArray, noise: float) -> tuple[list[int], int]:
    """The label that most of each line's windows get, and how many voices were found."""
    windows = slide(lines(who), SETTINGS)
    vectors = heard([who[w.stretch] for w in windows], vectors_of, noise=noise)
    found = find_voices(windows, vectors, SETTINGS)
    labels = assign_voices(windows, vectors, found, SETTINGS)
    stretches = np.array([w.stretch for w in windows])
    return [int(np.bincount(labels[stretches == i]).argmax()) for i in range(len(who))], len(found)


def same_partition(a: Sequence[int], b: Sequence[int]) -> bool:
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 9000)), max_size=12))
def test_windows_cover_speech_and_nothing_else(gaps: list[tuple[int, int]]) -> None:
    speech, t = [], 0
    for pause, length in gaps:
        speech.append(Span(t + pause, t + pause + length))
        t += pause + length
    windows = slide(speech, SETTINGS)
    for i, span in enumerate(speech):
        mine = [w.span for w in windows if w.stretch == i]
        assert (mine[0].start_ms, mine[-1].end_ms) == (span.start_ms, span.end_ms)
        assert all(w.duration_ms == min(SETTINGS.window_ms, span.duration_ms) for w in mine)
        assert all(0 < b.start_ms - a.start_ms <= SETTINGS.hop_ms + 1 for a, b in pairwise(mine))


@pytest.mark.parametrize("noise", [0.25, 0.45])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_voices_are_counted_and_told_apart_clean_and_noisy(count: int, noise: float) -> None:
    """Cosines within a voice of 0.80 and 0.69: clean speech, and speech with some music left under it."""
    who = [i * 7 % count for i in range(count * 6)]
    labels, found = label_lines(who, voices(count), noise)
    assert found == count
    assert same_partition(who, labels)


def test_a_voice_that_hardly_speaks_goes_to_another() -> None:
    who = [0] * 6 + [1] * 6 + [2]
    _, found = label_lines(who, voices(3), 0.25)
    assert found == 2


def test_many_windows_are_searched_in_bounded_memory() -> None:
    small = dataclasses.replace(SETTINGS, max_windows=60)
    who = [i % 3 for i in range(300)]
    windows = slide(lines(who), SETTINGS)
    vectors = heard([who[w.stretch] for w in windows], voices(3), noise=0.25)
    found = find_voices(windows, vectors, small)
    labels = assign_voices(windows, vectors, found, small)
    assert same_partition([who[w.stretch] for w in windows], labels.tolist())


def test_much_noise_is_still_fast_and_nearly_right() -> None:
    """Cosines within a voice of 0.62 leave a thousand windows apart; the number of first clusters is bounded."""
    who = [i * 7 % 10 for i in range(1500)]
    windows = slide(lines(who), SETTINGS)
    vectors = heard([who[w.stretch] for w in windows], voices(10), noise=0.6)
    found = find_voices(windows, vectors, SETTINGS)
    assert 10 <= len(found) <= 11
    assert ((found @ voices(10).T).max(axis=0) > 0.9).all()


def test_a_recap_makes_no_voice_of_an_odd_sound() -> None:
    """The same audio again and again: a sound like neither voice stays a rarity, however often it is copied."""
    who = [0, 1] * 8
    windows = slide(lines(who * 10), SETTINGS)
    once = heard([who[w.stretch] for w in windows if w.stretch < len(who)], voices(2), noise=0.25)
    once[5] = voices(3)[2]
    assert len(find_voices(windows, np.tile(once, (10, 1)), SETTINGS)) == 2


def test_windows_without_a_voice_do_not_count() -> None:
    windows = slide(lines([0, 0, 0]), SETTINGS)
    silent = np.zeros((len(windows), DIM), np.float32)
    assert find_voices(windows, silent, SETTINGS).shape == (0, DIM)
    some = heard([0] * len(windows), voices(1), noise=0.25)
    some[::2] = 0
    assert len(find_voices(windows, some, SETTINGS)) == 1


def test_a_change_needs_a_reason() -> None:
    """One window that leans to the other voice does not make a turn; a lasting change does."""
    two = voices(2)
    who = [0] * 8 + [1] * 8
    windows = slide([Span(0, 1600 + 15 * 400)], SETTINGS)
    vectors = heard(who, two, noise=0.0)
    vectors[3] = unit_rows(two[:1] * 0.49 + two[1:] * 0.51)[0]
    assert assign_voices(windows, vectors, two, SETTINGS).tolist() == who


def test_turns_meet_half_way_and_go_on_over_a_short_pause() -> None:
    speech = [Span(0, 2000), Span(2500, 3000), Span(5000, 6000)]
    windows = [Window(Span(0, 1600), 0), Window(Span(400, 2000), 0), Window(speech[1], 1), Window(speech[2], 2)]
    turns = turns_of(speech, windows, np.array([0, 1, 1, 1]), SETTINGS)
    assert turns == [Turn(0, 1000, "0"), Turn(1000, 3000, "1"), Turn(5000, 6000, "1")]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=15), st.integers(300, 4000), st.integers(0, 1500))
def test_turns_fill_speech_without_overlap(who: list[int], length_ms: int, pause_ms: int) -> None:
    speech = lines(who, length_ms=length_ms, pause_ms=pause_ms)
    windows = slide(speech, SETTINGS)
    vectors = heard([who[w.stretch] for w in windows], voices(4), noise=0.25)
    labels = assign_voices(windows, vectors, voices(4), SETTINGS)
    turns = turns_of(speech, windows, labels, SETTINGS)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(turns))
    for s in speech:
        assert sum(s.overlap_ms(t.span) for t in turns) == s.duration_ms


def test_speakers_are_numbered_by_first_appearance() -> None:
    turns = [Turn(500, 900, "x"), Turn(0, 100, "b"), Turn(200, 300, "x"), Turn(1000, 1100, "b")]
    assert [(t.start_ms, t.speaker) for t in numbered(turns)] == [
        (0, "SPEAKER_01"),
        (200, "SPEAKER_02"),
        (500, "SPEAKER_02"),
        (1000, "SPEAKER_01"),
    ]


@pytest.fixture(scope="module")
def embedder() -> SpeakerEmbedder:
    return load_embedder(device="cpu")


def test_a_real_conversation_of_two(embedder: SpeakerEmbedder) -> None:
    """On the packaged telephone call, overlaps included: who speaks is right for 85 % of the time that is found."""
    seen: list[tuple[float, float | None]] = []
    speech = detect_speech(sample_path())
    turns = load_diarizer(embedder=embedder).diarize(sample_path(), speech, progress=lambda *p: seen.append(p))
    assert {t.speaker for t in turns} == {"SPEAKER_01", "SPEAKER_02"}
    assert turns[0].speaker == "SPEAKER_01"
    truth = read_rttm(sample_path().with_suffix(".rttm"))
    shared = {
        (a, b): sum(t.span.overlap_ms(u.span) for t in turns for u in truth if (t.speaker, u.speaker) == (a, b))
        for a in ("SPEAKER_01", "SPEAKER_02")
        for b in ("speaker90", "speaker91")
    }
    right = shared["SPEAKER_01", "speaker90"] + shared["SPEAKER_02", "speaker91"]
    crossed = shared["SPEAKER_01", "speaker91"] + shared["SPEAKER_02", "speaker90"]
    assert max(right, crossed) > 0.85 * sum(t.span.duration_ms for t in turns)
    assert seen[-1] == (30.0, 30.0)


def test_the_same_audio_gets_the_same_turns(embedder: SpeakerEmbedder) -> None:
    speech = detect_speech(sample_path())
    first, second = (EmbeddedDiarizer(embedder).diarize(sample_path(), speech) for _ in range(2))
    assert first == second


def test_one_short_line_is_one_voice(embedder: SpeakerEmbedder) -> None:
    turns = EmbeddedDiarizer(embedder).diarize(sample_path(), [Span(11_000, 11_300)])
    assert turns == [Turn(11_000, 11_300, "SPEAKER_01")]


def test_without_speech_there_are_no_turns(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    assert EmbeddedDiarizer(embedder).diarize(sample_path(), []) == []
    soundfile.write(tmp_path / "a.flac", np.zeros(80_000), 16_000)
    assert EmbeddedDiarizer(embedder).diarize(tmp_path / "a.flac", [Span(0, 4000), Span(4500, 9000)]) == []


def test_speech_beyond_the_end_of_the_file_does_no_harm(embedder: SpeakerEmbedder) -> None:
    turns = EmbeddedDiarizer(embedder).diarize(sample_path(), [Span(28_000, 29_900), Span(40_000, 45_000)])
    assert {t.speaker for t in turns} == {"SPEAKER_01"}


def test_the_fingerprint_follows_the_settings(embedder: SpeakerEmbedder) -> None:
    other = EmbeddedDiarizer(embedder, settings=dataclasses.replace(SETTINGS, same_voice=0.9))
    assert EmbeddedDiarizer(embedder).fingerprint == EmbeddedDiarizer(embedder).fingerprint != other.fingerprint


@pytest.mark.parametrize("name", ["no-such", "/no/such/folder", "../x", "a b/c"])
def test_an_unknown_diarizer_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where nothing lies beside
    with pytest.raises(ConfigError, match="no such diarizer"):
        load_diarizer(name, device="cpu")


def test_a_folder_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no pyannote pipeline here"):
        load_diarizer(tmp_path, device="cpu")
