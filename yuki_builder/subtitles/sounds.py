"""Lines in which nobody speaks: sound descriptions for the deaf and hard of hearing, and lyrics between notes."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from yuki_builder.subtitles.vocabulary import (
    CJK_MANNER,
    INDIC_MANNER,
    MANNER_PREPOSITIONS,
    MANNERS,
    NO_SOUND_WORDS,
    PERSONS,
    SOUND_WORDS,
    SOUNDS,
    SPEECH_VERBS,
    THAI_SOUND,
    Words,
    fold,
)

_NOTES = "♪♫♬♩🎵🎶¶"
_HASHES = "#＃"
_MAY_BE_SUNG = re.compile(f"[{_NOTES}{_HASHES}]")
_BRACKETED = re.compile(
    r"(?P<square>[\[［【][^\[\]［］【】]*[\]］】])|(?P<round>[(（][^()（）]*[)）])|(?P<star>\*[^*]+\*)|[\s\-–—‐.,;♪♫♬♩]+"
)
_INLINE = re.compile(r"[\[［【][^\[\]［］【】]{1,80}[\]］】]|[(（][^()（）]{1,80}[)）]|\*[^*\s][^*]{0,60}\*")
_MAY_HOLD_SOUND = re.compile(r"[\[［【(（*]")
_IN_SLAVIC = re.compile(r"по[- ][^\W\d_]+(?:ски|цки|ськи|цьки)", re.IGNORECASE)  # По-немецки
# In capitals a preposition may be part of a name: AL PACINO, DA VINCI. These are of none.
_CLEAR_PREPOSITIONS = frozenset(["in", "on", "en", "auf", "im", "sur", "dans", "em", "по", "на", "в", "po", "w", "pa"])
_NAMES_SOMEBODY = re.compile(r"\s*[:：]")
_SENTENCE = re.compile(r"[?!？！…]|\.\.|[。.]$")
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_CJK_SOUND = re.compile(
    r".{0,12}(?:声|聲|音|響|拍手|鼓掌|悲鳴|尖叫|ため息|吐息|い息|叹息|嘆息|叹气|嘆氣|いびき|チャイム|ノック|ベル|泣き"
    r"|笑い|音乐|音樂|音楽|소리|음악|웃음|한숨|박수)"
    r"|[笑哭泣叫咳喘歌曲叹嘆].{0,2}|.{0,2}[笑哭泣叫咳喘]"
    r"|.{0,8}(?:効果音|BGM|足音|くしゃみ|せき(?:ばらい|払い|込[むみ]|こ[むみ])?|しゃっくり|げっぷ|すすり|あえぎ|うめく|咳払い|ざわめき|どよめき|うめき|うなり|あくび|寝息|サイレン|クラクション|爆発|エンジン"
    r"|鳴き|息|吠え|铃|鈴|敲门|敲門|爆炸|欢呼|歡呼|脚步|腳步|打雷|雷鸣|警报|警報|喇叭|呻吟|啜泣|抽泣|大笑|冷笑|偷笑|苦笑|尖叫|咳嗽|喘息|打嗝"
    r"|哈欠|喷嚏|口哨|沉默|寂静|울음|비명|기침|신음|환호|노래|벨|종|총성|폭발|흐느낌|하품|재채기|휘파람|침묵|노크|발자국)"
)
# What happens: a particle and a verb (電話が鳴る), a thing that sounds (手机响), a Korean statement (문이 열린다).
_CJK_EVENT = re.compile(
    r".{1,10}[がをにでへ].{0,6}[るくうすつぬむぶぐた]|.{1,6}(?:响|響|鸣|鳴)|.{0,4}(?:走り|立ち|駆け).{1,4}[るくうす]|.{2,10}[가-힣]다|.{1,10}(?:으며|하며|면서|듯이)"
)
_WORDS = re.compile(r"[^\W\d_](?:[\w'’./-]*\w)?\.?")
_COMBINING = re.compile(
    "[\u064b-\u0652\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09be-\u09cd\u0b82-\u0bcd\u0e31-\u0e4e\u200c]"
)
_LONE_SOUNDS = Words(
    "applause laughter music chatter gunshot gunshots gunfire thunder cheering applaus gelachter musik jubel risas "
    "musica aplausos rires musique applaudissements risate applausi muziek gelach musikk latter skratt smiech oklaski "
    "muzyka смех музыка аплодисменты"
)
_SAID = re.compile(
    r"\b(?:I|I'M|YOU|WE|ME|MY|YOUR|US|DON'T|STOP|NO|NOT|LET'S|PLEASE|WHAT|WHY|HOW)\b"
    r"|^(?:RING|CLEAR|CALL|START|KEEP|SING|PLAY|KNOCK|HUSH|CUT|ENOUGH|QUIT|BREAK|OPEN|CLOSE)\b"
)
_CJK_SPEECH = re.compile(r"[我你您他她咱俺僕私君吗嗎呢吧啊]|什么|什麼|[那这這]是|何|誰|谁|どこ|なん")
_SPEAKER_WORDS = re.compile(r"\b(?:i|i'm|i'll|you|we|me|my|your|he|she|they|it's|don't|can't|what|why|how)\b")


def without_lyrics(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that are not sung. A song opens with a note or `#` and runs to the line that ends with one.

    A note only at a line's end is a cheerful tone of speech (いただきます♪), not a song.
    """
    if not any(map(_MAY_BE_SUNG.search, lines)):
        return tuple(lines)
    closings: list[int | None] = []  # the first line at or below each that ends a song
    closing: int | None = None
    for k in reversed(range(len(lines))):
        if lines[k][-1] in _NOTES + _HASHES and lines[k].strip(_NOTES + _HASHES):
            closing = k
        closings.append(closing)
    closings.reverse()

    spoken: list[str] = []
    sung_until = -1
    for k, line in enumerate(lines):
        first = line.lstrip("-–—‐ *")[:1] or line[0]  # a second speaker may sing
        if k > sung_until and (first in _NOTES or (first in _HASHES and closings[k] is not None)):
            sung_until = closings[k] or k
        if k > sung_until:
            spoken.append(line)
    return tuple(spoken)


