"""Layers and networks: equal to the public ones, clear about their input, free in what the public ones fix."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
import torch
import uvr5_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from video_preprocessing.uvr5.engine.optimise import fold_batch_norms
from video_preprocessing.uvr5.layers import ASPPModule, Conv2DBNActiv, Decoder, Encoder, LSTMModule
from video_preprocessing.uvr5.nets import BaseNet, CascadedNet, Variant
from video_preprocessing.uvr5.spectrogram import crop_center

GOLDEN: dict[str, Callable[[], nn.Module]] = {
    "conv2dbnactiv": lambda: Conv2DBNActiv(3, 5, 3, 2, 1),
    "encoder": lambda: Encoder(4, 6, 3, 2, 1),
    "decoder_skip": lambda: Decoder(10, 5, dropout=True),
    "decoder_noskip": lambda: Decoder(6, 5),
    "aspp": lambda: ASPPModule(8, 4, ((4, 2), (8, 4), (12, 6)), dropout=True),
    "aspp_default": lambda: ASPPModule(8, 4),
    "lstm": lambda: LSTMModule(6, 16, 10),
    "basenet": lambda: BaseNet(2, 4, 16, 8),
}


@pytest.mark.parametrize("name", GOLDEN)
@torch.no_grad()
def test_equal_to_the_public_layers(name: str) -> None:
    reference = uvr5_golden.load(name)
    layer = GOLDEN[name]().eval()
    layer.load_state_dict(reference["state_dict"], strict=True)
    torch.testing.assert_close(layer(*reference["inputs"]), reference["output"], atol=1e-5, rtol=0)


def golden_cascade() -> CascadedNet:
    reference = uvr5_golden.load("cascadednet")
    net = CascadedNet(128, 8, 16)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == {
        k: tuple(v) for k, v in reference["shapes"].items()
    }
    net.load_state_dict(uvr5_golden.seeded_state(reference["shapes"], reference["seed"]), strict=True)
    return net


@torch.no_grad()
def test_equal_to_the_public_cascade() -> None:
    reference = uvr5_golden.load("cascadednet")
    mask = golden_cascade().eval().predict_mask(*reference["inputs"])
    torch.testing.assert_close(mask, reference["output"], atol=1e-5, rtol=0)


@torch.no_grad()
def test_equal_to_the_public_cascade_in_training() -> None:
    reference = uvr5_golden.load("cascadednet_train")
    net = golden_cascade().train()
    for module in net.modules():
        if isinstance(module, nn.Dropout2d):
            module.eval()
    for ours, theirs in zip(net(*reference["inputs"]), reference["output"], strict=True):
        # Bit-equal with the reference's two threads; statistics of one small batch amplify another order of
        # summation, and the reference itself lies 1e-4 from what float64 gives.
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
        assert (ours - theirs).abs().mean() < 1e-5


@torch.no_grad()
def test_folded_norms_change_nothing() -> None:
    reference = uvr5_golden.load("cascadednet")
    folded = fold_batch_norms(golden_cascade().eval())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    torch.testing.assert_close(folded.predict_mask(*reference["inputs"]), reference["output"], atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_pooled_branch_is_what_interpolation_gives() -> None:
    """``expand`` stands for the public networks' bilinear interpolation from one bin."""
    aspp, x = ASPPModule(3, 2).eval(), torch.randn(2, 3, 6, 7)
    pooled = aspp.conv1(x)
    public = F.interpolate(pooled, size=(6, 7), mode="bilinear", align_corners=True)
    torch.testing.assert_close(pooled.expand(-1, -1, 6, -1), public, atol=0, rtol=0)


def keys(module: nn.Module) -> set[str]:
    return set(module.state_dict())


def test_variants_leave_the_default_state_dict_untouched() -> None:
    default = CascadedNet(64, 4, 8)
    other = Variant(activ=nn.ELU, encoder_activ=nn.SiLU, dropout=0.5)
    assert keys(CascadedNet(64, 4, 8, variant=other)) == keys(default)
    assert keys(Decoder(6, 5, dropout=0.5)) == keys(Decoder(6, 5))
    assert keys(CascadedNet(64, 4, 8, variant=Variant(skip_attention=True))) > keys(default)
    assert "stg1_high_band_net.lstm_dec2.lstm.weight_ih_l0" in keys(default)


