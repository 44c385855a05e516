"""Turns as RTTM."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speech_files import sample_path

from video_preprocessing.speech import read_rttm, write_rttm
from yuki_builder.errors import InputError
from yuki_builder.records import Turn


def test_ten_columns(tmp_path: Path) -> None:
    write_rttm([Turn(61_500, 62_007, "SPEAKER_02"), Turn(0, 1, "SPEAKER_01")], tmp_path / "a.rttm", uri="ep01")
    assert (tmp_path / "a.rttm").read_text(encoding="utf-8") == (
        "SPEAKER ep01 1 0.000 0.001 <NA> <NA> SPEAKER_01 <NA> <NA>\n"
        "SPEAKER ep01 1 61.500 0.507 <NA> <NA> SPEAKER_02 <NA> <NA>\n"
    )


labels = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8)
turn_lists = st.lists(
    st.builds(lambda a, d, s: Turn(a, a + d, s), st.integers(0, 10**8), st.integers(0, 10**7), labels), max_size=20
)


@given(turn_lists)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, turns: list[Turn]) -> None:
    path = tmp_path_factory.mktemp("rttm") / "a.rttm"
    write_rttm(turns, path, uri="ep")
    assert read_rttm(path) == sorted(turns)


@pytest.mark.parametrize(
    "label", ["长门 有希", "a\tb", "a\nSPEAKER x 1 0 1 <NA> <NA> fake <NA> <NA>", "", " ", "a\u2028b"]
)
def test_a_label_stays_one_column(tmp_path: Path, label: str) -> None:
    write_rttm([Turn(0, 10, label)], tmp_path / "a.rttm", uri="ep 01")
    (turn,) = read_rttm(tmp_path / "a.rttm")
    assert (turn.start_ms, turn.end_ms) == (0, 10)
    assert turn.speaker.split() == [turn.speaker]


def test_other_tools_files_are_read() -> None:
    turns = read_rttm(sample_path().with_suffix(".rttm"))
    assert turns[0] == Turn(6690, 7120, "speaker90")
    assert len(turns) == 10


def test_comments_other_kinds_and_missing_last_columns(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text(
        "\ufeff;; a comment\r\n\r\n"
        "SPKR-INFO ep 1 <NA> <NA> <NA> unknown A <NA>\r\n"
        "SPEAKER ep 1 1.5 2 <NA> <NA> A <NA>\r\n",
        encoding="utf-8",
    )
    assert read_rttm(tmp_path / "a.rttm") == [Turn(1500, 3500, "A")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("SPEAKER ep 1 0.0", "has ten columns, this one 4"),
        ("SPEAKER ep 1 zero 1.0 <NA> <NA> A <NA> <NA>", "must be numbers, not 'zero 1.0'"),
        ("SPEAKER ep 1 0.0 -1.0 <NA> <NA> A <NA> <NA>", "no such time"),
        ("SPEAKER ep 1 -1 2 <NA> <NA> A <NA> <NA>", "no such time"),
        ("SPEAKER ep 1 nan 1.0 <NA> <NA> A <NA> <NA>", "no such time"),
        ("SPEAKER ep 1 0 1e999 <NA> <NA> A <NA> <NA>", "no such time"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    good = "SPEAKER ep 1 0.0 1.0 <NA> <NA> A <NA> <NA>\n"
    (tmp_path / "a.rttm").write_text(good + line + "\n" + good, encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        read_rttm(tmp_path / "a.rttm")
    assert "a.rttm, line 2" in str(caught.value)


def test_what_is_no_rttm_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_rttm(tmp_path / "a.rttm")
    (tmp_path / "a.rttm").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="not an RTTM file"):
        read_rttm(tmp_path / "a.rttm")


def test_a_folder_that_is_not_there_comes_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_rttm([], tmp_path / "no" / "a.rttm", uri="ep")