def is_sound_description(text: str) -> bool:
    """Whether all of ``text`` stands in brackets that describe a sound: ``[door closes]``, ``(sighs)``, （笑い声）.

    Square brackets are never spoken. Round ones may hold a thought, which is: a sentence, a pronoun or a
    question mark in them says so.
    """
    if not _MAY_HOLD_SOUND.search(text):
        return False
    position = 0
    has_description = False
    while position < len(text):
        match = _BRACKETED.match(text, position)
        if match is None or match.end() == position:
            return False
        inside = match["round"] or match["star"]
        if inside is not None and not is_sound_like(inside[1:-1]):
            return False
        has_description = has_description or match["square"] is not None or inside is not None
        position = match.end()
    return has_description


def take_sounds(text: str) -> tuple[str, tuple[str, ...]]:
    """A line without the sounds described in it, and those: ``(sighs) I see.`` is ``I see.`` and ``sighs``.

    Only what surely names a sound or a manner of speaking is taken: a word from the list, on -ing or -ly.
    """
    if not _MAY_HOLD_SOUND.search(text):
        return text, ()
    sounds: list[str] = []

    def taken(match: re.Match[str]) -> str:
        inside = match[0][1:-1].strip()
        if _NAMES_SOMEBODY.match(text, match.end()) or not (is_sure_manner(inside) and not is_spoken_aside(inside)):
            return match[0]
        sounds.append(inside)
        is_within = _CJK.match(text[match.start() - 1 : match.start()]) and _CJK.match(
            text[match.end() : match.end() + 1]
        )
        return "" if is_within else " "

    rest = _INLINE.sub(taken, text)
    return (re.sub(r"\s+([,.!?…])", r"\1", " ".join(rest.split())), tuple(sounds)) if sounds else (text, ())


def bare_sounds(text: str) -> tuple[str, ...]:
    """What a sound description says, without its brackets."""
    return tuple(inside for match in _INLINE.finditer(text) if (inside := match[0][1:-1].strip()))


