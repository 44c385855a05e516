# ruff: noqa: E501  (files have long rows)
"""Formats as tools and people write them: every shape is read with its right times and words, or refused by name."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.formats import FORMATS, SUFFIXES, guess_format, read_events
from yuki_builder.subtitles.formats.base import Source
from yuki_builder.subtitles.formats.refused import REFUSED

Rows = list[tuple[int, int, str]]


def events(text: str, **options: float) -> tuple[Event, ...]:
    return read_events(text, guess_format(text) or "no format", **options).events


def rows(text: str, **options: float) -> Rows:
    return [(event.start_ms, event.end_ms, event.text) for event in events(text, **options)]


# --- SubRip -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "timing",
    [
        *(
            "00：00：01，000 --> 00：00：02，500",
            "００：００：０１，０００ --> ００：００：０２，５００",
            "00:00:01.000 → 00:00:02.500",
        ),
        *("00:00:01,000 –> 00:00:02,500", "00:00:01,000 —> 00:00:02,500", "00:00:01,000 ––> 00:00:02,500"),
        *("00: 00: 01,000 --> 00: 00: 02,500", "00:00:01,000 --&gt; 00:00:02,500", "**00:00:01,000 --> 00:00:02,500**"),
        *("00:00:01,000 => 00:00:02,500", "00:00:01,000 - -> 00:00:02,500", "00:00:01,000 00:00:02,500"),
        *("00:00:01,000 bis 00:00:02,500", "00:00:01,000 到 00:00:02,500", "00:00:01,000 до 00:00:02,500"),
        *("`00:00:01,000 --> 00:00:02,500`", "00:00:01.000000 --> 00:00:02.500000", "00:00:01,0 --> 00:00:02,5"),
        *("0:0:1,0 --> 0:0:2,5", "00:01.000 --> 00:02.500", "1.0 --> 2.5", "00:00:01:000 --> 00:00:02:500"),
        *("٠٠:٠٠:٠١,٠٠٠ --> ٠٠:٠٠:٠٢,٥٠٠", "۰۰:۰۰:۰۱٫۰۰۰ --> ۰۰:۰۰:۰۲٫۵۰۰", "00:00:01,000 -–> 00:00:02,500"),
        *(
            "\u200e00:00:01,000 --> 00:00:02,500\u200e",
            "00:00:01,000 ➡ 00:00:02,500",
            "[00:00:01,000 --> 00:00:02,500]",
        ),
        *("00:00:01,000 ＞ 00:00:02,500", "00:00:01,000　-->　00:00:02,500", "00:00:01,000-->00:00:02,500 X1:1 Y1:2"),
        "00:00:01.000 --> 00:00:02.500 align:start position:0%",
    ],
)
def test_timing_rows(timing: str) -> None:
    text = f"1\n00:00:00,100 --> 00:00:00,900\nBefore.\n\n2\n{timing}\nWe sail at dawn.\n\n3\n00:00:03,000 --> 00:00:04,000\nAfter.\n"
    assert rows(text) == [(100, 900, "Before."), (1000, 2500, "We sail at dawn."), (3000, 4000, "After.")]


@pytest.mark.parametrize(
    "timing", ["00:00:xx,000 --> 00:00:02,500", "0O:00:01,000 --> 00:00:02,500", "00:00:01,000 -->"]
)
def test_a_timing_row_that_cannot_be_read_is_counted_never_text(timing: str) -> None:
    found = read_events(
        f"1\n00:00:00,100 --> 00:00:00,900\nA\n\n2\n{timing}\nlost\n\n3\n00:00:03,000 --> 00:00:04,000\nB\n", "srt"
    )
    assert [event.text for event in found.events] == ["A", "B"]
    assert found.unreadable == 1


@pytest.mark.parametrize(
    "counter", ["2", "2个", "#2", "2.", "2)", "(2)", "[2]", "**2**", "第2条", "No. 2", "２", "2.0", "Nr 2:", "2 -"]
)
def test_counters(counter: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nA\n\n{counter}\n00:00:03,000 --> 00:00:04,000\nB\n"
    assert [text for _, _, text in rows(text)] == ["A", "B"]


@pytest.mark.parametrize(
    "row", ["From 10:30 -> 11:30 we sleep.", "10:30 -> 11:30", "Paris --> 10:30 Rome", "00:00:05 is when it blew."]
)
def test_spoken_times_and_arrows_stay(row: str) -> None:
    assert rows(f"1\n00:00:01,000 --> 00:00:02,000\n{row}\n") == [(1000, 2000, row)]


@pytest.mark.parametrize("row", ["Room 2", "2 of them", "It's 2.", "1984", "2 个苹果都在这里了吗", "Take exit 9"])
def test_spoken_numbers_stay(row: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nA\n{row}\n\n2\n00:00:03,000 --> 00:00:04,000\nB\n"
    assert [text for _, _, text in rows(text)] == [f"A\n{row}", "B"]


def test_words_behind_the_times_are_text() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000 We sail at 12:30.\n\n2 00:00:03,000 --> 00:00:04,000\nNow.\n"
    assert rows(text) == [(1000, 2000, "We sail at 12:30."), (3000, 4000, "Now.")]


def test_a_chat_programs_fence_is_no_text() -> None:
    text = "Here you are:\n```srt\n1\n00:00:01,000 --> 00:00:02,000\nA\n\n2\n00:00:03,000 --> 00:00:04,000\nB\n```\n"
    assert [text for _, _, text in rows(text)] == ["A", "B"]


def test_no_blank_rows_and_doubled_counters_and_ends(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nA\n2\n00:00:03,000 --> 00:00:04,000\nB\n\n3\n\n3\n00:00:05,000 --> 00:00:06,000\nC\n"
    assert [text for _, _, text in rows(text)] == ["A", "B", "C"]
    path = tmp_path / "a.srt"
    path.write_bytes(text.replace("\n", "\r\r\n").encode())
    assert [cue.text for cue in read_cues(path).spoken] == ["A", "B", "C"]


def test_a_text_ends_at_nul(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(b"1\n00:00:01,000 --> 00:00:02,000\nThis is\nit\0junk\n\n2\n00:00:03,000 --> 00:00:04,000\nB\0\n")
    assert [cue.text for cue in read_cues(path).spoken] == ["This is it", "B"]


# --- WebVTT -----------------------------------------------------------------------------------------------


def test_colours_of_webvtt() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue(.anna) { color: #ff8000; }\n::cue(.loud) { font-weight: bold }\n\n"
        "00:01.000 --> 00:02.000\n<c.yellow>At the mill.</c> <c.anna.loud>No.</c>\n<c.loud>Oh</c> <c>a</c>\n"
    )
    (event,) = events(text)
    assert event.text == (
        '<font color="#ffff00">At the mill.</font> <font color="#ff8000">No.</font>\n<c.loud>Oh</c> <c>a</c>'
    )


def test_headers_of_webvtt() -> None:
    for header in (
        "WEBVTT\n",
        "WEBVTT Kind: captions; Language: en\n\n",
        "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\n\n",
    ):
        assert rows(f"{header}00:01.000 --> 00:02.000\nA\n") == [(1000, 2000, "A")]


# --- TTML -------------------------------------------------------------------------------------------------

TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
 xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" {root}>
<head>{head}</head><body{body}><div>{div}</div></body></tt>"""


