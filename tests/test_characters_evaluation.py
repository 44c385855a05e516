"""What an evaluation says, on cases whose figures can be worked out by hand, and on labels as people bring them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.characters import Evaluation, TrueLine, draw_evaluation, evaluate, read_truth
from yuki_builder.errors import InputError
from yuki_builder.records import Evidence, Line, Turn, Verdict

relaxed = settings(deadline=None)  # a busy machine is no failure


def line(k: int, name: str | None, confidence: float = 0.9, *, shift_ms: int = 0, sources: str = "") -> Line:
    verdict = Verdict.UNKNOWN if name is None else Verdict.CERTAIN if confidence >= 0.9 else Verdict.DOUBTFUL
    evidence = tuple(Evidence("voice", character, 0.5) for character in sources.split())
    start = 2000 * k + shift_ms
    return Line(f"l{k}", "ep", k, start, start + 1000, "x", None, name, confidence, verdict, evidence)


def true(k: int, name: str) -> TrueLine:
    return TrueLine(2000 * k, 2000 * k + 1000, name)


def test_figures_of_a_small_case() -> None:
    lines = [line(0, "Ann"), line(1, "ann ", 0.8), line(2, "Bob", 0.6), line(3, None, 0.1)]
    e = evaluate(lines, [true(0, "Ann"), true(1, "ANN"), true(2, "Ann"), true(3, "Bob"), true(9, "Bob")])
    assert (e.lines, e.not_found, e.unknown_speakers) == (5, 1, 0)
    assert e.accuracy == pytest.approx(2 / 5)
    assert (e.certain, e.certain_precision) == (pytest.approx(1 / 5), 1.0)
    assert e.coverage == pytest.approx(2 / 5)  # with the third, one in three is wrong
    assert e.unknown == pytest.approx(1 / 5)
    assert e.calibration_error == pytest.approx((0.1 + 0.2 + 0.6) / 3)
    figures = {f.character.casefold(): f for f in e.characters}
    assert (figures["ann"].precision, figures["ann"].recall) == (1.0, pytest.approx(2 / 3))
    assert (figures["bob"].precision, figures["bob"].recall, figures["bob"].found_lines) == (0.0, 0.0, 1)
    assert not e.by_voice
    assert e.diarization_error is None


def test_edges_are_measured_against_the_line_that_overlaps_most() -> None:
    lines = [line(0, "Ann", shift_ms=100), line(1, "Ann", shift_ms=-40)]
    e = evaluate(lines, [true(0, "Ann"), true(1, "Ann")])
    assert e.start_error_ms == (70.0, pytest.approx(97.0))


def test_a_line_counts_by_its_duration_in_the_share_of_the_speech() -> None:
    lines = [line(0, "Ann"), line(1, "Ann")]
    e = evaluate(lines, [true(0, "Ann"), TrueLine(2000, 5000, "Bob")], known={"Ann", "Bob"})
    assert (e.accuracy, e.speech_accuracy) == (0.5, 0.25)


def test_an_evaluation_of_an_earlier_version_is_read() -> None:
    kept = evaluate([line(0, "Ann")], [true(0, "Ann"), true(1, "Zoe")], known={"Ann"}).to_dict()
    del kept["speech_accuracy"]
    kept["strangers"] = kept.pop("unknown_speakers")
    found = Evaluation.from_dict(kept)
    assert (found.speech_accuracy, found.unknown_speakers) == (None, 1)


def test_an_unknown_speaker_is_right_without_a_name() -> None:
    lines = [line(0, "Ann"), line(1, None, 0.2), line(2, "Ann", 0.95)]
    truth = [true(0, "Ann"), true(1, "Zoe"), true(2, "Zoe")]
    e = evaluate(lines, truth, known={"Ann"})
    assert (e.unknown_speakers, e.accuracy, e.certain_precision) == (2, pytest.approx(2 / 3), 0.5)
    # Somebody who was enrolled should have been found.
    assert evaluate(lines, truth, known={"Ann", "Zoe"}).accuracy == pytest.approx(1 / 3)


def test_voices_are_matched_with_people_one_to_one() -> None:
    names = ["SPEAKER_01", "SPEAKER_01", "SPEAKER_02", "SPEAKER_01", "SPEAKER_03"]
    truth = [true(k, name) for k, name in enumerate(["Ann", "Ann", "Bob", "Bob", "Ann"])]
    e = evaluate([line(k, name) for k, name in enumerate(names)], truth)
    assert e.by_voice
    assert e.accuracy == pytest.approx(3 / 5)  # SPEAKER_03 is left over
    assert e.unknown_speakers == 0


def test_the_diarization_error_rate() -> None:
    truth = [TrueLine(0, 4000, "Ann"), TrueLine(5000, 9000, "Bob")]
    exact = evaluate([], truth, [Turn(0, 4000, "S1"), Turn(5000, 9000, "S2")])
    assert (exact.diarization_error, exact.speech_error) == (0.0, 0.0)
    one_voice = evaluate([], truth, [Turn(0, 4000, "S1"), Turn(5000, 9000, "S1")])
    assert (one_voice.diarization_error, one_voice.speech_error) == (0.5, 0.0)
    short = evaluate([], truth, [Turn(200, 4000, "S1"), Turn(5000, 9000, "S2")])
    assert short.diarization_error == pytest.approx(0.025)
    assert short.diarization_error_collar == 0.0


@relaxed
@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["A", "B", "C", None]), st.floats(0, 1)),
        min_size=1,
        max_size=30,
    )
)
def test_figures_stay_in_their_range(cases: list[tuple[str, str | None, float]]) -> None:
    lines = [line(k, name, confidence) for k, (_, name, confidence) in enumerate(cases)]
    e = evaluate(lines, [true(k, who) for k, (who, _, _) in enumerate(cases)], known={"A", "B", "C"})
    right = sum(who == name for who, name, _ in cases)
    assert e.accuracy == pytest.approx(right / len(cases))
    assert 0 <= e.coverage <= 1 - e.unknown + 1e-9
    assert sum(count for _, _, count in e.confusion) == len(cases) == sum(f.true_lines for f in e.characters)
    assert sum(b.lines for b in e.bins) == sum(name is not None for _, name, _ in cases)
    assert Evaluation.from_dict(json.loads(json.dumps(e.to_dict()))).accuracy == e.accuracy


def test_the_picture_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    lines = [line(k, "$\\frac{凉宫}{" if k % 3 else "<Bob>", 0.5 + k / 40) for k in range(20)]
    e = evaluate(lines, [true(k, "$\\frac{凉宫}{") for k in range(20)])
    for name in ("a.png", "b.png"):
        draw_evaluation(e, tmp_path / name, title="ep $x_1")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "人物,人物台词,开始时间,结束时间\n长门,你好,0:00:01.00,0:00:02.50\n,无,0:00:03.00,0:00:04.00\n"),
        ("a.jsonl", '{"character": "长门", "start_ms": 1000, "end_ms": 2500, "text": "你好"}\n\n{"character": null}\n'),
        ("a.json", '{"lines": [{"speaker": "长门", "start": 1.0, "end": 2.5, "text": "你好"}, 3]}'),
        ("b.json", '[{"role": "长门", "start": 1, "end": 2.5, "text": "你好"}, {"role": "x", "start": 3, "end": 1}]'),
    ],
)
def test_labels_as_people_bring_them(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    lines, skipped = read_truth(tmp_path / name)
    assert lines == [TrueLine(1000, 2500, "长门", "你好")]
    assert sum(skipped.values()) == 1


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.json", "{", "not valid JSON"),
        ("a.json", "[" * 100_000, "not valid JSON"),
        ("a.json", '{"lines": 3}', "holds no labelled line"),
        ("a.csv", "人物,人物台词,开始时间,结束时间\n", "holds no labelled line"),
        ("a.csv", "长门,你好,soon,later\n", "holds no labelled line"),
    ],
)
def test_what_labels_nothing_is_said(tmp_path: Path, name: str, text: str, what: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_truth(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_truth(tmp_path / "none.csv")
