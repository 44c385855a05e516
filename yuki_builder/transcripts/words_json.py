"""Words with times from JSON: Whisper's own, faster-whisper's, whisperX's, Transformers' chunks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yuki_builder.errors import InputError
from yuki_builder.records import HeardSegment, Word
from yuki_builder.transcripts.writing import is_unspaced

_LONGEST_S = 1_000_000.0
_MOST_BYTES = 1 << 28


def read_words(path: Path) -> list[HeardSegment]:
    """The words of a file, by segments, in order of time.

    Words without times (whisperX leaves numbers out) lie between their neighbours.

    Raises:
        InputError: no JSON, or none with the times of words.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError("too large for a transcript", where=path)
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(f"cannot be read: {e.strerror}", where=path) from e
    except (ValueError, RecursionError) as e:
        raise InputError("not JSON", where=path, remedy="give the JSON that Whisper or whisperX wrote") from e
    segments = list(_segments(data))
    if not segments:
        raise InputError(
            "no words with times in it",
            where=path,
            remedy="transcribe with word times (Whisper: --word_timestamps True), or give the file as --subtitles FILE",
        )
    return sorted(segments, key=lambda segment: segment.span)


def _segments(data: Any) -> Iterator[HeardSegment]:
    language = data.get("language") if isinstance(data, Mapping) else None
    for row in _rows(data):
        words = _words(row)
        if words:
            yield HeardSegment(
                words=words,
                language=language if isinstance(language, str) else None,
                no_speech=_share(row.get("no_speech_prob")),
                log_probability=_number(row.get("avg_logprob")),
            )


def _rows(data: Any) -> list[Mapping[str, Any]]:
    """The segments; words without segments are one."""
    if isinstance(data, Mapping):
        for key in ("segments", "word_segments", "words", "chunks"):
            if isinstance(data.get(key), list) and data[key]:
                return _rows(data[key])
        return []
    rows = [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
    if any(isinstance(row.get("words"), list) for row in rows):
        return rows
    return [{"words": rows}] if any(_is_word(row) for row in rows) else []


def _is_word(row: Mapping[str, Any]) -> bool:
    """Whether a row is one word, not a sentence."""
    text = row.get("word", row.get("text"))
    return _times(row) is not None and isinstance(text, str) and len(text.split()) <= 1


def _words(row: Mapping[str, Any]) -> tuple[Word, ...]:
    given = row.get("words")
    rows = [w for w in given if isinstance(w, Mapping)] if isinstance(given, list) else []
    texts = [str(w.get("word", w.get("text")) or "") for w in rows]
    known = [_times(w) for w in rows]
    if not any(known):
        return ()
    has_spaces = any(text[:1].isspace() for text in texts[1:])
    words: list[Word] = []
    for k, (text, times) in enumerate(zip(texts, known, strict=True)):
        if not text.strip():
            continue
        start_ms, end_ms = times or _between(known, k)
        sure = _share(next((rows[k][key] for key in ("probability", "score", "confidence") if key in rows[k]), None))
        words.append(Word(start_ms, end_ms, text if has_spaces else _spaced(text, words), sure))
    return tuple(words)


def _spaced(text: str, before: Sequence[Word]) -> str:
    """The word with the space before it that its file leaves out."""
    is_apart = before and not (is_unspaced(before[-1].text[-1]) and is_unspaced(text[0]))
    return f" {text}" if is_apart else text


def _between(known: Sequence[tuple[int, int] | None], k: int) -> tuple[int, int]:
    before = next((times for times in reversed(known[:k]) if times), None)
    after = next((times for times in known[k + 1 :] if times), None)
    start_ms = before[1] if before else after[0] if after else 0
    return start_ms, max(start_ms, after[0] if after else start_ms)


def _times(row: Mapping[str, Any]) -> tuple[int, int] | None:
    pair = row.get("timestamp")
    start, end = pair if isinstance(pair, list) and len(pair) == 2 else (row.get("start"), row.get("end"))
    first, last = _number(start), _number(end)
    if first is None or not 0 <= first <= _LONGEST_S:
        return None
    last = first if last is None or not first <= last <= _LONGEST_S else last
    return round(1000 * first), round(1000 * last)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def _share(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else min(1.0, max(0.0, number))
