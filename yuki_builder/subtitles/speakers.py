"""Names as the subtitles give them: how one is written, and which spellings are one name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from yuki_builder.records import NameTag
from yuki_builder.subtitles.cleaning import clean
from yuki_builder.subtitles.labels import is_group, split_names
from yuki_builder.subtitles.sounds import is_sure_manner
from yuki_builder.subtitles.vocabulary import ACTOR_NOTES, FILLERS, NOTE_ACTORS, PLACEHOLDERS, SIGN_ACTORS, fold

MAX_NAME_CHARS = 64
_TIME = re.compile(r"(?=.*\d)(?=.*[^\d\s])[\d\s:.,;()\-–>]+")
_ASIDE = re.compile(r"(?<=\w)\s*[(\[（［【][^()\[\]（）［］【】]*[)\]）］】]\s*$")
_NAME = re.compile(r"[\w .'’·・#№-]+")


def name_key(name: str) -> str:
    """What two spellings of one name share: `JOHN`, `John` and `Ｊｏｈｎ`."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def plain_name(raw: str) -> str | None:
    """A name as people write it, or None for what names nobody (`???`, `NTP`, an empty field)."""
    if not raw:
        return None
    lines = clean(raw[: 4 * MAX_NAME_CHARS], is_ass=True).lines
    printable = "".join(c for c in " ".join(lines) if c.isprintable())
    name = printable[:MAX_NAME_CHARS].strip(" :：[]【】")
    if not any(c.isalnum() for c in name) or name_key(name) in PLACEHOLDERS:
        return None
    return name


def actor_names(raw: str) -> tuple[str, ...]:
    """Who an actor field names: each of `Anna;Ben`, Anna of `Anna (off)`, nobody of `Sign`, `QC`, `00:12:33`, `All`."""
    name = plain_name(_ASIDE.sub(" ", raw))
    if name is None or _TIME.fullmatch(name):
        return ()
    name = name.strip("()[]（）［］【】 ")
    pieces = split_names(name)
    if not all(_NAME.fullmatch(piece) and piece.strip(". ") for piece in pieces) or ".." in name:
        pieces = [name]
    found = (_one_name(_before_note(piece)) for piece in pieces)
    return tuple(dict.fromkeys(piece for piece in found if piece))


def _before_note(piece: str) -> str:
    """`Anna` of `Anna: phone`, `QC` of `QC: check this`; the whole of everything else."""
    head, colon, tail = piece.replace("：", ":").partition(":")
    is_note = colon and head.split() and head.split()[0] in ACTOR_NOTES
    is_noted = colon and tail.split() and all(word in ACTOR_NOTES for word in tail.split())
    return head.strip() if is_note or is_noted else piece


def _one_name(piece: str) -> str | None:
    """A name without the notes behind it (`Anna - flashback`, `Anna_off`), or None where notes are all."""
    piece = piece.rstrip("?! ") or piece
    if is_group(piece) or fold(piece) in PLACEHOLDERS or not any(c.isalnum() for c in piece):
        return None
    if not _NAME.fullmatch(piece):
        return piece
    words = re.findall(r"[^\s_–—-]+(?:[-'’][^\s_–—-]+)*", piece)
    noted = [
        word.strip(".,:?!").rstrip("0123456789") in ACTOR_NOTES or word.casefold() in ACTOR_NOTES for word in words
    ]
    is_note = all(noted[len(words) > 1 and words[0] in FILLERS :]) if words else False  # also `à vérifier`
    if not words or is_note or words[0] in SIGN_ACTORS or words[0] in NOTE_ACTORS or (noted[0] and piece.islower()):
        return None
    is_split = re.search(r"\s[-–—]\s|_", piece) is not None
    if any(noted) and (is_split or all(noted[noted.index(True) :])):
        return " ".join(words[: noted.index(True)])
    if is_sure_manner(piece) and piece.islower():
        return None
    return piece


def spellings(tags: Sequence[NameTag]) -> Mapping[str, str]:
    """One spelling per name key: the actor field's where it has one, else the most frequent, the first of equals."""
    counts = Counter(tags)
    best: dict[str, NameTag] = {}
    for tag in counts:  # in the order of their first occurrence
        rival = best.setdefault(name_key(tag.name), tag)
        if (tag.source == "actor", counts[tag]) > (rival.source == "actor", counts[rival]):
            best[name_key(tag.name)] = tag
    return {key: tag.name for key, tag in best.items()}


def is_in_capitals(texts: Iterable[str]) -> bool:
    """Whether most of the texts that have letters of two cases are written in capitals only."""
    cased = [text.isupper() for text in texts if text.upper() != text.lower()]
    return 2 * sum(cased) > len(cased)
