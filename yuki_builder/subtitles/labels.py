"""What may be a label before the words of a row, and what its words say: a name, several, a group, a manner.

Here a label is judged by its look alone. Whether the file labels its rows that way is decided over the whole file,
in ``conventions``. Every pattern takes linear time on hostile text.
"""

from __future__ import annotations

import enum
import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from yuki_builder.subtitles.cleaning import is_plain
from yuki_builder.subtitles.parts import split_inner_dashes
from yuki_builder.subtitles.sounds import is_spoken_aside, is_sure_manner, is_unsure_manner, opens_manner
from yuki_builder.subtitles.vocabulary import (
    ARTICLES,
    CJK_GROUP,
    CJK_PERSON,
    DEVICES,
    GROUP_PHRASES,
    GROUPS,
    LIST_WORDS,
    NAME_PARTICLES,
    NO_NAMES,
    NUMBER_WORDS,
    PERSONS,
    PLACEHOLDERS,
    SENTENCE_WORDS,
    TITLES,
    fold,
)

DASHES = "-‐‑–—―−－"
_LEAD = re.compile(rf"\s*[{DASHES}]\s*")
_CHEVRONS = re.compile(r"\s*(?:[-–—]\s*)?(?:>{2,3}|＞{2,3}|»)\s*")
_INNER_CHEVRONS = re.compile(r"(?<=\S)\s+(?=(?:>{2,3}|＞{2,3})\s*\S)")
_ASIDE = r"(?:\s*(?P<aside>[(\[（［【][^()\[\]（）［］【】]{1,40}[)\]）］】]))?"
_COLON = re.compile(rf"(?P<name>[^:：()\[\]（）［］【】「」『』\"“”!！?？。…;；]{{1,60}}?){_ASIDE}\s*[:：]")
_BRACKETS = re.compile(
    r"(?:\[(?P<square>[^\[\]]{1,60})\]|[［【](?P<wide>[^［］【】]{1,60})[］】]|[(（](?P<round>[^()（）]{1,60})[)）]"
    r"|[<＜〈](?P<angle>[^<>＜＞〈〉]{1,12})[>＞〉]|\{(?P<brace>[^{}\\]{1,40})\})\s*(?P<colon>[:：])?"
)
_OPENING = "[［【(（<＜〈{"
_NO_SPEECH = re.compile(r":[/\\\d]")  # http://, C:\, 12:30
_MIDDLE = re.compile(r"(?<=[.!?…。！？\"”』」)）\]♪➡])\s*(?=[^\s.!?…。！？,;])")
_MIDDLE_OR_WIDE = re.compile(rf"{_MIDDLE.pattern}|(?<=[\u3041-\u30ff\u3400-\u9fff])[ \u3000]*(?=[（［【])")
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_CJK_NAME = re.compile(
    r"[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\w・·]{1,8}(?:[ ＝=][\uac00-\ud7a3\u30a1-\u30ff\w]{1,6})?"
)
_KATAKANA = re.compile(r"[\u30a1-\u30ff]+")
_CJK_SENTENCE = re.compile(
    r"[说說道曰问問答喊叫想是了的吗嗎呢吧]$|(?:言う|言った|思う|です|ます)$|言うと|言えば|[我你您他她它咱很没沒这這]|^第"
    r"|什么|什麼|怎么|怎麼|一点|一點|一件|一个|一個|只有|如果|但是|就是|还是|還是|可以|应该|應該|知道|清楚|注意|记住|記住"
    r"|^(?:最終|最终|終|序|最后)[章話话回幕篇編]$|가지|번째|^(?:오늘|내일|어제|결론)|^(?:亲爱的|親愛的|尊敬的|敬爱的|拝啓|親愛なる|사랑하는|친애하는|존경하는)"
)
_CJK_VOICE = re.compile(r"(?P<name>.+?)(?P<manner>の声|的声音|的聲音|の心の声|\(声\)|声|の独白|\s?목소리|의 목소리)$")
_VOICE_OF = re.compile(r"(?P<name>[^'’]+)['’]s? (?P<manner>(?:inner |recorded |distorted )?voice)", re.IGNORECASE)
_ABBREVIATION = (
    r"(?:Dr|Dra|Mr|Mrs|Ms|St|Jr|Sr|Sra|Srta|Sta|Prof|Lt|Sgt|Cpl|Cmdr|Capt|Col|Maj|Gen|Rev|Hon|Insp|Det|Supt|Gov|Sen|Mme|Mlle"
    r"|Hr|Fr|Frl|Sig|Dott|Avv|Mgr|Ing|Kpt|Por|Dhr|Mevr|Ds|г|гр|тов|проф|др|No|Nr)\."
)
_WORD = re.compile(rf"#?[^\W_](?:[\w'’&-]*\w)?|[^\W\d_]\.|{_ABBREVIATION}", re.I)
_AFTER_ABBREVIATION = re.compile(rf"(?:^|[^\w'’])(?:{_ABBREVIATION}|[^\W\d_]\.)\s*$", re.I)
_NUMBERED = re.compile(
    r"(?P<stem>[^\W\d_](?:[^\d]{0,30}[^\W\d_])?)[\s_.-]*[#№＃]?\s*(?P<number>\d{1,3}[ªº°]?|[Ａ-Ｚ]|[①-⑳]|[甲乙丙丁])"
)
_PREFIX = re.compile(r"\b(?:Mc|Mac|De|Di|Le|La|Van|Von|O)(?=['’]?[A-Z]{2})")  # McGEE is in capitals
_CJK_AND = re.compile(
    r"(?<=[\u3400-\u9fff\u30a1-\u30ff])(?:と|[和与與跟]|및)(?=[\u3400-\u9fff\u30a1-\u30ff])"
    r"|(?<=[가-힣]{2})(?:와|과|이랑|랑|하고) (?=[가-힣]{2})"
)
_IN_NAMES, _NEVER_IN_NAMES = "和与與", re.compile("[と및跟]")
_SEPARATORS = re.compile(r"\s*[/&＆+＋,，、;；|･]\s*")
_CODE_NAME = re.compile(r"[^\W\d_]-\d{1,4}")  # X-23, K-9
_MAX_WORDS, _MAX_WORDS_IN_CAPITALS, _MAX_CHARS = 3, 6, 40