def ttml(div: str, *, root: str = "", head: str = "", body: str = "") -> str:
    return TTML.format(div=div, root=root, head=head, body=body)


@pytest.mark.parametrize(
    ("root", "begin", "end", "expected"),
    [
        ('ttp:tickRate="10000000"', "10000000t", "25000000t", (1000, 2500)),
        ('ttp:tickRate="90000"', "90000t", "225000t", (1000, 2500)),
        ('ttp:frameRate="25"', "00:00:01:00", "00:00:02:12", (1000, 2480)),
        ('ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', "30f", "75f", (1001, 2502)),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="999 1000"', "24f", "48f", (1001, 2002)),
        ("", "00:00:01.000", "00:00:02.500", (1000, 2500)),
        ("", "00:00:01,000", "00:00:02,500", (1000, 2500)),
        ("", "1s", "2.5s", (1000, 2500)),
        ("", "1000ms", "2500ms", (1000, 2500)),
        ("", "0.5m", "1m", (30_000, 60_000)),
        ("", "00:00:01", "00:00:02.5", (1000, 2500)),
        ("", "01:00:00.000", "1.0005h", (3_600_000, 3_601_800)),
        ("", "00:01.000", "00:02.500", (1000, 2500)),
        ("", "00:00:01.0000000", "00:00:02.5000000", (1000, 2500)),
    ],
)
def test_times_of_ttml(root: str, begin: str, end: str, expected: tuple[int, int]) -> None:
    assert rows(ttml(f'<p begin="{begin}" end="{end}">A</p>', root=root)) == [(*expected, "A")]


