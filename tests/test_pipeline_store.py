"""Stages, recipes and the store: what is reused, what is redone and why, and what is never lost."""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.events import Event, EventKind, silent
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.marks import Mark, OutputFile, Recipe, Renames
from pipelines.engine.stage import Counts, Job, Runner, Stage
from pipelines.engine.store import Store
from yuki_builder.errors import InternalError, OutputError
from yuki_builder.records import StageReport


@dataclass
class Toy:
    """The subject of three small stages: read a text, take its words, count them."""

    source: Path
    options: dict[str, str] = field(default_factory=lambda: {"case": "keep"})
    ran: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)


def _copy(toy: Toy, job: Job) -> Counts:
    toy.ran.append("copy")
    job.output("text/copy.txt").write_bytes(toy.source.read_bytes())
    return Counts(1)


def _words(toy: Toy, job: Job) -> Counts:
    toy.ran.append("words")
    words = job.input("text/copy.txt").read_text().split()
    kept = [w for w in words if w.isalpha()]
    for word in kept:
        name = word.upper() if toy.options["case"] == "upper" else word
        job.output(f"words/{word[0]}/{word}.txt").write_text(name)
    job.output("words.json").write_text(json.dumps(kept))
    (job.scratch / "notes").write_text("nobody needs this")
    return Counts(len(kept), {"no letters": len(words) - len(kept)})


def _count(toy: Toy, job: Job) -> Counts:
    toy.ran.append("count")
    job.progress(1, 2)
    job.output("count.txt").write_text(str(len(json.loads(job.input("words.json").read_text()))))
    return Counts(1)


STAGES = (
    Stage("copy", 1, _copy, writes=("text/copy.txt",), files=lambda t: {"source": t.source}),
    Stage(
        "words",
        1,
        _words,
        reads=("text/copy.txt",),
        writes=("words/", "words.json"),
        settings=lambda t: dict(t.options),
        check=lambda t: t.checked.append("words"),
    ),
    Stage("count", 1, _count, reads=("words.json",), writes=("count.txt",), packages=("filelock",)),
)


class Bench:
    def __init__(self, folder: Path, stages: tuple[Stage[Toy], ...] = STAGES) -> None:
        self.source = folder / "source.txt"
        self.source.write_text("one two 3 three")
        self.toy = Toy(self.source)
        self.notices: list[str] = []
        self.store = Store(folder / "out", notice=self.notices.append)
        self.stages = stages

    @property
    def runner(self) -> Runner[Toy]:
        return Runner(self.stages, self.toy, store=self.store, fingerprints=Fingerprints(), name="toy")

    def run(self, *, force: bool = False, until: str | None = None) -> list[str]:
        """Which stages ran."""
        self.toy.ran = []
        with self.store.locked():
            self.runner.run(silent, force=force, until=until)
        return self.toy.ran

    def plan(self) -> dict[str, str | None]:
        return {step.stage.name: step.reason for step in self.runner.plan()}

    def files(self) -> dict[str, bytes]:
        return visible(self.store.folder)


def visible(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and ".work" not in p.relative_to(folder).parts
    }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_all_stages_run_once_and_are_then_reused(bench: Bench) -> None:
    assert bench.run() == ["copy", "words", "count"]
    assert bench.files() == {
        "text/copy.txt": b"one two 3 three",
        "words/o/one.txt": b"one",
        "words/t/two.txt": b"two",
        "words/t/three.txt": b"three",
        "words.json": b'["one", "two", "three"]',
        "count.txt": b"3",
    }
    assert bench.run() == []
    assert bench.plan() == {"copy": None, "words": None, "count": None}


def test_events_and_reports_also_of_reused_stages(bench: Bench) -> None:
    events: list[Event] = []
    with bench.store.locked():
        first = bench.runner.run(events.append)
        kinds = [(e.kind, e.stage) for e in events if e.stage == "count"]
        assert kinds == [(EventKind.STARTED, "count"), (EventKind.PROGRESS, "count"), (EventKind.FINISHED, "count")]
        assert events[0].message == "not done yet"
        events.clear()
        again = bench.runner.run(events.append)
    assert [e.kind for e in events] == [EventKind.REUSED] * 3
    assert again == first
    assert first[1] == StageReport("words", first[1].seconds, 4, 3, {"no letters": 1})


