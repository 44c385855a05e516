"""Turns in another language than the episode's: held to that, a recogniser writes nonsense over them.

The recogniser's own language probabilities tell, of turns that are long enough and whose words are doubtful anyway.
All of it is pure.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from video_preprocessing.transcription.windows import MARGIN_MS, Window, placed
from yuki_builder.records import HeardSegment, Span, Word
from yuki_builder.spans import difference, intersection, union

LEAST_VOICED_MS = 800  # of a turn: less tells too little of a language
_LEAST_SURE_MS = 1500  # of a turn whose words are not doubtful: a name or a loan word is no language
_CLEAR = 0.4
_RULED_OUT = 0.02
_RULED_OUT_BESIDE_SURE = 0.05  # where another language is sure
_UNLIKELY = 0.1
_SURE, _IMPOSSIBLE = 0.8, 0.002
_DOUBTFUL = 0.7  # mean confidence of a turn's words, in the language that is held
_PARROTED = 3  # a sentence written so often in one window may stand for what was not understood
_LEAST_CONFIDENCE = 0.4  # in the other language
_ABOUT_AS_SURE = 0.1

# Whisper takes languages of one group for each other.
_ALIKE = tuple(
    frozenset(group.split())
    for group in (
        "zh yue", "no nn da sv", "id ms jw su", "hr sr bs sl mk bg", "cs sk", "ru uk be bg", "hi ur pa ne mr",
        "es gl ca pt oc", "nl af", "tr az uz tk kk tt", "fi et", "en cy", "it la", "de yi lb",
    )
)  # fmt: skip
_NO_LANGUAGE = frozenset(("la", "nn", "jw", "haw", "cy", "sa", "mi", "sn"))
"""What Whisper hears in noise, song and murmur."""

# Languages that are not written in Latin letters, by the names of their characters in Unicode.
_SCRIPTS = {
    "ja": ("CJK", "HIRAGANA", "KATAKANA"), "zh": ("CJK",), "yue": ("CJK",), "ko": ("HANGUL",), "ru": ("CYRILLIC",),
    "uk": ("CYRILLIC",), "bg": ("CYRILLIC",), "el": ("GREEK",), "he": ("HEBREW",), "ar": ("ARABIC",),
    "fa": ("ARABIC",), "ur": ("ARABIC",), "hi": ("DEVANAGARI",), "th": ("THAI",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suspect:
    """A turn that may be in another language.

    Attributes:
        span: the turn.
        is_doubtful: whether its words are, in the language that is held.
        confidence: the mean of those words.
    """

    span: Span
    is_doubtful: bool
    confidence: float

    @property
    def least_confidence(self) -> float:
        """What words in the other language have to reach."""
        return _LEAST_CONFIDENCE if self.is_doubtful else max(_LEAST_CONFIDENCE, self.confidence - _ABOUT_AS_SURE)


def suspect_turns(
    window: Window, turns: Iterable[Span], speech: Sequence[Span], found: Iterable[HeardSegment], *, language: str
) -> list[Suspect]:
    """Turns in a window that may be in another language.

    Doubtful are no words, unsure or the same ones, another script. A recogniser that is held to one language writes
    another in Latin letters as it is, too, and is sure of it: there only the sound tells, of longer turns.

    Args:
        window: what was transcribed.
        turns: who speaks when.
        speech: where somebody speaks.
        found: what was heard in the window.
        language: in which it was heard.
    """
    pieces = [piece.span for piece in window.pieces]
    times = Counter(segment.text for segment in found)
    words = [
        word
        for segment in found
        if not segment.is_repetitive and times[segment.text] < _PARROTED
        for word in segment.words
    ]
    suspects = []
    for turn in intersection(turns, pieces):
        own = [word for word in words if turn.start_ms <= (word.start_ms + word.end_ms) // 2 < turn.end_ms]
        voiced_ms = sum(span.duration_ms for span in intersection([turn], speech))
        is_doubtful = _is_unsure(own) or _in_other_script(own, language)
        if voiced_ms >= LEAST_VOICED_MS and (is_doubtful or (voiced_ms >= _LEAST_SURE_MS and language not in _SCRIPTS)):
            suspects.append(Suspect(turn, is_doubtful, confidence_of(own) or 0.0))
    return suspects


def may_be_another(probabilities: Mapping[str, float], held: str, *, is_doubtful: bool = True) -> bool:
    """Whether a stretch is hardly in the language that is held: then it is worth a closer look.

    Args:
        probabilities: of each language, by a quick look.
        held: the episode's language.
        is_doubtful: whether the words in that language are.
    """
    most = _UNLIKELY if is_doubtful else _RULED_OUT
    return bool(probabilities) and _share_of(held, probabilities) <= most


def is_surely_another(probabilities: Mapping[str, float], held: str) -> bool:
    """Whether no closer look is needed."""
    return max(probabilities.values(), default=0.0) >= _SURE and _share_of(held, probabilities) <= _IMPOSSIBLE


def other_language(probabilities: Mapping[str, float], held: str, *, is_doubtful: bool = True) -> str | None:
    """The language that a stretch is clearly in, where that is another than the one that is held.

    Args:
        probabilities: of each language.
        held: the episode's language.
        is_doubtful: whether the words in that language are; where they are not, more is asked of another.
    """
    clear = _CLEAR if is_doubtful else _SURE
    best = max(probabilities, key=lambda name: (probabilities[name], name), default=held)
    if best in _NO_LANGUAGE or probabilities.get(best, 0.0) < clear:
        return None
    most = _RULED_OUT_BESIDE_SURE if probabilities[best] >= _SURE else _RULED_OUT
    return best if _share_of(held, probabilities) <= most else None


def _share_of(held: str, probabilities: Mapping[str, float]) -> float:
    """The probability of a language and of those that are taken for it."""
    alike = frozenset((held,)).union(*(group for group in _ALIKE if held in group))
    return sum(probabilities.get(name, 0.0) for name in alike)


def makes_sense(found: Sequence[HeardSegment], least_confidence: float = _LEAST_CONFIDENCE) -> bool:
    """Whether what was heard in the other language is likely to be said.

    Args:
        found: segments in that language.
        least_confidence: the mean that their words have to reach.
    """
    if not found or any(segment.is_repetitive for segment in found):
        return False
    confidence = confidence_of([word for segment in found for word in segment.words])
    return confidence is None or confidence >= least_confidence


def without(window: Window, spans: Iterable[Span], turns: Iterable[Span]) -> Window | None:
    """The window without turns that are heard by themselves.

    Args:
        window: pieces of the sound that are heard together.
        spans: the turns that are heard by themselves, ms.
        turns: all turns, ms; those in the window.

    Returns:
        A window of the turns that are left, or None where none are.
    """
    taken, pieces = sorted(spans), [piece.span for piece in window.pieces]
    left = [gap for turn in intersection(turns, pieces) for gap in difference(turn, taken)]
    wide = union(Span(max(0, span.start_ms - MARGIN_MS), span.end_ms + MARGIN_MS) for span in left)
    rest = [gap for span in intersection(wide, pieces) for gap in difference(span, taken)]
    return placed(rest) if rest else None


def confidence_of(words: Sequence[Word]) -> float | None:
    """The mean of the words' confidence, where the engine gives any."""
    known = [word.confidence for word in words if word.confidence is not None]
    return sum(known) / len(known) if known else None


def _is_unsure(words: Sequence[Word]) -> bool:
    confidence = confidence_of(words)
    return not words or (confidence is not None and confidence < _DOUBTFUL)


def _in_other_script(words: Iterable[Word], language: str) -> bool:
    """Whether most letters are of a script in which the language is not written."""
    scripts = _SCRIPTS.get(language)
    if scripts is None:
        return False
    letters = [c for word in words for c in word.text if c.isalpha()]
    foreign = sum(not unicodedata.name(c, "").startswith(scripts) for c in letters)
    return 2 * foreign > len(letters)
