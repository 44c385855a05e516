"""Voices as vectors: the embedder, and the choice of the audio that goes in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from speech_files import sample_path

from video_preprocessing.devices import choose_device
from video_preprocessing.speech.audio import SpeechAudio
from video_preprocessing.speech.embedders import load_embedder
from video_preprocessing.speech.embedding import SpeakerEmbedder
from video_preprocessing.speech.resemblyzer_embedder import at_one_loudness as prepare
from video_preprocessing.speech.span_embeddings import (
    MAX_MS,
    MIN_MS,
    choose_excerpt,
    embed_spans,
    join_signals,
)
from yuki_builder.errors import ConfigError, MediaError
from yuki_builder.records import Span, SpeakerEmbeddings

# Who speaks alone when, in the packaged conversation.
FIRST, SECOND = [Span(11_000, 12_700), Span(12_700, 14_400)], [Span(22_000, 24_500), Span(24_500, 27_500)]


@pytest.fixture(scope="module")
def embedder() -> SpeakerEmbedder:
    return load_embedder("resemblyzer", device="cpu")


def noise(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.normal(size=samples) * np.abs(np.sin(np.arange(samples) / 3000))).astype(np.float32)


@pytest.mark.parametrize("samples", [25_600, 25_601, 30_000, 61_234, 400_000])
def test_a_vector_equals_resemblyzers_own(embedder: SpeakerEmbedder, samples: int) -> None:
    from resemblyzer import VoiceEncoder

    wave = noise(samples)
    wanted = VoiceEncoder("cpu", verbose=False).embed_utterance(prepare(wave))
    np.testing.assert_allclose(embedder.embed(wave), wanted, atol=1e-5)


def test_many_at_once_are_what_each_is_alone(embedder: SpeakerEmbedder) -> None:
    waves = [noise(n, seed) for seed, n in enumerate([3000, 25_600, 70_000, 16, 120_000])]
    together = embedder.embed_many(waves)
    assert together.shape == (5, embedder.dim)
    assert together.dtype == np.float32
    for wave, vector in zip(waves, together, strict=True):
        np.testing.assert_allclose(embedder.embed(wave), vector, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_loudness_does_not_matter(embedder: SpeakerEmbedder) -> None:
    wave = noise(40_000)
    assert embedder.embed(wave) @ embedder.embed(wave * 0.01) > 0.9999


@pytest.mark.parametrize("wave", [np.zeros(40_000), np.zeros(0), np.full(40_000, np.nan), np.full(9, 1e-9)])
def test_silence_has_no_voice(embedder: SpeakerEmbedder, wave: np.ndarray) -> None:
    assert not embedder.embed(wave.astype(np.float32)).any()


def test_broken_samples_do_not_break_the_vector(embedder: SpeakerEmbedder) -> None:
    wave = noise(40_000)
    wave[::1000] = np.nan
    wave[5::1000] = np.inf
    vector = embedder.embed(wave)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_the_fingerprint_names_package_and_weights(embedder: SpeakerEmbedder) -> None:
    assert embedder.fingerprint == load_embedder("resemblyzer", device="cpu").fingerprint
    assert embedder.fingerprint.startswith("resemblyzer-0.1.4-")


def test_no_embedding_of_nothing(embedder: SpeakerEmbedder) -> None:
    assert embedder.embed_many([]).shape == (0, 256)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:0", "", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(ConfigError, match=r"--device: .*device"):
        choose_device(device)


def test_devices_that_are_there() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in {"cpu", "cuda"}


def test_an_unknown_embedder_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown speaker embedder: 'ecapa'"):
        load_embedder("ecapa")


def test_loading_warns_of_nothing_and_leaves_the_thread_count() -> None:
    script = (
        "import torch; torch.set_num_threads(2)\n"
        "from video_preprocessing.speech import load_embedder; load_embedder(device='cpu')\n"
        "from video_preprocessing.speech.silero import SileroStream; SileroStream()\n"
        "assert torch.get_num_threads() == 2\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SPEECH = [Span(1000, 2000), Span(3000, 3300), Span(5000, 40_000)]


def test_the_excerpt_is_the_speech_within_the_span() -> None:
    excerpt = choose_excerpt("a", [Span(1500, 3200)], SPEECH)
    assert excerpt is not None
    assert excerpt.pieces == (Span(1500, 2000), Span(3000, 3200))
    assert excerpt.speech_ms == 700


def test_too_little_speech_makes_it_the_span_itself() -> None:
    excerpt = choose_excerpt("a", [Span(1900, 3100)], SPEECH)
    assert excerpt is not None
    assert excerpt.pieces == (Span(1900, 3100),)
    assert excerpt.speech_ms == 200


def test_a_span_too_short_is_left_out() -> None:
    assert choose_excerpt("a", [Span(1000, 1000 + MIN_MS - 1)], SPEECH) is None


def test_a_long_span_is_cut() -> None:
    for speech in (SPEECH, []):
        excerpt = choose_excerpt("a", [Span(0, 60_000)], speech)
        assert excerpt is not None
        assert sum(p.duration_ms for p in excerpt.pieces) == MAX_MS


def test_two_voices_are_told_apart(embedder: SpeakerEmbedder) -> None:
    spans = {f"{who}{i}": s for who, some in (("a", FIRST), ("b", SECOND)) for i, s in enumerate(some)}
    embeddings = embed_spans(sample_path(), spans, [Span(0, 30_000)], embedder)
    assert embeddings.keys == ("a0", "a1", "b0", "b1")
    similar = embeddings.vectors @ embeddings.vectors.T
    assert min(similar[0, 1], similar[2, 3]) > similar[:2, 2:].max() + 0.05
    assert embeddings.speech_ms == tuple(s.duration_ms for s in spans.values())


def test_a_vector_depends_on_its_own_span_only(embedder: SpeakerEmbedder) -> None:
    alone = embed_spans(sample_path(), {"x": FIRST[0]}, [Span(0, 30_000)], embedder)
    many = {f"{i}": Span(7000 + 97 * i, 8000 + 110 * i) for i in range(100)}
    among = embed_spans(sample_path(), {**many, "x": FIRST[0]}, [Span(0, 30_000)], embedder)
    wanted = among.get("x")
    assert wanted is not None
    np.testing.assert_allclose(alone.vectors[0], wanted, atol=1e-6)


def test_keys_keep_their_order_and_the_unusable_are_absent(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    with SpeechAudio(sample_path()) as audio:
        speech = audio.read(Span(22_000, 27_000))
    soundfile.write(tmp_path / "a.flac", np.concatenate([speech, np.zeros(16_000)]), 16_000)
    spans = {
        "late": Span(3000, 4500),
        "early": Span(0, 1500),
        "beyond": Span(100_000, 200_000),
        "short": Span(1000, 1200),
        "silent": Span(5000, 6000),
        "over the end": Span(4000, 100_000),
    }
    seen: list[tuple[float, float | None]] = []
    embeddings = embed_spans(tmp_path / "a.flac", spans, [Span(0, 5000)], embedder, progress=lambda *p: seen.append(p))
    assert embeddings.keys == ("late", "early", "over the end")
    assert embeddings.speech_ms == (1500, 1500, 1000)
    assert seen[-1] == (6, 6)


def test_no_spans_no_vectors(embedder: SpeakerEmbedder) -> None:
    embeddings = embed_spans(sample_path(), {}, [], embedder)
    assert embeddings.keys == ()
    assert embeddings.vectors.shape == (0, 256)


def test_a_missing_file_is_named(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"clip\.flac: cannot be read"):
        embed_spans(tmp_path / "clip.flac", {"a": Span(0, 1000)}, [], embedder)


def test_signals_are_joined_by_direction() -> None:
    def embeddings(**rows: list[float]) -> SpeakerEmbeddings:
        return SpeakerEmbeddings(tuple(rows), np.array(list(rows.values()), np.float32), tuple(1000 for _ in rows))

    both = join_signals(
        {"vocals": embeddings(a=[1.0, 0.0], b=[0.0, 1.0]), "mix": embeddings(a=[0.0, 1.0], c=[1.0, 0.0])}
    )
    assert both.keys == ("a", "b", "c")
    np.testing.assert_allclose(both.vectors, [[0.5**0.5, 0.5**0.5], [0.0, 1.0], [1.0, 0.0]], atol=1e-6)
    assert not both.signals["mix"][1].any() and not both.signals["vocals"][2].any()
    assert join_signals({"vocals": embeddings(a=[1.0, 0.0])}).signals == {}