class Form(enum.Enum):
    """How a label is set off from the words behind it."""

    COLON = "X:"
    SQUARE = "[X]"
    ROUND = "(X)"
    ANGLE = "<X>"
    BRACE = "{X}"


class Shape(enum.Enum):
    """How a name is written."""

    CAPITALS = "JOHN"
    LONG = "THE OLD MAN OF THE SEA"
    MIXED = "John"
    LOWER = "john"
    CJK = "太郎"  # and every other script without capitals
    NUMBER = "1688"


class Kind(enum.Enum):
    """What the words of a label are."""

    NAME = "name"
    GROUP = "group"
    MANNER = "manner"  # a sound or a way of speaking
    UNSURE = "unsure manner"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Inside:
    """The words of a label, read. ``manner`` is what else it says; ``stem`` is a numbered label without its number.

    ``is_dependent``: the name counts only where the file has it elsewhere too (`ANNA LAUGHS`).
    """

    kind: Kind
    names: tuple[str, ...] = ()
    shape: Shape | None = None
    manner: str = ""
    stem: str = ""
    is_person: bool = False
    is_dependent: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A label before words: ``words`` as they stand, ``end`` where what is labelled begins."""

    form: Form
    words: str
    inside: Inside
    end: int
    has_colon: bool = False
    is_chevron: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """A row of a cue, or what one speaker says in it: its number, its words, the dash and the labels before them."""

    row: int
    text: str
    dash: str = ""
    labels: tuple[Label, ...] = ()


_NO_LABEL = Inside(Kind.OTHER)


def read_chunks(rows: Sequence[str]) -> tuple[Chunk, ...]:
    """The rows of a cue, cut where another speaker begins, with the labels that may stand before each piece."""
    found = []
    for k, row in enumerate(rows):
        pieces = () if is_plain(row) else split_chunks(row)
        for j, piece in enumerate(pieces):
            is_last = k == len(rows) - 1 and j == len(pieces) - 1
            found.append(Chunk(k, piece, *leading_labels(piece, is_last=is_last)))
        if not pieces:
            found.append(Chunk(k, row))
    return tuple(found)


def leading_labels(text: str, *, is_last: bool) -> tuple[str, tuple[Label, ...]]:
    """The dash that opens ``text``, and the labels that may stand one behind the other at its beginning.

    ``is_last``: no row of the cue follows, so that the words have to stand in this one.
    """
    chevron = _CHEVRONS.match(text)
    lead = chevron or _LEAD.match(text)
    position = lead.end() if lead else 0
    dash = "- " if lead and not chevron else ""
    labels: list[Label] = []
    while len(labels) < 4:
        label = _label_at(text, position, is_chevron=chevron is not None)
        if label is None or (label.form is Form.COLON and any(known.has_colon for known in labels)):
            break
        if is_last and not any(c.isalnum() for c in text[label.end :]):
            break
        labels.append(label)
        position = label.end
    return dash, tuple(labels)


def has_chevrons(text: str) -> bool:
    """Whether a row opens as one of a new speaker does in broadcast captions."""
    return _CHEVRONS.match(text) is not None


def split_chunks(row: str) -> list[str]:
    """A row cut where another speaker's dash or chevrons stand in it."""
    pieces = _INNER_CHEVRONS.split(row) if ">>" in row or "＞＞" in row else [row]
    return [chunk for piece in pieces for chunk in split_inner_dashes(piece)]


