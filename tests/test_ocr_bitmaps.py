"""What bitmap subtitles say, with the real network: the pictures are drawn here."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_subtitles import LATIN_FONT, Shown, at_bottom, draw_rows

from video_preprocessing.ocr import TextReader, can_read, read_bitmaps
from video_preprocessing.ocr.bitmaps import NO_TEXT, with_ends
from video_preprocessing.ocr.corrections import corrected
from video_preprocessing.ocr.layout import is_italic, letters_of, rows_of_letters
from yuki_builder.records import PictureText, SubtitlePicture, TextRow
from yuki_builder.subtitles import read_picture_texts

pytest.importorskip("rapidocr")


@functools.cache
def reader() -> TextReader:
    return TextReader()


def picture(shown: Shown) -> SubtitlePicture:
    return SubtitlePicture(shown.start_ms, shown.end_ms, shown.left, shown.top, 1920, 1080, shown.rgba)


def read(*rows: str, **options: object) -> PictureText:
    (text,) = read_bitmaps([picture(at_bottom(0, 2000, draw_rows(rows, **options)))], reader())  # type: ignore[arg-type]
    return text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"colours": ["yellow"]},
        {"colours": ["#2040ff"]},
        {"colours": ["black"], "outline": "white"},
        {"colours": ["black"], "outline": None},
        {"colours": ["white"], "outline": None},
        {"size": 26, "width": 2},
    ],
)
def test_whatever_the_colours(options: dict[str, object]) -> None:
    text = read("You're a fool for", "traveling alone.", **options)
    assert text.text == "You're a fool for\ntraveling alone."
    assert text.confidence > 0.9
    assert text.left_out is None
    assert text.picture


def test_letters_on_a_box() -> None:
    """As DVB subtitles have them."""
    rgba = np.array(draw_rows(["Where are you?"], outline=None))
    on_box = rgba.copy()
    on_box[..., :3] = rgba[..., :3] * (rgba[..., 3:] / 255)
    on_box[..., 3] = 255
    (text,) = read_bitmaps([picture(at_bottom(0, 2000, on_box))], reader())
    assert text.text == "Where are you?"


def test_places_and_colours() -> None:
    text = read("Red speaks.", "Green answers.", colours=["red", "lime"])
    first, second = text.rows
    assert first.colour == "#ff0000"
    assert second.colour == "#00ff00"
    assert 0.8 < first.top < first.bottom <= second.top < second.bottom < 1
    assert first.left + first.right == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("family", ["DejaVuSans{}", "DejaVuSans-Bold{}", "DejaVuSerif{}", "STIXGeneral{}"])
@pytest.mark.parametrize(
    "words", ["Where were you last night?", "7/11 is a shop.", "- Are you ready?", "Ja, natürlich.", "WAVY VANS AWAY"]
)
def test_italics_are_told_by_their_lean(family: str, words: str) -> None:
    upright = family.format("").removesuffix("-")
    leaning = {
        "DejaVuSans": "DejaVuSans-Oblique",
        "DejaVuSans-Bold": "DejaVuSans-BoldOblique",
        "DejaVuSerif": "DejaVuSerif-Italic",
        "STIXGeneral": "STIXGeneralItalic",
    }[upright]
    for name, italic in ((upright, False), (leaning, words != "WAVY VANS AWAY")):  # V and A lean both ways
        letters = letters_of(draw_rows([words], font=LATIN_FONT.with_name(f"{name}.ttf")))
        (row,) = rows_of_letters(letters)[0]
        assert is_italic(letters, row) is italic, name


def test_italic_rows_are_read_as_files_have_them() -> None:
    text = read("She thinks of him.", font=LATIN_FONT.with_name("DejaVuSans-Oblique.ttf"))
    assert [row.italic for row in text.rows] == [True]
    (cue,) = read_picture_texts([text]).cues
    assert cue.text == "She thinks of him."


def test_a_picture_without_text_is_left_out() -> None:
    dot = np.zeros((40, 40, 4), np.uint8)
    dot[10:30, 10:30] = 255
    (text,) = read_bitmaps([picture(at_bottom(0, 2000, dot))], reader())
    assert text.left_out == NO_TEXT
    assert text.rows == ()


def test_dashes_become_two_speakers() -> None:
    sheet = read_picture_texts([read("- Where were you?", "- At home, of course.")])
    assert [cue.text for cue in sheet.spoken] == ["Where were you?", "At home, of course."]
    assert {cue.origin.value for cue in sheet.cues} == {"ocr"}
    assert all(cue.confidence and cue.confidence > 0.9 for cue in sheet.cues)


def said(start_ms: int, end_ms: int, text: str = "Nobody knows.", **more: object) -> PictureText:
    rows = tuple(TextRow(row, 0.9, 0.3, 0.9, 0.7, 0.95, **more) for row in text.split("\n"))  # type: ignore[arg-type]
    return PictureText(start_ms, end_ms, rows)


def test_an_end_that_the_track_does_not_say() -> None:
    """The last picture of a track, and one that stays for a minute."""
    ended = with_ends([said(0, 3000), said(5000, 65000), said(70000, 70000)])
    assert [(t.start_ms, t.end_ms - t.start_ms) for t in ended] == [(0, 3000), (5000, 1710), (70000, 1710)]


def test_a_track_that_says_no_ends() -> None:
    times = [k * 4000 for k in range(12)]
    ended = with_ends([said(start, start + 4000) for start in times])
    assert {t.end_ms - t.start_ms for t in ended} == {1710}


def test_colours_tell_speakers_apart_where_there_are_several() -> None:
    two = PictureText(
        0,
        2000,
        (
            TextRow("Who goes there?", 1.0, 0.3, 0.8, 0.7, 0.85, "#fefe02"),
            TextRow("A friend.", 1.0, 0.3, 0.9, 0.7, 0.95, "#00f0f0"),
        ),
    )
    assert [cue.text for cue in read_picture_texts([two]).spoken] == ["Who goes there?", "A friend."]
    one = read_picture_texts([said(0, 1000, "One row\nand another", colour="#f0f0f0")])
    assert [cue.text for cue in one.spoken] == ["One row and another"]


def test_what_is_left_out_makes_no_cue_and_cues_know_their_picture() -> None:
    logo = PictureText(0, 900, said(0, 1).rows, left_out="logo")
    sheet = read_picture_texts([logo, said(1000, 2000, "[door opens]\nCome in <now>!")])
    (cue,) = sheet.spoken
    assert (cue.index, cue.text) == (1, "Come in <now>!")


def test_languages() -> None:
    assert can_read("en") and can_read("zh-hant") and can_read("ja") and can_read(None)
    assert not can_read("el") and not can_read("vi")
    assert not can_read("ru") and not can_read("ko") and not can_read("ar-eg")


@pytest.mark.parametrize(
    ("text", "language", "meant"),
    [
        ("カ夕カナの口ボットニつ", "ja", "カタカナのロボット二つ"),
        ("力を入れて", "ja", "力を入れて"),
        ("入口はどこ？", "ja", "入口はどこ？"),
        ("一人で行く", None, "一人で行く"),
        ("Příště přijd' včas.", "cs", "Příště přijď včas."),
        ("I'd say it's so .", "en", "I'd say it's so."),
        ("Ｗａｉｔ！", "en", "Wait!"),
        ("等一下！", "zh", "等一下！"),
        ("■", None, ""),
    ],
)
def test_what_looks_alike(text: str, language: str | None, meant: str) -> None:
    assert corrected(text, language) == meant


@given(st.text(max_size=40), st.sampled_from([None, "ja", "zh", "en", "cs"]))
def test_corrections_come_to_rest(text: str, language: str | None) -> None:
    once = corrected(text, language)
    assert corrected(once, language) == once


def test_a_song_keeps_its_reason() -> None:
    note = PictureText(0, 2000, (TextRow("We will meet again ♪", 0.9, 0.3, 0.9, 0.7, 0.95),))
    (cue,) = read_picture_texts([note]).cues
    assert cue.left_out == "song"


def test_vertical_japanese_and_readings_above_characters() -> None:
    font = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
    if not font.is_file():
        pytest.skip("no font with Japanese characters is here")
    said = ("どこにいた", "昨日の夜は")
    columns = [draw_rows(list(column), font=font, size=54, spacing=1.05) for column in said]
    both = np.concatenate(columns, axis=1)
    (text,) = read_bitmaps([picture(Shown(0, 2000, both, 100, 100))], reader(), language="ja")
    assert text.text == "昨日の夜は\nどこにいた"
    base, small = draw_rows(["刺身を食べたい"], font=font), draw_rows(["さしみ"], font=font, size=22, width=1)
    both = np.zeros((base.shape[0] + small.shape[0] - 14, base.shape[1], 4), np.uint8)
    both[-base.shape[0] :] = base
    both[: small.shape[0], 20 : 20 + small.shape[1]] |= small
    (text,) = read_bitmaps([picture(Shown(0, 2000, both, 100, 100))], reader(), language="ja")
    assert text.text == "刺身を食べたい"


def test_no_network_is_loaded_by_the_import() -> None:
    import subprocess
    import sys

    code = "import video_preprocessing.ocr, sys; sys.exit('rapidocr' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False).returncode == 0
