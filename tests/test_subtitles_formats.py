"""Formats: the right one by content, every entry of it, and damaged entries counted instead of spoiling others."""

from __future__ import annotations

import pytest

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.events import Events
from yuki_builder.subtitles.formats import guess_format, read_events

ASS_HEAD = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
SAMI = """<SAMI><BODY>
<SYNC Start=1000><P Class=KRCC>안녕<br>하세요
<SYNC Start=2000><P Class=KRCC>&nbsp;
</BODY></SAMI>"""
TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml"><body><div>
<p begin="00:00:01.000" end="00:00:02.500">One<br/>two</p></div></body></tt>"""


def read_srt(text: str) -> Events:
    return read_events(text, "srt")


def read_vtt(text: str) -> Events:
    return read_events(text, "vtt")


def texts(text: str, name: str | None = None, **options: float) -> list[tuple[int, int, str]]:
    found = read_events(text, name or guess_format(text) or "", **options)
    return [(event.start_ms, event.end_ms, event.text) for event in found.events]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("1\n00:00:01,000 --> 00:00:02,500\nOne\ntwo\n", "srt", [(1000, 2500, "One\ntwo")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.500 align:start\nOne\ntwo\n", "vtt", [(1000, 2500, "One\ntwo")]),
        (ASS_HEAD + "Dialogue: 0,0:00:01.00,0:00:02.50,Default,A,0,0,0,,a, b\n", "ass", [(1000, 2500, "a, b")]),
        ("[Events]\nDialogue: Marked=0,0:00:01.00,0:00:02.50,Default,A,0,0,0,,One\n", "ass", [(1000, 2500, "One")]),
        ("{1}{1}25\n{25}{50}One|two\n", "microdvd", [(1000, 2000, "One\ntwo")]),
        ("[10][25]One|two\n", "mpl2", [(1000, 2500, "One\ntwo")]),
        ("00:00:01:One\n00:00:03:Two\n", "tmp", [(1000, 3000, "One"), (3000, 4800, "Two")]),
        (SAMI, "sami", [(1000, 2000, "안녕\n하세요")]),
        (TTML, "ttml", [(1000, 2500, "One\ntwo")]),
    ],
)
def test_every_format_is_told_by_its_content(text: str, name: str, expected: list[tuple[int, int, str]]) -> None:
    assert guess_format(text) == name
    assert texts(text) == expected


@pytest.mark.parametrize(
    "text", ["", "Dear diary,\nnothing happened.\n", '{"events": []}', "Dialogue: she said\n", "[a]\n"]
)
def test_other_text_has_no_format(text: str) -> None:
    assert guess_format(text) is None


def test_a_spoken_word_does_not_make_the_format() -> None:
    assert guess_format("1\n00:00:01,000 --> 00:00:02,000\nDialogue: that is an art.\n") == "srt"


class TestSubRip:
    def test_numbers_that_are_spoken_stay(self) -> None:
        text = (
            "1\n00:00:01,000 --> 00:00:02,000\nHow many?\n42\n\n"
            "2\n00:00:03,000 --> 00:00:04,000\n42\n\n"
            "00:00:05,000 --> 00:00:06,000\nAgain?\n\n7\n\n"
            "4\n00:00:07,000 --> 00:00:08,000\nLast\n43\n"
        )
        assert [event.text for event in read_srt(text).events] == ["How many?\n42", "42", "Again?\n\n7", "Last\n43"]

    def test_numbers_that_count_do_not(self) -> None:
        without_blanks = "1\n00:00:01,000 --> 00:00:02,000\nA\n2\n00:00:03,000 --> 00:00:04,000\nB\n"
        with_blanks = "7\n\n00:00:01,000 --> 00:00:02,000\n\nA\n\n\n8\n\n00:00:03,000 --> 00:00:04,000\n\nB\n"
        wrong = "9\n00:00:01,000 --> 00:00:02,000\nA\n\n3\n00:00:03,000 --> 00:00:04,000\nB\n"
        for text in (without_blanks, with_blanks, wrong):
            assert [event.text for event in read_srt(text).events] == ["A", "B"]

    @pytest.mark.parametrize(
        "timing",
        [
            "00:00:xx,000 --> 00:00:04,000",
            "00:00:03,000 --> ",
            "00:00:03,000 --> soon",
            "00:00:0 3,00 --> 00:00:0y,000",
        ],
    )
    def test_a_damaged_timing_line_loses_its_own_cue_only(self, timing: str) -> None:
        found = read_srt(
            f"1\n00:00:01,000 --> 00:00:02,000\nA\n\n2\n{timing}\nlost\n\n3\n00:00:05,000 --> 00:00:06,000\nC\n"
        )
        assert [event.text for event in found.events] == ["A", "C"]
        assert found.unreadable == 1

    @pytest.mark.parametrize(
        ("timing", "times"),
        [
            ("00:00:01,000 --> 00:00:02,000", (1000, 2000)),
            ("00:00:01.000-->00:00:02.000", (1000, 2000)),
            ("0:00:01,5 -> 0:00:02,50", (1500, 2500)),
            ("  00:00:01,000 --> 00:00:02,000 X1:10 X2:20", (1000, 2000)),
            ("00:01 --> 00:02", (1000, 2000)),
            ("-00:00:01,000 --> 00:00:02,000", (-1000, 2000)),
            ("100:00:00,000 --> 100:00:01,000", (360_000_000, 360_001_000)),
        ],
    )
    def test_timing_lines_as_people_write_them(self, timing: str, times: tuple[int, int]) -> None:
        (event,) = read_srt(f"1\n{timing}\nA\n").events
        assert (event.start_ms, event.end_ms, event.text) == (*times, "A")

    def test_an_arrow_in_speech_is_speech(self) -> None:
        (event,) = read_srt("1\n00:00:01,000 --> 00:00:02,000\nA --> B\nso there -->\n").events
        assert event.text == "A --> B\nso there -->"


class TestWebVtt:
    def test_only_what_is_shown_is_text(self) -> None:
        text = (
            "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\n"
            "intro\n00:01.000 --> 00:02.000\nA\n\nNOTE a remark\nof two lines\n\n"
            "2 - second\n00:00:03.000 --> 00:00:04.000 line:0\nB\n42\n\nREGION\nid:x\n"
        )
        found = read_vtt(text)
        assert [event.text for event in found.events] == ["A", "B\n42"]
        assert found.unreadable == 0

    def test_damaged_blocks_are_counted(self) -> None:
        found = read_vtt("WEBVTT\n\n00:01.000 --> 00:02.000\nA\n\n00:xx --> 00:04.000\nlost\n\nstray words\n")
        assert [event.text for event in found.events] == ["A"]
        assert found.unreadable == 2


class TestAss:
    def test_fields_and_kinds(self) -> None:
        found = read_events(
            ASS_HEAD
            + "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,remark\n"
            + "Dialogue: 0,0:00:01.00,0:00:02.00,Sign,Ann,0,0,0,fx,x\n",
            "ass",
        )
        comment, line = found.events
        assert comment.is_comment and not line.is_comment
        assert (line.style, line.actor, line.effect, line.text) == ("Sign", "Ann", "fx", "x")

    @pytest.mark.parametrize(
        "damaged",
        [
            "Dialogue: 0,never,0:00:02.00,Default,,0,0,0,,x",
            "Dialogue: 0,0:00:01.00,0:00:02.00,Default",
            "Dialogue:",
            "Dialogue: 0,0:00:01.00,,Default,,0,0,0,,x",
        ],
    )
    def test_a_damaged_line_loses_itself_only(self, damaged: str) -> None:
        found = read_events(ASS_HEAD + damaged + "\nDialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,kept\n", "ass")
        assert [event.text for event in found.events] == ["kept"]
        assert found.unreadable == 1

    def test_damaged_styles_and_fonts_do_not_matter(self) -> None:
        text = (
            "[Script Info]\n[V4+ Styles]\nStyle: Default,Arial,huge,&HZZ\n[Fonts]\nfontname: a.ttf\nDialogue: 0,x\n"
            "[Events]\nDialogue: x,0:00:01.00,0:00:02.00,Default,,a,b,c,,kept\n"
        )
        assert texts(text) == [(1000, 2000, "kept")]

    def test_the_name_column_may_be_called_actor_and_lines_be_indented(self) -> None:
        text = """
            [Script Info]
            [Events]
            Format: Layer, Start, End, Style, Actor, MarginL, MarginR, MarginV, Effect, Text
            Dialogue: 0,0:00:01.00,0:00:02.00,*Default,Ann,0000,0000,0000,,Hi
        """
        assert guess_format(text) == "ass"
        (event,) = read_events(text, "ass").events
        assert (event.style, event.actor, event.text) == ("*Default", "Ann", "Hi")

    def test_the_order_of_columns_is_read_from_the_file(self) -> None:
        text = "[Events]\nFormat: Start, End, Name, Style, Text\nDialogue: 0:00:01.00,0:00:02.00,Ann,Main,a, b\n"
        (event,) = read_events(text, "ass").events
        assert (event.style, event.actor, event.text) == ("Main", "Ann", "a, b")


class TestFramesAndLines:
    def test_frames_need_a_rate(self) -> None:
        with pytest.raises(SubtitleError, match="counts frames"):
            read_events("{25}{50}One\n", "microdvd")
        assert texts("{25}{50}One\n", frame_rate_hz=25.0) == [(1000, 2000, "One")]

    def test_damaged_lines_are_counted(self) -> None:
        found = read_events("{1}{1}25\n{25}{50}One\n{oops}Two\n{" + "9" * 5000 + "}{1}x\n", "microdvd")
        assert [event.text for event in found.events] == ["One"]
        assert found.unreadable == 2

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            (TTML.replace("</p>", ""), "ttml"),
            ('<!DOCTYPE x [<!ENTITY a "aa">]>' + TTML, "ttml"),
            ("{1}{1}0\n{25}{50}One\n", "microdvd"),
        ],
    )
    def test_damaged_markup_is_one_clear_error(self, text: str, name: str) -> None:
        with pytest.raises(SubtitleError) as error:
            read_events(text, name, where="x.sub")
        assert "\n" not in str(error.value) and error.value.remedy
