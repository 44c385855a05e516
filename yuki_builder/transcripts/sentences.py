"""Words cut into lines that can be read: by sentences, pauses and length. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from yuki_builder.records import Word
from yuki_builder.transcripts.writing import asks_question, ends_clause, ends_sentence, is_unspaced, join_words, width


@dataclass(frozen=True, slots=True)
class LineLimits:
    """How long a line may be, and what it costs to cut elsewhere than at the end of a sentence."""

    least_ms: int = 1000
    most_ms: int = 7000
    most_width: int = 84  # two rows of a subtitle; wide characters count twice
    pause_ms: int = 550  # a silence this long always ends a line

    cut_in_clause: float = 3.0
    cut_at_comma: float = 1.5
    cut_at_space: float = 0.2  # a space in a script that has none: recognisers write it where a sentence begins
    kept_sentence_end: float = 1.1  # a sentence that ends within a line: 0.4 s of one stand alone, less is joined
    kept_question: float = 0.8  # more where it asks: the answer may well be somebody else's
    segment_pause_ms: int = 150  # where the recogniser ended a segment before so much of a pause, a sentence ends
    too_short: float = 1.0
    pause_second: float = 2.5  # what a second of pause at a cut makes up for


LIMITS = LineLimits()


def cut_lines(
    words: Sequence[Word], limits: LineLimits = LIMITS, *, segment_ends: Collection[int] = ()
) -> list[list[Word]]:
    """The words of one speaker, in order of time, as lines.

    ``segment_ends`` are positions of words that the recogniser ended a segment with: it hears more than punctuation.

    The cheapest way to cut all of them, by dynamic programming over the words: cuts belong to the ends of sentences,
    then to commas and pauses; lines of less than a second are joined to their neighbours where no pause is between, but
    sentences of 0.4 s and more are not: the next one may be somebody else's, where the turns do not tell.
    A line is longer than the limits only where a single word is. O(n) for lines of bounded length.

    Args:
        words: of one speaker, by time.
        limits: how long a line may be.
        segment_ends: places of words that the recogniser ended a segment with.
    """
    marks = [_Mark.of(words, k, limits, is_segment_end=k in segment_ends) for k in range(len(words))]
    kept = list(accumulate((mark.kept for mark in marks), initial=0.0))
    best: list[tuple[float, int]] = [(0.0, 0)]  # the cost of the first k words, and where their last line begins
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            line = words[start:end]
            if len(line) > 1 and not _fits(line, limits):
                break
            inside = kept[end - 1] - kept[start]
            cost = best[start][0] + inside + _shortness(line, limits) + marks[end - 1].cut
            options.append((cost, start))
        best.append(min(options, key=lambda option: (option[0], -option[1])))
    lines: list[list[Word]] = []
    end = len(words)
    while end:
        start = best[end][1]
        lines.append(list(words[start:end]))
        end = start
    return lines[::-1]


def _fits(line: Sequence[Word], limits: LineLimits) -> bool:
    """Whether words may be one line; if not, no longer run that ends with them may either."""
    return (
        line[-1].end_ms - line[0].start_ms <= limits.most_ms
        and line[1].start_ms - line[0].end_ms < limits.pause_ms
        and width(join_words(word.text for word in line)) <= limits.most_width
    )


def _shortness(line: Sequence[Word], limits: LineLimits) -> float:
    missing = max(0, limits.least_ms - (line[-1].end_ms - line[0].start_ms)) / limits.least_ms
    return limits.too_short * (0.5 + missing) if missing else 0.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """What it costs to end a line behind a word, and to go on in the same line."""

    cut: float
    kept: float

    @classmethod
    def of(cls, words: Sequence[Word], k: int, limits: LineLimits, *, is_segment_end: bool) -> _Mark:
        if k + 1 == len(words):
            return cls(cut=0.0, kept=0.0)
        pause_ms = max(0, words[k + 1].start_ms - words[k].end_ms)
        made_up = limits.pause_second * pause_ms / 1000
        text = words[k].text
        if ends_sentence(text) or (is_segment_end and pause_ms >= limits.segment_pause_ms):
            asks = limits.kept_question if asks_question(text) else 0.0
            return cls(cut=0.0, kept=limits.kept_sentence_end + asks + made_up)
        if is_segment_end and is_unspaced(text.strip()[-1]) and not ends_clause(text):
            return cls(cut=0.0, kept=limits.kept_sentence_end + made_up)  # recognisers often write no marks there
        is_set_off = is_unspaced(text.strip()[-1]) and words[k + 1].text[:1].isspace()
        if is_set_off and not ends_clause(text):
            return cls(cut=max(0.0, limits.cut_at_space - made_up), kept=limits.kept_sentence_end)
        base = limits.cut_at_comma if is_segment_end or ends_clause(text) else limits.cut_in_clause
        return cls(cut=max(0.2, base - made_up), kept=0.0)
