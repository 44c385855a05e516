"""Code pages: ordinary sentences of many languages come back from every code page they were saved in."""

from __future__ import annotations

import contextlib
import unicodedata
from pathlib import Path

import pytest
from sentences import CODE_PAGES, MORE, SENTENCES

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.decoding import decode, encoding_of
from yuki_builder.subtitles.languages import language_of_name

PAIRS = [(page, language) for page, languages in CODE_PAGES.items() for language in languages.split()]
_TONES = "\u0300\u0301\u0303\u0309\u0323"
# So rare that a short file may be refused; never may it be read as another.
RARE = {"mac_roman", "mac_cyrillic", "mac_turkish", "mac_latin2", "cp850", "cp852", "cp866", "iso8859_2"}


def srt(rows: list[str]) -> str:
    return "\r\n".join(f"{k}\r\n00:00:{k:02d},000 --> 00:00:{k:02d},900\r\n{row}\r\n" for k, row in enumerate(rows, 1))


def encode(text: str, page: str) -> bytes:
    if page != "cp1258":
        return text.encode(page)
    return b"".join(map(_vietnamese, text))


def _vietnamese(character: str) -> bytes:
    """cp1258 has few letters with tones: most are a letter and a tone behind it."""
    try:
        return character.encode("cp1258")
    except UnicodeEncodeError:
        pieces = unicodedata.normalize("NFD", character)
        tones = "".join(piece for piece in pieces if piece in _TONES)
        letter = unicodedata.normalize("NFC", "".join(piece for piece in pieces if piece not in _TONES))
        return (letter + tones).encode("cp1258")


@pytest.mark.parametrize(("page", "language"), PAIRS)
def test_a_short_film_comes_back(page: str, language: str) -> None:
    text = srt(SENTENCES[language])
    assert decode(encode(text, page)).text == text


@pytest.mark.parametrize("key", MORE)
def test_other_sentences_come_back(key: str) -> None:
    for page in key.split()[1:]:
        text = srt(MORE[key] * 4)
        assert decode(encode(text, page)).text == text
        with contextlib.suppress(SubtitleError):
            short = srt(MORE[key][:3])
            assert decode(encode(short, page)).text == short


@pytest.mark.parametrize(("page", "language"), PAIRS)
def test_three_rows_come_back_or_are_refused_never_turned_into_nonsense(page: str, language: str) -> None:
    rows = SENTENCES[language]
    refused = 0
    for start in range(0, len(rows) - 2, 3):
        text = srt(rows[start : start + 3])
        try:
            assert decode(encode(text, page)).text == text
        except SubtitleError as e:
            refused += 1
            assert "--encoding" in str(e)
    assert not refused or page in RARE or language in ("et", "ca", "nl")


@pytest.mark.parametrize(
    ("page", "language"), [pair for pair in PAIRS if pair[0] in ("cp1250", "cp1251", "cp1254", "cp1257", "koi8_r")]
)
def test_the_language_helps_a_single_row(page: str, language: str) -> None:
    right = sum(
        decode(encode(text, page), language=language).text == text
        for row in SENTENCES[language]
        if (text := srt([row])) and _is_read(encode(text, page), language)
    )
    assert right >= 0.75 * len(SENTENCES[language])


def _is_read(data: bytes, language: str) -> bool:
    return encoding_of(data, language=language) is not None


def test_two_that_read_alike_are_both_named() -> None:
    data = srt(["Úr."]).encode("mac_roman")
    with pytest.raises(SubtitleError, match="encoding") as error:
        decode(data, where="ep01.srt")
    assert "--encoding" in str(error.value)


@pytest.mark.parametrize("encoding", ["cp1250", "CP1250", "windows-1250", "latin2", "utf_8", "shift_jis", "cp500"])
def test_any_codec_of_python_is_accepted(encoding: str) -> None:
    text = srt(["Kde jsi?"])
    assert decode(text.encode(encoding), encoding=encoding).text == text


@pytest.mark.parametrize("encoding", ["nonsense", "", "hex", "utf-8\0", "ü"])
def test_what_is_no_encoding_is_refused_in_one_line(encoding: str) -> None:
    with pytest.raises(SubtitleError, match="no text encoding") as error:
        decode(b"1 x", encoding=encoding, where="ep01.srt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("ep01.pl.srt", "pl"),
        ("ep01_en.srt", "en"),
        ("ep01-cz.srt", "cs"),
        ("ep01 [Czech].srt", "cs"),
        ("Film.2001.Hungarian.srt", "hu"),
        ("ep01.pt-BR.srt", "pt-br"),
        ("ep01.chs.ass", "zh-hans"),
        ("ep01.en.forced.srt", "en"),
        ("ep01.forced.srt", None),
        ("The Italian Job 2 Disc One.srt", None),
        ("it.srt", None),
        ("ep01.srt", None),
    ],
)
def test_the_language_of_a_name(name: str, language: str | None) -> None:
    assert language_of_name(name) == language


def test_the_name_of_the_file_decides_between_two(tmp_path: Path) -> None:
    row = SENTENCES["bg"][0]
    path = tmp_path / "ep01.bg.srt"
    path.write_bytes(srt([row]).encode("cp1251"))
    assert read_cues(path).spoken[0].text == row


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"PK\x03\x04" + bytes(range(256)) * 8, "archive"), (b"%PDF-1.7\n" + bytes(range(256)) * 8, "PDF")],
)
def test_what_is_no_text_is_named(data: bytes, what: str) -> None:
    with pytest.raises(SubtitleError, match=what):
        decode(data)
