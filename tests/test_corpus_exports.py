"""Exports, read back by the tools that consume them, with names and texts that no format likes."""

from __future__ import annotations

import csv
import importlib
import io
import json
import sys
import tarfile
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.speech import read_rttm
from yuki_builder.corpus import EXPORTERS, ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.base import TRAIN, VALIDATION, split_of
from yuki_builder.corpus.texts import read_scene_text
from yuki_builder.records import Line, Verdict, no_progress

NAMES = ("凉宫", '../../John | "Jr"', "=cmd()", "<b>Ann</b>")
HOSTILE = ("metadata.jsonl", "README.md", "data", "train.list", "_unknown", "Default", "\ud83d", "\x00a", "CON", "NA")
TEXTS = ("你好啊，今天 天气不错。", 'a|b "c"\nd {\\an8} <i>é</i>', "=1+1", "こんにちは")
ALL = ExportOptions(min_confidence=0.0, validation=0.4)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Two episodes of eighty lines in many scenes; clips of half a second, at several rates."""
    root = tmp_path_factory.mktemp("out")
    rng = np.random.default_rng(0)
    lines = []
    for k in range(160):
        episode, number = f"ep0{k // 80 + 1}", k % 80
        start = number * 4000 + (number // 6) * 30_000
        name = None if k % 11 == 0 else NAMES[k % 4]
        confidence = 0.0 if name is None else (0.95, 0.6)[k % 3 == 0]
        verdict = Verdict.UNKNOWN if name is None else Verdict.CERTAIN if confidence > 0.9 else Verdict.DOUBTFUL
        clip = f"{episode}/clips/x/l{k}.flac"
        if k % 13 == 0:
            clip = None
        else:
            (root / clip).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / clip, rng.normal(0, 0.1, (22_050, 2)).astype(np.float32), 44_100, subtype="PCM_16")
        lines.append(
            Line(f"{episode}-l{k}", episode, number, start, start + 1500, TEXTS[k % 4] + str(k), None, name, confidence)
        )
        lines[-1] = Line.from_dict(lines[-1].to_dict() | {"verdict": verdict, "clip": clip})
    return Source.of(lines, root)


def write(name: str, source: Source, folder: Path, options: ExportOptions = ALL) -> ExportReport:
    folder.mkdir(exist_ok=True)
    return EXPORTERS[name].write(source, folder, options, no_progress)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_export_stays_in_its_folder_and_repeats_to_the_byte(name: str, source: Source, tmp_path: Path) -> None:
    report = write(name, source, tmp_path / "a")
    write(name, source, tmp_path / "b")
    assert {p.name for p in tmp_path.iterdir()} == {"a", "b"}
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert sum(report.items.values()) > 0
    assert report.files == len(files(tmp_path / "a"))


@pytest.mark.parametrize("name", [n for n, e in EXPORTERS.items() if e.needs_clips])
def test_what_is_left_out_is_counted(name: str, source: Source, tmp_path: Path) -> None:
    report = write(name, source, tmp_path / "a", ExportOptions(min_confidence=0.9, validation=0.4))
    assert report.left_out["speaker unknown"] == sum(line.character is None for line in source.lines)
    assert report.left_out["name not sure enough"] == sum(line.confidence == 0.6 for line in source.lines)
    assert report.left_out["no clip"] > 0
    assert sum(report.items.values()) + sum(report.left_out.values()) == len(source.lines)


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_empty_corpus_makes_no_fuss(name: str, tmp_path: Path) -> None:
    report = write(name, Source.of([], tmp_path), tmp_path / "a")
    assert sum(report.items.values()) == 0


@pytest.mark.parametrize("character", [*HOSTILE, "A" * 300])
def test_no_name_is_in_the_way(character: str, source: Source, tmp_path: Path) -> None:
    lines = [Line.from_dict(line.to_dict() | {"character": character}) for line in source.lines[:8] if line.character]
    for name in EXPORTERS:
        report = write(name, Source.of(lines, source.root), tmp_path / name)
        assert report.files == len(files(tmp_path / name)) > 0
    assert len(pysubs2.load(str(tmp_path / "ass" / "ep01.ass")).styles) <= 2


def test_words_that_loaders_take_for_nothing_stay_words(source: Source, tmp_path: Path) -> None:
    lines = [Line.from_dict(source.lines[1].to_dict() | {"text": "None", "character": "NA"})]
    write("hf-folder", Source.of(lines, source.root), tmp_path / "a")
    (metadata,) = (tmp_path / "a").rglob("metadata.jsonl")
    row = json.loads(metadata.read_text(encoding="utf-8"))
    assert (row["text"], row["character"]) == ("None", "NA")
    assert (metadata.parent / row["file_name"]).is_file()


def test_a_clip_outside_the_output_folder_is_not_taken(source: Source, tmp_path: Path) -> None:
    (tmp_path / "secret.flac").write_bytes((source.root / str(source.lines[1].clip)).read_bytes())
    (tmp_path / "out").mkdir()
    line = Line.from_dict(source.lines[1].to_dict() | {"clip": "../secret.flac"})
    report = write("webdataset", Source.of([line], tmp_path / "out"), tmp_path / "out/a")
    assert report.left_out == {"no clip": 1}


def splits(source: Source) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {TRAIN: set(), VALIDATION: set()}
    for scene in source.scenes:
        found[split_of(scene.scene_id, 0.4)] |= {line.line_id for line in scene.lines}
    return found


@given(st.text(), st.floats(0, 1, exclude_max=True))
def test_a_scene_stays_where_it_is(scene_id: str, validation: float) -> None:
    assert split_of(scene_id, validation) == split_of(scene_id, validation)
    assert split_of(scene_id, 0.0) == TRAIN
    if split_of(scene_id, validation) == VALIDATION:
        assert split_of(scene_id, min(0.999, validation * 1.5)) == VALIDATION


def test_the_split_is_about_as_large_as_asked() -> None:
    assert sum(split_of(f"s{k}", 0.1) == VALIDATION for k in range(3000)) == pytest.approx(300, abs=60)


# --- read back by the tools -------------------------------------------------------------------------------


def is_alternating(roles: Sequence[str], first: str, second: str) -> bool:
    return len(roles) % 2 == 0 and roles == [first, second] * (len(roles) // 2)


@pytest.mark.parametrize("context_lines", [0, 3])
def test_chats_alternate_and_never_leak(source: Source, tmp_path: Path, context_lines: int) -> None:
    prompt = "Be {character}. {x}"
    options = ExportOptions(min_confidence=0.9, validation=0.4, context_lines=context_lines, system_prompt=prompt)
    write("chat", source, tmp_path / "chat", options)
    write("sharegpt", source, tmp_path / "share", options)
    where = splits(source)
    scenes = {scene.scene_id: scene for scene in source.scenes}
    for path in (tmp_path / "chat").rglob("*.jsonl"):
        twin = tmp_path / "share" / path.relative_to(tmp_path / "chat")
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").split("\n") if row]
        shared = [json.loads(row) for row in twin.read_text(encoding="utf-8").split("\n") if row]
        assert rows and len(rows) == len(shared)
        for row, other in zip(rows, shared, strict=True):
            system, *talk = row["messages"]
            assert system == {"role": "system", "content": f"Be {row['character']}. {{x}}"}
            assert is_alternating([m["role"] for m in talk], "user", "assistant")
            assert is_alternating([m["from"] for m in other["conversations"]], "human", "gpt")
            assert [m["content"] for m in talk] == [m["value"] for m in other["conversations"]]
            assert other["system"] == system["content"]
            assert {line.line_id for line in scenes[row["scene"]].lines} <= where[path.stem]
            said = {
                " ".join(x.text.splitlines())
                for x in source.lines
                if x.character == row["character"] and x.confidence > 0.9
            }
            for m in talk:
                if m["role"] == "assistant":
                    assert set(m["content"].split("\n")) <= said
            if context_lines:
                assert sum(m["content"].count("\n") + 1 for m in talk if m["role"] == "user") <= context_lines + 1


def test_ljspeech(source: Source, tmp_path: Path) -> None:
    report = write("ljspeech", source, tmp_path / "a")
    where, seen = splits(source), 0
    for table in (tmp_path / "a").rglob("metadata*.csv"):
        split = VALIDATION if "validation" in table.name else TRAIN
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
                name, text, normal = row
                wave, rate_hz = soundfile.read(table.parent / "wavs" / f"{name}.wav", dtype="int16")
                assert (rate_hz, wave.ndim, len(wave)) == (22_050, 1, 11_025)
                assert name in where[split] and text and normal
                seen += 1
    assert seen == sum(report.items.values())


def test_gpt_sovits(source: Source, tmp_path: Path) -> None:
    write("gpt-sovits", source, tmp_path / "a")
    languages = set()
    for split in (TRAIN, VALIDATION):
        for row in (tmp_path / "a" / f"{split}.list").read_text(encoding="utf-8").splitlines():
            path, speaker, language, text = row.split("|")
            assert soundfile.info(tmp_path / "a" / path).samplerate == 32_000
            assert speaker and text
            languages.add(language)
    assert languages == {"zh", "ja", "en"}


def test_webdataset(source: Source, tmp_path: Path) -> None:
    report = write(
        "webdataset", source, tmp_path / "a", ExportOptions(min_confidence=0, validation=0.4, shard_bytes=1 << 20)
    )
    shards = sorted((tmp_path / "a").glob("*.tar"))
    assert len(shards) > 2
    examples: dict[str, dict[str, bytes]] = {}
    for shard in shards:
        with tarfile.open(shard) as tar:
            names = tar.getnames()
            assert names == [f"{n.rpartition('.')[0]}.{s}" for n in names[::3] for s in ("flac", "json", "txt")]
            for member in tar:
                assert (member.mtime, member.uid, member.uname) == (0, 0, "")
                stem, _, suffix = member.name.partition(".")
                data = tar.extractfile(member)
                assert data is not None
                examples.setdefault(stem, {})[suffix] = data.read()
    assert len(examples) == sum(report.items.values())
    by_id = {line.line_id: line for line in source.lines}
    for example in examples.values():
        about = json.loads(example["json"])
        line = by_id[about["line_id"]]
        assert example["txt"].decode() == line.text == about["text"]
        assert about["character"] == line.character
        assert soundfile.info(io.BytesIO(example["flac"])).samplerate == 44_100


def test_ass_in_pysubs2(source: Source, tmp_path: Path) -> None:
    write("ass", source, tmp_path / "a")
    for episode in ("ep01", "ep02"):
        subs = pysubs2.load(str(tmp_path / "a" / f"{episode}.ass"))
        lines = [line for line in source.lines if line.episode_id == episode]
        assert [event.start for event in subs] == [line.start_ms for line in lines]
        names = [" ".join((line.character or "").split()).replace(",", "，") for line in lines]
        assert [event.name for event in subs] == names
        assert all(event.style in subs.styles for event in subs)
        assert {event.style for event in subs} == {name or "Default" for name in names}
        shown = [event.plaintext for event in subs]
        assert [text.replace("｛", "{").replace("｝", "}").replace("＼", "\\") for text in shown] == [
            " ".join(line.text.splitlines()) for line in lines
        ]


def test_srt_in_pysubs2(source: Source, tmp_path: Path) -> None:
    report = write("srt", source, tmp_path / "a")
    found = [event for path in (tmp_path / "a").rglob("*.srt") for event in pysubs2.load(str(path))]
    assert len(found) == len(source.lines) == report.items["lines"]
    assert (tmp_path / "a" / "_unknown" / "ep01.srt").is_file()
    report = write("srt", source, tmp_path / "b", ExportOptions(characters=("凉宫",), min_confidence=0))
    assert {p.parent.name for p in (tmp_path / "b").rglob("*.srt")} == {"凉宫", "_unknown"}


def test_rttm(source: Source, tmp_path: Path) -> None:
    report = write("rttm", source, tmp_path / "a")
    turns = [turn for path in sorted((tmp_path / "a").glob("*.rttm")) for turn in read_rttm(path)]
    named = [line for line in source.lines if line.character]
    assert len(turns) == len(named) == report.items["lines"]
    assert sorted((t.start_ms, t.speaker) for t in turns) == sorted(
        (line.start_ms, "_".join((line.character or "").split())) for line in named
    )


def test_texts_and_haruhi_are_those_of_the_corpus(source: Source, tmp_path: Path) -> None:
    write("texts", source, tmp_path / "a")
    write("haruhi", source, tmp_path / "b")
    assert all(read_scene_text(path) for path in (tmp_path / "a").rglob("*.txt"))
    for path in (tmp_path / "b").glob("*.jsonl"):
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").split("\n") if row]
        assert rows[0]["luotuo_openai"] == "system_prompt" and rows[1]["bge_zh_s15"] == "config"


@pytest.mark.parametrize("name", ["hf-folder", "hf-parquet"])
def test_hugging_face_loads_it(name: str, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The published torchcodec needs CUDA's libraries and fails without them. The loader imports it before it looks
    # at what it got; for files, as here, it does not use it.
    try:
        importlib.import_module("torchcodec.encoders")
    except (OSError, ImportError, RuntimeError):
        monkeypatch.setattr(datasets.config, "TORCHCODEC_AVAILABLE", False)
        monkeypatch.setitem(sys.modules, "torchcodec", types.ModuleType("torchcodec"))
        monkeypatch.setitem(sys.modules, "torchcodec.encoders", types.SimpleNamespace(AudioEncoder=None))
    report = write(name, source, tmp_path / "a", ExportOptions(min_confidence=0, validation=0.4, shard_bytes=1 << 20))
    loaded = datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == dict(report.items)
    by_text = {" ".join(line.text.splitlines()): line for line in source.lines}
    for rows in loaded.values():
        assert isinstance(rows.features["audio"], datasets.Audio)
        for row in rows.cast_column("audio", datasets.Audio(decode=False)):
            line = by_text[row["text"]]
            assert row["character"] == line.character
            sound = io.BytesIO(row["audio"]["bytes"]) if row["audio"]["bytes"] else row["audio"]["path"]
            assert soundfile.info(sound).frames == 22_050


def test_the_card_holds_its_header_against_hostile_names(source: Source, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    write("hf-folder", source, tmp_path / "a")
    text = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    about = yaml.safe_load(header)
    assert about["configs"][0]["data_files"][0] == {"split": "train", "path": "train/**"}
    assert about["size_categories"] == ["n<1K"]
    assert "<b>" not in body and "John \\|" in body
