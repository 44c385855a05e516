"""Cue times moved to the edges of the voice.

People place a subtitle a little before the voice and leave it standing after; what belongs to the line is the
voice in between. Every cue looks for the edges of voice activity within its reach; between two cues stands one
cut that neither crosses, in the pause nearest to where the cues meet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from statistics import median_low

from yuki_builder.alignment.activity import VoiceActivity
from yuki_builder.alignment.speaker_changes import part
from yuki_builder.records import AlignedCue, Cue, Resync, Span, Turn

REACH_MS = 400
_STANDING_MS = 700  # a subtitle is left standing behind the voice for longer than it comes before it
_PAUSE_REACH_MS = 300  # a pause further from where two cues meet divides something else
_SLOPPY_OVERLAP_MS = 300  # cues that overlap by no more meet; beyond it, two voices are meant to sound at once
_NEVER_MS = 1 << 60
_FEWEST_TO_TRUST = 12  # edges that tell how a track was timed
_TIMED_TO_THE_VOICE_MS = 75  # the spread (sigma) of edges around the voice that only listening gives
_ODD_MS = 120
_MAD_TO_SIGMA = 1.4826


def align(
    cues: Sequence[Cue],
    speech: Sequence[Span],
    *,
    turns: Sequence[Turn] = (),
    resync: Resync | None = None,
    reach_ms: int = REACH_MS,
) -> list[AlignedCue]:
    """Each spoken cue with the place of its voice, ordered by time. Pure; O(n log n).

    An edge moves by at most ``reach_ms`` (an end by 0.7 s inward), to the first and last edge of voice activity that is
    the cue's own: never over the cut between it and a neighbour. Pauses inside a cue stay inside. A cue without
    voice in reach keeps its times, with ``speech_ms`` 0; cues that overlap by a few frames meet in the middle.

    Args:
        cues: in any order; those left out are skipped.
        speech: voice activity, in any order.
        turns: who speaks when, which tells where the speakers of one subtitle change.
        resync: how the file's times become the video's; None: they are.
        reach_ms: how far an edge may move.
    """
    placed = [(cue.span if resync is None else resync.place(cue.span), cue) for cue in cues if cue.left_out is None]
    placed.sort(key=lambda pair: (pair[0], pair[1].index))
    spoken = [cue for _, cue in placed]
    voice = VoiceActivity.of(speech)
    spans = part([span for span, _ in placed], spoken, voice, turns)
    spans = _without_sloppy_overlaps(spans)
    limits = _limits(spans, voice, reach_ms=reach_ms)
    snapped = [_snap(span, limit, voice, reach_ms=reach_ms) for span, limit in zip(spans, limits, strict=True)]
    snapped = _without_odd_moves(spans, snapped, limits)
    for k in reversed(range(len(snapped) - 1)):  # a cue around another does not begin after it
        snapped[k] = Span(min(snapped[k].start_ms, snapped[k + 1].start_ms), snapped[k].end_ms)
    return [
        AlignedCue(cue, span.start_ms, span.end_ms, speech_ms=voice.within(span))
        for cue, span in zip(spoken, snapped, strict=True)
    ]


def _without_odd_moves(spans: Sequence[Span], snapped: Sequence[Span], limits: Sequence[Span]) -> list[Span]:
    """The snapped spans; of a track that was timed to the voice, edges that would move unlike all others do not.

    Where most edges lie on the voice to a few hundredths of a second, somebody listened, and an edge that does not
    is a breath or a whisper that voice activity misses.
    """
    starts = _without_outliers([s.start_ms - span.start_ms for s, span in zip(snapped, spans, strict=True)])
    ends = _without_outliers([s.end_ms - span.end_ms for s, span in zip(snapped, spans, strict=True)])
    trusted = []
    for span, limit, start_ms, end_ms in zip(spans, limits, starts, ends, strict=True):
        first_ms = max(limit.start_ms, span.start_ms + start_ms)
        last_ms = min(limit.end_ms, span.end_ms + end_ms)
        trusted.append(Span(first_ms, last_ms) if first_ms < last_ms else span)
    return trusted


def _without_outliers(moves_ms: Sequence[int]) -> list[int]:
    """How far edges move, with the odd ones taken for the usual one where there is a usual one."""
    if len(moves_ms) < _FEWEST_TO_TRUST:
        return list(moves_ms)
    usual_ms = median_low(moves_ms)
    spread_ms = _MAD_TO_SIGMA * median_low([abs(move - usual_ms) for move in moves_ms])
    if spread_ms > _TIMED_TO_THE_VOICE_MS:
        return list(moves_ms)
    odd_ms = max(3 * spread_ms, _ODD_MS)
    return [usual_ms if abs(move - usual_ms) > odd_ms else move for move in moves_ms]


def _without_sloppy_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Two cues that overlap by a few frames, with no third there, meet in the middle of the overlap."""
    starts, ends = [span.start_ms for span in spans], [span.end_ms for span in spans]
    ended_ms = 0  # when the last cue before the two ends
    for k, (first, second) in enumerate(pairwise(spans)):
        overlap_ms = first.end_ms - second.start_ms
        allowed_ms = min(_SLOPPY_OVERLAP_MS, first.duration_ms // 2, second.duration_ms // 2)
        is_free = ended_ms <= second.start_ms and (k + 2 == len(spans) or spans[k + 2].start_ms >= first.end_ms)
        if 0 < overlap_ms <= allowed_ms and is_free:
            ends[k] = starts[k + 1] = second.start_ms + overlap_ms // 2
        ended_ms = max(ended_ms, first.end_ms)
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


def _limits(spans: Sequence[Span], voice: VoiceActivity, *, reach_ms: int) -> list[Span]:
    """For each cue the stretch that it may take at most: its reach, ended by the cuts before and after it.

    Where a cue begins or ends inside another, two voices sound at once: that edge does not move outward.
    """
    cut_before, cut_behind = _cuts(spans, voice, depth_ms=min(reach_ms, _PAUSE_REACH_MS))
    starts_of_cuts, ends_of_cuts = sorted(cut_before), sorted(cut_behind)
    by_start, by_end = sorted(spans), sorted(spans, key=lambda span: span.end_ms)
    starts, ends = [span.start_ms for span in by_start], [span.end_ms for span in by_end]
    # Before the k-th start: when the last of those cues ends. From the k-th end on: when the first of them starts.
    latest_end = list(accumulate((span.end_ms for span in by_start), max, initial=-1))
    earliest_start = list(accumulate((span.start_ms for span in reversed(by_end)), min, initial=_NEVER_MS))[::-1]

    limits = []
    for span in spans:
        lo_ms, hi_ms = span.start_ms - reach_ms, span.end_ms + reach_ms
        if latest_end[bisect_left(starts, span.start_ms)] > span.start_ms:
            lo_ms = span.start_ms
        if earliest_start[bisect_right(ends, span.end_ms)] < span.end_ms:
            hi_ms = span.end_ms
        if (k := bisect_right(ends_of_cuts, span.start_ms)) > 0:
            lo_ms = max(lo_ms, cut_behind[ends_of_cuts[k - 1]])
        if (k := bisect_left(starts_of_cuts, span.end_ms)) < len(starts_of_cuts):
            hi_ms = min(hi_ms, cut_before[starts_of_cuts[k]])
        limits.append(Span(lo_ms, hi_ms))
    return limits


def _cuts(spans: Sequence[Span], voice: VoiceActivity, *, depth_ms: int) -> tuple[dict[int, int], dict[int, int]]:
    """Where cues that follow each other are divided: by the start of the later, and by the end of the earlier.

    One cut for each gap, which runs from an end to the first start after it, with no other edge inside. A cut
    enters no cue by more than ``depth_ms`` and a third of its length, so that something is left of each, and never
    lies before the cut of an earlier gap, so that cues stay in order.
    """
    by_start, by_end = sorted(spans), sorted(spans, key=lambda span: span.end_ms)
    starts, ends = [span.start_ms for span in by_start], [span.end_ms for span in by_end]
    # How far back a cut behind the first k ends may go, and how far on one before the k-th start and all after it.
    earliest = list(accumulate((span.end_ms - _depth_ms(span, depth_ms) for span in by_end), max))
    latest = list(accumulate((span.start_ms + _depth_ms(span, depth_ms) for span in reversed(by_start)), min))[::-1]

    cut_before: dict[int, int] = {}
    cut_behind: dict[int, int] = {}
    cut_ms = 0
    for k, end_ms in enumerate(ends):
        following = bisect_left(starts, end_ms)
        if following == len(starts) or (k + 1 < len(ends) and ends[k + 1] <= starts[following]):
            continue
        gap = Span(end_ms, starts[following])
        window = Span(earliest[k], latest[following])
        cut_ms = max(cut_ms, _cut(gap, voice.pauses(window)))
        cut_behind[gap.start_ms] = cut_before[gap.end_ms] = cut_ms
    return cut_before, cut_behind


def _depth_ms(span: Span, most_ms: int) -> int:
    return min(most_ms, span.duration_ms // 3)


def _cut(gap: Span, pauses: Sequence[Span]) -> int:
    """The time that divides two cues: in the pause nearest to the gap between them, the longest of equals."""
    middle_ms = (gap.start_ms + gap.end_ms) // 2
    if not pauses:
        return middle_ms
    pause = min(pauses, key=lambda pause: (_distance_ms(pause, gap), -pause.duration_ms))
    lo_ms, hi_ms = max(pause.start_ms, gap.start_ms), min(pause.end_ms, gap.end_ms)
    if lo_ms <= hi_ms:
        return (lo_ms + hi_ms) // 2
    return min(max(middle_ms, pause.start_ms), pause.end_ms)


def _distance_ms(pause: Span, gap: Span) -> int:
    return max(0, gap.start_ms - pause.end_ms, pause.start_ms - gap.end_ms)


def _snap(span: Span, limit: Span, voice: VoiceActivity, *, reach_ms: int) -> Span:
    """The span with its edges on the voice inside ``limit``.

    A region that runs out of reach has no edge to snap to; if it does not touch the cue, it is not the cue's.
    """
    has_start = limit.start_ms > span.start_ms - reach_ms  # the limit is a cut, which is an edge as well
    has_end = limit.end_ms < span.end_ms + reach_ms
    own = [
        region
        for region in voice.regions(limit)
        if region.overlap_ms(span)
        or ((has_start or region.start_ms >= limit.start_ms) and (has_end or region.end_ms <= limit.end_ms))
    ]
    start_ms, end_ms = max(span.start_ms, limit.start_ms), min(span.end_ms, limit.end_ms)
    if own:
        first_ms, last_ms = max(own[0].start_ms, limit.start_ms), min(own[-1].end_ms, limit.end_ms)
        if (has_start or own[0].start_ms >= limit.start_ms) and first_ms <= span.start_ms + reach_ms:
            start_ms = first_ms
        if (has_end or own[-1].end_ms <= limit.end_ms) and last_ms >= span.end_ms - max(
            reach_ms, min(_STANDING_MS, 2 * span.duration_ms // 3)
        ):
            end_ms = last_ms
    return Span(start_ms, end_ms) if start_ms < end_ms else span