@pytest.mark.parametrize(
    ("div", "expected"),
    [
        ('<p begin="1s" dur="1.5s">A</p>', [(1000, 2500, "A")]),
        ('<p begin="1s">A</p><p begin="3s" end="4s">B</p>', [(1000, 3000, "A"), (3000, 4000, "B")]),
        ('<p begin="1s">A</p>', [(1000, 6000, "A")]),
        ('</div><div begin="10s"><p begin="1s" end="2s">A</p>', [(11_000, 12_000, "A")]),
        ('</div><div begin="1s" end="3s"><p>A</p>', [(1000, 3000, "A")]),
        (
            '<p><span begin="1s" end="2s">A</span><br/><span begin="2s" end="3s">B</span></p>',
            [(1000, 2000, "A"), (2000, 3000, "B")],
        ),
        ('<p begin="10s"><span begin="1s" end="2s">A</span></p>', [(11_000, 12_000, "A")]),
        ('<p begin="1s" end="2s">A<br/>B</p>', [(1000, 2000, "A\nB")]),
        ('<p begin="1s" end="2s">\n   A &amp; B\n   c\n</p>', [(1000, 2000, "A &amp; B c")]),
        ('<p begin="1s" end="2s">Tom & Jerry &nbsp;&hearts;</p>', [(1000, 2000, "Tom &amp; Jerry \xa0♥")]),
        ('<p begin="soon" end="2s">X</p><p begin="1s" end="2s">A</p>', [(1000, 2000, "A")]),
        ('<p begin="1s" end="2s"><metadata><x>no</x></metadata>A</p>', [(1000, 2000, "A")]),
        ('<p begin="1s" end="2s"/><p begin="3s" end="4s"> </p><p begin="5s" end="6s">A</p>', [(5000, 6000, "A")]),
        ('</div><div timeContainer="seq"><p dur="1s">A</p><p dur="2s">B</p>', [(0, 1000, "A"), (1000, 3000, "B")]),
    ],
)
def test_structure_of_ttml(div: str, expected: Rows) -> None:
    assert rows(ttml(div)) == expected


@pytest.mark.parametrize(
    "text",
    [
        '<tt><body><div><p begin="1s" end="2s">A</p></div></body></tt>',
        '<tt xmlns="http://www.w3.org/2006/10/ttaf1"><body><p begin="1s" end="2s">A</p></body></tt>',
        '<tt:tt xmlns:tt="http://www.w3.org/ns/ttml"><tt:body><tt:div><tt:p begin="1s" end="2s"><tt:span>A</tt:span></tt:p>'
        "</tt:div></tt:body></tt:tt>",
        '<!-- made by x --><tt xmlns="http://www.w3.org/ns/ttml"><body><div><div><p begin="1s" end="2s">A</p></div></div></body></tt>',
        '<?xml version="1.0" encoding="UTF-16"?><tt xmlns="urn:x"><body><p begin="1s" end="2s">A</p></body></tt>',
    ],
)
def test_namespaces_of_ttml(text: str) -> None:
    assert guess_format(text) == "ttml"
    assert rows(text) == [(1000, 2000, "A")]


