"""The desk of a review: decisions, files, undo after a restart, the order of doubt, and what applying changes."""

from __future__ import annotations

import csv
import dataclasses
import io
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_files import a_desk, a_line, an_episode, paths_in, some_lines, taught, voices_of

from yuki_builder.corpus import Applied, Desk, Tools
from yuki_builder.corpus.review.desk import ConflictError, Filter, changes
from yuki_builder.corpus.review.doubt import LineVoices, gains, halves, likeliest
from yuki_builder.corpus.tables.edits_csv import LineEdit, read_edits, write_edits
from yuki_builder.errors import InputError
from yuki_builder.records import Attribution, Evidence, LineSource, Verdict


def assign(name: str, *lines: str) -> dict[str, Any]:
    return {"kind": "assign", "lines": list(lines), "value": name}


def labels(out: Path) -> list[list[str]]:
    text = (out / "labels.csv").read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["lines"]]


# --- what is kept -----------------------------------------------------------------------------------------


def test_a_decision_is_on_the_disk_when_it_is_answered(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.decide("me", assign("Dora, \"the\" 'first'", "ep01-00003"))
    row = ["Dora, \"the\" 'first'", "Line 3, 第3句", "0:00:09.000", "0:00:11.000", "ep01", "ep01-00003"]
    assert labels(tmp_path) == [row]
    line = desk.line("ep01-00003")
    assert (line.character, line.confidence, line.verdict) == ("Dora, \"the\" 'first'", 1.0, Verdict.CERTAIN)


def test_undo_and_redo_walk_on_after_a_restart(tmp_path: Path) -> None:
    first = a_desk(tmp_path)
    first.decide("window 1", assign("Dora", "ep01-00003"))
    first.decide("window 1", {"kind": "mark", "lines": ["ep01-00004"], "value": "not speech"})
    again = a_desk(tmp_path)
    assert again.line("ep01-00003").character == "Dora"
    assert again.undo("window 2") is not None
    assert not (tmp_path / "corrections.csv").exists()
    assert again.undo("window 2") is not None
    assert not (tmp_path / "labels.csv").exists()
    assert again.undo("window 2") is None
    last = a_desk(tmp_path)
    assert last.line("ep01-00003").character == "Anna"
    assert last.redo("window 3") is not None
    assert labels(tmp_path)[0][0] == "Dora"


def test_two_windows_do_not_lose_each_others_decisions(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    seen = desk.acts
    desk.decide("one", assign("Dora", "ep01-00003"), seen=seen)
    desk.decide("two", assign("Emil", "ep01-00004"), seen=seen)  # another line: both stand
    with pytest.raises(ConflictError):
        desk.decide("two", assign("Emil", "ep01-00003"), seen=seen)
    assert desk.line("ep01-00003").character == "Dora"
    desk.decide("two", assign("Emil", "ep01-00003"), seen=desk.acts)  # having looked again
    # Undo takes back one's own, not what somebody else did last.
    desk.undo("one")
    assert desk.line("ep01-00003").character == "Emil"
    assert desk.line("ep01-00004").character == "Emil"
    desk.undo("two")
    desk.undo("two")
    assert desk.undo("two") is None


def test_many_windows_at_once(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, an_episode(tmp_path, "ep01", some_lines("ep01", 60)))

    def work(k: int) -> None:
        for line in range(k, 60, 6):
            desk.decide(f"w{k}", assign(f"N{k}", f"ep01-{line:05d}"))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row[5]: row[0] for row in labels(tmp_path)} == {f"ep01-{k:05d}": f"N{k % 6}" for k in range(60)}
    assert a_desk(tmp_path).acts == 60


def test_rows_of_others_stay_and_rows_about_these_lines_are_taken_over(tmp_path: Path) -> None:
    header = "人物,人物台词,开始时间,结束时间,episode_id\n"
    foreign = "Zoe,elsewhere,0:00:01.000,0:00:02.000,ep99\n"
    own = 'Dora,"Line 3, 第3句",0:00:09.000,0:00:11.000,ep01\n'
    (tmp_path / "labels.csv").write_text(header + foreign + own, encoding="utf-8")
    desk = a_desk(tmp_path)
    assert desk.line("ep01-00003").character == "Dora"
    desk.decide("me", assign("Emil", "ep01-00004"))
    assert [row[:1] + row[4:] for row in labels(tmp_path)] == [
        ["Zoe", "ep99", ""],
        ["Dora", "ep01", "ep01-00003"],
        ["Emil", "ep01", "ep01-00004"],
    ]
    desk.undo("me")
    desk.undo("me")
    assert [row[0] for row in labels(tmp_path)] == ["Zoe"]


def test_a_table_that_is_edited_by_hand_meanwhile_is_read_first(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.decide("me", assign("Dora", "ep01-00003"))
    path = tmp_path / "labels.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").replace("Dora", "Flora"), encoding="utf-8")
    desk.decide("me", assign("Emil", "ep01-00004"))
    assert [row[0] for row in labels(tmp_path)] == ["Flora", "Emil"]
    assert a_desk(tmp_path).line("ep01-00003").character == "Flora"