def test_collection_of_garbage_is_rare_while_stages_run_and_as_before_afterwards(bench: Bench) -> None:
    before = gc.get_threshold()
    during: list[tuple[int, int, int]] = []
    with bench.store.locked():
        bench.runner.run(lambda _: during.append(gc.get_threshold()))
    assert during
    assert all(now > before for now in during)
    assert gc.get_threshold() == before


def test_planning_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    assert bench.plan() == {"copy": "not done yet", "words": "after copy", "count": "after words"}
    assert [p.name for p in tmp_path.iterdir()] == ["source.txt"]


def test_touched_input_is_no_reason(bench: Bench) -> None:
    bench.run()
    os.utime(bench.source, (1, 1))
    assert bench.run() == []


def test_changed_input_redoes_only_what_comes_out_differently(bench: Bench) -> None:
    bench.run()
    bench.source.write_text("one two 3  three")  # one more blank: other text, same words
    assert bench.plan()["copy"] == "source is not what it was"
    assert bench.run() == ["copy", "words"]
    assert bench.run() == []


def test_changed_setting_is_named(bench: Bench) -> None:
    bench.run()
    bench.toy.options["case"] = "upper"
    assert bench.plan() == {"copy": None, "words": "case is now upper, was keep", "count": "after words"}
    assert bench.run() == ["words"]  # words.json is the same, so nothing is counted again
    assert bench.files()["words/o/one.txt"] == b"ONE"


def test_new_version_of_a_stage(bench: Bench) -> None:
    bench.run()
    bench.stages = (*STAGES[:2], Stage("count", 2, _count, reads=("words.json",), writes=("count.txt",)))
    assert bench.plan()["count"] == "this version of the program does it differently"
    assert bench.run() == ["count"]


def test_force_redoes_everything(bench: Bench) -> None:
    bench.run()
    before = bench.files()
    assert bench.run(force=True) == ["copy", "words", "count"]
    assert bench.files() == before


def test_until_stops_after_the_stage_named(bench: Bench) -> None:
    assert bench.run(until="words") == ["copy", "words"]
    assert bench.run() == ["count"]


def test_check_comes_before_all_work_and_only_if_needed(bench: Bench) -> None:
    def refuse(toy: Toy) -> None:
        raise OutputError("refused")

    good = bench.stages
    bench.stages = (*good[:2], Stage("count", 1, _count, reads=("words.json",), writes=("count.txt",), check=refuse))
    with pytest.raises(OutputError, match="refused"):
        bench.run()
    assert bench.toy.ran == []
    bench.stages = good
    bench.run()
    bench.toy.checked.clear()
    bench.run()
    assert bench.toy.checked == []


def test_outputs_of_an_earlier_recipe_are_removed(bench: Bench) -> None:
    bench.run()
    bench.source.write_text("four")
    bench.run()
    assert sorted(bench.files()) == ["count.txt", "text/copy.txt", "words.json", "words/f/four.txt"]
    assert not (bench.store.folder / "words" / "t").exists()


@pytest.mark.parametrize("victim", ["count.txt", "words/t/two.txt", "text/copy.txt"])
def test_deleted_output_is_made_again(bench: Bench, victim: str) -> None:
    bench.run()
    before = bench.files()
    (bench.store.folder / victim).unlink()
    assert f"{victim} is gone" in bench.plan().values()
    assert len(bench.run()) == 1  # what depends on it finds the same content again
    assert bench.files() == before
    assert bench.notices == []