def test_who_speaks_in_ttml() -> None:
    head = (
        '<metadata><ttm:agent type="person" xml:id="a1"><ttm:name type="full">Anna Gull</ttm:name></ttm:agent>'
        '</metadata><styling><style xml:id="y" tts:color="#ffff00"/><style xml:id="z" style="y"/>'
        '<style xml:id="w" tts:color="white"/></styling>'
    )
    first, second = events(
        ttml(
            '<p begin="1s" end="2s" ttm:agent="a1" region="top" xml:lang="fr">A</p>'
            '<p begin="3s" end="4s" style="w"><span style="z">B</span><br/>C <span tts:color="cyan">D</span></p>',
            head=head,
        )
    )
    assert (first.actor, first.region, first.language) == ("Anna Gull", "top", "fr")
    assert second.text == ('<font color="#ffff00">B</font>\n<font color="white">C </font><font color="cyan">D</font>')


def test_ruby_of_ttml() -> None:
    head = (
        '<styling><style xml:id="c" tts:ruby="container"/><style xml:id="b" tts:ruby="base"/>'
        '<style xml:id="t" tts:ruby="text"/></styling>'
    )
    (event,) = events(
        ttml(
            '<p begin="1s" end="2s"><span style="c"><span style="b">港</span><span style="t">みなと</span></span>へ</p>',
            head=head,
        )
    )
    assert event.text == "<ruby>港<rt>みなと</rt></ruby>へ"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (ttml('<p begin="1s" end="2s">A'), "damaged as a TTML"),
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + ttml('<p begin="1s" end="2s">&b;</p>'), "TTML"),
        (ttml('</div><div begin="1s" end="2s" smpte:backgroundImage="a.png">', root='xmlns:smpte="urn:s"'), "pictures"),
    ],
)
def test_ttml_that_is_refused(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ttml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SubtitleError, match=what):
        read_cues(path)


# --- SAMI -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<SAMI><BODY><SYNC Start=1000><P Class=KRCC>A<SYNC Start=3000><P Class=KRCC>&nbsp;</BODY></SAMI>",
            [(1000, 3000, "A")],
        ),
        (
            "<sync start='1000'><p class='X'>A<br>B</p></sync><sync start='3000'><p class='X'>&nbsp</p></sync>",
            [(1000, 3000, "A\nB")],
        ),
        (
            "<SAMI><SYNC START=1000>A\n<SYNC START=2000>B\n<SYNC START=3000></SAMI>",
            [(1000, 2000, "A"), (2000, 3000, "B")],
        ),
        (
            "<SAMI><BODY><SYNC Start=1000><P Class=A><!-- x --><i>A</i> &lt;3</BODY></SAMI>",
            [(1000, 6000, "<i>A</i> &lt;3")],
        ),
        ("<SAMI><SYNC Start=1000 End=9000><P>A\nB<SYNC Start=2000ms><P>&nbsp;</SAMI>", [(1000, 2000, "A B")]),
    ],
)
def test_shapes_of_sami(text: str, expected: Rows) -> None:
    assert guess_format(text) == "sami"
    assert rows(text) == expected


def test_two_languages_of_sami() -> None:
    text = (
        '<SAMI><HEAD><STYLE TYPE="text/css"><!-- .DECC {Name:German; lang:de-DE;} .FRCC {lang:fr-FR;} --></STYLE></HEAD>'
        "<BODY><SYNC Start=1000><P Class=DECC>Guten Tag<P Class=FRCC>Bonjour"
        "<SYNC Start=2000><P Class=DECC>&nbsp;<SYNC Start=2500><P Class=FRCC>&nbsp;"
        "<SYNC Start=3000><P Class=DECC ID=Source>Anna<P Class=DECC>Komm<P Class=FRCC>Viens<SYNC Start=4000></BODY></SAMI>"
    )
    assert [(e.start_ms, e.end_ms, e.text, e.style, e.language, e.actor) for e in events(text)] == [
        (1000, 2000, "Guten Tag", "DECC", "de-DE", ""),
        (1000, 2000, "Bonjour", "FRCC", "fr-FR", ""),
        (3000, 4000, "Komm", "DECC", "de-DE", "Anna"),
        (3000, 4000, "Viens", "FRCC", "fr-FR", ""),
    ]


