"""Scenes: what speaks for a border, that far edits move none, and the file of them."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import SceneRow, scenes_of, split_scenes
from yuki_builder.corpus.scenes.segmentation import (
    MAX_LINES,
    SceneSettings,
    best_cuts,
    cast_score,
    length_cost,
    pause_score,
    scene_starts,
    shot_score,
)
from yuki_builder.records import Line, ShotChange, Span

DEFAULT = SceneSettings()


def talk(pauses_ms: Sequence[int], cast: Sequence[str | None] | None = None, *, episode: str = "ep01") -> list[Line]:
    """Lines of 2 s, each after its pause."""
    lines, now = list[Line](), 0
    for number, pause in enumerate(pauses_ms):
        now += pause
        character = cast[number] if cast else None
        lines.append(
            Line(f"{episode}-{number}", episode, number, now, now + 2000, f"Line {number}", None, character, 0.9)
        )
        now += 2000
    return lines


def sizes(lines: Sequence[Line], shots: Sequence[ShotChange] | None = None) -> list[int]:
    return [len(scene.lines) for scene in split_scenes(lines, shots=shots)]


def new_place(at_ms: int) -> ShotChange:
    return ShotChange(at_ms, at_ms - 400, 0.4, 0.3)


# --- the evidence


def test_a_pause_says_more_the_longer_it_is_and_nothing_at_the_even_point() -> None:
    scores = [pause_score(ms, DEFAULT) for ms in (0, 500, 1000, 2000, 4500, 8000)]
    assert scores == sorted(scores)
    assert scores[3] == 0
    assert scores[4] == pytest.approx(1)


def test_a_new_place_speaks_for_a_cut_the_other_face_and_no_change_against() -> None:
    pause = Span(10_000, 12_000)
    score = {
        "new place": shot_score(pause, [new_place(11_000)], DEFAULT),
        "just before the line": shot_score(pause, [new_place(12_200)], DEFAULT),
        "the other face": shot_score(pause, [ShotChange(11_000, 10_600, 0.4, 0.02)], DEFAULT),
        "none": shot_score(pause, [], DEFAULT),
        "elsewhere": shot_score(pause, [new_place(5_000), new_place(13_000)], DEFAULT),
        "some time in 20 s": shot_score(pause, [ShotChange(21_000, 1_000, 0.4, 0.3)], DEFAULT),
    }
    assert score["new place"] == score["just before the line"] == DEFAULT.shot_weight
    assert score["none"] == score["elsewhere"] == -DEFAULT.shot_weight / 2
    assert score["none"] < score["the other face"] < 0
    assert score["none"] < score["some time in 20 s"] < 0


@pytest.mark.parametrize(
    ("cast", "expected"),
    [
        ("abab|cdcd", 1.0),
        ("abab|baba", -0.5),
        ("abab|acac", 0.25),
        ("abab|aaaa", -0.5),  # one goes on alone: no other cast
        ("----|abab", 0.0),
        ("abab|----", 0.0),
        ("a-b-|--cd", 1.0),
    ],
)
def test_other_people_speak_for_a_cut_the_same_against(cast: str, expected: float) -> None:
    before, after = cast.split("|")
    people = [None if name == "-" else name for name in before + after]
    assert cast_score(people, len(before), DEFAULT) == pytest.approx(DEFAULT.cast_weight * expected)


def test_evidence_decides_between_equal_pauses() -> None:
    pauses = [0, 800, 900, 2000, 800, 900, 2000, 800, 900, 2000, 800, 900]
    lines = talk(pauses)
    third = lines[6].start_ms
    assert sizes(lines, [new_place(third - 200)]) == [6, 6]
    assert sizes(talk(pauses, "abababcdcdcd")) == [6, 6]
    assert [s.scene_id for s in split_scenes(lines, shots=[])] != [s.scene_id for s in split_scenes(lines)]


# --- the best cuts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=9), st.integers(1, 9))
def test_no_other_cuts_are_better(scores: list[float], most: int) -> None:
    own = dataclasses.replace(DEFAULT, max_lines=most)

    def value(cuts: Sequence[int]) -> float:
        lengths = [b - a for a, b in pairwise([0, *cuts, len(scores)])]
        if max(lengths) > most:
            return -math.inf
        return sum(scores[c] for c in cuts) - sum(length_cost(n, own) for n in lengths)

    places = range(1, len(scores))
    ways = [cuts for count in range(len(scores)) for cuts in combinations(places, count)]
    assert value(best_cuts(scores, own)) == pytest.approx(max(map(value, ways)))


def some_talk(rng: random.Random, count: int) -> list[Line]:
    """Lines as they come: a scene of some lines, a longer pause, the next one."""
    pauses: list[int] = []
    cast: list[str] = []
    while len(pauses) < count:
        people = rng.sample("abcdefgh", rng.randint(2, 4))
        length = max(1, min(30, round(rng.lognormvariate(1.7, 0.7))))
        inside = [int(rng.lognormvariate(6.3, 0.9)) for _ in range(length - 1)]
        pauses += [int(rng.lognormvariate(8.1, 0.6)), *inside]
        cast += [rng.choice(people) for _ in range(length)]
    return talk(pauses[:count], cast[:count])


def test_sizes_are_those_of_public_corpora() -> None:
    found = [n for seed in range(20) for n in sizes(some_talk(random.Random(seed), 350))]
    assert 4 <= sorted(found)[len(found) // 2] <= 6
    assert max(found) <= MAX_LINES


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 299), st.sampled_from(["gone", "new", "longer", "renamed"]))
def test_an_edit_moves_no_far_border(seed: int, place: int, edit: str) -> None:
    lines = some_talk(random.Random(seed), 300)
    line = lines[place]
    edited = [*lines]
    if edit == "gone":
        del edited[place]
    elif edit == "new":
        edited.insert(place, dataclasses.replace(line, line_id="new", start_ms=line.start_ms - 1, end_ms=line.end_ms))
    elif edit == "longer":
        edited[place] = dataclasses.replace(line, end_ms=line.end_ms + 700)
    else:
        edited[place] = dataclasses.replace(line, character="z")
    position = {line.line_id: n for n, line in enumerate(lines)} | {"new": place}
    borders, after = ({scene.lines[0].line_id for scene in split_scenes(some)} for some in (lines, edited))
    assert all(abs(position[key] - place) <= 2 * MAX_LINES for key in borders ^ after)


def test_an_edit_moves_no_far_border_even_where_lines_follow_like_a_clock() -> None:
    lines = talk([0] * 400)
    before = {scene.lines[0].line_id for scene in split_scenes(lines)}
    after = {scene.lines[0].line_id for scene in split_scenes([*lines[:100], *lines[101:]])}
    moved = sorted(int(key.removeprefix("ep01-")) for key in before ^ after)
    assert moved == [n for n in moved if abs(n - 100) <= 3 * MAX_LINES]


def test_the_same_lines_in_any_order_give_the_same_scenes() -> None:
    lines = some_talk(random.Random(3), 120)
    shuffled = random.Random(4).sample(lines, len(lines))
    assert split_scenes(lines) == split_scenes(shuffled)


def test_a_scene_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SceneSettings(max_lines=0)
    assert scene_starts([]) == []


def test_rows_give_the_scenes_back() -> None:
    lines = talk([0, 300, 9000, 300, 300, 9000], cast="ABABBA")
    scenes = split_scenes(lines)
    rows = [SceneRow.from_dict(SceneRow.of(scene).to_dict()) for scene in scenes]
    assert scenes_of(rows, lines) == scenes
    assert rows[1].characters == ("B", "A") and rows[1].line_ids == ("ep01-2", "ep01-3", "ep01-4")
    # Lines that are gone are left out, and so is a scene without any.
    assert [len(scene.lines) for scene in scenes_of(rows, lines[:3])] == [2, 1]
