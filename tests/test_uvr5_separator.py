"""The separator's signal path: exact reconstruction, streaming, sample rates, clipping, memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from video_preprocessing.uvr5.checkpoints import NetConfig, load_checkpoint, save_checkpoint
from video_preprocessing.uvr5.separator import Separator
from video_preprocessing.uvr5.signal.limiter import CEILING, PeakLimiter
from yuki_builder.errors import CheckpointError, ConfigError, MediaError
from yuki_builder.records import FloatArray

RATES = [8000, 11025, 16000, 22050, 44100, 48000]


def noise(samples: int, seed: int = 0) -> FloatArray:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, samples))).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with random weights."""
    torch.manual_seed(0)
    config = NetConfig(nout=4, nout_lstm=8)
    path = tmp_path_factory.mktemp("net") / "small.safetensors"
    save_checkpoint(path, config, config.build().state_dict())
    return path


@pytest.fixture(scope="module")
def separator(checkpoint: Path) -> Separator:
    return Separator.load(checkpoint, device="cpu", window_frames=160)


@pytest.fixture(scope="module")
def all_pass(checkpoint: Path) -> Separator:
    """The same network with a mask of one everywhere."""
    separator = Separator.load(checkpoint, device="cpu", window_frames=160)
    (model,) = separator.models
    model.net.predict_mask = lambda x: torch.ones(*x.shape[:2], model.net.output_bin, x.shape[3] - 2 * model.net.offset)
    return separator


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.7, 3.3])
def test_a_mask_of_one_gives_the_input_back(all_pass: Separator, rate_hz: int, seconds: float) -> None:
    x = noise(int(seconds * rate_hz))
    stems = all_pass.separate(x, rate_hz)
    assert stems.vocals.shape == x.shape
    assert np.abs(stems.vocals - x).max(initial=0) < 1e-5


def test_stems_add_up(separator: Separator) -> None:
    x = noise(44100)
    stems = separator.separate(x, 44100)
    assert np.abs(stems.vocals + stems.accompaniment - x).max() < 1e-6
    assert 0 < np.abs(stems.vocals).mean() < np.abs(x).mean()


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 60_000), max_size=6))
def test_the_result_does_not_depend_on_the_blocks(separator: Separator, cuts: list[int]) -> None:
    x = noise(60_000)
    whole = separator.separate(x, 16_000).vocals
    edges = [0, *sorted(cuts), x.shape[1]]
    blocks = [x[:, a:b] for a, b in itertools.pairwise(edges)]
    (model,) = separator.models
    pieces = np.concatenate(list(model.stream(blocks, 16_000, peak=0.0)), axis=1)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)


def test_frames_far_from_a_change_do_not_notice_it(separator: Separator) -> None:
    x = noise(16_000 * 8)
    y = x.copy()
    y[:, -1000:] = 0
    a, b = (separator.separate(w, 16_000).vocals for w in (x, y))
    assert np.abs(a - b)[:, : 16_000 * 2].max() == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_channels_stay(separator: Separator, channels: int) -> None:
    stems = separator.separate(np.tile(noise(20_000), (4, 1))[:channels], 16_000)
    assert stems.vocals.shape == stems.accompaniment.shape == (channels, 20_000)


def test_silence_stays_silent(separator: Separator) -> None:
    assert np.abs(separator.separate(np.zeros((2, 30_000), np.float32), 44_100).vocals).max() == 0


def test_not_a_number_is_refused(separator: Separator) -> None:
    with pytest.raises(ValueError, match="NaN"):
        separator.separate(np.full((2, 1000), np.nan, np.float32), 16_000)


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_mask_is_carried_above_the_band(separator: Separator, rate_hz: int) -> None:
    """Nothing above 8 kHz is lost: the output there is the input, turned down like the band below."""
    x = noise(rate_hz * 2)
    y = separator.separate(x, rate_hz).vocals
    spectrum = np.abs(np.fft.rfft(x)), np.abs(np.fft.rfft(y))
    edge = int(0.95 * spectrum[0].shape[1])
    ratio = np.median(spectrum[1][:, edge:] / spectrum[0][:, edge:])
    assert 0.05 < ratio < 0.95


def test_file_to_file(separator: Separator, tmp_path: Path) -> None:
    x = noise(48_000 * 5)
    sf.write(tmp_path / "in.flac", x.T, 48_000)
    seen: list[float] = []
    report = separator.separate_file(
        tmp_path / "in.flac", tmp_path / "out.flac", progress=lambda done, total: seen.append(done)
    )
    y, rate_hz = sf.read(tmp_path / "out.flac", dtype="float32")
    assert rate_hz == 48_000
    assert y.shape == x.T.shape
    assert report.duration_ms == 5000
    assert report.limited_ms == 0
    assert seen == sorted(seen)
    assert seen[-1] == 5.0
    expected = separator.separate(sf.read(tmp_path / "in.flac", dtype="float32", always_2d=True)[0].T, 48_000).vocals
    assert np.abs(y.T - expected).max() < 1e-4


