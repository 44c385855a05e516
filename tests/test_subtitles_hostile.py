"""Hostile files are read in linear time or refused; nothing but SubtitleError comes out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.formats import guess_format, read_events
from yuki_builder.subtitles.sheet import make_cues

relaxed = settings(deadline=None)  # a busy machine is no failure

SIZE = 1 << 16  # quadratic time would be several seconds
HEADS = {
    "srt": "1\n00:00:01,000 --> 00:00:02,000\n",
    "vtt": "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n",
    "ass": "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,",
}
BOMBS = (
    *("{", "{a", "{\\", "{\\p1}", "}", "<", "<b ", "<v ", "<v", "<v.", "<rt>", "<font =", "<1:", "&", "&#", "&aaaa"),
    *("(", "()", "[", "*", "* ", "♪", "♪a\n", "#a\n", "♪\n", ":", "A ", "A:", "-", "-->", "1:2-->", "1:", "1", "1\n"),
    *(" ", "\n", " \n", "\\N", ",", "a1", "あ", "漢字\nかな\n", "[a]\n", "(sigh) ", "JOHN: \n", "00:00:01,000 --> x\n"),
)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_repetition_takes_linear_time(tmp_path: Path, head: str, bomb: str) -> None:
    path = tmp_path / f"bomb.{head}"
    path.write_text(HEADS[head] + bomb * (SIZE // len(bomb)) + "x\n", encoding="utf-8")
    started = time.process_time()
    read_cues(path)
    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    "text",
    [
        "<SAMI><body>" + "<" * 50_000,
        "<SAMI>" + "x" * (1 << 20),
        '<tt xmlns="http://www.w3.org/ns/ttml"><body>' + "<div>" * 50_000 + "</div>" * 50_000 + "</body></tt>",
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s" end="2s">' + "<span>" * 5000,
        "<tt><head>"
        + "".join(f'<style xml:id="s{k}" style="{" ".join(f"s{n}" for n in range(100))}"/>' for k in range(100))
        + '</head><body><p begin="1s" end="2s" style="s1">x</p></body></tt>',
        "<tt><body>" + '<p begin="1s" end="2s">x</p>' * 10_000 + "</body></tt>",
        "<SAMI>" + "".join(f"<SYNC Start={k}><P Class=C{k}>x" for k in range(5_000)),
        "<SAMI>" + "<!--" * 50_000 + "<SYNC Start=1><P>x",
        "[00:01.00]" * SIZE,
        "[" * SIZE + '{"start":1,"text":"x"}',
        '[{"start":1,"text":"x"}' + ',{"start":1,"text":"x"}' * 8_000 + "]",
        "WEBVTT\n\nSTYLE\n" + "::cue(" * SIZE + "\n\n00:01.000 --> 00:02.000\n" + "<c.yellow>" * 8_000,
        "00:00:01:10 , 00:00:02:00 , x\n" * 8_000,
        "0:00:01.000,0:00:02.000\nx\n\n" * 8_000,
        "1.0\t2.0\tx\n" * 8_000,
        "Scenarist_SCC V1.0\n\n" + "00:00:01:00\t9420 9420 9470 9470 c8e5 942f 942f\n\n" * 300,
        "{1}{1}25\n" + "{10}{20}" + "{y:" * SIZE + "\n",
        "{1}{1}" + "9" * 5000 + "\n{1}{2}x",
        "[10][20]" + "|" * SIZE,
        "00:00:01:" + "<a" * SIZE,
        "[Script Info]\n[Events]\n" + "[a" * SIZE,
        "[Events]\nFormat: " + "a," * SIZE + "\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x",
        "\n" * SIZE,
    ],
)
def test_the_other_formats_end_as_well(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bomb.sub"
    path.write_text(text, encoding="utf-8")
    started = time.process_time()
    try:
        read_cues(path)
    except SubtitleError as e:
        assert "\n" not in str(e)
    assert time.process_time() - started < 8


def test_a_megabyte_in_one_line_is_left_out_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "long.srt"
    path.write_text(HEADS["srt"] + "word " * 200_000 + "\n\n2\n00:00:03,000 --> 00:00:04,000\nHi\n", encoding="utf-8")
    sheet = read_cues(path)
    assert [cue.text for cue in sheet.spoken] == ["Hi"]
    assert sheet.left_out_by_reason == {"too long": 1}
    assert len(sheet.cues[0].raw_text) >= 999_999


def test_zero_bytes_and_control_characters_leave_the_text(tmp_path: Path) -> None:
    path = tmp_path / "zeros.srt"
    path.write_bytes((HEADS["srt"] + "He\0llo\x1b[31m <script>x</script>\n" + "Plain words. " * 30).encode())
    (cue,) = read_cues(path).spoken
    assert cue.text.startswith("Hello[31m <script>x</script> Plain")
    assert cue.text.isprintable()


FRAGMENTS = (
    *(
        "1\n",
        "\n",
        "00:00:01,000 --> 00:00:02,000\n",
        "00:00:03,000 --> 00:00:02,000\n",
        "-->",
        "WEBVTT\n\n",
        "NOTE x\n",
    ),
    *("[Script Info]\n", "[Events]\n", "Format: Start, End, Text\n", "Dialogue: 0,0:00:01.00,0:00:02.00,OP,A,0,0,0,,"),
    *(
        "Dialogue: ",
        "99:99:99.99",
        "{10}{20}",
        "{1}{1}",
        "25",
        "[1][2]",
        "00:00:01:",
        "<SAMI>",
        "<SYNC Start=",
        ">",
        "<p>",
    ),
    *("<tt xmlns='http://www.w3.org/ns/ttml'>", "<body>", "<div>", "<p begin='1s' end='2s'>", "</p></div></body></tt>"),
    *("JOHN: ", "{\\p1}", "{\\k1}", "♪", "[sighs]", "<v A>", "你好", "こんにちは", "x", "&#", "\0", "\u2028", ",", "-"),
)


@relaxed
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
def test_any_mixture_of_formats_is_read_or_refused(text: str) -> None:
    name = guess_format(text)
    if name is None:
        return
    try:
        found = read_events(text, name)
    except SubtitleError:
        return
    cues = make_cues(found.events, is_ass=name in ("ass", "ssa"))
    assert len(cues) >= len(found.events)  # more where a row of an event is sung
    assert len({cue.cue_id for cue in cues}) == len(cues)
    for cue in cues:
        assert 0 <= cue.start_ms <= cue.end_ms
        assert cue.left_out or (cue.text.isprintable() and any(c.isalnum() for c in cue.text))
