"""Where a cue comes from, its words and how surely it was read."""

from __future__ import annotations

import json

import pytest

from yuki_builder.records import Cue, CueOrigin, Word


def test_a_cue_of_an_earlier_version_is_of_a_file() -> None:
    cue = Cue.from_dict({"cue_id": "a", "index": 0, "start_ms": 0, "end_ms": 900, "text": "hi", "raw_text": "hi"})
    assert (cue.origin, cue.words, cue.confidence) == (CueOrigin.FILE, (), None)


def test_words_survive_json() -> None:
    words = (Word(0, 400, "hi", 0.9), Word(400, 900, "you"))
    cue = Cue("a", 0, 0, 900, "hi you", "hi you", origin=CueOrigin.ASR, words=words, confidence=0.8)
    assert Cue.from_dict(json.loads(json.dumps(cue.to_dict()))) == cue


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Word(5, 4, "x")
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        Word(0, 4, "x", 1.5)
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        Cue("a", 0, 0, 900, "hi", "hi", confidence=-0.1)
