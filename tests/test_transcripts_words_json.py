"""Words with times from other transcribers' files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuki_builder.errors import InputError
from yuki_builder.transcripts import read_words

WHISPER = {
    "text": " We sail at dawn.",
    "language": "en",
    "segments": [
        {
            "id": 0, "start": 1.0, "end": 3.0, "text": " We sail at dawn.", "avg_logprob": -0.3,
            "compression_ratio": 0.9, "no_speech_prob": 0.02,
            "words": [
                {"word": " We", "start": 1.0, "end": 1.2, "probability": 0.98},
                {"word": " sail", "start": 1.2, "end": 1.7, "probability": 0.9},
                {"word": " at", "start": 1.7, "end": 1.9, "probability": 0.99},
                {"word": " dawn.", "start": 1.9, "end": 2.6, "probability": 0.8},
            ],
        }
    ],
}  # fmt: skip
WHISPERX = {
    "segments": [
        {
            "start": 1.0, "end": 3.0, "text": " At 5 we sail.", "speaker": "SPEAKER_00",
            "words": [
                {"word": "At", "start": 1.0, "end": 1.2, "score": 0.7, "speaker": "SPEAKER_00"},
                {"word": "5"},
                {"word": "we", "start": 1.9, "end": 2.1, "score": 0.8},
                {"word": "sail.", "start": 2.1, "end": 2.6, "score": 0.9},
            ],
        }
    ],
    "word_segments": [],
}  # fmt: skip
JAPANESE = {"segments": [{"words": [{"word": c, "start": k, "end": k + 0.5} for k, c in enumerate("夜明けに")]}]}
CHUNKS = {"chunks": [{"text": " We", "timestamp": [1.0, 1.2]}, {"text": " sail.", "timestamp": [1.2, None]}]}


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("data", "text", "times"),
    [
        (WHISPER, "We sail at dawn.", [(1000, 1200), (1200, 1700), (1700, 1900), (1900, 2600)]),
        (WHISPER["segments"], "We sail at dawn.", [(1000, 1200), (1200, 1700), (1700, 1900), (1900, 2600)]),
        (WHISPERX, "At 5 we sail.", [(1000, 1200), (1200, 1900), (1900, 2100), (2100, 2600)]),
        (JAPANESE, "夜明けに", [(0, 500), (1000, 1500), (2000, 2500), (3000, 3500)]),
        (CHUNKS, "We sail.", [(1000, 1200), (1200, 1200)]),
    ],
)
def test_files_of_other_tools(tmp_path: Path, data: Any, text: str, times: list[tuple[int, int]]) -> None:
    (segment,) = read_words(write(tmp_path / "words.json", data))
    assert segment.text == text
    assert [(word.start_ms, word.end_ms) for word in segment.words] == times


def test_whispers_own_doubts_are_kept(tmp_path: Path) -> None:
    (segment,) = read_words(write(tmp_path / "words.json", WHISPER))
    assert (segment.no_speech, segment.log_probability) == (0.02, -0.3)
    assert (segment.language, segment.words[1].confidence) == ("en", 0.9)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "no words with times"),
        (b"17", "no words with times"),
        (json.dumps({"segments": [{"start": 1, "end": 2, "text": "We sail"}]}).encode(), "--subtitles FILE"),
    ],
)
def test_another_file_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "words.json").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_words(tmp_path / "words.json")
    assert says in str(refused.value)
    assert "words.json" in str(refused.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_words(tmp_path / "missing.json")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["segments", "words", "word", "start", "end", "score", "text", "chunks"]), inner
        )
    ),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values)
def test_no_json_makes_it_stumble(tmp_path: Path, data: Any) -> None:
    try:
        segments = read_words(write(tmp_path / "words.json", data))
    except InputError:
        return
    assert all(word.text.strip() for segment in segments for word in segment.words)
