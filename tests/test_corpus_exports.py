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

from video_preprocessing.speech import read_rttm
from yuki_builder.corpus import EXPORTERS, ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.base import splits
from yuki_builder.corpus.exports.labels import file_key
from yuki_builder.corpus.exports.split import TRAIN, VALIDATION
from yuki_builder.corpus.exports.texts import read_scene_text
from yuki_builder.records import Line, Span, Verdict, no_progress

NAMES = ("凉宫", '../../John | "Jr"', "=cmd()", "<b>Ann</b>")
HOSTILE = ("metadata.parquet", "README.md", "data", "train.list", "_unknown", "Default", "\ud83d", "\x00a", "CON", "NA")
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


def test_a_clip_outside_the_output_folder_is_not_taken(source: Source, tmp_path: Path) -> None:
    (tmp_path / "secret.flac").write_bytes((source.root / str(source.lines[1].clip)).read_bytes())
    (tmp_path / "out").mkdir()
    line = Line.from_dict(source.lines[1].to_dict() | {"clip": "../secret.flac"})
    report = write("webdataset", Source.of([line], tmp_path / "out"), tmp_path / "out/a")
    assert report.left_out == {"no clip": 1}


def lines_by_split(source: Source, options: ExportOptions = ALL) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {TRAIN: set(), VALIDATION: set()}
    split_of = splits(source, options)
    for scene in source.scenes:
        found[split_of[scene.scene_id]] |= {line.line_id for line in scene.lines}
    assert found[TRAIN] and found[VALIDATION]
    return found


# --- read back by the tools -------------------------------------------------------------------------------


