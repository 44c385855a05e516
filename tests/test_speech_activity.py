"""Voice activity: the network, the decision, the stream."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st
from speech_files import sample_path

from video_preprocessing.speech import activity
from video_preprocessing.speech.activity import FRAME_MS, ActivitySettings, detect_speech, speech_spans
from video_preprocessing.speech.audio import SpeechAudio
from video_preprocessing.speech.silero import FRAME_SAMPLES, SileroStream, weights_path
from yuki_builder.errors import MediaError
from yuki_builder.records import Span

BARE = ActivitySettings(min_silence_ms=2 * FRAME_MS, min_speech_ms=2 * FRAME_MS, lead_ms=0, tail_ms=0)


@pytest.fixture(scope="module")
def conversation() -> np.ndarray:
    samples, rate_hz = soundfile.read(sample_path(), dtype="float32")
    assert rate_hz == 16000
    return samples


def spans_of(probabilities: list[float]) -> list[tuple[int, int]]:
    spans = speech_spans(probabilities, total_ms=10**6, settings=BARE)
    return [(s.start_ms // FRAME_MS, s.end_ms // FRAME_MS) for s in spans]


def test_speech_starts_at_the_onset_and_ends_below_the_offset() -> None:
    assert spans_of([0.1, 0.45, 0.6, 0.4, 0.36, 0.34, 0.1, 0.1]) == [(2, 5)]


def test_a_short_pause_does_not_end_a_span_and_a_click_is_no_speech() -> None:
    assert spans_of([0.9, 0.9, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1]) == [(0, 5)]


def test_speech_at_the_end_of_the_file_ends_there() -> None:
    assert speech_spans([0.9] * 4, total_ms=100, settings=BARE) == [Span(0, 100)]


def test_padding_stops_half_way_to_the_neighbour() -> None:
    wide = ActivitySettings(min_silence_ms=2 * FRAME_MS, min_speech_ms=FRAME_MS, lead_ms=1000, tail_ms=1000)
    spans = speech_spans([0.0, 0.9, 0.0, 0.0, 0.9, 0.0], total_ms=190, settings=wide)
    assert spans == [Span(0, 96), Span(96, 190)]


@pytest.mark.parametrize(
    "wrong", [{"onset": 0.3, "offset": 0.4}, {"offset": 0.0}, {"onset": 1.0}, {"min_speech_ms": -1}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        ActivitySettings(**wrong)


@given(
    st.lists(st.floats(0, 1, width=32), max_size=200),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, 300),
)
def test_spans_are_in_order_apart_and_inside(p: list[float], silence: int, speech: int, lead: int, tail: int) -> None:
    total_ms = max(0, len(p) * FRAME_MS - 7)
    settings = ActivitySettings(min_silence_ms=silence, min_speech_ms=speech, lead_ms=lead, tail_ms=tail)
    spans = speech_spans(p, total_ms=total_ms, settings=settings)
    assert all(0 <= s.start_ms < s.end_ms <= total_ms for s in spans)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(spans))
    loud = [i for i, x in enumerate(p) if x >= settings.onset]
    if not loud:
        assert not spans
    elif speech <= FRAME_MS and (loud[-1] + 1) * FRAME_MS <= total_ms:
        assert all(any(s.start_ms <= i * FRAME_MS < s.end_ms for s in spans) for i in loud)


def test_the_network_equals_the_scripted_one(conversation: np.ndarray) -> None:
    """Silero's own TorchScript file, one frame at a time, is the reference; its weights go into our network."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.load(weights_path().with_name("silero_vad.jit"))
    tensors = {**dict(scripted.named_parameters()), **dict(scripted.named_buffers())}
    renamed = {"stft_conv.weight": "_model.stft.forward_basis_buffer"}
    for kind in ("weight", "bias"):
        renamed |= {f"conv{i + 1}.{kind}": f"_model.encoder.{i}.reparam_conv.{kind}" for i in range(4)}
        renamed |= {f"lstm_cell.{kind}_{side}": f"_model.decoder.rnn.{kind}_{side}" for side in ("ih", "hh")}
        renamed[f"final_conv.{kind}"] = f"_model.decoder.decoder.2.{kind}"
    stream = SileroStream({ours: tensors[theirs].detach() for ours, theirs in renamed.items()})
    frames = conversation[6 * 16000 :][: 300 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    with torch.no_grad():
        wanted = np.array([scripted(torch.from_numpy(f), 16000).item() for f in frames])
    got = np.concatenate([stream.probabilities(part) for part in np.split(frames, [1, 2, 130])])
    assert wanted.max() > 0.9
    assert wanted.min() < 0.1
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_conversation_is_found_where_it_is(tmp_path: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    spans = detect_speech(sample_path(), progress=lambda done, total: seen.append((done, total)))
    assert abs(spans[0].start_ms - 6690) < 150
    assert sum(s.duration_ms for s in spans) > 20_000
    assert seen[-1] == (30.0, 30.0)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


@pytest.mark.parametrize("level_db", [-50.0, -60.0, -70.0])
def test_a_quiet_recording_has_the_same_speech(tmp_path: Path, conversation: np.ndarray, level_db: float) -> None:
    """Of the 22.7 s, the network alone calls 0.7 s otherwise at -60 dB."""
    rms_db = 10 * np.log10(np.mean(np.square(conversation, dtype=np.float64)))
    quiet = conversation * 10 ** ((level_db - rms_db) / 20)
    soundfile.write(tmp_path / "a.flac", quiet, 16000, subtype="PCM_24")
    seen: list[float] = []
    ours = detect_speech(tmp_path / "a.flac", progress=lambda done, _: seen.append(done))
    source = detect_speech(sample_path())
    shared_ms = sum(a.overlap_ms(b) for a in ours for b in source)
    total_ms = sum(s.duration_ms for s in ours) + sum(s.duration_ms for s in source)
    assert total_ms - 2 * shared_ms < 300
    assert seen == sorted(seen) and seen[-1] == 30.0


@given(st.lists(st.floats(-100, 0, width=32), max_size=200))
def test_only_quiet_recordings_are_brought_up(curve: list[float]) -> None:
    """To one level, whatever the level; silence stays silence."""
    levels_db = np.array(curve, np.float32)
    gain_db = activity.quiet_gain_db(levels_db)
    loud_db = np.percentile(levels_db, 99) if curve else -100.0
    if -80 < loud_db < -40:
        assert np.percentile(levels_db + gain_db, 99) == pytest.approx(-20, abs=1e-3)
    else:
        assert gain_db == 0


def test_a_stereo_film_track_gives_the_same_spans_as_its_mono_source(tmp_path: Path, conversation: np.ndarray) -> None:
    film = soxr.resample(conversation, 16000, 44100)
    soundfile.write(tmp_path / "film.flac", np.stack([film, film], axis=1), 44100)
    ours, source = detect_speech(tmp_path / "film.flac"), detect_speech(sample_path())
    assert len(ours) == len(source)
    for a, b in zip(ours, source, strict=True):
        assert abs(a.start_ms - b.start_ms) <= FRAME_MS
        assert abs(a.end_ms - b.end_ms) <= FRAME_MS


@pytest.mark.parametrize("block_s", [0.02, 3.3, 60.0])
def test_spans_do_not_depend_on_the_block_size(monkeypatch: pytest.MonkeyPatch, block_s: float) -> None:
    wanted = detect_speech(sample_path())
    blocks = SpeechAudio.blocks
    monkeypatch.setattr(SpeechAudio, "blocks", lambda self: blocks(self, block_s=block_s))
    assert detect_speech(sample_path()) == wanted


def test_the_network_gets_the_same_batches_whatever_the_blocks(conversation: np.ndarray) -> None:
    one = list(activity._frames(iter([conversation])))
    many = list(activity._frames(iter(np.array_split(conversation, 77))))
    assert [len(x) for x in one] == [len(x) for x in many]
    np.testing.assert_array_equal(np.concatenate(one), np.concatenate(many))


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "clipped hum", "nothing", "one sample"])
def test_what_is_no_speech_has_none(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(3 * 16000) / 16000
    samples = {
        "silence": np.zeros(3 * 16000),
        "noise": rng.normal(0, 0.01, 3 * 16000),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * t),
        "clipped hum": np.sign(np.sin(2 * np.pi * 50 * t)),
        "nothing": np.zeros(0),
        "one sample": np.ones(1),
    }[kind]
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    assert detect_speech(tmp_path / "a.wav") == []


