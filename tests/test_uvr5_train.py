"""Training: draws that repeat, mixtures that are what they say, a run that resumes, a checkpoint that loads."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from video_preprocessing.uvr5.checkpoints import NetConfig, load_checkpoint
from video_preprocessing.uvr5.separator import Separator
from video_preprocessing.uvr5.signal.path import SignalPath
from video_preprocessing.uvr5.signal.singleband import left_right, mid_side, stft
from video_preprocessing.uvr5.training import effects, train
from video_preprocessing.uvr5.training.mixing import Mixer, MixSettings

RATE_HZ = 16_000


def voice(seconds: float, seed: int) -> np.ndarray:
    """Something like speech: a gliding harmonic tone in syllables."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 2 * np.pi * np.cumsum(rng.uniform(90, 220) * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * t))) / RATE_HZ
    tone = sum(np.sin(k * pitch) / k for k in range(1, 12))
    return (0.1 * tone * np.clip(np.sin(2 * np.pi * 2.5 * t), 0, 1)).astype(np.float32)


def music(seconds: float, seed: int) -> np.ndarray:
    """Steady chords, spread in stereo."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    notes = [np.sin(2 * np.pi * f * t) * rng.uniform(0.2, 1, (2, 1)) for f in rng.uniform(150, 3000, 5)]
    return (0.1 * sum(notes)).astype(np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("train")
    for k in range(18):
        for folder, x in (("speech", voice(3, k)), ("music", music(4, k).T)):
            (root / folder).mkdir(exist_ok=True)
            sf.write(root / folder / f"{k}.wav", x, RATE_HZ)
    return root / "speech", root / "music"


def mixer(settings: MixSettings) -> Mixer:
    def pool(x: np.ndarray) -> np.ndarray:
        return np.atleast_2d((x * 32767).astype(np.int16))

    return Mixer(
        [pool(voice(3, k)) for k in range(3)],
        [pool(music(4, k)) for k in range(3)],
        sample_rate_hz=RATE_HZ,
        settings=settings,
    )


def test_a_draw_repeats_and_differs_from_the_next() -> None:
    draws = [mixer(MixSettings()).draw(np.random.default_rng(seed), 20_000) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0].dialogue, draws[1].dialogue)
    np.testing.assert_array_equal(draws[0].background, draws[1].background)
    assert np.abs(draws[0].background - draws[2].background).max() > 0.01
    for d in draws:
        assert d.dialogue.shape == d.background.shape == (2, 20_000)
        assert d.dialogue.dtype == d.background.dtype == np.float32
        assert np.isfinite(d.dialogue).all()
        assert np.isfinite(d.background).all()


@pytest.mark.parametrize("level_db", [-8.0, 0.0, 12.0])
def test_the_level_is_what_was_asked_for(level_db: float) -> None:
    plain = MixSettings((level_db, level_db), music_only=0, speech_only=0, noise=0, effects=0, second_music=0, codec=0)
    plain = dataclasses.replace(plain, ambience=0)
    m = mixer(plain)
    for seed in range(5):
        d = m.draw(np.random.default_rng(seed), 40_000)
        active = np.abs(d.dialogue) > 1e-4 * np.abs(d.dialogue).max()
        got_db = 10 * np.log10(np.mean(d.dialogue[active] ** 2) / np.mean(d.background**2))
        assert got_db == pytest.approx(level_db, abs=1.0)


def test_a_codec_adds_noise_to_the_background_and_shifts_nothing() -> None:
    clean, coded = (
        mixer(MixSettings(music_only=0, speech_only=0, codec=share)).draw(np.random.default_rng(3), 40_001)
        for share in (0.0, 1.0)
    )
    # The codec is the last draw but that of the level.
    scale = np.abs(clean.dialogue).max() / np.abs(coded.dialogue).max()
    np.testing.assert_allclose(clean.dialogue, coded.dialogue * scale, atol=1e-5)
    mixture, through = clean.dialogue + clean.background, (coded.dialogue + coded.background) * scale
    assert 5 < 10 * np.log10(np.mean(mixture**2) / np.mean((through - mixture) ** 2)) < 40
    lags = [float(np.sum(mixture[0, 100:-100] * np.roll(through[0], lag)[100:-100])) for lag in range(-3, 4)]
    assert np.argmax(lags) == 3


@pytest.mark.parametrize("sound", effects.SOUNDS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("samples", [800, 32_001])
def test_effects_repeat_sound_and_stay_in_band(sound: effects.Sound, samples: int) -> None:
    loud = 0
    for seed in range(12):
        x, again, other = (sound(np.random.default_rng(k), samples, RATE_HZ) for k in (seed, seed, seed + 100))
        assert x.shape == (2, samples)
        assert np.isfinite(x).all()
        np.testing.assert_array_equal(x, again)
        assert not np.array_equal(x, other) or not x.any()
        loud += bool(x.any())
    # A twentieth of a second may fall between two blows.
    assert loud >= (1 if samples < 1000 else 11)


def test_effects_come_at_one_level() -> None:
    for seed in range(30):
        x = effects.draw(np.random.default_rng(seed), 32_000, RATE_HZ)
        power = np.sort(np.square(x), axis=None)
        assert np.sqrt(power[len(power) // 2 :].mean()) == pytest.approx(1, abs=0.01)


def test_ambience_takes_the_place_of_music_or_stands_beside_it() -> None:
    only = MixSettings((0.0, 0.0), music_only=0, speech_only=0, noise=0, effects=0, second_music=0, codec=0, mono=0)
    alike = []
    for seed in range(20):
        plain, ambient = (
            mixer(dataclasses.replace(only, ambience=share)).draw(np.random.default_rng(seed), 32_000).background
            for share in (0.0, 1.0)
        )
        alike.append(abs(float(np.corrcoef(plain.mean(axis=0), ambient.mean(axis=0))[0, 1])))
    assert sum(a > 0.2 for a in alike) >= 4, "music is never there"
    assert sum(a < 0.05 for a in alike) >= 4, "music is always there"


def test_music_only_and_speech_only() -> None:
    rng = np.random.default_rng(0)
    assert not mixer(MixSettings(music_only=1.0)).draw(rng, 8000).dialogue.any()
    silent = mixer(MixSettings(music_only=0.0, speech_only=1.0, noise=0.0, codec=0.0)).draw(rng, 8000)
    assert not silent.background.any()
    assert silent.dialogue.any()


def test_the_loss_prefers_the_better_mask() -> None:
    d = mixer(MixSettings((0.0, 0.0), music_only=0, speech_only=0)).draw(np.random.default_rng(3), 32_000)
    path = SignalPath()
    s, n = (stft(mid_side(torch.from_numpy(x)[None]), path, RATE_HZ) for x in (d.dialogue, d.background))
    ideal = (s.abs() / (s.abs() + n.abs() + 1e-9)).clamp(0, 1)
    losses = [float(train.separation_loss(m, s + n, s)) for m in (ideal, 0.5 + 0 * ideal, 1 - ideal)]
    assert losses[0] < losses[1] < losses[2]


def spectrograms(seed: int, settings: MixSettings) -> train.Batch:
    return train.draw_batch(
        mixer(settings), SignalPath(), seed=seed, step=0, batch=2, frames=32, device=torch.device("cpu")
    )


def test_the_loss_is_the_same_for_quiet_and_for_loud() -> None:
    drawn = spectrograms(1, MixSettings((0.0, 0.0), music_only=0, speech_only=0))
    mask = torch.rand(drawn.mixture.shape, generator=torch.Generator().manual_seed(0))
    losses = [float(train.separation_loss(mask, g * drawn.mixture, g * drawn.dialogue)) for g in (0.1, 1.0, 10.0)]
    assert losses == pytest.approx([losses[1]] * 3, rel=1e-3)


def test_the_loss_wants_silence_where_nobody_speaks() -> None:
    drawn = spectrograms(2, MixSettings(music_only=1.0))
    assert not drawn.dialogue.abs().any()
    mask = torch.full(drawn.mixture.shape, 0.5, requires_grad=True)
    loss = train.separation_loss(mask, drawn.mixture, drawn.dialogue)
    (gradient,) = torch.autograd.grad(loss, mask)
    assert torch.isfinite(gradient).all()
    assert (gradient >= 0).all(), "a lower mask must never cost"
    assert train.separation_loss(0 * mask, drawn.mixture, drawn.dialogue) < loss - 10


def test_mid_side_comes_back() -> None:
    x = torch.randn(3, 2, 50)
    torch.testing.assert_close(left_right(mid_side(x)), x)


def test_si_sdr_is_the_textbooks() -> None:
    rng = np.random.default_rng(0)
    s, e = rng.standard_normal((2, 1000))
    noise = e - (e @ s) / (s @ s) * s  # orthogonal to s
    noise *= np.linalg.norm(s) / np.linalg.norm(noise) / 10
    estimate = torch.from_numpy(3 * (s + noise))
    assert float(train.si_sdr_db(estimate, torch.from_numpy(s))) == pytest.approx(20.0, abs=1e-6)


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    fixed = ["--batch", "2", "--frames", "32", "--width", "4", "--lstm", "8", "--device", "cpu"]
    return ["--speech", str(folders[0]), "--music", str(folders[1]), "--out", str(out), *fixed, *more]


@pytest.mark.slow
def test_a_resumed_run_equals_an_unbroken_one(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    args = arguments(folders, tmp_path / "whole", "--steps", "4", "--check-every", "1")
    assert train.main(args) == 0

    advance, broken = train.Run.advance, arguments(folders, tmp_path / "broken", "--steps", "4", "--check-every", "1")

    def interrupted(self: train.Run, batch: train.Batch) -> float:
        if self.step == 2:
            raise KeyboardInterrupt
        return advance(self, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train.Run, "advance", interrupted)
        train.main(broken)
    assert train.main(broken) == 0

    states = [torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("whole", "broken")]
    for key, value in states[0]["net"].items():
        torch.testing.assert_close(states[1]["net"][key], value, atol=0, rtol=0)
    log = [json.loads(row) for row in (tmp_path / "broken" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [1, 2, 3, 4]

    stems = Separator.load(tmp_path / "whole" / "best.safetensors", device="cpu", window_frames=160)
    assert stems.separate(music(1, 0), RATE_HZ).vocals.shape == (2, RATE_HZ)
    assert train.main(arguments(folders, tmp_path / "whole", "--steps", "5")) == 2


def test_a_recipe_trains_one_run_after_the_other_and_does_nothing_twice(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    small = {"batch": 2, "frames": 32, "check_every": 1}
    stages = (
        train.TrainSettings(steps=2, ambience=0.0, **small),
        train.TrainSettings(steps=1, seed=1, **small),
    )
    monkeypatch.setattr(train, "RECIPES", {"dialogue": stages})
    monkeypatch.setattr(train, "WIDTH", 4)
    monkeypatch.setattr(train, "LSTM", 8)
    command = ["--recipe", "dialogue", "--speech", str(folders[0]), "--music", str(folders[1]), "--device", "cpu"]
    command += ["--out", str(tmp_path / "run")]
    assert train.main(command) == 0
    assert [len((tmp_path / f"run/{k}/log.jsonl").read_text().splitlines()) for k in (1, 2)] == [2, 1]
    best = tmp_path / "run" / "best.safetensors"
    assert best.read_bytes() == (tmp_path / "run" / "2" / "best.safetensors").read_bytes()
    assert load_checkpoint(str(best)).config.notes == "steps 2, batch 2, seed 0; then steps 1, batch 2, seed 1"
    logs = [(tmp_path / f"run/{k}/log.jsonl").read_bytes() for k in (1, 2)]
    assert train.main(command) == 0
    assert [(tmp_path / f"run/{k}/log.jsonl").read_bytes() for k in (1, 2)] == logs


def test_a_run_ends_when_nothing_becomes_better(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    gains = iter([1.0, 2.0, 1.5, 1.9, 9.0])
    monkeypatch.setattr(train, "held_out_improvement_db", lambda *_: next(gains))
    command = arguments(folders, tmp_path / "run", "--steps", "50", "--check-every", "1", "--patience", "2")
    assert train.main(command) == 0
    log = [json.loads(row) for row in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["held_out_si_sdr_improvement_db"] for row in log] == [1.0, 2.0, 1.5, 1.9]
    assert train.main(command) == 0, "it is finished, and is not gone on with"
    assert next(gains) == 9.0


@pytest.mark.parametrize("bfloat16", [False, True])
def test_training_learns(tmp_path: Path, bfloat16: bool) -> None:
    """Twenty looks at the same small batch bring its loss down by decibels."""
    config = NetConfig(nout=4, nout_lstm=8)
    run = train.Run(
        tmp_path, config, train.TrainSettings(steps=20, learning_rate=0.02, bfloat16=bfloat16), torch.device("cpu")
    )
    m = mixer(MixSettings((0.0, 0.0), music_only=0, speech_only=0))
    batch = train.draw_batch(m, config.path, seed=0, step=0, batch=2, frames=32, device=run.device)
    losses = [run.advance(batch) for _ in range(20)]
    assert losses[-1] < losses[0] - 1.0


def test_a_folder_without_audio_is_named(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert train.main(arguments((tmp_path / "empty", folders[1]), tmp_path / "run")) == 2
    assert "empty: no audio files in this folder" in capsys.readouterr().err
