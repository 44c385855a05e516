"""One FLAC file a line, cut from the separated vocals."""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuki_builder.corpus.audio.sound import to_samples
from yuki_builder.names import path_name
from yuki_builder.records import FloatArray, Line, Span

if TYPE_CHECKING:
    import soundfile

MARGIN_MS = 50
FADE_MS = 5
SHORTEST_MS = 150
LONGEST_MS = 60_000
UNKNOWN_FOLDER = "_unknown"


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What became of the lines.

    Attributes:
        lines: all lines that came in, in their order, with ``clip`` set where a clip was written, else None.
        left_out: reason by id of each line without a clip.
    """

    lines: tuple[Line, ...]
    left_out: Mapping[str, str]

    @property
    def kept(self) -> int:
        """How many clips were written."""
        return len(self.lines) - len(self.left_out)

    @property
    def dropped(self) -> dict[str, int]:
        """How many lines each reason left out."""
        return dict(Counter(self.left_out.values()))


def clip_spans(spans: Sequence[Span], *, margin_ms: int = MARGIN_MS) -> list[Span]:
    """Each span with a margin on both sides that never enters another span.

    Two neighbours closer than two margins share the gap, half each; a side on which another span overlaps gets no
    margin. Empty spans get none and hold nobody back.
    """
    solid = [span for span in spans if span.duration_ms > 0]
    by_start, by_end = sorted(solid), sorted(solid, key=lambda span: span.end_ms)
    starts, ends = [span.start_ms for span in by_start], [span.end_ms for span in by_end]
    latest_end = list(accumulate((span.end_ms for span in by_start), max))  # of the first 1, 2, 3 … to start
    earliest_start = list(accumulate((span.start_ms for span in reversed(by_end)), min))  # of the last 1, 2, 3 … to end
    widened = []
    for span in spans:
        left = right = margin_ms if span.duration_ms else 0
        if earlier := bisect_left(starts, span.start_ms):
            left = min(left, max(0, span.start_ms - latest_end[earlier - 1]) // 2)
        if later := len(ends) - bisect_right(ends, span.end_ms):
            right = min(right, max(0, earliest_start[later - 1] - span.end_ms) // 2)
        widened.append(Span(span.start_ms - left, span.end_ms + right))
    return widened


def why_no_clip(span: Span, *, length_ms: int) -> str | None:
    """The reason that a line gets no clip out of a file of ``length_ms``; None where it gets one."""
    if span.start_ms >= length_ms:
        return "after the end of the sound"
    heard_ms = min(span.end_ms, length_ms) - max(span.start_ms, 0)
    if heard_ms < SHORTEST_MS:
        return f"shorter than {SHORTEST_MS} ms"
    return f"longer than {LONGEST_MS // 1000} s" if heard_ms > LONGEST_MS else None


def clip_path(line: Line) -> str:
    """Where the line's clip is, relative to the folder of clips."""
    folder = UNKNOWN_FOLDER if line.character is None else path_name(line.character)
    return f"{folder}/{path_name(line.line_id)}.flac"


def write_clip(samples: FloatArray, like: soundfile.SoundFile, destination: Path) -> None:
    """Write a clip as FLAC, with a fade of 5 ms at each end.

    A clip has the sample rate, channels and bit depth of the file it comes from: nothing is resampled, folded or
    dithered, so that what a clip is trained on stays the choice of who trains.

    Args:
        samples: shape (samples, channels), full scale 1.
        like: the file they come from.
        destination: the file to write; its folder is made if need be.

    Raises:
        OSError: it cannot be written.
    """
    import soundfile

    faded = fade(samples, to_samples(FADE_MS, like.samplerate))
    whole = np.clip(faded * np.float64(2**31), -(2**31), 2**31 - 1).astype(np.int32)
    subtype = like.subtype if like.subtype in soundfile.available_subtypes("FLAC") else "PCM_24"
    # By way of memory: a full disk then is the OSError that the caller expects, not one of libsndfile's.
    encoded = io.BytesIO()
    soundfile.write(encoded, whole, like.samplerate, format="FLAC", subtype=subtype)
    destination.parent.mkdir(exist_ok=True)
    destination.write_bytes(encoded.getbuffer())


def fade(samples: FloatArray, fade_samples: int) -> FloatArray:
    """``samples``, shape (samples, channels), with half a cosine as fade at both ends."""
    count = min(fade_samples, len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count, dtype=np.float32)[:, None] + 0.5) / max(1, count))
    faded = samples.copy()
    faded[:count] *= ramp
    faded[len(faded) - count :] *= ramp[::-1]
    return faded
