"""Lines that were heard, with their edges on those of the turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from yuki_builder.alignment.activity import VoiceActivity
from yuki_builder.records import AlignedCue, Span, Turn
from yuki_builder.spans import ByTime, speaker_of

REACH_MS = 400


def on_turns(
    lines: Iterable[AlignedCue], turns: Iterable[Turn], speech: Sequence[Span], *, reach_ms: int = REACH_MS
) -> list[AlignedCue]:
    """The lines with their edges where the turn of their voice begins and ends. Pure.

    A turn's edges are finer than those of voice activity, which begins early and ends late. An edge moves by no more
    than the reach, never over half of the line's first or last word, and never into another line.

    Args:
        lines: of which each holds one voice; in any order.
        turns: who speaks when.
        speech: voice activity, in any order.
        reach_ms: how far an edge may move.
    """
    ordered = sorted(lines, key=lambda line: line.span)
    by_time = ByTime(turns)
    activity = VoiceActivity.of(speech)
    moved: list[AlignedCue] = []
    for k, line in enumerate(ordered):
        own = _turns_of_main_voice(line.span, by_time)
        if not own:
            moved.append(line)
            continue
        start_ms = min((turn.start_ms for turn in own), key=lambda ms: (abs(ms - line.start_ms), ms))
        end_ms = min((turn.end_ms for turn in own), key=lambda ms: (abs(ms - line.end_ms), ms))
        earliest_ms = max(line.start_ms - reach_ms, moved[-1].end_ms if moved else 0)
        latest_ms = min(line.end_ms + reach_ms, ordered[k + 1].start_ms if k + 1 < len(ordered) else 1 << 60)
        first_ms, last_ms = _middles(line)
        if not earliest_ms <= start_ms <= min(first_ms, line.start_ms + reach_ms):
            start_ms = line.start_ms
        if not max(last_ms, line.end_ms - reach_ms) <= end_ms <= latest_ms:
            end_ms = line.end_ms
        span = Span(start_ms, end_ms) if start_ms < end_ms else line.span
        moved.append(replace(line, start_ms=span.start_ms, end_ms=span.end_ms, speech_ms=activity.within(span)))
    return sorted(moved, key=lambda line: line.span)


def _middles(line: AlignedCue) -> tuple[int, int]:
    """The middle of the first word and that of the last; of a line without words its own."""
    words = line.cue.words
    if not words:
        middle_ms = (line.start_ms + line.end_ms) // 2
        return middle_ms, middle_ms
    return (words[0].start_ms + words[0].end_ms) // 2, (words[-1].start_ms + words[-1].end_ms) // 2


def _turns_of_main_voice(span: Span, turns: ByTime[Turn]) -> list[Turn]:
    """The turns in a span of the voice that speaks longest in it; of equals the alphabetically first."""
    inside = [turn for turn in turns.near(span) if turn.span.overlap_ms(span)]
    voice = speaker_of(span, inside)
    return [turn for turn in inside if turn.speaker == voice]
