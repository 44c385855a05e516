"""Lines of subtitles against the words that were heard."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.records import AlignedCue, Cue, CueOrigin, Span, Word
from yuki_builder.transcripts import match_words


def line(start_ms: int, end_ms: int, text: str, *, group: str | None = None) -> AlignedCue:
    cue = Cue(f"{start_ms:08d}-{len(text)}", 0, start_ms, end_ms, text, text, group=group)
    return AlignedCue(cue, start_ms, end_ms, end_ms - start_ms)


def said(start_ms: int, text: str, *, each_ms: int = 300) -> list[Word]:
    pieces = text.split() if " " in text else [text]
    return [Word(start_ms + k * each_ms, start_ms + (k + 1) * each_ms, f" {w}", 0.9) for k, w in enumerate(pieces)]


def heard(words: Sequence[Word]) -> Cue:
    text = " ".join(word.text.strip() for word in words)
    start_ms, end_ms = words[0].start_ms, words[-1].end_ms
    return Cue(
        f"h{start_ms}", 0, start_ms, end_ms, text, text, origin=CueOrigin.ASR, words=tuple(words), confidence=0.9
    )


def spans(lines: Sequence[AlignedCue]) -> list[tuple[int, int]]:
    return [(x.start_ms, x.end_ms) for x in lines]


def test_edges_are_those_of_the_words() -> None:
    words = said(1500, "Where were you last night?") + said(4000, "I was at home.")
    found = match_words([line(1000, 3400, "Where were you last night?"), line(3400, 6000, "I was at home!")], words, [])
    assert spans(found.lines) == [(1500, 3000), (4000, 5200)]
    assert [m.share for m in found.matches] == [1.0, 1.0]
    assert found.is_trusted


def test_two_speakers_of_one_subtitle_are_parted_at_the_word() -> None:
    words = said(1000, "Did you see her?") + said(2200, "No.")
    lines = [line(1000, 1700, "Did you see her?", group="g"), line(1700, 2600, "No.", group="g")]
    assert spans(match_words(lines, words, []).lines) == [(1000, 2200), (2200, 2500)]


def test_a_line_heard_in_part_keeps_what_the_words_do_not_tell() -> None:
    words = said(1300, "were you last night")  # "Where" and the last word are not heard
    (moved,) = match_words([line(1000, 3400, "Where were you last night, Tom?")], words, []).lines
    assert (moved.start_ms, moved.end_ms) == (1000, 3400)
    assert match_words([line(1000, 3400, "Where were you last night, Tom?")], words, []).matches[
        0
    ].share == pytest.approx(4 / 6, abs=0.01)


def test_subtitles_of_another_language_are_left_alone() -> None:
    words = said(1000, "Wo warst du denn gestern Nacht") + said(4000, "Ich war die ganze Zeit zu Hause")
    lines = [line(900, 3400, "Where were you last night?"), line(3900, 6000, "I was at home all the time.")]
    found = match_words(lines, words, [heard(words[:6])])
    assert not found.is_trusted
    assert list(found.lines) == lines
    assert found.unwritten == ()
    assert all(m.share < 0.3 for m in found.matches)


def test_a_line_from_another_version_is_found() -> None:
    words = said(1000, "Where were you last night?") + said(4000, "Somebody took the money.")
    lines = [line(1000, 2500, "Where were you last night?"), line(4000, 5200, "It rains cats, dogs, and frogs.")]
    assert [m.share for m in match_words(lines, words, []).matches] == [1.0, 0.0]


def test_what_no_subtitle_holds_is_listed() -> None:
    first, second = said(1000, "Where were you last night?"), said(8000, "Come here, quick!")
    cues = [heard(first), heard(second), heard(said(20_000, "Hm."))]
    found = match_words([line(1000, 2500, "Where were you last night?")], [*first, *second], cues)
    assert [cue.text for cue in found.unwritten] == ["Come here, quick!"]


@pytest.mark.parametrize(
    ("written", "heard_text"),
    [("昨夜はどこにいたの？", "昨夜はどこに居たの"), ("你昨天晚上到底去哪里了？", "你昨天晚上到底去哪了"),
     ("Der Lappen liegt auf dem Eisschrank.", "der lappen liegt auf dem eischrank"),
     ("ＡＢＣの歌", "ABC の歌"), ("你知道这封信是谁写的吗？", "你知道這封信是誰寫的嗎?")],
)  # fmt: skip
def test_scripts_and_spellings(written: str, heard_text: str) -> None:
    found = match_words([line(800, 3000, written)], said(1200, heard_text, each_ms=1600 // len(heard_text.split())), [])
    assert found.matches[0].share > 0.75
    assert found.lines[0].start_ms == 1200


_SOME = ["no", "yes", "where", "were", "you", "好", "です", "ended"]
texts = st.lists(st.sampled_from(_SOME), min_size=1, max_size=6).map(" ".join)


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 3000), texts), max_size=8),
    st.lists(st.tuples(st.integers(0, 20_000), texts), max_size=8),
)
def test_nothing_breaks_and_shares_are_shares(
    written: list[tuple[int, int, str]], spoken: list[tuple[int, str]]
) -> None:
    lines = [line(start, start + length, text) for start, length, text in sorted(written)]
    words = [word for start, text in spoken for word in said(start, text)]
    found = match_words(lines, words, [])
    assert [x.cue for x in found.lines] == [x.cue for x in lines]
    assert all(0 <= m.share <= 1 for m in found.matches)
    assert 0 <= found.share <= 1 + 1e-9
    exact = match_words(lines, [w for x in lines for w in said(x.start_ms, x.cue.text)], [])
    assert not lines or exact.share > 0


def test_a_season_of_lines_takes_seconds() -> None:
    lines = [line(3000 * k, 3000 * k + 2500, f"this is line number {k} of the episode") for k in range(3000)]
    words = [word for x in lines for word in said(x.start_ms + 100, x.cue.text)]
    found = match_words(lines, words, [])
    assert found.share == pytest.approx(1.0)


def test_an_edge_on_the_voice_stays_where_a_word_ends_near_it() -> None:
    lines = [line(1000, 3000, "where were you last night")]
    words = said(1200, "where were you last night", each_ms=300)  # until 2700
    (on_voice,) = match_words(lines, words, [], [Span(1000, 3000)]).lines
    assert (on_voice.start_ms, on_voice.end_ms) == (1000, 3000)
    (near,) = match_words(lines, words, [], [Span(1100, 2900)]).lines
    assert (near.start_ms, near.end_ms) == (1100, 2900)
    (far,) = match_words(lines, said(2000, "where were you last night", each_ms=300), [], [Span(1000, 3400)]).lines
    assert (far.start_ms, far.end_ms) == (2000, 3400)


@pytest.mark.parametrize("speech", [[], [Span(500, 3400)]])
def test_without_an_edge_of_the_voice_the_edge_lies_between_that_of_the_line_and_that_of_its_words(
    speech: list[Span],
) -> None:
    words = said(1200, "where were you last night", each_ms=300)  # until 2700
    assert spans(match_words([line(1000, 3000, "where were you last night")], words, [], speech).lines) == [
        (1100, 2850)
    ]
    assert spans(match_words([line(700, 3200, "where were you last night")], words, [], speech).lines) == [(1200, 2700)]


def test_an_edge_of_the_voice_behind_the_next_word_is_not_that_of_the_line() -> None:
    words = said(1000, "where were you") + said(2100, "at home", each_ms=200)  # the first line's words end at 1900
    lines = [line(1000, 2000, "Where were you?"), line(2000, 2600, "At home.")]
    (first, _) = match_words(lines, words, [], [Span(1000, 2300)]).lines
    assert first.end_ms == 1950


def test_a_word_on_the_far_side_of_a_pause_does_not_move_the_line() -> None:
    # recognisers now and then time the first word of a line to the end of what was said before
    words = [Word(1000, 1400, " early", 0.9), *said(1750, "this morning again")]
    speech = [Span(500, 1400), Span(1600, 2700)]
    (moved,) = match_words([line(1500, 2700, "Early this morning again")], words, [], speech).lines
    assert (moved.start_ms, moved.end_ms) == (1500, 2700)
    (own,) = match_words([line(950, 2700, "Early this morning again")], words, [], speech).lines
    assert own.start_ms == 975
