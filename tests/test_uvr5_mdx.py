"""MDX-Net models, run by the real ONNX Runtime on small networks made here."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from video_preprocessing.uvr5.checkpoints.registry import MdxSizes, find_model
from video_preprocessing.uvr5.engine.mdx import MdxNet, _Stft
from yuki_builder.errors import CheckpointError, ConfigError, MissingExtraError
from yuki_builder.records import FloatArray

# All bins, so that nothing is lost: what the network passes must come out as it went in.
SIZES = MdxSizes(n_fft=256, dim_f=129, dim_t=32, hop=64)
CORE = 64 * 31 - 256
RATE_HZ = SIZES.sample_rate_hz


def save_net(
    path: Path, *, gain: float = 1.0, even: float = 0.0, shape: tuple[object, ...] = ("batch", 4, 129, 32)
) -> Path:
    """An ONNX network that gives its input times ``gain`` plus its magnitude times ``even``."""
    nodes = [
        helper.make_node("Mul", ["input", "gain"], ["odd"]),
        helper.make_node("Abs", ["input"], ["magnitude"]),
        helper.make_node("Mul", ["magnitude", "share"], ["even"]),
        helper.make_node("Add", ["odd", "even"], ["o"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("gain", gain), ("share", even))
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name in ("input", "o")]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_net(tmp_path_factory.mktemp("mdx") / "identity.onnx")


def noise(samples: int, seed: int = 0) -> FloatArray:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, samples))).astype(np.float32)


def run(net: MdxNet, x: FloatArray, rate_hz: int = RATE_HZ, *, cuts: tuple[int, ...] = ()) -> FloatArray:
    blocks = [x[:, a:b] for a, b in itertools.pairwise([0, *sorted(cuts), x.shape[1]])]
    return np.concatenate([np.zeros((2, 0), np.float32), *net.stream(blocks, rate_hz)], axis=1)


def test_the_stft_is_torchs() -> None:
    x = noise(64 * 31)
    window = torch.hann_window(256)
    reference = torch.stft(torch.from_numpy(x), 256, 64, window=window, center=True, return_complex=True)
    planes = torch.view_as_real(reference).permute(0, 3, 1, 2).reshape(4, 129, 32).numpy()
    stft = _Stft(SIZES)
    np.testing.assert_allclose(stft.forward(x), planes, atol=1e-5)
    changed = planes * np.random.default_rng(1).random(planes.shape).astype(np.float32)
    parts = torch.from_numpy(changed).reshape(2, 2, 129, 32).permute(0, 2, 3, 1).contiguous()
    back = torch.istft(torch.view_as_complex(parts), 256, 64, window=window, center=True).numpy()
    np.testing.assert_allclose(stft.backward(changed), back, atol=1e-5)


@settings(max_examples=25)
@given(
    samples=st.one_of(st.integers(0, 12_000), st.sampled_from([CORE - 1, CORE, CORE + 1, 3 * CORE])),
    cuts=st.lists(st.integers(0, 12_000), max_size=4),
    crossfade=st.sampled_from([0.0, 0.25, 0.5]),
    denoise=st.booleans(),
)
def test_an_identity_gives_the_input_back(
    identity: Path, samples: int, cuts: list[int], crossfade: float, denoise: bool
) -> None:
    net = MdxNet(identity, SIZES, keep="mask", crossfade=crossfade, denoise=denoise, device="cpu")
    x = noise(samples)
    y = run(net, x, cuts=tuple(min(c, samples) for c in cuts))
    assert y.shape == x.shape
    np.testing.assert_allclose(y, x, atol=1e-6)


def test_the_rest_is_the_mixture_minus_the_compensated_output(tmp_path: Path) -> None:
    sizes = MdxSizes(n_fft=256, dim_f=129, dim_t=32, hop=64, compensation=1.25)
    half = save_net(tmp_path / "half.onnx", gain=0.5)
    x = noise(9000)
    kept = run(MdxNet(half, sizes, keep="residual", device="cpu"), x)
    np.testing.assert_allclose(kept, x * (1 - 0.5 * 1.25), atol=1e-6)
    kept = run(MdxNet(half, sizes, keep="mask", device="cpu"), x)
    np.testing.assert_allclose(kept, x * 0.5 * 1.25, atol=1e-6)


def test_both_stems_add_up(tmp_path: Path) -> None:
    net = MdxNet(save_net(tmp_path / "net.onnx", gain=0.3), SIZES, device="cpu")
    x = noise(7000)
    both = np.concatenate(list(net.stream([x], RATE_HZ, both=True)), axis=1)
    np.testing.assert_allclose(both[:2], run(net, x))
    np.testing.assert_allclose(both[:2] + both[2:], x, atol=1e-6)


def test_denoising_cancels_what_the_network_adds_by_itself(tmp_path: Path) -> None:
    humming = save_net(tmp_path / "humming.onnx", even=0.5)
    x = noise(6000)
    np.testing.assert_allclose(run(MdxNet(humming, SIZES, keep="mask", device="cpu"), x), x, atol=1e-5)
    plain = run(MdxNet(humming, SIZES, keep="mask", denoise=False, device="cpu"), x)
    assert np.abs(plain - x).max() > 0.01


def test_bins_that_the_network_does_not_see_stay_in_the_rest(tmp_path: Path) -> None:
    path = save_net(tmp_path / "low.onnx", shape=("batch", 4, 64, 32))
    sizes = MdxSizes(n_fft=256, dim_f=64, dim_t=32, hop=64)
    t = np.arange(30_000) / RATE_HZ
    low, high = (np.stack([np.sin(2 * np.pi * f * t)] * 2).astype(np.float32) for f in (2000, 16_000))
    net = MdxNet(path, sizes, device="cpu")
    inner = slice(2000, 28_000)
    assert np.abs(run(net, low)[:, inner]).max() < 1e-3
    np.testing.assert_allclose(run(net, high)[:, inner], high[:, inner], atol=1e-3)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_other_rates_are_resampled_for_the_network_only(identity: Path, rate_hz: int) -> None:
    x = noise(rate_hz * 2)
    x = np.ascontiguousarray(soxr.resample(soxr.resample(x.T, rate_hz, 12_000), 12_000, rate_hz).T[:, : x.shape[1]])
    net = MdxNet(identity, SIZES, keep="mask", device="cpu")
    y = run(net, x, rate_hz, cuts=(1000, 1001))
    assert y.shape == x.shape
    inner = slice(500, -500)
    assert np.abs(y - x)[:, inner].max() < 2e-3 * np.abs(x).max()


@pytest.mark.parametrize("crossfade", [0.0, 0.3])
def test_a_stream_may_begin_at_its_alignment(tmp_path: Path, crossfade: float) -> None:
    net = MdxNet(save_net(tmp_path / "half.onnx", gain=0.5), SIZES, crossfade=crossfade, device="cpu")
    x = noise(20_000)
    begin = 2 * net.alignment_samples(RATE_HZ)
    settled = net.warm_up_samples(RATE_HZ)
    whole, later = run(net, x), run(net, x[:, begin:])
    np.testing.assert_allclose(later[:, settled:], whole[:, begin + settled :], atol=1e-6)
    assert (net.alignment_samples(48_000) * RATE_HZ) % (48_000 * net.alignment_samples(RATE_HZ)) == 0


def test_memory_holds_a_window_whatever_the_length(identity: Path) -> None:
    net = MdxNet(identity, SIZES, device="cpu")
    given_out = 0
    for fed, piece in enumerate(net.stream((noise(500, k) for k in itertools.count()), RATE_HZ)):
        given_out += piece.shape[1]
        if fed == 20:
            break
    assert given_out == 21 * CORE


def test_fingerprint_is_of_the_file_and_the_settings(identity: Path, tmp_path: Path) -> None:
    other = save_net(tmp_path / "other.onnx", gain=2.0)
    nets = [
        MdxNet(identity, SIZES, device="cpu"),
        MdxNet(identity, SIZES, device="cpu"),
        MdxNet(identity, SIZES, device="cpu", denoise=False),
        MdxNet(identity, SIZES, device="cpu", keep="mask"),
        MdxNet(other, SIZES, device="cpu"),
    ]
    assert len({net.fingerprint for net in nets}) == 4


def test_sizes_are_read_off_the_input(identity: Path, tmp_path: Path) -> None:
    fixed = save_net(tmp_path / "fixed.onnx", shape=(1, 4, 2048, 64))
    assert MdxNet.load(fixed, device="cpu").sizes == MdxSizes(n_fft=4096, dim_f=2048, dim_t=64, hop=1024)


def test_the_public_dereverb_is_known() -> None:
    model = find_model("onnx_dereverb_By_FoxJoy")
    assert model is not None
    assert model.mdx == MdxSizes(n_fft=6144, dim_f=3072, dim_t=512, hop=1024, compensation=1.035)
    assert (model.mask_gives, model.kept) == ("reverb", "dry")


def test_a_known_name_brings_sizes_and_the_kept_stem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public file itself is not here; a network of its shape stands in its place in the cache."""
    monkeypatch.setenv("YUKI_MODELS", str(tmp_path))
    save_net(tmp_path / "Reverb_HQ_By_FoxJoy.onnx", gain=1 / 1.035, shape=("batch", 4, 3072, 512))
    net = MdxNet.load("MDX-DeReverb", device="cpu")
    assert net.stems == ("dry", "reverb")
    t = np.arange(600_000) / RATE_HZ
    x = np.stack([np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 3000 * t)]).astype(np.float32)
    assert np.abs(run(net, x)).max() < 1e-3  # all of it is taken for reverb and taken away
    assert MdxNet.load("MDX-DeReverb", keep="mask", device="cpu").stems == ("reverb", "dry")