@pytest.mark.parametrize("content", [b"my own count", b"7"])
def test_edited_output_is_made_again_and_the_edit_kept(bench: Bench, content: bytes) -> None:
    bench.run()
    edited = bench.store.folder / "count.txt"
    edited.write_bytes(content)  # b"7" has the size of the original
    assert bench.plan()["count"] == "count.txt was changed"
    assert bench.run() == ["count"]
    assert edited.read_bytes() == b"3"
    assert (bench.store.folder / "count.txt.bak-1").read_bytes() == content
    assert len(bench.notices) == 1
    assert "count.txt.bak-1" in bench.notices[0]
    edited.write_bytes(b"again")
    bench.run()
    assert (bench.store.folder / "count.txt.bak-1").read_bytes() == content
    assert (bench.store.folder / "count.txt.bak-2").read_bytes() == b"again"
    assert bench.run() == []


def test_edited_output_that_the_new_recipe_does_not_make_is_kept(bench: Bench) -> None:
    bench.run()
    (bench.store.folder / "words/t/two.txt").write_text("TWO, corrected")
    bench.source.write_text("one")
    bench.run()
    assert (bench.store.folder / "words/t/two.txt.bak-1").read_text() == "TWO, corrected"
    assert not (bench.store.folder / "words/t/two.txt").exists()


def test_files_that_were_there_before_are_set_aside_or_left_alone(bench: Bench) -> None:
    folder = bench.store.folder
    (folder / "words" / "o").mkdir(parents=True)
    (folder / "count.txt").mkdir()  # even a folder in the way
    (folder / "count.txt" / "mine").write_text("mine")
    (folder / "words.json").symlink_to("nowhere")
    (folder / "words" / "o" / "one.txt").write_text("one")  # happens to be what the stage writes
    (folder / "words" / "notes.txt").write_text("mine")
    bench.run()
    assert (folder / "count.txt").read_text() == "3"
    assert (folder / "count.txt.bak-1" / "mine").read_text() == "mine"
    assert (folder / "words.json.bak-1").is_symlink()
    assert (folder / "words" / "notes.txt").read_text() == "mine"
    assert not (folder / "words" / "o" / "one.txt.bak-1").exists()
    assert len(bench.notices) == 2
    bench.source.write_text("two")  # the folder of words empties, but for the user's own file
    bench.run()
    assert (folder / "words" / "notes.txt").read_text() == "mine"


def test_a_file_that_another_stage_makes_now_is_neither_lost_nor_set_aside(tmp_path: Path) -> None:
    """As after an update that parts a stage: the files were another stage's."""

    def both(toy: Toy, job: Job) -> Counts:
        job.output("a.txt").write_text(toy.options["case"])
        job.output("b.txt").write_text("b")
        return Counts()

    def only(name: str) -> Callable[[Toy, Job], Counts]:
        def run(toy: Toy, job: Job) -> Counts:
            job.output(name).write_text(toy.options["case"] if name == "a.txt" else "b")
            return Counts()

        return run

    bench = Bench(tmp_path, (Stage("old", 1, both, writes=("a.txt", "b.txt")),))
    bench.run()
    bench.toy.options["case"] = "other"
    bench.stages = (
        Stage("new", 1, only("a.txt"), writes=("a.txt",)),
        Stage("old", 2, only("b.txt"), writes=("b.txt",)),
    )
    bench.run()
    assert bench.files() == {"a.txt": b"other", "b.txt": b"b"}
    assert bench.notices == []
    assert not any(bench.plan().values())


def _earlier_version(bench: Bench) -> None:
    """Let the bench run once with other names of the stage ``words`` and of its table, then have today's again."""

    def old_words(toy: Toy, job: Job) -> Counts:
        counts = _words(toy, job)
        job.output("words.json").rename(job.outputs / "table.json")
        return counts

    def old_count(toy: Toy, job: Job) -> Counts:
        job.output("count.txt").write_text(str(len(json.loads(job.input("table.json").read_text()))))
        return Counts(1)

    copy, words, count = STAGES
    writes = ("words/", "table.json", "words.json")
    bench.stages = (
        copy,
        dataclasses.replace(words, name="terms", run=old_words, writes=writes),
        dataclasses.replace(count, run=old_count, reads=("table.json",)),
    )
    bench.run()
    bench.stages = STAGES
    renames = Renames(stages={"terms": "words"}, paths={"table.json": "words.json"})
    bench.store = Store(bench.store.folder, notice=bench.notices.append, renames=renames)


