"""What an ASS style or effect says of its lines: songs, signs, titles, credits and notes are no dialogue."""

from __future__ import annotations

import functools
import re
import unicodedata

from yuki_builder.subtitles.reasons import LeftOut

_LATIN_WORDS = {
    LeftOut.SONG: "op ed opening ending song insert lyric lyrics kara romaji rōmaji furigana furi kanji "
    "chanson chansons generique cancion "
    "canciones canzone cancao lied lieder abertura encerramento песня песни опенинг эндинг",
    LeftOut.KARAOKE: "karaoke kfx karafx",
    LeftOut.SIGN: "sign screen onscreen typeset typesetting ts tsed board panneau panneaux cartel carteles letrero "
    "letreros schild schilder cartello cartelli placa placas надпись надписи",
    LeftOut.TITLE: "title eptitle logo titre titel titulo titolo",
    LeftOut.CREDITS: "staff credit credits cast copyright",
    LeftOut.NOTE: "note tn tlnote tnote comment annotation nota notas notiz сноска примечание",
}
_WORDS = {word: reason for reason, words in _LATIN_WORDS.items() for word in words.split()}
_CJK = (
    (
        LeftOut.SONG,
        "歌词|歌詞|歌曲|歌(?![姬姫手])|片头|片尾|片頭|主题曲|主題曲|插曲|挿入|ソング|オープニング|エンディング",
    ),
    (LeftOut.KARAOKE, "卡拉|カラオケ"),
    (LeftOut.SIGN, "屏幕|屏字|画面|畫面|看板|贴字|貼字|招牌|特效|テロップ"),
    (LeftOut.TITLE, "标题|標題|片名|题目|題目|タイトル"),
    (LeftOut.CREDITS, "制作|製作|职员|職員|字幕组|字幕組|スタッフ|クレジット"),
    (LeftOut.NOTE, "注释|註釋|注解|译注|譯註|注音|备注|備註|注|註|コメント"),
)
# OPJP, ED1, EDromaji: a song's number and language are often written on to it.
_LANGUAGES = "jp|jpn|ja|cn|ch|chs|cht|sc|tc|zh|en|eng|de|fr|es|it|pt|ru|rom|romaji|kana|kanji|furi|tl|trans|fx"
_SONG = re.compile(
    rf"(?:op|ed)\d*(?:{_LANGUAGES}|[rkejc])?\d*|(?:in|is|ins|insert|opening|ending)\d*(?:{_LANGUAGES})\d*"
    r"|(?:in|ins|is)\d"
)
AMBIGUOUS_STYLES = frozenset(("Ed", "Kara", "Song", "Cast", "Board", "Op", "Romaji"))
"""Names of people as well, where the other styles are."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EFFECTS = re.compile(r"karaoke|fx|code|template", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def style_reason(style: str) -> LeftOut | None:
    """Why the lines of an ASS style are no dialogue, by its name; None where they are.

    Whole words count (`Opinion` and `Edward` hold no `OP` and `ED`), so do words joined by `_`, `-` or a
    capital. `Ed` written as a name is taken for one.
    """
    name = unicodedata.normalize("NFKC", style).strip(" *")
    if name == "Ed":
        return None
    words = [word.casefold() for word in re.findall(r"[^\W_]+", _CAMEL.sub(" ", name))]
    for before, word in zip(["", *words], words, strict=False):
        stem = word.rstrip("0123456789")
        reason = _WORDS.get(stem) or _WORDS.get(stem.removesuffix("s"))
        if reason is LeftOut.TITLE and before == "sub":
            continue
        if reason is None and _SONG.fullmatch(word):
            reason = LeftOut.SONG
        if reason is not None:
            return reason
    return next((reason for reason, pattern in _CJK if re.search(pattern, name)), None)


def effect_reason(effect: str) -> LeftOut | None:
    """Why a line with this ASS effect is no dialogue: karaoke templates and what they generate."""
    return LeftOut.KARAOKE if _EFFECTS.match(effect.strip()) else None