def test_what_is_no_audio_is_refused(separator: Separator, tmp_path: Path) -> None:
    (tmp_path / "in.flac").write_text("not audio")
    with pytest.raises(MediaError, match=r"in\.flac: not readable as audio"):
        separator.separate_file(tmp_path / "in.flac", tmp_path / "out.flac")


def test_loud_files_do_not_clip(all_pass: Separator, tmp_path: Path) -> None:
    t = np.arange(44_100 * 2) / 44_100
    square = 0.9999 * np.sign(np.sin(2 * np.pi * 110 * t)) * np.where(t < 1, 0.3, 1.0)
    sf.write(tmp_path / "in.wav", np.stack([square, square], axis=1), 44_100, subtype="FLOAT")
    report = all_pass.separate_file(tmp_path / "in.wav", tmp_path / "out.flac")
    y, _ = sf.read(tmp_path / "out.flac")
    assert np.abs(y).max() <= CEILING + 1e-4
    assert report.limited_ms > 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 3000), max_size=5))
def test_limiter(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((2, 3000)) * np.exp(rng.normal(-2, 2))).astype(np.float32)
    edges = [0, *sorted(cuts), 3000]
    limiter = PeakLimiter(16_000)
    y = np.concatenate(list(limiter.limit(x[:, a:b] for a, b in itertools.pairwise(edges))), axis=1)
    assert y.shape == x.shape
    assert np.abs(y).max() <= CEILING * (1 + 1e-6)
    if np.abs(x).max() <= CEILING:
        np.testing.assert_array_equal(x, y)
    whole = np.concatenate(list(PeakLimiter(16_000).limit([x])), axis=1)
    np.testing.assert_allclose(y, whole, atol=1e-6)


def test_weights_survive_the_checkpoint(checkpoint: Path) -> None:
    loaded = load_checkpoint(checkpoint)
    assert loaded.config == NetConfig(nout=4, nout_lstm=8)
    torch.manual_seed(0)
    for key, value in loaded.config.build().state_dict().items():
        torch.testing.assert_close(loaded.state[key], value, atol=1e-3, rtol=1e-3)


def test_fingerprint_is_of_weights_and_settings(checkpoint: Path, tmp_path: Path) -> None:
    config = NetConfig(nout=4, nout_lstm=8)
    save_checkpoint(tmp_path / "other.safetensors", config, config.build().state_dict())
    prints = {
        Separator.load(p, device="cpu", window_frames=w).fingerprint
        for p, w in ((checkpoint, 160), (checkpoint, 160), (checkpoint, 176), (tmp_path / "other.safetensors", 160))
    }
    assert len(prints) == 3


class Malicious:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("executed"),))


def bad_checkpoints(folder: Path) -> Iterator[Path]:
    (folder / "text.safetensors").write_text("I am no checkpoint")
    yield folder / "text.safetensors"
    (folder / "empty.safetensors").touch()
    yield folder / "empty.safetensors"
    torch.save({"evil": Malicious()}, folder / "evil.pth")
    yield folder / "evil.pth"
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, folder / "other.safetensors")
    yield folder / "other.safetensors"
    header = '{"format": "yuki-uvr5/1", "nout": 1e9, "nout_lstm": 8}'
    save_file({"a": torch.zeros(1)}, folder / "hostile.safetensors", metadata={"yuki": header})
    yield folder / "hostile.safetensors"
    config = NetConfig(nout=4, nout_lstm=8)
    state = config.build().state_dict()
    del state["out.weight"]
    save_checkpoint(folder / "short.safetensors", config, state)
    yield folder / "short.safetensors"
    yield folder / "missing.safetensors"
    yield folder


def test_bad_checkpoints_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in bad_checkpoints(tmp_path):
        with pytest.raises(CheckpointError) as error:
            Separator.load(path, device="cpu")
        assert "\n" not in str(error.value)
        assert path.name in str(error.value)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("frames", [128, 100, 1000])
def test_impossible_windows_are_refused(checkpoint: Path, frames: int) -> None:
    with pytest.raises(ConfigError, match=str(frames)):
        Separator.load(checkpoint, device="cpu", window_frames=frames)


def test_unknown_device(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="device"):
        Separator.load(checkpoint, device="tpu")