def _stages_done(bench: Bench) -> set[str]:
    return {path.stem for path in (bench.store.work / "done").iterdir()}


def test_what_an_earlier_version_made_under_other_names_is_taken_over(bench: Bench) -> None:
    _earlier_version(bench)
    assert _stages_done(bench) == {"copy", "terms", "count"} and "table.json" in bench.files()
    # Nobody's memory is wrong: the stage is reused as it is, its report has the new name.
    assert bench.run() == ["count"]  # the name of what it reads is part of its recipe
    assert _stages_done(bench) == {"copy", "words", "count"}
    mark = bench.store.mark("words")
    assert mark is not None and mark.report.stage == "words"
    assert sorted(bench.files()) == [
        *("count.txt", "text/copy.txt", "words.json"),
        *("words/o/one.txt", "words/t/three.txt", "words/t/two.txt"),
    ]
    assert bench.files()["words.json"] == b'["one", "two", "three"]'
    assert bench.run() == [] and bench.notices == []


def test_what_an_earlier_version_made_after_this_one_is_removed(bench: Bench) -> None:
    """Today's version, then the earlier one, then today's again."""
    bench.run()
    today = bench.files()
    bench.source.write_text("four five")
    _earlier_version(bench)
    bench.source.write_text("one two 3 three")
    assert bench.run() == ["copy", "count"]
    assert bench.files() == today and _stages_done(bench) == {"copy", "words", "count"}


def test_edited_output_of_an_earlier_version_is_left_alone(bench: Bench) -> None:
    _earlier_version(bench)
    (bench.store.folder / "table.json").write_text("mine")
    assert bench.run() == ["words", "count"]
    assert bench.files()["table.json"] == b"mine"
    assert bench.files()["words.json"] == b'["one", "two", "three"]'


def test_a_stage_that_is_not_wanted_has_no_outputs(bench: Bench) -> None:
    count = dataclasses.replace(STAGES[2], wanted=lambda toy: bool(toy.options.get("count")))
    bench.stages = (*STAGES[:2], count)
    bench.toy.options["count"] = "yes"
    assert bench.run() == ["copy", "words", "count"]
    bench.toy.options["count"] = ""
    bench.run()
    assert "count" not in bench.toy.ran
    assert "count.txt" not in bench.files()
    assert not any(bench.plan().values())


def test_lost_book_keeping_costs_time_only(bench: Bench) -> None:
    bench.run()
    before = bench.files()
    subprocess.run(["rm", "-r", bench.store.work], check=True)
    assert bench.run() == ["copy", "words", "count"]
    assert bench.files() == before  # no backups of what comes out the same
    assert bench.notices == []


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"stage": 1}', '"\\ud800"', "null"])
def test_damaged_mark_only_redoes_the_stage(bench: Bench, damage: str) -> None:
    bench.run()
    (bench.store.work / "done" / "count.json").write_text(damage)
    (bench.store.work / "done" / "words.pending").write_text(damage)
    assert bench.run() == ["count"]
    assert bench.run() == []


@pytest.mark.parametrize("path", ["../victim", "/etc/victim", "words/../../victim", ""])
def test_a_mark_cannot_point_outside_its_folder(bench: Bench, path: str) -> None:
    bench.run()
    victim = bench.store.folder.parent / "victim"
    victim.write_bytes(b"3")
    mark_path = bench.store.work / "done" / "count.json"
    mark = json.loads(mark_path.read_text())
    mark["outputs"].append({**mark["outputs"][0], "path": path})
    mark_path.write_text(json.dumps(mark))
    assert bench.run() == ["count"]
    assert victim.read_bytes() == b"3"


