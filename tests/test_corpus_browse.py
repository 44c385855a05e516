"""The notebook's door: ``open_corpus``, on corpora that the room itself wrote."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from yuki_builder import open_corpus
from yuki_builder.corpus import (
    Corpus,
    build_corpus_files,
    read_sounds,
    split_scenes,
    write_lines_jsonl,
    write_lines_parquet,
)
from yuki_builder.errors import InputError, MediaError
from yuki_builder.records import Evidence, Line, Verdict

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "inspect_corpus.ipynb"
RATE = 44_100
NAMES = ("春日", "阿虚", None)


def episode_lines(episode: str, count: int = 12) -> list[Line]:
    lines = []
    for i in range(count):
        name = NAMES[i % 3]
        start_ms = 2000 * i + (10_000 if i >= count // 2 else 0)
        lines.append(
            Line(
                line_id=f"{episode}-{i:03d}",
                episode_id=episode,
                index=i,
                start_ms=start_ms,
                end_ms=start_ms + 1000,
                text="你好 world",
                character=name,
                confidence=0.9 if name else 0.0,
                verdict=(Verdict.CERTAIN if i % 2 else Verdict.DOUBTFUL) if name else Verdict.UNKNOWN,
                evidence=(Evidence("voice", name, 0.9),) if name else (),
                snr_db=None if i == 0 else 3.5,
            )
        )
    return lines


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes with vocals and clips, turns and facts, and their corpus."""
    out = tmp_path_factory.mktemp("season") / "out"
    every_line = []
    for number, episode in enumerate(("ep01", "ep02")):
        folder = out / episode
        (folder / "audio").mkdir(parents=True)
        (folder / "speakers").mkdir()
        tone = 0.2 * np.sin(np.arange(40 * RATE)[:, None] * np.array([0.02, 0.03]))
        sf.write(folder / "audio" / "vocals.flac", tone, RATE)
        sf.write(folder / "audio" / "mix.flac", 2 * tone, RATE)
        lines = episode_lines(episode)
        report = read_sounds(
            lines, folder / "audio" / "vocals.flac", destination=folder / "clips", clip_root=f"{episode}/clips"
        ).clips
        without_one = [dataclasses.replace(line, clip=None) if line.index == 5 else line for line in report.lines]
        write_lines_jsonl(without_one, folder / "lines.jsonl")
        every_line += without_one
        vectors = np.random.default_rng(number).normal(size=(11, 8)).astype(np.float32)
        (folder / ".work").mkdir()
        keys = np.array([line.line_id for line in lines[1:]])
        np.savez(folder / ".work" / "embeddings.npz", embedder=np.array("e"), keys=keys, vectors=vectors)
        qualities = [{"line_id": x.line_id, "problems": ["clipped"] if x.index % 4 == 1 else []} for x in lines]
        (folder / "quality.jsonl").write_text("".join(json.dumps(q) + "\n" for q in qualities))
        facts = {"episode_id": episode, "media": {"path": f"/v/{episode}.mkv", "duration_ms": 40_000 + number}}
        (folder / "episode.json").write_text(json.dumps(facts))
        (folder / "speakers" / "turns.rttm").write_text(
            ";; a comment\nSPEAKER ep 1 0.000 1.250 <NA> <NA> SPEAKER_00 <NA> <NA>\n\n"
            "SPEAKER ep 1 1.300 0.700 <NA> <NA> SPEAKER_01 <NA> <NA>\n"
        )
    build_corpus_files(every_line, out / "corpus")
    return out


def test_lines_have_the_contracts_columns_and_proper_types(season: Path) -> None:
    lines = open_corpus(season).lines
    fields = [field.name for field in dataclasses.fields(Line)]
    assert [c for c in lines.columns if c != "scene_id"] == fields
    assert len(lines) == 24
    types_of = lines.dtypes.astype(str).to_dict()
    assert types_of["start_ms"] == types_of["end_ms"] == types_of["index"] == "int64"
    assert types_of["confidence"] == types_of["snr_db"] == types_of["overlap"] == "float64"
    assert types_of["text"] == types_of["character"] == types_of["line_id"] == "str"
    assert types_of["verdict"] == "category"
    assert lines["character"].isna().sum() == 8
    assert lines["clip"].isna().sum() == 2
    assert lines["snr_db"].isna().sum() == 2
    assert (lines["verdict"] >= "doubtful").sum() == 16
    assert lines["evidence"].iloc[0] == [{"source": "voice", "character": "春日", "weight": 0.9}]
    assert lines["episode_id"].tolist() == ["ep01"] * 12 + ["ep02"] * 12


