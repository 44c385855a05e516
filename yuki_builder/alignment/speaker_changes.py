"""Where one speaker of a subtitle ends and the next begins.

The file gives several speakers one time. How long each speaks is first judged by the length of the text, over the
voice that sounds in that time; then the change is looked for nearby: a pause, and another voice behind it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby, pairwise

from yuki_builder.alignment.activity import VoiceActivity
from yuki_builder.records import AlignedCue, Cue, Span, Turn

_LEAST_PAUSE_MS = 60
_FULL_PAUSE_MS = 400  # a longer pause is no better sign
_NEAR_TURN_MS = 400  # how far a diarizer's change of voice may be from the true one
# What a candidate is worth against its distance from where the text's length puts it, as shares of the whole time.
_WORTH_OF_PAUSE = 0.35
_WORTH_OF_CHANGE = 0.3


def part(spans: Sequence[Span], cues: Sequence[Cue], voice: VoiceActivity, turns: Sequence[Turn]) -> list[Span]:
    """The spans, with those of one subtitle's speakers (``Cue.group``) parted where the voice changes; pure.

    Args:
        spans: where the cues lie on the video's clock, in order of time.
        cues: as many.
        voice: voice activity.
        turns: who speaks when.
    """
    changes = _changes(turns)
    parted: list[Span] = []
    for group, rows in groupby(range(len(cues)), key=lambda k: cues[k].group or k):
        members = list(rows)
        own = [spans[k] for k in members]
        parted += own if isinstance(group, int) or len(own) < 2 else _parted(own, voice, changes)
    return parted


def split_at_lines(speech: Sequence[Span], lines: Sequence[AlignedCue], *, least_ms: int = 400) -> list[Span]:
    """Voice activity cut where lines begin and end: where a voice may change, and no window should reach over.

    Args:
        speech: in order, without overlap.
        lines: in order of time.
        least_ms: no piece gets shorter than this.
    """
    edges = sorted({time for line in lines for time in (line.start_ms, line.end_ms)})
    pieces = []
    for span in speech:
        start_ms = span.start_ms
        for edge in edges[bisect_left(edges, span.start_ms) : bisect_right(edges, span.end_ms)]:
            if start_ms + least_ms <= edge <= span.end_ms - least_ms:
                pieces.append(Span(start_ms, edge))
                start_ms = edge
        pieces.append(Span(start_ms, span.end_ms))
    return pieces


def _parted(spans: Sequence[Span], voice: VoiceActivity, changes: Sequence[int]) -> list[Span]:
    whole = Span(spans[0].start_ms, spans[-1].end_ms)
    edges = [whole.start_ms]
    for k, span in enumerate(spans[:-1], start=1):
        share = (span.end_ms - whole.start_ms) / max(1, whole.duration_ms)
        room = Span(edges[-1], max(edges[-1], spans[k].end_ms))
        edges.append(_edge(room, _time_at(share, whole, voice), whole.duration_ms, voice, changes))
    edges.append(whole.end_ms)
    return [Span(a, b) for a, b in pairwise(edges)]


def _edge(room: Span, expected_ms: int, scale_ms: int, voice: VoiceActivity, changes: Sequence[int]) -> int:
    """The likeliest time of a change of speaker in ``room``, near ``expected_ms``."""
    margin_ms = room.duration_ms // 8
    lo_ms, hi_ms = room.start_ms + margin_ms, room.end_ms - margin_ms
    expected_ms = min(max(expected_ms, lo_ms), hi_ms)
    between = [p for p in voice.pauses(room) if room.start_ms < p.start_ms and p.end_ms < room.end_ms]
    pauses = [p for p in between if p.duration_ms >= _LEAST_PAUSE_MS]
    candidates = [(expected_ms, 0)] + [((p.start_ms + p.end_ms) // 2, p.duration_ms) for p in pauses]
    candidates += [(time_ms, 0) for time_ms in changes]

    def worth(candidate: tuple[int, int]) -> float:
        time_ms, pause_ms = candidate
        is_change = any(abs(change - time_ms) <= _NEAR_TURN_MS + pause_ms // 2 for change in changes)
        return (
            _WORTH_OF_PAUSE * min(1.0, pause_ms / _FULL_PAUSE_MS)
            + _WORTH_OF_CHANGE * is_change
            - abs(time_ms - expected_ms) / max(1, scale_ms)
        )

    inside = [candidate for candidate in candidates if lo_ms <= candidate[0] <= hi_ms]
    return max(inside, key=worth)[0]


def _time_at(share: float, whole: Span, voice: VoiceActivity) -> int:
    """When that share of the voice in a span has sounded; of the span itself, where nobody speaks in it."""
    wanted_ms = share * voice.within(whole)
    if not wanted_ms:
        return whole.start_ms + round(share * whole.duration_ms)
    for region in voice.regions(whole):
        start_ms, end_ms = max(region.start_ms, whole.start_ms), min(region.end_ms, whole.end_ms)
        if wanted_ms <= end_ms - start_ms:
            return start_ms + round(wanted_ms)
        wanted_ms -= end_ms - start_ms
    return whole.end_ms


def _changes(turns: Sequence[Turn]) -> list[int]:
    """When one voice gives way to another."""
    return [
        (first.end_ms + second.start_ms) // 2
        for first, second in pairwise(sorted(turns))
        if first.speaker != second.speaker
    ]
