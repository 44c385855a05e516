"""The decisions about a line: style, effect, lyrics, sounds, languages."""

from __future__ import annotations

import pytest

from yuki_builder.subtitles.bilingual import Script, halves, prevailing_pair, script_of
from yuki_builder.subtitles.sounds import is_sound_description, without_lyrics
from yuki_builder.subtitles.styles import effect_reason, style_reason


@pytest.mark.parametrize(
    ("reason", "styles"),
    [
        (
            "song",
            "OP ED op OP1 ED2 OP_JP OP-CN ED_Romaji Akame_OP_Romaji OPJP EDcn InsertSong,Insert Song,Song,Songs - EN,"
            "Lyrics,Kara,Opening,Ending Theme,歌词,OP歌词,片头曲,片尾,主题曲,插曲,オープニング,歌",
        ),
        ("karaoke", "Karaoke,karaoke_top,卡拉OK,カラオケ"),
        ("sign", "Sign Signs sign2 TS Default_TS Typesetting EpSign Screen 屏幕字 画面字 看板 特效"),
        ("title", "Title Titles EpTitle Main_Title 标题 片名 タイトル"),
        ("credits", "Staff STAFF Credits 制作 字幕组 スタッフ"),
        ("note", "Note Notes TN TLNote,TL Note,Comment 注释 译注 注"),
    ],
)
def test_styles_that_are_no_dialogue(reason: str, styles: str) -> None:
    names = [name.strip() for part in styles.split(",") for name in (part.split() if "," not in styles else [part])]
    assert {name: style_reason(name) for name in names if name} == {name: reason for name in names if name}


@pytest.mark.parametrize(
    "style",
    (
        "Default Main Dialogue Opinion Edward Ed Top Alt Italics Flashback Thoughts Narrator Overlap Designer "
        "Assignment Subtitle SubTitle Singer Notebook Signora Editor Openly Operator Stop 默认 对白 中文 日文 主要 "
        "*Default Bottom 旁白 歌姬 Default-alt Text CN JP Titled Opal Edda Mandated Castle Lance Kara-chan's"
    )
    .replace("Kara-chan's", "Karate")
    .split(),
)
def test_styles_that_are_kept(style: str) -> None:
    assert style_reason(style) is None


def test_two_word_subtitle_is_no_title() -> None:
    assert style_reason("Sub Title") is None
    assert style_reason("") is None


def test_effects() -> None:
    assert effect_reason("fx") == effect_reason("Karaoke") == effect_reason("template line") == "karaoke"
    assert effect_reason("") is effect_reason("Banner;20") is effect_reason("Scroll up;0;0;50") is None


@pytest.mark.parametrize(
    ("lines", "spoken"),
    [
        (["♪ la la ♪"], []),
        (["♪ la la"], []),
        (["♪ I walk", "alone ♪"], []),
        (["♪", "la la", "♪"], ["la la"]),
        (["♪ [theme]", "Hello."], ["Hello."]),
        (["Hello.", "♫ la ♫", "Bye."], ["Hello.", "Bye."]),
        (["いただきます♪"], ["いただきます♪"]),
        (["お出かけ～♪ 行こう"], ["お出かけ～♪ 行こう"]),
        (["# la la #"], []),
        (["# la", "la #", "Hi"], ["Hi"]),
        (["#1 in town!"], ["#1 in town!"]),
        ([], []),
    ],
)
def test_lyrics(lines: list[str], spoken: list[str]) -> None:
    assert list(without_lyrics(lines)) == spoken


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[door closes]",
            "[DOOR CLOSES]",
            "(sighs)",
            "(SIGHS)",
            "(Sighs)",
            "(Door slams shut)",
            "(indistinct chatter)",
        ),
        *(
            "[anything at all!]",
            "[laughs] [door opens]",
            "- [sighs] - (gasps)",
            "*coughs*",
            "（ため息）",
            "（ドアの音）",
        ),
        *(
            "（笑い声）",
            "（笑）",
            "（叹气）",
            "（敲门声）",
            "(哭)",
            "【音楽】",
            "［拍手］",
            "(한숨)",
            "（すすり泣き）",
            "(...)",
            "（……）",
        ),
        *("(in French)", "(phone ringing)", "(MUSIC PLAYING)", "（笑い声）（拍手）"),
    ],
)
def test_sound_descriptions(text: str) -> None:
    assert is_sound_description(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Hello.", "(sighs) I see.", "I see. (sighs)", "(Is he serious?)", "(I can't believe it)", "(Wait... what?)"),
        *(
            "（なんだって？）",
            "（我该怎么办）",
            "（那是什么声音）",
            "（别开玩笑了吧）",
            "「静かに」",
            "『声』",
            "（12）",
            "(12)",
            "(Narita)",
            "(Nothing at all)",
        ),
        *("*", "", "[unclosed", "(a) (b", "He said [sic] so", "（来月の話だ。）", "《静かに》", "2 * 3 * 4"),
    ],
)
def test_spoken_lines_with_brackets(text: str) -> None:
    assert not is_sound_description(text)


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("你以前见过这样的东西吗？", Script.HAN),
        ("私は知らない", Script.KANA),
        ("テレビ", Script.KANA),
        ("뭐라고 하는 거야", Script.HANGUL),
        ("What are you saying?", Script.LATIN),
        ("我用iPhone拍照", Script.HAN),
        ("优の良品很不错的东西", Script.HAN),
        ("123!?", None),
        ("", None),
        ("OK 好", None),
    ],
)
def test_scripts(line: str, script: Script | None) -> None:
    assert script_of(line) is script


def test_halves_are_taken_only_where_the_script_changes_once() -> None:
    zh, ja, en = "你以前见过这样的东西吗", "こんなものを見たことがありますか", "Have you seen this?"
    assert halves([zh, ja]) == (1, (Script.HAN, Script.KANA))
    assert halves([zh, zh, en]) == (2, (Script.HAN, Script.LATIN))
    assert halves([en, ja]) == (1, (Script.LATIN, Script.KANA))
    for lines in ([zh], [zh, zh], [zh, ja, zh], [zh, "…"], [], ["…", "!"]):
        assert halves(lines) is None


def test_a_language_pair_has_to_prevail() -> None:
    pair, other = (Script.HAN, Script.KANA), (Script.HAN, Script.LATIN)
    assert prevailing_pair([pair, pair, None]) == pair
    assert prevailing_pair([pair] + [None] * 9) is None
    assert prevailing_pair([pair, pair, other]) == pair
    assert prevailing_pair([]) is prevailing_pair([None]) is None