def is_sure_manner(text: str) -> bool:
    """Whether words in brackets surely name a sound or a way of speaking: `sighs`, `RISAS`, ため息, `in French`."""
    text = text.strip()
    if _CJK.search(text):
        is_sound = _CJK_SOUND.fullmatch(text) or CJK_MANNER.fullmatch(text) or _CJK_EVENT.fullmatch(text)
        return is_sound is not None and not _CJK_SPEECH.search(text)
    if THAI_SOUND.search(text) or (not text.isascii() and INDIC_MANNER.fullmatch(text)):
        return True
    words = _words_of(text)
    if _IN_SLAVIC.fullmatch(text) or any(
        _is_sound(word, is_title=k > 0 and word.istitle())
        or word in MANNERS
        or (word[0].islower() and _is_adverb(word))
        for k, word in enumerate(words)
    ):
        return True
    if len(words) < 2 or not _is_preposition(words):
        return False
    return words[0].islower() or not words[1][0].isupper() or (text.isupper() and fold(words[0]) in _CLEAR_PREPOSITIONS)


def is_bare_sound(text: str) -> bool:
    """Whether a row without brackets describes a sound, as teletext does in capitals: `DOOR SLAMS`."""
    words = text.split()
    if not text.isupper() or len(words) > 6 or not words[-1][-1].isalpha() or not is_sure_manner(text):
        return False
    if len(words) == 1:
        return text in _LONE_SOUNDS
    last = fold(words[-1])
    is_sound = last in SOUNDS or (last.endswith(("s", "ing")) and _is_english_sound(last, is_title=False))
    return is_sound and _SAID.search(text) is None


def is_unsure_manner(text: str) -> bool:
    """Whether words in brackets look like a description rather than a name: lower case behind the first word."""
    words = _words_of(text)
    return bool(words) and (words[0][0].islower() or (len(words) > 1 and words[-1][0].islower()))


def is_spoken_aside(text: str) -> bool:
    """Whether words in brackets are said or thought: a sentence, a question, a pronoun."""
    text = text.strip()
    if text in MANNERS:
        return False
    if _SENTENCE.search(text) or _CJK_SPEECH.search(text):
        return True
    return _SPEAKER_WORDS.search(text.casefold()) is not None


def opens_manner(words: Sequence[str]) -> str:
    """`manner` where the words go on to tell how somebody speaks, `sound` where what is heard, else nothing."""
    first = words[0].strip(",.")
    if first in SPEECH_VERBS or words[0] in MANNERS or first in MANNERS or (first.islower() and _is_adverb(first)):
        return "manner"
    if len(words) > 1 and _is_preposition(words):
        return "manner"
    return "sound" if first and _is_sound(first, is_title=first.istitle()) else ""


def is_sound_like(inside: str) -> bool:
    """Whether words in brackets name a sound or a way of speaking rather than being said or being a name."""
    inside = inside.strip()
    if not inside or is_spoken_aside(inside):
        return not inside.strip(".。… ")
    return is_sure_manner(inside) or inside[0].islower()


def _words_of(text: str) -> list[str]:
    if _COMBINING.search(text):  # vowel signs are no letters to a regular expression
        return [word for piece in text.split() if (word := piece.strip(".,;:!?…।'\"-–—"))]
    return _WORDS.findall(text)


def _is_preposition(words: Sequence[str]) -> bool:
    return words[0] in MANNER_PREPOSITIONS


def _is_adverb(word: str) -> bool:
    return len(word) > 4 and word.endswith("ly")


@functools.lru_cache(maxsize=1 << 14)
def _is_sound(word: str, *, is_title: bool = False) -> bool:
    """``is_title``: written as a name is (`Van Helsing`), so that -ing alone does not make it a sound."""
    if word[0].isupper() and not word.isupper() and fold(word) in PERSONS.whole:  # Lenas Mutter does not mutter
        return False
    return _is_english_sound(fold(word), is_title=is_title) or word in SOUNDS


def _is_english_sound(word: str, *, is_title: bool) -> bool:
    stems = {word, *(word.removesuffix(end) for end in ("s", "es", "ed", "d", "ing"))}
    if word.endswith("ing"):
        stems.add(f"{word[:-3]}e")
    if not stems.isdisjoint(SOUND_WORDS):
        return True
    return not is_title and len(word) > 5 and word.endswith("ing") and word not in NO_SOUND_WORDS
