"""Encodings: the right one is found, also for short and damaged files; what is no text is refused."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.decoding import decode, encoding_of

relaxed = settings(deadline=None)  # a busy machine is no failure

CHINESE = ["你以前见过这样的东西吗？", "我早就告诉过你不要打开那扇门。", "天亮就出发 不管他来不来"]
TAIWANESE = ["你以前見過這樣的東西嗎？", "我早就告訴過你不要打開那扇門。", "為什麼總是我付錢啊"]
JAPANESE = ["こんなものを見たことがありますか？", "あの扉を開けるなと言ったはずだ。", "テレビ、消して"]
KOREAN = ["이런 거 본 적 있어요?", "그 문을 열지 말라고 했잖아.", "잠깐만 기다려!"]
FRENCH = ["Où es-tu allé cet été ?", "Je t’avais dit… ça suffit !", "Mon frère n'acceptera jamais."]
GERMAN = ["Öffne die Tür nicht!", "Er weiß es schon längst.", "Für dich würde ich alles tun."]
RUSSIAN = ["Ты когда-нибудь видел такое?", "Я же говорил не открывать эту дверь.", "Спасибо."]


def srt(lines: list[str]) -> str:
    return "\r\n".join(
        f"{k}\r\n00:00:{k:02d},000 --> 00:00:{k:02d},900\r\n{line}\r\n" for k, line in enumerate(lines, 1)
    )


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (JAPANESE, "utf-16-be"),
        (FRENCH, "utf-16-le"),
        (KOREAN, "utf-32"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "euc_kr"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        (RUSSIAN, "cp1251"),
    ],
)
@pytest.mark.parametrize("repeats", [1, 40])
def test_text_comes_back_whatever_it_was_saved_as(lines: list[str], encoding: str, repeats: int) -> None:
    text = srt(lines * repeats)
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert decoded.replaced == 0


@pytest.mark.parametrize("order", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_decides(order: bytes) -> None:
    encoding = "utf-16-le" if order == codecs.BOM_UTF16_LE else "utf-16-be"
    assert decode(order + srt(CHINESE).encode(encoding)).text == srt(CHINESE)


@pytest.mark.parametrize(("lines", "encoding"), [(CHINESE, "utf-8"), (CHINESE, "gb18030"), (JAPANESE, "cp932")])
def test_one_damaged_line_does_not_turn_the_rest_into_garbage(lines: list[str], encoding: str) -> None:
    intact = srt(lines * 40).encode(encoding)
    lead = lines[0].encode(encoding)[:1]
    damaged = intact + b"121\r\n00:09:00,000 --> 00:09:01,000\r\nA" + lead + b"\r\n"
    decoded = decode(damaged)
    assert decoded.text.startswith(srt(lines * 40))
    assert decoded.replaced >= 1


def test_ascii_is_utf8() -> None:
    assert encoding_of(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n") == "utf-8"


def test_a_long_ascii_beginning_does_not_hide_the_encoding() -> None:
    header = "; " + "x" * 300_000 + "\n"
    assert decode((header + srt(CHINESE)).encode("gb18030")).encoding == "gb18030"


def test_a_character_cut_at_the_end_of_the_sample_does_not_matter() -> None:
    for shift in range(3):
        text = " " * shift + "你" * 100 + ("\n" + "你好吗" * 20) * 3000
        assert encoding_of(text.encode()) == "utf-8"


def test_a_few_zero_bytes_are_no_utf16() -> None:
    data = srt(CHINESE * 20).encode().replace("吗".encode(), b"\0" + "吗".encode(), 3)
    assert encoding_of(data) == "utf-8"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b" \r\n\0\0\n", "empty"),
        (bytes(range(256)) * 8, "binary"),
        (b"\x1aE\xdf\xa3" + bytes(range(256)) * 8, "binary"),
        (b"PG" + bytes(range(256)) * 8, "pictures"),
        (b"\x00\x00\x01\xba" + bytes(range(256)) * 8, "pictures"),
        (
            b"\n".join(random.Random(k).randbytes(40).translate(bytes([*range(128, 256)] * 2)) for k in range(9)),
            "encoding",
        ),
        (srt(["Hello there.", "Who are you?"]).encode("cp500"), "encoding|binary"),  # EBCDIC
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(data: bytes, what: str) -> None:
    with pytest.raises(SubtitleError, match=what) as error:
        decode(data, where="ep01.srt")
    assert str(error.value).startswith("ep01.srt: ")
    assert error.value.remedy


@relaxed
@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufffd", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_valid_utf8_is_never_taken_for_anything_else(text: str) -> None:
    if text.startswith("\ufeff") or not text.strip():
        return
    decoded = decode(b"1 " + text.encode())
    assert (decoded.encoding, decoded.text) == ("utf-8", "1 " + text)


@relaxed
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decoded = decode(data)
    except SubtitleError:
        return
    assert decoded.text == data.decode(decoded.encoding, "replace")
