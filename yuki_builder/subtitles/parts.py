"""Who speaks which lines of one cue: two speakers in one cue are two lines of dialogue.

People mark a second speaker by a dash (`- Hi.` / `- Hello.`, also `–`, `—`, `‐`, without a space, or both on one
line), by a second name (`JOHN: Hi.` / `MARY: Hello.`) or by a second WebVTT voice. A dash that only opens a lone line
is markup as well. What is no such mark stays: `-5 degrees`, `well - no`, a dash inside a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from yuki_builder.records import NameTag, Span
from yuki_builder.subtitles.marks import join_rows

_DASHES = "-‐‑–—―−－"
_OPENS = r"\"'“‘«„「『(（\[¿¡…"
_DASH = re.compile(rf"\s*[{_DASHES}](?:\s+(?=[\w{_OPENS}])|(?=[^\W\d_]|[{_OPENS}]))")
_TRAILING_DASH = re.compile(rf"\s*[{_DASHES}]\s*$")
_SENTENCE_END = re.compile(r"[.!?…。！？」』\"”’)）\]♪~～]\s*$")
# A second speaker on the same line: after a sentence, a dash with a space before it.
_INNER_DASH = re.compile(rf"(?<=[.!?…。！？\"”』」)）\]])\s+[{_DASHES}](?:\s+(?=[\w{_OPENS}])|(?=[^\W\d_]|[{_OPENS}]))")
_CJK_INNER_DASH = re.compile(rf"(?<=[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3。！？…])\s+[{_DASHES}]\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class SpeakerLine:
    """One row of a cue, its label taken off; ``tags`` are the names that stood before it, or its voice.

    ``is_new``: a mark other than a dash says that another speaker begins (`>>`, a label, a colour).
    """

    text: str
    tags: tuple[NameTag, ...] = ()
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one speaker says in a cue."""

    lines: tuple[str, ...]
    tags: tuple[NameTag, ...] = ()

    @property
    def text(self) -> str:
        return join_rows(self.lines)


def split_speakers(lines: Sequence[SpeakerLine]) -> list[Part]:
    """The parts of a cue by speaker, in order, without the dashes that open them; none where there are no lines."""
    rows = list(chain.from_iterable(map(_without_inner_dashes, lines)))
    marked = [_dash_end(row.text) for row in rows]
    dashes = sum(end is not None for end in marked)
    lone_second = dashes == 1 and marked[0] is None and _follows_a_sentence(rows, marked)
    by_dash = dashes >= 2 or lone_second
    by_name = len({row.tags for row in rows}) > 1
    parts: list[Part] = []
    for row, end in zip(rows, marked, strict=True):
        text = row.text if end is None else _undashed(row.text)
        is_named = by_name and bool(row.tags) and bool(parts) and row.tags != parts[-1].tags
        if not parts or is_named or (by_dash and end is not None) or row.is_new:
            parts.append(Part((text,), row.tags))
        else:
            parts[-1] = Part((*parts[-1].lines, text), parts[-1].tags or row.tags)
    return parts


def share_out(span: Span, weights: Sequence[int]) -> list[Span]:
    """A span cut into consecutive ones whose lengths are as the weights."""
    total, start_ms, done, spans = max(1, sum(weights)), span.start_ms, 0, []
    for weight in weights:
        done += weight
        end_ms = span.start_ms + round(span.duration_ms * done / total)
        spans.append(Span(start_ms, end_ms))
        start_ms = end_ms
    return spans


def split_inner_dashes(text: str) -> list[str]:
    """A row that opens with a dash, cut where another speaker's dash stands in it."""
    if _dash_end(text) is None:
        return [text]
    first, *rest = (_CJK_INNER_DASH if _CJK_INNER_DASH.search(text) else _INNER_DASH).split(text)
    return [first, *(f"- {piece}" for piece in rest)]


def _without_inner_dashes(line: SpeakerLine) -> list[SpeakerLine]:
    first, *rest = split_inner_dashes(line.text)
    if not rest:
        return [line]
    return [SpeakerLine(first, line.tags, line.is_new), *map(SpeakerLine, rest)]


def _follows_a_sentence(rows: Sequence[SpeakerLine], marked: Sequence[int | None]) -> bool:
    second = next(k for k, end in enumerate(marked) if end is not None)
    return bool(_SENTENCE_END.search(rows[second - 1].text))


def _dash_end(text: str) -> int | None:
    """Where the words behind an opening dash begin (for a dash that closes a right-to-left line: 0), or None."""
    first = text[:1]
    match = _DASH.match(text) if first in _DASHES or first.isspace() else None
    if match:
        return match.end()
    return 0 if text.rstrip()[-1:] in _DASHES and _TRAILING_DASH.search(text) and _is_right_to_left(text) else None


def _undashed(text: str) -> str:
    match = _DASH.match(text)
    return text[match.end() :] if match else _TRAILING_DASH.sub("", text)


def _is_right_to_left(text: str) -> bool:
    """Whether most letters run from right to left: old players want the dash of such a line at its end."""
    if text.isascii():
        return False
    sides = [unicodedata.bidirectional(c) for c in text if c.isalpha()]
    return 2 * sum(side in ("R", "AL") for side in sides) > len(sides)