VARIANTS = [
    Variant(activ=nn.ELU),
    Variant(activ=functools.partial(nn.LeakyReLU, 0.2)),
    Variant(activ=nn.PReLU),
    Variant(dilations=(1, 2)),
    Variant(dilations=(2, 4, 6, 8, (10, 5))),
    Variant(dropout=0.0),
    Variant(sequencer="gru"),
    Variant(sequencer="attention"),
    Variant(skip_attention=True),
    Variant(sequencer="attention", skip_attention=True, dilations=(3,)),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_trains(variant: Variant) -> None:
    net = CascadedNet(64, 4, 8, variant=variant).train()
    mask, aux = net(torch.rand(2, 2, 33, 32))
    assert mask.shape == aux.shape == (2, 2, 33, 32)
    (mask.mean() + aux.mean()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_dropout_is_a_probability() -> None:
    assert Decoder(4, 4).dropout is None
    assert Decoder(4, 4, dropout=0.0).dropout is None
    public, own = Decoder(4, 4, dropout=True).dropout, ASPPModule(4, 4, dropout=0.3).dropout
    assert public is not None and public.p == 0.1
    assert own is not None and own.p == 0.3
    with pytest.raises(ValueError, match="probability"):
        Decoder(4, 4, dropout=1.5)


def test_activation_is_a_factory() -> None:
    with pytest.raises(TypeError, match="factory"):
        Conv2DBNActiv(2, 2, activ=nn.ReLU())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"nn\.Module"):
        Conv2DBNActiv(2, 2, activ=dict)  # type: ignore[arg-type]
    encoder = Encoder(2, 2, activ=nn.ReLU)
    assert encoder.conv1.conv[2] is not encoder.conv2.conv[2]


def test_second_convolutions_and_strides() -> None:
    assert Encoder(2, 3, stride=2, second_stride=2)(torch.rand(1, 2, 16, 16)).shape == (1, 3, 4, 4)
    assert Decoder(3, 2, second_conv=True)(torch.rand(1, 3, 4, 4)).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Conv2DBNActiv(3, 2)(torch.rand(1, 4, 8, 8)), r"\(N, 3, bins, frames\), got \(1, 4, 8, 8\)"),
        (lambda: Encoder(3, 2)(torch.rand(3, 8, 8)), r"\(N, 3, bins, frames\), got \(3, 8, 8\)"),
        (lambda: ASPPModule(3, 2)(torch.rand(1, 2, 8, 8)), r"ASPPModule expects \(N, 3"),
        (
            lambda: Decoder(4, 2)(torch.rand(1, 2, 4, 4), torch.rand(1, 3, 8, 8)),
            r"skip connection \(N, 2, 8, at",
        ),
        (lambda: Decoder(4, 2)(torch.rand(1, 2, 4, 4), torch.rand(1, 2, 8, 7)), r"at least 8\).*got \(1, 2, 8, 7\)"),
        (lambda: Decoder(4, 2)(torch.rand(2, 4, 4)), r"Decoder expects \(N, C"),
        (lambda: LSTMModule(2, 16, 8)(torch.rand(1, 2, 15, 4)), r"\(N, 2, 16, frames\), got \(1, 2, 15, 4\)"),
        (lambda: LSTMModule(2, 16, 7), "must be even"),
        (lambda: LSTMModule(2, 16, 8, sequencer="rnn"), "lstm, gru or attention"),  # type: ignore[arg-type]
        (lambda: BaseNet(2, 4, 16, 8)(torch.rand(1, 2, 32, 40)), "multiples of 16"),
        (lambda: CascadedNet(64, 4, 8)(torch.rand(1, 2, 31, 16)), "at least 32 bins"),
        (lambda: CascadedNet(64, 4, 8)(torch.rand(1, 1, 33, 16)), r"\(N, 2,"),
        (lambda: CascadedNet(64, 4, 8)(torch.rand(1, 2, 33, 20)), "multiple of 16"),
        (lambda: CascadedNet(64, 4, 8).predict_mask(torch.rand(1, 2, 33, 128)), "more than 128 frames"),
        (lambda: CascadedNet(100, 4, 8), "n_fft must be a multiple of 64"),
        (lambda: CascadedNet(64, 6, 8), "multiples of 4"),
        (lambda: crop_center(torch.rand(1, 3), torch.rand(1, 4)), "cannot crop 3 frames to 4"),
    ],
)
def test_wrong_shapes_say_what_was_expected(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@settings(max_examples=50, deadline=None)
@given(wide=st.integers(1, 40), narrow=st.integers(1, 40))
def test_crop_center(wide: int, narrow: int) -> None:
    wide, narrow = max(wide, narrow), min(wide, narrow)
    x = torch.arange(wide).float().expand(2, 3, wide)
    cropped = crop_center(x, torch.empty(2, 3, narrow))
    before, after = cropped[0, 0, 0].item(), wide - 1 - cropped[0, 0, -1].item()
    assert cropped.shape[-1] == narrow
    assert 0 <= after - before <= 1


@settings(max_examples=10, deadline=None)
@given(bins=st.integers(32, 40), frames=st.sampled_from([16, 32, 48]), batch=st.integers(1, 2))
@torch.no_grad()
def test_masks_are_masks(bins: int, frames: int, batch: int) -> None:
    net = CascadedNet(64, 4, 8).eval()
    mask = net(torch.rand(batch, 2, bins, frames) * 100)
    assert mask.shape == (batch, 2, 33, frames)
    assert mask.min() >= 0
    assert mask.max() <= 1
    torch.testing.assert_close(mask[:, :, 32], mask[:, :, 31])


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_forward_hooks_and_tracing_work() -> None:
    """What overriding ``__call__`` breaks in the public code."""
    net, seen = CascadedNet(64, 4, 8).eval(), []
    net.stg3_full_band_net.enc1.register_forward_hook(lambda *_: seen.append(1))
    x = torch.rand(1, 2, 33, 16)
    traced = torch.jit.trace(net, x)
    assert seen
    torch.testing.assert_close(traced(x), net(x), atol=1e-6, rtol=0)
