"""The music of the demo episode, computed so that the project ships no recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from yuki_builder.records import FloatArray

Signal = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 48_000
_BEAT = SAMPLE_RATE_HZ * 60 // 84  # in samples
_CHORDS = ((57, 60, 64, 69), (53, 57, 60, 69), (55, 60, 64, 67), (55, 59, 62, 67))  # Am F C G, as MIDI notes
_ROOTS = (45, 41, 48, 43)
_BROKEN = (0, 1, 2, 3, 2, 1, 2, 1)
_FADE_S = 1.5


def synthesise_music(length: int) -> FloatArray:
    """A quiet loop of four chords with bass and drums; the same for every call.

    Args:
        length: in samples at ``SAMPLE_RATE_HZ``.

    Returns:
        shape (length, 2), float32, at no particular level.
    """
    rng = np.random.default_rng(20240229)
    music = np.zeros((length + 8 * _BEAT, 2))
    for bar, start in enumerate(range(0, length, 4 * _BEAT)):
        chord, root = _CHORDS[bar % 4], _ROOTS[bar % 4]
        for voice, note in enumerate(chord):
            tone = _tone(note, 5 * _BEAT, attack_s=0.35, decay_s=2.2, overtones=(1, 0.5, 0.35, 0.2, 0.15, 0.1))
            _add(music, start, 0.3 * tone, pan=-0.5 + voice / 3)
        for eighth in range(8):  # a broken chord an octave higher
            tone = _tone(chord[_BROKEN[eighth]] + 12, _BEAT, attack_s=0.005, decay_s=0.35, overtones=(1, 0.5, 0.4, 0.2))
            _add(music, start + eighth * _BEAT // 2, 0.25 * tone, pan=0.4 if eighth % 2 else -0.4)
        for place, steps in ((0.0, 0), (1.5, 0), (2.0, 7), (3.5, 0)):
            tone = _tone(root + steps - 12, _BEAT, attack_s=0.01, decay_s=0.5, overtones=(1, 0.4, 0.1))
            _add(music, start + int(place * _BEAT), 0.2 * tone)
        for place in (0, 2):
            _add(music, start + place * _BEAT, 0.3 * _kick(_BEAT // 2))
        for place in (1, 3):
            _add(music, start + place * _BEAT, 0.12 * _brush(rng, _BEAT // 2, decay_s=0.09), pan=0.1)
        for half in range(8):
            _add(music, start + half * _BEAT // 2, 0.05 * _brush(rng, _BEAT // 4, decay_s=0.03), pan=-0.2)
    music = music[:length]
    fade = np.minimum(1, np.arange(length) / SAMPLE_RATE_HZ / _FADE_S)
    return np.asarray(music * (fade * fade[::-1])[:, None], np.float32)


def _tone(note: int, length: int, *, attack_s: float, decay_s: float, overtones: Sequence[float]) -> Signal:
    t = np.arange(length) / SAMPLE_RATE_HZ
    frequency_hz = 440 * 2 ** ((note - 69) / 12)
    wave = sum(level * np.sin(2 * np.pi * frequency_hz * k * t) for k, level in enumerate(overtones, 1))
    return np.asarray(wave * np.minimum(1, t / attack_s) * np.exp(-t / decay_s) * _ending(length))


def _kick(length: int) -> Signal:
    t = np.arange(length) / SAMPLE_RATE_HZ
    sweep = 45 * t + 70 * 0.05 * (1 - np.exp(-t / 0.05))  # cycles: 115 Hz falling to 45 Hz
    return np.asarray(np.sin(2 * np.pi * sweep) * np.exp(-t / 0.12) * _ending(length))


def _brush(rng: np.random.Generator, length: int, *, decay_s: float) -> Signal:
    noise = np.diff(rng.normal(size=length + 1))  # the difference takes the low end away
    return np.asarray(noise * np.exp(-np.arange(length) / SAMPLE_RATE_HZ / decay_s) * _ending(length))


def _ending(length: int) -> Signal:
    return np.minimum(1, np.arange(length, 0, -1) / (0.01 * SAMPLE_RATE_HZ))


def _add(music: Signal, start: int, sound: Signal, *, pan: float = 0.0) -> None:
    """Add a sound at a sample; ``pan`` from -1 (left) to 1 (right), with constant power."""
    angle = (pan + 1) * np.pi / 4
    room = music[start : start + len(sound)]
    room += sound[: len(room), None] * np.array([np.cos(angle), np.sin(angle)])