@pytest.mark.parametrize(
    ("shape", "sizes", "message"),
    [
        (("batch", 2, 129, 32), SIZES, "not an MDX-Net"),
        (("batch", 4, 128, 32), SIZES, "takes 128 bins and 32 frames"),
        (("batch", 4, "f", "t"), None, "does not state its sizes"),
        (("batch", 4, 129, 4), MdxSizes(n_fft=256, dim_f=129, dim_t=4, hop=64), "leave nothing between"),
        (("batch", 4, 200, 32), MdxSizes(n_fft=256, dim_f=200, dim_t=32, hop=64), "200 bins do not come from"),
    ],
)
def test_other_networks_are_refused(
    tmp_path: Path, shape: tuple[object, ...], sizes: MdxSizes | None, message: str
) -> None:
    path = save_net(tmp_path / "net.onnx", shape=shape)
    with pytest.raises(CheckpointError, match=message):
        MdxNet(path, sizes, device="cpu")


def test_what_is_no_onnx_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("I am no network")
    with pytest.raises(CheckpointError, match="not an ONNX model") as error:
        MdxNet.load(path)
    assert "\n" not in str(error.value)


def test_bad_settings(identity: Path) -> None:
    with pytest.raises(ConfigError, match="device"):
        MdxNet(identity, SIZES, device="tpu")
    with pytest.raises(ConfigError, match="crossfade"):
        MdxNet(identity, SIZES, crossfade=0.7)


def test_without_onnx_runtime_the_extra_is_named(identity: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"yuki-builder\[mdx\]"):
        MdxNet(identity, SIZES)