def test_audio_that_is_no_number_is_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(16000, np.nan, np.float32), 16000, subtype="FLOAT")
    assert detect_speech(tmp_path / "a.wav") == []


def test_8_khz_mono_and_clipped_speech_are_still_speech(tmp_path: Path, conversation: np.ndarray) -> None:
    telephone = np.clip(soxr.resample(conversation, 16000, 8000) * 20, -1, 1)
    soundfile.write(tmp_path / "a.flac", telephone, 8000)
    assert sum(s.duration_ms for s in detect_speech(tmp_path / "a.flac")) > 18_000


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"vocals\.flac: cannot be read"):
        detect_speech(tmp_path / "vocals.flac")


# --- quiet edges ------------------------------------------------------------------------------------------


def levels(*parts: tuple[int, float]) -> np.ndarray:
    """Levels of 8 ms each from (milliseconds, dB) parts."""
    return np.concatenate([np.full(ms // activity.LEVEL_MS, db, np.float32) for ms, db in parts])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # A fricative before the voice and a dying vowel behind it, over quiet noise.
        ([(1800, -70), (200, -40), (1000, -20), (160, -45), (2000, -70)], Span(1800, 3160)),
        ([(2000, -70), (1000, -20), (2160, -70)], Span(2000, 3000)),  # nothing there
        ([(1800, -70), (200, -55), (1000, -20), (2160, -70)], Span(2000, 3000)),  # too quiet beside the voice
        ([(1800, -45), (200, -40), (1000, -20), (2160, -45)], Span(2000, 3000)),  # no louder than the noise
        ([(1000, -70), (1000, -40), (1000, -20), (2160, -70)], Span(1704, 3000)),  # as far as it may grow
        ([(1768, -70), (200, -40), (32, -70), (1000, -20), (2160, -70)], Span(1768, 3000)),  # over a short gap
        ([(1696, -70), (200, -40), (104, -70), (1000, -20), (2160, -70)], Span(2000, 3000)),  # not over a long one
    ],
)
def test_speech_grows_over_the_quiet_sound_beside_it(parts: list[tuple[int, float]], expected: Span) -> None:
    curve = levels(*parts)
    (found,) = activity.extend_edges([Span(2000, 3000)], curve, total_ms=len(curve) * 8, settings=ActivitySettings())
    assert found == expected


@given(st.lists(st.integers(1, 60), min_size=2, max_size=20), st.integers(0, 2**32 - 1))
def test_growth_never_shrinks_a_span_or_meets_a_neighbour(steps: list[int], seed: int) -> None:
    edges = np.cumsum(steps) * 32
    spans = [Span(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    total_ms = int(edges[-1]) + 100
    curve = np.random.default_rng(seed).uniform(-80, 0, total_ms // 8 + 1).astype(np.float32)
    found = activity.extend_edges(spans, curve, total_ms=total_ms, settings=ActivitySettings())
    assert all(g.start_ms <= s.start_ms and g.end_ms >= s.end_ms for g, s in zip(found, spans, strict=True))
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(found))
    assert found[0].start_ms >= 0 and found[-1].end_ms <= total_ms