def test_parquet_and_json_lines_give_the_same(season: Path, tmp_path: Path) -> None:
    shutil.copytree(season, tmp_path / "out", ignore=shutil.ignore_patterns("corpus"))
    pd.testing.assert_frame_equal(open_corpus(tmp_path / "out").lines, open_corpus(season).lines)


@pytest.mark.parametrize("inside", ["", "ep01", "corpus"])
def test_any_of_its_folders_opens_it(season: Path, inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(season / inside)
    corpus = open_corpus(".")
    assert corpus.lines["episode_id"].nunique() == (1 if inside == "ep01" else 2)
    waveform, rate = corpus.audio("ep01-001")
    assert (waveform.shape[0], rate) == (2, RATE)
    assert "Corpus(" in repr(corpus)


def test_characters_episodes_scenes(season: Path) -> None:
    corpus = open_corpus(season)
    characters = corpus.characters.set_index("character")
    assert list(characters.index) == ["春日", "阿虚"]
    assert characters.loc["阿虚"].to_dict() == {
        "lines": 8,
        "minutes": pytest.approx(8 / 60),
        "words": 24,
        "mean_confidence": pytest.approx(0.9),
        "episodes": 2,
        "clips": 8,
    }
    episodes = corpus.episodes.set_index("episode_id")
    assert episodes.loc["ep02"].to_dict() == {
        "source": "/v/ep02.mkv",
        "duration_ms": 40_001,
        "lines": 12,
        "characters": 2,
        "certain": 4,
        "doubtful": 4,
        "unknown": 4,
    }
    scenes = corpus.scenes
    expected = split_scenes([*episode_lines("ep01"), *episode_lines("ep02")])
    assert scenes["scene_id"].tolist() == [scene.scene_id for scene in expected]
    assert scenes["lines"].tolist() == [6, 6, 6, 6]
    assert scenes["characters"].tolist() == [["春日", "阿虚"]] * 4
    assert (scenes["start_ms"].iloc[1], scenes["end_ms"].iloc[1]) == (22_000, 33_000)
    assert set(corpus.lines["scene_id"]) == set(scenes["scene_id"])


def test_audio_is_the_clip_or_the_stretch_of_the_vocals(season: Path) -> None:
    corpus = open_corpus(season)
    clip, rate = corpus.audio("ep01-001")
    assert clip.dtype == np.float32
    assert (clip.shape, rate) == ((2, round(1.1 * RATE)), RATE)
    vocals, _ = sf.read(season / "ep01" / "audio" / "vocals.flac", dtype="float32")
    stretch, rate = corpus.audio("ep01-005")
    assert rate == RATE
    np.testing.assert_array_equal(stretch.T, vocals[10 * RATE : 11 * RATE])
    with pytest.raises(KeyError):
        corpus.audio("no such line")


def test_audio_of_the_mix_and_of_the_vocals(season: Path) -> None:
    corpus = open_corpus(season)
    mix, vocals = (corpus.audio("ep01-001", source)[0] for source in ("mix", "vocals"))
    assert mix.shape == vocals.shape == (2, RATE)
    assert np.allclose(mix, 2 * vocals, atol=1e-3)
    with pytest.raises(InputError, match="unknown sound 'drums'"):
        corpus.audio("ep01-001", "drums")
    with pytest.raises(KeyError, match="ep01-001"):
        corpus.audio("ep01-0011")


def test_embeddings_are_those_of_the_lines(season: Path) -> None:
    corpus = open_corpus(season)
    stored = np.load(season / "ep02" / ".work" / "embeddings.npz")["vectors"]
    assert np.array_equal(corpus.embedding("ep02-003"), stored[2])
    table, vectors = corpus.embeddings()
    assert len(table) == len(vectors) == 22
    assert table["line_id"].iloc[11] == "ep02-001" and np.array_equal(vectors[11], stored[0])
    with pytest.raises(InputError, match="no speaker embedding"):
        corpus.embedding("ep01-000")
    assert len(corpus.embeddings(corpus.lines.head(1))[1]) == 0


def test_embeddings_that_an_earlier_version_made(season: Path, tmp_path: Path) -> None:
    out = shutil.copytree(season, tmp_path / "out")
    work = out / "ep02" / ".work"
    earlier = (work / "embeddings.npz").rename(work / "voiceprints.npz")
    stored = np.load(earlier)["vectors"]
    assert np.array_equal(open_corpus(out).embedding("ep02-003"), stored[2])
    # As they were corrected, where they were.
    with np.load(earlier) as data:
        np.savez(work / "embeddings_corrected.npz", keys=data["keys"], vectors=-stored)
    assert np.array_equal(open_corpus(out).embedding("ep02-003"), -stored[2])


def test_filters(season: Path) -> None:
    corpus = open_corpus(season)
    assert len(corpus.filter()) == 24
    assert set(corpus.filter(character="春日", episode="ep02")["line_id"]) == {f"ep02-{k:03d}" for k in (0, 3, 6, 9)}
    assert (corpus.filter(verdict="doubtful")["verdict"] >= "doubtful").all()
    assert len(corpus.filter(verdict="certain", min_confidence=0.95)) == 0
    assert len(corpus.filter(text="WORLD")) == 24 and len(corpus.filter(text="(")) == 0
    assert len(corpus.filter(without=["clipped"])) == 18
    assert len(corpus.filter(character=["春日", "阿虚"])) == 16


def test_the_queue_asks_for_the_doubtful_first_and_forgets_what_was_told(season: Path) -> None:
    corpus = open_corpus(season)
    queue = corpus.review_queue(100)
    assert (queue["verdict"] != "certain").all() and len(queue) == 16
    corpus.relabel(queue["line_id"].iloc[0], "古泉")
    assert queue["line_id"].iloc[0] not in set(corpus.review_queue(100)["line_id"])


def test_labels_are_added_to_a_table_and_nothing_else_is_touched(season: Path, tmp_path: Path) -> None:
    corpus = open_corpus(season)
    corpus.relabel({"ep01-001": "古泉", "ep02-002": '="朝比奈", |'})
    corpus.relabel("ep01-001", "长门")
    assert corpus.save_labels(tmp_path / "labels.csv") == 2
    other = open_corpus(season)
    other.relabel("ep01-001", "阿虚")
    other.relabel("ep01-004", "阿虚")
    assert other.save_labels(tmp_path / "labels.csv") == 3
    with (tmp_path / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["人物"], r["开始时间"], r["结束时间"], r["episode_id"]) for r in rows] == [
        ("阿虚", "0:00:02.000", "0:00:03.000", "ep01"),
        ('="朝比奈", |', "0:00:04.000", "0:00:05.000", "ep02"),
        ("阿虚", "0:00:08.000", "0:00:09.000", "ep01"),
    ]
    (tmp_path / "mine.csv").write_text("人物,人物台词\n", encoding="utf-8")
    with pytest.raises(InputError, match="other columns"):
        other.save_labels(tmp_path / "mine.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError):
        other.save_labels(tmp_path / "binary.csv")
    assert (tmp_path / "mine.csv").read_text(encoding="utf-8") == "人物,人物台词\n"
    with pytest.raises(KeyError):
        other.relabel("ep09-001", "x")
    with pytest.raises(InputError, match="needs a name"):
        other.relabel("ep01-001", " ")


def test_a_table_older_than_an_episode_is_not_trusted(season: Path, tmp_path: Path) -> None:
    shutil.copytree(season, tmp_path / "out")
    source = tmp_path / "out" / "ep01" / "lines.jsonl"
    source.write_text(source.read_text(encoding="utf-8").replace("你好 world", "changed"), encoding="utf-8")
    os.utime(source, ns=(2**62, 2**62))
    assert set(open_corpus(tmp_path / "out").lines["text"]) == {"changed", "你好 world"}


def test_scenes_are_those_that_the_run_found(season: Path, tmp_path: Path) -> None:
    shutil.copytree(season, tmp_path / "out")
    ids = [f"ep01-{k:03d}" for k in range(12)]
    rows = [{"scene_id": "ep01-a", "line_ids": ids[:7]}, {"scene_id": "ep01-b", "line_ids": ids[7:]}]
    (tmp_path / "out/ep01/scenes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    scenes = open_corpus(tmp_path / "out").scenes
    assert scenes["lines"].tolist()[:2] == [7, 5] and scenes["scene_id"].iloc[0] == "ep01-a"
    # Of an episode that has other lines by now they are found anew.
    (tmp_path / "out/ep01/scenes.jsonl").write_text(json.dumps(rows[0]) + "\n")
    assert "ep01-a" not in set(open_corpus(tmp_path / "out").scenes["scene_id"])


def test_pictures(season: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    corpus = open_corpus(season)
    timeline = corpus.plot_timeline("ep02")
    assert [label.get_text() for label in timeline.get_yticklabels()] == ["春日", "阿虚", "(unknown)"]
    assert sum(len(bars.get_paths()) for bars in timeline.collections) == 12
    heights = [patch.get_height() for patch in corpus.plot_confidence().patches]
    assert sum(heights) == 24
    points = sum(len(dots.get_offsets()) for dots in corpus.plot_embeddings().collections)
    assert points == 22
    assert corpus.plot_embeddings(corpus.lines.head(4)) is not None
    upper, lower = corpus.compare("ep01-001").axes
    assert upper.images[0].get_array().max() == pytest.approx(lower.images[0].get_array().max() + 6.02, abs=0.1)
    with pytest.raises(KeyError):
        corpus.plot_timeline("ep09")


def test_its_page_in_a_notebook_is_escaped(season: Path, tmp_path: Path) -> None:
    shutil.copytree(season, tmp_path / "out", ignore=shutil.ignore_patterns("corpus"))
    source = tmp_path / "out" / "ep01" / "lines.jsonl"
    source.write_text(source.read_text(encoding="utf-8").replace("春日", "<script>x</script>"), encoding="utf-8")
    page = open_corpus(tmp_path / "out")._repr_html_()
    assert "&lt;script&gt;" in page and "<script>" not in page


def test_turns(season: Path) -> None:
    corpus = open_corpus(season)
    assert corpus.turns("ep01").to_dict("list") == {
        "start_ms": [0, 1300],
        "end_ms": [1250, 2000],
        "speaker": ["SPEAKER_00", "SPEAKER_01"],
    }
    with pytest.raises(KeyError):
        corpus.turns("../ep01")


def test_what_is_broken_is_named(season: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(season, out)
    (out / "ep01" / "speakers" / "turns.rttm").write_text("SPEAKER ep 1 soon\n")
    with pytest.raises(InputError, match="line 1: an RTTM turn has ten columns, this one 4"):
        open_corpus(out).turns("ep01")
    (out / "ep02" / "speakers" / "turns.rttm").unlink()
    with pytest.raises(InputError, match=r"turns\.rttm"):
        open_corpus(out).turns("ep02")
    (out / "ep01" / "audio" / "vocals.flac").write_bytes(b"not a sound")
    with pytest.raises(MediaError):
        open_corpus(out).audio("ep01-005")
    (out / "ep02" / "audio" / "vocals.flac").unlink()
    with pytest.raises(InputError, match="no clip"):
        open_corpus(out).audio("ep02-005")
    next((out / "ep01" / "clips").rglob("ep01-001.flac")).unlink()
    with pytest.raises(InputError, match="clip is missing"):
        open_corpus(out).audio("ep01-001")
    (out / "corpus" / "lines.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="Parquet"):
        _ = open_corpus(out).lines
    shutil.rmtree(out / "corpus")
    (out / "ep02" / "lines.jsonl").write_text('{"line_id": "x"}\n')
    with pytest.raises(InputError, match=r"lines\.jsonl.*episode_id is missing"):
        _ = open_corpus(out).lines
    (out / "ep02" / "lines.jsonl").write_text('{"line_id": 5}\n')
    with pytest.raises(InputError, match=r"lines\.jsonl"):
        _ = open_corpus(out).lines
    (out / "ep02" / "episode.json").write_text("{")
    with pytest.raises(InputError, match=r"episode\.json"):
        open_corpus(out).turns("ep01")


def test_a_corpus_from_elsewhere_reaches_no_file_outside(season: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(season, out)
    secret = tmp_path / "secret.flac"
    shutil.copy(out / "ep01" / "audio" / "vocals.flac", secret)
    lines = episode_lines("ep01", 3)
    bad = [
        dataclasses.replace(lines[0], clip="../secret.flac"),
        dataclasses.replace(lines[1], clip=str(secret)),
        dataclasses.replace(lines[2], clip="ep01/link.flac"),
    ]
    (out / "ep01" / "link.flac").symlink_to(secret)
    write_lines_parquet(bad, out / "corpus" / "lines.parquet")
    corpus = open_corpus(out)
    for line in bad:
        with pytest.raises(InputError, match="outside the corpus"):
            corpus.audio(line.line_id)


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "videos" / "sub").mkdir(parents=True)
    for name, what in (
        ("missing", "no such folder"),
        ("file", "no folder"),
        ("empty", "neither"),
        ("videos", "neither"),
    ):
        with pytest.raises(InputError, match=what) as caught:
            open_corpus(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_an_episode_without_lines_opens(tmp_path: Path) -> None:
    (tmp_path / "ep01").mkdir()
    write_lines_jsonl([], tmp_path / "ep01" / "lines.jsonl")
    (tmp_path / "ep02").mkdir()
    (tmp_path / "ep02" / "episode.json").write_text("{}")  # no subtitles: turns only
    corpus = open_corpus(tmp_path)
    assert len(corpus.lines) == len(corpus.characters) == len(corpus.scenes) == 0
    assert corpus.episodes["episode_id"].tolist() == ["ep01", "ep02"]
    assert corpus.episodes["lines"].tolist() == [0, 0]
    assert corpus.episodes["duration_ms"].isna().all()


def test_nothing_is_read_before_it_is_asked_for(season: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(season, out)
    corpus = open_corpus(out)
    (out / "corpus" / "lines.parquet").write_bytes(b"broken")
    assert len(corpus.turns("ep01")) == 2
    with pytest.raises(InputError):
        _ = corpus.lines


def test_importing_the_room_is_light() -> None:
    heavy = ["pandas", "pyarrow", "soundfile", "jinja2", "torch", "librosa", "scipy", "matplotlib"]
    code = f"import sys, yuki_builder.corpus; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_fifty_thousand_lines_open_at_once(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    lines = [line for n in range(125) for line in episode_lines(f"ep{n:03d}", 400)]
    write_lines_parquet(lines, tmp_path / "corpus" / "lines.parquet")
    started = time.process_time()
    assert len(open_corpus(tmp_path).lines) == 50_000
    # Half a second on a quiet machine; 1.2 s of processor time were seen beside other work.
    assert time.process_time() - started < 5


@pytest.fixture
def beside_the_notebook(season: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "out").symlink_to(season)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path / "notebooks"


def test_the_notebooks_cells_run(beside_the_notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a kernel; what Jupyter brings along, the audio player, only has to be called rightly."""
    played: list[Any] = []

    class Audio:
        def __init__(self, data: Any, *, rate: int, normalize: bool) -> None:
            played.append((data.shape, rate, normalize))

    display = types.ModuleType("IPython.display")
    display.Audio = Audio  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    import matplotlib as mpl

    mpl.use("Agg")
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    space: dict[str, Any] = {}
    with mpl.rc_context():
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                source = "".join(cell["source"]).replace('who = ""', 'who = "古泉"')
                exec(compile(source, cell["id"], "exec"), space)
    assert isinstance(space["corpus"], Corpus)
    assert played == [((2, round(1.05 * RATE)), RATE, False)]
    assert list(space["corpus"].labels.values()) == ["古泉"]
    assert "古泉" in (beside_the_notebook / "labels.csv").read_text(encoding="utf-8-sig")


@pytest.mark.slow
def test_the_notebook_runs_in_jupyter(beside_the_notebook: Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel")
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    root = str(NOTEBOOK.parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=environment)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert [o for o in outputs if "audio" in o.get("data", {}).get("text/html", "")]
    assert [o for o in outputs if "image/png" in o.get("data", {})]
