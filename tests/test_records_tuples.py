"""Tuples of a record: as many values as they have places, each of the type of its place."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.records import Record


@dataclass(frozen=True)
class Counts(Record):
    """A record with tuples of each form."""

    names: tuple[str, ...]
    pairs: tuple[tuple[str, str, int], ...]
    middle: tuple[float, int] | None = None


@given(
    st.lists(st.text()),
    st.lists(st.tuples(st.text(), st.text(), st.integers(0, 1 << 40))),
    st.none() | st.tuples(st.floats(-1e9, 1e9), st.integers(-9, 9)),
)
def test_tuples_survive_json(
    names: list[str], pairs: list[tuple[str, str, int]], middle: tuple[float, int] | None
) -> None:
    counts = Counts(tuple(names), tuple(pairs), middle)
    assert Counts.from_dict(json.loads(json.dumps(counts.to_dict()))) == counts


@pytest.mark.parametrize("pair", [["A", "B"], ["A", "B", 1, 2], [], ["A", 1, "B"], ["A", "B", "1"], "AB1"])
def test_a_tuple_that_does_not_fit_is_refused(pair: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Counts.from_dict({"names": [], "pairs": [pair]})
