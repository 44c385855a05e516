"""Cues from what was heard: lines of one voice each, those that are no speech marked with their reason. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from yuki_builder.records import Cue, CueOrigin, HeardSegment, Span, Turn, Word
from yuki_builder.spans import parts_within
from yuki_builder.transcripts.hallucinations import NotSpeech, why_not_speech
from yuki_builder.transcripts.sentences import LIMITS, LineLimits, cut_lines
from yuki_builder.transcripts.writing import ends_sentence, is_unspaced, join_words

_SILENCE_MS = 120
_LEAST_VOICED_MS = 60
_SHORTEST_MS = 80  # of a line: nobody says a word in less
_REACH_MS = 500  # a word this far from a turn is still its own: turns are not exact to a syllable
_BETWEEN_TURNS_MS = 250  # turns of one voice that lie so far apart are two sentences, as far as words allow
_NEAR_MS = 350  # words that last no longer between a change of voice and the end of a sentence are on its wrong side


def heard_cues(
    segments: Sequence[HeardSegment], turns: Sequence[Turn], speech: Sequence[Span], limits: LineLimits = LIMITS
) -> list[Cue]:
    """All that was heard as cues, in order of time; those with ``left_out`` are no lines.

    Args:
        segments: what the transcriber heard.
        turns: who speaks when, without overlap.
        speech: voice activity, in order, without overlap.
        limits: of a line.
    """
    ordered = sorted(segments, key=lambda segment: segment.span)
    reasons = why_not_speech(ordered, speech, [turn.span for turn in turns])
    drafts: list[tuple[list[Word], str | None]] = [
        (list(segment.words), reason) for segment, reason in zip(ordered, reasons, strict=True) if reason is not None
    ]
    marked = [
        (voiced(_without_space(word) if k == 0 else word, speech), k == len(segment.words) - 1)
        for segment, reason in zip(ordered, reasons, strict=True)
        if reason is None
        for k, word in enumerate(segment.words)
    ]
    marked.sort(key=lambda pair: (pair[0].start_ms, pair[0].end_ms))
    speakers = speakers_of([word for word, _ in marked], turns)
    for speaker, run in groupby(zip(marked, speakers, strict=True), key=lambda pair: pair[1]):
        pairs = [pair for pair, _ in run]
        own = [word for word, _ in pairs]
        if speaker is None:
            drafts.append((own, NotSpeech.NO_TURN))
        else:
            ends = {k for k, (_, is_end) in enumerate(pairs) if is_end} | _turn_ends(own, turns)
            drafts += [(line, _too_fast(line)) for line in cut_lines(own, limits, segment_ends=ends)]
    return _cues(drafts)


def _too_fast(line: Sequence[Word]) -> NotSpeech | None:
    """Recognisers time words to no time at all where they find them nowhere."""
    lasts_ms = max(word.end_ms for word in line) - line[0].start_ms
    return NotSpeech.TOO_FAST if lasts_ms < _SHORTEST_MS else None


def heard_within(heard: Iterable[Cue], spans: Iterable[Span], lines: Iterable[Span]) -> list[Cue]:
    """The cues of which half or more lies in spans, and less than half in lines.

    Args:
        heard: as they were heard, with those that are no lines.
        spans: without overlap.
        lines: what is there already.
    """
    places, taken = sorted(spans), sorted(lines)
    return [cue for cue in heard if 2 * _shared_ms(cue, places) >= cue.span.duration_ms > 2 * _shared_ms(cue, taken)]


def _shared_ms(cue: Cue, spans: Sequence[Span]) -> int:
    return sum(cue.span.overlap_ms(span) for span in spans)


def _without_space(first: Word) -> Word:
    """The first word of a segment without the space that sets it off, in a script that has none."""
    text = first.text.lstrip()
    return replace(first, text=text) if text and is_unspaced(text[0]) else first


def voiced(word: Word, speech: Sequence[Span]) -> Word:
    """The word without the silence that it was stretched over: recognisers let the last one last until the next.

    Of voice activity on both sides of a silence the longer side is the word's; without any the word stays.

    Voice activity is in order, without overlap.
    """
    best: Span | None = None
    for inside in parts_within(Span(word.start_ms, word.end_ms), speech):
        if best is not None and inside.start_ms - best.end_ms < _SILENCE_MS:
            best = Span(best.start_ms, inside.end_ms)
        elif best is None or inside.duration_ms > best.duration_ms:
            best = inside
    if best is None or best.duration_ms < _LEAST_VOICED_MS:
        return word
    start_ms = best.start_ms if best.start_ms - word.start_ms >= _SILENCE_MS else word.start_ms
    end_ms = best.end_ms if word.end_ms - best.end_ms >= _SILENCE_MS else word.end_ms
    return replace(word, start_ms=start_ms, end_ms=end_ms)


def speakers_of(words: Sequence[Word], turns: Sequence[Turn]) -> list[str | None]:
    """Who says each word: by the turn that it lies in, or that is nearest; None where none is near.

    Times of words are not exact to a syllable either: a change of voice moves to the end of a sentence that is near.

    Args:
        words: in order of time.
        turns: in order of time, without overlap.
    """
    ordered = sorted(turns)
    ends = [turn.end_ms for turn in ordered]
    speakers = [_speaker_of(word, ordered, ends) for word in words]
    k = 1
    while k < len(words):
        if speakers[k] != speakers[k - 1] and None not in (speakers[k - 1], speakers[k]):
            k = _moved_change(words, speakers, k)
        k += 1
    return speakers


def _moved_change(words: Sequence[Word], speakers: list[str | None], change: int) -> int:
    """Moves the change of voice before the word ``change`` to the nearest end of a sentence; the new place."""
    before, after = speakers[change - 1], speakers[change]
    if ends_sentence(words[change - 1].text):
        return change
    for place in (change + 1, change - 1, change + 2, change - 2):
        if not 0 < place < len(words):
            continue
        moved = range(change, place) if place > change else range(place, change)
        expected = after if place > change else before
        is_near = sum(words[k].end_ms - words[k].start_ms for k in moved) <= _NEAR_MS
        if is_near and ends_sentence(words[place - 1].text) and all(speakers[k] == expected for k in moved):
            for k in moved:
                speakers[k] = before if place > change else after
            return place
    return change


def _speaker_of(word: Word, turns: Sequence[Turn], ends: Sequence[int]) -> str | None:
    span = Span(word.start_ms, word.end_ms)
    best: tuple[int, int, str] | None = None
    for turn in turns[bisect_left(ends, span.start_ms - _REACH_MS) :]:
        if turn.start_ms > span.end_ms + _REACH_MS:
            break
        distance_ms = max(0, turn.start_ms - span.end_ms, span.start_ms - turn.end_ms)
        option = (-turn.span.overlap_ms(span), distance_ms, turn.speaker)
        best = option if best is None else min(best, option)
    return None if best is None else best[2]


def _turn_ends(words: Sequence[Word], turns: Iterable[Turn]) -> set[int]:
    """Positions of words behind which the voice's turn ends a while before its next one begins.

    The words' own times often hide such a pause: recognisers let a word last until the next one.
    """
    ordered = sorted(turns)
    middles = [(word.start_ms + word.end_ms) // 2 for word in words]
    starts = [turn.start_ms for turn in ordered]
    nearest = [_nearest(middle_ms, ordered, starts) for middle_ms in middles]
    return {
        k
        for k, (a, b) in enumerate(pairwise(nearest))
        if a < b and ordered[b].start_ms - ordered[a].end_ms >= _BETWEEN_TURNS_MS
    }


def _nearest(time_ms: int, turns: Sequence[Turn], starts: Sequence[int]) -> int:
    """The position of the turn that a time lies in or is nearest to."""
    k = max(0, bisect_right(starts, time_ms) - 1)
    is_next_nearer = k + 1 < len(turns) and turns[k + 1].start_ms - time_ms < time_ms - turns[k].end_ms
    return k + 1 if is_next_nearer else k


def _cues(drafts: Iterable[tuple[list[Word], str | None]]) -> list[Cue]:
    ordered = sorted(drafts, key=lambda draft: (draft[0][0].start_ms, draft[0][-1].end_ms, draft[1] or ""))
    seen: Counter[str] = Counter()
    cues = []
    for index, (words, reason) in enumerate(ordered):
        text = join_words(word.text for word in words)
        start_ms, end_ms = words[0].start_ms, max(word.end_ms for word in words)
        digest = hashlib.sha256(f"{start_ms}|{end_ms}|{text}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
        cue_id = f"{start_ms:08d}-{digest}"
        seen[cue_id] += 1
        known = [word.confidence for word in words if word.confidence is not None]
        cues.append(
            Cue(
                cue_id=cue_id if seen[cue_id] == 1 else f"{cue_id}-{seen[cue_id]}",
                index=index,
                start_ms=start_ms,
                end_ms=end_ms,
                text=text,
                raw_text=text,
                left_out=reason,
                origin=CueOrigin.ASR,
                words=tuple(replace(word, text=word.text.strip()) for word in words),
                confidence=round(sum(known) / len(known), 4) if known else None,
            )
        )
    return cues