def without_chevrons(text: str) -> str:
    """A row without the signs of a new speaker."""
    match = _CHEVRONS.match(text)
    return text[match.end() :] if match else text


def inner_labels(text: str, *, is_anywhere: bool = False) -> list[tuple[int, Label]]:
    """Labels behind the end of a sentence, with the place where each begins.

    ``is_anywhere``: wide brackets behind any Japanese or Chinese word too, where sentences have no full stop.
    """
    found = []
    for match in (_MIDDLE_OR_WIDE if is_anywhere else _MIDDLE).finditer(text):
        if text[match.start() - 1] == "." and _AFTER_ABBREVIATION.search(
            text[max(0, match.start() - 8) : match.start()]
        ):
            continue
        label = _label_at(text, match.end(), is_chevron=False)
        if label is not None and any(c.isalnum() for c in text[label.end :]):
            found.append((match.end(), label))
    return found


def _label_at(text: str, position: int, *, is_chevron: bool) -> Label | None:
    window = text[position : position + 140]
    match = _BRACKETS.match(window) if window[:1] in _OPENING else None
    if match:
        form, words = next((form, match[group]) for group, form in _FORMS.items() if match[group] is not None)
        inside = read_inside(words.strip(), is_bracket=True)
        if inside.kind is Kind.OTHER or (form is Form.ANGLE and not _CJK.search(words)):
            return None
        end = position + match.end()
        end += len(text[end:]) - len(text[end:].lstrip()) if end < len(text) and text[end].isspace() else 0
        return Label(form, words.strip(), inside, end, match["colon"] is not None, is_chevron)
    match = _COLON.match(window) if ":" in window or "：" in window else None
    if match is None or _NO_SPEECH.match(window, match.end() - 1):
        return None
    words = match["name"].strip(" ,，、")
    inside = read_inside(words, is_bracket=False)
    rest = window[match.end() :]
    if inside.kind not in (Kind.NAME, Kind.GROUP, Kind.MANNER) or any(len(name) > _MAX_CHARS for name in inside.names):
        return None
    if inside.shape in (Shape.MIXED, Shape.NUMBER, Shape.LOWER) and rest and not rest[0].isspace():
        return None
    if match["aside"]:
        inside = replace(inside, manner=" ".join(filter(None, (inside.manner, match["aside"][1:-1].strip()))))
    end = position + match.end() + len(rest) - len(rest.lstrip())
    return Label(Form.COLON, words, inside, end, True, is_chevron)


_FORMS = {"square": Form.SQUARE, "wide": Form.SQUARE, "round": Form.ROUND, "angle": Form.ANGLE, "brace": Form.BRACE}


@functools.lru_cache(maxsize=1 << 14)
def read_inside(words: str, *, is_bracket: bool) -> Inside:  # noqa: PLR0911
    """What the words of a label say, judged by themselves."""
    text = words.strip().strip(":：").strip()
    if not any(c.isalnum() for c in text):
        return _NO_LABEL
    if is_group(text):
        return Inside(Kind.GROUP, shape=_case(text))
    if not is_bracket and all(word in DEVICES for word in text.replace(".", "").split()):
        return Inside(Kind.MANNER, shape=_case(text))
    if (voice := _VOICE_OF.fullmatch(text)) and (
        named := _name(voice["name"], is_bracket=is_bracket)
    ).kind is Kind.NAME:
        return replace(named, manner=voice["manner"])
    if is_bracket and (with_tail := _name_and_tail(text)):
        return with_tail
    if is_bracket and is_spoken_aside(text):
        return _NO_LABEL
    *before, last = text.split()
    if is_bracket and before and last in PERSONS and all(word in DEVICES for word in before):  # [radio announcer]
        return Inside(Kind.NAME, (text,), _case(text), is_person=True)
    if is_sure_manner(text) and (is_bracket or len(text.split()) > 1):
        return _name_and_manner(text) or (Inside(Kind.MANNER) if is_bracket else _name(text, is_bracket=False))
    named = _list(text, is_bracket=is_bracket) or _name(text, is_bracket=is_bracket)
    if named.kind is Kind.OTHER and is_bracket and is_unsure_manner(text):
        return Inside(Kind.UNSURE)
    return named


