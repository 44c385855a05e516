"""sherpa-onnx as the second engine: its real runtime, with a network of NeMo's kind that always says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_preprocessing.transcription import load_transcriber, transcriber_fingerprint
from video_preprocessing.transcription.sherpa_engine import words_of
from yuki_builder.errors import CheckpointError, MissingExtraError

TOKENS = ["▁we", "▁sa", "il", "▁at", "▁dawn", ".", "<blk>"]
SAYS = [0, 0, 6, 1, 2, 6, 3, 6, 4, 5, 6, 6]  # a token a frame of 80 ms


def nemo_model(folder: Path) -> Path:
    """A CTC network: any sound gives the same twelve frames."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("sherpa_onnx")
    folder.mkdir()
    says = np.full((1, len(SAYS), len(TOKENS)), -9.0, np.float32)
    says[0, np.arange(len(SAYS)), SAYS] = -0.01
    h, t = onnx.helper, onnx.TensorProto
    zero = onnx.numpy_helper.from_array(np.zeros((1,), np.float32), "zero")
    graph = h.make_graph(
        [
            h.make_node("ReduceMean", ["audio_signal"], ["mean"], keepdims=1),
            h.make_node("Mul", ["mean", "zero"], ["nothing"]),
            h.make_node("Add", ["nothing", "says"], ["logprobs"]),
        ],
        "always-the-same",
        [
            h.make_tensor_value_info("audio_signal", t.FLOAT, [1, 80, "frames"]),
            h.make_tensor_value_info("length", t.INT64, [1]),
        ],
        [h.make_tensor_value_info("logprobs", t.FLOAT, [1, len(SAYS), len(TOKENS)])],
        [zero, onnx.numpy_helper.from_array(says, "says")],
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    facts: dict[str, int | str] = {
        "vocab_size": len(TOKENS) - 1,
        "subsampling_factor": 8,
        "normalize_type": "per_feature",
    }
    facts |= {"model_type": "EncDecCTCModelBPE"}
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=str(value))
    onnx.save(model, folder / "model.onnx")
    (folder / "tokens.txt").write_text("".join(f"{token} {k}\n" for k, token in enumerate(TOKENS)), encoding="utf-8")
    return folder


def test_a_folder_of_sherpa_is_heard(tmp_path: Path) -> None:
    transcriber = load_transcriber(str(nemo_model(tmp_path / "model")), device="cpu")
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    (segment,) = transcriber.transcribe(noise, language=None)
    assert segment.text == "we sail at dawn."
    assert [word.start_ms for word in segment.words] == [0, 240, 480, 640]
    assert all(word.end_ms <= 1000 for word in segment.words)
    assert transcriber.languages_of(noise) == {}
    transcriber.check_language("de")
    assert transcriber_fingerprint(str(tmp_path / "model")) == transcriber.fingerprint


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    folder = nemo_model(tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="not a model that sherpa-onnx can run"):
        load_transcriber(str(folder), device="cpu")


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokens.txt").write_text("a 0\n")
    (tmp_path / "model.onnx").write_bytes(b"")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="sherpa-onnx") as refused:
        load_transcriber(str(tmp_path))
    assert "yuki-builder[sherpa]" in str(refused.value)


@pytest.mark.parametrize(
    ("tokens", "starts", "words"),
    [
        (["▁we", "▁sa", "il"], [0.0, 0.3, 0.5], [(" we", 0, 300), (" sail", 300, 900)]),
        ([" we", " sa", "il"], [0.0, 0.3, 0.5], [(" we", 0, 300), (" sail", 300, 900)]),
        (["<|zh|>", "今", "天"], [0.0, 0.1, 0.3], [("今", 100, 300), ("天", 300, 700)]),
        ([], [], []),
    ],
)
def test_tokens_become_words(tokens: list[str], starts: list[float], words: list[tuple[str, int, int]]) -> None:
    found = words_of(tokens, starts, duration_ms=2000)
    assert [(word.text, word.start_ms, word.end_ms) for word in found] == words
