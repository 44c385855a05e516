"""The bands of the public checkpoints against the public implementation, and as streams."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch
import uvr5_golden as golden
from hypothesis import given, settings
from hypothesis import strategies as st

from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan, plan_names
from video_preprocessing.uvr5.signal.masks import mirror
from video_preprocessing.uvr5.signal.multiband import Analyser, Synthesiser, analyse, synthesise, turn, turn_back
from yuki_builder.records import FloatArray

SIGNALS = ["1band_sr44100_hl512", "3band_44100_mid", "3band_44100_msb2", "4band_44100_reverse", "4band_v2", "4band_v3"]
# Resamplers of equal quality differ at the edges of the bands; elsewhere far less (one band needs none).
CLOSE_DB, EXACT_DB = 55.0, 120.0


def snr_db(x: npt.NDArray[np.generic], reference: npt.NDArray[np.generic]) -> float:
    error = np.square(np.abs(x - reference)).sum() + 1e-30
    return float(10 * np.log10(np.square(np.abs(reference)).sum() / error))


def noise(samples: int, seed: int = 0) -> FloatArray:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, samples))).astype(np.float32)


@pytest.fixture(scope="module")
def wave() -> FloatArray:
    return np.asarray(np.load(golden.FOLDER / "signal_wave.npz")["wave"])


def reference(name: str) -> dict[str, npt.NDArray[np.generic]]:
    with np.load(golden.FOLDER / f"signal_{name}.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", SIGNALS)
def test_there_and_back_as_the_reference(name: str, wave: FloatArray) -> None:
    plan, expected = band_plan(name), reference(name)
    least_db = EXACT_DB if len(plan.bands) == 1 else CLOSE_DB
    stack = analyse(wave, plan)
    assert stack.shape[-1] == expected["frames"]
    assert snr_db(stack[..., 40:60].numpy(), expected["combined"]) > least_db
    back = synthesise(stack, plan, wave.shape[1])
    # Played backwards, the reference loses what lies behind the last whole hop, and so comes back early by as much.
    early = wave.shape[1] % plan.hop if plan.channels == "reverse" else 0
    assert snr_db(back[:, 20_000 + early : 40_000 + early], expected["roundtrip"]) > least_db


@pytest.mark.parametrize("name", ["4band_v2", "4band_v3"])
def test_mirroring_as_the_reference(name: str, wave: FloatArray) -> None:
    plan, expected = band_plan(name), reference(name)
    analyser = Analyser(plan)
    parts = [analyser.push(wave), analyser.finish()]
    stack = torch.cat([part for part, _ in parts], dim=-1)
    high_end = torch.cat([top for _, top in parts if top is not None], dim=-1)
    top = mirror(high_end, 0.7 * stack, plan)
    assert snr_db(top[..., 40:60].numpy(), expected["mirrored"]) > 100
    back = synthesise(0.7 * stack, plan, wave.shape[1], top)
    assert snr_db(back[:, 20_000:40_000], expected["roundtrip_mirrored"]) > CLOSE_DB


@pytest.mark.parametrize("name", plan_names())
def test_every_plan_gives_back_what_its_bands_let_through(name: str) -> None:
    """A tone well inside the lowest band passes unharmed, and nothing appears that was not there."""
    plan = band_plan(name)
    t = np.arange(plan.sample_rate_hz) / plan.sample_rate_hz
    x = np.stack([np.sin(2 * np.pi * 300 * t), 0.5 * np.sin(2 * np.pi * 440 * t)]).astype(np.float32) * 0.1
    back = synthesise(analyse(x, plan), plan, x.shape[1])
    assert back.shape == x.shape
    inner = slice(plan.sample_rate_hz // 4, -plan.sample_rate_hz // 4)
    assert snr_db(back[:, inner], x[:, inner]) > 30


def test_pre_filter_and_channels_of_a_newer_plan(wave: FloatArray) -> None:
    plan = band_plan("4band_v3_sn")
    plain = dataclasses.replace(plan, pre_filter_start=-1, pre_filter_stop=-1)
    stack, unfiltered = analyse(wave, plan), analyse(wave, plain)
    # ones(start - 1), a line from 1 to 0, zeros.
    mask = np.concatenate([np.ones(667), np.linspace(1, 0, 5), np.zeros(1)])[:, None]
    np.testing.assert_allclose(stack.numpy(), unfiltered.numpy() * mask, atol=1e-5)
    # Only the highest band has its channels mixed.
    left, right = analyse(wave, dataclasses.replace(plain, generation="5.0"))
    low = plan.bins - plan.bands[-1].bins
    torch.testing.assert_close(unfiltered[:, :low], torch.stack([left, right])[:, :low])
    torch.testing.assert_close(unfiltered[0, low:], ((left + right / 4) / 0.9375)[low:], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(unfiltered[1, low:], ((right + left / 4) / 0.9375)[low:], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("channels", ["mid_side", "mid_side_b2", "mid_side_c", "stereo_n"])
def test_channel_transforms_turn_back(channels: str) -> None:
    x = torch.randn(2, 50)
    turned = turn(x, channels)  # type: ignore[arg-type]
    assert not torch.allclose(turned, x)
    torch.testing.assert_close(turn_back(turned, channels), x, atol=1e-6, rtol=1e-5)  # type: ignore[arg-type]


def in_blocks(x: FloatArray, plan: BandPlan, cuts: list[int]) -> tuple[torch.Tensor, FloatArray]:
    analyser, synthesiser = Analyser(plan), Synthesiser(plan)
    edges = [0, *sorted(cuts), x.shape[1]]
    stacks = [analyser.push(x[:, a:b])[0] for a, b in itertools.pairwise(edges)] + [analyser.finish()[0]]
    waves = [synthesiser.push(s) for s in stacks] + [synthesiser.finish(x.shape[1])]
    return torch.cat(stacks, dim=-1), np.concatenate(waves, axis=1)


@settings(max_examples=8, deadline=None)
@given(
    name=st.sampled_from(["4band_v3", "3band_44100_msb2", "2band_48000", "4band_v4_ms_fullband"]),
    cuts=st.lists(st.integers(0, 20_000), max_size=4),
    samples=st.integers(0, 20_000),
)
def test_blocks_do_not_change_the_result(name: str, cuts: list[int], samples: int) -> None:
    plan, x = band_plan(name), noise(samples)
    stack, wave = in_blocks(x, plan, [min(c, samples) for c in cuts])
    whole, back = in_blocks(x, plan, [])
    torch.testing.assert_close(stack, whole, atol=1e-4, rtol=1e-4)
    assert stack.shape[-1] == 1 + samples // plan.hop
    assert wave.shape == x.shape
    np.testing.assert_allclose(wave, back, atol=1e-5)


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(plan_names()), steps=st.integers(1, 40))
def test_a_stream_begun_in_the_middle_becomes_the_unbroken_one(name: str, steps: int) -> None:
    plan = band_plan(name)
    begin = steps * plan.alignment_samples
    x = noise(begin + plan.warm_up_samples + 20_000)
    stack, wave = in_blocks(x, plan, [])
    late_stack, late = in_blocks(x[:, begin:], plan, [])
    settled, frames = plan.warm_up_samples, -(-plan.warm_up_samples // plan.hop)
    assert snr_db(late_stack[..., frames:].numpy(), stack[..., begin // plan.hop + frames :].numpy()) > 120
    assert snr_db(late[:, settled:], wave[:, begin + settled :]) > 120
