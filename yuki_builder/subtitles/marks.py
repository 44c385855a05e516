"""Marks of Japanese and broadcast captions that nobody says, and how wrapped rows are put together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from yuki_builder.subtitles.sounds import is_sure_manner

_SIGN = "💬💭⚟⚞➡⇒⮕≪≫☎☏📱📞📺📻🔊🔉📢📣💻🖥🎤🎙⦅⦆｟｠\ufe0f⸨⸩"
_SIGNS = re.compile(f"[{_SIGN}]+")
_MAY_BE_MARKED = re.compile(f"[{_SIGN}→(（《〈≪＜\u3000]")
_ARROWS = re.compile(r"^\s*→\s*|\s*→\s*$")
_DOUBLE = re.compile(r"[(（]{2}([^()（）]{1,200})[)）]{2}")
_WRAPS = (("《", "》"), ("〈", "〉"), ("≪", "≫"), ("＜", "＞"))
_WIDE = "\u3005\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
# A reading behind the characters that it is of: 刺身(さしみ), 江陵（カンヌン）.
_READING = re.compile(r"(?<=[\u3005\u3400-\u9fff\uf900-\ufaff])[(（《]([\u3041-\u3096\u30a1-\u30fc]{1,14})[)）》]")
_JOINS_BEFORE = re.compile(rf"[{_WIDE}\uff01-\uff5e\u3001-\u301c…―]$")
_JOINS_AFTER = re.compile(rf"[{_WIDE}\uff01-\uff5e\u3001-\u301c]")
_GOES_ON = re.compile(rf"[{_WIDE}]\n[…―]")


def without_marks(rows: Sequence[str]) -> tuple[str, ...]:
    """The rows of a cue without the signs of a telephone, of going on, of thoughts; one that is all signs is empty."""
    if all(row.isascii() or not _MAY_BE_MARKED.search(row) for row in rows):
        return tuple(rows)
    found = [_DOUBLE.sub(r"\1", _SIGNS.sub("", row)) for row in rows]
    found = [_ARROWS.sub("", row) if _JOINS_AFTER.search(row) else row for row in found]
    return tuple(row.strip(" \u3000") for row in unwrapped(found))


def unwrapped(rows: Sequence[str]) -> list[str]:
    """The rows without brackets of thoughts or narration around all of them: 《心の声だ》."""
    found = list(rows)
    for opening, closing in _WRAPS:
        text = "\n".join(found)
        if text.startswith(opening) and text.endswith(closing) and closing not in text[1:-1] and len(text) > 2:
            found[0] = found[0][1:]
            found[-1] = found[-1][:-1]
    return found


def without_readings(row: str) -> str:
    """A row without the readings in brackets behind its characters; a sound in brackets stays."""
    return (
        _READING.sub(lambda match: match[0] if is_sure_manner(match[1]) else "", row) if _READING.search(row) else row
    )


def join_rows(rows: Sequence[str]) -> str:
    """Rows put together to one text: no space where a Japanese or Chinese sentence was only wrapped."""
    text = ""
    for row in rows:
        if not text or not row:
            text = text or row
        elif (_JOINS_BEFORE.search((text.rstrip("”’") or text)[-1]) and _JOINS_AFTER.match(row)) or _GOES_ON.match(
            f"{text[-1]}\n{row[0]}"
        ):
            text += row
        else:
            text = f"{text} {row}"
    return text