def is_group(text: str) -> bool:
    """Whether a label means several people at once, none of them by name."""
    words = [word.strip(".,") for word in text.split()]
    if len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    return (
        (len(words) <= 2 and all(word in GROUPS for word in words))
        or GROUP_PHRASES.fullmatch(text.strip()) is not None
        or CJK_GROUP.fullmatch(text if text.isascii() else "".join(text.split())) is not None
    )


def split_names(text: str) -> list[str]:
    """The names in a list of them (`ANNA & BEN`, `Anna and Ben`, 拓海･さくら), or the one that it is."""
    pieces = [piece.strip() for piece in _SEPARATORS.split(text) if piece.strip()]
    names: list[str] = []
    for piece in pieces:
        words = piece.split()
        cuts = [k for k in range(1, len(words) - 1) if words[k] in LIST_WORDS and not _is_initial(words, k)]
        for first, last in zip([0, *(k + 1 for k in cuts)], [*cuts, len(words)], strict=True):
            name = " ".join(words[first:last])
            names += _joined_by_cjk(name)
    if names and names[0].split()[0] in LIST_WORDS and len(names) > 1:
        names[0] = " ".join(names[0].split()[1:]) or names[0]
    return names


def _joined_by_cjk(name: str) -> list[str]:
    """太郎と花子, 小明和小红, 安娜・本: two names; ジャン・ポール, 美和子 and 李和平 are one."""
    pieces, start = [], 0
    for mark in _CJK_AND.finditer(name):
        sides = name[start : mark.start()], _NEVER_IN_NAMES.split(name[mark.end() :], maxsplit=1)[0]
        if mark[0] in _IN_NAMES and not all(len(side) > 1 or CJK_PERSON.fullmatch(side) for side in sides):
            continue
        pieces.append(sides[0])
        start = mark.end()
    pieces.append(name[start:])
    if len(pieces) == 1 and "・" in name:
        dotted = [piece for piece in name.split("・") if piece]
        if len(dotted) > 1 and not all(_KATAKANA.fullmatch(piece) for piece in dotted):
            return dotted
    return [piece for piece in pieces if piece]


def _is_initial(words: list[str], k: int) -> bool:
    """`JOHN A SMITH`: a letter in capitals among capitals is an initial."""
    is_in_capitals = len(words[k]) == 1 and all(word.isupper() for word in words)
    return is_in_capitals and words[k] not in "YEIИІ"


def _list(text: str, *, is_bracket: bool) -> Inside | None:
    names = split_names(text)
    if not 2 <= len(names) <= 5:
        return None
    parts = [_name(name, is_bracket=is_bracket) for name in names]
    if any(part.kind is not Kind.NAME for part in parts):
        return None
    if "," in text and len(names) == 2 and parts[1].is_person and not parts[0].is_person:
        return replace(parts[0], manner=names[1])  # JOHN SMITH, REPORTER
    shapes = {part.shape for part in parts}
    shape = parts[0].shape if len(shapes) == 1 else Shape.MIXED
    if Shape.NUMBER in shapes or (shape is Shape.LOWER and not all(part.is_person for part in parts)):
        return None
    return Inside(Kind.NAME, tuple(names), shape, is_person=all(part.is_person for part in parts))


def _name_and_tail(text: str) -> Inside | None:
    """`Ben, whispering`: what stands behind the comma tells how."""
    head, comma, tail = re.split(r"([,，、])", text, maxsplit=1) if re.search("[,，、]", text) else (text, "", "")
    head, tail = head.strip(), tail.strip()
    if not comma or not head or not tail:
        return None
    if is_group(head) and (is_sure_manner(tail) or tail[0].islower()):
        return Inside(Kind.GROUP, shape=_case(head), manner=tail)
    is_tail = is_sure_manner(tail) or (tail[0].islower() and not head[0].islower())
    if not is_tail or is_sure_manner(head):
        return None
    named = _list(head, is_bracket=True) or _name(head, is_bracket=True)
    return replace(named, manner=tail) if named.kind is Kind.NAME else None