def test_what_a_crash_kept_from_the_table_is_in_it_after_a_restart(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.decide("me", assign("Dora", "ep01-00003"))
    before = (tmp_path / "labels.csv").read_bytes()
    saved = (tmp_path / "review/saved.json").read_bytes()
    desk.decide("me", assign("Emil", "ep01-00003"))
    (tmp_path / "labels.csv").write_bytes(before)  # killed between the history and the table
    (tmp_path / "review/saved.json").write_bytes(saved)
    assert a_desk(tmp_path).line("ep01-00003").character == "Emil"
    assert labels(tmp_path)[0][0] == "Emil"


def test_a_table_of_another_form_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("who,what\nA,B\n", encoding="utf-8")
    with pytest.raises(InputError, match="has other columns"):
        a_desk(tmp_path)
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8") == "who,what\nA,B\n"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"kind": "sing", "lines": ["ep01-00001"]}, "unknown decision"),
        ({"kind": "undo"}, "unknown decision"),
        ({"kind": "assign", "lines": ["nowhere"], "value": "A"}, "there is no line"),
        ({"kind": "assign", "lines": [], "value": "A"}, "concerns no line"),
        ({"kind": "assign", "lines": "ep01-00001", "value": "A"}, "list"),
        ({"kind": "assign", "lines": ["ep01-00001"], "value": "A" * 201}, "longer than"),
        ({"kind": "assign", "lines": ["ep01-00001"], "value": 5}, "a name"),
        ({"kind": "mark", "lines": ["ep01-00001"], "value": "x"}, "unknown mark"),
        ({"kind": "times", "lines": ["ep01-00001"], "start_ms": 5, "end_ms": 5}, "ends after"),
        ({"kind": "times", "lines": ["ep01-00001"], "start_ms": "5", "end_ms": 9}, "form"),
        ({"kind": "times", "lines": ["ep01-00001"], "start_ms": 5}, "ends after"),
        ({"kind": "text", "lines": ["ep01-00001", "ep01-00002"], "value": "A"}, "one line"),
        ({"kind": "rename", "value": "Anna", "new_name": " "}, "new name"),
        ({"kind": "assign", "episode": "ep77", "speakers": ["S"], "value": "A"}, "no episode"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(tmp_path: Path, request_: dict[str, Any], message: str) -> None:
    desk = a_desk(tmp_path)
    with pytest.raises(InputError, match=message):
        desk.decide("me", request_)
    assert desk.acts == 0


# --- decisions --------------------------------------------------------------------------------------------


def test_a_whole_voice_and_two_voices_as_one(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.decide("me", assign("Dora", "ep01-00003"))
    told = desk.decide("me", {"kind": "assign", "episode": "ep01", "speakers": ["SPEAKER_00"], "value": "Emil"})
    assert told["act"]["lines"] == ["ep01-00000", "ep01-00006", "ep01-00009"]  # what is decided stays
    desk.decide("me", {"kind": "assign", "episode": "ep01", "speakers": ["SPEAKER_01", "SPEAKER_02"], "value": "Fay"})
    talk = {entry["name"]: entry["lines"] for entry in desk.overview()["characters"]}
    assert talk == {"Fay": 8, "Emil": 3, "Dora": 1}
    desk.undo("me")
    assert {v["speaker"]: v["open"] for v in desk.voices("ep01")} == {"SPEAKER_00": 0, "SPEAKER_01": 4, "SPEAKER_02": 4}


def test_a_character_is_renamed_everywhere(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, *(an_episode(tmp_path, name, some_lines(name, 6)) for name in ("ep01", "ep02")))
    desk.decide("me", assign("Anna", "ep01-00001"))
    desk.decide("me", {"kind": "rename", "value": "Anna", "new_name": "Annabel"})
    assert {line.character for e in ("ep01", "ep02") if (x := desk.episode(e)) for line in x.lines} >= {"Anna"}
    assert [desk.line(f"{e}-00000").character for e in ("ep01", "ep02")] == ["Annabel", "Annabel"]
    assert labels(tmp_path)[0][0] == "Annabel"
    assert (tmp_path / "review/renames.toml").read_text(encoding="utf-8") == '"Annabel" = ["Anna"]\n'
    assert desk.overview()["to_apply"] == ["ep01", "ep02"]
    desk.undo("me")
    assert not (tmp_path / "review/renames.toml").exists()
    assert labels(tmp_path)[0][0] == "Anna"


def test_a_voice_without_a_name_gets_one_by_its_lines(tmp_path: Path) -> None:
    lines = [dataclasses.replace(x, character=x.speaker) for x in some_lines("ep01", 6)]
    desk = a_desk(tmp_path, an_episode(tmp_path, "ep01", lines))
    told = desk.decide("me", {"kind": "rename", "value": "SPEAKER_01", "new_name": "Ben"})
    assert (told["act"]["kind"], told["act"]["lines"]) == ("assign", ["ep01-00001", "ep01-00004"])


def test_words_and_times(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.decide("me", {"kind": "text", "lines": ["ep01-00002"], "value": "What\nhe said\x07"})
    desk.decide("me", {"kind": "times", "lines": ["ep01-00002"], "start_ms": 6100, "end_ms": 7900})
    line = desk.line("ep01-00002")
    assert (line.text, line.start_ms, line.end_ms) == ("What\nhe said", 6100, 7900)
    assert desk.details("ep01-00002")["edited"] == ["text", "times"]
    desk.decide("me", {"kind": "times", "lines": ["ep01-00002"]})
    assert desk.line("ep01-00002").start_ms == 6000


# --- what is shown ----------------------------------------------------------------------------------------


def test_filters(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, *(an_episode(tmp_path, name, some_lines(name, 12)) for name in ("ep01", "ep02")))
    desk.decide("me", assign("Anna", "ep01-00003"))
    desk.decide("me", {"kind": "mark", "lines": ["ep01-00005"], "value": "unusable"})

    def found(**wanted: Any) -> list[str]:
        return ids(desk.page(Filter(**wanted)))

    assert found(episode="ep02") == [f"ep02-{k:05d}" for k in range(12)]
    assert found(episode="ep01", character="Anna") == [f"ep01-{k:05d}" for k in (0, 3, 6, 9)]
    assert found(state="doubtful", episode="ep01") == ["ep01-00007", "ep01-00011"]
    assert found(state="decided") == ["ep01-00003"]
    assert found(problem="too short") == ["ep01-00001", "ep02-00001"]
    assert found(mark="unusable") == ["ep01-00005"]
    assert found(overlap=True, episode="ep01") == ["ep01-00000", "ep01-00005", "ep01-00010"]
    assert found(text="第7句") == ["ep01-00007", "ep02-00007"]
    assert found(source="subtitle") and found(source="asr") == []
    assert found(episode="nowhere") == []
    assert found(speaker="SPEAKER_02", episode="ep01") == [f"ep01-{k:05d}" for k in (2, 5, 8, 11)]


@given(st.integers(0, 400), st.integers(1, 600))
def test_pages(offset: int, limit: int) -> None:
    desk = _big()
    page = desk.page(Filter(), offset=offset, limit=limit)
    size = min(limit, 500)
    assert page["total"] == 300
    assert ids(page) == [f"ep01-{k:05d}" for k in range(300)][page["offset"] : page["offset"] + size]
    assert page["lines"]
    around = desk.page(Filter(), limit=limit, around="ep01-00222")
    assert "ep01-00222" in ids(around)


_desks: list[Desk] = []


def _big() -> Desk:
    if not _desks:
        import tempfile

        out = Path(tempfile.mkdtemp())
        _desks.append(a_desk(out, an_episode(out, "ep01", some_lines("ep01", 300))))
    return _desks[0]


def test_the_next_line_is_the_one_that_tells_most(tmp_path: Path) -> None:
    lines = [a_line("ep01", k, confidence=0.5 if k in (2, 5, 8, 7) else 0.99) for k in range(12)]
    desk = a_desk(tmp_path, an_episode(tmp_path, "ep01", lines))
    first = desk.next_line(Filter())
    assert first in {"ep01-00002", "ep01-00005", "ep01-00008"}  # three in doubt of one voice, before the one alone
    desk.decide("me", assign("Cleo", str(first)))
    assert desk.next_line(Filter(), after="x") not in (first, None)
    for k in range(12):
        desk.decide("me", assign("Cleo", f"ep01-{k:05d}"))
    assert desk.next_line(Filter()) is None


def test_details_say_why_and_who_else_it_may_be(tmp_path: Path) -> None:
    details = a_desk(tmp_path).details("ep01-00003")
    assert details["likeliest"][:2] == ["Anna", "Ben"]
    assert [e["source"] for e in details["evidence"]] == ["voice", "cluster"]
    assert [n["id"] for n in details["neighbours"]] == [f"ep01-{k:05d}" for k in range(7)]
    assert (details["voice_lines"], details["voice_open"]) == (4, 4)


# --- order of doubt ---------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.data())
def test_gains_are_of_open_lines_alone_and_do_not_depend_on_the_order(shares: list[float], data: st.DataObject) -> None:
    lines = [a_line("e", k, confidence=share) for k, share in enumerate(shares)]
    decided = {line.line_id: data.draw(st.booleans()) for line in lines}
    voices = voices_of(lines)
    found = gains(lines, voices, decided=decided)
    for line, gain in zip(lines, found, strict=True):
        assert gain >= 0
        assert gain == 0 or not decided[line.line_id]
        if not decided[line.line_id]:
            assert gain >= (1 - line.confidence) ** 2 - 1e-5
    turned = list(reversed(lines))
    again = dict(zip((x.line_id for x in turned), gains(turned, voices, decided=decided), strict=True))
    assert [again[x.line_id] for x in lines] == pytest.approx(found, abs=1e-4)


def test_gains_without_voices() -> None:
    lines = [a_line("e", k, confidence=0.5) for k in range(3)]
    assert gains(lines, None, decided={}) == pytest.approx([0.25] * 3)
    assert gains([], None, decided={}) == []


def test_a_voice_of_two_people_is_split_between_them() -> None:
    lines = [a_line("e", k, speaker=f"S{k % 2}") for k in range(20)]
    voices = voices_of(lines, spread=0.2)
    one, other = halves(voices, [line.line_id for line in lines])
    assert {frozenset(one), frozenset(other)} == {
        frozenset(line.line_id for line in lines if line.speaker == speaker) for speaker in ("S0", "S1")
    }
    assert halves(voices, ["e-00001"]) == (["e-00001"], [])
    same = LineVoices(("a", "b", "c"), np.ones((3, 4), np.float32) / 2)
    assert sorted(key for group in halves(same, ["a", "b", "c"]) for key in group) == ["a", "b", "c"]


def test_a_line_that_was_moved_is_not_sorted_by_the_sound_of_where_it_was(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    moved = next(row["id"] for group in desk.split("ep01", "SPEAKER_00") for row in group)
    line = desk.line(moved)
    times = {"start_ms": line.start_ms + 100, "end_ms": line.end_ms - 300}
    desk.decide("me", {"kind": "times", "lines": [moved], **times})
    assert moved not in {row["id"] for group in desk.split("ep01", "SPEAKER_00") for row in group}
    assert desk.undo("me") is not None
    assert moved in {row["id"] for group in desk.split("ep01", "SPEAKER_00") for row in group}


def test_likeliest_names() -> None:
    line = a_line("e", 0, character=None)
    assert "nobody" not in likeliest(
        dataclasses.replace(line, evidence=(Evidence("manual", "nobody", 1.0),)), [], ["Zed"]
    )
    assert likeliest(line, [a_line("e", 2)], ["Zed", "Anna"]) == ["Anna", "Ben", "Cleo", "Zed"]
    assert len(likeliest(line, [], [f"N{k}" for k in range(30)])) == 9


# --- what follows -----------------------------------------------------------------------------------------


def test_what_a_decision_teaches_is_shown(tmp_path: Path) -> None:
    episode = an_episode(tmp_path, "ep01", some_lines("ep01", 6))
    tools = Tools(load=lambda _: {"ep01": episode}, suggest=lambda _: taught(episode, "Dora"))
    desk = a_desk(tmp_path, episode, tools=tools)
    desk.decide("me", assign("Emil", "ep01-00003"))
    before = desk.version
    desk.think("ep01")
    assert desk.version > before
    assert [desk.line(f"ep01-{k:05d}").character for k in (2, 3)] == ["Dora", "Emil"]
    assert labels(tmp_path)[0][0] == "Emil" and len(labels(tmp_path)) == 1  # found out is not decided


def test_decisions_made_while_it_thinks_are_thought_of_too(tmp_path: Path) -> None:
    episode = an_episode(tmp_path, "ep01", some_lines("ep01", 6))
    rounds: list[int] = []

    def suggest(_: str) -> list[Attribution]:
        rounds.append(desk.acts)
        if len(rounds) == 1:
            desk.decide("me", assign("Emil", "ep01-00004"))
            desk.think("ep01")  # is not begun twice
        return taught(episode, f"round {len(rounds)}")

    desk = a_desk(tmp_path, episode, tools=Tools(load=lambda _: {"ep01": episode}, suggest=suggest))
    desk.decide("me", assign("Emil", "ep01-00003"))
    desk.think("ep01")
    assert rounds == [1, 2]
    assert desk.line("ep01-00000").character == "round 2"
    assert desk.overview()["thinking"] == []


def test_what_cannot_be_found_out_changes_nothing(tmp_path: Path) -> None:
    def fail(_: str) -> list[Attribution]:
        raise InputError("the video is gone")

    episode = an_episode(tmp_path, "ep01", some_lines("ep01", 6))
    desk = a_desk(tmp_path, episode, tools=Tools(load=lambda _: {"ep01": episode}, suggest=fail))
    desk.decide("me", assign("Emil", "ep01-00003"))
    desk.think("ep01")
    assert (desk.line("ep01-00000").character, desk.overview()["thinking"]) == ("Anna", [])


def test_applying_says_what_changed_line_by_line(tmp_path: Path) -> None:
    lines = some_lines("ep01", 6)
    episode = an_episode(tmp_path, "ep01", lines)
    after = [
        dataclasses.replace(lines[0], character="Dora"),
        *lines[1:5],
        dataclasses.replace(lines[5], text="new", end_ms=17_500),
    ]
    applied: list[list[str]] = []

    def apply(episodes: Sequence[str], tell: Callable[[str, str], None]) -> Applied:
        tell("ep01", "identify")
        applied.append(list(episodes))
        return Applied(exports=("chat",), kept=("separate",), command="python run_pipeline.py --video x")

    tools = Tools(
        load=lambda _: {"ep01": dataclasses.replace(episode, lines=tuple(after))},
        apply=apply,
    )
    desk = a_desk(tmp_path, episode, tools=tools)
    desk.apply()
    assert applied == [] and desk.applying["changes"] == []
    desk.decide("me", assign("Dora", "ep01-00000"))
    assert desk.overview()["to_apply"] == ["ep01"]
    desk.apply()
    assert applied == [["ep01"]]
    assert {name: desk.applying[name] for name in ("exports", "kept", "command")} == {
        "exports": ["chat"],
        "kept": ["separate"],
        "command": "python run_pipeline.py --video x",
    }
    assert [(c["id"], c["what"]) for c in desk.applying["changes"]] == [
        ("ep01-00000", {"character": ["Anna", "Dora"]}),
        ("ep01-00005", {"text": ["Line 5, 第5句", "new"], "end_ms": [17_000, 17_500]}),
    ]
    assert desk.overview()["to_apply"] == []
    assert a_desk(tmp_path, episode).overview()["to_apply"] == []  # a restart knows it
    desk.undo("me")
    assert desk.overview()["to_apply"] == ["ep01"]


def test_a_failure_of_applying_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    def fail(*_: Any) -> None:
        raise InputError("the video is gone", where="ep01", remedy="bring it back")

    episode = an_episode(tmp_path, "ep01", some_lines("ep01", 3))
    desk = a_desk(tmp_path, episode, tools=Tools(load=lambda _: {"ep01": episode}, apply=fail))
    desk.decide("me", assign("Dora", "ep01-00000"))
    desk.apply()
    message = "ep01: the video is gone. Bring it back"
    assert desk.applying == {"state": "failed", "message": message, "message_zh": f"程序报告（英文）：{message}"}
    assert desk.overview()["to_apply"] == ["ep01"]


def test_lines_that_went_and_came() -> None:
    one, two = some_lines("e", 2)
    assert [c["what"] for c in changes([one], [two])] == [{"there": [True, False]}, {"there": [False, True]}]
    assert changes([one, two], [two, one]) == []


def test_fifty_thousand_lines_are_browsed_in_a_moment(tmp_path: Path) -> None:
    import time

    episodes = [an_episode(tmp_path, f"ep{e:03d}", some_lines(f"ep{e:03d}", 500)) for e in range(100)]
    desk = a_desk(tmp_path, *episodes)
    began = time.process_time()
    page = desk.page(Filter(), offset=49_000, limit=500)
    assert (page["total"], len(page["lines"])) == (50_000, 500)
    assert ids(desk.page(Filter(text="第499句"), limit=500))[0] == "ep000-00499"
    desk.decide("me", assign("Dora", "ep050-00007"))
    assert time.process_time() - began < 5
    assert paths_in(tmp_path).labels.is_file()


def test_a_line_is_cut_in_two_and_one_is_added(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    told = desk.decide(
        "me", {"kind": "cut", "lines": ["ep01-00002"], "value": "Line 2,", "second": "第2句", "cut_ms": 7000}
    )
    first, second = told["act"]["lines"]
    assert first == "ep01-00002" and told["episodes"] == ["ep01"]
    added = desk.decide(
        "me", {"kind": "add", "episode": "ep01", "value": " What?\x00 ", "start_ms": 8200, "end_ms": 8900}
    )["act"]["lines"][0]

    def shown(desk: Desk) -> list[tuple[str, str, int, int]]:
        rows = desk.page(Filter(), limit=6)["lines"][2:5]
        return [(row["id"], row["text"], row["start"], row["end"]) for row in rows]

    wanted = [(first, "Line 2,", 6000, 7000), (second, "第2句", 7000, 8000), (added, "What?", 8200, 8900)]
    assert shown(desk) == wanted and desk.overview()["lines"] == 14
    assert desk.overview()["to_apply"] == ["ep01"] and desk.overview()["sources"]["review"] == 2
    assert [row["id"] for row in desk.details(second)["neighbours"][2:5]] == [first, second, added]
    # What is new is like any other line: it gets a name, other words and times.
    desk.decide("me", {"kind": "assign", "lines": [second], "value": "Ben"})
    desk.decide("me", {"kind": "text", "lines": [added], "value": "What then?"})
    edits = read_edits(tmp_path / "corrections.csv")
    assert edits[first] == LineEdit("ep01", first, "Line 2,", 6000, 7000)
    assert edits[second] == LineEdit("ep01", second, "第2句", 7000, 8000, ("added",))
    assert edits[added] == LineEdit("ep01", added, "What then?", 8200, 8900, ("added",))
    # A restart knows all of it, and undo takes it back step by step.
    desk = a_desk(tmp_path)
    assert [row[0] for row in shown(desk)] == [first, second, added]
    assert desk.line(second).character == "Ben" and desk.line(added).text == "What then?"
    for _ in range(3):
        desk.undo("me")
    assert desk.overview()["lines"] == 13 and shown(desk)[:2] == wanted[:2]
    desk.undo("me")
    assert desk.overview()["lines"] == 12 and desk.line(first) == a_line("ep01", 2)
    assert not (tmp_path / "corrections.csv").exists()
    with pytest.raises(InputError, match="no line"):
        desk.line(second)
    desk.redo("me")
    desk.redo("me")
    assert shown(desk) == wanted


def test_a_line_is_added_by_hand_in_the_table(tmp_path: Path) -> None:
    row = LineEdit("ep01", "ep01-x", "By hand", 100, 900, ("added",))
    write_edits([row, LineEdit("other", "other-x", "Elsewhere", 100, 900, ("added",))], tmp_path / "corrections.csv")
    desk = a_desk(tmp_path)
    assert desk.line("ep01-x").text == "By hand" and desk.overview()["lines"] == 13
    desk.decide("me", {"kind": "mark", "lines": ["ep01-x"], "value": "unusable"})
    assert {k: e.marks for k, e in read_edits(tmp_path / "corrections.csv").items()} == {
        "ep01-x": ("unusable", "added"),
        "other-x": ("added",),
    }
    write_edits([], tmp_path / "corrections.csv")
    assert a_desk(tmp_path).overview()["lines"] == 12


def test_applying_tells_of_lines_that_were_added(tmp_path: Path) -> None:
    before = an_episode(tmp_path, "ep01", some_lines("ep01", 4))
    there = {"ep01": before}
    desk = a_desk(tmp_path, before, tools=Tools(load=lambda names: {name: there[name] for name in names}))
    new = desk.decide("me", {"kind": "add", "episode": "ep01", "value": "Hm.", "start_ms": 2100, "end_ms": 2900})
    key = new["act"]["lines"][0]
    line = a_line("ep01", 1, line_id=key, start_ms=2100, end_ms=2900, text="Hm.", source=LineSource.REVIEW)
    there["ep01"] = an_episode(tmp_path, "ep01", [before.lines[0], line, *before.lines[1:]])
    desk.apply()
    assert [(c["id"], c["what"]) for c in desk.applying["changes"]] == [(key, {"there": [False, True]})]
    assert desk.line(key).character == "Ben" and desk.overview()["to_apply"] == []
    desk.undo("me")  # it is on the disk, and not shown any more
    assert desk.overview()["lines"] == 4 and desk.overview()["to_apply"] == ["ep01"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"kind": "cut", "lines": ["ep01-00002"], "value": "a", "second": "b", "cut_ms": 6010}, "a cut lies between"),
        ({"kind": "cut", "lines": ["ep01-00002"], "value": "a", "second": "b"}, "a cut lies between"),
        ({"kind": "cut", "lines": ["ep01-00002"], "value": "a", "second": " ", "cut_ms": 7000}, "a line has words"),
        ({"kind": "cut", "lines": [], "value": "a", "second": "b", "cut_ms": 7000}, "one line is cut"),
        ({"kind": "add", "episode": "ep01", "value": "a", "start_ms": 10, "end_ms": 20}, "ends after it starts"),
        ({"kind": "add", "episode": "ep01", "value": "a", "start_ms": 0, "end_ms": 1 << 40}, "ends after it starts"),
        ({"kind": "add", "episode": "ep01", "value": "", "start_ms": 0, "end_ms": 900}, "a line has words"),
        ({"kind": "add", "episode": "../..", "value": "a", "start_ms": 0, "end_ms": 900}, "there is no episode"),
    ],
)
def test_a_line_that_makes_no_sense_is_not_added(tmp_path: Path, request_: dict[str, Any], message: str) -> None:
    desk = a_desk(tmp_path)
    with pytest.raises(InputError, match=message):
        desk.decide("me", request_)
    assert desk.acts == 0
