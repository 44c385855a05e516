"""Separation from file to file: going on after an interruption, channels, chains, and streams across threads."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from video_preprocessing.uvr5.checkpoints import NetConfig, load_checkpoint, save_checkpoint
from video_preprocessing.uvr5.engine.resuming import Unfinished, identity
from video_preprocessing.uvr5.separator import Separator, SeparatorOptions
from yuki_builder.errors import ConfigError, MediaError
from yuki_builder.records import FloatArray
from yuki_builder.threads import in_thread, written_in_thread

RATE_HZ = 16_000
ROOT = Path(__file__).parents[1]


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
    return Separator.load(checkpoint, device="cpu", window_frames=320)


def write_noise(path: Path, seconds: float, channels: int = 2, seed: int = 0) -> Path:
    x = 0.1 * np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), channels))
    sf.write(path, x, RATE_HZ)
    return path


def audio(path: Path) -> FloatArray:
    return np.asarray(sf.read(path, dtype="float32", always_2d=True)[0].T)


class Interrupted(Exception):
    pass


def interrupted_after(seconds: float) -> object:
    def progress(done: float, total: float | None) -> None:
        if done >= seconds:
            raise Interrupted

    return progress


@pytest.mark.parametrize("both", [False, True])
def test_an_interrupted_separation_goes_on(separator: Separator, tmp_path: Path, both: bool) -> None:
    source = write_noise(tmp_path / "in.flac", 32)
    rest = tmp_path / "rest.flac" if both else None
    whole = separator.separate_file(source, tmp_path / "whole.flac", accompaniment=rest)
    assert whole.resumed_ms == 0
    expected_rest = audio(rest) if rest else None
    out = tmp_path / "out.flac"
    for seconds in (18, 28):
        with pytest.raises(Interrupted):
            separator.separate_file(source, out, accompaniment=rest, progress=interrupted_after(seconds))  # type: ignore[arg-type]
        assert not out.exists()
    report = separator.separate_file(source, out, accompaniment=rest)
    assert report.resumed_ms > 15_000
    assert report.duration_ms == 32_000
    assert out.read_bytes() == (tmp_path / "whole.flac").read_bytes()
    if rest:
        np.testing.assert_array_equal(audio(rest), expected_rest)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_what_an_interrupted_chain_had_done_is_told(checkpoint: Path, tmp_path: Path) -> None:
    chain = Separator.load(f"{checkpoint}+{checkpoint}", device="cpu", window_frames=320)
    source = write_noise(tmp_path / "in.flac", 24)
    for seconds in (11, 23):  # in the first model, then in the second: the progress is of both
        with pytest.raises(Interrupted):
            chain.separate_file(source, tmp_path / "out.flac", progress=interrupted_after(seconds))  # type: ignore[arg-type]
    report = chain.separate_file(source, tmp_path / "out.flac")
    assert 24_000 < report.resumed_ms < 48_000


def test_leftovers_of_something_else_are_not_taken(separator: Separator, tmp_path: Path) -> None:
    out = tmp_path / "out.flac"
    with pytest.raises(Interrupted):
        separator.separate_file(write_noise(tmp_path / "a.flac", 16), out, progress=interrupted_after(12))  # type: ignore[arg-type]
    other = write_noise(tmp_path / "b.flac", 16, seed=1)
    assert separator.separate_file(other, out).resumed_ms == 0
    np.testing.assert_allclose(audio(out), separator.separate(audio(other), RATE_HZ).vocals, atol=1e-4)


_WORK = """
import sys
from pathlib import Path
from video_preprocessing.uvr5.separator import Separator, SeparatorOptions
separator = Separator.load(sys.argv[1], device="cpu", window_frames=320)
print(separator.separate_file(Path(sys.argv[2]), Path(sys.argv[3])).resumed_ms)
"""


def test_a_killed_process_leaves_what_the_next_one_needs(checkpoint: Path, tmp_path: Path) -> None:
    source, out = write_noise(tmp_path / "in.flac", 120), tmp_path / "out.flac"
    command = [sys.executable, "-c", _WORK, str(checkpoint), str(source), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    unfinished = tmp_path / ".out.unfinished.kept.flac"
    with subprocess.Popen(command, env=environment) as process:
        deadline = time.monotonic() + 60
        while not (unfinished.exists() and unfinished.stat().st_size > 1_500_000):
            assert process.poll() is None, "it was done before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 5000
    assert sf.info(out).frames == 120 * RATE_HZ
    assert not unfinished.exists()


@pytest.fixture(scope="module")
def half_a_minute(separator: Separator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FloatArray]:
    """Noise, and its vocals."""
    source = write_noise(tmp_path_factory.mktemp("noise") / "in.flac", 30)
    return source, separator.separate(audio(source), RATE_HZ).vocals


@pytest.mark.parametrize("damage", ["cut", "note", "empty", "nonsense"])
def test_damaged_leftovers_cost_time_and_nothing_else(
    separator: Separator, half_a_minute: tuple[Path, FloatArray], tmp_path: Path, damage: str
) -> None:
    (source, expected), out = half_a_minute, tmp_path / "out.flac"
    with pytest.raises(Interrupted):
        separator.separate_file(source, out, progress=interrupted_after(25))  # type: ignore[arg-type]
    kept, note = tmp_path / ".out.unfinished.kept.flac", tmp_path / ".out.unfinished.note.json"
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-5001])
    elif damage == "note":
        note.write_text('{"key": 1')
    elif damage == "empty":
        kept.write_bytes(b"")
    else:
        kept.write_bytes(b"fLaC" + bytes(range(256)) * 40)
    separator.separate_file(source, out)
    np.testing.assert_allclose(audio(out), expected, atol=1e-4)


def test_identity_is_of_the_content(tmp_path: Path) -> None:
    a, b = write_noise(tmp_path / "a.flac", 5), write_noise(tmp_path / "b.flac", 5, seed=1)
    assert identity(a) != identity(b)
    b.write_bytes(a.read_bytes())
    assert identity(a) == identity(b)


def test_nothing_unfinished_means_nothing_salvaged(tmp_path: Path) -> None:
    unfinished = Unfinished({"kept": tmp_path / "x.flac"}, tmp_path, "key")
    assert unfinished.samples == 0
    assert list(unfinished.salvaged("kept")) == []


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_every_channel_comes_back(separator: Separator, tmp_path: Path, channels: int) -> None:
    source = write_noise(tmp_path / "in.wav", 6, channels)
    report = separator.separate_file(source, tmp_path / "out.flac", accompaniment=tmp_path / "rest.flac")
    assert report.channels == channels
    x, kept, rest = (audio(p) for p in (source, tmp_path / "out.flac", tmp_path / "rest.flac"))
    assert kept.shape == x.shape
    np.testing.assert_allclose(kept + rest, x, atol=1.5e-4)
    # The centre of a surround recording is separated by itself.
    if channels == 6:
        alone = separator.separate(x[2:3], RATE_HZ).vocals
        np.testing.assert_allclose(kept[2:3], alone, atol=1e-4)


def test_more_channels_than_flac_has(separator: Separator, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="9 channels"):
        separator.separate_file(write_noise(tmp_path / "in.wav", 1, 9), tmp_path / "out.flac")


def test_a_chain_is_one_link_after_the_other(checkpoint: Path, separator: Separator, tmp_path: Path) -> None:
    chain = Separator.load(f"{checkpoint}+{checkpoint}", device="cpu", window_frames=320)
    assert len(chain.models) == 2
    source = write_noise(tmp_path / "in.flac", 12)
    seen: list[float] = []
    chain.separate_file(
        source,
        tmp_path / "out.flac",
        accompaniment=tmp_path / "rest.flac",
        progress=lambda done, total: seen.append(done),
    )
    once = separator.separate(audio(source), RATE_HZ).vocals
    twice = separator.separate(once, RATE_HZ).vocals
    np.testing.assert_allclose(audio(tmp_path / "out.flac"), twice, atol=2e-4)
    np.testing.assert_allclose(audio(tmp_path / "rest.flac"), audio(source) - twice, atol=2e-4)
    np.testing.assert_allclose(chain.separate(audio(source), RATE_HZ).vocals, twice, atol=1e-5)
    assert seen == sorted(seen)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.flac", "out.flac", "rest.flac"]


def test_a_chain_goes_on_with_its_second_link(checkpoint: Path, tmp_path: Path) -> None:
    chain = Separator.load(f"{checkpoint}+{checkpoint}", device="cpu", window_frames=320)
    source, out = write_noise(tmp_path / "in.flac", 20), tmp_path / "out.flac"
    with pytest.raises(Interrupted):
        chain.separate_file(source, out, progress=interrupted_after(15))  # type: ignore[arg-type]
    seen: list[float] = []
    chain.separate_file(source, out, progress=lambda done, total: seen.append(done))
    assert seen[0] > 10
    other = write_noise(tmp_path / "other.flac", 20, seed=3)
    chain.separate_file(other, out)
    twice = chain.separate(audio(other), RATE_HZ).vocals
    np.testing.assert_allclose(audio(out), twice, atol=2e-4)


@pytest.mark.parametrize("change", ["weights", "options", "source"])
def test_the_intermediate_of_another_chain_is_made_anew(checkpoint: Path, tmp_path: Path, change: str) -> None:
    other = copy_with_other_weights(checkpoint, tmp_path / "other.safetensors")
    source, out = write_noise(tmp_path / "in.flac", 20), tmp_path / "out.flac"
    chain = Separator.load(f"{checkpoint}+{checkpoint}", device="cpu", window_frames=320)
    with pytest.raises(Interrupted):  # at work on its second model
        chain.separate_file(source, out, progress=interrupted_after(15))  # type: ignore[arg-type]
    options = SeparatorOptions(window_frames=320, test_time_augmentation=change == "options")
    names = f"{other if change == 'weights' else checkpoint}+{checkpoint}"
    if change == "source":
        write_noise(source, 20, seed=5)
    changed = Separator.load(names, device="cpu", options=options)
    changed.separate_file(source, out)
    changed.separate_file(source, tmp_path / "fresh.flac")
    assert out.read_bytes() == (tmp_path / "fresh.flac").read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def copy_with_other_weights(checkpoint: Path, path: Path) -> Path:
    loaded = load_checkpoint(checkpoint)
    save_checkpoint(path, loaded.config, {k: 0.9 * v if "conv" in k else v for k, v in loaded.state.items()})
    return path


def test_none_is_no_link_of_a_chain(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="chain"):
        Separator.load(f"none+{checkpoint}")


def test_a_thread_ahead_gives_the_same_and_stops() -> None:
    assert list(in_thread(range(100))) == list(range(100))
    endless = in_thread(itertools.count())
    assert [next(endless) for _ in range(3)] == [0, 1, 2]
    endless.close()  # type: ignore[attr-defined]

    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(in_thread(failing()))


def test_writers_get_everything_and_their_errors_come_out() -> None:
    one: list[int] = []
    two: list[int] = []
    written_in_thread(range(50), [one.extend, two.extend])
    assert one == two == list(range(50))

    def full(items: Iterable[int]) -> None:
        for item in items:
            if item == 5:
                raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        written_in_thread(itertools.count(), [full, one.extend])

    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("no audio")

    with pytest.raises(ValueError, match="no audio"):
        written_in_thread(failing(), [two.extend])
