"""The history of a review: acts, undo and redo, what they amount to, and what is kept of them on the disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_files import a_line, some_lines

from yuki_builder.characters import read_aliases
from yuki_builder.corpus.review.files import HistoryFile, differences, label_rows, line_edits, renames_toml
from yuki_builder.corpus.review.history import Act, Kind, decisions, episodes_to_apply, next_redo, next_undo
from yuki_builder.corpus.tables.edits_csv import MARKS, LineEdit, read_edits, write_edits
from yuki_builder.corpus.tables.labels_csv import read_labels, write_labels
from yuki_builder.errors import InputError

LINES = ["a", "b", "c"]


def history(*acts: dict[str, object]) -> list[Act]:
    return [Act(number=k, **{"author": "me", **act}) for k, act in enumerate(acts, 1)]  # type: ignore[arg-type]


def assign(name: str, *lines: str, author: str = "me") -> dict[str, object]:
    return {"kind": Kind.ASSIGN, "lines": lines, "value": name, "author": author}


def undo(target: int, author: str = "me") -> dict[str, object]:
    return {"kind": Kind.UNDO, "target": target, "author": author}


def redo(target: int) -> dict[str, object]:
    return {"kind": Kind.REDO, "target": target}


def test_the_last_name_counts_and_undo_brings_the_one_before_back() -> None:
    acts = history(assign("Anna", "a", "b"), assign("Ben", "a"))
    assert decisions(acts).names == {"a": "Ben", "b": "Anna"}
    acts = history(assign("Anna", "a", "b"), assign("Ben", "a"), undo(2))
    assert decisions(acts).names == {"a": "Anna", "b": "Anna"}
    acts = history(assign("Anna", "a", "b"), assign("Ben", "a"), undo(2), redo(2))
    assert decisions(acts).names == {"a": "Ben", "b": "Anna"}


def test_undo_of_an_early_act_leaves_what_others_decided_since() -> None:
    acts = history(assign("Anna", "a", "b"), assign("Ben", "a", author="you"), undo(1))
    assert decisions(acts).names == {"a": "Ben"}


def test_undo_is_of_ones_own_acts() -> None:
    acts = history(assign("Anna", "a"), assign("Ben", "b", author="you"))
    assert next_undo(acts, {"me"}) == 1
    assert next_undo(acts, {"you"}) == 2
    assert next_undo(acts) == 2
    acts = history(assign("Anna", "a"), assign("Ben", "b", author="you"), undo(1))
    assert next_undo(acts, {"me"}) is None
    assert next_redo(acts, {"me"}) == 1
    assert next_redo(acts, {"you"}) is None


def test_a_new_act_ends_what_could_be_done_again() -> None:
    acts = history(assign("Anna", "a"), undo(1), assign("Ben", "b"))
    assert next_redo(acts) is None
    assert next_undo(acts) == 3


def test_a_name_and_a_mark_that_contradict_each_other() -> None:
    mark = {"kind": Kind.MARK, "lines": ("a",), "value": "nobody"}
    assert decisions(history(assign("Anna", "a"), mark)).names == {}
    assert decisions(history(mark, assign("Anna", "a"))).marks == {}
    both = decisions(history(assign("Anna", "a"), {**mark, "value": "unusable"}))
    assert (both.names, both.marks) == ({"a": "Anna"}, {"a": frozenset({"unusable"})})
    swapped = decisions(history(mark, {**mark, "value": "not speech"}))
    assert swapped.marks == {"a": frozenset({"not speech"})}


def test_renames_follow_each_other() -> None:
    def rename(old: str, new: str) -> dict[str, object]:
        return {"kind": Kind.RENAME, "value": old, "new_name": new}

    found = decisions(history(assign("Anna", "a"), rename("Anna", "Ana"), rename("Ana", "Anne")))
    assert found.names == {"a": "Anne"}
    assert found.renames == {"Anna": "Anne", "Ana": "Anne"}
    back = decisions(history(rename("Anna", "Ana"), rename("Ana", "Anna")))
    assert back.renames.get("Anna", "Anna") == "Anna"


names = st.sampled_from(["Anna", "Ben", "阿虚"])
keys = st.sampled_from(LINES)
some_keys = st.lists(keys, min_size=1, unique=True)
acts = st.lists(
    st.one_of(
        st.builds(lambda name, lines: assign(name, *lines), names, some_keys),
        st.builds(lambda mark, x: {"kind": Kind.MARK, "lines": (x,), "value": mark}, st.sampled_from(MARKS), keys),
        st.builds(lambda x, text: {"kind": Kind.TEXT, "lines": (x,), "value": text}, keys, st.text(max_size=3)),
        st.just("undo"),
        st.just("redo"),
    ),
    max_size=30,
)


def walked(steps: list[object]) -> list[Act]:
    """The history that somebody with an undo and a redo key makes."""
    found: list[Act] = []
    for step in steps:
        if isinstance(step, dict):
            found.append(Act(number=len(found) + 1, **{"author": "me", **step}))
            continue
        target = next_undo(found) if step == "undo" else next_redo(found)
        if target is not None:
            kind = Kind.UNDO if step == "undo" else Kind.REDO
            found.append(Act(number=len(found) + 1, author="me", kind=kind, target=target))
    return found


@given(acts)
def test_undo_and_redo_walk_as_a_stack_does(steps: list[object]) -> None:
    done: list[dict[str, object]] = []
    off: list[dict[str, object]] = []
    for step in steps:
        if isinstance(step, dict):
            done.append(step)
            off = []
        elif step == "undo" and done:
            off.append(done.pop())
        elif step == "redo" and off:
            done.append(off.pop())
    expected = decisions([Act(number=k, **{"author": "me", **a}) for k, a in enumerate(done, 1)])  # type: ignore[arg-type]
    found = decisions(walked(steps))
    assert (found.names, found.marks, found.texts) == (expected.names, expected.marks, expected.texts)


@given(acts)
def test_a_history_survives_the_disk(tmp_path_factory: pytest.TempPathFactory, steps: list[object]) -> None:
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    acts_ = walked(steps)
    file = HistoryFile(path)
    for act in acts_:
        file.add([act])
    assert HistoryFile(path).read() == acts_


@pytest.mark.parametrize("left", [1, 20, -2])
def test_a_row_that_a_crash_cut_short_is_nobodys_decision(tmp_path: Path, left: int) -> None:
    path = tmp_path / "history.jsonl"
    acts_ = history(assign("Anna", "a"), assign("Ben", "b"))
    HistoryFile(path).add(acts_)
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + second[:left])
    assert HistoryFile(path).read() == acts_[:1]
    HistoryFile(path).add([dataclasses.replace(acts_[1], value="Cleo")])
    assert [act.value for act in HistoryFile(path).read()] == ["Anna", "Cleo"]


def test_a_damaged_history_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"number": 1, "kind": "no such"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="row 1 is not a decision"):
        HistoryFile(path).read()


@given(acts)
def test_the_tables_say_what_was_decided(steps: list[object]) -> None:
    lines = {key: a_line("ep01", k, line_id=key) for k, key in enumerate(LINES)}
    decided = decisions(walked(steps))
    rows = label_rows(decided, lines)
    edits = {edit.line_id: edit for edit in line_edits(decided, lines)}
    assert {row[5]: row[0] for row in rows} == decided.names
    told = {row[5]: row[0] for row in rows}
    assert differences(decided, told, edits, lines) == []
    # From nothing, the tables alone lead to the same decisions.
    found = differences(decisions([]), told, edits, lines)
    again = decisions([Act(number=k, author="file", **_typed(act)) for k, act in enumerate(found, 1)])
    assert (again.names, again.marks, again.texts) == (decided.names, decided.marks, decided.texts)


def _typed(act: dict[str, object]) -> dict[str, object]:
    return {**act, "kind": Kind(str(act["kind"])), "lines": tuple(act["lines"])}  # type: ignore[arg-type]


def test_tables_survive_the_disk(tmp_path: Path) -> None:
    edits = [
        LineEdit("ep", "ep-1", 'a "b",\nc', 5, 10, ("unusable",)),
        LineEdit("ep", "ep-2", None, None, None, ("nobody",)),
    ]
    write_edits([*edits, LineEdit("ep", "ep-3")], tmp_path / "corrections.csv")
    assert list(read_edits(tmp_path / "corrections.csv").values()) == edits
    rows = [
        ("Anna", "=1+1", "0:00:01.000", "0:00:02.000", "ep", "ep-1"),
        ("Ben", "x", "0:00:01.000", "0:00:02.000", "ep", ""),
    ]
    write_labels(rows, tmp_path / "labels.csv")
    assert read_labels(tmp_path / "labels.csv") == rows


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ep,a,,5,,", "a start without an end"),
        ("ep,a,,10,5,", "no stretch of time"),
        ("ep,a,,x,5,", "row 2"),
        ("ep,a,,5,9,added", "a line that is added has words"),
        ("ep,a,words,,,added", "a line that is added has words"),
        ("ep,a,,,,singing", "unknown mark 'singing'"),
    ],
)
def test_a_wrong_row_of_corrections_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(f"episode_id,line_id,text,start_ms,end_ms,marks\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_edits(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6), max_size=5))
def test_renames_are_aliases_that_a_run_reads(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, str]) -> None:
    clean = {f"old{old!r}": f"new{new!r}" for old, new in pairs.items()}
    path = tmp_path_factory.mktemp("renames") / "renames.toml"
    path.write_text(renames_toml(clean), encoding="utf-8")
    try:
        aliases = read_aliases(path)
    except InputError:
        return  # two names that differ in case alone
    assert {old: aliases.name(old) for old in clean} == clean


def test_which_episodes_are_to_be_brought_up_to_date() -> None:
    episode_of = {line.line_id: line.episode_id for ep in ("x", "y") for line in some_lines(ep, 2)}
    said = {"Anna": {"x", "z"}}
    first, other = assign("Anna", "x-00000"), assign("Ben", "y-00000")
    assert episodes_to_apply(history(first, other), episode_of, said) == {"x", "y"}
    applied: dict[str, object] = {"kind": Kind.APPLIED, "lines": ("x",)}
    assert episodes_to_apply(history(first, other, applied), episode_of, said) == {"y"}
    assert episodes_to_apply(history(first, other, applied, undo(1)), episode_of, said) == {"x", "y"}
    rename: dict[str, object] = {"kind": Kind.RENAME, "value": "Anna", "new_name": "Ana"}
    assert episodes_to_apply(history(rename), episode_of, said) == {"x", "z"}
