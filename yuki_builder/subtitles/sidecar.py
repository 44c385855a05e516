"""The subtitle file that lies beside a video."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_RANK_OF_FORMAT = {
    suffix: rank
    for rank, suffix in enumerate((".ass", ".ssa", ".vtt", ".srt", ".ttml", ".smi", ".sami", ".sub", ".mpl"))
}
_OTHER_EPISODE = re.compile(r"(?:s\d+)?(?:e|ep|episode|part|pt|cd|disc|vol|ova|sp|nced|ncop|op|ed)?\d+", re.IGNORECASE)
# What people write into file names, beside the codes themselves.
_LANGUAGES = {
    word: language
    for language, words in {
        "ja": "jp jpn jap japanese 日本語 日语 日文",
        "zh": "chi zho cn chinese 中文",
        "zh-hans": "chs sc gb zh-cn zh-sg 简体 简中 简",
        "zh-hant": "cht tc big5 zh-tw zh-hk 繁体 繁體 繁中 繁",
        "en": "eng english 英文",
        "ko": "kor kr korean 한국어",
        "fr": "fre fra french",
        "de": "ger deu german",
        "es": "spa spanish",
        "it": "ita italian",
        "ru": "rus russian",
        "pt": "por pt-br portuguese",
    }.items()
    for word in words.split()
}
_PARTIAL = frozenset({"forced", "sign", "signs", "songs", "karaoke", "lyrics", "commentary"})


def find_sidecar(video: Path, *, language: str | None = None) -> Path | None:
    """The subtitle file beside ``video`` that belongs to it, or None.

    It has the video's stem, alone or followed by dot-separated words: ``ep01.ass``, ``ep01.zh.srt``,
    ``ep01.en.forced.srt``; never a number (``ep01.5.srt`` is another episode) and never the stem of another
    video of the folder. Of several, in this order: complete before partial ones (forced, signs, songs), those in
    ``language`` (``ja``, ``zh-Hans``; ``ep01.jp.srt`` and ``ep01.chs.ass`` count) before others, the plain stem
    before language suffixes, the format that says more (ASS, SSA, WebVTT, SRT, others), the
    alphabet.

    Raises:
        OSError: the folder cannot be listed.
    """
    files = [path for path in video.parent.iterdir() if path.is_file()]
    names = choose_sidecar(video.name, (path.name for path in files), language=language)
    return None if names is None else video.parent / names


def choose_sidecar(video_name: str, names: Iterable[str], *, language: str | None = None) -> str | None:
    """The decision of ``find_sidecar`` on file names."""
    names = sorted(names)
    stem = _folded(Path(video_name).stem)
    longer_stems = [
        other
        for name in names
        if Path(name).suffix.lower() not in _RANK_OF_FORMAT
        and (other := _folded(Path(name).stem)).startswith(f"{stem}.")
    ]
    pictures = {_folded(Path(name).stem) for name in names if Path(name).suffix.lower() == ".idx"}
    candidates = []
    for name in names:
        own, suffix = _folded(Path(name).stem), Path(name).suffix.lower()
        if suffix not in _RANK_OF_FORMAT or not (own == stem or own.startswith(f"{stem}.")):
            continue
        words = own[len(stem) + 1 :].split(".") if own != stem else []
        is_vobsub = suffix == ".sub" and own in pictures
        is_of_another = any(own == other or own.startswith(f"{other}.") for other in longer_stems)
        if is_vobsub or is_of_another or any(not word or _OTHER_EPISODE.fullmatch(word) for word in words):
            continue
        is_partial = not _PARTIAL.isdisjoint(re.split(r"[^\w]+|_", ".".join(words)))
        is_other = language is not None and not any(_speaks(word, language) for word in words)
        candidates.append((is_partial, is_other, len(words), _RANK_OF_FORMAT[suffix], name))
    return min(candidates)[-1] if candidates else None


def _speaks(word: str, language: str) -> bool:
    """Whether a word of a file name says that language; ``zh-hans`` is not said by ``cht``."""
    have, want = (_LANGUAGES.get(code, code).split("-") for code in (word.lower(), language.lower().replace("_", "-")))
    return have[0] == want[0] and (len(have) < 2 or len(want) < 2 or have[1] == want[1])


def _folded(stem: str) -> str:
    # File systems differ in composing accents and in case; a stem that differs in those only is the same.
    return unicodedata.normalize("NFC", stem).casefold()
