"""Text that is shown more than once: frame by frame, word by word, or rolling up row by row.

Each phrase counts once, from when it appears until a newer one takes its place. Whether a file rolls or repeats is
judged over all of it; texts that meet exactly are one in any file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from yuki_builder.subtitles.cleaning import is_plain
from yuki_builder.subtitles.drafts import Draft
from yuki_builder.subtitles.reasons import LeftOut

_TOUCHING_MS = 20  # ASS rounds times to 10 ms
_FRAME_MS = 50
_SHORT_MS = 150  # what lasts less is a frame of an animation
_PAUSE_MS = 2000  # between two words of one highlighted line
_ROLLING_GAP_MS = 300
_MIN_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Repeats:
    """How a file repeats its text."""

    rolls: bool = False
    highlights: bool = False
    merged: int = 0


def once(drafts: Sequence[Draft]) -> tuple[list[Draft], Repeats]:
    """The drafts with each phrase once; the entries that only repeat one are left out as continuations."""
    highlights = _highlights(drafts)
    joined = _join_equal(drafts, highlights=highlights)
    rolls = _rolls(joined)
    joined = _unroll(joined) if rolls else _join_contained(joined)
    merged = sum(a.left_out is None and b.left_out is LeftOut.CONTINUED for a, b in zip(drafts, joined, strict=True))
    return joined, Repeats(rolls, highlights, merged)


def _kept(drafts: Sequence[Draft]) -> list[int]:
    return [k for k, draft in enumerate(drafts) if draft.left_out is None and draft.cleaned.lines]


def _highlights(drafts: Sequence[Draft]) -> bool:
    """Whether the file shows each of its lines several times in a row, each time with another word marked."""
    kept = _kept(drafts)
    equal = sum(
        drafts[a].lines == drafts[b].lines
        and drafts[a].event.text != drafts[b].event.text
        and _TOUCHING_MS < drafts[b].start_ms - drafts[a].end_ms <= _PAUSE_MS
        for a, b in pairwise(kept)
    )
    return equal >= 3 and equal >= 0.4 * len(kept)


def _join_equal(drafts: Sequence[Draft], *, highlights: bool) -> list[Draft]:
    """One text in one style in entries that meet: the first lasts as long as all of them."""
    found = list(drafts)
    last: dict[tuple[str, tuple[str, ...]], int] = {}
    ends: dict[int, int] = {}
    for k in _kept(drafts):
        draft = drafts[k]
        key = (draft.style, draft.lines)
        first = last.get(key)
        if first is not None and _meets(drafts[first], ends[first], draft, highlights=highlights):
            ends[first] = max(ends[first], draft.end_ms)
            found[k] = draft.without(LeftOut.CONTINUED)
        else:
            last[key] = k
            ends[k] = draft.end_ms
    for k, end_ms in ends.items():
        if end_ms != drafts[k].end_ms:
            found[k] = replace(drafts[k], end_ms=end_ms)
    return found


def _meets(first: Draft, end_ms: int, second: Draft, *, highlights: bool) -> bool:
    """Whether an entry goes on with a text that is shown until ``end_ms``."""
    if second.start_ms <= first.start_ms:
        return False
    if first.event.actor != second.event.actor and first.event.actor.strip() and second.event.actor.strip():
        return False
    is_frame = second.end_ms - second.start_ms <= _SHORT_MS
    most_ms = _PAUSE_MS if highlights else _FRAME_MS if is_frame else _TOUCHING_MS
    return -_FRAME_MS <= second.start_ms - end_ms <= most_ms


def _rolls(drafts: Sequence[Draft]) -> bool:
    """Whether rows of one entry open the next throughout the file."""
    kept = [drafts[k] for k in _kept(drafts)]
    rolling = sum(_shared(a.lines, b.lines)[0] > 0 and a.lines != b.lines and _is_near(a, b) for a, b in pairwise(kept))
    return rolling >= 2 and rolling >= _MIN_SHARE * (len(kept) - 1)


def _is_near(first: Draft, second: Draft) -> bool:
    return (
        first.style == second.style
        and first.start_ms <= second.start_ms
        and second.start_ms - first.end_ms <= _ROLLING_GAP_MS
    )


def _shared(before: Sequence[str], now: Sequence[str]) -> tuple[int, bool]:
    """How many rows at the end of one entry open the next, and whether the last of them goes on there."""
    last = before[-1]
    for count in range(min(len(before), len(now)), 0, -1):
        if _grows(last, now[count - 1]) and before[-count:-1] == now[: count - 1]:
            return count, last != now[count - 1]
    return 0, False


def _grows(before: str, now: str) -> bool:
    if not now.startswith(before):
        return False
    if len(now) == len(before):
        return True
    return now[len(before)].isspace() or not now[len(before)].isalnum() or ord(before[-1]) > 0x2E80


def _unroll(drafts: Sequence[Draft]) -> list[Draft]:
    """Each row of a rolling file once, with the time from its appearance to the next one's."""
    found = list(drafts)
    before: Draft | None = None
    newest = -1  # the entry that holds the phrase shown last
    for k in _kept(drafts):
        draft = drafts[k]
        count, has_grown = (
            _shared(before.lines, draft.lines) if before is not None and _is_near(before, draft) else (0, False)
        )
        is_all_old = count == len(draft.lines)
        if count and newest >= 0:
            holder = found[newest]
            lines = (*holder.lines[:-1], draft.lines[count - 1]) if has_grown else holder.lines
            end_ms = max(holder.end_ms, draft.end_ms) if is_all_old else min(holder.end_ms, draft.start_ms)
            found[newest] = _with_lines(holder, lines, end_ms=max(holder.start_ms + 1, end_ms))
        elif newest >= 0 and _is_near(found[newest], draft):
            holder = found[newest]
            found[newest] = replace(holder, end_ms=max(holder.start_ms + 1, min(holder.end_ms, draft.start_ms)))
        if is_all_old:
            found[k] = draft.without(LeftOut.CONTINUED)
        else:
            found[k] = _with_lines(draft, draft.lines[count:], first=count)
            newest = k
        before = draft
    return found


