"""The language that a file's name says, in the codes and words that people write."""

from __future__ import annotations

import re
import unicodedata

# ISO 639-1 code: its other codes, the words for it in English, in itself, and in Chinese or Japanese.
_WORDS = {
    "ar": "ara arabic العربية 阿拉伯",
    "bg": "bul bulgarian български",
    "bs": "bos bosnian bosanski",
    "ca": "cat catalan català",
    "cs": "cze ces cz czech čeština cesky český",
    "da": "dan danish dansk",
    "de": "ger deu german deutsch 德语 德文 ドイツ語",
    "el": "gre ell gr greek ελληνικά",
    "en": "eng english 英文 英语 英語 en-us en-gb en-au en-ca",
    "es": "spa spanish español espanol castellano esp latino 西班牙语 es-la es-419 es-es es-mx",
    "et": "est estonian eesti",
    "fa": "per fas farsi persian فارسی",
    "fi": "fin finnish suomi",
    "fr": "fre fra french français francais vf vff vfq 法语 法文 fr-fr fr-ca フランス語",
    "he": "heb iw hebrew עברית",
    "hi": "hin hindi हिन्दी",
    "hr": "hrv scr croatian hrvatski",
    "hu": "hun magyar hungarian",
    "id": "ind indonesian indonesia bahasa",
    "is": "ice isl icelandic íslenska",
    "it": "ita italian italiano 意大利语",
    "ja": "jp jpn jap japanese 日本語 日语 日文 日語 ja-jp",
    "ko": "kor kr korean 한국어 한글 韩语 韩文 韓國語 ko-kr",
    "lt": "lit lithuanian lietuvių lietuviu",
    "lv": "lav latvian latviešu latviesu",
    "mk": "mac mkd macedonian македонски",
    "ms": "may msa malay melayu",
    "nb": "nob no nor norwegian norsk bokmål",
    "nl": "dut nld dutch nederlands",
    "pl": "pol polish polski",
    "pt": "por pob pb portuguese português portugues 葡萄牙语 pt-pt",
    "pt-br": "ptbr brazilian brazil",
    "ro": "rum ron romanian română romana",
    "ru": "rus russian русский 俄语 俄文",
    "sk": "slo slk slovak slovenčina slovensky",
    "sl": "slv slovenian slovene slovenščina",
    "sq": "alb sqi albanian shqip",
    "sr": "scc srp serbian srpski српски",
    "sv": "swe swedish svenska",
    "th": "tha thai ไทย",
    "tr": "tur turkish türkçe turkce",
    "uk": "ukr ukrainian українська",
    "vi": "vie vietnamese 越南语",
    "zh": "chi zho cn chinese mandarin cmn 中文 汉语 中字",
    "zh-hans": "chs sc gb zh-cn zh-sg zhcn hans simplified 简体 简中 简 簡体",
    "zh-hant": "cht tc big5 zh-tw zh-hk zhtw hant traditional 繁体 繁體 繁中 繁",
}
CODES = {word: code for code, words in _WORDS.items() for word in (code, *words.split())}
"""The code of each word, all in lower case."""
# Words that say which of several files of one language it is.
PARTIAL = frozenset({"forced", "foreign", "sign", "signs", "songs", "karaoke", "lyrics", "commentary", "forzados"})
HEARING_IMPAIRED = frozenset({"sdh", "cc", "hi", "hoh", "hearing", "impaired", "deaf", "captions"})
NEUTRAL = frozenset({"full", "default", "subs", "sub", "subtitles", "track", "web", "retail", "original", "dialogue"})
_REGIONAL = re.compile(r"([a-z]{2,3})-(?:[a-z]{2}|[a-z]{4}|\d{3})")
_JOINT = re.compile(r"[.\s_\[\]()（）【】+&,]+")


def language_of_word(word: str) -> str | None:
    """The code (``ja``, ``zh-hant``) that a word of a file's name stands for, or None."""
    folded = unicodedata.normalize("NFC", word).casefold().replace("_", "-")
    if folded in CODES:
        return CODES[folded]
    code = _REGIONAL.fullmatch(folded)
    return CODES.get(code[1]) if code else None


def words_of(text: str) -> list[str]:
    """The words of a name; a code with its region (``pt-br``) is one."""
    pieces = [piece.strip("-") for piece in _JOINT.split(text)]
    words = ([piece] if language_of_word(piece) else piece.split("-") for piece in pieces)
    return [word for several in words for word in several if word]


def language_of_name(name: str) -> str | None:
    """The language that a file's name says at its end: ``ep01.pl.srt``, ``x [Czech].srt``, ``x-en.forced.ass``."""
    words = words_of(name.rpartition(".")[0] or name)
    while words and words[-1].casefold() in PARTIAL | HEARING_IMPAIRED | NEUTRAL:
        words.pop()
    return language_of_word(words[-1]) if len(words) > 1 else None
