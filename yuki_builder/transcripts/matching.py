"""Lines of subtitles against the words that were heard: where their edges are, how much of their text is heard. Pure.

The tokens of all lines (words; characters where a script has no spaces) are matched to tokens heard near their time, in
order: the heaviest chain of matches, found with a tree of prefix maxima. O(p log n) for p pairs of like tokens.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from yuki_builder.chinese import simplified_character
from yuki_builder.records import AlignedCue, Cue, Record, Span, Word
from yuki_builder.spans import ByTime
from yuki_builder.transcripts.writing import is_unspaced

REACH_MS = 1500  # subtitles stand no further from what is said, once they are on the episode's clock
_LEAST_SHARE = 0.35  # below it the lines are not what is said: another language, another episode
_ALIKE = 0.75  # two words of four letters and more that are as alike are one, heard or spelled otherwise
_NEAR_MS = 450  # recognisers end the last word early; an edge of the voice that lies no further away is more exact
_INSIDE_MS = 150  # words are timed to about that: so far inside them an edge of the voice may lie
_AGREED_MS = 350  # edges of a line and of its words that differ by no more are two estimates of one edge
_FEWEST_TO_TRUST = 0.5  # the share of a line that must be heard for its edges to be those of its words
_UNWRITTEN_COVER = 0.3
_UNWRITTEN_SURE = 0.5
_TOKEN = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class TextMatch(Record):
    """How much (0..1) of a cue's text is heard at its place."""

    cue_id: str
    share: float


