"""The subtitle file that lies beside a video, or in a folder of subtitles beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.subtitles.languages import HEARING_IMPAIRED, NEUTRAL, PARTIAL, language_of_word, words_of

_RANK_OF_FORMAT = {
    suffix: rank
    for rank, suffix in enumerate(
        (
            *(".ass", ".ssa", ".vtt", ".webvtt", ".srt", ".ttml", ".dfxp", ".itt", ".smi", ".sami", ".sub", ".mpl"),
            *(".sbv", ".stl", ".scc", ".json3", ".srv3", ".srv2", ".srv1", ".tsv", ".lrc"),
        )
    )
}
# Also subtitles at times, but mostly not: named where nothing else is found, never taken.
_PERHAPS = frozenset((".txt", ".xml", ".json", ".sup", ".idx", ".mks", ".usf", ".rar", ".zip", ".7z", ".gz"))
_MEDIA = frozenset(
    re.split(
        " ",
        ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogm .ogv .rmvb .ts .vob .webm .wmv "
        ".mp3 .m4a .flac .wav .ogg .opus .aac .mka",
    )
)
_FOLDERS = frozenset("subs sub subtitles subtitle legendas untertitel 字幕".split(" "))  # noqa: SIM905
_OTHER_EPISODE = re.compile(r"(?:s\d+)?(?:e|ep|episode|part|pt|cd|disc|vol|ova|sp|nced|ncop|op|ed)?\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A subtitle file that belongs to a video, by its name."""

    name: str
    words: tuple[str, ...]
    in_folder: bool

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()

    @property
    def languages(self) -> frozenset[str]:
        # After a language "hi" means hearing impaired, alone it is Hindi.
        spoken = [word for word in self.words if language_of_word(word)]
        spoken = [word for word in spoken if word != "hi" or len(spoken) == 1]
        return frozenset(language for word in spoken if (language := language_of_word(word)))

    @property
    def is_partial(self) -> bool:
        return not PARTIAL.isdisjoint(self.words)

    @property
    def is_hearing_impaired(self) -> bool:
        named = HEARING_IMPAIRED.intersection(self.words)
        return bool(named - {"hi"}) or ("hi" in named and "hi" not in self.languages)


def find_sidecar(video: Path, *, language: str | None = None) -> Path | None:
    """The subtitle file that belongs to ``video``, or None.

    It has the video's stem, alone or followed by words: ``ep01.ass``, ``ep01.zh.srt``, ``ep01_en.srt``,
    ``ep01 [English].srt``; never a number (``ep01.5.srt`` is another episode) and never the stem of another video of
    the folder. Or it lies in a folder of subtitles: ``Subs/ep01.en.srt``, ``Subs/ep01/2_English.srt``, for the only
    video of a folder ``Subs/2_English.srt``. Of several, in this order: complete before partial ones (forced, signs,
    songs), those in ``language`` (``ja``, ``zh-Hans``; ``ep01.jp.srt`` and ``ep01.chs.ass`` count) before others,
    the video's folder before a folder of subtitles, the plain stem before others, plain before those for the hard of
    hearing, the format that says more (ASS, SSA, WebVTT, SRT, others), the alphabet.

    Raises:
        OSError: the folder cannot be listed.
    """
    name = choose_sidecar(video.name, _names_near(video), language=language)
    return None if name is None else video.parent / name


def find_names_sidecar(video: Path, chosen: Path) -> Path | None:
    """The file for the hard of hearing that goes with a chosen plain one: it names speakers that the other does not.

    Raises:
        OSError: the folder cannot be listed.
    """
    candidates = _candidates(video.name, _names_near(video))
    own = next((c for c in candidates if video.parent / c.name == chosen), None)
    if own is None or own.is_hearing_impaired or own.is_partial:
        return None
    fitting = [
        c
        for c in candidates
        if c.is_hearing_impaired and not c.is_partial and (c.languages == own.languages or not own.languages)
    ]
    best = min(fitting, key=lambda c: _order(c, None), default=None)
    return None if best is None else video.parent / best.name


def unfit_names(video: Path) -> list[str]:
    """Files that look like subtitles of the video but are not taken by their names or formats, for a message.

    They begin with its stem, or it is the only video of the folder.

    Raises:
        OSError: the folder cannot be listed.
    """
    names = _names_near(video)
    taken = {candidate.name for candidate in _candidates(video.name, names)}
    stem, is_alone = _folded(video.stem), not _other_stems(names, _folded(video.stem))
    return sorted(
        name
        for name in names
        if name not in taken
        and (suffix := Path(name).suffix.lower()) in _RANK_OF_FORMAT.keys() | _PERHAPS
        and (_folded(Path(name).name).startswith(stem) or (is_alone and suffix in _RANK_OF_FORMAT))
    )


