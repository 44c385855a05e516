"""Markup off, spoken text untouched.

What is removed is what a player would not show: override tags, known HTML tags, drawings, readings above
characters, invisible characters. Everything a player shows stays as it is, also where it looks like markup
(`<3`, `a < b`, a lone brace in SRT). Every pattern takes linear time on hostile text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_HTML_TAGS = "b|big|br|c|center|div|em|font|i|p|rp|rt|ruby|s|small|span|strike|strong|sub|sup|tt|u|v|lang"
# Attributes have an equals sign, or `<b and c>` would be one; only WebVTT's voice and language take bare words.
_TAG = re.compile(
    rf"</?(?:{_HTML_TAGS})(?:\.[^\s<>]*)?(?:\s*/|\s[^<>=]*=[^<>]*|\s)?>|<(?:v|lang)(?:\.[^\s<>]*)?\s[^<>]*>|<\d+:[\d:.]+>",
    re.IGNORECASE,
)
_READING = re.compile(r"<(r[tp])\b[^<>]*>[^<]*</\1>", re.IGNORECASE)
_HTML_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]([^<>]+)>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
# Outside ASS a brace is a tag only where converters leave one: {\an8}, {b}, {/i}, MicroDVD's {y:i}.
_BRACE_TAG = re.compile(r"\{(?:\\[^{}]*|/?[bisu]|[yfscpho]:[^{}]*)\}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…。！？]\s*$")
_WINDOWS_PATH = re.compile(r"(?<![^\W\d_])[A-Za-z]:\\")  # C:\New\home breaks no line
_VOICE_MARK = "\x02"
_COLOUR_MARK = "\x03"
_COLOUR = re.compile(
    r"<(?P<end>/(?:font|c)\s*)>|<font\b[^<>]*?\bcolou?r\s*=\s*[\"']?(?P<font>[#\w]{1,20})[^<>]*>"
    r"|<c\.(?P<class>white|lime|green|cyan|red|yellow|magenta|blue|black)\b[^<>]*>|<(?:font|c)(?:\.[^\s<>]*|\s[^<>=]*=[^<>]*)?>",
    re.IGNORECASE,
)
# A note to the other makers of the file, left behind by a converter: {note: check this}.
_BRACE_NOTE = re.compile(r"\{\s*(?:note|tl|tln|tn|qc|edit|timer|check|fix|todo)\b[^{}]*\}", re.IGNORECASE)
_SHAPE = re.compile(r"m(?: -?[\d.]{1,12}){2}(?: [mnlbspc]|(?: -?[\d.]{1,12})){2,}")
_KARAOKE = re.compile(r"\\[kK][fot]?\d")
# What typesetting puts on a sign; dialogue is moved up by \an8 at most.
_POSITION = re.compile(r"\\(?:pos|move|org|i?clip|fr[xyz]|fa[xy])\s*\(?-?\d")
# What typesetting does beyond moving a line: its own font, size, colour, border, rotation, movement, a clip.
_TYPESETTING = re.compile(
    r"\\(?:fn|fs|fsc[xy]|fsp|fr[xyz]?|fa[xy]|[1-4]?c(?=&|$)|[1-4]?c&|i?clip|move|org|t\(|[1-4]a&|kf|ko)"
)
_POINT = re.compile(r"\\pos\s*\(\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)")
_DRAWING_SCALE = re.compile(r"\\p(\d+)")
# Control, zero-width and direction characters and the soft hyphen. The joiners (U+200C, U+200D) stay: Persian,
# Indic scripts and emoji are spelled with them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_LINE_BREAK = re.compile(r"[\n\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[ \t\xa0\u202f]+")
_EDGES = " \t\u3000\u200c\u200d"
# What opens a label, a bracket, a song, a thought or a note, and signs of broadcasters. Dashes count at the ends.
_MARKS = re.compile("[:(\\[<{>*#：（［【＜〈《≪＞≫»⦅⦆｟｠⸨⸩♪♫♬♩🎵🎶¶＃💬💭⚟⚞➡⇒⮕→☎☏📱📞📺📻🔊🔉📢📣💻🖥🎤🎙※＊]")
_DASHES = "-‐‑–—―−－"
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The shown text of an event, line by line, and what its markup said of it.

    ``is_plain``: no row holds anything that has to be looked at (see ``is_plain``); False where that is not known.
    """

    lines: tuple[str, ...]
    voices: tuple[str, ...] = ()
    voice_of_line: tuple[str | None, ...] = ()  # as long as ``lines``, or empty where there are no voices
    has_karaoke: bool = False
    has_drawing: bool = False
    has_position: bool = False
    colour_of_line: tuple[str | None, ...] = ()  # as long as ``lines``, or empty where no row has one colour
    is_typeset: bool = False  # drawn by more than a place: a font, a colour, a movement
    point: tuple[str, str] | None = None  # where ``\\pos`` puts it
    is_plain: bool = False


_NOTHING = Cleaned(())


def is_plain(row: str) -> bool:
    """Whether a row surely holds no label, bracket, dash, sound or song: most rows, which then cost no more."""
    if _MARKS.search(row) is not None or not row.isprintable():
        return False
    if row.isascii():
        return not row.startswith("-")
    return row[0] not in _DASHES and row[-1] not in _DASHES and _WORD.search(row) is not None


