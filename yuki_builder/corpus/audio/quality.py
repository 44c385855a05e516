"""How good a line is to train on: measures by line, and named reasons to leave it out. Nothing is deleted."""

from __future__ import annotations

import hashlib
import re
import tempfile
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from yuki_builder.channels import mono
from yuki_builder.records import FloatArray, Line, Record, Span
from yuki_builder.spans import parts_within

_CLIPPED = 0.999  # of full scale
_BANDWIDTH_DB = 60.0  # below the loudest band
_FFT = 2048
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_PRINT_BANDS, _PRINT_FRAMES = 24, 32
_PRINT_SIZE, _PRINT_HOP = 1024, 256
LEAST_FINGERPRINT_SAMPLES = _PRINT_SIZE + _PRINT_HOP * _PRINT_FRAMES
_PRINT_LOWEST_HZ, _PRINT_HIGHEST_HZ = 100.0, 7000.0
_PRINT_DEPTH = 4.0  # orders of magnitude: what is quieter is noise, of the recording or of the separator

AudioFingerprint = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClipQuality(Record):
    """What is known of the sound and pace of one line.

    Attributes:
        line_id: whose.
        seconds: how long it is.
        clipping: share (0..1) of the mix's samples at full scale.
        bandwidth_hz: up to where the mix has sound while the line lasts.
        speech_ratio: share of the line with voice activity.
        chars_per_second: letters of the text a second; a Chinese, Japanese or Korean character counts as two.
        overlap: share in which another voice sounds.
        snr_db: dialogue over background in the mix; None where not known.
        dnsmos: overall quality (1 to 5) by DNSMOS (Reddy et al., ICASSP 2022); None where not computed.
        dnsmos_speech, dnsmos_background: of the speech and of the background alone.
        duplicate_of: the earlier line that this one repeats (a recap, a narration), or None.
        unusable: a person says not to train on it.
        problems: names of what speaks against training on it.
        text_match: share (0..1) of the text that is heard at its place; None where words were not matched.
    """

    line_id: str
    seconds: float
    clipping: float
    bandwidth_hz: int
    speech_ratio: float
    chars_per_second: float
    overlap: float
    snr_db: float | None = None
    dnsmos: float | None = None
    dnsmos_speech: float | None = None
    dnsmos_background: float | None = None
    duplicate_of: str | None = None
    unusable: bool = False
    problems: tuple[str, ...] = ()
    text_match: float | None = None


@dataclass(frozen=True, slots=True)
class LineSound(Record):
    """What one pass over the sound left of one line: its measures, and where its clip is, if it got one."""

    line_id: str
    quality: ClipQuality
    clip: str | None


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """From where on a measure is a problem; usual limits of sets to train voices on."""

    min_seconds: float = 0.6
    max_seconds: float = 20.0
    max_clipping: float = 0.001
    min_bandwidth_hz: int = 6000
    min_speech_ratio: float = 0.4
    min_chars_per_second: float = 2.0
    max_chars_per_second: float = 30.0
    max_overlap: float = 0.15
    min_snr_db: float = -8.0
    min_dnsmos: float = 2.2
    min_text_match: float = 0.3


LIMITS = QualityLimits()


_TESTS: Mapping[str, Callable[[ClipQuality, QualityLimits], bool]] = {
    "too short": lambda q, limits: q.seconds < limits.min_seconds,
    "too long": lambda q, limits: q.seconds > limits.max_seconds,
    "clipped": lambda q, limits: q.clipping > limits.max_clipping,
    "narrow band": lambda q, limits: q.bandwidth_hz < limits.min_bandwidth_hz,
    "little speech": lambda q, limits: q.speech_ratio < limits.min_speech_ratio,
    "too slow": lambda q, limits: q.chars_per_second < limits.min_chars_per_second,
    "too fast": lambda q, limits: q.chars_per_second > limits.max_chars_per_second,
    "overlapped": lambda q, limits: q.overlap > limits.max_overlap,
    "low level": lambda q, limits: q.snr_db is not None and q.snr_db < limits.min_snr_db,
    "low DNSMOS": lambda q, limits: q.dnsmos is not None and q.dnsmos < limits.min_dnsmos,
    "duplicate": lambda q, limits: q.duplicate_of is not None,
    "text not heard": lambda q, limits: q.text_match is not None and q.text_match < limits.min_text_match,
    "unusable": lambda q, limits: q.unusable,
}
PROBLEMS = tuple(_TESTS)
"""The names that ``ClipQuality.problems`` may hold."""


