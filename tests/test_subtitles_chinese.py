"""Traditional and simplified Chinese, and what is left as it is."""

from __future__ import annotations

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles import convert_chinese


def test_chinese_is_converted_and_japanese_is_not() -> None:
    cues = [
        Cue("a", 0, 0, 1, "這裏沒有頭髮", "{x}這裏沒有頭髮", "髪が乾いている", tags=(NameTag("長門", "actor"),)),
        Cue("b", 1, 0, 1, "Hello", "Hello"),
    ]
    first, second = convert_chinese(cues, "simplified")
    assert (first.text, first.raw_text, first.text_secondary) == ("这里没有头发", "{x}這裏沒有頭髮", "髪が乾いている")
    assert first.tags == (NameTag("长门", "actor"),)
    assert second == cues[1]
    (back, _) = convert_chinese([first, second], "traditional")
    assert back.text == "這裏沒有頭髮"
