"""Whisper by faster-whisper: the real model on the real conversation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from speech_files import sample_path
from whisper_model import whisper_base

from video_preprocessing.transcription import Transcriber, load_transcriber, transcribe_turns, transcriber_fingerprint
from video_preprocessing.transcription.transcribers import choose_transcriber
from yuki_builder.errors import CheckpointError, ConfigError, InputError, MissingExtraError
from yuki_builder.records import Span

SPEECH = [Span(6700, 30_000)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper_base(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def transcriber(model: Path) -> Transcriber:
    return load_transcriber(str(model), device="cpu")


def test_the_conversation_is_heard_where_it_is(transcriber: Transcriber, tmp_path: Path) -> None:
    turns = [Span(6690, 7120), Span(7550, 9810), Span(10_570, 14_700), Span(14_490, 17_920), Span(18_050, 21_490)]
    done: list[tuple[float, float | None]] = []
    found = transcribe_turns(
        sample_path(), turns, SPEECH, transcriber, unfinished=tmp_path, progress=lambda a, b: done.append((a, b))
    )
    assert found.language == "en"
    assert (found.certainty or 0) > 0.9
    text = " ".join(segment.text for segment in found.segments).casefold()
    assert "diane" in text and "jersey" in text
    words = [word for segment in found.segments for word in segment.words]
    # Voice within half a second of a turn is heard with it, and its last word's end is not exact.
    assert all(6000 <= word.start_ms <= word.end_ms <= 22_100 for word in words)
    assert all(word.confidence is not None for word in words)
    assert done[-1][0] == done[-1][1]
    # What an interrupted run had done is not heard again, and half a row at its end does no harm.
    kept = tmp_path / "heard.jsonl"
    kept.write_text(kept.read_text() + '\n{"window": 0, "segm')
    again = transcribe_turns(sample_path(), turns, SPEECH, transcriber, unfinished=tmp_path)
    assert again.segments == found.segments
    assert again.resumed_ms > 0
    assert again.language == "en"


def test_silence_gives_nothing(transcriber: Transcriber, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.flac", np.zeros(16_000 * 5), 16_000)
    found = transcribe_turns(tmp_path / "silence.flac", [], [], transcriber)
    assert (found.segments, found.language) == ((), None)


def test_a_language_that_the_model_does_not_know_is_refused(transcriber: Transcriber) -> None:
    with pytest.raises(ConfigError, match="does not know") as refused:
        transcribe_turns(sample_path(), [Span(7000, 9000)], SPEECH, transcriber, language="tlh")
    assert "--language tlh" in str(refused.value)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="without a speech recognition model"):
        load_transcriber(str(tmp_path))
    with pytest.raises(ConfigError, match="no such folder"):
        load_transcriber(str(tmp_path / "missing" / "model"))
    with pytest.raises(ConfigError, match="unknown transcriber"):
        load_transcriber("smal")


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"no model at all" * 10)
    with pytest.raises(CheckpointError, match="not a Whisper model"):
        load_transcriber(str(tmp_path), device="cpu")


def test_a_model_that_cannot_be_downloaded_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="cannot be downloaded") as refused:
        load_transcriber("nobody/no-such-model", device="cpu")
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match="not on this machine"):
        load_transcriber("nobody/no-such-model", device="cpu", download=False)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video_preprocessing.transcription.whisper_engine.is_installed", lambda: False)
    with pytest.raises(MissingExtraError, match="faster-whisper") as refused:
        load_transcriber("base")
    assert "yuki-builder[asr]" in str(refused.value)
    assert isinstance(refused.value, InputError)


@pytest.mark.parametrize(
    ("language", "has_gpu", "name"),
    [(None, False, "small"), ("ja", False, "small"), ("ja", True, "kotoba"), ("en", True, "large-v3")],
)
def test_what_auto_stands_for(language: str | None, has_gpu: bool, name: str) -> None:
    assert choose_transcriber(language=language, has_gpu=has_gpu) == name


def test_fingerprints_load_nothing(model: Path) -> None:
    assert transcriber_fingerprint("base") != transcriber_fingerprint("small")
    assert transcriber_fingerprint(str(model)).endswith("folder")


def test_what_is_heard_does_not_depend_on_what_was_heard_before(transcriber: Transcriber) -> None:
    """An improbable first try does not make the engine draw by lot: a resumed run hears the same as a whole one."""
    speech, rate_hz = soundfile.read(sample_path(), dtype="float32")
    backwards = speech[10 * rate_hz : 14 * rate_hz][::-1].copy()
    heard = [transcriber.transcribe(backwards, language="de") for _ in range(3)]
    assert heard[0] == heard[1] == heard[2]
    assert min(segment.log_probability or 0.0 for segment in heard[0]) < -1  # where Whisper would draw by lot
