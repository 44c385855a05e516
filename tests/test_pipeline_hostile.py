"""Links, damaged book-keeping and litter in output folders; options and folders that no one would give on purpose."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from season_files import make_episode

from pipelines import EpisodeConfig
from pipelines.console.app import main
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.marks import Recipe
from pipelines.engine.store import Store
from pipelines.episode.session import Session
from yuki_builder.atomic import private_name, replacing, sweep, write_atomically
from yuki_builder.characters import Gallery
from yuki_builder.errors import OutputError
from yuki_builder.records import SpeakerEmbeddings, StageReport

_RECIPE = Recipe(1, {}, {}, {"a": "b"})


def run_stage(store: Store, *names: str, text: str = "new") -> None:
    with store.locked(), store.workspace("s", _RECIPE) as workspace:
        for name in names:
            path = workspace.outputs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        store.commit("s", _RECIPE, StageReport("s", 0.0))


# --- links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("sub/a.txt",), ("b.txt",)])
def test_what_lies_behind_a_linked_folder_stays_as_it_is(tmp_path: Path, names: tuple[str, ...]) -> None:
    store, outside = Store(tmp_path / "out"), tmp_path / "outside"
    run_stage(store, "sub/a.txt")
    (tmp_path / "out" / "sub").rename(outside)
    (tmp_path / "out" / "sub").symlink_to(outside)
    with pytest.raises(OutputError, match="link"):
        run_stage(store, *names, text="other")
    assert [p.name for p in outside.iterdir()] == ["a.txt"]
    assert (outside / "a.txt").read_text() == "new"


@pytest.mark.parametrize("name", [".", ".work", ".work/lock", ".work/done", ".work/tmp", ".work/unfinished"])
def test_links_in_the_place_of_our_own_folders_are_refused(tmp_path: Path, name: str) -> None:
    store, outside = Store(tmp_path / "out" / "ep"), tmp_path / "outside"
    path = store.folder / name
    path.parent.mkdir(parents=True)
    if name == ".":
        path.rmdir() if path.is_dir() else None
        store.folder.rmdir() if store.folder.is_dir() else None
    outside.mkdir()
    (outside / "s.json").write_text("precious", encoding="utf-8")
    path.symlink_to(outside / "s.json" if name.endswith("lock") else outside)
    with pytest.raises(OutputError, match="link"):
        run_stage(store, "a.txt")
    assert [p.name for p in outside.iterdir()] == ["s.json"]
    assert (outside / "s.json").read_text() == "precious"


def test_no_fixed_name_is_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    folder = tmp_path / "out" / ".work"
    folder.mkdir(parents=True)
    for name in ("holder.json", "video.json.tmp", "hashes.json", "a.txt"):
        (folder / name).symlink_to(precious)
    run_stage(Store(tmp_path / "out"), "a.txt")
    Fingerprints().save(folder / "hashes.json")
    write_atomically(folder / "a.txt", "ours")
    assert precious.read_text() == "mine"


def test_a_failure_leaves_its_log_where_no_link_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "yuki-error.log").symlink_to(precious)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pipelines.console.evaluate.read_truth", fail)
    assert main(["evaluate", "--truth", "x"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ZeroDivisionError: a bug" in error
    assert precious.read_text() == "mine"
    (log,) = tmp_path.glob("yuki-error-*.log")
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["not JSON", "another embedder"])
def test_a_gallery_that_cannot_serve_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    video = make_episode(tmp_path / "ep.mka")
    vectors = np.eye(1, 8, dtype=np.float32)
    Gallery.build(SpeakerEmbeddings(("a",), vectors, (900,)), {"a": "A"}, embedder="x").save(tmp_path / "gallery")
    if damage == "not JSON":
        (tmp_path / "gallery/gallery.json").write_text("{", encoding="utf-8")
    argv = ["--video", str(video), "--out", str(tmp_path / "out"), "--separator", "none", "--quiet"]
    assert main([*argv, "--characters", str(tmp_path / "gallery")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("damaged gallery" if damage == "not JSON" else "embedder 'x'") in error
    assert not (tmp_path / "out/ep/audio").exists()


# --- damaged book-keeping ---------------------------------------------------------------------------------


def _deep(path: Path) -> None:
    path.write_text("[" * 100_000, encoding="utf-8")


def _binary(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"recipe", b"re\xffipe"))


def _a_list(path: Path) -> None:
    path.write_text("[]", encoding="utf-8")


def _settings(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "recipe": {"version": 1, "settings": 3}}))


@pytest.mark.parametrize("damage", [_deep, _binary, _a_list, _settings])
def test_a_damaged_mark_means_that_the_stage_is_done_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    said: list[str] = []
    store = Store(tmp_path, notice=said.append)
    run_stage(store, "a.txt")
    damage(tmp_path / ".work/done/s.json")
    assert store.why_not_done("s", _RECIPE) == "not done yet"
    run_stage(store, "a.txt")
    assert "damaged" in said[0]
    assert len(said) == 1
    assert store.why_not_done("s", _RECIPE) is None
    assert sorted(p.name for p in tmp_path.iterdir()) == [".work", "a.txt"]


@pytest.mark.parametrize("outputs", [[], [{"path": "b.txt", "size_bytes": 1, "mtime_ns": 1, "sha256": "0"}]])
def test_a_damaged_pending_mark_deletes_nothing(tmp_path: Path, outputs: list[object]) -> None:
    said: list[str] = []
    store = Store(tmp_path, notice=said.append)
    run_stage(store, "a.txt")
    done = tmp_path / ".work/done/s.json"
    (tmp_path / ".work/done/s.pending").write_text(json.dumps({**json.loads(done.read_text()), "outputs": outputs}))
    with store.locked():
        pass
    assert (tmp_path / "a.txt").read_text() == "new"
    assert "damaged" in said[0]
    assert store.why_not_done("s", _RECIPE) is None


# --- litter -----------------------------------------------------------------------------------------------

_DIE = """
import os, sys
from pathlib import Path
from pipelines.episode.session import Session
from yuki_builder.atomic import private_name, replacing
with replacing(Path(sys.argv[1]) / "hashes.json"):
    private_name(Path(sys.argv[1])).mkdir()
    os._exit(9)
