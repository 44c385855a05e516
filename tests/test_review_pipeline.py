"""What a review decides, in the pipeline: names, words, times and marks reach the lines, and stay there."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from test_pipeline_episode import Shared, copied, files, rerun, shared  # noqa: F401  (fixtures)

from pipelines import EpisodeConfig, run_season
from pipelines.console.app import main
from pipelines.corpus.review import config_of, open_desk
from pipelines.engine import stage
from pipelines.episode.records import embeddings_in, read_embeddings, read_lines, read_records
from pipelines.layout import EMBEDDINGS, SPEECH, VOCALS
from video_preprocessing.speech import embed_spans, load_embedder
from yuki_builder import open_corpus
from yuki_builder.characters import Gallery
from yuki_builder.corpus import EXPORTERS, Desk, ExportOptions
from yuki_builder.corpus.review.desk import Filter
from yuki_builder.records import Line, LineSource, Span, Verdict

ROOT = Path(__file__).parents[1]
SLOW = {"probe", "extract", "separate", "speech", "align", "turns", "part", "embeddings", "shots", "pictures"}


def corrected(folder: Path) -> Path:
    return embeddings_in(folder)


def lines_of(out: Path) -> dict[str, Line]:
    return {line.line_id: line for line in read_lines(out / "ep01")}


def apply(desk: Desk) -> list[dict[str, object]]:
    desk.apply()
    assert desk.applying["state"] == "done", desk.applying
    changed: list[dict[str, object]] = desk.applying["changes"]
    return changed


def test_decisions_reach_the_lines_and_undo_takes_them_back(copied: Shared) -> None:  # noqa: F811
    before = lines_of(copied.out)
    one, two, three, four, five, *_ = before
    desk = open_desk(copied.out)
    desk.decide("me", {"kind": "assign", "lines": [one], "value": "Grace"})
    desk.decide("me", {"kind": "mark", "lines": [two], "value": "not speech"})
    desk.decide("me", {"kind": "mark", "lines": [three], "value": "nobody"})
    desk.decide("me", {"kind": "mark", "lines": [four], "value": "unusable"})
    desk.decide("me", {"kind": "text", "lines": [four], "value": "Other words"})
    times = (before[five].start_ms + 100, before[five].end_ms - 100)
    desk.decide("me", {"kind": "times", "lines": [five], "start_ms": times[0], "end_ms": times[1]})
    desk.think("ep01")
    assert desk.line(one).character == "Grace"
    changed = {str(each["id"]): each["what"] for each in apply(desk)}
    assert changed.keys() >= {one, two, three, four, five}
    after = lines_of(copied.out)
    assert (after[one].character, after[one].verdict, after[one].confidence) == ("Grace", Verdict.CERTAIN, 1.0)
    assert two not in after
    assert (after[three].character, after[three].verdict) == (None, Verdict.UNKNOWN)
    assert next((e.source, e.character) for e in after[three].evidence) == ("manual", "nobody")
    assert after[four].text == "Other words"
    assert (after[five].start_ms, after[five].end_ms) == times
    assert [line.index for line in after.values()] == list(range(len(after)))
    assert after[five].clip and (copied.out / after[five].clip).is_file()
    # Exports leave out what is not to be trained on.
    assert ExportOptions().without == {"duplicate", "unusable"}
    to = copied.out.parent / "exports"
    assert main(["export", "webdataset", "--out", str(copied.out), "--to", str(to), "--min-confidence", "0"]) == 0
    assert desk.applying["exports"] == []
    assert main(["export", "chat", "--out", str(copied.out), "--min-confidence", "0"]) == 0
    desk.decide("me", {"kind": "unmark", "lines": [two], "value": "not speech"})
    desk.decide("me", {"kind": "mark", "lines": [two], "value": "not speech"})
    apply(desk)
    assert desk.applying["exports"] == ["chat"]  # written with options that the review does not know
    assert EXPORTERS["webdataset"].needs_clips
    for path in sorted((copied.out / "corpus").rglob("*")):
        if path.is_file() and path.parts[len(copied.out.parts) + 1] in ("texts", "haruhi", "roleplay"):
            assert "Other words" not in path.read_text(encoding="utf-8"), path
    corpus = open_corpus(copied.out)
    assert "Other words" in set(corpus.lines["text"])
    assert list(corpus.quality.loc[corpus.quality["unusable"], "line_id"]) == [four]
    # The very command that made the episode keeps what was decided, and has nothing to do.
    result, ran = rerun(copied)
    assert [line.line_id for line in result.lines] == list(after)
    assert set(ran) <= {"report", "summary"}
    # A restart knows all of it: even the line that is no line any more.
    desk = open_desk(copied.out)
    assert desk.details(two)["marks"] == ["not speech"]
    while desk.undo("me"):
        pass
    apply(desk)
    back = lines_of(copied.out)
    assert back == before


def test_a_line_is_cut_and_one_added_and_both_are_lines_like_others(copied: Shared) -> None:  # noqa: F811
    before = lines_of(copied.out)
    first = max(before.values(), key=lambda line: line.end_ms - line.start_ms)
    assert first.end_ms - first.start_ms > 2 * 1100
    middle, end = (first.start_ms + first.end_ms) // 2, max(line.end_ms for line in before.values())
    desk = open_desk(copied.out)
    cut = {"kind": "cut", "lines": [first.line_id], "value": "First half", "second": "Second half", "cut_ms": middle}
    second = desk.decide("me", cut)["act"]["lines"][1]
    new = {"kind": "add", "episode": "ep01", "value": "Not in the file", "start_ms": end + 100, "end_ms": end + 1100}
    added = desk.decide("me", new)["act"]["lines"][0]
    desk.decide("me", {"kind": "assign", "lines": [second], "value": "Grace"})
    desk.think("ep01")
    assert desk.line(second).character == "Grace"
    # Nothing was heard yet where the first half is alone: its voice is not that of the whole.
    by_sound = {"voice", "vocals", "mix"}
    assert by_sound & {e.source for e in first.evidence}
    assert not by_sound & {e.source for e in desk.line(first.line_id).evidence}
    assert {str(each["id"]) for each in apply(desk)} >= {first.line_id, second, added}
    assert by_sound & {e.source for e in desk.line(first.line_id).evidence}
    after = lines_of(copied.out)
    assert [(x.start_ms, x.end_ms, x.text) for x in (after[first.line_id], after[second])] == [
        (first.start_ms, middle, "First half"),
        (middle, first.end_ms, "Second half"),
    ]
    assert (after[second].character, after[second].source) == ("Grace", LineSource.REVIEW)
    assert (after[added].text, after[added].start_ms) == ("Not in the file", end + 100)
    assert len(after) == len(before) + 2 and [x.index for x in after.values()] == list(range(len(after)))
    for key in (second, first.line_id):
        assert after[key].clip and (copied.out / str(after[key].clip)).is_file()
    # Each has the speaker embedding that its own stretch of sound gives; the others have theirs as they were.
    folder = copied.out / "ep01"
    (earlier, _), (voices, embedder) = (read_embeddings(p) for p in (folder / EMBEDDINGS, corrected(folder)))
    assert {second, first.line_id} <= set(voices.keys) and set(voices.signals) == set(earlier.signals)
    later = [line.start_ms for line in before.values() if line.start_ms > middle]
    heard = embed_spans(
        folder / VOCALS,
        {second: Span(middle + 80, min([first.end_ms, *(start - 80 for start in later)]))},  # neighbours reach in
        read_records(folder / SPEECH, Span),
        load_embedder(),
    )
    np.testing.assert_allclose(voices.get(second), heard.vectors[0], atol=1e-5)
    changed = {key for key in voices.keys if (voices.get(key) != earlier.get(key)).any()}
    assert changed == {first.line_id, second, added} & set(voices.keys)
    gallery = Gallery.load(copied.out / "corpus/gallery", embedder=embedder)
    assert any(second in key for key in gallery.keys) == (after[second].overlap == 0)
    corpus = open_corpus(copied.out)
    assert {"Second half", "Not in the file"} <= set(corpus.lines["text"])
    assert "Second half" in (copied.out / "ep01/report.html").read_text(encoding="utf-8")
    for name in ("ass", "webdataset", "texts"):
        to = copied.out.parent / "exports"
        options = ["--to", str(to), "--min-confidence", "0", "--without", "none"]
        assert main(["export", name, "--out", str(copied.out), *options]) == 0
    assert "Second half" in (to / "ass/ep01.ass").read_text(encoding="utf-8")
    # Another run has nothing to do; a restart knows the lines, also one that is left out; undo takes all back.
    _, ran = rerun(copied)
    assert set(ran) <= {"report", "summary"}
    desk = open_desk(copied.out)
    desk.decide("me", {"kind": "mark", "lines": [added], "value": "not speech"})
    apply(desk)
    assert added not in lines_of(copied.out) and added in {
        row["id"] for row in open_desk(copied.out).page(Filter())["lines"]
    }
    while desk.undo("me"):
        pass
    apply(desk)
    assert lines_of(copied.out) == before
    assert corrected(folder) == folder / EMBEDDINGS


def test_only_quick_stages_run_again(copied: Shared) -> None:  # noqa: F811
    marks = {path.name: path.stat().st_mtime_ns for path in (copied.out / "ep01/.work/done").iterdir()}
    desk = open_desk(copied.out)
    first = next(iter(lines_of(copied.out)))
    desk.decide("me", {"kind": "assign", "lines": [first], "value": "Grace"})
    apply(desk)
    again = {path.name: path.stat().st_mtime_ns for path in (copied.out / "ep01/.work/done").iterdir()}
    assert {name.removesuffix(".json") for name in marks if marks[name] != again[name]} & SLOW == set()


def test_an_update_of_the_program_keeps_no_decision_waiting(
    copied: Shared,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true = stage.code_fingerprint
    networks = "video_preprocessing.uvr5.separator"
    monkeypatch.setattr(stage, "code_fingerprint", lambda module: "newer" if module == networks else true(module))
    marks = {path.name: path.stat().st_mtime_ns for path in (copied.out / "ep01/.work/done").iterdir()}
    desk = open_desk(copied.out)
    one, two, *_ = lines_of(copied.out)
    desk.decide("me", {"kind": "assign", "lines": [one], "value": "Grace"})
    apply(desk)
    assert lines_of(copied.out)[one].character == "Grace"
    again = {path.name: path.stat().st_mtime_ns for path in (copied.out / "ep01/.work/done").iterdir()}
    assert {name.removesuffix(".json") for name in marks if marks[name] != again[name]} & SLOW == set()
    # It says what is of the earlier version, and the command that makes that anew: decisions stay.
    assert "separate" in desk.applying["kept"]
    command = shlex.split(desk.applying["command"])
    assert command[:2] == ["python", "run_pipeline.py"]
    assert main([*command[2:], "--quiet"]) == 0
    after = (copied.out / "ep01/.work/done/separate.json").stat().st_mtime_ns
    assert after != marks["separate.json"]
    assert lines_of(copied.out)[one].character == "Grace"
    # What is not there any more cannot be kept: the same command makes it.
    (copied.out / "ep01/audio/vocals.flac").unlink()
    desk = open_desk(copied.out)
    desk.decide("me", {"kind": "assign", "lines": [two], "value": "Grace"})
    desk.apply()
    assert desk.applying["state"] == "failed"
    said, _, told = desk.applying["message"].partition("Run this once, all decisions are kept: ")
    assert "(separate)" in said and shlex.split(told) == command
    assert desk.applying["message_zh"].endswith(told)
    assert main([*command[2:], "--quiet"]) == 0
    apply(desk)
    assert desk.applying["kept"] == [] and desk.applying["command"] == ""
    assert lines_of(copied.out)[two].character == "Grace"


def test_a_rename_holds_for_names_that_the_subtitles_give(copied: Shared) -> None:  # noqa: F811
    (copied.out / "aliases.toml").write_text('Grace = "Gracie"\n', encoding="utf-8")  # a person's own file
    lines = lines_of(copied.out)
    name = next(line.character for line in lines.values() if line.character)
    desk = open_desk(copied.out)
    desk.decide("me", {"kind": "rename", "value": name, "new_name": 'Some "One" 哈'})
    apply(desk)
    after = lines_of(copied.out)
    assert name not in {line.character for line in after.values()}
    assert {k for k, x in after.items() if x.character == 'Some "One" 哈'} == {
        k for k, x in lines.items() if x.character == name
    }
    assert (copied.out / "aliases.toml").read_text(encoding="utf-8") == 'Grace = "Gracie"\n'
    assert 'Some "One" 哈' in {c["name"] for c in open_desk(copied.out).overview()["characters"]}


def test_the_configuration_is_the_one_that_the_episode_was_made_with(copied: Shared) -> None:  # noqa: F811
    config = config_of(copied.out, "ep01")
    assert (config.separator, config.video.resolve(), config.out) == ("none", copied.video.resolve(), copied.out)


def test_a_video_that_is_gone_is_one_line_in_the_page(copied: Shared, tmp_path: Path) -> None:  # noqa: F811
    summary = copied.out / "ep01/episode.json"
    summary.write_text(summary.read_text(encoding="utf-8").replace("ep01.mkv", "moved.mkv"), encoding="utf-8")
    desk = open_desk(copied.out)
    desk.decide("me", {"kind": "assign", "lines": [next(iter(lines_of(copied.out)))], "value": "Grace"})
    desk.apply()
    assert desk.applying["state"] == "failed"
    assert "there is no such video" in desk.applying["message"]


def test_a_video_that_is_a_link_is_reviewed_under_its_own_name(shared: Shared, tmp_path: Path) -> None:  # noqa: F811
    link, out = tmp_path / "linked.mkv", tmp_path / "out"
    link.symlink_to(shared.video)
    assert run_season([EpisodeConfig(link, out=out, separator="none")]).failures == ()
    desk = open_desk(out)
    line = next(line for line in read_lines(out / "linked") if line.character != "Grace")
    desk.decide("me", {"kind": "assign", "lines": [line.line_id], "value": "Grace"})
    desk.think("linked")
    assert "manual" in {e.source for e in desk.line(line.line_id).evidence}  # it was worked out
    apply(desk)
    assert {x.line_id: x.character for x in read_lines(out / "linked")}[line.line_id] == "Grace"


def test_a_damaged_table_of_corrections_is_one_line(copied: Shared, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    (copied.out / "corrections.csv").write_text("episode_id,line_id,marks\nep01,x,singing\n", encoding="utf-8")
    assert main(["--video", str(copied.video), "--out", str(copied.out), "--separator", "none", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "corrections.csv: is not a table of corrections (row 2: unknown mark 'singing'" in said
    assert said.count("\n") == 1


# --- the command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv", [["--out", "nowhere"], ["--out", "."], ["--port", "99999"], ["--port", "x"], ["--sing"]]
)
def test_wrong_options(argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["review", "--no-browser", *argv]) == 2


def test_the_command_serves_alone_and_ends_by_interruption(copied: Shared) -> None:  # noqa: F811
    command = [sys.executable, "run_pipeline.py", "review", "--out", str(copied.out), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            parts = urlsplit(address)
            connection = http.client.HTTPConnection("127.0.0.1", int(parts.port or 0), timeout=30)
            connection.request("GET", f"/?{parts.query}")
            assert connection.getresponse().status == 303
            connection.close()
            second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
            assert second.returncode == 2
            assert "another review of this folder is open" in second.stderr
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert set(files(copied.out)) >= {"ep01/lines.jsonl"}
