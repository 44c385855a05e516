"""Networks over streams: windows, the public checkpoints' whole path, and everything that can be set around them."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
import torch
import uvr5_golden as golden
from hypothesis import given, settings
from hypothesis import strategies as st

from video_preprocessing.uvr5.checkpoints import Checkpoint
from video_preprocessing.uvr5.engine.models import MultiBand, SeparatorOptions, default_window_frames, make_model
from video_preprocessing.uvr5.engine.optimise import keeping_freed_memory, prepare
from video_preprocessing.uvr5.engine.streams import resample_stream
from video_preprocessing.uvr5.engine.windows import MaskStream, Windowing
from video_preprocessing.uvr5.nets import CascadedASPPNet, CascadedNet
from video_preprocessing.uvr5.network.nets_v50 import Widths
from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan
from yuki_builder.errors import ConfigError
from yuki_builder.records import FloatArray

CPU = torch.device("cpu")
SMALL = {
    "bins": 96,
    "sr": 16000,
    "pre_filter_start": 94,
    "pre_filter_stop": 96,
    "band": {
        "1": {"sr": 8000, "hl": 64, "n_fft": 128, "crop_start": 0, "crop_stop": 40, "lpf_start": 30, "lpf_stop": 40},
        "2": {"sr": 16000, "hl": 128, "n_fft": 256, "crop_start": 30, "crop_stop": 86, "hpf_start": 40, "hpf_stop": 30},
    },
}


def noise(samples: int, seed: int = 0) -> FloatArray:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, samples))).astype(np.float32)


def snr_db(x: FloatArray, reference: FloatArray) -> float:
    return float(10 * np.log10(np.square(reference).sum() / np.square(x - reference).sum()))


def checkpoint(generation: str = "5.1", voice: str = "mask", **plan: Any) -> Checkpoint:
    """A small public-style network with random weights that differ from bin to bin."""
    torch.manual_seed(0)
    net: torch.nn.Module = CascadedNet(192, 4, 8)
    if generation == "5.0":
        net = CascadedASPPNet(192, Widths(4, 2, 4, 4, 8))
    bands = BandPlan.from_public({**SMALL, **plan}, "small")
    stems = ("vocals", "accompaniment") if voice == "mask" else ("accompaniment", "vocals")
    return Checkpoint("small", generation, bands, voice, stems, net.state_dict(), "0")  # type: ignore[arg-type]


def model(checkpoint: Checkpoint, **options: Any) -> MultiBand:
    offset = 64 if checkpoint.generation == "5.1" else 128
    chosen = {"window_frames": 2 * offset + 64, "aggressiveness": 0.0, **options}
    return MultiBand(checkpoint, device="cpu", options=SeparatorOptions(**chosen))


def separated(model: MultiBand, x: FloatArray, rate_hz: int = 16_000, cuts: tuple[int, ...] = ()) -> FloatArray:
    edges = [0, *sorted(cuts), x.shape[1]]
    blocks = [x[:, a:b] for a, b in itertools.pairwise(edges)]
    peak = model.measure(blocks, rate_hz)
    return np.concatenate(list(model.stream(blocks, rate_hz, peak=peak, both=True)), axis=1)


@pytest.mark.parametrize("tta", [False, True])
def test_the_whole_path_is_that_of_the_reference(tta: bool) -> None:
    reference = golden.load(f"path_v51_tta{int(tta)}")
    state = golden.seeded_state(reference["shapes"], reference["seed"])
    wave = np.load(golden.FOLDER / "signal_wave.npz")["wave"]
    stems = ("vocals", "accompaniment")
    public = Checkpoint("public", "5.1", band_plan("4band_v3"), "mask", stems, state, "0")
    out = separated(model(public, window_frames=256, test_time_augmentation=tta), wave, 44_100)
    assert snr_db(out[:2, 20_000:60_000], reference["primary_wave"].numpy()) > 55


@pytest.mark.parametrize("generation", ["5.0", "5.1"])
def test_what_makes_a_network_fast_leaves_it_as_it_is(generation: str) -> None:
    public = checkpoint(generation)
    x = torch.rand(1, 2, 97, 400)
    with torch.inference_mode():
        expected = public.build().predict_mask(x)
        found = prepare(public.build(), CPU).predict_mask(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_voice_is_where_the_checkpoint_says() -> None:
    x = noise(16_000)
    kept, other = separated(model(checkpoint(voice="mask")), x), separated(model(checkpoint(voice="residual")), x)
    np.testing.assert_allclose(kept[:2], other[2:], atol=1e-5)
    np.testing.assert_allclose(kept[2:], other[:2], atol=1e-5)
    assert model(checkpoint(voice="residual")).stems == ("vocals", "accompaniment")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"post_process": True},
        {"high_end": True, "aggressiveness": 0.3},
        {"test_time_augmentation": True},
        {"crossfade": 16},
        {"crossfade": 16, "test_time_augmentation": True, "post_process": True},
    ],
    ids=str,
)
@settings(max_examples=2, deadline=None)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=4))
def test_blocks_do_not_change_the_result(options: dict[str, Any], cuts: list[int]) -> None:
    x = noise(40_000)
    x[:, 10_000:30_000] *= 0.001
    one = model(checkpoint(), **options)
    whole = separated(one, x)
    assert whole.shape == (4, 40_000)
    np.testing.assert_allclose(separated(one, x, cuts=tuple(cuts)), whole, atol=1e-5)


@pytest.mark.parametrize("samples", [0, 1, 100, 5000])
@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
def test_any_rate_and_length_comes_out_as_it_went_in(rate_hz: int, samples: int) -> None:
    assert separated(model(checkpoint("5.0")), noise(samples), rate_hz).shape == (4, samples)


def test_options_do_what_they_say() -> None:
    x = noise(60_000)
    x[:, 20_000:40_000] *= 0.01
    old = checkpoint("5.0")
    assert (
        np.square(separated(model(old, aggressiveness=1.0), x)[:2]).sum()
        < 0.9 * np.square(separated(model(old), x)[:2]).sum()
    )
    # Where nothing is said, as the tools they come with: a tenth for the older networks, nothing for the newer.
    np.testing.assert_array_equal(
        separated(model(old, aggressiveness=None), x), separated(model(old, aggressiveness=0.1), x)
    )
    plain = separated(model(checkpoint()), x)
    np.testing.assert_array_equal(separated(model(checkpoint(), aggressiveness=None), x), plain)
    # Half a second inside the quiet stretch: its remains have gone over to the accompaniment.
    given = separated(model(checkpoint(), post_process=True), x)
    inner = slice(28_000, 32_000)
    assert np.square(given[:2, inner]).sum() < 1e-3 * np.square(plain[:2, inner]).sum()
    np.testing.assert_allclose(given[:2] + given[2:], plain[:2] + plain[2:], atol=1e-5)


def test_a_network_for_music_played_backwards_gets_it_so() -> None:
    """Turned around, the recording gives the turned-around stems, where windows meet the same frames."""
    forwards, backwards = model(checkpoint()), model(checkpoint(reverse=True))
    # One window and a whole number of hops, so that both directions see the same frames.
    x = noise(128 * 63)
    a = separated(forwards, np.pad(x, ((0, 0), (0, 0))))
    b = separated(backwards, np.ascontiguousarray(x[:, ::-1]))[:, ::-1]
    inner = slice(2000, -2000)
    assert snr_db(b[:2, inner], a[:2, inner]) > 15
    plain = separated(forwards, np.ascontiguousarray(x[:, ::-1]))[:, ::-1]
    assert snr_db(b[:2, inner], a[:2, inner]) > snr_db(plain[:2, inner], a[:2, inner])


def test_a_stream_begun_in_the_middle_becomes_the_unbroken_one() -> None:
    for one, rate_hz in ((model(checkpoint()), 16_000), (model(checkpoint("5.0")), 24_000)):
        begin = one.alignment_samples(rate_hz)
        x = noise(begin + one.warm_up_samples(rate_hz) + 30_000)
        peak = one.measure([x], rate_hz)
        whole, late = (
            np.concatenate(list(one.stream([part], rate_hz, peak=peak)), axis=1) for part in (x, x[:, begin:])
        )
        settled = one.warm_up_samples(rate_hz)
        assert snr_db(late[:, settled:], whole[:, begin + settled :]) > 70


@pytest.mark.parametrize(("size", "least", "most"), [(32, 1024, 2048), (64, 512, 896), (128, 448, 448)])
def test_windows_are_as_long_as_memory_allows(size: int, least: int, most: int) -> None:
    half = size // 2
    with torch.device("meta"):
        state = CascadedASPPNet(1344, Widths(half, half // 2, half, half, size)).state_dict()
    stems = ("vocals", "accompaniment")
    public = Checkpoint("large", "5.0", band_plan("4band_v2"), "mask", stems, state, "0")
    assert least <= default_window_frames(public) <= most
    assert default_window_frames(public) % 16 == 0


def test_a_link_needs_its_weights_once() -> None:
    """Where nobody else wants them: half a gigabyte of the largest networks' memory."""
    kept, given = checkpoint(), checkpoint()
    options = SeparatorOptions(window_frames=160)
    results = [
        separated(make_model(one, device="cpu", options=options, keep_weights=keep), noise(20_000))
        for one, keep in ((kept, True), (given, False))
    ]
    np.testing.assert_array_equal(*results)
    assert kept.state
    assert not given.state


