"""Records, tables of names, galleries and checkpoints from files that say impossible things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.uvr5.checkpoints import NetConfig, load_checkpoint, save_checkpoint
from video_preprocessing.uvr5.signal.band_plan import BandPlan
from video_preprocessing.uvr5.signal.path import SignalPath
from yuki_builder.characters import Gallery, read_aliases
from yuki_builder.errors import CheckpointError, ConfigError, GalleryError
from yuki_builder.records import Line, SpeakerEmbeddings, StageReport
from yuki_builder.untrusted import parse_json

_LINE = Line("e-1", "e", 0, 0, 1000, "你好").to_dict()


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_ms": "0"},
        {"start_ms": 0.5},
        {"start_ms": True},
        {"end_ms": 10**30},
        {"text": None},
        {"confidence": float("nan")},
        {"snr_db": float("inf")},
        {"evidence": "abc"},
        {"evidence": [3]},
        {"verdict": []},
    ],
)
def test_a_record_is_of_the_types_that_it_says(wrong: Mapping[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Line.from_dict({**_LINE, **wrong})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(StageReport("a", 1.0).to_dict())), _json)
def test_any_json_is_a_record_or_an_error_that_callers_expect(field: str, value: Any) -> None:
    try:
        report = StageReport.from_dict({**StageReport("a", 1.0).to_dict(), field: value})
    except (TypeError, ValueError, KeyError):
        return
    json.dumps(report.to_dict(), allow_nan=False)


def test_nesting_is_an_error_of_value() -> None:
    with pytest.raises(ValueError, match="deep"):
        parse_json("[" * 100_000)


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000, "a = inf", "\xff"])
def test_aliases_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError):
        read_aliases(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speech_ms", "Infinity"),
        ("speech_ms", "-1"),
        ("speech_ms", "1e300"),
        ("character", '"\\ud800"'),
        ("key", '"\\udfff"'),
    ],
)
def test_a_gallery_with_impossible_values_is_damaged(tmp_path: Path, field: str, value: str) -> None:
    vectors = np.eye(2, 4, dtype=np.float32)
    gallery = Gallery.build(SpeakerEmbeddings(("a", "b"), vectors, (1000, 1000)), {"a": "A", "b": "B"}, embedder="e")
    gallery.save(tmp_path)
    file = tmp_path / "gallery.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["clips"][0][field] = "HERE"
    file.write_text(json.dumps(content).replace('"HERE"', value), encoding="utf-8")
    with pytest.raises(GalleryError, match="damaged"):
        Gallery.load(tmp_path, embedder="e")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_a_gallery_of_impossible_vectors_is_damaged(tmp_path: Path, bad: float) -> None:
    from safetensors.numpy import save_file

    vectors = np.eye(2, 4, dtype=np.float32)
    Gallery.build(SpeakerEmbeddings(("a", "b"), vectors, (1, 1)), {"a": "A", "b": "B"}, embedder="e").save(tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    vectors[0, 0] = bad
    save_file({"embeddings": vectors}, file)
    with pytest.raises(GalleryError, match="damaged"):
        Gallery.load(tmp_path, embedder="e")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hop_ms": 0.0},
        {"hop_ms": float("nan")},
        {"hop_ms": 60.0},
        {"window_ms": 0.0},
        {"window_ms": 1e9},
        {"band_hz": 0},
        {"band_hz": 10**9},
        {"input_power": -5.0},
        {"input_power": float("inf")},
    ],
)
def test_a_signal_path_is_possible(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"window|hop|band|power"):
        SignalPath(**wrong)


@pytest.mark.parametrize("header", ['{"hop_ms": 0}', '{"input_power": -5}', '{"band_hz": 1e99}', "3", "[" * 9000])
def test_a_checkpoint_with_an_impossible_header_is_refused(tmp_path: Path, header: str) -> None:
    from safetensors.torch import save_file

    text = f'{{"format": "yuki-uvr5/1", "nout": 4, "nout_lstm": 4, "path": {header}}}'
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"yuki": text})
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    config = NetConfig(4, 4)
    state = config.build().state_dict()
    state["out.weight"].view(-1)[0] = bad
    save_checkpoint(tmp_path / "a.safetensors", config, state)
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_huge_weights_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    config = NetConfig(4, 4)
    state = config.build().state_dict()
    state["out.weight"].view(-1)[0] = 1e38
    header = json.dumps({"format": "yuki-uvr5/1", **config.to_dict()})
    save_file(state, tmp_path / "a.safetensors", metadata={"yuki": header})
    with pytest.raises(CheckpointError, match="too large"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("text", ["[" * 20_000, '{"band": ' * 5000, "{" + " " * (2 << 20) + "}"])
def test_a_deep_or_endless_band_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match="band plan"):
        BandPlan.from_file(tmp_path / "a.json")


def test_weights_that_overflow_at_work_are_refused_there(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from video_preprocessing.uvr5.separator import Separator

    config = NetConfig(4, 4)
    state = {
        key: value * 1e9 if value.is_floating_point() else value for key, value in config.build().state_dict().items()
    }
    save_file(
        state, tmp_path / "a.safetensors", metadata={"yuki": json.dumps({"format": "yuki-uvr5/1", **config.to_dict()})}
    )
    separator = Separator.load(str(tmp_path / "a.safetensors"), device="cpu")
    noise = np.random.default_rng(0).standard_normal((2, 16_000)).astype(np.float32)
    try:
        stems = separator.separate(noise, 16_000)
    except CheckpointError as e:
        assert "not finite" in str(e)
    else:
        assert np.isfinite(stems.vocals).all()
