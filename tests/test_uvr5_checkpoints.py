"""Checkpoints by name or file: read without running anything, recognised, and rebuilt exactly."""

from __future__ import annotations

import collections
import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_server import ModelServer, model_of, serve, use_fresh_cache
from safetensors.torch import save_file
from uvr5_golden import load, seeded_state

from video_preprocessing.uvr5.checkpoints import (
    NetConfig,
    find_checkpoint,
    is_mdx,
    load_checkpoint,
    parse_chain,
    registry,
    save_checkpoint,
)
from video_preprocessing.uvr5.checkpoints.registry import KnownModel
from video_preprocessing.uvr5.checkpoints.state_dicts import NetSizes, net_sizes
from video_preprocessing.uvr5.nets import CascadedNet
from video_preprocessing.uvr5.network.nets_v50 import CascadedASPPNet
from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan
from video_preprocessing.uvr5.signal.path import SignalPath
from yuki_builder.errors import CheckpointError, ConfigError

ROOT = Path(__file__).parents[1]
State = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return use_fresh_cache(monkeypatch, tmp_path / "models")


@pytest.fixture(scope="module")
def golden_v51() -> dict[str, Any]:
    return load("cascadednet")


@pytest.fixture(scope="module")
def small_v51() -> State:
    """A narrow v5.1 network of 672 bins, as the public de-echo models have."""
    torch.manual_seed(0)
    return dict(CascadedNet(1344, 4, 8).state_dict())


@pytest.fixture(scope="module")
def small_v50() -> State:
    """The narrowest public v5.0 family."""
    golden = load("cascadedaspp_nets")
    return seeded_state(golden["shapes"], golden["seed"])


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[KnownModel], None]]:
    """Adds to the registry, for the test."""
    models, unnamed = registry._registry()

    def add(model: KnownModel) -> None:
        monkeypatch.setattr(registry, "_registry", lambda: ((model, *models), unnamed))
        registry._by_name.cache_clear()

    yield add
    registry._by_name.cache_clear()


def one_band(path: Path, bins: int) -> Path:
    """A parameter file as public tools have them, for a network of so many bins."""
    band = {"sr": 44100, "hl": bins // 2, "n_fft": 2 * bins, "crop_start": 0, "crop_stop": bins, "hpf_start": -1}
    plan = {"bins": bins, "unstable_bins": 0, "reduction_bins": 0, "band": {"1": {**band, "res_type": "sinc_best"}}}
    path.write_text(json.dumps({**plan, "sr": 44100, "pre_filter_start": bins - 1, "pre_filter_stop": bins}))
    return path


def refused(name_or_path: str | Path, **options: Any) -> str:
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(name_or_path, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- reading ---------------------------------------------------------------------------------------------


def plain(state: State, path: Path) -> None:
    torch.save(state, path)


def ordered(state: State, path: Path) -> None:
    torch.save(collections.OrderedDict(state), path)


def nested(state: State, path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1, "state": {}}}, path)


def under_any_key(state: State, path: Path) -> None:
    torch.save({"the_net": {"state_dict": state}}, path)


def data_parallel(state: State, path: Path) -> None:
    torch.save({"model": {f"module.{k}": v for k, v in state.items()}}, path)