def test_half_precision_is_close_and_only_on_demand() -> None:
    x = noise(60_000)
    exact, coarse = separated(model(checkpoint()), x), separated(model(checkpoint(), precision="bfloat16"), x)
    assert 25 < snr_db(coarse[:2], exact[:2]) < 90
    assert SeparatorOptions().dtype(CPU) is torch.float32
    assert SeparatorOptions().dtype(torch.device("cuda")) is torch.float16


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "int8"},
        {"aggressiveness": 2.0},
        {"window_frames": 100},
        {"window_frames": 128},
        {"crossfade": 33},
        {"crossfade": -1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        model(checkpoint(), **options)


class Ramp:
    """Gives every frame of a window the mask that its own place in the stream asks for, if it is in order."""

    offset, output_bin = 8, 3

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        return x[:, :, :3, self.offset : -self.offset]


@settings(max_examples=50, deadline=None)
@given(
    frames=st.integers(0, 200),
    cuts=st.lists(st.integers(0, 200), max_size=5),
    crossfade=st.integers(0, 8),
    tta=st.booleans(),
)
def test_every_frame_gets_its_own_mask(frames: int, cuts: list[int], crossfade: int, tta: bool) -> None:
    x = torch.arange(1.0, frames + 1).expand(2, 5, -1)
    stream = MaskStream(Ramp(), Windowing(32, 8, crossfade, tta), CPU)
    edges = [0, *sorted(min(c, frames) for c in cuts), frames]
    masks = [stream.push(x[..., a:b]) for a, b in itertools.pairwise(edges)] + [stream.finish()]
    torch.testing.assert_close(torch.cat(masks, dim=-1), x[:, :3])


class Counter:
    """Gives each window a mask of its number."""

    offset, output_bin = 8, 3

    def __init__(self) -> None:
        self.number = 0

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        self.number += 1
        return torch.full((1, 2, 3, x.shape[-1] - 16), float(self.number))


def test_windows_fade_into_each_other() -> None:
    stream = MaskStream(Counter(), Windowing(32, 8, crossfade=3), CPU)
    x = torch.zeros(2, 5, 40)
    mask = torch.cat([stream.push(x), stream.finish()], dim=-1)[0, 0]
    # Sixteen frames a core, three of them shared with the next one.
    expected = [1.0] * 13 + [1.25, 1.5, 1.75] + [2.0] * 10 + [2.25, 2.5, 2.75] + [3.0] * 10 + [3.25]
    torch.testing.assert_close(mask, torch.tensor(expected))


def test_fingerprints_tell_settings_apart() -> None:
    public = checkpoint()
    models = [model(public), model(public), model(public, aggressiveness=0.2), model(public, crossfade=8)]
    models.append(model(dataclasses.replace(public, voice="residual")))
    assert len({one.fingerprint for one in models}) == 4


def test_resampling_a_stream_keeps_its_place() -> None:
    t = np.arange(48_000) / 48_000
    x = np.stack([np.sin(2 * np.pi * 440 * t)] * 2).astype(np.float32)
    blocks = [x[:, i : i + 7001] for i in range(0, 48_000, 7001)]
    y = np.concatenate(list(resample_stream(resample_stream(blocks, 48_000, 44_100), 44_100, 48_000)), axis=1)
    assert snr_db(y[:, 1000:47_000], x[:, 1000:47_000]) > 80


def test_memory_is_kept_only_for_as_long_as_asked() -> None:
    with keeping_freed_memory():
        a = torch.ones(1000, 1000)
    assert float((a + 1).sum()) == 2_000_000


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("generation", ["5.0", "5.1"])
def test_a_gpu_gives_the_same(generation: str) -> None:
    x, public = noise(80_000), checkpoint(generation)
    on_gpu = MultiBand(public, device="cuda", options=model(public).options)
    assert snr_db(separated(on_gpu, x), separated(model(public), x)) > 40