def choose_sidecar(video_name: str, names: Iterable[str], *, language: str | None = None) -> str | None:
    """The decision of ``find_sidecar`` on file names, relative to the video's folder.

    Args:
        video_name: the video's file name.
        names: file names beside it.
        language: the code of the language that is preferred.
    """
    candidates = _candidates(video_name, names)
    best = min(candidates, key=lambda candidate: _order(candidate, language), default=None)
    return None if best is None else best.name


def _order(candidate: _Candidate, language: str | None) -> tuple[bool, bool, bool, int, bool, int, str]:
    is_other = language is not None and not any(_speaks(have, language) for have in candidate.languages)
    return (
        candidate.is_partial,
        is_other,
        candidate.in_folder,
        min(len(candidate.words), 1),
        candidate.is_hearing_impaired,
        _RANK_OF_FORMAT[candidate.suffix],
        candidate.name,
    )


def _candidates(video_name: str, names: Iterable[str]) -> list[_Candidate]:
    """The files that belong to a video, in alphabetical order."""
    names = sorted(names)
    stem = _folded(Path(video_name).stem)
    others = _other_stems(names, stem)
    pictures = {_folded(str(Path(name).with_suffix(""))) for name in names if Path(name).suffix.lower() == ".idx"}
    found = []
    for name in names:
        path = Path(name)
        is_vobsub = path.suffix.lower() == ".sub" and _folded(str(path.with_suffix(""))) in pictures
        if path.suffix.lower() not in _RANK_OF_FORMAT or is_vobsub:
            continue
        words = _words(path, stem, others)
        if words is not None:
            found.append(_Candidate(name, words, in_folder=len(path.parts) > 1))
    return found


def _other_stems(names: Iterable[str], stem: str) -> list[str]:
    """The stems of the folder's other media files: of whatever is neither subtitles nor akin to them."""
    return [
        other
        for name in names
        if Path(name).suffix.lower() in _MEDIA and "/" not in name and (other := _folded(Path(name).stem)) != stem
    ]


def _words(path: Path, stem: str, others: list[str]) -> tuple[str, ...] | None:
    """The words that a file's name has beside the video's stem; None where it is not the video's."""
    own = _folded(path.stem)
    longer = (other for other in others if other.startswith(stem) and own.startswith(other))
    if own.startswith(stem):
        rest = own[len(stem) :]
        if any((len(other) < len(own) and not own[len(other)].isalnum()) or own == other for other in longer):
            return None
        return _words_behind(rest)
    folders = [_folded(part) for part in path.parts[:-1]]
    if not folders or any(own.startswith(other) for other in others):
        return None
    belongs = folders[-1] == stem or not others
    words = tuple(word for word in words_of(own) if not word.isdecimal())
    return words if belongs and words and all(map(_is_known, words)) else None


def _words_behind(rest: str) -> tuple[str, ...] | None:
    if not rest:
        return ()
    words = tuple(words_of(rest))
    if all(map(_is_known, words)) and words and rest[0] in "._- [(（【":
        return words
    if rest[0] != ".":
        return None
    dotted = rest[1:].split(".")
    if any(not word or _OTHER_EPISODE.fullmatch(word) for word in dotted):
        return None
    return words


def _is_known(word: str) -> bool:
    return language_of_word(word) is not None or word in PARTIAL | HEARING_IMPAIRED | NEUTRAL


def _names_near(video: Path) -> list[str]:
    """Files of the video's folder and of the folders of subtitles in it, relative to it."""
    names = []
    for path in video.parent.iterdir():
        if path.is_file():
            names.append(path.name)
        elif path.is_dir() and path.name.casefold() in _FOLDERS:
            below = [*path.iterdir(), *(path / video.stem).glob("*")]
            names += [str(file.relative_to(video.parent).as_posix()) for file in below if file.is_file()]
    return names


def _speaks(have: str, wanted: str) -> bool:
    """Whether a file's language is the wanted one; ``zh-hans`` is not said by ``zh-hant``."""
    want = language_of_word(wanted) or wanted.lower().replace("_", "-")
    mine, theirs = have.split("-"), want.split("-")
    return mine[0] == theirs[0] and (len(mine) < 2 or len(theirs) < 2 or mine[1] == theirs[1])


def _folded(stem: str) -> str:
    # File systems differ in composing accents and in case; a stem that differs in those only is the same.
    return unicodedata.normalize("NFC", stem).casefold()
