"""Synthetic sound effects: impacts, rain, wind, engines, sirens, birds, rattling, applause.

Recordings of such sounds cannot be shipped, and a network that has only heard music takes a siren or a gunshot for a
voice. These are not to be mistaken for the real thing; they are to cover what it may be like: how noisy, how
dense, how tonal, how fast it changes. Every function draws from the generator that it is given.

Shape:
    every sound is (2, samples) float64, of no particular level
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]
Sound = Callable[[np.random.Generator, int, int], Samples]


def impacts(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Knocks, steps, doors, glass, shots: a struck body's modes, and noise; once, in a rhythm, or at random."""
    length = int(rng.uniform(0.05, 1.2) * rate_hz)
    t = np.arange(length) / rate_hz
    modes = np.zeros(length)
    for _ in range(int(rng.integers(2, 10))):
        frequency_hz, decay_s = _log_uniform(rng, 60, 6000), _log_uniform(rng, 0.01, 0.4)
        modes += rng.uniform(0.2, 1) * np.sin(2 * np.pi * frequency_hz * t) * np.exp(-t / decay_s)
    colour = rng.uniform(-9, 3)
    rattle = tilt(rng.normal(size=length), colour) * np.exp(-t / _log_uniform(rng, 0.01, 0.3))
    share = rng.random()
    response = share * _normal(modes) + (1 - share) * _normal(rattle)
    response *= np.minimum(1, t / _log_uniform(rng, 0.0003, 0.02))
    interval_s = _log_uniform(rng, 0.12, 2.0)
    regular = rng.random() < 0.5
    hits = np.zeros((2, samples))
    at = rng.uniform(0, interval_s)
    side = rng.uniform(0, 1)
    while (k := int(at * rate_hz)) < samples:
        hits[:, k] += 10 ** (rng.uniform(-9, 0) / 20) * _sides(side if regular else rng.uniform(0, 1))
        at += interval_s * (rng.uniform(0.9, 1.1) if regular else rng.exponential())
    return convolve(hits, response)[:, :samples]