def _name_and_manner(text: str) -> Inside | None:
    """`Ben whispering`, `man on TV`, `Anna laughs`, 春香の声: a name and then how."""
    if (match := _CJK_VOICE.fullmatch(text)) and (len(match["name"]) > 1 or match["manner"] not in ("声", "聲")):
        named = _name(match["name"], is_bracket=True)
        if named.kind is Kind.NAME and not is_sure_manner(match["name"]):
            return replace(named, manner=match["manner"])
    words = text.split()
    for k in range(1, min(len(words), 4)):
        manner = opens_manner(words[k:])
        if not manner:
            continue
        head = " ".join(words[:k])
        if is_group(head):
            return Inside(Kind.GROUP, shape=_case(head), manner=" ".join(words[k:]))
        if is_sure_manner(head):
            return None
        named = _list(head, is_bracket=True) or _name(head, is_bracket=True)
        if named.kind is not Kind.NAME or (named.shape is Shape.LOWER and not named.is_person):
            return None
        is_same_case = named.shape is Shape.CAPITALS or words[k][0].isupper() == words[0][0].isupper()
        is_dependent = not named.is_person and (manner == "sound" or is_same_case)
        return replace(named, manner=" ".join(words[k:]), is_dependent=is_dependent)
    return None


def _case(text: str) -> Shape:
    if text.upper() == text.lower():
        return Shape.CJK
    return Shape.CAPITALS if _PREFIX.sub("", text).isupper() else Shape.LOWER if text.islower() else Shape.MIXED


def _name(name: str, *, is_bracket: bool) -> Inside:
    match = _NUMBERED.fullmatch(name)
    if match and not any(word in TITLES or word in NO_NAMES for word in match["stem"].split()):
        shape = _plain_shape(match["stem"].strip(" _-#№"))
        if shape is not None:
            is_person = _is_person(match["stem"])
            return Inside(Kind.NAME, (name,), shape, stem=fold(match["stem"].strip(" _-")), is_person=is_person)
    shape = name_shape(name)
    if shape is not None:
        is_person = _is_person(name)
        if shape is Shape.LOWER and len(name.split()) > 1 and not is_person and is_bracket:
            return _NO_LABEL
        return Inside(Kind.NAME, (name,), shape, is_person=is_person)
    if is_bracket and (_is_person(name) or re.search(r"\w['’]s? \w", name)) and len(name.split()) <= 4:
        return Inside(Kind.NAME, (name,), _case(name), is_person=True)
    return _NO_LABEL


def _is_person(name: str) -> bool:
    return CJK_PERSON.fullmatch(name) is not None or PERSONS.any_of(re.findall(r"[^\W\d_]+", name))


def name_shape(name: str) -> Shape | None:
    """How a name is written, or None for what is no name by its look."""
    if name.isdecimal():
        return Shape.NUMBER if len(name) >= 2 else None
    words = name.split()
    if len(words) >= 2 and _is_heading(words):
        return None
    if not words or words[-1] in NO_NAMES or fold(words[-1]) in PLACEHOLDERS or SENTENCE_WORDS.any_of(words):
        return None
    return _plain_shape(name)


def _is_heading(words: Sequence[str]) -> bool:
    """`CHAPTER ONE`, `ROZDZIAŁ PIERWSZY`, `JUNE 14`; `BİRİNCİ BÖLÜM` in languages where the number comes first."""
    first, second = words[0].strip("#."), words[1].strip("#.")
    is_numbered = second in NUMBER_WORDS or second.isdecimal()
    if (words[0] in TITLES and is_numbered) or (words[0] in NO_NAMES and second.isdecimal()):
        return True
    return words[1] in TITLES and (first in NUMBER_WORDS or first.isdecimal())


def _without_combining(word: str) -> str:
    """A word without its combining marks: vowels and tones of Thai and Indic scripts, points of Hebrew and Arabic."""
    if word.isascii():
        return word
    return "".join(c for c in word if c not in "\u200c\u200d" and not unicodedata.category(c).startswith("M")) or word


def _plain_shape(name: str) -> Shape | None:  # noqa: PLR0911
    words = name.split()
    if not 1 <= len(words) <= _MAX_WORDS_IN_CAPITALS:
        return None
    if _CJK.search(name):
        return Shape.CJK if _CJK_NAME.fullmatch(name) and not _CJK_SENTENCE.search(name) else None
    if _CODE_NAME.fullmatch(name):
        return Shape.MIXED
    if not all(_WORD.fullmatch(_without_combining(word)) for word in words) or sum(c.isalpha() for c in name) < 2:
        return None
    if name.upper() == name.lower():  # Arabic, Hebrew, Thai, Hindi …
        return Shape.CJK if len(words) <= _MAX_WORDS else None
    if _PREFIX.sub("", name).isupper():
        return Shape.CAPITALS if len(words) <= _MAX_WORDS else Shape.LONG
    if len(words) > _MAX_WORDS:
        return None
    if name.islower():
        return Shape.LOWER
    if not name[0].isupper():
        return None
    is_capitalised = all(w[0].isupper() or not w[0].isalpha() or w.casefold() in NAME_PARTICLES for w in words)
    return Shape.MIXED if is_capitalised else None