# --- Frames, tenths, seconds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("{1}{1}25\n{25}{50}A|B\n", "microdvd", [(1000, 2000, "A\nB")]),
        ("{0}{0}25.000\n{25}{50}{y:i}A|{Y:b}B\n", "microdvd", [(1000, 2000, "A\nB")]),
        (
            "{1}{72}movie info: XVID 608x256 25.0fps 700.0 MB|subs\n{100}{125}/A|/B\n",
            "microdvd",
            [(4000, 5000, "A\nB")],
        ),
        ("{1}{1}25\n{25}{50}{c:$0000ff}A|B\n", "microdvd", [(1000, 2000, '<font color="#ff0000">A</font>\nB')]),
        (
            "{1}{1}25\n{25}{50}{C:$00FFFF}A|B\n",
            "microdvd",
            [(1000, 2000, '<font color="#ffff00">A</font>\n<font color="#ffff00">B</font>')],
        ),
        ("{1}{1}25\n{25}{}A\n{75}{100}B\n", "microdvd", [(1000, 3000, "A"), (3000, 4000, "B")]),
        ("[10][25]A|/B\n[ 30 ][40]x\n[50][60]C\n", "mpl2", [(1000, 2500, "A\nB"), (5000, 6000, "C")]),
        (
            "00:00:01:A|B\n00:00:03:\n00:00:05:C\n00:00:06:D\n",
            "tmp",
            [(1000, 3000, "A\nB"), (5000, 6000, "C"), (6000, 7600, "D")],
        ),
        ("00:00:01=A\n00:00:03=B\n00:00:04=\n", "tmp", [(1000, 3000, "A"), (3000, 4000, "B")]),
        ("00:00:01 A\n00:00:03 B\n00:00:04 \n", "tmp", [(1000, 3000, "A"), (3000, 4000, "B")]),
        ("0:00:01:A\n1:00:03:B\n", "tmp", [(1000, 8000, "A"), (3_603_000, 3_604_600, "B")]),
        ("00:00:01,1=A\n00:00:01,2=B\n00:00:03,1=\n", "tmp", [(1000, 3000, "A\nB")]),
    ],
)
def test_one_row_a_cue(text: str, name: str, expected: Rows) -> None:
    assert guess_format(text) == name
    assert rows(text) == expected


# --- Professional formats ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "$FontName = Arial\n$FontSize = 30\n\n00:00:01:10 , 00:00:03:00 , A|B\n00:00:04:00 , 00:00:06:12 , ^IC^I\n",
        "//Font select\n$Bold = FALSE\n00:00:01:10,00:00:03:00,A|B\n00:00:04:00,00:00:06:12,C\n",
        "00:00:01:10\t,\t00:00:03:00\t,\tA\nB\n00:00:04:00\t,\t00:00:06:12\t,\tC\n",
        "1 00:00:01:10 00:00:03:00 A\nB\n2 00:00:04:00 00:00:06:12 C\n",
        "00:00:01;10 00:00:03;00 A\nB\n00:00:04;00 00:00:06;12 C\n",
    ],
)
def test_timecodes_of_frames(text: str) -> None:
    assert guess_format(text) == "spruce"
    assert rows(text) == [(1400, 3000, "A\nB"), (4000, 6480, "C")]
    assert rows(text, frame_rate_hz=24.0)[0] == (1417, 3000, "A\nB")


SCC = "Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420 9470 9470 c8e5 ecec ef80 942f 942f\n\n00:00:03:00\t942c 942c\n"


