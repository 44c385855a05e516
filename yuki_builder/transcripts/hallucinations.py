"""What a recogniser writes although nobody said it: over silence and music, again and again, out of its training. Pure.

What is said in another language than the episode's is no line of it either.

Thresholds are those of Whisper's paper (Radford et al. 2022): text that deflates to less than 1/2.4 repeats itself, and
a probable silence whose words are improbable is one. Engines take the former over a whole window, where people may well
say the same twice; here it is taken of one segment.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby

from yuki_builder.records import HeardSegment, Span
from yuki_builder.spans import parts_within
from yuki_builder.transcripts.writing import is_unspaced


class NotSpeech(enum.StrEnum):
    """Why what was heard is no line; the first reason that applies, in this order."""

    SOUND = "music or sound"
    STOCK_PHRASE = "stock phrase of the recogniser"
    LOOP = "repeated phrase"
    TOO_FAST = "faster than anybody speaks"
    NO_SPEECH = "no speech, by the recogniser"
    NO_VOICE = "no voice there"
    UNSURE = "too unsure"
    NO_TURN = "outside all turns"
    OTHER_LANGUAGE = "another language"  # with its code


_NO_SPEECH = 0.6
_IMPROBABLE = -1.0
_LEAST_VOICE = 0.25
_LEAST_CONFIDENCE = 0.25
_MOST_CHARACTERS_PER_S = 40.0
_MOST_UNSPACED_PER_S = 20.0
_AGAIN = 3  # a segment said so often in a row is a loop
_NEAR_ONSET_MS = 400
_LONG_ENOUGH = 8  # characters of such a segment: people do say "No." three times

_SOUND = re.compile(r"\s*(?:[\[(（【*♪♫♬〜~].*[\])）】*♪♫♬〜~]|[♪♫♬\s.…*-]+)\s*")
_STOCK = re.compile(
    r"thank(?:s| you)(?: so much| very much)? for (?:watching|viewing|listening to)|(?:like|subscribe).{0,30}channel"
    r"|don'?t forget to (?:like|subscribe)|see you (?:in the )?next (?:video|time) ?[!.]?$|amara\.?org|subtitles? by"
    r"|untertitel(?:ung)?\b.{0,40}|sous-titr|sottotitoli|legendas pela|subtítulos|napisy (?:stworzone|by)|субтитр"
    r"|copyright .{0,20}\d{4}|swr \d{4}|zdf,? \d{4}"
    r"|ご視聴(?:いただき)?(?:、)?ありがとう|チャンネル登録|高評価|字幕(?:by|製作|由|提供|組|组|志愿|視聴)"
    r"|[请請]不吝|点赞|點贊|打[赏賞]支持|明[镜鏡][与與]点[点點]|[订訂][阅閱]我?的?[频頻]|谢谢(?:大家)?(?:观看|收看)|謝謝(?:大家)?(?:觀看|收看)"
    r"|시청해 ?주셔서|구독과 ?좋아요|mbc 뉴스",
    re.IGNORECASE,
)


def why_not_speech(
    segments: Sequence[HeardSegment], speech: Sequence[Span], turns: Sequence[Span] = ()
) -> list[str | None]:
    """For each segment why it is no speech, or None.

    Args:
        segments: in order of time.
        speech: voice activity, in order, without overlap.
        turns: who speaks when: people do say the same again, each time from where they begin.
    """
    looped = _looped(segments, sorted(span.start_ms for span in (*speech, *turns)))
    return [
        _own_reason(segment)
        or (NotSpeech.LOOP if k in looped else None)
        or (NotSpeech.NO_VOICE if _voiced_share(segment, speech) < _LEAST_VOICE else None)
        or (NotSpeech.UNSURE if (confidence_of(segment) or 1.0) < _LEAST_CONFIDENCE else None)
        or (f"{NotSpeech.OTHER_LANGUAGE}: {segment.language}" if segment.is_other_language else None)
        for k, segment in enumerate(segments)
    ]


def _own_reason(segment: HeardSegment) -> NotSpeech | None:
    text = unicodedata.normalize("NFKC", segment.text)
    if _SOUND.fullmatch(text) or not any(c.isalnum() for c in text):
        return NotSpeech.SOUND
    if _STOCK.search(text):
        return NotSpeech.STOCK_PHRASE
    if segment.is_repetitive or repeats_itself(text):
        return NotSpeech.LOOP
    seconds = max(0.2, sum(word.end_ms - word.start_ms for word in segment.words) / 1000)
    letters = sum(c.isalnum() for c in text)
    unspaced = sum(is_unspaced(c) for c in text)
    if letters > 12 and letters / seconds > (
        _MOST_UNSPACED_PER_S if 2 * unspaced > letters else _MOST_CHARACTERS_PER_S
    ):
        return NotSpeech.TOO_FAST
    is_improbable = segment.log_probability is not None and segment.log_probability < _IMPROBABLE
    if (segment.no_speech or 0.0) > _NO_SPEECH and is_improbable:
        return NotSpeech.NO_SPEECH
    return None


def repeats_itself(text: str) -> bool:
    """Whether most of a text is one phrase over and over: five words or more three times, shorter ones six times."""
    words = re.findall(r"\w+", text.casefold())
    if len(words) < 6 and any(map(is_unspaced, text)):
        words = [c for c in text if c.isalnum()]
    for length in range(1, len(words) // 3 + 1):
        times = 3 if length >= 5 else 6
        run = longest = 0
        for k in range(length, len(words)):
            run = run + 1 if words[k] == words[k - length] else 0
            longest = max(longest, run)
        repeated = longest + length
        if repeated >= times * length and 2 * repeated > len(words):
            return True
    return False


def _looped(segments: Sequence[HeardSegment], onsets: Sequence[int]) -> frozenset[int]:
    """Segments that say the same as their neighbours, again and again; the first of them may be true.

    One that begins where a voice does is said, not made up.
    """
    found: set[int] = set()
    keys = [re.sub(r"\W+", "", segment.text.casefold()) for segment in segments]
    position = 0
    for key, group in groupby(keys):
        count = len(list(group))
        if count >= _AGAIN and len(key) >= _LONG_ENOUGH:
            again = range(position + 1, position + count)
            found.update(k for k in again if not _is_near(segments[k].span.start_ms, onsets))
        position += count
    return frozenset(found)


def _is_near(time_ms: int, times: Sequence[int]) -> bool:
    k = bisect_left(times, time_ms - _NEAR_ONSET_MS)
    return k < len(times) and times[k] <= time_ms + _NEAR_ONSET_MS


def _voiced_share(segment: HeardSegment, speech: Sequence[Span]) -> float:
    """How much of the words' time holds voice."""
    spoken_ms = voiced_ms = 0
    for word in segment.words:
        span = Span(word.start_ms, max(word.end_ms, word.start_ms + 1))
        spoken_ms += span.duration_ms
        voiced_ms += sum(part.duration_ms for part in parts_within(span, speech))
    return voiced_ms / spoken_ms


def confidence_of(segment: HeardSegment) -> float | None:
    """The mean of the words' confidence, where the engine gives any."""
    known = [word.confidence for word in segment.words if word.confidence is not None]
    return sum(known) / len(known) if known else None
