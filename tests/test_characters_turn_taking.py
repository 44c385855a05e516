"""Scenes read as chains of speakers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from yuki_builder.characters.turn_taking import _forward_backward, chain_of, in_context


def chain(count: int, *, named: tuple[int, ...] = (), apart: tuple[tuple[int, int], ...] = (), pause_ms: int = 500):
    spans = [(k * (1000 + pause_ms), k * (1000 + pause_ms) + 1000) for k in range(count)]
    return chain_of(spans, [k in named for k in range(count)], apart)


def test_forward_backward_is_the_sum_over_all_ways() -> None:
    rng = np.random.default_rng(0)
    observed, share, stay = rng.random((4, 3)), np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.7, 0.4])
    wanted, stays = np.zeros((4, 3)), np.zeros(3)
    for way in itertools.product(range(3), repeat=4):
        weight = share[way[0]] * observed[0, way[0]]
        for k in range(1, 4):
            same = way[k] == way[k - 1]
            weight *= stay[k - 1] if same else (1 - stay[k - 1]) * share[way[k]] / (1 - share[way[k - 1]])
            weight *= observed[k, way[k]]
        for k in range(4):
            wanted[k, way[k]] += weight
        for k in range(3):
            stays[k] += weight * (way[k] == way[k + 1])
    found, found_stays = _forward_backward(observed, stay, share)
    np.testing.assert_allclose(found, wanted / wanted.sum(1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(found_stays, stays / wanted[0].sum(), atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(2, 5)), elements=st.floats(0, 1)))
def test_rows_stay_probabilities(posterior: np.ndarray) -> None:
    rows = (posterior + 1e-6) / (posterior + 1e-6).sum(1, keepdims=True)
    found = in_context(rows, chain(len(rows)))
    assert np.isfinite(found).all() and (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_sure_lines_stay_and_unsure_ones_follow_the_scene() -> None:
    a, b, nobody = [0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [1 / 3] * 3
    # Two people take turns strictly: what lies between two lines of A is B's.
    rows = np.array([a, b] * 10 + [a, nobody, a] + [b, a] * 5)
    found = in_context(rows, chain(len(rows)))
    assert found[21].argmax() == 1
    assert (found[:20].argmax(1) == rows[:20].argmax(1)).all()


def test_a_name_given_when_the_speaker_changes_holds_until_the_next() -> None:
    a, b, nobody = [0.97, 0.01, 0.02], [0.01, 0.97, 0.02], [0.34, 0.33, 0.33]
    rows, named = [], []
    for k in range(12):
        named.append(len(rows))
        rows += [a if k % 2 == 0 else b, nobody, nobody]
    # Voices say enough in some of them to learn the habit of this file from.
    for k in range(0, 24, 3):
        rows[k + 1] = [0.8, 0.1, 0.1] if (k // 3) % 2 == 0 else [0.1, 0.8, 0.1]
    found = in_context(np.array(rows), chain(len(rows), named=tuple(named)))
    wanted = [0 if (k // 3) % 2 == 0 else 1 for k in range(36)]
    assert found.argmax(1).tolist() == wanted


@pytest.mark.parametrize("pause_ms", [500, -300])
def test_two_speakers_of_one_subtitle_or_at_one_time_are_two(pause_ms: int) -> None:
    rows = np.array([[0.9, 0.05, 0.05], [0.6, 0.3, 0.1]] * 4)
    apart = tuple((k, k + 1) for k in range(0, 8, 2)) if pause_ms > 0 else ()
    found = in_context(rows, chain(8, apart=apart, pause_ms=pause_ms))
    assert found[1, 0] < 0.35


def test_one_line_is_left_alone() -> None:
    rows = np.array([[0.7, 0.3]])
    assert (in_context(rows, chain(1)) == rows).all()