def is_alternating(roles: Sequence[str], first: str, second: str) -> bool:
    return len(roles) % 2 == 0 and roles == [first, second] * (len(roles) // 2)


@pytest.mark.parametrize("context_lines", [0, 3])
def test_chats_alternate_and_never_leak(source: Source, tmp_path: Path, context_lines: int) -> None:
    prompt = "Be {character}. {x}"
    options = ExportOptions(min_confidence=0.9, validation=0.4, context_lines=context_lines, system_prompt=prompt)
    write("chat", source, tmp_path / "chat", options)
    write("sharegpt", source, tmp_path / "share", options)
    where = lines_by_split(source, options)
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
    where, seen = lines_by_split(source), 0
    id_of = {file_key(line.line_id): line.line_id for line in source.lines}
    for table in (tmp_path / "a").rglob("metadata*.csv"):
        split = VALIDATION if "validation" in table.name else TRAIN
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
                name, text, normal = row
                wave, rate_hz = soundfile.read(table.parent / "wavs" / f"{name}.wav", dtype="int16")
                assert (rate_hz, wave.ndim, len(wave)) == (22_050, 1, 11_025)
                assert id_of[name] in where[split] and text and normal
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
    assert len(turns) == len(named) == report.items["turns"]
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


@pytest.fixture
def offline_datasets(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The real loaders of Hugging Face."""
    datasets = pytest.importorskip("datasets")
    # The variable is only read once, at the first import, and would then hold for every test of this process.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    # The published torchcodec needs CUDA's libraries and fails without them. The loader imports it before it looks
    # at what it got; for files, as here, it does not use it.
    try:
        importlib.import_module("torchcodec.encoders")
    except (OSError, ImportError, RuntimeError):
        monkeypatch.setattr(datasets.config, "TORCHCODEC_AVAILABLE", False)
        monkeypatch.setitem(sys.modules, "torchcodec", types.ModuleType("torchcodec"))
        monkeypatch.setitem(sys.modules, "torchcodec.encoders", types.SimpleNamespace(AudioEncoder=None))
    return datasets


@pytest.mark.parametrize("name", ["hf-folder", "hf-parquet"])
def test_hugging_face_loads_it(name: str, source: Source, tmp_path: Path, offline_datasets: types.ModuleType) -> None:
    datasets = offline_datasets
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
    assert about["license_name"] == "to-be-filled-in"
    assert "<b>" not in body and "John \\|" in body


# --- what no format likes ---------------------------------------------------------------------------------

LONG = "［字幕组］凉宫春日的忧郁 第十四集 " * 6
HOSTILE_NAMES = (
    *(
        "metadata.csv",
        "metadata.parquet",
        "README.md",
        "readme.MD",
        "train.list",
        "wavs",
        "data",
        "_unknown",
        "Default",
    ),
    *("\ud83d", "\x00a", "CON", "=HYPERLINK(1)", "-x", "A" * 300, "a b", "a_b", "A_B", "x,y", "x，y", "..", "a\u2028b"),
)


def line_of(number: int, character: str | None, text: str = "hi there", **other: object) -> Line:
    facts: dict[str, object] = {"episode_id": "ep01", "start_ms": number * 3000, "end_ms": number * 3000 + 1000}
    facts |= {"confidence": 0.95, "verdict": Verdict.CERTAIN, "text": text, "character": character} | other
    return Line.from_dict({"line_id": f"{facts['episode_id']}-{number}", "index": number} | facts)


def with_clips(lines: Sequence[Line], root: Path) -> list[Line]:
    (root / "clips").mkdir(parents=True, exist_ok=True)
    made = []
    for number, line in enumerate(lines):
        clip = f"clips/{number}.flac"
        soundfile.write(root / clip, np.zeros((4410, 2), np.float32), 44_100)
        made.append(Line.from_dict(line.to_dict() | {"clip": clip}))
    return made


@pytest.mark.parametrize("name", EXPORTERS)
def test_names_that_break_folders_columns_and_fields(name: str, tmp_path: Path) -> None:
    lines = [line_of(k, character) for k, character in enumerate(HOSTILE_NAMES)]
    lines += [line_of(k, "A", episode_id=LONG) for k in range(100, 102)]
    source = Source.of(with_clips(lines, tmp_path / "out"), tmp_path / "out")
    report = write(name, source, tmp_path / "a", ExportOptions(validation=0))
    assert {p.name for p in tmp_path.iterdir()} == {"out", "a"}
    assert report.left_out == {}
    assert len(report.examples) == len(lines)
    assert report.files == len(files(tmp_path / "a"))
    # Case makes no difference on many disks: no file would take another's place there.
    assert len({path.casefold() for path in files(tmp_path / "a")}) == report.files


def test_characters_that_formats_would_make_one_stay_two(tmp_path: Path) -> None:
    pairs = ("a b", "a_b", "x,y", "x，y", "Default")
    source = Source.of([line_of(k, name) for k, name in enumerate(pairs)], tmp_path)
    write("rttm", source, tmp_path / "rttm")
    assert len({turn.speaker for turn in read_rttm(tmp_path / "rttm" / "ep01.rttm")}) == len(pairs)
    write("ass", source, tmp_path / "ass")
    subs = pysubs2.load(str(tmp_path / "ass" / "ep01.ass"))
    assert len({event.style for event in subs}) == len(pairs)
    assert set(subs.styles) == {"Default", *(event.style for event in subs)}
    assert "Default" not in {event.style for event in subs}


def test_pyannote_reads_the_rttm(tmp_path: Path) -> None:
    util = pytest.importorskip("pyannote.database.util")
    lines = [line_of(0, "Ann Lee"), line_of(1, "凉宫"), line_of(2, None), line_of(3, "凉宫", end_ms=9000)]
    report = write("rttm", Source.of(lines, tmp_path), tmp_path / "a")
    assert report.left_out == {"speaker unknown": 1, "of no length": 1}
    (annotation,) = util.load_rttm(str(tmp_path / "a" / "ep01.rttm")).values()
    turns = [
        (round(turn.start * 1000), round(turn.end * 1000), label) for turn, _, label in annotation.itertracks(True)
    ]
    assert turns == [(0, 1000, "Ann_Lee"), (3000, 4000, "凉宫")]


def test_subtitles_are_shown_as_long_as_the_file_shows_them(tmp_path: Path) -> None:
    lines = [line_of(0, "A", text_secondary="你好\n{x}"), line_of(1, "B")]
    source = Source.of(lines, tmp_path, shown={"ep01-0": Span(100, 2500)})
    write("ass", source, tmp_path / "a")
    first, second = pysubs2.load(str(tmp_path / "a" / "ep01.ass"))
    assert (first.start, first.end, first.plaintext) == (100, 2500, "hi there\n你好 ｛x｝")
    assert (second.start, second.end) == (3000, 4000)
    write("srt", source, tmp_path / "b")
    (shown,) = pysubs2.load(str(tmp_path / "b" / "A" / "ep01.srt"))
    assert (shown.start, shown.end) == (100, 2500)


def test_srt_keeps_what_looks_like_a_tag(tmp_path: Path) -> None:
    text = "a < b <script>x</script> {\\an8}up\n\n2\n00:00 --> 1"
    write("srt", Source.of([line_of(0, "A", text)], tmp_path), tmp_path / "a")
    (shown,) = pysubs2.load(str(tmp_path / "a" / "A" / "ep01.srt"))
    assert shown.plaintext == "a ＜ b ＜script>x＜/script> ｛\\an8}up  2 00:00 --> 1"


@pytest.mark.parametrize("name", [n for n, e in EXPORTERS.items() if e.needs_clips])
def test_clips_that_are_gone_or_empty_are_counted(name: str, tmp_path: Path) -> None:
    lines = with_clips([line_of(k, "A") for k in range(4)], tmp_path)
    (tmp_path / str(lines[0].clip)).unlink()
    (tmp_path / str(lines[1].clip)).write_bytes(b"")
    report = write(name, Source.of(lines, tmp_path), tmp_path / "a", ExportOptions(validation=0))
    assert report.left_out == {"no clip": 2}
    assert report.items == {"train": 2}


@pytest.mark.parametrize("name", ["ljspeech", "gpt-sovits"])
def test_damaged_clips_are_counted(name: str, tmp_path: Path) -> None:
    lines = with_clips([line_of(k, "A") for k in range(3)], tmp_path)
    (tmp_path / str(lines[1].clip)).write_bytes(b"no flac")
    report = write(name, Source.of(lines, tmp_path), tmp_path / "a", ExportOptions(validation=0))
    assert report.left_out == {"clip damaged": 1}
    assert len(list((tmp_path / "a").rglob("*.wav"))) == report.items["train"] == 2


def test_columns_of_ljspeech_and_sovits_hold_against_texts(tmp_path: Path) -> None:
    texts = ["a|b\nc", "Ｆｕｌｌ　ｗｉｄｔｈ ５｜６", "…", "=1+1", '"quoted"']
    lines = with_clips([line_of(k, "x|y\nz", text) for k, text in enumerate(texts)], tmp_path)
    source = Source.of(lines, tmp_path)
    write("ljspeech", source, tmp_path / "a", ExportOptions(validation=0))
    (table,) = (tmp_path / "a").rglob("metadata.csv")
    rows = [row.split("|") for row in table.read_text(encoding="utf-8").splitlines()]
    assert [len(row) for row in rows] == [3] * len(texts)
    assert [row[1] for row in rows] == ["a｜b c", "Ｆｕｌｌ　ｗｉｄｔｈ ５｜６", "…", "=1+1", '"quoted"']
    assert [row[2] for row in rows] == ["a b c", "Full width 5 6", "...", "=1+1", '"quoted"']
    write("gpt-sovits", source, tmp_path / "b", ExportOptions(validation=0))
    rows = [row.split("|") for row in (tmp_path / "b" / "train.list").read_text(encoding="utf-8").splitlines()]
    assert {row[1] for row in rows} == {"x｜y z"} and [len(row) for row in rows] == [4] * len(texts)


def test_the_language_of_a_line_is_told_by_its_script(tmp_path: Path) -> None:
    texts = ["今日は晴れだ", "了解", "そうだね", "……", "Yes!", "안녕하세요", "Привет"]
    japanese = [line_of(k, "A", text) for k, text in enumerate([*texts, "まさか"])]
    chinese = [line_of(k, "A", text, episode_id="zh") for k, text in enumerate(["了解", "你好", "……", "こんにちは"])]
    source = Source.of(with_clips([*japanese, *chinese], tmp_path), tmp_path)
    report = write("gpt-sovits", source, tmp_path / "a", ExportOptions(validation=0))
    rows = [row.split("|") for row in (tmp_path / "a" / "train.list").read_text(encoding="utf-8").splitlines()]
    assert [row[2] for row in rows] == ["ja", "ja", "ja", "ja", "en", "ko", "ja", "zh", "zh", "zh", "ja"]
    assert report.left_out == {"no language that the tool knows": 1}


def test_each_voice_has_a_list_of_its_own(source: Source, tmp_path: Path) -> None:
    """The tool takes the last part of each path and looks for it in the folder of clips that it is given."""
    write("gpt-sovits", source, tmp_path / "a")
    whole = [row for split in (TRAIN, VALIDATION) for row in read_rows(tmp_path / "a" / f"{split}.list")]
    own = [row for path in (tmp_path / "a" / "characters").rglob("*.list") for row in read_rows(path)]
    assert sorted(own) == sorted(whole)
    for path in (tmp_path / "a" / "characters").rglob("*.list"):
        assert len({row.split("|")[1] for row in read_rows(path)}) == 1
    for row in whole:
        assert (tmp_path / "a" / "wavs" / Path(row.split("|")[0]).name).is_file()


def read_rows(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["texts", "haruhi"])
def test_scenes_of_the_characters_asked_for_with_the_names_that_are_sure(name: str, tmp_path: Path) -> None:
    doubtful = {"confidence": 0.4, "verdict": Verdict.DOUBTFUL}
    lines = [line_of(0, "A", "one"), line_of(1, "B", "two"), line_of(2, "C", "three", **doubtful)]
    lines += [line_of(9, "C", "far away", **doubtful, start_ms=900_000, end_ms=900_500)]
    options = ExportOptions(min_confidence=0.5, characters=("A", "C"), system_prompt="Be {character}.")
    report = write(name, Source.of(lines, tmp_path), tmp_path / "a", options)
    written = {path: data.decode() for path, data in files(tmp_path / "a").items() if path != "README.md"}
    assert {path.partition("/")[0].removesuffix(".jsonl") for path in written} == {"A"}
    (text,) = written.values()
    assert "A:「one」" in text and "B:「two」" in text and "？？？:「three」" in text and "far away" not in text
    assert report.left_out == {"another character": 1, "name not sure enough": 2}
    assert name == "texts" or json.loads(text.split("\n")[0])["text"] == "Be A."


def test_what_is_said_twice_is_no_answer_to_learn(tmp_path: Path) -> None:
    """A recap in validation would be known from the episode before."""
    lines = [line_of(k, "AB"[k % 2], f"text {k}") for k in range(6)]
    source = Source.of(lines, tmp_path, problems={"ep01-3": ("too short", "duplicate"), "ep01-1": ("clipped",)})
    report = write(
        "chat", source, tmp_path / "a", ExportOptions(validation=0, without=frozenset({"duplicate", "clipped"}))
    )
    (row,) = [json.loads(row) for row in read_rows(tmp_path / "a" / "B" / "train.jsonl")]
    answers = [m["content"] for m in row["messages"] if m["role"] == "assistant"]
    assert answers == ["text 1", "text 5"]
    assert report.left_out == {"duplicate": 1}


@pytest.mark.parametrize("name", EXPORTERS)
def test_what_a_person_calls_unusable_is_in_no_export(name: str, tmp_path: Path) -> None:
    """Not even as context: trainers learn from all words of a chat. Subtitles that show every line show it too."""
    lines = [line_of(k, "AB"[k % 2], f"text {k}") for k in range(6)]
    source = Source.of(with_clips(lines, tmp_path), tmp_path, problems={"ep01-2": ("too short", "unusable")})
    report = write(name, source, tmp_path / "a", ExportOptions(validation=0))
    assert holds(tmp_path / "a", lines[2]) is (name == "ass") and holds(tmp_path / "a", lines[3])
    assert report.left_out == ({} if name == "ass" else {"unusable": 1})
    assert "unusable" in (tmp_path / "a" / "README.md").read_text(encoding="utf-8") or name == "ass"
    again = write(name, source, tmp_path / "b", ExportOptions(validation=0, without=frozenset()))
    assert not again.left_out and holds(tmp_path / "b", lines[2])


def holds(folder: Path, line: Line) -> bool:
    """Whether an export has anything of a line: its words, its clip, its turn."""
    import pyarrow.parquet as pq

    tables = [str(pq.read_table(path).to_pylist()) for path in folder.rglob("*.parquet")]
    written = [f"{path} {data.decode(errors='ignore')}" for path, data in files(folder).items() if path != "README.md"]
    marks = (line.text, file_key(line.line_id), f" {line.start_ms / 1000:.3f} 1.000 ")
    return any(mark in text for text in (*tables, *written) for mark in marks)


def test_a_window_of_context_does_not_open_a_scene_in_its_middle(tmp_path: Path) -> None:
    lines = [line_of(k, name, f"text {k}") for k, name in enumerate("AABBABCA")]
    source = Source.of(lines, tmp_path)
    write("chat", source, tmp_path / "a", ExportOptions(validation=0, context_lines=3))
    chats = [json.loads(row)["messages"][1:] for row in read_rows(tmp_path / "a" / "A" / "train.jsonl")]
    assert [chat[-1]["content"] for chat in chats] == ["text 0\ntext 1", "text 4", "text 7"]
    opening = chats[0][0]["content"]
    assert all(chat[0]["content"] != opening for chat in chats[1:])
    assert [m["content"] for m in chats[2]] == ["B:「text 5」\nC:「text 6」", "text 7"]


def test_the_other_language(tmp_path: Path) -> None:
    lines = [line_of(0, "A", "hello", text_secondary="你好"), line_of(1, "A", "bye")]
    report = write(
        "ljspeech", Source.of(with_clips(lines, tmp_path), tmp_path), tmp_path / "a", ExportOptions(text="secondary")
    )
    assert report.left_out == {"no text": 1}
    assert read_rows(tmp_path / "a" / "A" / "metadata.csv") == ["ep01-0|你好|你好"]


def test_all_formats_keep_the_same_scenes_for_validation(source: Source, tmp_path: Path) -> None:
    validation = {}
    for name in ("chat", "ljspeech", "webdataset", "hf-parquet"):
        report = write(name, source, tmp_path / name, ExportOptions(validation=0.3))
        validation[name] = {item.scene_id for item in report.examples if item.split == VALIDATION}
        assert validation[name] and not validation[name] & {i.scene_id for i in report.examples if i.split == TRAIN}
    assert len({frozenset(scenes) for scenes in validation.values()}) == 1


def test_shards_are_no_larger_than_asked(source: Source, tmp_path: Path) -> None:
    limit = 1 << 20
    write("webdataset", source, tmp_path / "a", ExportOptions(min_confidence=0, shard_bytes=limit))
    sizes = [path.stat().st_size for path in (tmp_path / "a").glob("*.tar")]
    assert len(sizes) > 2 and max(sizes) <= limit


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_export_has_a_card_with_figures(name: str, source: Source, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    made_with = {"separator": "dialogue", "evil": "a|b\n---\n<script>"}
    source = Source(source.lines, source.scenes, source.root, made_with=made_with)
    report = write(name, source, tmp_path / "a")
    text = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    about = yaml.safe_load(header)
    assert about["license"] == "other" and about["language"] and about["size_categories"] == ["n<1K"]
    for character in {item.line.character for item in report.examples}:
        own = [item for item in report.examples if item.line.character == character]
        certain = sum(item.line.verdict is Verdict.CERTAIN for item in own)
        minutes = sum(item.line.span.duration_ms for item in own) / 60_000
        assert f" | {len(own)} | {minutes:.1f} | {certain} | {len(own) - certain} |" in body
    for reason, count in report.left_out.items():
        assert f"{count} x {reason}" in body
    assert "separator: dialogue" in body and "<script>" not in body
    assert ("for validation (0.4" in body) is EXPORTERS[name].is_split


# --- read by Hugging Face datasets ------------------------------------------------------------------------


def test_hugging_face_keeps_texts_that_look_like_something_else(
    tmp_path: Path, offline_datasets: types.ModuleType
) -> None:
    texts = ["NA", "null", "1984", "true", "=1+1", ""]
    lines = with_clips([line_of(k, "None" if k % 2 else "1", text) for k, text in enumerate(texts[:-1])], tmp_path)
    write("hf-folder", Source.of(lines, tmp_path), tmp_path / "a", ExportOptions(validation=0))
    rows = offline_datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"), split="train")
    assert rows["text"][:] == texts[:-1]
    assert rows["character"][:] == ["1", "None", "1", "None", "1"]
    assert rows.features["quality"].dtype == "float64" and rows.features["start_ms"].dtype == "int64"


@pytest.mark.parametrize("name", ["hf-folder", "hf-parquet"])
@pytest.mark.parametrize("empty_in", [TRAIN, VALIDATION])
def test_hugging_face_loads_columns_that_are_empty_in_one_split(
    name: str, empty_in: str, source: Source, tmp_path: Path, offline_datasets: types.ModuleType
) -> None:
    empty = lines_by_split(source)[empty_in]
    facts = {"quality": 3.5, "text_secondary": "other"}
    lines = [x if x.line_id in empty else Line.from_dict(x.to_dict() | facts) for x in source.lines]
    write(name, Source.of(lines, source.root, scenes=source.scenes), tmp_path / "a")
    loaded = offline_datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    for split, rows in loaded.items():
        assert set(rows["quality"]) == ({None} if split == empty_in else {3.5})


@pytest.mark.parametrize("name", ["chat", "sharegpt"])
def test_hugging_face_loads_chats(
    name: str, source: Source, tmp_path: Path, offline_datasets: types.ModuleType
) -> None:
    report = write(name, source, tmp_path / "a")
    loaded = offline_datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == dict(report.items)


def test_hugging_face_loads_shards(source: Source, tmp_path: Path, offline_datasets: types.ModuleType) -> None:
    report = write("webdataset", source, tmp_path / "a")
    loaded = offline_datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == dict(report.items)
    by_id = {line.line_id: line for line in source.lines}
    for rows in loaded.values():
        assert isinstance(rows.features["flac"], offline_datasets.Audio)
        for row in rows.cast_column("flac", offline_datasets.Audio(decode=False)):
            assert row["txt"] == by_id[row["json"]["line_id"]].text
            assert soundfile.info(io.BytesIO(row["flac"]["bytes"])).frames == 22_050
