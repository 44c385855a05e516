"""Songs that no style marks, and where two speakers of one subtitle change."""

from __future__ import annotations

import pytest

from yuki_builder.alignment import align, inaudible_songs, split_at_lines
from yuki_builder.records import AlignedCue, Cue, NameTag, Span, Turn


def line(k: int, start_s: float, *, speech_s: float, tag: str | None = None) -> AlignedCue:
    start_ms = round(1000 * start_s)
    tags = (NameTag(tag, "actor"),) if tag else ()
    return AlignedCue(
        Cue(f"c{k}", k, start_ms, start_ms + 4000, "x", "x", tags=tags),
        start_ms,
        start_ms + 4000,
        round(1000 * speech_s),
    )


def test_a_run_of_cues_without_a_speaking_voice_is_a_song() -> None:
    spoken = [line(k, 100 + 5 * k, speech_s=3.5) for k in range(20)]
    song = [line(100 + k, 5 * k, speech_s=0.2) for k in range(8)]
    assert inaudible_songs(song + spoken) == {f"c{100 + k}" for k in range(8)}


@pytest.mark.parametrize(
    "silent",
    [
        [line(100 + k, 5 * k, speech_s=0) for k in range(4)],  # too few
        [line(100 + k, 20 * k, speech_s=0) for k in range(8)],  # with long gaps, as no song is written
        [line(100 + k, 5 * k, speech_s=1.0) for k in range(8)],  # something is said
        [line(100 + k, 5 * k, speech_s=0, tag="Ann") for k in range(8)],  # somebody is named
    ],
)
def test_what_is_no_song(silent: list[AlignedCue]) -> None:
    spoken = [line(k, 400 + 5 * k, speech_s=3.5) for k in range(20)]
    assert not inaudible_songs(silent + spoken)


def test_a_deaf_ear_leaves_nothing_out() -> None:
    assert not inaudible_songs([line(k, 5 * k, speech_s=0) for k in range(30)])
    assert not inaudible_songs([])


def parted(texts: tuple[int, int], speech: list[tuple[int, int]], turns: list[Turn]) -> int:
    """Where two speakers of a subtitle from 1 s to 5 s are parted, by the lengths of their texts."""
    middle = 1000 + 4000 * texts[0] // sum(texts)
    cues = [Cue("a-p1", 0, 1000, middle, "x", "x", group="a"), Cue("a-p2", 0, middle, 5000, "y", "y", group="a")]
    first, second = align(cues, [Span(*s) for s in speech], turns=turns)
    assert first.end_ms <= second.start_ms
    return (first.end_ms + second.start_ms) // 2


def test_two_speakers_are_parted_at_the_pause() -> None:
    assert 3200 <= parted((10, 10), [(1000, 3200), (3600, 5000)], []) <= 3600
    assert 1700 <= parted((10, 10), [(1000, 1700), (2300, 5000)], []) <= 2300  # a long one, far from the middle


def test_two_speakers_are_parted_where_the_voice_changes() -> None:
    turns = [Turn(900, 3700, "A"), Turn(3700, 5100, "B")]
    assert parted((10, 10), [(1000, 5000)], turns) == 3700
    # Of two pauses that with the change.
    speech = [(1000, 2400), (2600, 3700), (3900, 5000)]
    assert 3700 <= parted((10, 10), speech, [Turn(900, 3800, "A"), Turn(3800, 5100, "B")]) <= 3900
    assert 2400 <= parted((10, 10), speech, [Turn(900, 2500, "A"), Turn(2500, 5100, "B")]) <= 2600


def test_without_any_sign_the_text_decides() -> None:
    assert parted((30, 10), [(1000, 5000)], []) == 4000
    assert parted((10, 30), [], []) == 2000


def test_voice_activity_is_cut_where_lines_begin_and_end() -> None:
    lines = [line(0, 1, speech_s=4), line(1, 5.2, speech_s=4)]  # 1 to 5 s, 5.2 to 9.2 s
    assert split_at_lines([Span(500, 9000), Span(20_000, 21_000)], lines) == [
        Span(500, 1000),
        Span(1000, 5000),
        Span(5000, 9000),  # the second begins too near the end of the first
        Span(20_000, 21_000),
    ]
    assert split_at_lines([Span(800, 5100)], lines) == [Span(800, 5100)]
    assert split_at_lines([Span(0, 10)], []) == [Span(0, 10)]