def granular_noise(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Rain, fire, applause, gravel, paper: many short noises, from a few a second to thousands."""
    out = np.zeros((2, samples))
    density = _log_uniform(rng, 4, 3000) / rate_hz
    spread, swell = rng.uniform(0.3, 1.2), _decibels(_wander(rng, samples, rate_hz, 1.0, rng.uniform(0, 12)))
    centre_hz = _log_uniform(rng, 300, 5000)
    for _ in range(3):
        struck = rng.random(samples) < density / 3
        strength = np.where(struck, rng.lognormal(0.0, spread, samples), 0.0)
        position = rng.uniform(0.1, 0.9, samples)
        length = int(_log_uniform(rng, 0.001, 0.03) * rate_hz) + 2
        response = rng.normal(size=length) * np.exp(-4 * np.arange(length) / length)
        tone = np.cos(2 * np.pi * centre_hz * rng.uniform(0.6, 1.6) * np.arange(length) / rate_hz)
        response = response * tone if rng.random() < 0.6 else response
        out += convolve(np.stack([strength * position, strength * (1 - position)]), response)[:, :samples]
    return out * swell


def swelling_noise(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Wind, sea, traffic, breath, crowds far away: noise whose octaves swell and fall, each for itself."""
    width = rng.random()
    noise = np.fft.rfft(rng.normal(size=(2, samples)))
    noise[1] = (1 - width) * noise[0] + width * noise[1]
    octave = np.log2(np.maximum(np.fft.rfftfreq(samples, 1 / rate_hz), 20) / 62.5)
    slope, speed, depth_db = rng.uniform(-9, 1), _log_uniform(rng, 0.3, 8), rng.uniform(1, 14)
    together = _wander(rng, samples, rate_hz, speed, depth_db)
    out = np.zeros((2, samples))
    for band in range(7):
        inside = np.maximum(0, 1 - np.abs(octave - band))
        level_db = slope * band + together + _wander(rng, samples, rate_hz, speed, depth_db / 2)
        out += np.fft.irfft(noise * inside, samples) * _decibels(level_db)
    return out


def calls(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Birds, bells, beeps, whistles, telephones: one short tonal figure again and again."""
    length = int(_log_uniform(rng, 0.03, 0.8) * rate_hz)
    figure = _tone(rng, length, rate_hz, _log_uniform(rng, 250, 6000), speed=_log_uniform(rng, 1, 25))
    if rng.random() < 0.3:  # a ringing: the tone is beaten
        figure = figure * (np.sin(2 * np.pi * rng.uniform(8, 40) * np.arange(length) / rate_hz) > 0)
    edge = np.minimum(1, np.arange(length) / (rng.uniform(0.002, 0.03) * rate_hz))
    figure = figure * edge * (edge[::-1] if rng.random() < 0.6 else np.exp(-4 * np.arange(length) / length))
    pause_s = _log_uniform(rng, 0.02, 1.5)
    starts = np.zeros((2, samples))
    at, side = rng.uniform(0, pause_s), rng.uniform(0, 1)
    while (k := int(at * rate_hz)) < samples:
        starts[:, k] = 10 ** (rng.uniform(-6, 0) / 20) * _sides(side)
        at += length / rate_hz + pause_s * rng.uniform(0.3, 1.7)
    return convolve(starts, figure)[:, :samples]


def siren(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Sirens, horns, alarms, feedback: a tone that stays or sweeps."""
    tone = _tone(rng, samples, rate_hz, _log_uniform(rng, 120, 3000), speed=_log_uniform(rng, 0.2, 6))
    return np.outer(_sides(rng.uniform(0.2, 0.8)), tone)


def machine(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Engines, fans, helicopters, tools, hum: a low pitch's overtones, and noise that beats with it."""
    speed_hz = _log_uniform(rng, 6, 200) * _decibels(_wander(rng, samples, rate_hz, 0.7, rng.uniform(0, 3)))
    phase = 2 * np.pi * np.cumsum(speed_hz) / rate_hz
    slope, buzz = rng.uniform(0.3, 1.5), np.zeros(samples)
    for k in range(1, min(60, int(0.45 * rate_hz / speed_hz.max()))):
        buzz += rng.uniform(0.2, 1) * np.sin(k * phase + rng.uniform(0, 2 * np.pi)) / k**slope
    beat = np.clip(np.cos(phase), 0, 1) ** rng.uniform(1, 12)
    depth = rng.uniform(0.2, 1)
    colour = rng.uniform(-9, 0)
    noise = tilt(rng.normal(size=(2, samples)), colour) * (1 - depth + depth * beat)
    share = rng.random()
    return share * _normal(buzz) + (1 - share) * _normal(noise)


def scrape(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """Squeaks, creaks, zips, fingers on strings, breath: narrow noise whose pitch slides."""
    bandwidth_hz, centre_hz = _log_uniform(rng, 15, 600), _log_uniform(rng, 200, 5000)
    spectrum = np.fft.rfft(rng.normal(size=samples))
    spectrum *= np.exp(-np.square(np.fft.rfftfreq(samples, 1 / rate_hz) / bandwidth_hz))
    slide = _decibels(_wander(rng, samples, rate_hz, _log_uniform(rng, 0.5, 8), rng.uniform(1, 10)))
    phase = 2 * np.pi * np.cumsum(np.minimum(centre_hz * slide, 0.45 * rate_hz)) / rate_hz
    sound = np.fft.irfft(spectrum, samples) * (np.cos(phase) + rng.uniform(0, 0.5) * np.cos(2 * phase))
    return np.outer(_sides(rng.uniform(0.1, 0.9)), sound)


SOUNDS: tuple[Sound, ...] = (impacts, granular_noise, swelling_noise, calls, siren, machine, scrape)


def draw(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """One of all these, now and then cut into stretches; its largest moments at a root mean square of one.

    Args:
        rng: the dice.
        samples: the length.
        rate_hz: the sample rate.
    """
    sound = SOUNDS[int(rng.integers(len(SOUNDS)))](rng, samples, rate_hz)
    if rng.random() < 0.35:
        sound = sound * _stretches(rng, samples, rate_hz)
    return _normal(sound)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _decibels(level_db: Samples) -> Samples:
    return np.asarray(10 ** (level_db / 20))


def _sides(position: float) -> Samples:
    """(2,) gains of left and right; ``position`` from 0 to 1."""
    return np.array([np.cos(position * np.pi / 2), np.sin(position * np.pi / 2)])


def _wander(rng: np.random.Generator, samples: int, rate_hz: int, speed_hz: float, depth: float) -> Samples:
    """(samples,) a curve through random points of that standard deviation, so many a second."""
    points = max(2, int(samples / rate_hz * speed_hz) + 2)
    return np.interp(np.linspace(0, points - 1, samples), np.arange(points), rng.normal(0, depth, points))


def _tone(rng: np.random.Generator, samples: int, rate_hz: int, pitch_hz: float, *, speed: float) -> Samples:
    """(samples,) a tone of some overtones, steady, sweeping to and fro, or wandering ``speed`` times a second."""
    t = np.arange(samples) / rate_hz
    kind = rng.random()
    if kind < 0.3:
        octaves = np.zeros(samples)
    elif kind < 0.65:
        octaves = rng.uniform(0.05, 1.2) * np.sin(2 * np.pi * speed * t + rng.uniform(0, 2 * np.pi))
    elif kind < 0.8:
        octaves = rng.uniform(-1.2, 1.2) * ((speed * t + rng.random()) % 1)
    else:
        octaves = _wander(rng, samples, rate_hz, speed, rng.uniform(0.1, 0.8))
    frequency_hz = np.minimum(pitch_hz * 2**octaves, 0.47 * rate_hz)
    phase = 2 * np.pi * np.cumsum(frequency_hz) / rate_hz
    step, slope, out = int(rng.integers(1, 3)), rng.uniform(0.5, 3), np.zeros(samples)
    for k in range(1, int(rng.integers(2, 16)) * step, step):
        # Overtones beyond the band would come back from above.
        out += np.sin(k * phase) * (k * frequency_hz < 0.48 * rate_hz) / k**slope
    return out


def _stretches(rng: np.random.Generator, samples: int, rate_hz: int) -> Samples:
    """(samples,) 0 and 1 by turns, with soft edges."""
    gate, at, on = np.zeros(samples), 0, rng.random() < 0.5
    while at < samples:
        length = int(_log_uniform(rng, 0.1, 2.0) * rate_hz)
        gate[at : at + length] = on
        at, on = at + length, not on
    edge = int(_log_uniform(rng, 0.002, 0.1) * rate_hz) + 1
    return np.convolve(gate, np.ones(edge) / edge, mode="same")[:samples]


def convolve(x: npt.NDArray[Any], response: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(2, samples) with (length,) or (2, length), whole: (2, samples + length - 1)."""
    n = x.shape[1] + response.shape[-1] - 1
    size = 1 << (n - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(response, size), size)[:, :n]


def tilt(x: npt.NDArray[Any], db_per_octave: float) -> npt.NDArray[Any]:
    """White noise (..., samples) to coloured: -3 is pink, -6 brown."""
    spectrum = np.fft.rfft(x)
    position = np.maximum(np.arange(spectrum.shape[-1]), 1) / max(1, spectrum.shape[-1] // 8)
    return np.fft.irfft(spectrum * 10 ** (db_per_octave * np.log2(position) / 20), x.shape[-1])


def _normal(x: Samples) -> Samples:
    """At a root mean square of one over the half in which it is loudest: pauses do not count, nor does silence."""
    power = np.sort(np.square(x), axis=None)
    return x / (np.sqrt(power[len(power) // 2 :].mean()) + 1e-9)