def test_large_outputs_are_trusted_by_size_and_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.engine.store._ALWAYS_HASHED_BYTES", 0)
    bench.run()
    path = bench.store.folder / "count.txt"
    os.utime(path, ns=(1, 1))  # copied to another disk: other time, same content
    assert bench.run() == []
    path.write_text("8")
    assert bench.run() == ["count"]
    assert (bench.store.folder / "count.txt.bak-1").read_text() == "8"


def test_failing_stage_leaves_no_trace(bench: Bench) -> None:
    def fail(toy: Toy, job: Job) -> Counts:
        job.output("count.txt").write_text("half")
        raise InternalError("broke")

    good = bench.stages
    bench.stages = (*good[:2], Stage("count", 1, fail, reads=("words.json",), writes=("count.txt",)))
    with pytest.raises(InternalError, match="broke"):
        bench.run()
    assert not (bench.store.folder / "count.txt").exists()
    assert list((bench.store.work / "tmp").iterdir()) == []
    bench.stages = good
    assert bench.run() == ["count"]


def test_failing_redo_keeps_the_earlier_result(bench: Bench) -> None:
    def fail(toy: Toy, job: Job) -> Counts:
        job.output("count.txt").write_text("half")
        raise InternalError("broke")

    bench.run()
    bench.stages = (*bench.stages[:2], Stage("count", 9, fail, reads=("words.json",), writes=("count.txt",)))
    with pytest.raises(InternalError):
        bench.run()
    assert bench.files()["count.txt"] == b"3"


def test_undeclared_reading_and_writing_is_refused(bench: Bench) -> None:
    def peek(toy: Toy, job: Job) -> Counts:
        job.input("words.json")
        return Counts()

    def stray(toy: Toy, job: Job) -> Counts:
        job.output("elsewhere.txt")
        return Counts()

    for run, what in ((peek, "reads words.json"), (stray, "writes elsewhere.txt")):
        bench.stages = (*STAGES, Stage("extra", 1, run, writes=("extra.txt",)))
        with pytest.raises(InternalError, match=what):
            bench.run()
    bench.stages = (Stage("extra", 1, peek, reads=("words.json",)),)
    with pytest.raises(InternalError, match="no stage writes"):
        bench.run()


def test_stage_may_not_leave_links(bench: Bench) -> None:
    def link(toy: Toy, job: Job) -> Counts:
        job.output("link").symlink_to("/etc")
        return Counts()

    bench.stages = (Stage("link", 1, link, writes=("link",)),)
    with pytest.raises(InternalError, match="regular files"):
        bench.run()


def test_second_run_is_told_who_holds_the_folder(bench: Bench) -> None:
    with bench.store.locked():
        other = Store(bench.store.folder)
        with pytest.raises(OutputError, match=rf"another run .*process {os.getpid()} on ") as error, other.locked():
            pass
        assert error.value.exit_status == 2
    with Store(bench.store.folder).locked():
        pass


