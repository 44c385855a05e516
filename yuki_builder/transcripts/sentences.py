"""Words cut into lines that can be read: by sentences, pauses and length. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yuki_builder.records import Word
from yuki_builder.transcripts.writing import ends_clause, ends_sentence, join_words, width


@dataclass(frozen=True, slots=True)
class LineLimits:
    """How long a line may be, and what it costs to cut elsewhere than at the end of a sentence."""

    least_ms: int = 1000
    most_ms: int = 7000
    most_width: int = 84  # two rows of a subtitle; wide characters count twice
    pause_ms: int = 700  # a silence this long always ends a line

    cut_in_clause: float = 3.0
    cut_at_comma: float = 1.5
    kept_sentence_end: float = 0.8  # a sentence that ends within a line
    too_short: float = 1.0
    pause_second: float = 2.5  # what a second of pause at a cut makes up for


LIMITS = LineLimits()


def cut_lines(words: Sequence[Word], limits: LineLimits = LIMITS) -> list[list[Word]]:
    """The words of one speaker, in order of time, as lines.

    The cheapest way to cut all of them, by dynamic programming over the words: cuts belong to the ends of sentences,
    then to commas and pauses; lines of less than a second are joined to their neighbours where no pause is between.
    A line is longer than the limits only where a single word is. O(n) for lines of bounded length.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]  # the cost of the first k words, and where their last line begins
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            line = words[start:end]
            if len(line) > 1 and not _fits(line, limits):
                break
            cost = best[start][0] + _line_cost(line, limits) + _cut_cost(words, end, limits)
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


def _line_cost(line: Sequence[Word], limits: LineLimits) -> float:
    inside = sum(ends_sentence(word.text) for word in line[:-1])
    missing = max(0, limits.least_ms - (line[-1].end_ms - line[0].start_ms)) / limits.least_ms
    return inside * limits.kept_sentence_end + (limits.too_short * (0.5 + missing) if missing else 0.0)


def _cut_cost(words: Sequence[Word], end: int, limits: LineLimits) -> float:
    """What it costs to end a line before the word ``end``."""
    if end == len(words):
        return 0.0
    pause_ms = max(0, words[end].start_ms - words[end - 1].end_ms)
    text = words[end - 1].text
    if ends_sentence(text) or pause_ms >= limits.pause_ms:
        return 0.0
    base = limits.cut_at_comma if ends_clause(text) else limits.cut_in_clause
    return max(0.2, base - limits.pause_second * pause_ms / 1000)