def problems_of(q: ClipQuality, limits: QualityLimits = LIMITS) -> tuple[str, ...]:
    """What speaks against a line, by name; what is not known does not."""
    return tuple(name for name, applies in _TESTS.items() if applies(q, limits))


def measure_sound(line: Line, whole: FloatArray, rate_hz: int, speech: Sequence[Span]) -> ClipQuality:
    """The measures of one line.

    Args:
        line: whose text, time and level count.
        whole: the mix while it lasts, shape (samples, channels).
        rate_hz: its sample rate.
        speech: voice activity of the episode, in order, without overlap.
    """
    seconds = line.span.duration_ms / 1000
    spoken_ms = sum(part.duration_ms for part in parts_within(line.span, speech))
    clipping = float(np.count_nonzero(np.abs(whole) >= _CLIPPED) / whole.size) if whole.size else 0.0
    return ClipQuality(
        line_id=line.line_id,
        seconds=round(seconds, 3),
        clipping=round(clipping, 6),
        bandwidth_hz=bandwidth_hz(mono(whole), rate_hz) if len(whole) >= _FFT else 0,
        speech_ratio=round(spoken_ms / max(1, line.span.duration_ms), 3),
        chars_per_second=round(letters(line.text) / seconds, 2) if seconds else 0.0,
        overlap=round(line.overlap, 3),
        snr_db=line.snr_db,
    )


def letters(text: str) -> int:
    """Letters and digits of a text; one that stands for a syllable counts as two."""
    count = sum(map(str.isalnum, text))
    return count if text.isascii() else count + sum(map(str.isalnum, _CJK.findall(text)))


def bandwidth_hz(wave: FloatArray, rate_hz: int) -> int:
    """Up to where there is sound: the highest frequency less than 60 dB below the loudest, rounded to 100 Hz."""
    power = _mean_spectrum(wave)
    if power is None:
        return 0
    smooth = np.convolve(power, np.ones(5) / 5, "same")
    loud = np.flatnonzero(smooth > smooth.max() * 10 ** (-_BANDWIDTH_DB / 10))
    return round(float(loud[-1]) * rate_hz / _FFT / 100) * 100 if len(loud) and smooth.max() > 0 else 0