@pytest.mark.parametrize("text", [SCC, SCC.partition("\n\n")[2], SCC.replace(":00\t", ";00\t")])
def test_scenarist_captions_are_decoded(text: str) -> None:
    assert guess_format(text) == "scc"
    ((start, end, words),) = rows(text)
    assert words == "Hello" and start == pytest.approx(1100, abs=250) and end == pytest.approx(3000, abs=50)


def ebu_stl(*rows_: tuple[int, int, bytes]) -> bytes:
    """EBU Tech 3264: times in seconds, one text block each."""
    head = bytearray(b" " * 1024)
    head[0:14] = b"850STL25.01100"
    head[14:16] = b"09"
    count = f"{len(rows_):05d}".encode()
    head[238:243], head[243:248], head[248:251] = count, count, b"001"
    head[251:253], head[253:255], head[255:256] = b"40", b"23", b"1"
    head[256:264], head[264:272] = b"00000000", b"00000000"
    head[272:274] = b"11"
    blocks = b"".join(
        bytes([0, k & 255, k >> 8, 255, 0, 0, 0, start, 0, 0, 0, end, 0, 20, 2, 0]) + text.ljust(112, b"\x8f")
        for k, (start, end, text) in enumerate(rows_)
    )
    return bytes(head) + blocks


def test_ebu_stl_is_read_with_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(
        ebu_stl((1, 3, b"\x0d\x0b\x0bWe sail at dawn.\x0a\x0a"), (4, 6, b"\x0d\x03\x0b\x0bNo caf\xc2e.\x0a\x0a"))
    )
    sheet = read_cues(path)
    assert sheet.format == "stl"
    assert [(c.start_ms, c.end_ms, c.text) for c in sheet.spoken] == [
        (1000, 3000, "We sail at dawn."),
        (4000, 6000, "No café."),
    ]


def test_a_damaged_ebu_stl_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(b"850STL25.01" + b"\xff" * 3000)
    with pytest.raises(SubtitleError, match="STL"):
        read_cues(path)


# --- The web, recognisers, music --------------------------------------------------------------------------

WHISPER = [{"start": 1.0, "end": 3.0, "text": " We sail at dawn."}, {"start": 3.5, "end": 5.25, "text": " Now."}]
SAID = [(1000, 3000, "We sail at dawn."), (3500, 5250, "Now.")]