def _join_contained(drafts: Sequence[Draft]) -> list[Draft]:
    """Where a sign comes up over a line or goes, the line's entry is cut in two: the line is one nevertheless."""
    found = list(drafts)
    kept = _kept(drafts)
    for a, b in pairwise(kept):
        first, second = found[a], found[b]
        rows, more = first.lines, second.lines
        if len(rows) == len(more) or abs(second.start_ms - first.end_ms) > _TOUCHING_MS:
            continue
        if first.left_out is not None or first.style != second.style:
            continue
        shorter, longer = (rows, more) if len(rows) < len(more) else (more, rows)
        at = next((j for j in range(len(longer) - len(shorter) + 1) if longer[j : j + len(shorter)] == shorter), None)
        if at is None or (len(shorter) < 2 and len(shorter[0].split()) < 3):
            continue
        if shorter is rows:
            sign = (*more[:at], *more[at + len(rows) :])
            found[a] = replace(first, end_ms=second.end_ms)
            found[b] = _with_lines(second, sign)
            if is_sign_text(sign, rows):
                found[b] = found[b].without(LeftOut.SIGN)
        elif is_sign_text(sign := (*rows[:at], *rows[at + len(more) :]), more):
            found[a] = _with_lines(first, sign).without(LeftOut.SIGN)
            found[b] = replace(second, start_ms=first.start_ms)
        else:
            found[a] = replace(first, end_ms=second.end_ms)
            found[b] = second.without(LeftOut.CONTINUED)
    return found


def is_sign_text(sign: Sequence[str], beside: Sequence[str]) -> bool:
    """Whether rows are written as signs are, beside rows that are not: in capitals."""
    return " ".join(sign).isupper() and not " ".join(beside).isupper()


def _with_lines(draft: Draft, lines: tuple[str, ...], *, first: int = 0, end_ms: int | None = None) -> Draft:
    cleaned = draft.cleaned
    count = len(lines)
    kept = replace(
        cleaned,
        lines=lines,
        voice_of_line=cleaned.voice_of_line[first : first + count],
        colour_of_line=cleaned.colour_of_line[first : first + count],
        is_plain=all(map(is_plain, lines)) and not (cleaned.voice_of_line or cleaned.colour_of_line),
    )
    if len(kept.voice_of_line) != count:
        kept = replace(kept, voice_of_line=())
    if len(kept.colour_of_line) != count:
        kept = replace(kept, colour_of_line=())
    return replace(draft, cleaned=kept, end_ms=draft.end_ms if end_ms is None else end_ms)