@dataclass(frozen=True, slots=True)
class Matched:
    """Lines and words brought together.

    Attributes:
        lines: in the order given, their edges on the words where those agree with the text.
        matches: of every line that has letters.
        share: of all tokens of all lines, how many are heard.
        unwritten: what is heard, but stands in no line.
    """

    lines: tuple[AlignedCue, ...]
    matches: tuple[TextMatch, ...]
    share: float
    unwritten: tuple[Cue, ...]

    @property
    def is_trusted(self) -> bool:
        """Whether the lines are what is said, so that words may move them."""
        return self.share >= _LEAST_SHARE


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    owner: int  # the line that it stands in, or the word that it was heard in
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class _Edges:
    """Where voice activity begins and ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, speech: Iterable[Span]) -> _Edges:
        spans = sorted(speech)
        return cls(tuple(span.start_ms for span in spans), tuple(sorted(span.end_ms for span in spans)))

    def pauses_between(self, first_ms: int, last_ms: int) -> bool:
        """Whether the voice begins anew between two times."""
        k = bisect_left(self.starts, first_ms)
        return k < len(self.starts) and self.starts[k] <= last_ms


def match_words(
    lines: Sequence[AlignedCue], words: Sequence[Word], heard: Sequence[Cue], speech: Iterable[Span] = ()
) -> Matched:
    """Bring lines and words together.

    Args:
        lines: on the episode's clock, in order of time.
        words: that were heard, in any order.
        heard: the same as cues; those left out are no speech.
        speech: voice activity, on which edges of lines are; near a word's edge they are more exact than that.
    """
    ordered = sorted(words, key=lambda word: (word.start_ms, word.end_ms))
    written = [token for k, line in enumerate(lines) for token in _tokens(line.cue.text, k, line.span)]
    spoken = [token for k, w in enumerate(ordered) for token in _tokens(w.text, k, Span(w.start_ms, w.end_ms))]
    pairs = _chain(written, spoken)
    found: list[dict[int, tuple[_Token, float]]] = [{} for _ in lines]
    counts = [0] * len(lines)
    first = [0] * len(lines)
    for position, token in enumerate(written):
        if not counts[token.owner]:
            first[token.owner] = position
        counts[token.owner] += 1
        if position in pairs:
            other, weight = pairs[position]
            found[token.owner][position - first[token.owner]] = (spoken[other], weight)
    shares = [sum(weight for _, weight in own.values()) / max(1, n) for own, n in zip(found, counts, strict=True)]
    total = sum(weight for own in found for _, weight in own.values()) / max(1, len(written))
    is_trusted = bool(written) and total >= _LEAST_SHARE
    placed = list(lines)
    if is_trusted:
        heard_times = _Edges.of(Span(word.start_ms, word.end_ms) for word in ordered)
        voice = _Edges.of(speech)
        placed = _without_crossing(
            [_placed(*args, voice, heard_times) for args in zip(lines, found, counts, shares, strict=True)]
        )
    return Matched(
        lines=tuple(placed),
        matches=tuple(
            TextMatch(line.cue.cue_id, round(min(1.0, share), 3))
            for line, share, n in zip(lines, shares, counts, strict=True)
            if n
        ),
        share=total,
        unwritten=tuple(_unwritten(heard, lines)) if is_trusted else (),
    )


def _tokens(text: str, owner: int, span: Span) -> list[_Token]:
    """The words of a text, or its characters where it has no spaces, each with its share of the time."""
    pieces: list[str] = []
    for word in _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()):
        for unspaced, run in groupby(word.replace("’", "'"), key=is_unspaced):
            characters = list(run)
            # Recognisers write simplified and traditional characters as it comes, whatever the subtitles do.
            pieces += map(simplified_character, characters) if unspaced else ["".join(characters)]
    letters = sum(map(len, pieces))
    tokens, before = [], 0
    for piece in pieces:
        start_ms = span.start_ms + span.duration_ms * before // letters
        before += len(piece)
        tokens.append(_Token(piece, owner, start_ms, span.start_ms + span.duration_ms * before // letters))
    return tokens


@functools.lru_cache(maxsize=1 << 16)
def _similarity(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if min(len(one), len(other)) < 4:
        return 0.0
    ratio = difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    return ratio if ratio >= _ALIKE else 0.0


def _chain(written: Sequence[_Token], spoken: Sequence[_Token]) -> dict[int, tuple[int, float]]:
    """The heaviest matching that keeps the order of both: by written position the heard one, and its weight."""
    starts = [token.start_ms for token in spoken]
    tree: list[tuple[float, int]] = [(0.0, -1)] * (len(spoken) + 1)  # the best chain that ends before a heard token
    links: list[tuple[int, int, float, int]] = []  # written, spoken, similarity, link before

    for position, token in enumerate(written):
        lo = bisect_left(starts, token.start_ms - REACH_MS)
        hi = bisect_right(starts, token.end_ms + REACH_MS)
        new = []
        for other in range(lo, hi):
            weight = _similarity(token.text, spoken[other].text)
            if weight:
                distance_s = abs(token.start_ms - spoken[other].start_ms) / 1000
                best, before = _best_before(tree, other)
                new.append((best + weight - 0.01 * distance_s, len(links), other))
                links.append((position, other, weight, before))
        for total, link, other in new:  # afterwards: a token is matched once
            _improve(tree, other, (total, link))
    chain: dict[int, tuple[int, float]] = {}
    _, link = _best_before(tree, len(spoken))
    while link >= 0:
        position, other, weight, link = links[link]
        chain[position] = (other, weight)
    return chain


def _best_before(tree: Sequence[tuple[float, int]], position: int) -> tuple[float, int]:
    """The best of all entries before a position (a Fenwick tree of maxima)."""
    best = (0.0, -1)
    while position > 0:
        best = max(best, tree[position])
        position -= position & -position
    return best


def _improve(tree: list[tuple[float, int]], position: int, entry: tuple[float, int]) -> None:
    position += 1
    while position < len(tree):
        tree[position] = max(tree[position], entry)
        position += position & -position


def _placed(
    line: AlignedCue,
    found: dict[int, tuple[_Token, float]],
    count: int,
    share: float,
    voice: _Edges,
    words: _Edges,
) -> AlignedCue:
    """The line with its edges where its first and last words say, as far as those were heard."""
    if share < _FEWEST_TO_TRUST:
        return line
    own = [found[k][0] for k in sorted(found)]
    first, last = 0 in found, count - 1 in found
    # A word that a pause sets off from the rest, on the far side of the line's own edge, was heard too far away.
    if first and len(own) > 1 and own[0].end_ms <= line.start_ms and voice.pauses_between(own[0].end_ms, own[1].end_ms):
        own, first = own[1:], False
    if (
        last
        and len(own) > 1
        and own[-1].start_ms >= line.end_ms
        and voice.pauses_between(own[-2].end_ms, own[-1].end_ms)
    ):
        own, last = own[:-1], False
    start_ms, end_ms = min(token.start_ms for token in own), max(token.end_ms for token in own)
    agreed_ms = 0 if line.cue.group else _AGREED_MS  # where speakers of one subtitle change is not known from its times
    if first:
        k = bisect_right(words.ends, start_ms)  # another word ends before it
        start_ms = _edge(
            line.start_ms,
            start_ms,
            voice.starts,
            agreed_ms=agreed_ms,
            first_ms=max(start_ms - _NEAR_MS, words.ends[k - 1] if k else 0),
            last_ms=start_ms + _INSIDE_MS,
        )
    else:  # an edge that was not heard lies outside all that was
        start_ms = min(line.start_ms, start_ms)
    if last:
        k = bisect_left(words.starts, end_ms)
        end_ms = _edge(
            line.end_ms,
            end_ms,
            voice.ends,
            agreed_ms=agreed_ms,
            first_ms=end_ms - _INSIDE_MS,
            last_ms=min(end_ms + _NEAR_MS, words.starts[k] if k < len(words.starts) else end_ms + _NEAR_MS),
        )
    else:
        end_ms = max(line.end_ms, end_ms)
    return AlignedCue(line.cue, start_ms, end_ms, line.speech_ms) if end_ms > start_ms else line


def _edge(line_ms: int, word_ms: int, voice: Sequence[int], *, agreed_ms: int, first_ms: int, last_ms: int) -> int:
    """Where a line begins or ends.

    Voice activity is finer than words where it has an edge. Where it has none, the line's own edge and that of its
    words are two estimates; words are right where the two are far apart.

    Args:
        line_ms: the line's own edge.
        word_ms: that of its first or last word.
        voice: edges of voice activity of that kind, in order.
        agreed_ms: so far apart the two estimates may be.
        first_ms: no edge of the voice before it is the line's.
        last_ms: nor one behind it.
    """
    near = voice[bisect_left(voice, first_ms) : bisect_right(voice, last_ms)]
    k = bisect_left(voice, line_ms)
    if k < len(voice) and voice[k] == line_ms and abs(line_ms - word_ms) <= _NEAR_MS:
        return line_ms
    if near:
        return min(near, key=lambda edge_ms: abs(edge_ms - word_ms))
    return (line_ms + word_ms) // 2 if abs(line_ms - word_ms) <= agreed_ms else word_ms


def _without_crossing(lines: list[AlignedCue]) -> list[AlignedCue]:
    """Speakers of one subtitle follow each other: the earlier ends where the later begins."""
    result = list(lines)
    for k in range(len(result) - 1):
        one, other = result[k], result[k + 1]
        is_same = one.cue.group is not None and one.cue.group == other.cue.group
        if is_same and one.start_ms < other.start_ms < one.end_ms:
            result[k] = AlignedCue(one.cue, one.start_ms, other.start_ms, one.speech_ms)
    return result


def _unwritten(heard: Iterable[Cue], lines: Sequence[AlignedCue]) -> list[Cue]:
    """What was heard for certain, of more than one token, where hardly any line is."""
    by_time = ByTime(lines)
    missing = []
    for cue in heard:
        if cue.left_out is not None or (cue.confidence or 0.0) < _UNWRITTEN_SURE or not cue.span.duration_ms:
            continue
        covered_ms = sum(line.span.overlap_ms(cue.span) for line in by_time.near(cue.span))
        if covered_ms < _UNWRITTEN_COVER * cue.span.duration_ms and len(_tokens(cue.text, 0, cue.span)) > 1:
            missing.append(cue)
    return missing
