"""Cues snapped to voice: where the edges go, what never happens, and that real voice is met."""

from __future__ import annotations

import importlib.util
import random
import statistics
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.alignment import align
from yuki_builder.records import AlignedCue, Cue, Span

relaxed = settings(deadline=None)  # a busy machine is no failure


def cue(start_ms: int, end_ms: int, *, index: int = 0, left_out: str | None = None) -> Cue:
    return Cue(f"{start_ms:08d}-{index}", index, start_ms, end_ms, "x", "x", left_out=left_out)


def snapped(cues: list[tuple[int, int]], speech: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(start, end, milliseconds of speech) of each cue."""
    found = align([cue(a, b, index=k) for k, (a, b) in enumerate(cues)], [Span(a, b) for a, b in speech])
    return [(a.start_ms, a.end_ms, a.speech_ms) for a in found]


@pytest.mark.parametrize(
    ("times", "speech", "expected"),
    [
        ((1000, 3000), [(1100, 2800)], (1100, 2800, 1700)),  # inward
        ((1000, 3000), [(800, 3300)], (800, 3300, 2500)),  # outward
        ((1000, 3000), [(1000, 3000)], (1000, 3000, 2000)),
        ((1000, 5000), [(1200, 2000), (3500, 4900)], (1200, 4900, 2200)),  # a pause inside stays inside
        ((1000, 3000), [], (1000, 3000, 0)),
        ((1000, 3000), [(5000, 6000)], (1000, 3000, 0)),
        ((1000, 3000), [(100, 500), (3500, 4000)], (1000, 3000, 0)),  # runs out of reach, does not touch the cue
        ((1000, 3000), [(0, 2900)], (1000, 2900, 1900)),  # begins out of reach: no edge to snap to
        ((1000, 3000), [(1600, 9000)], (1000, 3000, 1400)),
        ((1000, 3000), [(700, 900), (1200, 2900)], (700, 2900, 1900)),  # a first word before the cue
        ((1000, 1200), [(1100, 1500)], (1100, 1500, 400)),
        ((1000, 3000), [(1400, 2600)], (1400, 2600, 1200)),  # as far as it reaches
        ((1000, 3000), [(1401, 2599)], (1000, 2599, 1198)),  # an end is left standing for longer
        ((1000, 3000), [(1401, 2299)], (1000, 3000, 898)),
    ],
)
def test_one_cue(times: tuple[int, int], speech: list[tuple[int, int]], expected: tuple[int, int, int]) -> None:
    assert snapped([times], speech) == [expected]


@pytest.mark.parametrize(
    ("cues", "speech", "expected"),
    [
        # Each its own region, though both reach into the other's.
        ([(1000, 2000), (2100, 3000)], [(900, 1900), (2200, 3100)], [(900, 1900), (2200, 3100)]),
        # The first subtitle stays up into the second voice.
        ([(1000, 2500), (2500, 4000)], [(1000, 2200), (2350, 3900)], [(1000, 2200), (2350, 3900)]),
        # The second comes up during the first voice.
        ([(1000, 2000), (2000, 4000)], [(1000, 2200), (2350, 3900)], [(1000, 2200), (2350, 3900)]),
        # One voice region without a pause: divided where the cues meet.
        ([(1000, 2000), (2000, 3000)], [(900, 3100)], [(900, 2000), (2000, 3100)]),
        ([(1000, 2000), (2200, 3000)], [(900, 3100)], [(900, 2100), (2100, 3100)]),
        # A pause far from where they meet divides something else.
        ([(1000, 3000), (3000, 5000)], [(900, 2300), (2500, 5100)], [(900, 3000), (3000, 5100)]),
        # A word between two cues goes to the nearer one.
        ([(1000, 2000), (2600, 3600)], [(1000, 1950), (2350, 2500), (2600, 3600)], [(1000, 1950), (2350, 3600)]),
        # A few frames of overlap are a boundary in their middle.
        ([(1000, 2100), (2000, 3000)], [(900, 3100)], [(900, 2050), (2050, 3100)]),
        # Two voices at once: the edges inside the other cue do not move out.
        ([(1000, 3000), (2000, 4000)], [(900, 4100)], [(900, 3000), (2000, 4100)]),
        ([(1000, 5000), (2000, 3000)], [(900, 5100)], [(900, 5100), (2000, 3000)]),
        # Both languages of one line.
        ([(1000, 3000), (1000, 3000)], [(900, 3100)], [(900, 3100), (900, 3100)]),
    ],
)
def test_neighbours(
    cues: list[tuple[int, int]], speech: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert [(a, b) for a, b, _ in snapped(cues, speech)] == expected


def test_a_long_subtitle_over_others_does_not_disturb_them() -> None:
    cues = [(0, 20_000), (1000, 2000), (2000, 3000)]
    assert snapped(cues, [(900, 1900), (2100, 3050)])[1:] == [(900 + 100, 1900, 900), (2100, 3000, 900)]


def test_what_is_left_out_is_skipped_and_the_rest_comes_by_time() -> None:
    cues = [cue(5000, 6000, index=0), cue(1000, 2000, index=1, left_out="song"), cue(500, 900, index=2)]
    assert [a.cue.index for a in align(cues, [])] == [2, 0]
    assert align([], [Span(0, 1000)]) == []


def test_speech_may_come_in_any_order_and_overlap() -> None:
    assert snapped([(1000, 3000)], [(2000, 2900), (1100, 1500), (1400, 2000), (1700, 1700)]) == [(1100, 2900, 1800)]


times = st.tuples(st.integers(0, 8000), st.integers(1, 3000)).map(lambda t: (t[0], t[0] + t[1]))
lists = st.lists(times, max_size=12)


def aligned(cues: list[tuple[int, int]], speech: list[tuple[int, int]]) -> list[AlignedCue]:
    return align([cue(a, b, index=k) for k, (a, b) in enumerate(cues)], [Span(a, b) for a, b in speech])


@relaxed
@given(lists, lists)
def test_every_cue_keeps_a_place_within_reach_in_order(
    cues: list[tuple[int, int]], speech: list[tuple[int, int]]
) -> None:
    found = aligned(cues, speech)
    assert sorted(a.cue.index for a in found) == list(range(len(cues)))
    voiced = {ms for a, b in speech for ms in range(a, b)}
    for a in found:
        assert a.end_ms > a.start_ms
        assert abs(a.start_ms - a.cue.start_ms) <= 550
        assert -850 <= a.end_ms - a.cue.end_ms <= 550
        assert a.speech_ms == sum(ms in voiced for ms in range(a.start_ms, a.end_ms))
    for first, second in pairwise(found):
        assert first.start_ms <= second.start_ms


@relaxed
@given(lists, lists)
def test_cues_that_follow_each_other_never_overlap(cues: list[tuple[int, int]], speech: list[tuple[int, int]]) -> None:
    found = aligned(cues, speech)
    for first in found:
        for second in found:
            if first.cue.end_ms <= second.cue.start_ms:
                assert first.end_ms <= second.start_ms


@relaxed
@given(lists, lists, st.permutations(range(12)))
def test_the_order_of_the_input_does_not_matter(
    cues: list[tuple[int, int]], speech: list[tuple[int, int]], order: list[int]
) -> None:
    all_cues = [cue(a, b, index=k) for k, (a, b) in enumerate(cues)]
    shuffled = [all_cues[k] for k in order if k < len(all_cues)]
    spans = [Span(a, b) for a, b in speech]
    assert align(all_cues, spans) == align(shuffled, spans[::-1])


@relaxed
@given(st.lists(st.tuples(st.integers(801, 2000), st.integers(900, 3000)), max_size=8))
def test_cues_on_their_voice_stay(steps: list[tuple[int, int]]) -> None:
    spans, now = [], 0
    for gap, length in steps:
        spans.append((now + gap, now + gap + length))
        now = spans[-1][1]
    assert [(a, b) for a, b, _ in snapped(spans, spans)] == spans


@relaxed
@given(st.lists(st.tuples(st.integers(801, 2000), st.integers(900, 3000)), max_size=8), st.integers(-390, 390))
def test_a_constant_delay_within_reach_is_undone(steps: list[tuple[int, int]], delay_ms: int) -> None:
    spans, now = [], 400
    for gap, length in steps:
        spans.append((now + gap, now + gap + length))
        now = spans[-1][1]
    late = [(a + delay_ms, b + delay_ms) for a, b in spans]
    assert [(a, b) for a, b, _ in snapped(late, spans)] == spans


def test_a_season_of_cues_takes_no_time() -> None:
    rng = random.Random(0)
    cues, speech, now = [], [], 0
    for k in range(20_000):
        now += rng.randrange(50, 900)
        length = rng.randrange(300, 3000)
        speech.append(Span(now, now + length))
        cues.append(cue(max(0, now - rng.randrange(300)), now + length + rng.randrange(300), index=k))
        now += length
    started = time.process_time()
    align(cues, speech)
    assert time.process_time() - started < 5


def _pyannote_sample() -> Path | None:
    spec = importlib.util.find_spec("pyannote.audio")
    folder = Path(spec.origin).parent / "sample" if spec and spec.origin else None
    return folder if folder and (folder / "sample.wav").is_file() else None


@pytest.mark.slow
def test_real_voice_is_met() -> None:
    """Silero on a real conversation, cues made from the turns that people annotated."""
    folder, package = _pyannote_sample(), importlib.util.find_spec("silero_vad")
    if folder is None or package is None or package.origin is None:
        pytest.skip("needs the conversation that ships with pyannote.audio, and silero-vad")
    import soundfile
    import torch

    waveform, rate_hz = soundfile.read(folder / "sample.wav", dtype="float32")
    model = torch.jit.load(str(Path(package.origin).parent / "data" / "silero_vad.jit"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            frames = [torch.from_numpy(waveform[k : k + 512]) for k in range(0, len(waveform) - 511, 512)]
            voiced = [model(frame, rate_hz).item() > 0.5 for frame in frames]
    finally:
        torch.set_num_threads(threads)
    speech = [Span(32 * k, 32 * (k + 1)) for k, is_voiced in enumerate(voiced) if is_voiced]

    rows = [line.split() for line in (folder / "sample.rttm").read_text().splitlines()]
    turns = [(round(1000 * float(r[3])), round(1000 * (float(r[3]) + float(r[4])))) for r in rows]
    cues = [cue(a + 250, b + 250, index=k) for k, (a, b) in enumerate(turns)]
    errors_ms = []
    for found in align(cues, speech):
        start_ms, end_ms = turns[found.cue.index]
        # Only at a pause has a turn an edge that voice activity can show.
        if all(b < start_ms - 200 or a >= start_ms for a, b in turns):
            errors_ms.append(abs(found.start_ms - start_ms))
        if all(a > end_ms + 200 or b <= end_ms for a, b in turns):
            errors_ms.append(abs(found.end_ms - end_ms))
    assert len(errors_ms) >= 6
    assert max(errors_ms) <= 100
    assert statistics.median(errors_ms) <= 60


def test_two_cues_meet_in_no_pause_beyond_the_reach() -> None:
    """Cues that were placed by words are moved by no more than words are wrong."""
    cues, speech = [cue(1000, 2000), cue(2000, 3000, index=1)], [Span(1000, 2250), Span(2450, 3000)]
    assert [(x.start_ms, x.end_ms) for x in align(cues, speech)][1] == (2250, 3000)
    assert [(x.start_ms, x.end_ms) for x in align(cues, speech, reach_ms=150)][1] == (2000, 3000)