def test_lock_of_a_killed_process_is_no_obstacle(bench: Bench) -> None:
    code = (
        "import os, pathlib, signal, sys; from pipelines.engine.store import Store\n"
        "with Store(pathlib.Path(sys.argv[1])).locked(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, bench.store.folder], check=False)
    assert done.returncode == -9
    assert (bench.store.work / "holder.json").exists()
    assert bench.run() == ["copy", "words", "count"]
    assert not (bench.store.work / "holder.json").exists()


def test_left_over_workspaces_are_removed(bench: Bench) -> None:
    left = bench.store.work / "tmp" / "words" / "outputs" / "words"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("half")
    bench.run()
    assert not left.exists()
    assert "words/half.txt" not in bench.files()


_NAMES = st.sampled_from(["a", "b", "c"])
_MAPPINGS = st.dictionaries(_NAMES, st.sampled_from(["1", "2"]))
_RECIPE = Recipe(1, {"a": "b"}, {}, {"in": "hash"})
_RECIPES = st.builds(Recipe, st.integers(1, 2), _MAPPINGS, _MAPPINGS, _MAPPINGS)


@given(_RECIPES, _RECIPES)
def test_recipes_differ_exactly_when_a_reason_can_be_given(now: Recipe, then: Recipe) -> None:
    assert (now.difference(then) is None) == (now == then)


@given(_RECIPES)
def test_marks_survive_json(recipe: Recipe) -> None:
    mark = Mark("s", recipe, (OutputFile("a/b", 1, 2, "f"),), StageReport("s", 0.5, 2, 1, {"why": 1}, ("note",)))
    assert Mark.from_dict(json.loads(json.dumps(mark.to_dict()))) == mark


def test_fingerprints_remember_and_notice(tmp_path: Path) -> None:
    file, memory = tmp_path / "a", tmp_path / "memory.json"
    file.write_text("one")
    first = Fingerprints()
    sha = first.of(file)
    first.save(memory)
    second = Fingerprints()
    second.load(memory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.engine.fingerprints.hash_file", lambda path: "read again")
        assert second.of(file) == sha
        os.utime(file, ns=(5, 5))
        assert second.of(file) == "read again"
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x").write_text("x")
    before = first.of(folder)
    (folder / "sub" / "x").rename(folder / "sub" / "y")
    assert first.of(folder) != before


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"a": 1}', '{"a": [1, "x", "y"]}'])
def test_damaged_memory_of_fingerprints_is_ignored(tmp_path: Path, damage: str) -> None:
    (tmp_path / "memory.json").write_text(damage)
    (tmp_path / "a").write_text("one")
    fingerprints = Fingerprints()
    fingerprints.load(tmp_path / "memory.json")
    assert fingerprints.of(tmp_path / "a") == Fingerprints().of(tmp_path / "a")


def test_a_mark_has_a_row_an_output_and_is_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.locked(), store.workspace("s") as workspace:
        for name in ("b/2", "b/1", "a", 'b-"\n'):
            (workspace.outputs / name).parent.mkdir(exist_ok=True)
            (workspace.outputs / name).write_text(name)
        store.commit("s", _RECIPE, StageReport("s", 0.0, 4, 4, {}))
    path = tmp_path / ".work/done/s.json"
    values = json.loads(path.read_text())
    assert [output["path"] for output in values["outputs"]] == ["a", "b/1", "b/2", 'b-"\n']
    assert path.read_text().count("\n") == 6
    mark = Store(tmp_path).mark("s")
    assert mark is not None
    assert mark == Mark.from_dict(values)


def test_a_mark_of_an_earlier_version_is_believed(tmp_path: Path) -> None:
    from pipelines.engine.marks import _seal

    store = Store(tmp_path)
    with store.locked(), store.workspace("s") as workspace:
        (workspace.outputs / "a").write_text("a")
        store.commit("s", _RECIPE, StageReport("s", 0.0, 1, 1, {}))
    path = tmp_path / ".work/done/s.json"
    values = json.loads(path.read_text())
    del values["sha256"]
    for text in (json.dumps(values), json.dumps({**values, "sha256": _seal(values)}, indent=1)):
        path.write_text(text)
        assert store.why_not_done("s", _RECIPE) is None
    path.write_text(json.dumps({**values, "sha256": "0" * 64}))
    assert store.why_not_done("s", _RECIPE) == "not done yet"


@given(data=st.data())
def test_a_mark_whose_bytes_were_changed_is_not_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    store = Store(folder)
    with store.locked(), store.workspace("s") as workspace:
        for name in ("a", "b"):
            (workspace.outputs / name).write_text(name)
        store.commit("s", _RECIPE, StageReport("s", 0.0, 1, 1, {}))
    path = folder / ".work/done/s.json"
    original = path.read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    kind = data.draw(st.sampled_from(["cut", "changed", "doubled"]))
    changed = {
        "cut": original[:place],
        "changed": original[:place] + bytes([original[place] ^ data.draw(st.integers(1, 255))]) + original[place + 1 :],
        "doubled": original[:place] + original[max(0, place - 40) :],
    }[kind]
    path.with_suffix(".pending").write_bytes(changed)
    path.unlink()
    mark = store.mark("s")
    assert mark is None or changed.rstrip(b"\n") == original.rstrip(b"\n")
