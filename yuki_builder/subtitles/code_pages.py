"""Which code page a text was saved in: by the pairs of letters of languages, their alphabets and what is usual.

chardet gives every code page a likelihood from byte pairs of some forty languages. What it cannot see is weighed here:
letters that the language does not have, two scripts in one word, capitals inside a word, signs inside a word, and how
common a code page is in subtitle files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Python's name of the codec: how common it is. Supersets stand for their kin: cp932 reads Shift-JIS, cp949 EUC-KR,
# gb18030 GBK and GB2312, koi8_u KOI8-R.
_USUAL = {
    **dict.fromkeys(["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"], 1.0),
    **dict.fromkeys(["gb18030", "big5", "cp950", "big5hkscs", "cp932", "cp949", "euc_jp", "koi8_u"], 1.0),
    **dict.fromkeys(["iso8859_2", "iso8859_5", "iso8859_7", "iso8859_15"], 0.97),
    **dict.fromkeys(["mac_roman", "iso8859_6", "iso8859_13", "cp866", "cp850"], 0.93),
    "mac_cyrillic": 0.85,
    **dict.fromkeys(["mac_greek", "mac_turkish", "mac_latin2", "cp852"], 0.9),
    **dict.fromkeys(["cp1258", "cp737", "cp862", "cp857"], 0.8),
}
CODE_PAGES = tuple(_USUAL)
_WESTERN = 1.05  # Latin letters are Western more often than chardet's equal weights for languages say

_ALPHABETS = {
    "bg": "а-яѝ",
    "bs": "čćđšž",
    "be": "а-яіўё",
    "ca": "àèéíïòóúüç·",
    "cs": "áčďéěíňóřšťúůýž",
    "da": "æøåéó",
    "de": "äöüßéàè",
    "el": "α-ωάέήίόύώϊϋΐΰ",
    "en": "éèàçïñêöüâäôë",
    "es": "áéíóúüñ",
    "et": "äõöüšž",
    "fi": "äöåšžé",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "ga": "áéíóú",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "é",
    "is": "áðéíóúýþæö",
    "it": "àèéìîòóùíú",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūžōŗ",
    "mk": "а-шѓѕјљњќџѐѝ",
    "ms": "é",
    "nl": "éëïóöüèáêûíúä",
    "no": "æøåéòóôêèà",
    "nb": "æøåéòóôêèà",
    "pl": "ąćęłńóśźż",
    "pt": "áâãàçéêíóôõúü",
    "ro": "ăâîşţșț",
    "ru": "а-яё",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sq": "çë",
    "sr": "а-шђјљњћџčćđšž",
    "sv": "åäöéà",
    "tr": "çğıöşüâîûi\u0307",
    "uk": "а-яґєії",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạ-ỹ\u0300\u0301\u0303\u0309\u0323",
}
_WESTERN_LANGUAGES = re.findall(r"\w+", "ca da de en es fi fr ga id it ms nb nl no pt sq sv")
# Which of them it is, is told too badly for their letters to count against each other.
_ALPHABETS.update(dict.fromkeys(_WESTERN_LANGUAGES, "".join(_ALPHABETS[code] for code in _WESTERN_LANGUAGES)))
_LETTERS = {code: re.compile(f"[{letters}{letters.upper()}]") for code, letters in _ALPHABETS.items()}
_LATIN = r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_CYRILLIC = r"\u0400-\u052f"
_GREEK = r"\u0370-\u03ff"
_SCRIPTS = (f"[{_LATIN}]", f"[{_CYRILLIC}]", f"[{_GREEK}]", "[\u0590-\u05ff]", "[\u0600-\u06ff]", "[\u0e00-\u0e7f]")
_TWO_SCRIPTS = re.compile("|".join(f"{a}{b}" for a in _SCRIPTS for b in _SCRIPTS if a != b))
_HANGUL, _KANA, _HAN = re.compile("[\uac00-\ud7a3]"), re.compile("[\u3041-\u30ff]"), re.compile("[\u3400-\u9fff]")
_RARE = re.compile(
    "[\u0080-\u009f\u00a2\u00a4-\u00a6\u00ac\u00af\u00b1-\u00b3\u00b5\u00b6\u00b8\u00b9\u02c0-\u02df\u2200-\u22ff\u2500-\u25ff"
    "\ue000-\uf8ff\ufffd]"
)
_SIGN_INSIDE = re.compile(
    r"[^\W\d_][\u00a1-\u00a9\u00ab-\u00b3\u00b5-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2020-\u203a\u20ac][^\W\d_]"
)
_SIGN_BESIDE = re.compile(r"[^\W\d_][§†‡‰‹ˆ˜‗¿¡‚„]|[§†‡‰›ˆ˜‗][^\W\d_]|[b-df-hj-np-tv-xz][\u0300-\u036f]", re.IGNORECASE)
_JAPANESE = ("cp932", "euc_jp")
_JAPANESE_CHARACTER = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e…―‐’”“‘→♪♬☎※□■○●△▽☆★～]")
_SAMPLE_BYTES = 1 << 15
_CLOSE = 0.90  # a second code page that likely may as well be the right one


@dataclass(frozen=True, slots=True)
class Choice:
    """The likeliest code page, and another that is as likely and reads another text, if there is one."""

    encoding: str
    rival: str | None = None


def choose_code_page(rows: Sequence[bytes], candidates: Iterable[str], *, language: str | None = None) -> Choice | None:
    """The code page of rows of text; None where none reads them as a language.

    Args:
        rows: the rows that hold anything but ASCII, and some of their neighbours.
        candidates: code pages that can read the rows.
        language: the code of the language (``pl``, ``zh-hant``), where it is known.
    """
    sample = b"\n".join(rows)[:_SAMPLE_BYTES]
    candidates = [*candidates]
    japanese = [page for page in _JAPANESE if page in candidates and _is_japanese(sample.decode(page, "replace"))]
    if len(japanese) == 1:
        return Choice(japanese[0])
    texts: dict[str, tuple[float, str]] = {}
    for encoding, likelihood, found in _likelihoods(sample, candidates):
        text = unicodedata.normalize("NFC", sample.decode(encoding, "replace"))
        weight = likelihood * _USUAL[encoding] * _plausibility(text, found)
        if language is not None:
            weight *= _agreement(found, text, language)
        if encoding in ("cp1252", "mac_roman", "cp850", "iso8859_15"):
            weight *= _WESTERN
        if weight > texts.get(text, (0.0, ""))[0]:
            texts[text] = weight, encoding
    ranked = sorted(texts.values(), reverse=True)
    if not ranked or ranked[0][0] < _LEAST:
        return None
    rival = next((encoding for weight, encoding in ranked[1:2] if weight > _CLOSE * ranked[0][0]), None)
    return Choice(ranked[0][1], rival)


_LEAST = 0.012


def _is_japanese(text: str) -> bool:
    """Whether everything beyond ASCII is Japanese and much of it kana, which no other script looks like by chance."""
    beyond = [c for c in text if not c.isascii()]
    kana = sum(_KANA.match(c) is not None for c in beyond)
    return kana >= 0.3 * len(beyond) and all(_JAPANESE_CHARACTER.match(c) for c in beyond)


def _likelihoods(sample: bytes, candidates: Sequence[str]) -> list[tuple[str, float, str]]:
    """Code page, likelihood and language by chardet."""
    import codecs

    import chardet

    if not candidates:
        return []
    named = {codecs.lookup(name).name: name for name in candidates}
    found = chardet.detect_all(
        sample,
        ignore_threshold=True,
        include_encodings=[*_for_chardet(candidates), "ascii"],
        no_match_encoding="ascii",
        compat_names=False,
    )
    rows = []
    for row in found:
        if row["encoding"] is None:
            continue
        name = named.get(codecs.lookup(row["encoding"]).name) or _KIN.get(row["encoding"])
        if name is not None:
            rows.append((name, float(row["confidence"]), row["language"] or ""))
    return rows


_KIN = {"euc_jis_2004": "euc_jp"}


def _for_chardet(candidates: Sequence[str]) -> list[str]:
    named = {"big5": "big5hkscs", "cp950": "big5hkscs", "euc_jp": "euc_jis_2004"}
    return [named.get(name, name) for name in candidates]


def _plausibility(text: str, language: str) -> float:
    """0 to 1: how few of the characters beyond ASCII are out of place."""
    beyond = [c for c in text if not c.isascii()]
    if not beyond:
        return 1.0
    odd = 3 * (len(_TWO_SCRIPTS.findall(text)) + len(_SIGN_INSIDE.findall(text)) + len(_SIGN_BESIDE.findall(text)))
    odd += 2 * len(_RARE.findall(text)) + 3 * sum(_is_odd_case(text[max(0, k - 1) : k + 2]) for k in _beyond(text))
    letters = _LETTERS.get(language.split("-", maxsplit=1)[0])
    if letters is not None:
        odd += 2 * sum(c.isalpha() and not letters.match(c) for c in beyond)
    return max(0.02, 1.0 - odd / len(beyond)) ** 2


def _beyond(text: str) -> Iterable[int]:
    return (k for k, c in enumerate(text) if not c.isascii())


def _is_odd_case(around: str) -> bool:
    """Whether a capital follows a small letter, or a small letter two capitals (``ÈÈn``)."""
    shape = "".join("l" if c.islower() else "u" if c.isupper() else " " for c in around)
    return "lu" in shape or shape == "uul"


def _agreement(found: str, text: str, language: str) -> float:
    """How well a reading goes with the language that the file is said to be in."""
    wanted = language.split("-", maxsplit=1)[0]
    letters = _LETTERS.get(wanted)
    if letters is None:
        script = {"ja": _KANA, "ko": _HANGUL, "zh": _HAN}.get(wanted)
        fits = bool(script.search(text)) if script else found == wanted
        return 2.0 if fits else 0.5
    beyond = [c for c in text if c.isalpha() and not c.isascii()]
    share = sum(letters.match(c) is not None for c in beyond) / max(1, len(beyond))
    return (2.0 if found == wanted else 1.0) * (0.2 + share)
