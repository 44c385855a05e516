"""A whole subtitle track against the voice: late by a constant, of another frame rate, or cut differently.

A cue says "somebody speaks here and nobody did just before". Under each place that a cue could have, the voice
activity is a likelihood: frames inside cues hold voice with one probability, frames outside with another, both
learned from the file itself. For each frame rate ratio people meet, the best path through (cue, offset) is found
by dynamic programming (Viterbi): the offset stays, or jumps at a price, which is how other cuts, recaps and
advertisements look. So there are as few pieces as the audio supports, and a cue that nobody speaks (a sign, a
sentence under a shout) costs no more than ``voiceless_cost``.

The aligners of ffsubsync (S. Macke) find one offset and one ratio by cross-correlation; the paths here hold that
as the case without a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from yuki_builder.records import Cue, Resync, ResyncPiece, Span, too_many_at_once

Array = npt.NDArray[np.float64]

_FRAME_MS = 10
_MOST_ENTRIES = 2000  # a film has so many
_RATES = (1.0, *(ratio for up in (24 / 23.976, 25 / 23.976, 25 / 24) for ratio in (up, 1 / up)))
_UNCLEAR = "the voice does not speak clearly for another timing"


@dataclass(frozen=True, slots=True)
class ResyncSettings:
    """How far cues may be moved, and how much the voice must speak for it.

    Attributes:
        reach_ms: the largest offset that is tried.
        step_ms: offsets are searched in these steps, then refined to 10 ms.
        frames_per_s: a second of voice activity weighs as so many independent observations.
        voiceless_cost: the most that one cue without voice counts against an offset, in nats.
        jump_cost: what a piece more has to be worth, in nats per natural logarithm of the number of cues: the more
            cues there are, the more places for a piece that fits by chance.
        rate_cost: what another frame rate has to be worth, in nats.
        least_gain: what any change has to be worth, in nats per root of the number of cues.
        over_chance: how many times better the track must fit than the same track played backwards, which fits by
            chance alone: subtitles of another episode are not bent to this one.
        overlap_ms: a cue may begin by so much before the end of the last one.
        least_cues: fewer cues than these are left alone.
        tolerance_ms: a change by no more than this is none; the snapping of edges does that.
    """

    reach_ms: int = 300_000
    step_ms: int = 100
    frames_per_s: float = 4.0
    voiceless_cost: float = 2.0
    jump_cost: float = 4.2
    rate_cost: float = 8.0
    least_gain: float = 4.0
    over_chance: float = 1.2
    overlap_ms: int = 1000
    least_cues: int = 8
    tolerance_ms: int = 120


DEFAULTS = ResyncSettings()


def resync(cues: Sequence[Cue], speech: Sequence[Span], *, settings: ResyncSettings = DEFAULTS) -> Resync:
    """How the times of a subtitle file have to be changed to fit the voice; pure.

    Args:
        cues: of one file, in any order; those left out are skipped.
        speech: voice activity of the separated vocals, in any order.
        settings: limits and prices.

    Returns:
        Pieces by the file's own time. Without enough evidence for a change: one piece that changes nothing, and why.
    """
    spans = _entries(cues)
    if len(spans) < settings.least_cues:
        return Resync.none(f"{len(spans)} cues are too few to tell")
    if sum(span.duration_ms for span in speech) < 10_000:
        return Resync.none("too little voice to tell")
    times = np.array([[span.start_ms, span.end_ms] for span in spans], np.float64)
    voice = _Voice.of(speech)
    still = np.zeros(len(times))
    place, rate = still, 1.0
    likelihood = voice.likelihood(inside=0.8, outside=voice.share * 0.7)
    for _ in range(2):
        found = [_best_path(times * r, likelihood, settings=settings) for r in _RATES]
        prices = [0.0 if r == 1.0 else settings.rate_cost for r in _RATES]
        best = int(np.argmax([worth - price for (_, worth), price in zip(found, prices, strict=True)]))
        place, rate = found[best][0], _RATES[best]
        backwards = times.max() - times[::-1, ::-1]
        by_chance = max(_best_path(backwards * r, likelihood, settings=settings)[1] for r in {1.0, rate})
        if found[best][1] < settings.over_chance * by_chance:
            return Resync.none(_UNCLEAR, agreement=round(voice.agreement(times), 4))
        likelihood = voice.likelihood(**voice.shares(times * rate + place[:, None]))
    place = _refined(times * rate, place, likelihood, settings=settings)
    before, after = voice.agreement(times), voice.agreement(times * rate + place[:, None])
    moved = np.abs(times * rate + place[:, None] - times).max(1)
    if moved.max() <= settings.tolerance_ms:
        return Resync.none("in sync", agreement=round(before, 4))
    gain = _score(times * rate + place[:, None], likelihood, settings) - _score(times, likelihood, settings)
    jumps = int(np.count_nonzero(np.diff(place)))
    needed = settings.least_gain * np.sqrt(len(times)) + settings.jump_cost * np.log(len(times)) * jumps
    if gain < needed:
        return Resync.none(_UNCLEAR, agreement=round(before, 4))
    return Resync(
        rate=rate,
        pieces=_pieces(spans, place),
        reason=None,
        agreement_before=round(before, 4),
        agreement_after=round(after, 4),
    )


def _entries(cues: Sequence[Cue]) -> list[Span]:
    """The times of the file's spoken entries, not too many of them; the speakers of one entry move together."""
    entries: dict[str, Span] = {}
    for cue in cues:
        if cue.left_out is None:
            other = entries.setdefault(cue.group or cue.cue_id, cue.span)
            span = Span(min(cue.start_ms, other.start_ms), max(cue.end_ms, other.end_ms))
            entries[cue.group or cue.cue_id] = span
    spans = sorted(entries.values())
    spans = [span for span, many in zip(spans, too_many_at_once(spans), strict=True) if not many]
    # So many tell the timing as well as all of them do; time and memory grow with their number.
    step = -(-len(spans) // _MOST_ENTRIES) or 1
    return spans[::step]


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Sums of log likelihood ratios: ``total[i]`` of all before frame i - ``margin``; beyond the file is silence."""

    total: Array
    margin: int

    def of(self, start_ms: Array, end_ms: Array) -> Array:
        first, last = self._frame(start_ms), self._frame(end_ms)
        result: Array = self.total[last] - self.total[first]
        return result

    def at_offsets(self, start_ms: float, end_ms: float, offsets_ms: Array) -> Array:
        """``of`` one span at many places, which lie apart by the same whole and even number of frames."""
        step = round(float(offsets_ms[1] - offsets_ms[0])) // _FRAME_MS
        first, last = (
            round((float(time_ms + offsets_ms[0])) / _FRAME_MS) + self.margin for time_ms in (start_ms, end_ms)
        )
        reach = step * (len(offsets_ms) - 1)
        if first < 0 or last + reach >= len(self.total):
            return self.of(start_ms + offsets_ms, end_ms + offsets_ms)
        result: Array = self.total[last : last + reach + 1 : step] - self.total[first : first + reach + 1 : step]
        return result

    def _frame(self, time_ms: Array) -> npt.NDArray[np.intp]:
        return np.clip(np.rint(time_ms / _FRAME_MS).astype(np.intp) + self.margin, 0, len(self.total) - 1)


@dataclass(frozen=True, slots=True)
class _Voice:
    """Voice activity by frames of 10 ms; ``before[i]`` counts the frames with voice before frame i."""

    active: npt.NDArray[np.bool_]
    before: Array

    @classmethod
    def of(cls, speech: Sequence[Span]) -> _Voice:
        last = max(span.end_ms for span in speech)
        active = np.zeros(last // _FRAME_MS + 1, bool)
        for span in speech:
            active[round(span.start_ms / _FRAME_MS) : round(span.end_ms / _FRAME_MS)] = True
        return cls(active, np.concatenate([[0.0], np.cumsum(active)]))

    @property
    def share(self) -> float:
        return float(self.active.mean())

    def agreement(self, times: Array) -> float:
        """The share of cue time that holds voice."""
        frames = np.clip(np.rint(times / _FRAME_MS), 0, len(self.active)).astype(np.intp)
        heard = (self.before[frames[:, 1]] - self.before[frames[:, 0]]).sum() * _FRAME_MS
        return float(heard / max(1.0, (times[:, 1] - times[:, 0]).sum()))

    def shares(self, times: Array) -> dict[str, float]:
        """The share of voice inside cues and outside, kept off the extremes."""
        covered = np.zeros(len(self.active) + 1)
        frames = np.clip(np.rint(times / _FRAME_MS), 0, len(self.active)).astype(np.intp)
        np.add.at(covered, frames[:, 0], 1)
        np.add.at(covered, frames[:, 1], -1)
        inside = np.cumsum(covered)[:-1] > 0
        within = float(self.active[inside].mean()) if inside.any() else 0.8
        without = float(self.active[~inside].mean()) if not inside.all() else 0.1
        within = float(np.clip(within, 0.55, 0.95))
        return {"inside": within, "outside": float(np.clip(without, 0.05, within - 0.25))}

    def likelihood(self, *, inside: float, outside: float) -> _Likelihood:
        margin = 2 * DEFAULTS.reach_ms // _FRAME_MS
        spoken, silent = np.log(inside / outside), np.log((1 - inside) / (1 - outside))
        per_frame = np.full(len(self.active) + 2 * margin, silent)
        per_frame[margin : margin + len(self.active)] = np.where(self.active, spoken, silent)
        weight = DEFAULTS.frames_per_s * _FRAME_MS / 1000
        return _Likelihood(np.concatenate([[0.0], np.cumsum(per_frame)]) * weight, margin)


def _score(times: Array, likelihood: _Likelihood, settings: ResyncSettings) -> float:
    return float(np.maximum(likelihood.of(times[:, 0], times[:, 1]), -settings.voiceless_cost).sum())


def _best_path(times: Array, likelihood: _Likelihood, *, settings: ResyncSettings) -> tuple[Array, float]:
    """The offset of each cue, shape (cues,), and what the whole path is worth."""
    offsets = np.arange(-settings.reach_ms, settings.reach_ms + 1, settings.step_ms, dtype=np.float64)
    everywhere = np.arange(len(offsets), dtype=np.int32)
    jump_cost = settings.jump_cost * np.log(len(times))
    best = np.zeros(len(offsets))
    came_from = np.zeros((len(times), len(offsets)), np.int32)
    for k, (start, end) in enumerate(times):
        came_from[k] = everywhere
        if k:
            # Cues keep their order: from an offset that leaves this cue behind the last one's end.
            ahead = int((start - times[k - 1, 1] + settings.overlap_ms) // settings.step_ms)
            after_jump = _shifted(np.maximum.accumulate(best), ahead) - jump_cost
            jumps = np.flatnonzero(after_jump > best)
            if len(jumps):
                came_from[k, jumps] = _running_argmax(best)[np.minimum(jumps + ahead, len(offsets) - 1)]
                best[jumps] = after_jump[jumps]
        best = best + np.maximum(likelihood.at_offsets(start, end, offsets), -settings.voiceless_cost)
    state = int(best.argmax())
    path = np.zeros(len(times))
    for k in reversed(range(len(times))):
        path[k] = offsets[state]
        state = int(came_from[k, state])
    return path, float(best.max())


def _shifted(values: Array, ahead: int) -> Array:
    """Each value that stands so many places ahead: behind the end the last one, before the start none at all."""
    size = len(values)
    if ahead >= 0:
        return np.concatenate([values[ahead:], np.full(min(ahead, size), values[-1])])
    return np.concatenate([np.full(min(-ahead, size), -np.inf), values[:ahead]])


def _running_argmax(values: Array) -> npt.NDArray[np.intp]:
    """For each position that of the largest value so far."""
    is_peak = values >= np.maximum.accumulate(values)
    return np.maximum.accumulate(np.where(is_peak, np.arange(len(values)), 0))


def _refined(times: Array, place: Array, likelihood: _Likelihood, *, settings: ResyncSettings) -> Array:
    """Each piece's offset to 10 ms; pieces that the edges' snapping makes one are one."""
    nudges = np.arange(-3 * settings.step_ms, 3 * settings.step_ms + 1, _FRAME_MS, dtype=np.float64)
    refined = place.copy()
    for _, group in groupby(range(len(place)), key=lambda k: place[k]):
        rows = np.array(list(group))
        spans = times[rows] + place[rows][:, None]
        worth = [_score(spans + nudge, likelihood, settings) for nudge in nudges]
        # Of equally good places the middle one: voice that outlasts its cue leaves some play.
        best = np.flatnonzero(np.isclose(worth, max(worth), atol=1e-9))
        refined[rows] = place[rows] + nudges[best[len(best) // 2]]
    return refined


def _pieces(spans: Sequence[Span], place: Array) -> tuple[ResyncPiece, ...]:
    pieces = [ResyncPiece(0, round(place[0]))]
    for k in range(1, len(place)):
        if place[k] != place[k - 1]:
            pieces.append(ResyncPiece((spans[k - 1].end_ms + spans[k].start_ms) // 2, round(place[k])))
    return tuple(pieces)