@pytest.mark.parametrize(
    "found",
    [
        {"text": "We sail at dawn. Now.", "segments": WHISPER, "language": "en"},
        WHISPER,
        {"chunks": [{"timestamp": [s["start"], s["end"]], "text": s["text"]} for s in WHISPER]},
        {"transcription": [{"timestamps": {"from": "00:00:01,000", "to": "00:00:03,000"}, "offsets": {"from": 1000, "to": 3000}, "text": " We sail at dawn."}, {"timestamps": {"from": "00:00:03,500", "to": "00:00:05,250"}, "text": " Now."}]},
        {"utterances": [{"start": 1000, "end": 3000, "text": "We sail at dawn.", "speaker": "A"}, {"start": 3500, "end": 5250, "text": "Now.", "speaker": "B"}]},
        {"body": [{"from": 1, "to": 3, "content": "We sail at dawn."}, {"from": 3.5, "to": 5.25, "content": "Now."}]},
        {"results": {"utterances": [{"start": s["start"], "end": s["end"], "transcript": s["text"]} for s in WHISPER]}},
        {"segments": [{"start": "1.0", "end": "3.0", "text": "We sail at dawn."}, {"start": "3.5", "end": "5.25", "text": "Now."}]},
        {"captions": [{"startTime": 1.0, "duration": 2.0, "content": "We sail at dawn."}, {"startTime": 3.5, "duration": 1.75, "content": "Now."}]},
    ],
)  # fmt: skip
def test_json_of_recognisers(found: object) -> None:
    text = json.dumps(found, indent=1)
    assert guess_format(text) == "json"
    assert rows(text) == SAID


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("start\tend\ttext\n1000\t3000\tWe sail at dawn.\n3500\t5250\tNow.\n", "tsv"),
        ('start,end,text\n1000,3000,"We sail at dawn."\n3500,5250,"Now."\n', "tsv"),
        ("start\tend\tspeaker\ttext\n1.0\t3.0\tA\tWe sail at dawn.\n3.5\t5.25\tB\tNow.\n", "tsv"),
        ("1.000000\t3.000000\tWe sail at dawn.\n3.500000\t5.250000\tNow.\n", "tsv"),
        ("[00:00:01.000 --> 00:00:03.000]  We sail at dawn.\n[00:00:03.500 --> 00:00:05.250]  Now.\n", "whisper"),
        ("[00:01.000 --> 00:03.000] We sail at dawn.\n[00:03.500 --> 00:05.250] Now.\n", "whisper"),
        ("0:00:01.000,0:00:03.000\nWe sail at dawn.\n\n0:00:03.500,0:00:05.250\nNow.\n", "sbv"),
        ("[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF,[STYLE]bd\n00:00:01.00,00:00:03.00\nWe sail at dawn.\n\n00:00:03.50,00:00:05.25\nNow.\n", "subviewer"),
        ("[ti:x]\n[ar:y]\n[00:01.00]We sail at dawn.\n[00:03.00]\n[00:03.50]Now.\n[00:05.25]\n", "lrc"),
        ("[offset:+500]\n[00:01.50]<00:01.50>We <00:02.00>sail <00:02.10>at <00:02.20>dawn.\n[00:03.500]\n[00:04.00]Now.\n[00:05.75]\n", "lrc"),
        ('{"wireMagic":"pb3","events":[{"tStartMs":0,"dDurationMs":9000,"id":1},{"tStartMs":1000,"dDurationMs":2000,"segs":[{"utf8":"We sail"},{"utf8":" at dawn."}]},{"tStartMs":3000,"aAppend":1,"segs":[{"utf8":"\\n"}]},{"tStartMs":3500,"dDurationMs":1750,"segs":[{"utf8":"Now."}]}]}', "json3"),
        ('<?xml version="1.0"?><timedtext format="3"><head><pen id="1" fc="#FEFEFE"/></head><body><p t="1000" d="2000" p="1"><s>We sail</s><s> at dawn.</s></p><p t="3500" d="1750">Now.</p></body></timedtext>', "srv3"),
        ('<transcript><text start="1" dur="2">We sail at dawn.</text><text start="3.5" dur="1.75">Now.</text></transcript>', "srv3"),
        ('<timedtext><text t="1000" d="2000">We sail at dawn.</text><text t="3500" d="1750">Now.</text></timedtext>', "srv3"),
    ],
)  # fmt: skip
def test_the_web_and_tables(text: str, name: str) -> None:
    assert guess_format(text) == name
    assert rows(text) == SAID


def test_rolling_captions_of_youtube_end_where_the_next_begins() -> None:
    segments = [{"utf8": "we"}, {"utf8": " sail", "tOffsetMs": 300}]
    found = {
        "events": [
            {"tStartMs": 1000, "dDurationMs": 5000, "segs": segments},
            {"tStartMs": 3000, "dDurationMs": 2000, "segs": [{"utf8": "now"}]},
        ]
    }
    assert rows(json.dumps(found)) == [(1000, 3000, "we sail"), (3000, 5000, "now")]


def test_a_chorus_of_lrc_comes_twice() -> None:
    assert rows("[00:01.00][00:05.00]A\n[00:03.00]B\n[00:07.00]\n") == [
        (1000, 3000, "A"),
        (3000, 5000, "B"),
        (5000, 7000, "A"),
    ]


def test_speakers_of_recognisers() -> None:
    found = [{"start": 1, "end": 2, "text": "Hi", "speaker": "SPEAKER_01"}, {"start": 2, "end": 3, "text": "Yes"}]
    assert [event.actor for event in events(json.dumps(found))] == ["SPEAKER_01", ""]


