"""Cues against turns, checked against counting millisecond by millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.alignment import Overlaps
from yuki_builder.records import Span, Turn

relaxed = settings(deadline=None)  # a busy machine is no failure

TURNS = [Turn(0, 1000, "A"), Turn(800, 2000, "B"), Turn(900, 1100, "C"), Turn(850, 950, "B")]


def test_overlap_share() -> None:
    assert Overlaps(TURNS).share(Span(0, 1000), "A") == pytest.approx(0.2)
    assert Overlaps(TURNS).share(Span(0, 1000), "B") == 1.0
    assert Overlaps(TURNS).share(Span(0, 800), "A") == 0.0
    assert Overlaps(TURNS).share(Span(0, 1000), None) == pytest.approx(0.2)
    assert Overlaps(TURNS).share(Span(500, 500), "A") == 0.0
    assert Overlaps([]).share(Span(0, 1000), "A") == 0.0


turn = st.builds(lambda a, n, s: Turn(a, a + n, s), st.integers(0, 60), st.integers(0, 40), st.sampled_from("ABC"))


@relaxed
@given(st.integers(0, 60), st.integers(1, 40), st.lists(turn, max_size=8), st.sampled_from(["A", "B", None]))
def test_against_counting(start: int, length: int, turns: list[Turn], speaker: str | None) -> None:
    span = Span(start, start + length)
    sounding = [{t.speaker for t in turns if t.start_ms <= ms < t.end_ms} for ms in range(start, start + length)]
    expected = sum(bool(s - {speaker}) if speaker else len(s) >= 2 for s in sounding) / length
    assert Overlaps(turns).share(span, speaker) == pytest.approx(expected)
