"""Language codes: containers, players and people write the same language in several ways."""

from __future__ import annotations

import functools
import re

# Where people who write tracks differ from the registry: Mandarin is Chinese, and Tagalog is not Filipino.
_OWN = {"cmn": "zh", "tl": "tl", "tgl": "tl"}
# What writers put where they know no language.
_NO_LANGUAGE = {"", "und", "mis", "mul", "zxx", "unknown"}


def normal_language(code: str | None) -> str | None:
    """One spelling per language: ``jpn`` and ``JA`` become ``ja``, ``chi-Hant`` becomes ``zh-hant``.

    The language goes to its ISO 639-1 code where it has one, script and region subtags (BCP 47) stay;
    everything is lower case. None for "undetermined" and its like.
    """
    language, *subtags = re.split(r"[-_]", (code or "").strip().lower())
    if language in _NO_LANGUAGE:
        return None
    return "-".join([_shortest(language), *subtags])


@functools.lru_cache(maxsize=1024)
def _shortest(language: str) -> str:
    """ISO 639-1 where there is one; what is no code at all stays as it is."""
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        return _OWN.get(language) or langcodes.get(language).language or language
    except LanguageTagError:
        return language


def written_characters(code: str | None) -> str | None:
    """``simplified`` or ``traditional``, where a language code says so: ``zh-hant``, ``zh-TW``, ``cmn-Hans``."""
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    language = normal_language(code)
    if language is None or not language.startswith(("zh-", "yue-")):
        return None
    try:
        script = langcodes.get(language).maximize().script
    except LanguageTagError:
        return None
    return {"Hans": "simplified", "Hant": "traditional"}.get(str(script))


def speaks(language: str | None, wanted: str) -> bool:
    """Whether a track's ``language`` is what was ``wanted``: ``zh`` takes ``chi`` and ``zh-Hant``, not the reverse."""
    have, want = normal_language(language), normal_language(wanted)
    if have is None or want is None:
        return False
    language_have, *subtags_have = have.split("-")
    language_want, *subtags_want = want.split("-")
    return language_have == language_want and set(subtags_want) <= set(subtags_have)
