"""Markup goes, spoken text stays as it is, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.subtitles.cleaning import clean

relaxed = settings(deadline=None)  # a busy machine is no failure


def ass(text: str) -> tuple[str, ...]:
    return clean(text, is_ass=True).lines


def srt(text: str) -> tuple[str, ...]:
    return clean(text, is_ass=False).lines


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (r"{\i1}What?{\i0} \"Really\"\NYes: it_is", ('What? \\"Really\\"', "Yes: it_is")),
        (r"{\an8\pos(10,20)\fad(1,2)\t(0,100,\fscx120)}Hi", ("Hi",)),
        (r"one\Ntwo\nthree\hfour", ("one", "two", "three four")),
        (r"Hi {note of the translator}there", ("Hi there",)),
        (r"a { b", ("a { b",)),
        (r"a } b {", ("a } b {",)),
        (r"{a{b}c}", ("c}",)),
        (r"{\p1}m 0 0 l 100 0 100 100{\p0}", ()),
        (r"{\p1}m 0 0 l 1 0{\p0}text", ("text",)),
        (r"{\pos(1,1)}text", ("text",)),
        (r"{\pbo1}text", ("text",)),
        (r"{\p4\an7}m 0 0 b 1 1", ()),
        (r"<i>Hi</i> {\b1}you", ("Hi you",)),
        ("\\N\\N  \\h ", ()),
    ],
)
def test_ass(raw: str, shown: tuple[str, ...]) -> None:
    assert ass(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<i>Hi</i> <b>you</b> <u>two</u><s>!</s>", ("Hi you two!",)),
        ('<font color="#fff" size=3>Hi</font>', ("Hi",)),
        ("<c.yellow.bg_blue>Hi</c> <v Ann>you</v> <lang en>x</lang>", ("Hi", "you x")),
        ("<00:00:01.500>Hi <00:02.000>you", ("Hi you",)),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>だ", ("漢字だ",)),
        ("one<br>two<br/>three<BR />four", ("one", "two", "three", "four")),
        (r"{\an8}Hi {b}you{/b} {y:i}two", ("Hi you two",)),
        (r"Hi\Nyou\htwo", ("Hi", "you two")),
        (r"John:\NHi", ("John:", "Hi")),
        ("Tom &amp; Ann &lt;3 &#39;x&#x27; &nbsp;&lrm;y", ("Tom & Ann <3 'x' y",)),
        ("&lt;i&gt;shown&lt;/i&gt;", ("<i>shown</i>",)),
        ("a\u200bb\ufeffc\u200ed\u202ae\u2069f\xadg\x00h\x07", ("abcdefgh",)),
        ("  two\xa0\xa0spaces\t here ", ("two spaces here",)),
        ("a\u2028b\x0bc", ("a", "b", "c")),
    ],
)
def test_markup_outside_ass(raw: str, shown: tuple[str, ...]) -> None:
    assert srt(raw) == shown


@pytest.mark.parametrize(
    "spoken",
    [
        "I <3 you, a < b and b > c",
        "if a <b and c> d",
        "{sic} he said {",
        "{not a tag}",
        r"C:\New\home",
        "R&D, AT&T; Q&A &copy &unknown;",
        "12:30, 3.14, 50% – “quoted” 'single' «guillemets» ‘x’",
        "What?! No... (really) [sic] *star* #1 @home ~ ^ | \\ /",
        "McDONALD iPhone ÄÖÜ ß İstanbul",
        "「台词」『本』【注】（括弧）〜！？…… \u3000 間",
        "می\u200cخواهم 👨\u200d👩\u200d👧",
        "<script>alert(1)</script>",
        "<alice@example.org>",
        "1 <2> 3",
    ],
)
def test_spoken_text_is_untouched(spoken: str) -> None:
    assert srt(spoken) == (spoken.strip(),)


def test_joiners_inside_words_stay_and_at_the_edges_go() -> None:
    assert srt("\u200dمی\u200cخواهم\u200c") == ("می\u200cخواهم",)


def test_what_markup_says_is_kept_apart() -> None:
    assert clean(r"{\k20}la {\k30}la", is_ass=True).has_karaoke
    assert clean(r"{\kf20}la", is_ass=True).has_karaoke and clean(r"{\K9}la", is_ass=True).has_karaoke
    assert not clean(r"{\kern}la {\fnArial}", is_ass=True).has_karaoke
    assert not clean(r"\k20 spoken", is_ass=True).has_karaoke
    assert clean(r"{\p1}m 0 0{\p0}x", is_ass=True).has_drawing
    assert clean("<v.loud Ann Lee>Hi <v Bob &amp; Co>you", is_ass=False).voices == ("Ann Lee", "Bob & Co")


@relaxed
@given(st.text(st.characters(exclude_characters="<>{}&\\", exclude_categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Cs"])))
def test_text_without_markup_is_shown_as_it_is(text: str) -> None:
    assert "".join(srt(text)) == text
    assert "".join(ass(text)) == text


@relaxed
@given(st.text(st.sampled_from("ab<>/{}&;#iNnhkp10.: v=\\\n\0"), max_size=60), st.booleans())
def test_whatever_the_markup_the_lines_are_clean(text: str, is_ass: bool) -> None:
    for line in clean(text, is_ass=is_ass).lines:
        assert line and line == line.strip() and line.isprintable()
