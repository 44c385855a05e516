"""Lines in which nobody speaks: sound descriptions for the deaf and hard of hearing, and lyrics between notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from yuki_builder.subtitles.vocabulary import NO_SOUND_WORDS, SOUND_WORDS

_NOTES = "♪♫♬♩🎵🎶"
_HASHES = "#＃"
_BRACKETED = re.compile(
    r"(?P<square>[\[［【][^\[\]［］【】]*[\]］】])|(?P<round>[(（][^()（）]*[)）])|(?P<star>\*[^*]+\*)|[\s\-–—‐.,;♪♫♬♩]+"
)
_INLINE = re.compile(r"[\[［【][^\[\]［］【】]{1,80}[\]］】]|[(（][^()（）]{1,80}[)）]|\*[^*\s][^*]{0,60}\*")
_NAMES_SOMEBODY = re.compile(r"\s*[:：]")
_SENTENCE = re.compile(r"[?!？！…]|\.\.|[。.]$")
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_CJK_SOUND = re.compile(
    r".{0,12}(?:声|聲|音|響|拍手|鼓掌|悲鳴|尖叫|ため息|吐息|い息|叹息|嘆息|叹气|嘆氣|いびき|チャイム|ノック|ベル|泣き"
    r"|笑い|音乐|音樂|音楽|소리|음악|웃음|한숨|박수)"
    r"|[笑哭泣叫咳喘歌曲叹嘆].{0,2}|.{0,2}[笑哭泣叫咳喘]"
)
_CJK_SPEECH = re.compile(r"[我你您他她咱俺僕私君吗嗎呢吧啊]|什么|什麼|[那这這]是|何|誰|谁|どこ|なん")
_SPEAKER_WORDS = re.compile(r"\b(?:i|i'm|i'll|you|we|me|my|your|he|she|they|it's|don't|can't|what|why|how)\b")


def without_lyrics(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that are not sung. A song opens with a note or `#` and runs to the line that ends with one.

    A note only at a line's end is a cheerful tone of speech (いただきます♪), not a song.
    """
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
        if k > sung_until and (line[0] in _NOTES or (line[0] in _HASHES and closings[k] is not None)):
            sung_until = closings[k] or k
        if k > sung_until:
            spoken.append(line)
    return tuple(spoken)


def is_sound_description(text: str) -> bool:
    """Whether all of ``text`` stands in brackets that describe a sound: ``[door closes]``, ``(sighs)``, （笑い声）.

    Square brackets are never spoken. Round ones may hold a thought, which is: a sentence, a pronoun or a
    question mark in them says so.
    """
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
    sounds: list[str] = []

    def taken(match: re.Match[str]) -> str:
        inside = match[0][1:-1].strip()
        if _NAMES_SOMEBODY.match(text, match.end()) or not _surely_a_sound(inside):
            return match[0]
        sounds.append(inside)
        return " "

    rest = _INLINE.sub(taken, text)
    return (re.sub(r"\s+([,.!?…])", r"\1", " ".join(rest.split())), tuple(sounds)) if sounds else (text, ())


def bare_sounds(text: str) -> tuple[str, ...]:
    """What a sound description says, without its brackets."""
    return tuple(inside for match in _INLINE.finditer(text) if (inside := match[0][1:-1].strip()))


def _surely_a_sound(inside: str) -> bool:
    if not is_sound_like(inside):
        return False
    if _CJK.search(inside):
        return True
    words = re.findall(r"[^\W\d_][\w'’]*", inside.casefold())
    return any(_is_sound_word(word) or (len(word) > 4 and word.endswith("ly")) for word in words)


def is_sound_like(inside: str) -> bool:
    """Whether words in brackets name a sound or a way of speaking rather than being said or being a name."""
    inside = inside.strip()
    if not inside or _SENTENCE.search(inside):
        return not inside.strip(".。… ")
    if _CJK.search(inside):
        return not _CJK_SPEECH.search(inside) and bool(_CJK_SOUND.fullmatch(inside))
    words = re.findall(r"[^\W\d_][\w'’]*", inside.casefold())
    if _SPEAKER_WORDS.search(" ".join(words)):
        return False
    return any(_is_sound_word(word) for word in words) or (bool(words) and inside[0].islower())


def _is_sound_word(word: str) -> bool:
    stems = (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ed"), word.removesuffix("d"))
    return any(stem in SOUND_WORDS for stem in stems) or (
        len(word) > 5 and word.endswith("ing") and word not in NO_SOUND_WORDS
    )
