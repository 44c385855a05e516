"""What is done to masks: aggressiveness, post-processing."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
import uvr5_golden as golden
from hypothesis import given, settings
from hypothesis import strategies as st

from video_preprocessing.uvr5.signal.band_plan import band_plan
from video_preprocessing.uvr5.signal.masks import PostProcess, apply_aggressiveness

PLAN = band_plan("4band_v2")


def weights(voice: torch.Tensor, cuts: list[int], **settings: int) -> torch.Tensor:
    post = PostProcess(**settings)
    edges = [0, *sorted(cuts), voice.shape[-1]]
    return torch.cat([post.push(voice[..., a:b]) for a, b in itertools.pairwise(edges)] + [post.finish()])


def test_silence_is_given_back_as_in_the_reference() -> None:
    with np.load(golden.FOLDER / "mask_silence.npz") as arrays:
        magnitude, voice, result = (torch.from_numpy(arrays[k]) for k in ("mag", "ref", "result"))
    torch.testing.assert_close(magnitude + weights(voice, [13, 200]) * voice, result, atol=1e-6, rtol=1e-5)


def plainly(quiet: list[bool], *, shortest: int, fade: int) -> torch.Tensor:
    """The rule, frame by frame, for one who has the whole recording before them."""
    stretches: list[list[int]] = []
    at = 0
    for is_quiet, run in itertools.groupby(quiet):
        last = at + len(list(run)) - 1
        if is_quiet and last - at > shortest:
            if stretches and at - stretches[-1][1] < fade:
                stretches[-1][1] = last
            else:
                stretches.append([at, last])
        at = last + 1
    weights = torch.zeros(len(quiet))
    for begin, end in stretches:
        for k in range(begin, end):
            rise = 1 if begin == 0 else (k - begin) / (fade - 1)
            weights[k] = min(1, rise, (end - 1 - k) / (fade - 1))
    return weights


@settings(max_examples=100, deadline=None)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 12) | st.integers(1, 400)), max_size=40),
    cuts=st.lists(st.integers(0, 3000), max_size=30),
)
def test_blocks_do_not_change_what_is_given_back(runs: list[tuple[bool, int]], cuts: list[int]) -> None:
    quiet = list(itertools.chain.from_iterable([q] * n for q, n in runs))
    voice = torch.tensor([0.0 if q else 1.0 for q in quiet]).expand(2, 3, -1)
    found = weights(voice, [min(c, len(quiet)) for c in cuts], shortest=8, fade=4)
    torch.testing.assert_close(found, plainly(quiet, shortest=8, fade=4))


def test_short_pauses_stay() -> None:
    voice = torch.ones(2, 3, 400)
    voice[..., 100:160] = 0
    assert not weights(voice, []).any()
    voice[..., 160:180] = 0
    assert weights(voice, [])[140] == 1


def test_fades_must_fit() -> None:
    with pytest.raises(ValueError, match="fades"):
        PostProcess(shortest=10, fade=6)


def test_aggressiveness_of_both_generations() -> None:
    mask = torch.full((2, 673, 4), 0.5)
    old = apply_aggressiveness(mask, PLAN, 0.3, generation="5.0")
    assert old[0, 0, 0] == pytest.approx(0.5**1.1)
    assert old[1, PLAN.split_bin, 0] == pytest.approx(0.5**1.3)
    corrected = dataclasses.replace(PLAN, aggressiveness_correction=(0.0, 0.2))
    new = apply_aggressiveness(mask, corrected, 0.3, generation="5.1")
    assert new[0, 0, 0] == pytest.approx(0.5**1.2)
    assert new[1, -1, 0] == pytest.approx(0.5**1.8)
    turned = apply_aggressiveness(mask, PLAN, 0.3, generation="5.1", primary_is_accompaniment=False)
    assert turned[0, -1, 0] == pytest.approx(0.5**1.4)
    assert apply_aggressiveness(mask, PLAN, 0.0, generation="5.1") is mask
