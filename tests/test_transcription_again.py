"""What a recogniser skips or writes again and again in a long window is heard in shorter ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from video_preprocessing.transcription import transcribe_turns
from yuki_builder.records import FloatArray, HeardSegment, Span, Word

RATE_HZ = 16_000
TURNS = [Span(1000 + 3000 * k, 3000 + 3000 * k) for k in range(8)]


class ShortSighted:
    """Hears each stretch of sound as a word; of what is longer than ``limit_s`` the first, or that again and again."""

    name = fingerprint = "short-sighted"

    def __init__(self, limit_s: float, *, repeats: bool) -> None:
        self._limit_s, self._repeats, self.lengths_s = limit_s, repeats, list[float]()

    def languages_of(self, waveform: FloatArray) -> Mapping[str, float]:
        return {"en": 1.0}

    def check_language(self, language: str) -> None:
        pass

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        seconds = len(waveform) / RATE_HZ
        self.lengths_s.append(seconds)
        loud = np.concatenate([[0], (np.abs(waveform) > 0.1).astype(int), [0]])
        starts, ends = (np.flatnonzero(np.diff(loud) == sign) * 1000 // RATE_HZ for sign in (1, -1))
        words = [
            Word(int(t), min(int(end), int(t) + 700), f" said {k}")
            for start, end in zip(starts, ends, strict=True)
            for k, t in enumerate(range(int(start), int(end), 700))
        ]
        if seconds > self._limit_s and self._repeats:
            return [HeardSegment(tuple(Word(100 * k, 100 * k + 100, " over and over again") for k in range(60)))]
        return [HeardSegment((word,)) for word in (words[:1] if seconds > self._limit_s else words)]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    wave = np.zeros(26 * RATE_HZ, np.float32)
    for turn in TURNS:
        wave[turn.start_ms * RATE_HZ // 1000 : turn.end_ms * RATE_HZ // 1000] = 0.5
    soundfile.write(tmp_path / "sound.flac", wave, RATE_HZ)
    return tmp_path / "sound.flac"


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("limit_s", [60.0, 16.0, 4.0])
def test_every_turn_is_heard_once(sound: Path, limit_s: float, *, repeats: bool) -> None:
    engine = ShortSighted(limit_s, repeats=repeats)
    heard = transcribe_turns(sound, TURNS, TURNS, engine, language="en")
    words = sorted((word for segment in heard.segments for word in segment.words), key=lambda word: word.start_ms)
    assert len({(word.start_ms, word.text) for word in words}) == len(words)
    for turn in TURNS:
        inside = [word for word in words if turn.start_ms <= word.start_ms < turn.end_ms]
        assert sum(word.end_ms - word.start_ms for word in inside) >= 1300
    assert not any("again" in word.text for word in words)
    assert (len(engine.lengths_s) == 1) == (limit_s > 28)


class Parrot(ShortSighted):
    """Writes one sentence over every stretch of sound in a long window; each is a segment of its own."""

    def transcribe(self, waveform: FloatArray, *, language: str | None) -> list[HeardSegment]:
        heard = super().transcribe(waveform, language=language)
        if self.lengths_s[-1] <= 16:
            return heard
        return [HeardSegment((Word(s.words[0].start_ms, s.words[0].end_ms, " and he was."),)) for s in heard]


def test_one_sentence_over_many_turns_is_heard_again_in_shorter_windows(sound: Path) -> None:
    engine = Parrot(60.0, repeats=False)
    heard = transcribe_turns(sound, TURNS, TURNS, engine, language="en")
    assert engine.lengths_s[0] > 16 and len(engine.lengths_s) == 3
    assert not any("he was" in segment.text for segment in heard.segments)
    assert len(heard.segments) >= 3 * len(TURNS)


def test_what_still_repeats_is_handed_on_to_be_left_out(sound: Path) -> None:
    heard = transcribe_turns(sound, TURNS[:1], TURNS[:1], ShortSighted(0.0, repeats=True), language="en")
    assert [segment.text.count("again") for segment in heard.segments] == [60]