def old_pickle(state: State, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


def safetensors(state: State, path: Path) -> None:
    save_file({k: v.contiguous() for k, v in state.items()}, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    "write", [plain, ordered, nested, under_any_key, data_parallel, old_pickle, safetensors], ids=lambda w: w.__name__
)
def test_a_public_file_gives_the_public_output(
    golden_v51: dict[str, Any], write: Callable[[State, Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "net.pth"  # whatever its name says, the content counts
    write(seeded_state(golden_v51["shapes"], golden_v51["seed"]), path)
    checkpoint = load_checkpoint(path, band_plan=one_band(tmp_path / "plan.json", 64))
    assert checkpoint.generation == "5.1"
    assert checkpoint.sizes == NetSizes("5.1", nout=8, nout_lstm=16, bins=64)
    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    net = checkpoint.build()
    assert not net.training
    assert (net.offset, net.max_bin, net.output_bin) == (64, 64, 65)
    with torch.inference_mode():
        mask = net.predict_mask(golden_v51["inputs"][0])
    torch.testing.assert_close(mask, golden_v51["output"], atol=1e-5, rtol=0)


def test_half_precision_becomes_single(small_v51: State, tmp_path: Path) -> None:
    half = {k: v.half() if v.is_floating_point() else v for k, v in small_v51.items()}
    torch.save(half, tmp_path / "half.pth")
    checkpoint = load_checkpoint(tmp_path / "half.pth")
    assert {v.dtype for v in checkpoint.state.values()} == {torch.float32, torch.int64}
    for key, value in checkpoint.build().state_dict().items():
        torch.testing.assert_close(value, small_v51[key], atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("family", ["", "_33966KB", "_61968KB", "_537238KB"])
def test_sizes_of_every_v50_family_are_read_off_the_shapes(family: str, tmp_path: Path) -> None:
    golden = load(f"cascadedaspp_nets{family}")
    sizes = net_sizes(golden["shapes"])
    assert sizes is not None
    width = golden["shapes"]["stg3_full_band_net.enc1.conv1.conv.0.weight"][0]
    assert sizes == NetSizes("5.0", nout=width, nout_lstm=None, bins=None)


def test_a_v50_file_is_rebuilt(small_v50: State, tmp_path: Path) -> None:
    torch.save(small_v50, tmp_path / "old.pth")
    checkpoint = load_checkpoint(tmp_path / "old.pth", band_plan="4band_v2")
    net = checkpoint.build()
    assert isinstance(net, CascadedASPPNet)
    assert (checkpoint.generation, net.max_bin, net.output_bin) == ("5.0", 672, 673)
    rebuilt = net.state_dict()
    assert rebuilt.keys() == small_v50.keys()
    assert all(torch.equal(rebuilt[key], value) for key, value in small_v50.items())


def test_the_projects_own_stay_what_they_were() -> None:
    checkpoint = load_checkpoint("dialogue")
    assert (checkpoint.generation, checkpoint.voice, checkpoint.stems) == ("5.1", "mask", ("vocals", "accompaniment"))
    assert isinstance(checkpoint.path, SignalPath)
    assert checkpoint.config.path == checkpoint.path
    assert isinstance(checkpoint.build(), CascadedNet)
    assert (checkpoint.model, checkpoint.assumed) == (None, ())


def test_an_own_network_may_give_the_accompaniment(tmp_path: Path) -> None:
    config = NetConfig(nout=4, nout_lstm=8, primary="accompaniment")
    save_checkpoint(tmp_path / "other.safetensors", config, config.build().state_dict())
    checkpoint = load_checkpoint(tmp_path / "other.safetensors")
    assert (checkpoint.voice, checkpoint.stems) == ("residual", ("accompaniment", "vocals"))


class Malicious:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("executed"),))


def test_nothing_is_ever_run(small_v51: State, tmp_path: Path) -> None:
    torch.save({**small_v51, "extra": Malicious()}, tmp_path / "zip.pth")
    torch.save({"state_dict": small_v51, "extra": Malicious()}, tmp_path / "nested.pth")
    torch.save({"extra": Malicious()}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Malicious()))
    (tmp_path / "protocol0.pth").write_bytes(pickle.dumps(Malicious(), protocol=0))
    for name in ("zip", "nested", "old", "bare", "protocol0"):
        message = refused(tmp_path / f"{name}.pth")
        assert "refused: not a file of tensors alone" in message or "neither a .safetensors" in message
    assert not (tmp_path / "executed").exists()


def test_what_is_no_network_is_refused(small_v51: State, tmp_path: Path) -> None:
    contents: dict[str, Any] = {
        "list": [1, 2],
        "numbers": {"a": 1},
        "empty": {},
        "tensor": torch.zeros(3),
        "integer_keys": {1: torch.zeros(3)},
        "other_network": {"layer.weight": torch.zeros(3, 3)},
        "huge": {"layer.weight": torch.zeros(1).expand(1 << 30)},
    }
    for name, content in contents.items():
        torch.save(content, tmp_path / f"{name}.pth")
    torch.save(small_v51, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "nothing.pth").touch()
    (tmp_path / "text.pth").write_text("<html>Not found</html>")
    for name in (*contents, "cut", "nothing", "text"):
        assert f"{name}.pth" in refused(tmp_path / f"{name}.pth", band_plan="4band_v3")


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_must_fit_exactly(small_v51: State, tmp_path: Path, change: str) -> None:
    state = dict(small_v51)
    key = "stg1_high_band_net.enc1.conv.0.weight"
    if change == "missing":
        del state[key]
    elif change == "extra":
        state["unheard_of"] = torch.zeros(1)
    else:
        state[key] = state[key][:-1].clone()
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="weights do not fit") as error:
        load_checkpoint(tmp_path / "net.pth").build()
    assert "\n" not in str(error.value)


def test_hostile_shapes_cost_no_memory(small_v51: State, tmp_path: Path) -> None:
    """The width that one tensor claims is compared with the others before a network of it is made."""
    torch.save({**small_v51, "out.weight": torch.zeros(2, 100_000, 1, 1)}, tmp_path / "wide.pth")
    with pytest.raises(CheckpointError, match="weights do not fit"):
        load_checkpoint(tmp_path / "wide.pth").build()


# --- band plans ------------------------------------------------------------------------------------------


def test_the_plan_is_the_users_first(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    assert load_checkpoint(tmp_path / "net.pth", band_plan="4band_v2").path == band_plan("4band_v2")
    own = load_checkpoint(tmp_path / "net.pth", band_plan=one_band(tmp_path / "mine.json", 672)).path
    assert isinstance(own, BandPlan)
    assert (own.name, own.bins) == (str(tmp_path / "mine.json"), 672)


def test_the_plan_by_hash(small_v51: State, tmp_path: Path, publish: Callable[[KnownModel], None]) -> None:
    path = tmp_path / "any name.pth"
    torch.save(small_v51, path)
    content = path.read_bytes()
    publish(model_of(content, band_plan="4band_v2", mask_gives="dry", residual_is="echo"))
    checkpoint = load_checkpoint(path)
    assert checkpoint.path == band_plan("4band_v2")
    assert checkpoint.model is not None
    assert (checkpoint.model.name, checkpoint.stems, checkpoint.voice) == ("Test", ("dry", "echo"), "mask")
    assert checkpoint.assumed == ()
    md5 = hashlib.md5(content).hexdigest()
    publish(model_of(b"", sha256=None, uvr_md5=md5, band_plan="4band_v2_sn"))
    assert load_checkpoint(path).path == band_plan("4band_v2_sn")


def test_the_plan_by_name_when_the_hash_is_unknown(small_v50: State, tmp_path: Path) -> None:
    """A re-saved file has another hash, and is as good."""
    torch.save(small_v50, tmp_path / "5_HP-Karaoke-UVR.pth")
    checkpoint = load_checkpoint(tmp_path / "5_HP-Karaoke-UVR.pth")
    assert checkpoint.path == band_plan("4band_v2_sn")
    assert (checkpoint.voice, checkpoint.stems[1]) == ("residual", "lead vocals")
    assert any("its hash is not the published one" in sentence for sentence in checkpoint.assumed)


def test_the_plan_by_the_number_of_bins(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    checkpoint = load_checkpoint(tmp_path / "net.pth")
    assert checkpoint.path == band_plan("4band_v3")
    assert "band plan 4band_v3" in checkpoint.assumed[0]
    torch.save(CascadedNet(2 * 896, 4, 8).state_dict(), tmp_path / "fullband.pth")
    assert load_checkpoint(tmp_path / "fullband.pth").path == band_plan("4band_v4_ms_fullband")


def test_where_nothing_tells_the_plan_the_candidates_are_named(small_v50: State, tmp_path: Path) -> None:
    torch.save(small_v50, tmp_path / "mine.pth")
    message = refused(tmp_path / "mine.pth")
    assert "its band plan is not known" in message
    assert message.index("4band_44100,") < message.index("2band_32000")  # the most used first
    assert "ensemble" not in message
    torch.save(CascadedNet(2 * 768, 4, 8).state_dict(), tmp_path / "net.pth")
    message = refused(tmp_path / "net.pth")
    assert "4band_44100" in message
    assert "4band_v3" not in message
    torch.save(CascadedNet(2 * 64, 4, 8).state_dict(), tmp_path / "odd.pth")
    assert "no plan has its 64 bins" in refused(tmp_path / "odd.pth")


def test_a_plan_that_does_not_fit_is_refused(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    message = refused(tmp_path / "net.pth", band_plan="4band_44100")
    assert "has 768 bins, the network wants 672" in message
    assert "4band_v3" in message
    assert "unknown band plan '5band'" in refused(tmp_path / "net.pth", band_plan="5band")
    (tmp_path / "broken.json").write_text('{"bins": 672')
    assert "not readable as a band plan" in refused(tmp_path / "net.pth", band_plan=tmp_path / "broken.json")
    (tmp_path / "list.json").write_text("[]")
    assert "not a band plan" in refused(tmp_path / "net.pth", band_plan=tmp_path / "list.json")


# --- the voice -------------------------------------------------------------------------------------------


def test_the_user_says_where_the_voice_is(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    checkpoint = load_checkpoint(tmp_path / "net.pth")
    assert (checkpoint.voice, checkpoint.stems) == ("residual", ("accompaniment", "vocals"))
    assert "the voice is in the residual" in checkpoint.assumed[-1]
    checkpoint = load_checkpoint(tmp_path / "net.pth", voice="mask")
    assert (checkpoint.voice, checkpoint.stems) == ("mask", ("vocals", "accompaniment"))
    assert not any("voice" in sentence for sentence in checkpoint.assumed)


@pytest.mark.parametrize(
    ("name", "voice", "kept"),
    [
        ("my-deecho-v2", "mask", "dry"),
        ("DeReverb_mine", "mask", "dry"),
        ("de-noise-mine", "residual", "denoised"),
        ("laundry", "residual", "vocals"),
        ("UVR-De-Echo-Normal", "mask", "dry"),
        ("UVR-DeNoise", "residual", "denoised"),
    ],
)
def test_the_voice_by_name(small_v51: State, tmp_path: Path, name: str, voice: str, kept: str) -> None:
    torch.save(small_v51, tmp_path / f"{name}.pth")
    checkpoint = load_checkpoint(tmp_path / f"{name}.pth")
    assert checkpoint.voice == voice
    assert checkpoint.stems[0 if voice == "mask" else 1] == kept


# --- names and downloads ---------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve() as server:
        yield server


def test_a_name_is_downloaded_and_loaded(
    small_v51: State, server: ModelServer, cache: Path, publish: Callable[[KnownModel], None]
) -> None:
    torch.save(small_v51, "source.pth")
    content = Path("source.pth").read_bytes()
    server.files["/test.pth"] = content
    publish(model_of(content, f"{server.url}/test.pth", name="Test-Model", band_plan="4band_v3"))
    with pytest.raises(CheckpointError, match="not downloaded yet"):
        find_checkpoint("Test-Model", download=False)
    seen: list[float] = []
    checkpoint = load_checkpoint("test-model", progress=lambda done, total: seen.append(done))
    assert seen[-1] == len(content)
    assert (checkpoint.name, checkpoint.path) == ("test-model", band_plan("4band_v3"))
    assert find_checkpoint("Test-Model", download=False) == cache / "test.pth"
    server.status = 500
    assert load_checkpoint("Test-Model").sha256 == checkpoint.sha256


def test_without_a_network_one_line_says_where_to_put_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    message = refused("HP5")
    assert message.startswith("HP5: cannot be downloaded (127.0.0.1:9: ")
    assert message.endswith(f"put it at {cache / 'HP5_only_main_vocal.pth'}")


def test_files_come_before_names_and_paths_are_no_names(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, "HP2_all_vocals.pth")
    assert find_checkpoint("HP2_all_vocals.pth") == Path("HP2_all_vocals.pth")
    with pytest.raises(CheckpointError, match="no such separator"):
        find_checkpoint("./HP5.pth")
    with pytest.raises(CheckpointError, match="Did you mean dialogue"):
        find_checkpoint("dialoge")
    with pytest.raises(CheckpointError, match="no such separator"):
        find_checkpoint(tmp_path)


def test_finding_needs_no_torch(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    code = (
        "import sys; from video_preprocessing.uvr5.checkpoints import find_checkpoint, parse_chain\n"
        "print([str(find_checkpoint(model)) for model in parse_chain(sys.argv[1])], 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"dialogue+{tmp_path / 'net.pth'}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith("net.pth'] False")


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("dialogue", ["dialogue"]),
        ("none", ["none"]),
        ("HP5+DeEcho-Normal", ["HP5", "DeEcho-Normal"]),
        (" HP5 + onnx_dereverb_By_FoxJoy + ./a.pth ", ["HP5", "onnx_dereverb_By_FoxJoy", "./a.pth"]),
        ("HP5-主旋律人声vocals+其他instrumentals+DeNoise", ["HP5-主旋律人声vocals+其他instrumentals", "DeNoise"]),
        ("a+b.pth+HP2+a+b.pth", ["a+b.pth", "HP2", "a+b.pth"]),
        ("unheard+of", ["unheard", "of"]),
    ],
)
def test_chains(text: str, models: list[str]) -> None:
    Path("a+b.pth").touch()
    assert parse_chain(text) == models


@pytest.mark.parametrize("text", ["", "+", "HP5+", "+HP5", "HP5++HP2", "HP5+none", "none+none"])
def test_broken_chains(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a chain of separators"):
        parse_chain(text)


def test_mdx_nets_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"onnx")
    (tmp_path / "HP5").write_bytes(b"a file that is called like a model")
    assert is_mdx("MDX-DeReverb")
    assert is_mdx(tmp_path / "net.onnx")
    assert not is_mdx("HP5")
    assert not is_mdx("dialogue")
    assert "an MDX-Net" in refused(tmp_path / "net.onnx")


def test_networks_of_one_checkpoint_give_the_same(small_v51: State, tmp_path: Path) -> None:
    torch.save(small_v51, tmp_path / "net.pth")
    checkpoint = load_checkpoint(tmp_path / "net.pth")
    x = torch.from_numpy(np.random.default_rng(0).random((1, 2, 673, 144), dtype=np.float32))
    with torch.inference_mode():
        first, second = (checkpoint.build().predict_mask(x) for _ in range(2))
        reference = CascadedNet(1344, 4, 8)
        reference.load_state_dict(small_v51)
        expected = reference.eval().predict_mask(x)
    torch.testing.assert_close(first, second, atol=0, rtol=0)
    torch.testing.assert_close(first, expected, atol=1e-6, rtol=0)