def _mean_spectrum(wave: FloatArray) -> npt.NDArray[np.float64] | None:
    if len(wave) < _FFT:
        return None
    count = min(200, (len(wave) - _FFT) // (_FFT // 2) + 1)
    starts = np.linspace(0, len(wave) - _FFT, count).astype(np.intp)
    frames = wave[starts[:, None] + np.arange(_FFT)] * np.hanning(_FFT)
    power: npt.NDArray[np.float64] = np.square(np.abs(np.fft.rfft(frames, axis=1))).mean(axis=0)
    return power


def fingerprint(wave: FloatArray, rate_hz: int) -> AudioFingerprint | None:
    """What a line sounds like, shape (24 * 32,), of length 1: levels in 24 bands and 32 parts of its time.

    Two of the same recording have a product near 1, also when one is a little longer or differently mixed; None where
    there is too little sound.
    """
    if len(wave) < LEAST_FINGERPRINT_SAMPLES:
        return None
    size = _PRINT_SIZE
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::_PRINT_HOP] * np.hanning(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    edges = np.geomspace(_PRINT_LOWEST_HZ, min(_PRINT_HIGHEST_HZ, rate_hz / 2), _PRINT_BANDS + 1) * size / rate_hz
    bins = np.clip(np.rint(edges).astype(np.intp), 1, power.shape[1] - 1)
    bands = np.stack([power[:, a : max(a + 1, b)].mean(axis=1) for a, b in pairwise(bins)], axis=1)
    # Each part of the time in full, so that a shift by a few hundredths of a second changes little.
    parts = np.stack([part.mean(axis=0) for part in np.array_split(bands, _PRINT_FRAMES)])
    levels = np.log10(parts + 1e-12)
    levels = np.maximum(levels, levels.max() - _PRINT_DEPTH)
    levels -= levels.mean()
    length = float(np.linalg.norm(levels))
    return (levels / length).astype(np.float32).ravel() if length > 1e-6 else None


_SAME_SOUND = 0.93
_SAME_LENGTH = 0.15
_LEAST_LETTERS = 6
_MOST_BYTES_OF_SOUNDS = 16 << 20


def mark_duplicates(
    qualities: Sequence[ClipQuality], lines: Sequence[Line], audio_fingerprints: Mapping[str, AudioFingerprint]
) -> list[ClipQuality]:
    """With ``duplicate_of`` set where an earlier line has the same words and the same sound.

    Args:
        qualities: one for each of ``lines``, in their order, which is that of the episodes and of time.
        lines: of one episode or of a whole season.
        audio_fingerprints: by line id, from ``read_sounds``.

    Words alone do not make a repeat ("Yes." is said often), nor does sound alone.
    """
    return DuplicateFinder(repeated_words(lines)).mark(qualities, lines, audio_fingerprints)


def repeated_words(lines: Iterable[Line]) -> frozenset[int]:
    """Hashes of the words that are said more than once; all that has to be remembered of a season's lines."""
    once: set[int] = set()
    again: set[int] = set()
    for line in lines:
        key = _words(line)
        if key is not None:
            (again if key in once else once).add(key)
    return frozenset(again)


class DuplicateFinder:
    """Marks repeats episode by episode, and remembers the sound of those lines alone whose words come again.

    Args:
        repeated: from ``repeated_words``, of all lines that will come.
    """

    def __init__(self, repeated: Collection[int]) -> None:
        self._repeated = repeated
        self._first: dict[int, list[_Heard]] = {}
        self._sounds = _Sounds()

    def mark(
        self,
        qualities: Sequence[ClipQuality],
        lines: Sequence[Line],
        audio_fingerprints: Mapping[str, AudioFingerprint],
    ) -> list[ClipQuality]:
        """As ``mark_duplicates``, of the next episodes.

        Args:
            qualities: one a line.
            lines: the lines, in the same order.
            audio_fingerprints: the audio fingerprints that there are, by line id.
        """
        marked = []
        for quality, line in zip(qualities, lines, strict=True):
            key, sound = _words(line), audio_fingerprints.get(line.line_id)
            original = None
            if key in self._repeated and key is not None and sound is not None:
                earlier = self._first.setdefault(key, [])
                original = next((other for other in earlier if self._is_repeat(line, sound, other)), None)
                if original is None:
                    earlier.append(_Heard(line.line_id, line.span.duration_ms, self._sounds.add(sound)))
            duplicate_of = None if original is None else original.line_id
            is_marked = quality.duplicate_of == duplicate_of
            marked.append(quality if is_marked else replace(quality, duplicate_of=duplicate_of))
        return marked

    def _is_repeat(self, line: Line, sound: AudioFingerprint, earlier: _Heard) -> bool:
        lengths = sorted((line.span.duration_ms, earlier.duration_ms))
        if lengths[1] - lengths[0] > _SAME_LENGTH * lengths[1]:
            return False
        other = self._sounds[earlier.sound]
        return len(other) == len(sound) and float(sound @ other) >= _SAME_SOUND


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is remembered of an earlier line."""

    line_id: str
    duration_ms: int
    sound: tuple[int, int]


class _Sounds:
    """Audio fingerprints, by where they are. Beyond some that is a temporary file: a long season fits the memory."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MOST_BYTES_OF_SOUNDS)  # noqa: SIM115
        self._bytes = 0

    def add(self, sound: AudioFingerprint) -> tuple[int, int]:
        """Keep one; its first byte and how many it has."""
        where = self._bytes, sound.nbytes
        self._file.seek(self._bytes)
        self._file.write(np.ascontiguousarray(sound, np.float32).tobytes())
        self._bytes += sound.nbytes
        return where

    def __getitem__(self, where: tuple[int, int]) -> AudioFingerprint:
        self._file.seek(where[0])
        return np.frombuffer(self._file.read(where[1]), np.float32)


def _words(line: Line) -> int | None:
    """A hash of what is said, whatever its marks and capitals; None where it is too little to be a repeat."""
    key = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", line.text).casefold()))
    if letters(key) < _LEAST_LETTERS:
        return None
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
