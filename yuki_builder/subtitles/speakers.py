"""Names that the subtitles give: the ASS actor field, `<v Name>`, and what stands before the words of a line.

A prefix is a name only where the file supports it. `JOHN:` does so by its capitals; `John:` and `太郎：` have to
come twice, or be an actor or a `JOHN:` of the same file; the number of a speaker has to come three times. A title
(`Note:`), a time (`12:30`), an address (`http://`), a sentence (`I told you: go`) and a sound (`[SIGHS]`) are none.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from yuki_builder.records import NameTag
from yuki_builder.subtitles.cleaning import clean
from yuki_builder.subtitles.sounds import is_sound_like
from yuki_builder.subtitles.vocabulary import NAME_PARTICLES, NO_NAMES, PLACEHOLDERS, SENTENCE_WORDS

MAX_NAME_CHARS = 64

_DASH = r"(?P<dash>[-‐‑–—―]\s*)?"
_ASIDE = r"(?:\s*[(\[（［【][^()\[\]（）［］【】]{1,40}[)\]）］】])?"
_COLON = re.compile(rf"{_DASH}(?P<name>[^:：()\[\]（）［］【】「」『』\"“”,，、!！?？。…;；]{{1,40}}?){_ASIDE}\s*[:：]")
_BRACKETS = re.compile(
    rf"{_DASH}(?:\[(?P<square>[^\[\]]{{1,40}})\]|[［【](?P<wide>[^［］【】]{{1,40}})[］】]"
    r"|[(（](?P<round>[^()（）]{1,40})[)）])\s*[:：]?"
)
_NO_SPEECH = re.compile(r":[/\\\d]")  # http://, C:\, 12:30
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_CJK_NAME = re.compile(r"[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\w・·]{1,8}(?: [\uac00-\ud7a3\w]{1,4})?")
_CJK_SENTENCE = re.compile(
    r"[说說道曰问問答喊叫想是了的吗嗎呢吧]$|(?:言う|言った|思う|です|ます)$|[我你您他她它咱]|^第"
)
_WORD = re.compile(r"#?[^\W_](?:[\w'’&-]*\w)?|[^\W\d_]\.|(?:Dr|Mr|Mrs|Ms|St|Jr|Sr|Prof|Lt|Sgt|Capt|Gen|Col)\.", re.I)


class Shape(enum.Enum):
    """How a prefix is written, which decides how much support it needs to be a name."""

    CAPITALS = "JOHN"
    MIXED = "John"
    CJK = "太郎"
    NUMBER = "1688"


_SUPPORT = {Shape.CAPITALS: 1, Shape.MIXED: 2, Shape.CJK: 2, Shape.NUMBER: 3}


@dataclass(frozen=True, slots=True)
class Prefix:
    """What may be a name before the words of one line; ``rest`` is the line without it."""

    name: str
    shape: Shape
    rest: str


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


def find_prefix(line: str, *, is_last: bool) -> Prefix | None:
    """What could be a name before the words of a line, by its look alone.

    ``is_last``: no line of the cue follows, so that the words have to stand in this one.
    """
    prefix = _before_colon(line) or _in_brackets(line)
    return None if prefix and is_last and not any(c.isalnum() for c in prefix.rest) else prefix


def _before_colon(line: str) -> Prefix | None:
    match = _COLON.match(line)
    if match is None or _NO_SPEECH.match(line, match.end() - 1):
        return None
    rest = line[match.end() :]
    shape = name_shape(match["name"].strip())
    if shape is None or (shape in (Shape.MIXED, Shape.NUMBER) and rest and not rest[0].isspace()):
        return None
    return Prefix(match["name"].strip(), shape, (match["dash"] or "") + rest.lstrip())


def _in_brackets(line: str) -> Prefix | None:
    match = _BRACKETS.match(line)
    if match is None:
        return None
    name = (match["square"] or match["wide"] or match["round"]).strip()
    shape = name_shape(name)
    if shape is None or shape is Shape.NUMBER or is_sound_like(name):
        return None
    return Prefix(name, shape, (match["dash"] or "") + line[match.end() :].lstrip())


def name_shape(name: str) -> Shape | None:
    """How a name is written, or None for what is no name by its look."""
    if name.isdecimal():
        return Shape.NUMBER if len(name) >= 2 else None
    words = name.split()
    folded = [word.casefold() for word in words]
    if not 1 <= len(words) <= 3 or folded[-1] in NO_NAMES | PLACEHOLDERS or not SENTENCE_WORDS.isdisjoint(folded):
        return None
    if _CJK.search(name):
        return Shape.CJK if _CJK_NAME.fullmatch(name) and not _CJK_SENTENCE.search(name) else None
    is_capitalised = all(w[0].isupper() or not w[0].isalpha() or w.casefold() in NAME_PARTICLES for w in words)
    is_word_like = all(_WORD.fullmatch(word) for word in words) and sum(c.isalpha() for c in name) >= 2
    if not is_capitalised or not is_word_like or not name[0].isupper():
        return None
    return Shape.CAPITALS if name.isupper() else Shape.MIXED


def accepted_names(prefixes: Iterable[Prefix], *, actors: Collection[str], is_in_capitals: bool) -> frozenset[str]:
    """The keys of the prefixes that are names, judged over the whole file.

    Args:
        prefixes: every prefix of the file, as often as it occurs.
        actors: keys of the names that the file gives outside the text (actor field, voice tags).
        is_in_capitals: the whole file is written in capitals, so that they are no sign of a name.
    """
    counts: Counter[str] = Counter()
    support: dict[str, int] = {}
    for prefix in prefixes:
        key = name_key(prefix.name)
        counts[key] += 1
        support[key] = min(support.get(key, 3), _SUPPORT[prefix.shape])
    least = 2 if is_in_capitals else 1
    return frozenset(key for key, count in counts.items() if count >= max(least, support[key]) or key in actors)


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
