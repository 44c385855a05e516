"""What an episode is called: after its file, and after the season that its folder names. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from yuki_builder.names import path_name

_DIGITS = {c: k for k, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_SEASON_FOLDER = re.compile(
    r"""
      (?:^|[\W_]) (?:season|series|saison|staffel|temporada|stagione)
      (?: [\W_]* (?P<a>[1-9]\d?|0[1-9]) | [\W_]+ (?P<f>00?) ) (?!\d)
    | (?:^|[\W_]) s (?P<b>\d{1,2}) (?![^\W_])
    | (?:^|[\W_]) (?P<c>\d{1,2}) (?:st|nd|rd|th) [\W_]* season
    | 第 \s* (?P<d>\d{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[〇零一二三四五六七八九两兩]{1,2}) \s* [季期部]
    | シーズン \s* (?P<e>\d{1,2})
    | ^ (?P<specials>specials?) $
    """,
    re.IGNORECASE | re.VERBOSE,
)
_HAS_SEASON = re.compile(
    r"(?:^|[\W_])(?:s\d{1,2}[\W_]*e\d|\d{1,2}x\d{2,3}(?!\d)|season[\W_]*\d)|第\s*[\d一二三四五六七八九十]+\s*[季期]",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"(?:^|(?<=[\W_]))(?:s\d{1,2}\s*[-_.~–+&]\s*s?|season[\W_]*\d{1,2}[-~–+&])\d{1,2}(?![^\W_])", re.IGNORECASE
)
_SHORT = re.compile(r"s\d", re.IGNORECASE)
_TAGS = re.compile(r"[\[(【][^\[\]()【】]*[\])】]")
_NUMBER = re.compile(
    r"""
      第 \s* (?P<a>\d{1,4}) \s* [話话集回]
    | (?:^|[\W_]) (?:e|ep|episode|folge|\#) [\W_]* (?P<b>\d{1,4}) (?!\d)
    | ^ (?P<c>\d{1,4}) (?![\dp])
    | [\s_] - [\s_]* (?P<d>\d{1,4}) (?:v\d)? (?![\dp])
    | [\W_] (?P<e>\d{1,4}) (?:v\d)? $
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ONLY_A_NUMBER = re.compile(r"\W*(?:e|ep|episode|folge|\#|第)?[\W_]*\d{1,4}[話话集回]?(?:v\d)?\W*", re.IGNORECASE)


def season_of(folder: str) -> int | None:
    """The season that a folder's name tells, such as ``Season 2``, ``Show S02``, ``第二季``; specials are season 0.

    ``S01-S03`` are several seasons, and ``s1_5`` is no season at all.
    """
    return _season_in(_SEVERAL.sub(" ", folder))


def _season_in(text: str) -> int | None:
    match = _SEASON_FOLDER.search(text)
    if match is None:
        return None
    if match["specials"]:
        return 0
    return _number(next(match[name] for name in "abcdef" if match[name]))


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS[c]) for c in text))
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


def episode_number(stem: str) -> int | None:
    """The number of the episode that a file's name tells."""
    match = _NUMBER.search(_TAGS.sub(" ", stem).strip())
    return int(next(match[name] for name in "abcde" if match[name])) if match else None


def seasonal_name(video: Path) -> str | None:
    """The name of an episode whose folder tells the season and whose own name does not; None for any other.

    ``Show/Season 2/05.mkv`` is ``S02E05``, ``Show/Season 2/Show - 05.mkv`` is ``S02E05 Show - 05``.
    """
    near, far = (season_of(folder.name) for folder in (video.parent, video.parent.parent))
    if near is None and _SHORT.fullmatch(video.parent.parent.name):
        far = None  # of a season's folder that has folders in it, "s1" is too little to be sure
    return _name_in(far if near is None else near, video)


def former_seasonal_name(video: Path) -> str | None:
    """The same by the rule of an earlier version, which took any ``s1`` for a season: folders of that name are kept."""
    near, far = (_season_in(folder.name) for folder in (video.parent, video.parent.parent))
    return _name_in(far if near is None else near, video)


def name_with_show(name: str, video: Path, other: Path | None) -> str | None:
    """The name with that of the show's folder before it, where another show's video has the name already.

    The show's folder is the nearest one that tells no season: ``Show/Season 2/05.mkv`` gives ``Show S02E05``.

    Args:
        name: what both would be called.
        video: the whole path of the one that is to be named.
        other: that of the one that has the name; None where it is not known.

    Returns:
        None where both are in one show's folder, or there is none.
    """
    show = _show_folder(video)
    if show is None or other is None or _show_folder(other) in (show, None):
        return None
    return path_name(f"{show.name} {name}")


def _show_folder(video: Path) -> Path | None:
    return next((folder for folder in video.parents if folder.name and _season_in(folder.name) is None), None)


def _name_in(season: int | None, video: Path) -> str | None:
    if season is None or _HAS_SEASON.search(video.stem):
        return None
    number = episode_number(video.stem)
    head = f"S{season:02d}" if number is None else f"S{season:02d}E{number:02d}"
    return head if number is not None and _ONLY_A_NUMBER.fullmatch(video.stem) else path_name(f"{head} {video.stem}")
