"""The v5.0 networks against the public implementation's outputs."""

from __future__ import annotations

import pytest
import torch
import uvr5_golden as golden

from video_preprocessing.uvr5.engine.optimise import prepare
from video_preprocessing.uvr5.nets import BaseASPPNet, CascadedASPPNet
from video_preprocessing.uvr5.network.nets_v50 import FAMILIES, Widths

CPU = torch.device("cpu")
FILES = {
    "base": "cascadedaspp_nets",
    "33966KB": "cascadedaspp_nets_33966KB",
    "61968KB": "cascadedaspp_nets_61968KB",
    "537238KB": "cascadedaspp_nets_537238KB",
}
LARGE = pytest.param("537238KB", marks=pytest.mark.slow)


def sharpened(mask: torch.Tensor, *, aggressiveness: float, split_bin: int) -> torch.Tensor:
    """The reference's own ``predict`` makes the mask harder by bins; the specification's rule in two lines."""
    low, high = mask[:, :, :split_bin], mask[:, :, split_bin:]
    return torch.cat([low ** (1 + aggressiveness / 3), high ** (1 + aggressiveness)], dim=2)


@pytest.mark.parametrize("family", ["base", "33966KB", "61968KB", LARGE])
def test_masked_magnitudes_are_those_of_the_reference(family: str) -> None:
    reference = golden.load(FILES[family])
    shapes = reference["shapes"]
    net = CascadedASPPNet(64, family).eval()
    net.load_state_dict(golden.seeded_state(shapes, reference["seed"]), strict=True)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == {k: tuple(v) for k, v in shapes.items()}
    (x,) = reference["inputs"]
    inner = x[..., net.offset : -net.offset]
    with torch.inference_mode():
        mask = sharpened(net.predict_mask(x), aggressiveness=0.1, split_bin=20)
        torch.testing.assert_close(mask * inner, reference["output"], atol=1e-5, rtol=1e-5)
        # What makes it fast leaves it as it is.
        fast = prepare(net, CPU).predict_mask(x)
        torch.testing.assert_close(
            sharpened(fast, aggressiveness=0.1, split_bin=20) * inner, reference["output"], atol=2e-5, rtol=1e-4
        )


@pytest.mark.parametrize("family", [f for f in FAMILIES if not f.startswith("537")])
def test_sizes_are_read_off_the_shapes(family: str) -> None:
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in CascadedASPPNet(64, family).state_dict().items()}
        again = CascadedASPPNet.from_shapes(shapes, 64)
    assert {k: tuple(v.shape) for k, v in again.state_dict().items()} == shapes


def test_training_mode_gives_the_masks_of_all_stages() -> None:
    net = CascadedASPPNet(64, Widths(4, 2, 4, 4, 8)).train()
    masks = net(torch.rand(1, 2, 33, 32))
    assert [tuple(m.shape) for m in masks] == [(1, 2, 33, 32)] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CascadedASPPNet(64, "1KB"), "families are"),
        (lambda: CascadedASPPNet(40), "multiple of 32"),
        (lambda: Widths(4, 2, 0, 4, 8), "no network"),
        (lambda: CascadedASPPNet(64, Widths(4, 2, 4, 4, 8))(torch.rand(1, 2, 33, 30)), "frames a multiple of 16"),
        (lambda: CascadedASPPNet(64, Widths(4, 2, 4, 4, 8)).predict_mask(torch.rand(1, 2, 33, 256)), "more than 256"),
        (lambda: BaseASPPNet(2, 4)(torch.rand(1, 2, 40, 32)), "multiples of 16"),
    ],
)
def test_wrong_sizes_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
