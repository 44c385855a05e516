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
from yuki_builder.spans import difference, intersection, union

MARGIN_MS = 200  # a turn's edges are not exact to a syllable
_BESIDE_MS = 500  # so far from a turn a word may still be its own
PAUSE_MS = 500
LONGEST_MS = 28_000
_SHORT_MS = 15_000  # of longer ones Whisper at times leaves out what is said twice, or repeats itself
_LEAST_SKIPPED_MS = 600  # of a turn in which nothing was heard
_MOST_OF_TURN = 0.9
_LEAST_GAP_MS = 1000  # within a turn
_LONGEST_WORD_MS = 800  # the last word before what was skipped lasts until what was heard next
_SHORT_PAUSE_MS = 400


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
    """The windows that hold all turns and the voice beside them, each moment at most once.

    Args:
        turns: where somebody speaks, in any order.
        speech: voice activity: between two turns it is a word that the diarizer did not take for either's, and what is
            longer than a window is cut in its pauses.
        duration_ms: how long the sound is.
        longest_ms: how long a window is at most.
    """
    windows: list[Window] = []
    pieces: list[Piece] = []
    turns = list(turns)
    near = union(Span(max(0, turn.start_ms - _BESIDE_MS), turn.end_ms + _BESIDE_MS) for turn in turns)
    heard = _joined([*turns, *intersection(near, speech)], duration_ms)
    for span in _cut_long(heard, speech, longest_ms):
        at_ms = pieces[-1].at_ms + pieces[-1].span.duration_ms + PAUSE_MS if pieces else 0
        if pieces and at_ms + span.duration_ms > longest_ms:
            windows.append(Window(tuple(pieces)))
            pieces, at_ms = [], 0
        pieces.append(Piece(span, at_ms))
    return [*windows, Window(tuple(pieces))] if pieces else windows


def placed(spans: Iterable[Span]) -> Window:
    """The window that holds these stretches, in order of time and without overlap, with pauses between them."""
    pieces: list[Piece] = []
    for span in spans:
        pieces.append(Piece(span, pieces[-1].at_ms + pieces[-1].span.duration_ms + PAUSE_MS if pieces else 0))
    return Window(tuple(pieces))


def together(spans: Iterable[Span], *, longest_ms: int = LONGEST_MS) -> list[Window]:
    """As few windows as hold these stretches, in order of time and without overlap."""
    groups: list[list[Span]] = []
    for span in spans:
        if not groups or placed([*groups[-1], span]).duration_ms > longest_ms:
            groups.append([])
        groups[-1].append(span)
    return [placed(group) for group in groups]


def halves(window: Window) -> list[Window]:
    """The window in two, parted between stretches; one that is short or a single stretch stays as it is."""
    if window.duration_ms <= _SHORT_MS or len(window.pieces) < 2:
        return [window]
    middle_ms = window.duration_ms // 2
    cut = min(range(1, len(window.pieces)), key=lambda k: abs(window.pieces[k].at_ms - middle_ms))
    parts = (window.pieces[:cut], window.pieces[cut:])
    return [Window(tuple(Piece(p.span, p.at_ms - part[0].at_ms) for p in part)) for part in parts]


def skipped_speech(
    window: Window, turns: Iterable[Span], speech: Sequence[Span], found: Iterable[HeardSegment]
) -> list[tuple[Window, Span]]:
    """Where in a window somebody speaks and nothing was heard: a recogniser skips what it heard just before.

    Each is a window of its own, to be transcribed once more, with the part of it whose words are wanted.

    Args:
        window: what was transcribed.
        turns: who speaks when.
        speech: where somebody speaks.
        found: what was heard in the window.
    """
    heard = sorted(
        Span(word.start_ms, min(word.end_ms, word.start_ms + _LONGEST_WORD_MS))
        for segment in found
        for word in segment.words
    )
    whole = Span(window.pieces[0].span.start_ms, window.pieces[-1].span.end_ms)
    turns, speech = ([span for span in spans if span.overlap_ms(whole)] for spans in (turns, speech))
    again = []
    for piece in window.pieces:
        for turn in turns:
            voiced = union(intersection(intersection([turn], [piece.span]), speech), pause_ms=_SHORT_PAUSE_MS)
            for gap in (gap for span in voiced for gap in difference(span, heard)):
                is_all = gap.duration_ms >= _MOST_OF_TURN * sum(span.duration_ms for span in voiced)
                if gap.duration_ms >= (_LEAST_SKIPPED_MS if is_all else _LEAST_GAP_MS):
                    span = Span(
                        max(piece.span.start_ms, gap.start_ms - MARGIN_MS),
                        min(piece.span.end_ms, gap.end_ms + MARGIN_MS),
                    )
                    before_ms = max((s.end_ms for s in heard if s.end_ms <= gap.start_ms), default=0)
                    after_ms = min((s.start_ms for s in heard if s.start_ms >= gap.end_ms), default=span.end_ms)
                    wanted = Span(max(span.start_ms, before_ms), min(span.end_ms, after_ms))
                    again.append((Window((Piece(span, 0),)), wanted))
    return again


def _joined(turns: Iterable[Span], duration_ms: int) -> list[Span]:
    """The turns with a margin, those that nearly meet as one."""
    wide = (
        Span(max(0, t.start_ms - MARGIN_MS), min(duration_ms, t.end_ms + MARGIN_MS))
        for t in turns
        if t.start_ms - MARGIN_MS < duration_ms
    )
    return union(span for span in wide if span.start_ms < span.end_ms)


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