def test_youtubes_double_escapes() -> None:
    (event,) = events('<transcript><text start="1" dur="2">I&amp;#39;m &amp;lt;3 &amp;amp; you</text></transcript>')
    assert event.text == "I&#39;m &lt;3 &amp; you"


# --- What is no format ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# VobSub index file, v7\nid: en, index: 0\n", "pictures"),
        ("<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("<?xml version='1.0'?><rss><channel/></rss>", "XML"),
        ("{\\rtf1\\ansi 1}", "RTF"),
        ("<USFSubtitles version='1.0'></USFSubtitles>", "USF"),
    ],
)
def test_other_texts_are_refused_by_name(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SubtitleError, match=what) as error:
        read_cues(path)
    assert "\n" not in str(error.value) and error.value.remedy


@pytest.mark.parametrize(
    "text",
    ["Dear diary", '{"a": 1}', "[1, 2, 3]", "00:00:01:10 00:00:02:00", "name,age,text\n1,2,3\n", "12:30 lunch\n"],
)
def test_ordinary_texts_have_no_format(text: str) -> None:
    assert guess_format(text) in (None, "spruce")


def test_the_table_of_formats() -> None:
    names = [known.name for known in FORMATS]
    assert len(set(names)) == len(names)
    assert {".srt", ".ass", ".vtt", ".ttml", ".dfxp", ".smi", ".sub", ".stl", ".scc", ".json3"} <= SUFFIXES
    assert all(known.title and known.suffixes for known in FORMATS)


PIECES = [
    *(
        "1\n",
        "00:00:01,000 --> 00:00:02,000\n",
        "{1}{2}",
        "[1][2]",
        "[00:01.00]",
        "00:00:01:",
        "<sync start=1>",
        "<p class=a>",
    ),
    *(
        "<tt>",
        "<body>",
        "<p begin='1s' end='2s'>",
        "</p></body></tt>",
        "\t",
        "start\tend\ttext\n",
        '{"segments":[',
        '{"start":1,"text":"x"}',
    ),
    *(
        "]}",
        "Scenarist_SCC V1.0\n",
        "00:00:01:00\t9420 c8e5",
        "$a = b\n",
        "0:00:01.000,0:00:02.000\n",
        "x",
        "é",
        "\0",
        "\n",
        "WEBVTT\n\n",
    ),
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_every_format_reads_or_refuses_any_text(text: str) -> None:
    for known in (*FORMATS, *REFUSED):
        known.recognises(text)
        try:
            found = known.read(Source(text, frame_rate_hz=25.0))
        except SubtitleError as e:
            assert "\n" not in str(e)
        else:
            assert all(isinstance(event.text, str) for event in found.events)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 5000), st.text("ab{}\\N, é", max_size=20)), max_size=6)
)
def test_ass_as_pysubs2_reads_it(lines: list[tuple[int, int, str]]) -> None:
    script = pysubs2.SSAFile()
    script.events = [
        pysubs2.SSAEvent(start=10 * (s // 10), end=10 * (s // 10) + 10 * d, text=t, name="A") for s, d, t in lines
    ]
    text = script.to_string("ass")
    expected = [(e.start, e.end, e.text, e.name, e.style) for e in pysubs2.SSAFile.from_string(text)]
    found = read_events(text, "ass").events
    assert [(e.start_ms, e.end_ms, e.text, e.actor, e.style) for e in found] == [
        (s, e, t.rstrip(), n, y) for s, e, t, n, y in expected
    ]


def test_ninety_thousand_events_are_read_in_two_seconds() -> None:
    row = "Dialogue: 0,0:01:{:02d}.{:02d},0:01:{:02d}.{:02d},Default,Anna,0,0,0,,{{\\pos({},10)}}word {}\n"
    text = "[Script Info]\n\n[Events]\n" + "".join(
        row.format(k % 60, k % 100, k % 60, k % 100, k, k) for k in range(90_000)
    )
    started = time.process_time()
    assert len(read_events(text, "ass").events) == 90_000
    assert time.process_time() - started < 5
