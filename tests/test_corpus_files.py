"""The files of the corpus: what is written can be read again, by us and by the tools it is meant for."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections import Counter
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import (
    build_corpus_files,
    build_corpus_in_parts,
    read_lines_csv,
    read_lines_jsonl,
    read_lines_parquet,
    split_scenes,
    write_lines_csv,
    write_lines_jsonl,
    write_lines_parquet,
)
from yuki_builder.corpus.exports.haruhi import write_haruhi
from yuki_builder.corpus.exports.prompts import PROMPTS, Scripts, fill, prompts_for
from yuki_builder.corpus.exports.roleplay import RoleplayCounts, scene_messages, write_roleplay
from yuki_builder.corpus.exports.texts import read_scene_text, write_texts
from yuki_builder.corpus.exports.utterances import (
    UNKNOWN_NAME,
    Utterance,
    format_utterance,
    parse_utterance,
    utterance_of,
)
from yuki_builder.corpus.scenes import Scene
from yuki_builder.corpus.scenes.segmentation import MAX_LINES, PAUSE_MS, SceneSettings, scene_starts
from yuki_builder.corpus.tables.lines_csv import COLUMNS
from yuki_builder.corpus.tables.statistics import CharacterStatistics, character_statistics, count_words
from yuki_builder.errors import InputError
from yuki_builder.records import Evidence, Line, LineSource, Span, Verdict

quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

any_text = st.text(st.characters(exclude_categories=[]), max_size=30)
real_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
share = st.floats(0, 1)


@st.composite
def a_line(
    draw: st.DrawFn, text: st.SearchStrategy[str] = real_text, name: st.SearchStrategy[str] | None = None
) -> Line:
    filled = text.filter(bool)
    optional = st.none() | filled
    start_ms = draw(st.integers(0, 10_000_000))
    return Line(
        line_id=draw(filled),
        episode_id=draw(filled),
        index=draw(st.integers(0, 100_000)),
        start_ms=start_ms,
        end_ms=start_ms + draw(st.integers(0, 20_000)),
        text=draw(text),
        text_secondary=draw(optional),
        character=draw(optional if name is None else st.none() | name),
        confidence=draw(share),
        verdict=draw(st.sampled_from(Verdict)),
        evidence=tuple(draw(st.lists(st.builds(Evidence, text, text, st.floats(-10, 10)), max_size=3))),
        speaker=draw(optional),
        overlap=draw(share),
        snr_db=draw(st.none() | st.floats(-80, 80)),
        quality=draw(st.none() | st.floats(1, 5)),
        clip=draw(optional),
        source=draw(st.sampled_from(LineSource)),
    )


def said(index: int, character: str | None, text: str, *, start_ms: int | None = None, sure: float = 0.95) -> Line:
    start_ms = index * 3000 if start_ms is None else start_ms
    return Line(f"ep01-{index}", "ep01", index, start_ms, start_ms + 2000, text, None, character, sure, Verdict.CERTAIN)


# --- lines: JSON Lines, CSV, Parquet


@quick
@given(st.lists(a_line(any_text), max_size=4))
def test_jsonl_gives_back_any_text_and_keeps_rows_whole(tmp_path: Path, lines: list[Line]) -> None:
    path, again = tmp_path / "lines.jsonl", tmp_path / "again.jsonl"
    write_lines_jsonl(lines, path)
    assert read_lines_jsonl(path) == lines
    # Software that ends a line at U+2028, U+0085 and the like sees the same rows.
    rows = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["text"] for row in rows] == [line.text for line in lines]
    write_lines_jsonl(read_lines_jsonl(path), again)
    assert again.read_bytes() == path.read_bytes()


def test_jsonl_is_readable_and_in_the_order_of_the_contract(tmp_path: Path) -> None:
    write_lines_jsonl([said(0, "春日", "因为你迟到了\n这是当然的吧")], tmp_path / "x")
    raw = (tmp_path / "x").read_text(encoding="utf-8")
    assert '"text": "因为你迟到了\\n这是当然的吧"' in raw
    assert list(json.loads(raw)) == [field.name for field in dataclasses.fields(Line)]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b'{"line_id": "a"}\n', 1),
        (b"\n[1, 2]\n", 2),
        (b"{\n", 1),
        (b"\xff\xfe{}\n", 1),
        (b"[" * 100_000, 1),
        (b"null\n", 1),
        (b'{"line_id":"a","episode_id":"e","index":0,"start_ms":5,"end_ms":2,"text":""}', 1),
        (b'{"line_id":"a","episode_id":"e","index":0,"start_ms":"x","end_ms":2,"text":""}', 1),
        (b'{"line_id":"a","episode_id":"e","index":0,"start_ms":0,"end_ms":2,"text":"","verdict":"perhaps"}', 1),
        (b'{"line_id":"a","episode_id":"e","index":0,"start_ms":0,"end_ms":2,"text":"","evidence":[1]}', 1),
    ],
)
def test_a_broken_jsonl_is_refused_by_row(tmp_path: Path, content: bytes, row: int) -> None:
    (tmp_path / "lines.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=f"row {row} ") as caught:
        read_lines_jsonl(tmp_path / "lines.jsonl")
    assert str(tmp_path) in str(caught.value)


def test_fields_of_newer_writers_are_left_aside(tmp_path: Path) -> None:
    row = {**said(0, None, "x").to_dict(), "mood": "calm"}
    (tmp_path / "lines.jsonl").write_text(json.dumps(row))
    assert read_lines_jsonl(tmp_path / "lines.jsonl") == [said(0, None, "x")]


@quick
@given(st.lists(a_line(), max_size=4))
def test_csv_gives_back_any_text(tmp_path: Path, lines: list[Line]) -> None:
    path = tmp_path / "lines.csv"
    write_lines_csv(lines, path)
    assert read_lines_csv(path) == lines


def test_files_of_versions_that_knew_subtitles_only_are_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    lines = [said(0, "春日", "x"), said(1, None, "y")]
    write_lines_jsonl(lines, tmp_path / "lines.jsonl")
    rows = [json.loads(row) for row in (tmp_path / "lines.jsonl").read_text("utf-8").splitlines()]
    assert {row.pop("source") for row in rows} == {"subtitle"}
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    write_lines_csv(lines, tmp_path / "lines.csv")
    text = (tmp_path / "lines.csv").read_text("utf-8-sig")
    (tmp_path / "lines.csv").write_text(text.replace(",source\n", "\n").replace(",subtitle\n", "\n"), "utf-8-sig")
    assert "source" not in (tmp_path / "lines.csv").read_text("utf-8-sig")
    write_lines_parquet(lines, tmp_path / "new.parquet")
    pq.write_table(pq.read_table(tmp_path / "new.parquet").drop_columns(["source"]), tmp_path / "lines.parquet")
    assert read_lines_jsonl(tmp_path / "lines.jsonl") == lines
    assert read_lines_csv(tmp_path / "lines.csv") == lines
    assert read_lines_parquet(tmp_path / "lines.parquet") == lines


def test_csv_opens_in_excel_and_pandas_with_its_text_unharmed(tmp_path: Path) -> None:
    import pandas as pd

    texts = ["=1+1", "+49 30 123", "-不要", "@all", 'say "hi", please', "two\nlines", "NA", "\r", "'quoted'"]
    path = tmp_path / "lines.csv"
    write_lines_csv([said(i, "NA", text) for i, text in enumerate(texts)], path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfline_id,episode_id,index,")
    frame = pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False)
    assert frame["text"].tolist() == texts
    assert set(frame["character"]) == {"NA"}
    assert tuple(frame.columns) == COLUMNS


def test_csv_survives_half_a_surrogate_pair(tmp_path: Path) -> None:
    write_lines_csv([said(0, "\udce9", "x")], tmp_path / "lines.csv")
    assert read_lines_csv(tmp_path / "lines.csv")[0].character == "\\udce9"


def test_an_edited_csv_is_read_and_a_broken_one_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    write_lines_csv([said(0, "a", "x"), said(1, None, "y")], path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    def rewrite(columns: list[str]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="note")
            writer.writeheader()
            writer.writerows(rows)

    rewrite(["my notes", *reversed(COLUMNS)])
    assert read_lines_csv(path) == [said(0, "a", "x"), said(1, None, "y")]
    rewrite([name for name in COLUMNS if name != "start_ms"])
    with pytest.raises(InputError, match=r"row 2 .*start_ms"):
        read_lines_csv(path)
    rows[1]["start_ms"] = "soon"
    rewrite(list(COLUMNS))
    with pytest.raises(InputError, match="row 3 "):
        read_lines_csv(path)
    path.write_bytes("line_id,episode_id\n春日,x\n".encode("utf-16"))
    with pytest.raises(InputError):
        read_lines_csv(path)


@quick
@given(st.lists(a_line(), max_size=4))
def test_parquet_gives_back_the_lines_and_the_same_bytes(tmp_path: Path, lines: list[Line]) -> None:
    path, again = tmp_path / "lines.parquet", tmp_path / "again.parquet"
    write_lines_parquet(lines, path)
    assert read_lines_parquet(path) == lines
    write_lines_parquet(lines, again)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 130])
def test_parquet_written_in_parts_has_groups_of_one_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    import pyarrow.parquet as pq

    lines = [said(k, "Ada" if k % 3 else None, f"Line {k}.") for k in range(count)]
    paths = []
    for at_once in (64, 16, 1):
        monkeypatch.setattr("yuki_builder.corpus.tables.lines_parquet._ROWS_PER_GROUP", 64)
        monkeypatch.setattr("yuki_builder.corpus.tables.lines_parquet._ROWS_AT_ONCE", at_once)
        paths.append(tmp_path / f"{at_once}.parquet")
        write_lines_parquet(iter(lines), paths[-1])
        assert read_lines_parquet(paths[-1]) == lines
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()
    facts = pq.read_metadata(paths[0])
    sizes = [facts.row_group(k).num_rows for k in range(facts.num_row_groups)]
    assert sizes in ([64] * (count // 64) + [count % 64] * bool(count % 64), [0] * (not count))


def test_parquet_is_typed(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_lines_parquet([said(0, None, "x")], tmp_path / "lines.parquet")
    schema = pq.read_schema(tmp_path / "lines.parquet")
    assert schema.names == [field.name for field in dataclasses.fields(Line)]
    types = {field.name: str(field.type) for field in schema}
    assert types["start_ms"] == "int64"
    assert types["confidence"] == "double"
    assert types["character"] == "string"
    assert "struct<source: string, character: string, weight: double>" in types["evidence"]


def test_parquet_survives_half_a_surrogate_pair(tmp_path: Path) -> None:
    line = dataclasses.replace(said(0, "\udce9", "x"), evidence=(Evidence("voice", "\udce9", 1.0),))
    write_lines_parquet([line], tmp_path / "lines.parquet")
    read = read_lines_parquet(tmp_path / "lines.parquet")[0]
    assert (read.character, read.evidence[0].character) == ("\\udce9", "\\udce9")


def test_another_parquet_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table({"text": ["x"]}), path)
    with pytest.raises(InputError, match="no Parquet file of lines"):
        read_lines_parquet(path)
    path.write_bytes(b"PAR1 this is not Parquet PAR1")
    with pytest.raises(InputError, match="no Parquet file of lines"):
        read_lines_parquet(path)


@pytest.mark.parametrize("write", [write_lines_jsonl, write_lines_csv, write_lines_parquet])
def test_a_full_disk_is_an_os_error(write: object) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        write([said(i, "a", "x" * 100) for i in range(2000)], full)  # type: ignore[operator]


# --- scenes


@quick
@given(st.lists(st.tuples(st.integers(0, 12_000), st.integers(0, 6_000)), max_size=120), st.integers(1, 30))
def test_scenes_keep_every_line_and_respect_pauses_and_size(gaps: list[tuple[int, int]], most: int) -> None:
    spans, now = [], 0
    for gap, length in gaps:
        spans.append(Span(now + gap, now + gap + length))
        now += gap
    spans.sort()
    starts = scene_starts(spans, settings=SceneSettings(max_lines=most))
    assert starts == sorted(set(starts))
    assert starts[:1] == ([0] if spans else [])
    for start, end in pairwise([*starts, len(spans)]):
        assert 1 <= end - start <= most
        for i in range(start + 1, end):
            assert spans[i].start_ms - max(s.end_ms for s in spans[:i]) <= PAUSE_MS


def test_a_long_scene_is_cut_at_its_longest_pause() -> None:
    lines = [said(i, "a", "x", start_ms=3000 * i + (5000 if i >= 17 else 0)) for i in range(30)]
    sizes = [len(scene.lines) for scene in split_scenes(lines)]
    assert 17 in accumulate(sizes)
    assert max(sizes) <= MAX_LINES


def test_scenes_of_episodes_stay_apart_and_unordered_lines_are_ordered() -> None:
    other = [dataclasses.replace(said(i, "a", "x"), episode_id="ep02", line_id=f"ep02-{i}") for i in range(3)]
    scenes = split_scenes([*reversed([said(i, "a", "x") for i in range(3)]), *other])
    assert [(s.episode_id, [line.index for line in s.lines]) for s in scenes] == [
        ("ep01", [0, 1, 2]),
        ("ep02", [0, 1, 2]),
    ]
    assert (scenes[0].start_ms, scenes[0].end_ms) == (0, 8000)


def test_scene_ids_outlive_edited_and_added_neighbours() -> None:
    lines = [said(i, "a", "x", start_ms=30_000 * (i // 4) + 3000 * (i % 4)) for i in range(12)]
    before = split_scenes(lines)
    edited = [dataclasses.replace(line, text="other", end_ms=line.end_ms + 300) for line in lines]
    added = said(99, "b", "new", start_ms=10_000)
    after = split_scenes([*edited[:5], added, *edited[6:]])
    assert [scene.scene_id for scene in after] == [scene.scene_id for scene in before]
    assert len({scene.scene_id for scene in before}) == 3


def test_fifty_thousand_lines_without_a_pause_are_split() -> None:
    starts = scene_starts([Span(i, i + 1) for i in range(50_000)])
    assert max(b - a for a, b in pairwise(starts)) <= MAX_LINES


# --- ChatHaruhi


def test_texts_are_those_of_the_family(tmp_path: Path) -> None:
    lines = [
        said(0, "阿虚", "为什么总是我付钱啊"),
        said(1, "春日", "因为你迟到了\n这是当然的吧"),
        said(2, None, "谁？"),
        said(3, "旁白", "夏天到了。"),
        said(4, "古泉", "也许吧", sure=0.3),
        said(5, "长门", "「书」", start_ms=60_000),
    ]
    counts = write_texts(split_scenes(lines), tmp_path)
    assert counts == {"旁白": 1, "春日": 1, "长门": 1, "阿虚": 1}  # 古泉 is less likely than not
    (path,) = (tmp_path / "春日").iterdir()
    assert path.name.startswith("ep01_000000_")
    assert path.read_text(encoding="utf-8") == (
        "阿虚:「为什么总是我付钱啊」\n春日:「因为你迟到了 这是当然的吧」\n"
        "？？？:「谁？」\n旁白:夏天到了。\n？？？:「也许吧」\n"
    )
    assert (tmp_path / "阿虚" / path.name).read_bytes() == path.read_bytes()
    (other,) = (tmp_path / "长门").iterdir()
    assert other.name.startswith("ep01_000100_")
    assert read_scene_text(other) == [Utterance("长门", "「书」")]


@quick
@given(
    st.lists(
        a_line(any_text, name=st.sampled_from(["旁白", "a:b", "x:「y", "../../x", "<script>"]) | any_text), min_size=1
    )
)
def test_scene_texts_read_back_as_they_were_written(tmp_path: Path, lines: list[Line]) -> None:
    for row in (utterance_of(line) for line in lines):
        assert len(format_utterance(row).splitlines()) <= 1
        if row.name:
            assert parse_utterance(format_utterance(row)) == row


def test_hostile_names_stay_inside_their_folder(tmp_path: Path) -> None:
    names = ["../../x", "/etc/passwd", "..", "con", "<script>", "a/b\\c", " ", "长" * 300, "\udce9"]
    lines = [said(i, name, "x") for i, name in enumerate(names)]
    (tmp_path / "deep" / "corpus").mkdir(parents=True)
    build_corpus_files(lines, tmp_path / "deep" / "corpus")
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["corpus"]
    assert len(list((tmp_path / "deep" / "corpus" / "texts").iterdir())) == len(names)
    assert len(list((tmp_path / "deep" / "corpus" / "roleplay").iterdir())) == len(names)


def test_other_tools_scene_files_are_read_and_no_scene_files_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeff阿虚:「你好」\r\n\r\n:「谁」\n旁白:夜里\nscene:「外」\nBob: hi\n".encode())
    assert read_scene_text(path) == [
        Utterance("阿虚", "你好"),
        Utterance(UNKNOWN_NAME, "谁"),
        Utterance("旁白", "夜里"),
        Utterance("scene", "「外」"),
        Utterance("Bob", " hi"),
    ]
    path.write_text("阿虚:「你好」\n没有名字\n", encoding="utf-8")
    with pytest.raises(InputError, match="row 2 "):
        read_scene_text(path)
    path.write_bytes("阿虚:「你好」".encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8"):
        read_scene_text(path)


def test_haruhi_rows_are_prompt_config_scenes(tmp_path: Path) -> None:
    lines = [said(0, "阿虚", "你好"), said(1, "春日", "走吧"), said(2, "阿虚", "嗯", start_ms=90_000)]
    assert write_haruhi(split_scenes(lines), tmp_path) == {"春日": 1, "阿虚": 2}
    rows = [json.loads(row) for row in (tmp_path / "阿虚.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0]["luotuo_openai"] == rows[0]["bge_zh_s15"] == "system_prompt"
    assert "阿虚" in rows[0]["text"]
    assert rows[1] == {
        "text": "Reserve Config Setting Here",
        "luotuo_openai": "config",
        "bge_zh_s15": "config",
        "bge_en_s15": "config",
    }
    assert rows[2:] == [{"text": "阿虚:「你好」\n春日:「走吧」"}, {"text": "阿虚:「嗯」"}]


# --- role-play


def test_roleplay_chat_of_a_scene() -> None:
    lines = [
        said(0, "阿虚", "早"),
        said(1, "春日", "你迟到了"),
        said(2, "古泉", "确实"),
        said(3, "阿虚", "抱歉"),
        said(4, "阿虚", "路上\n堵车"),
        said(5, "阿虚", "大概吧", sure=0.6),
        said(6, None, "哈"),
        said(7, "阿虚", "走吧"),
        said(8, "春日", "走"),
    ]
    (scene,) = split_scenes(lines)
    messages = scene_messages(scene, "阿虚", PROMPTS["zh"])
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    assert [m["content"] for m in messages[1:]] == [
        fill(PROMPTS["zh"].opening, "阿虚"),
        "早",
        "春日:「你迟到了」\n古泉:「确实」",
        "抱歉\n路上 堵车",
        "？？？:「大概吧」\n？？？:「哈」",
        "走吧",
    ]
    assert scene_messages(scene, "谷口", PROMPTS["zh"]) == []


@quick
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.floats(0, 1), st.integers(0, 12_000)), max_size=80),
    st.floats(0, 1),
)
def test_roleplay_rows_alternate_and_hold_each_sure_line_once(
    tmp_path: Path, talk: list[tuple[str | None, float, int]], bar: float
) -> None:
    lines, now = [], 0
    for i, (name, sure, gap) in enumerate(talk):
        lines.append(said(i, name, f"text {i}", start_ms=now + gap, sure=sure))
        now += gap
    scenes = split_scenes(lines)
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()
    counts = write_roleplay(scenes, tmp_path, min_confidence=bar)
    assert {path.stem for path in tmp_path.iterdir()} == set(counts)
    for name in ("a", "b"):
        sure_texts = [line.text for line in lines if line.character == name and line.confidence >= bar]
        if not sure_texts:
            assert name not in counts
            continue
        rows = [json.loads(row) for row in (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        taught: list[str] = []
        for row in rows:
            assert (row["character"], row["episode"]) == (name, "ep01")
            roles = [message["role"] for message in row["messages"]]
            assert roles == ["system", *["user", "assistant"] * (len(roles) // 2)]
            assert len(roles) >= 3
            assert all(message["content"] for message in row["messages"])
            taught += [t for m in row["messages"] if m["role"] == "assistant" for t in m["content"].split("\n")]
        assert sorted(taught) == sorted(sure_texts)
        held = sum(len(s.lines) for s in scenes if any(n.text in sure_texts for n in s.lines))
        others = sum(m["content"].count(":「") for row in rows for m in row["messages"] if m["role"] == "user")
        expected = RoleplayCounts(len(rows), len(sure_texts), held - len(sure_texts) - others)
        assert counts[name] == expected


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["为什么总是我付钱啊"], "zh"),
        (["どうして私が払うの", "約束だ"], "ja"),
        (["我叫ユキ，因为你迟到了这是当然的吧，明天可别让人等了啊"], "zh"),
        (["I like the word 雪 very much, it is short."], "en"),
        (["Où est-il ?"], "en"),
        ([], "en"),
    ],
)
def test_prompts_speak_the_language_of_the_lines(texts: list[str], language: str) -> None:
    assert prompts_for(texts) is PROMPTS[language]


def test_a_name_with_braces_stays_as_it_is() -> None:
    assert fill("{character}?", "{0.__class__}") == "{0.__class__}?"


# --- figures and the whole corpus


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("我叫Yuki，3点见！", 6),
        ("それはコーヒーだ。", 8),
        ("Don't say that — it's 3.5 metres, you know?", 9),
        ("안녕 하세요", 2),
        ("…？！「」・", 0),
        ("𠮷野家", 3),
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words


def test_character_figures_put_the_longest_first_and_unknown_last() -> None:
    rows = [(None, 9000, "x", 0.0), ("b", 1000, "one two", 0.5), ("a", 1000, "y", 1.0), ("b", 500, "三", 1.0)]
    assert character_statistics(rows) == [
        CharacterStatistics("b", 2, 1500, 3, 0.75),
        CharacterStatistics("a", 1, 1000, 1, 1.0),
        CharacterStatistics(None, 1, 9000, 1, 0.0),
    ]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_corpus_is_written_whole_twice_the_same_and_removes_nothing(tmp_path: Path) -> None:
    lines = [
        said(0, "阿虚", "早"),
        said(1, "春日", "你迟到了"),
        said(2, "春日", "  "),
        said(3, None, "只有背景", start_ms=60_000),
        dataclasses.replace(said(0, "阿虚", "再来"), episode_id="ep02", line_id="ep02-0"),
    ]
    (tmp_path / "a" / "gallery").mkdir(parents=True)
    (tmp_path / "a" / "gallery" / "mine.json").write_text("{}")
    seen: list[tuple[float, float | None]] = []
    report = build_corpus_files(lines, tmp_path / "a", progress=lambda done, total: seen.append((done, total)))
    assert (report.lines, report.scenes) == (5, 3)
    assert report.scene_files == {"春日": 1, "阿虚": 2}
    assert report.roleplay["阿虚"] == RoleplayCounts(rows=2, target_lines=2, lines_after_last_word=1)
    assert report.left_out == {"no text": 1, "in a scene without a named character": 1}
    assert seen == [(1, 4), (4, 4)]
    build_corpus_files(lines, tmp_path / "b")
    written = _contents(tmp_path / "a")
    assert written.pop("gallery/mine.json") == b"{}"
    assert written == _contents(tmp_path / "b")
    assert Counter(p.split("/")[0] for p in written) == {"haruhi": 2, "lines.parquet": 1, "roleplay": 2, "texts": 3}


def test_a_corpus_without_lines_is_empty_but_whole(tmp_path: Path) -> None:
    assert build_corpus_files([], tmp_path).lines == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["haruhi", "lines.parquet", "roleplay", "texts"]
    assert read_lines_parquet(tmp_path / "lines.parquet") == []


def test_a_corpus_in_parts_has_the_bytes_of_one_written_whole(tmp_path: Path) -> None:
    episodes = []
    for episode in ("ep1", "ep2", "ep3"):
        own = [
            dataclasses.replace(
                said(k, name, f"{episode} {k} 早", start_ms=9000 * k),
                episode_id=episode,
                line_id=f"{episode}-{k}",
            )
            for k, name in enumerate(["阿虚", "春日", None, "有希" if episode == "ep2" else "春日", "阿虚"])
        ]
        episodes.append(own)
    scenes = [split_scenes(own) for own in episodes]
    every_line = [line for own in episodes for line in own]
    whole = build_corpus_files(every_line, tmp_path / "a", scenes=[scene for own in scenes for scene in own])
    parts = [lambda own=own, found=found: (own, found) for own, found in zip(episodes, scenes, strict=True)]
    seen: list[float] = []
    report = build_corpus_in_parts(parts, tmp_path / "b", progress=lambda done, _: seen.append(done))
    assert report == whole and list(report.scene_files) == list(whole.scene_files)
    assert list(report.roleplay) == list(whole.roleplay)
    assert _contents(tmp_path / "b") == _contents(tmp_path / "a")
    assert seen == [1, 2, 3, 4]
    build_corpus_in_parts(parts, tmp_path / "b")  # what is there is written anew, not behind
    assert _contents(tmp_path / "b") == _contents(tmp_path / "a")


def test_each_episode_is_read_twice_whoever_speaks_in_it(tmp_path: Path) -> None:
    reads: Counter[int] = Counter()
    everybody = [
        [dataclasses.replace(said(k, f"P{k}", f"words {k}"), episode_id=f"e{e}", line_id=f"e{e}-{k}") for k in range(9)]
        for e in range(5)
    ]

    def part(number: int) -> tuple[list[Line], list[Scene]]:
        reads[number] += 1
        return everybody[number], split_scenes(everybody[number])

    build_corpus_in_parts([partial(part, number) for number in range(5)], tmp_path)
    assert reads == dict.fromkeys(range(5), 2)


def test_the_words_around_a_character_are_in_the_language_of_all_its_scenes(tmp_path: Path) -> None:
    # The first episode alone would be taken for English.
    texts = (["Yes, of course I know."], ["你迟到了，团长说。" * 6])
    episodes = [
        [
            dataclasses.replace(said(k, "春日", text), episode_id=f"e{e}", line_id=f"e{e}-{k}")
            for k, text in enumerate(own)
        ]
        for e, own in enumerate(texts)
    ]
    build_corpus_in_parts([lambda own=own: (own, split_scenes(own)) for own in episodes], tmp_path)
    rows = [json.loads(row) for row in (tmp_path / "roleplay/春日.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["messages"][0]["content"] for row in rows} == {PROMPTS["zh"].system.replace("{character}", "春日")}
    head = (tmp_path / "haruhi/春日.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(head[0])["text"] == rows[0]["messages"][0]["content"] and len(head) == 4


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_counts_of_scripts_add_up(one: list[str], other: list[str]) -> None:
    assert Scripts.of(one) + Scripts.of(other) == Scripts.of([*one, *other])


def test_lines_that_are_not_to_train_on_are_in_the_table_only(tmp_path: Path) -> None:
    lines = [said(k, name, f"words {k}") for k, name in enumerate(["Ada", "Bob", "Ada", "Bob"])]
    lines.append(said(9, "Eve", "words 9", start_ms=900_000))  # alone in her scene
    refused = {lines[1].line_id, lines[4].line_id}
    report = build_corpus_files(lines, tmp_path, unusable=refused)
    assert report.left_out == {"unusable": 2} and report.lines == 5 and set(report.scene_files) == {"Ada", "Bob"}
    assert [line.text for line in read_lines_parquet(tmp_path / "lines.parquet")] == [line.text for line in lines]
    for name in ("texts", "haruhi", "roleplay"):
        text = "".join(p.read_text(encoding="utf-8") for p in sorted((tmp_path / name).rglob("*")) if p.is_file())
        assert "words 0" in text and "words 3" in text and "words 1" not in text and "words 9" not in text


def test_a_table_is_written_in_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    from yuki_builder.corpus.tables import lines_parquet

    monkeypatch.setattr(lines_parquet, "_ROWS_PER_GROUP", 4)
    lines = [said(k, "Ada", str(k)) for k in range(9)]
    read = iter(lines)
    write_lines_parquet(read, tmp_path / "lines.parquet")
    assert pq.ParquetFile(tmp_path / "lines.parquet").num_row_groups == 3
    assert read_lines_parquet(tmp_path / "lines.parquet") == lines
    write_lines_parquet(iter([]), tmp_path / "none.parquet")
    assert read_lines_parquet(tmp_path / "none.parquet") == []
