"""Which stretches of an episode are transcribed together.

A recogniser hears half a minute at a time and costs nearly as much for a second: the turns are put together, with a
pause between those that lie apart, and the times of the words are brought back to the episode's clock. All of it is
pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yuki_builder.records import HeardSegment, Span, Word

MARGIN_MS = 200  # a turn's edges are not exact to a syllable
PAUSE_MS = 500
LONGEST_MS = 28_000
_LEAST_SKIPPED_MS = 600
_HEARD_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the episode and where it begins in its window."""

    span: Span
    at_ms: int


@dataclass(frozen=True, slots=True)
class Window:
    """Stretches that are transcribed together, in order of time."""

    pieces: tuple[Piece, ...]

    @property
    def duration_ms(self) -> int:
        return self.pieces[-1].at_ms + self.pieces[-1].span.duration_ms

    def place(self, word: Word) -> Word:
        """A word with its times on the episode's clock; it lies whole in the piece that its middle is in."""
        middle_ms = (word.start_ms + word.end_ms) // 2
        later = bisect_left([p.at_ms for p in self.pieces], middle_ms + 1) - 1
        piece = self.pieces[max(0, later)]
        if later + 1 < len(self.pieces):  # in the pause between two pieces: the nearer one has it
            ahead = self.pieces[later + 1]
            if middle_ms - (piece.at_ms + piece.span.duration_ms) > ahead.at_ms - middle_ms:
                piece = ahead
        start_ms, end_ms = (_clipped(piece, time_ms) for time_ms in (word.start_ms, word.end_ms))
        return Word(start_ms, max(start_ms, end_ms), word.text, word.confidence)

    def place_all(self, segments: Iterable[HeardSegment]) -> list[HeardSegment]:
        """The same for all words of segments."""
        return [
            HeardSegment(
                tuple(map(self.place, segment.words)),
                segment.language,
                segment.no_speech,
                segment.log_probability,
            )
            for segment in segments
        ]


def _clipped(piece: Piece, time_ms: int) -> int:
    inside_ms = min(max(0, time_ms - piece.at_ms), piece.span.duration_ms)
    return piece.span.start_ms + inside_ms


def windows_of(
    turns: Iterable[Span], speech: Sequence[Span], *, duration_ms: int, longest_ms: int = LONGEST_MS
) -> list[Window]:
    """The windows that hold all turns, each moment at most once.

    Args:
        turns: where somebody speaks, in any order.
        speech: voice activity: what is longer than a window is cut in its pauses.
        duration_ms: how long the sound is.
        longest_ms: how long a window is at most.
    """
    windows: list[Window] = []
    pieces: list[Piece] = []
    for span in _cut_long(_joined(turns, duration_ms), speech, longest_ms):
        at_ms = pieces[-1].at_ms + pieces[-1].span.duration_ms + PAUSE_MS if pieces else 0
        if pieces and at_ms + span.duration_ms > longest_ms:
            windows.append(Window(tuple(pieces)))
            pieces, at_ms = [], 0
        pieces.append(Piece(span, at_ms))
    return [*windows, Window(tuple(pieces))] if pieces else windows


def skipped_turns(
    window: Window, turns: Iterable[Span], speech: Sequence[Span], found: Iterable[HeardSegment]
) -> list[Window]:
    """Turns in a window in which voice sounds and nothing was heard: a recogniser skips what it heard just before.

    Each is a window of its own, to be transcribed once more.
    """
    heard = sorted(Span(word.start_ms, word.end_ms) for segment in found for word in segment.words)
    skipped = []
    for piece in window.pieces:
        for turn in turns:
            start_ms, end_ms = max(turn.start_ms, piece.span.start_ms), min(turn.end_ms, piece.span.end_ms)
            if end_ms - start_ms < _LEAST_SKIPPED_MS:
                continue
            span = Span(start_ms, end_ms)
            voiced_ms = sum(span.overlap_ms(other) for other in speech)
            heard_ms = sum(span.overlap_ms(other) for other in heard)
            if voiced_ms >= _LEAST_SKIPPED_MS and heard_ms < _HEARD_SHARE * voiced_ms:
                skipped.append(Window((Piece(span, 0),)))
    return skipped


def _joined(turns: Iterable[Span], duration_ms: int) -> list[Span]:
    """The turns with a margin, those that nearly meet as one."""
    joined: list[Span] = []
    for turn in sorted(turns):
        start_ms, end_ms = max(0, turn.start_ms - MARGIN_MS), min(duration_ms, turn.end_ms + MARGIN_MS)
        if end_ms <= start_ms:
            continue
        if joined and start_ms <= joined[-1].end_ms:
            joined[-1] = Span(joined[-1].start_ms, max(joined[-1].end_ms, end_ms))
        else:
            joined.append(Span(start_ms, end_ms))
    return joined


def _cut_long(spans: Iterable[Span], speech: Sequence[Span], longest_ms: int) -> list[Span]:
    """Spans no longer than a window, cut in the longest pause of the last half of what fits."""
    voiced = sorted(speech)
    pauses = [Span(a.end_ms, b.start_ms) for a, b in pairwise(voiced) if b.start_ms > a.end_ms]
    starts = [pause.start_ms for pause in pauses]
    cut: list[Span] = []
    for span in spans:
        start_ms = span.start_ms
        while span.end_ms - start_ms > longest_ms:
            lo_ms, hi_ms = start_ms + longest_ms // 2, start_ms + longest_ms
            inside = [p for p in pauses[bisect_left(starts, lo_ms) :] if p.start_ms < hi_ms and p.end_ms <= hi_ms]
            pause = max(inside, key=lambda p: (p.duration_ms, p.start_ms), default=None)
            at_ms = hi_ms if pause is None else (pause.start_ms + pause.end_ms) // 2
            cut.append(Span(start_ms, at_ms))
            start_ms = at_ms
        cut.append(Span(start_ms, span.end_ms))
    return cut
