"""Rows seen in pictures become subtitles: joined, ordered, told apart. Pure decisions, held by properties."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.ocr.reader import Box
from video_preprocessing.ocr.rows import (
    CLOCK,
    LOGO,
    SIGN,
    Sighting,
    group_rows,
    in_reading_order,
    is_credits,
    join_parts,
    join_sightings,
    similarity,
    tell_apart,
)
from yuki_builder.records import TextRow


def seen(
    start_ms: int,
    end_ms: int,
    text: str = "Nobody told me.",
    *,
    top: float = 0.9,
    height: float = 0.05,
    left: float = 0.3,
    right: float = 0.7,
    confidence: float = 0.95,
) -> Sighting:
    return Sighting(start_ms, end_ms, TextRow(text, confidence, left, top, right, top + height))


def test_what_is_read_again_and_almost_the_same_is_one() -> None:
    rows = [
        seen(0, 400, "Nobody to1d me.", confidence=0.7),
        seen(400, 2400),
        seen(2700, 3000, "Nobody told", confidence=0.8),
    ]
    (joined,) = join_sightings(rows)
    assert (joined.start_ms, joined.end_ms, joined.row.text) == (0, 3000, "Nobody told me.")


def test_what_comes_back_later_or_says_something_else_is_another() -> None:
    assert len(join_sightings([seen(0, 1000, "Yes."), seen(1000, 2000, "Yes, sir, at once.")])) == 2
    assert len(join_sightings([seen(0, 1000, "Yes."), seen(3000, 4000, "Yes.")])) == 2
    assert len(join_sightings([seen(0, 1000, "Yes."), seen(0, 1000, "Yes.", top=0.1)])) == 2


def subtitles(count: int = 12) -> list[Sighting]:
    return [seen(3000 * k, 3000 * k + 2000, f"This is line {'abcdefghijklmnop'[k]}{k}.") for k in range(count)]


def reasons(*others: Sighting) -> list[str | None]:
    return [row.left_out for row in tell_apart([*subtitles(), *others])[12:]]


def test_logos_clocks_and_signs_are_left_out() -> None:
    assert reasons(seen(0, 60_000, "YK TV", top=0.05, left=0.8, right=0.9)) == [LOGO]
    again = [seen(20_000 * k, 20_000 * k + 9000, "YK TV", top=0.05, left=0.8, right=0.9) for k in range(3)]
    assert reasons(*again) == [LOGO] * 3
    assert reasons(seen(0, 4000, "21:05", top=0.05, left=0.05, right=0.12)) == [CLOCK]
    assert reasons(seen(0, 4000, "12月3日 21:05", top=0.05, left=0.05, right=0.12)) == [CLOCK]
    assert reasons(seen(0, 4000, "EXIT", top=0.7, left=0.02, right=0.1)) == [SIGN]
    assert reasons(seen(0, 4000, "HOTEL", top=0.65, height=0.2)) == [SIGN]
    assert {row.left_out for row in tell_apart(subtitles())} == {None}


def test_a_time_that_somebody_says_and_words_that_recur_are_subtitles() -> None:
    assert reasons(seen(0, 2000, "21:05")) == [None]
    assert (
        reasons(*(seen(20_000 * k, 20_000 * k + 8000, "Yes.", left=0.47, right=0.53) for k in range(5))) == [None] * 5
    )
    assert reasons(seen(0, 2000, "Up here for once.", top=0.06)) == [None]


def test_rows_of_one_subtitle_and_of_two() -> None:
    upper, lower = seen(0, 2000, "再也不来了。", top=0.82), seen(80, 2080, "Never again.", top=0.9)
    away = seen(0, 2000, "Meanwhile", top=0.1)
    later = seen(2100, 3000, "Next.")
    groups = group_rows([lower, away, upper, later])
    assert sorted([[s.row.text for s in g] for g in groups]) == [
        ["Meanwhile"], ["Next."], ["再也不来了。", "Never again."],
    ]  # fmt: skip


def test_a_wall_of_text_is_credits() -> None:
    wall = [seen(0, 3000, f"Name {k}", top=0.65 + 0.06 * k) for k in range(6)]
    (group,) = group_rows(wall)
    assert is_credits(group)


def test_parts_of_a_row() -> None:
    assert join_parts([Box(300, 10, 500, 50), Box(100, 12, 280, 48)]) == [Box(100, 10, 500, 50)]
    apart = [Box(100, 10, 280, 50), Box(700, 10, 900, 50)]
    assert join_parts(apart) == apart
    assert join_parts([Box(100, 60, 300, 100), Box(100, 10, 300, 50)]) == [
        Box(100, 10, 300, 50),
        Box(100, 60, 300, 100),
    ]


sightings = st.lists(
    st.builds(
        lambda start, length, text, top, left: seen(start, start + length, text, top=top, left=left, right=left + 0.2),
        st.integers(0, 20_000),
        st.integers(1, 5000),
        st.sampled_from(["Yes.", "Yes, I do.", "No idea.", "再见", "21:05", "YK TV"]),
        st.sampled_from([0.05, 0.8, 0.86, 0.92]),
        st.sampled_from([0.1, 0.4, 0.75]),
    ),
    max_size=30,
)


@given(sightings)
def test_joining_loses_no_time_and_invents_no_text(rows: list[Sighting]) -> None:
    joined = join_sightings(rows)
    assert len(joined) <= len(rows)
    assert {j.row.text for j in joined} <= {r.row.text for r in rows}
    for row in rows:
        assert any(j.start_ms <= row.start_ms and j.end_ms >= row.end_ms for j in joined)


@given(sightings, st.randoms())
def test_the_order_in_which_rows_come_does_not_matter(rows: list[Sighting], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert join_sightings(shuffled) == join_sightings(rows)


@given(sightings)
def test_joining_what_is_joined_changes_nothing_that_is_apart(rows: list[Sighting]) -> None:
    once = join_sightings(rows)
    assert len(join_sightings(once)) <= len(once)


@given(sightings)
def test_telling_apart_keeps_every_row_in_its_place(rows: list[Sighting]) -> None:
    told = tell_apart(rows)
    assert [dataclasses.replace(row, left_out=None) for row in told] == rows


@given(sightings)
def test_each_row_is_in_one_subtitle(rows: list[Sighting]) -> None:
    groups = group_rows(rows)
    assert sorted(map(repr, (row for group in groups for row in group))) == sorted(map(repr, rows))
    assert all(group for group in groups)


@given(sightings)
def test_reading_order_goes_down(rows: list[Sighting]) -> None:
    ordered = in_reading_order(rows)
    assert sorted(map(repr, ordered)) == sorted(map(repr, rows))
    for above, below in pairwise(ordered):
        assert above.row.top <= below.row.top + max(above.row.height, below.row.height)


boxes = st.lists(
    st.builds(
        lambda left, top, width, height: Box(left, top, left + width, top + height),
        st.integers(0, 900),
        st.integers(0, 300),
        st.integers(1, 300),
        st.integers(4, 60),
    ),
    max_size=12,
)


@given(boxes)
def test_joined_parts_cover_what_they_are_made_of(found: list[Box]) -> None:
    joined = join_parts(found)
    assert len(joined) <= len(found)
    for box in found:
        assert any(
            j.left <= box.left and j.right >= box.right and j.top <= box.top and j.bottom >= box.bottom for j in joined
        )


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("Yes.", "Yes.", 1.0), ("Y e s.", "Yes.", 1.0), ("abc", "xyz", 0.0), ("", "", 1.0)],
)
def test_similarity(one: str, other: str, alike: float) -> None:
    assert similarity(one, other) == alike
