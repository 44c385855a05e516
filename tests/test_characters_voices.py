"""The model of voices against plain Gaussian arithmetic; and voices drawn from it, for the tests beside this one."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from yuki_builder.characters.calibration import PLAIN
from yuki_builder.characters.scoring import score_voices, softmax
from yuki_builder.characters.tuning import tune
from yuki_builder.characters.voice_model import VoiceModel, fitted_model, plain_model
from yuki_builder.characters.weighing import HeardLines, KnownVoices, name_voices
from yuki_builder.records import AlignedCue, Cue, NameTag, SpeakerEmbeddings, Turn

EMBEDDER = "resemblyzer-test"


@functools.cache
def _way_back() -> np.ndarray:
    model = fitted_model(EMBEDDER, 256)
    assert model is not None
    return np.linalg.pinv(model.projection)


class Voices:
    """A world of voices, drawn from a seed: the same name is the same voice."""

    def __init__(self, seed: int = 0) -> None:
        model = fitted_model(EMBEDDER, 256)
        assert model is not None
        self._model = model
        self._back = _way_back()
        self._rng = np.random.default_rng(seed)
        self._voices: dict[str, np.ndarray] = {}

    def vector(self, voice: str) -> np.ndarray:
        """An embedding of one clip of a voice, shape (256,), length 1."""
        m = self._model
        if voice not in self._voices:
            self._voices[voice] = self._rng.normal(m.mean, np.sqrt(m.between))
        point = self._rng.normal(self._voices[voice], np.sqrt(m.within))
        # As far from the shift as a vector of length 1 is: projecting it gives the point's direction back.
        step = point @ self._back
        a, b, c = step @ step, step @ m.shift, m.shift @ m.shift - 1
        return (m.shift + (np.sqrt(b * b - a * c) - b) / a * step).astype(np.float32)

    def embeddings(self, voice_of: dict[str, str]) -> SpeakerEmbeddings:
        """Speaker embeddings by key, of the voices named."""
        vectors = [self.vector(voice) for voice in voice_of.values()]
        return SpeakerEmbeddings(
            tuple(voice_of), np.array(vectors, np.float32).reshape(-1, 256), (2000,) * len(voice_of)
        )


def line(number: int, *, tags: Iterable[str] = (), source: str = "actor") -> AlignedCue:
    """The line ``l<number>``, two seconds long, every three seconds."""
    start_ms = number * 3000
    cue = Cue(f"l{number}", number, start_ms, start_ms + 2000, "…", "…", tags=tuple(NameTag(t, source) for t in tags))
    return AlignedCue(cue, start_ms, start_ms + 2000, 2000)


def turn(number: int, speaker: str) -> Turn:
    """A turn that covers the line of that number."""
    return Turn(number * 3000 - 100, number * 3000 + 2100, speaker)


def small_model(seed: int = 0, dim: int = 4) -> VoiceModel:
    rng = np.random.default_rng(seed)
    return VoiceModel(
        shift=rng.normal(size=dim),
        projection=np.eye(dim),
        mean=rng.normal(size=dim),
        between=rng.uniform(0.2, 2, dim),
        within=rng.uniform(0.2, 2, dim),
        clarity=rng.normal(size=dim),
        calibration=PLAIN,
    )


@pytest.mark.parametrize("seed", range(3))
def test_log_odds_are_the_ratio_of_joint_and_separate_densities(seed: int) -> None:
    model = small_model(seed)
    clip, point = np.random.default_rng(seed).normal(size=(2, 4))
    total = np.diag(model.between + model.within)
    joint = np.block([[total, np.diag(model.between)], [np.diag(model.between), total]])
    expected = (
        multivariate_normal(np.tile(model.mean, 2), joint).logpdf(np.concatenate([clip, point]))
        - multivariate_normal(model.mean, total).logpdf(clip)
        - multivariate_normal(model.mean, total).logpdf(point)
    )
    assert model.log_odds(point[None], clip[None], np.array([1.0])) == pytest.approx(expected)


def test_more_clips_of_a_voice_tell_more_of_it() -> None:
    model = plain_model(np.zeros(16))
    clip = np.ones((1, 16))
    odds = [model.log_odds(clip, n * clip, np.array([float(n)]))[0] for n in (1, 2, 4, 8)]
    assert odds == sorted(odds) and odds[0] > 0
    assert model.log_odds(-clip, clip, np.array([1.0]))[0] < 0


def test_a_line_says_nothing_about_itself() -> None:
    model = small_model()
    points = np.random.default_rng(0).normal(size=(5, 4))
    weights = np.array([[1, 0], [1, 0], [0.5, 0.5], [0, 1], [0, 0]], float)
    odds, known = score_voices(model, points, clips=points, weights=weights, own=np.arange(5))
    assert known.tolist() == [[True, True], [True, True], [True, True], [True, True], [True, True]]
    for row in range(5):
        others = np.delete(np.arange(5), row)
        expected, _ = score_voices(
            model, points[[row]], clips=points[others], weights=weights[others], own=np.array([-1])
        )
        assert odds[row] == pytest.approx(expected[0])
    _, known = score_voices(model, points[3:4], clips=points, weights=np.eye(5)[:, [3]], own=np.array([3]))
    assert not known.any()


def test_of_many_clips_the_nearest_weigh_as_much_as_all() -> None:
    model = small_model(dim=2)
    rng = np.random.default_rng(0)
    calm, angry = rng.normal([3, 0], 0.1, (8, 2)), rng.normal([0, 3], 0.1, (8, 2))
    clips, point = np.concatenate([calm, angry]), np.array([[0.0, 3.0]])
    odds, _ = score_voices(model, point, clips=clips, weights=np.ones((16, 1)), own=np.array([-1]))
    centroid = model.log_odds(point, clips.sum(0)[None], np.array([16.0]))
    nearest = clips[np.argsort(-(clips @ point[0]))[:5]]
    near = model.log_odds(point, nearest.sum(0)[None], np.array([5.0]))
    assert odds[0, 0] == pytest.approx((centroid[0] + near[0]) / 2)
    assert near > centroid


def test_projected_points_have_one_length_and_undo_the_synthesis() -> None:
    model = fitted_model(EMBEDDER, 256)
    assert model is not None
    points = model.project(np.array([Voices().vector("A") for _ in range(3)]))
    assert points.shape == (3, 128)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.sqrt(128))
    assert np.isfinite(model.project(np.zeros((1, 256)))).all()


def test_the_fitted_model_is_for_its_embedder_only() -> None:
    assert fitted_model("resemblyzer-0.1.4-ab", 256) is not None
    assert fitted_model("ecapa", 256) is None
    assert fitted_model("resemblyzer", 192) is None


def test_softmax_of_nothing_is_none_of_them() -> None:
    assert softmax(np.zeros((2, 0))).tolist() == [[1.0], [1.0]]
    assert softmax(np.array([[1000.0, -1000.0]])).tolist() == [[1.0, 0.0, 0.0]]
    assert softmax(np.array([[0.0, -np.inf]])).tolist() == [[0.5, 0.0, 0.5]]


def test_tuning_finds_the_odds_that_were_scaled() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 4
    own = np.eye(4, dtype=bool)[truth]
    fair = np.where(own, rng.normal(3, 2, (200, 4)), rng.normal(-3, 2, (200, 4)))
    for scale, offset in ((0.1, 0.0), (0.1, 2.0), (0.5, 0.0)):
        tuned = tune(PLAIN, (fair - offset) / scale, np.ones((200, 4), bool), truth)
        assert tuned.scale == pytest.approx(1.5 * scale, rel=0.5)
        assert tuned.offset == pytest.approx(1.5 * offset, abs=1.5)
    assert tune(PLAIN, fair, np.zeros((200, 4), bool), truth) == PLAIN


def _campplus() -> VoiceModel:
    model = fitted_model("campplus-test", 192)
    assert model is not None
    return model


def test_less_is_asked_of_short_speech_and_more_of_long() -> None:
    model, vectors = _campplus(), np.zeros((4, 192), np.float32)
    seconds = np.array([0.1, 0.35, 1.0, 4.0])
    uncertain = model.calibrated(np.zeros((4, 1)), vectors, seconds)[:, 0]
    assert uncertain[0] == uncertain[1] > uncertain[2] > 0 > uncertain[3]
    gain = model.calibrated(np.full((4, 1), 10.0), vectors, seconds)[:, 0] - uncertain
    assert 0 < gain[1] < gain[2] < gain[3]


def test_without_a_duration_or_a_fit_by_it_log_odds_are_calibrated_as_ever() -> None:
    model, odds = _campplus(), np.array([[-20.0, 0.0, 30.0]])
    vectors = np.zeros((1, 192), np.float32)
    assert model.calibrated(odds, vectors) == pytest.approx(0.16 * odds + 0.5)
    other = fitted_model(EMBEDDER, 256)
    assert other is not None
    vector = np.ones((1, 256), np.float32) / 16
    assert (other.calibrated(odds, vector, np.array([1.0])) == other.calibrated(odds, vector)).all()


def test_very_short_lines_are_not_learned_as_one_unknown_voice() -> None:
    # Six lines that are more like each other than like the enrolled voice: an unknown speaker, if each is long enough.
    rng = np.random.default_rng(1)
    model = plain_model(np.zeros(192))
    voice = rng.normal(size=192)
    enrolled = voice + 0.3 * rng.normal(size=(3, 192))
    lines = 0.7 * voice + rng.normal(size=192) + 0.5 * rng.normal(size=(6, 192))

    def nobody(seconds: float) -> float:
        heard = HeardLines(
            vectors=lines.astype(np.float32),
            claims=np.zeros((6, 1)),
            groups=np.zeros(6, np.intp),
            seconds=np.full(6, seconds),
        )
        known = KnownVoices(points=model.project(enrolled), weights=np.ones((3, 1)))
        return float(name_voices(model, known, heard, passes=2, min_lines=3)[0][:, -1].mean())

    assert nobody(0.3) < 0.3 < 0.7 < nobody(2.0)


def test_an_unknown_voice_that_is_a_known_one_after_all_is_learned_as_that() -> None:
    # Two bad clips tell little of a voice, and single lines are rather nobody's; ten of one group are hers.
    rng = np.random.default_rng(4)
    model = plain_model(np.zeros(192))
    anna, ben = rng.normal(size=(2, 192))
    clips = np.concatenate([anna + 2.5 * rng.normal(size=(2, 192)), ben + 0.5 * rng.normal(size=(6, 192))])
    weights = np.zeros((8, 2))
    weights[:2, 0] = weights[2:, 1] = 1

    def nobody(voice: np.ndarray) -> float:
        heard = HeardLines(
            vectors=(voice + 1.2 * rng.normal(size=(10, 192))).astype(np.float32),
            claims=np.zeros((10, 2)),
            groups=np.zeros(10, np.intp),
        )
        known = KnownVoices(points=model.project(clips), weights=weights)
        return float(name_voices(model, known, heard, passes=2, min_lines=3)[0][:, -1].mean())

    assert nobody(anna) < 0.2
    assert nobody(rng.normal(size=192)) > 0.9


def test_what_voices_share_does_not_depend_on_who_speaks_most() -> None:
    model = _campplus()
    rng = np.random.default_rng(5)
    room, *own = (v / np.linalg.norm(v) for v in rng.standard_normal((4, len(model.shift))))

    def centred(*lines: int) -> VoiceModel:
        voices = np.repeat(np.arange(3), lines)
        return model.centred(np.stack([(room + own[voice]) / 2 for voice in voices]), voices)

    even, one = centred(20, 20, 20), centred(52, 4, 4)
    told = np.stack([(room + v) / 2 for v in own])
    by_lines = model.centred(np.repeat(told, (52, 4, 4), axis=0))
    assert np.linalg.norm(one.shift - even.shift) < 0.4 * np.linalg.norm(by_lines.shift - even.shift)
    # Whoever speaks most stays as far from the origin as anybody.
    distances = np.linalg.norm(told - one.shift, axis=1)
    assert distances[0] > 0.75 * distances[1:].mean()
    assert np.linalg.norm(told - by_lines.shift, axis=1)[0] < 0.5 * distances[1:].mean()


def test_one_voice_alone_is_not_what_an_episode_has_in_common() -> None:
    model = _campplus()
    voice = np.eye(len(model.shift))[0]
    alone = model.centred(np.repeat(voice[None], 60, axis=0), np.zeros(60, np.intp))
    assert np.linalg.norm(voice - alone.shift) > 0.4 * np.linalg.norm(voice - model.shift)