"""


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DIE, tmp_path], check=False, env={**os.environ, "PYTHONPATH": "."})
    assert len(list(tmp_path.iterdir())) == 2
    own = private_name(tmp_path)
    own.touch()
    (tmp_path / ".mine.unfinished").touch()
    sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([own.name, ".mine.unfinished"])


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a") as path:
        path.write_text("new", encoding="utf-8")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


# --- the command line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["--video", "missing.mkv", "--dry-run"],
        ["--video", "missing.mkv"],
        ["--video", "a" * 300],
        ["--video", "a.mkv", "--out", "b" * 300],
        ["--video", "a.mkv", "--out", "b/" * 3000],
        ["--video", "a.mkv", "--out", "\udcff"],
        ["--video", "a.mkv", "--separator", "s" * 300],
        ["--video", "a.mkv", "--subtitles", "s" * 300],
        ["--video", "a.mkv", "--characters", "s" * 300],
        ["--video", "a.mkv", "--aliases", "s" * 300],
        ["--video", "a.mkv", "--config", "s" * 300],
        ["--video", "a.mkv", "--diarizer", "s" * 300],
        ["--video", "a.mkv", "--audio-track", "9" * 5000],
        ["--video", "a.mkv", "--window-frames", "9" * 400],
        ["--video", "a.mkv", "--aggressiveness", "nan"],
        ["--config", "deep.toml"],
        ["--config", "huge.toml"],
        ["--config", "long.toml"],
        ["--config", "big.toml"],
        ["evaluate", "--truth", "none.rttm", "--out", "s" * 300],
        ["evaluate", "--truth", "s" * 300],
        ["evaluate", "--truth", "zero.rttm"],
        ["export", "chat", "--out", "s" * 300],
        ["export", "s" * 300],
        ["export", "chat", "--out", "\udcff"],
        ["models", "show", "s" * 300],
        ["models", "verify", "s" * 300],
        ["models", "get", "[/x]"],
    ],
    ids=lambda argv: " ".join(argv)[:60].encode("ascii", "replace").decode(),
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deep.toml").write_text("out = " + "[" * 20_000, encoding="utf-8")
    Path("huge.toml").write_text('video = "a.mkv"\naggressiveness = 1' + "0" * 4000, encoding="utf-8")
    Path("long.toml").write_text(f'video = "a.mkv"\nseparator = "{"x" * 300}"', encoding="utf-8")
    Path("big.toml").write_text("#" * (2 << 20), encoding="utf-8")
    Path("zero.rttm").write_text("SPEAKER a 1 1.0 0.0 <NA> <NA> [/x] <NA> <NA>\n", encoding="utf-8")
    Path("a.mkv").write_text("no video", encoding="utf-8")
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


_WAIT = """
import sys, time
import pipelines.console.evaluate as e
def wait(path):
    print("ready", flush=True)
    time.sleep(60)
e.read_truth = wait
from pipelines import EpisodeConfig
from pipelines.console.app import main
sys.exit(main(["evaluate", "--truth", "x"]))
"""


def test_a_request_to_end_is_heard_as_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAIT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert "interrupted" in process.stderr.read()
        assert process.wait() == 130


@pytest.mark.parametrize("content", [b'{"path": "\xff", "sha256": "0"}', b"[" * 100_000, b"", b"[]"])
def test_a_damaged_note_of_whose_a_folder_is_blocks_nothing(tmp_path: Path, content: bytes) -> None:
    video, note = tmp_path / "ep.mka", tmp_path / "out" / "ep" / ".work" / "video.json"
    video.write_bytes(b"sound")
    note.parent.mkdir(parents=True)
    note.write_bytes(content)
    session = Session(tmp_path / "out")
    assert session.episode_id(video) == "ep"
    session.own(session.open(EpisodeConfig(video, out=tmp_path / "out", subtitles="none")))
    assert json.loads(note.read_text())["path"] == str(video.resolve())