def clean(text: str, *, is_ass: bool) -> Cleaned:
    """The lines a player would show of ``text``; no line is empty. ``is_ass``: every ``{…}`` is markup."""
    found = _NOTHING
    if _VOICE_MARK in text or _COLOUR_MARK in text:
        text = text.replace(_VOICE_MARK, "").replace(_COLOUR_MARK, "")
    if is_ass:
        if "{" in text:
            text, found = _without_overrides(text)
        if "\\n" in text:
            text = text.replace("\\n", "\n")
    elif "{" in text:
        text = _BRACE_NOTE.sub("", _BRACE_TAG.sub("", text))
    if "\\" in text and (is_ass or not _WINDOWS_PATH.search(text)):  # converters leave these in SRT
        text = text.replace("\\N", "\n").replace("\\h", " ")
    if "<" in text:
        # Another voice begins another line: its words are another speaker's.
        text = _VOICE.sub(lambda match: f"\n{_VOICE_MARK}{' '.join(match[1].split())}{_VOICE_MARK}", text)
        text = _COLOUR.sub(_marked, text)
        text = _TAG.sub("", _HTML_BREAK.sub("\n", _READING.sub("", text)))
    if "&" in text:
        text = _unescape(text)
    if not is_ass and text[:2] == "m " and _SHAPE.fullmatch(" ".join(text.split())):
        return Cleaned((), has_drawing=True)
    if _COLOUR_MARK in text:
        return _by_colour(found, text)
    if _VOICE_MARK in text:
        return _by_voice(found, text)
    lines = tuple(_visible_lines(text))
    if found is _NOTHING:
        return Cleaned(lines, is_plain=all(map(is_plain, lines)))
    return Cleaned(
        lines,
        is_plain=all(map(is_plain, lines)),
        has_karaoke=found.has_karaoke,
        has_drawing=found.has_drawing,
        has_position=found.has_position,
        is_typeset=found.is_typeset,
        point=found.point,
    )


def _marked(match: re.Match[str]) -> str:
    if match["end"]:
        return f"{_COLOUR_MARK}/{_COLOUR_MARK}"
    colour = match["font"] or match["class"]
    return f"{_COLOUR_MARK}{colour.casefold() if colour else '-'}{_COLOUR_MARK}"


def _by_colour(found: Cleaned, text: str) -> Cleaned:
    """The visible lines, and the colour of each that is in one colour as a whole."""
    open_colours: list[str] = []
    plain: list[str] = []
    colours: list[str | None] = []
    for line in _LINE_BREAK.split(text):
        shown: list[str] = []
        used: set[str | None] = set()
        for k, piece in enumerate(line.split(_COLOUR_MARK)):
            if k % 2 == 0:
                colour = next((c for c in reversed(open_colours) if c != "-"), None)
                if any(c.isalnum() for c in piece):
                    if len(used) == 1 and colour not in used and _SENTENCE_END.search("".join(shown)):
                        plain.append("".join(shown))  # another colour behind a sentence: another speaker
                        colours.append(used.pop())
                        shown = []
                    used.add(colour)
                shown.append(piece)
            elif piece != "/":
                open_colours.append(piece)
            elif open_colours:
                open_colours.pop()
        plain.append("".join(shown))
        colours.append(next(iter(used)) if len(used) == 1 else None)
    whole = "\n".join(plain)
    cleaned = _by_voice(found, whole) if _VOICE_MARK in whole else replace(found, lines=tuple(_visible_lines(whole)))
    shown_colours = tuple(c for row, c in zip(plain, colours, strict=True) if any(True for _ in _visible_lines(row)))
    if any(shown_colours) and len(shown_colours) == len(cleaned.lines):
        return replace(cleaned, colour_of_line=shown_colours)
    return cleaned


def _by_voice(found: Cleaned, text: str) -> Cleaned:
    """The visible lines, and the voice that each is marked with, directly or above it."""
    lines: list[str] = []
    voices: list[str | None] = []
    voice: str | None = None
    for piece in _LINE_BREAK.split(text):
        if piece.startswith(_VOICE_MARK):
            _, voice, shown = piece.split(_VOICE_MARK, 2)
        else:
            shown = piece
        for line in _visible_lines(shown.replace(_VOICE_MARK, "")):
            lines.append(line)
            voices.append(voice)
    return replace(
        found,
        lines=tuple(lines),
        voices=tuple(v for v in dict.fromkeys(voices) if v),
        voice_of_line=tuple(voices) if any(voices) else (),
    )


def _without_overrides(text: str) -> tuple[str, Cleaned]:
    """The shown text, and what its override blocks say. A brace that is never closed is shown text."""
    shown: list[str] = []
    blocks: list[str] = []
    is_drawing = has_drawing = False
    position = 0
    while True:
        opening = text.find("{", position)
        closing = text.find("}", opening) if opening >= 0 else -1
        part = text[position:opening] if closing >= 0 else text[position:]
        if not is_drawing:
            shown.append(part)
        elif part.strip():
            has_drawing = True
        if closing < 0:
            break
        tags = text[opening + 1 : closing]
        blocks.append(tags)
        if "\\p" in tags and (scales := _DRAWING_SCALE.findall(tags)):
            is_drawing = scales[-1].strip("0") != ""
        position = closing + 1
    every = "\n".join(blocks)
    has_position = _POSITION.search(every) is not None
    point = _POINT.search(every) if has_position else None
    return "".join(shown), Cleaned(
        (),
        has_karaoke=("\\k" in every or "\\K" in every) and _KARAOKE.search(every) is not None,
        has_drawing=has_drawing,
        has_position=has_position,
        is_typeset=has_position and _TYPESETTING.search(every) is not None,
        point=(point[1], point[2]) if point else None,
    )


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text.replace("&amp;amp;", "&amp;"))


def _visible_lines(text: str) -> Iterator[str]:
    for line in (text,) if text.isprintable() else _LINE_BREAK.split(text):
        if not (line.isascii() and line.isprintable()):
            visible = _SPACES.sub(" ", _INVISIBLE.sub("", line)).strip(_EDGES)
        else:
            visible = (_SPACES.sub(" ", line) if "  " in line else line).strip()
        if visible:
            yield visible
