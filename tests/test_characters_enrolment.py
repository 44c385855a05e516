"""``--characters``: galleries, folders of clips, annotated tables and maps, and everything that is none of these."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuki_builder.characters import EnrolClip, Enrolment, ManualLabel, match_labels, read_enrolment
from yuki_builder.characters.enrolment import match_video
from yuki_builder.characters.evaluation import read_truth
from yuki_builder.characters.times import parse_time_ms
from yuki_builder.errors import GalleryError, InputError
from yuki_builder.records import AlignedCue, Cue, Span

HARUHI = """人物,人物台词,开始时间,结束时间
长门,我的工作是观察凉宫春日,0:00:04.52,0:00:07.23
长门,并将获得的信息反馈给统合思念体,0:00:07.34,0:00:10.32
,制作 京都动画,0:00:11.00,0:00:12.00
(可能)阿虚,有什么东西怪怪的,00:00:13:330,00:00:16:990
"""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "Haruhi_03.mkv"
    path.write_bytes(b"")
    return path


def write(path: Path, content: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(enrolment: Enrolment) -> list[tuple[str, int, int]]:
    return [(c.character, c.span.start_ms, c.span.end_ms) for c in enrolment.clips if c.span]


# --- times ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0:00:04.52", 4520),
        ("00:00:01,000", 1000),
        ("00:00:24.880", 24880),
        ("00:00:24:880", 24880),
        ("1:02:03.4", 3723400),
        ("0:00:07", 7000),
        ("0.00.56.1800", 56180),  # padded to the right by an older tool
        ("00.00.58.980", 58980),
        ("00:04.5", 4500),  # what a spreadsheet shows of 0:00:04.52
        (" ０：００：０４．５２ ", 4520),
        ("0:00:04.520000", 4520),
    ],
)
def test_times_are_read(text: str, ms: int) -> None:
    assert parse_time_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    ["", "12:30", "00.56.180", "0:00:04.1805", "00:00:24:12", "0:60:00.00", "0:00:61.00", "-0:00:01.00", "4.52", "abc"],
)
def test_times_that_need_a_guess_are_not(text: str) -> None:
    assert parse_time_ms(text) is None


@given(st.integers(0, 999 * 3_600_000))
def test_written_times_are_read_back(ms: int) -> None:
    seconds, fraction = divmod(ms, 1000)
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    for separator in ".,:":
        assert parse_time_ms(f"{clock}{separator}{fraction:03}") == ms


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_none(text: str) -> None:
    parsed = parse_time_ms(text)
    assert parsed is None or parsed >= 0


# --- annotated tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_an_annotated_table_is_read_in_its_encoding(tmp_path: Path, video: Path, encoding: str) -> None:
    table = write(tmp_path / "Haruhi_03_annotate.csv", HARUHI.encode(encoding))
    enrolment = read_enrolment(table, videos=[video])
    assert rows(enrolment) == [("长门", 4520, 7230), ("长门", 7340, 10320)]
    assert enrolment.labels[0] == ManualLabel(video, Span(4520, 7230), "长门", "我的工作是观察凉宫春日")
    assert enrolment.clips[0] == EnrolClip("Haruhi_03_annotate.csv:2", "长门", video, Span(4520, 7230))
    assert enrolment.skipped == {"row without a character": 1, "row with a doubtful character": 1}


@pytest.mark.parametrize(
    "table",
    [
        "空白,内容,开始时间,结束时间\n长门,好,0:00:01.00,0:00:02.00\n",
        "character,text,start,end\n长门,好,00:00:01.000,00:00:02.000\n",
        "长门,好,00:00:01:000,00:00:02:000\n",
        "结束时间,开始时间,人物台词,人物\n0:00:02.00,0:00:01.00,好,长门\n",
        "Start;End;Character\n0:00:01,00;0:00:02,00;长门\n",
        '人物\t人物台词\t开始时间\t结束时间\n长门\t"好,\t对\n吧"\t0:00:01.00\t0:00:02.00\n',
        "line_id,start_ms,end_ms,text,character,verdict\nx-1,1000,2000,好,长门,certain\nx-2,3000,4000,嗯,长门,doubtful\n",
        "人物,人物台词,开始时间,结束时间\r\n\r\n长门,好,0:00:01.00,0:00:02.00\r\n,,,\r\n",
    ],
)
def test_headers_orders_and_separators(tmp_path: Path, video: Path, table: str) -> None:
    assert rows(read_enrolment(write(tmp_path / "a.csv", table), videos=[video])) == [("长门", 1000, 2000)]


def test_every_row_left_out_has_a_reason(tmp_path: Path, video: Path) -> None:
    table = HARUHI + (
        "长门,坏时间,soon,0:00:02.00\n"
        "长门,倒着,0:00:09.00,0:00:08.00\n"
        "长门,空的,0:00:09.00,0:00:09.00\n"
        "长门,少列\n"
        f"{'长' * 201},名字太长,0:00:01.00,0:00:02.00\n"
    )
    enrolment = read_enrolment(write(tmp_path / "a.csv", table), videos=[video])
    assert enrolment.skipped == {
        "row without a character": 1,
        "row with a doubtful character": 1,
        "row with a time that is not readable": 2,
        "row that ends before it starts": 2,
        "row whose character is too long for a name": 1,
    }
    assert len(enrolment.clips) + sum(enrolment.skipped.values()) == len(table.splitlines()) - 1


def test_names_stay_text(tmp_path: Path, video: Path) -> None:
    table = (
        "../../x,a,0:00:01.00,0:00:02.00\n"
        "<script>alert(1)</script>,b,0:00:03.00,0:00:04.00\n"
        "\x1b[31m春\u200b日,c,0:00:05.00,0:00:06.00\n"
    )
    names = [c.character for c in read_enrolment(write(tmp_path / "a.csv", table), videos=[video]).clips]
    assert names == ["../../x", "<script>alert(1)</script>", "[31m春 日"]


def test_a_table_belongs_to_the_only_video_whatever_its_name(tmp_path: Path, video: Path) -> None:
    table = write(tmp_path / "labels.csv", HARUHI)
    assert {c.audio for c in read_enrolment(table, videos=[video]).clips} == {video}


def test_with_several_videos_the_name_decides(tmp_path: Path) -> None:
    videos = [tmp_path / "ep1.mkv", tmp_path / "ep10.mkv", tmp_path / "ep2.mkv"]
    for name, wanted in {
        "ep10_annotate": videos[1],
        "ep1": videos[0],
        "ep1字幕": videos[0],
        "ep2.zh": videos[2],
    }.items():
        assert match_video(name, videos) == wanted
    assert match_video("ep11", videos) is None
    assert match_video("season", videos) is None
    assert match_video("ep1", [tmp_path / "a" / "ep1.mkv", tmp_path / "b" / "ep1.mkv"]) is None
    table = write(tmp_path / "labels.csv", HARUHI)
    with pytest.raises(GalleryError, match="标注文件,视频文件"):
        read_enrolment(table, videos=videos)


def test_our_own_lines_of_several_episodes_find_their_videos(tmp_path: Path) -> None:
    videos = [tmp_path / "ep1.mkv", tmp_path / "ep2.mkv"]
    table = write(
        tmp_path / "lines.csv",
        "line_id,episode_id,start_ms,end_ms,text,character,verdict\n"
        "a,ep1,0,900,x,A,certain\nb,ep2,0,900,x,B,certain\nc,ep3,0,900,x,C,certain\n",
    )
    enrolment = read_enrolment(table, videos=videos)
    assert [(c.character, c.audio) for c in enrolment.clips] == [("A", videos[0]), ("B", videos[1])]
    assert enrolment.skipped == {"row of an episode that is neither in work nor in the output folder": 1}


OF_EP1 = "episode_id,start_ms,end_ms,character\nep1,0,900,A\nep1,1000,1900,B\n"


def test_what_a_table_says_of_one_episode_is_never_said_of_another(tmp_path: Path) -> None:
    for name in ("labels.csv", "ep2.csv"):
        table = write(tmp_path / name, OF_EP1)
        with pytest.raises(GalleryError, match="2 × row of an episode that is neither in work nor in the output"):
            read_enrolment(table, videos=[tmp_path / "ep2.mkv"])


def test_rows_without_an_episode_in_a_table_that_names_episodes_are_left_out(tmp_path: Path) -> None:
    table = write(tmp_path / "labels.csv", OF_EP1 + ",2000,2900,C\n")
    enrolment = read_enrolment(table, videos=[tmp_path / "ep1.mkv"])
    assert [c.character for c in enrolment.clips] == ["A", "B"]
    assert enrolment.skipped == {"row without an episode, in a table that names episodes": 1}


def test_who_knows_more_videos_than_those_in_work_can_say_so(tmp_path: Path) -> None:
    table, earlier = write(tmp_path / "labels.csv", OF_EP1), tmp_path / "old" / "ep1.mkv"
    enrolment = read_enrolment(table, videos=[tmp_path / "ep2.mkv"], video_of={"ep1": earlier}.get)
    assert {label.video for label in enrolment.labels} == {earlier}


def test_a_map_pairs_tables_with_videos(tmp_path: Path) -> None:
    first, second = write(tmp_path / "v" / "a.mkv"), write(tmp_path / "v" / "b.mkv")
    for folder in ("x", "y"):
        write(tmp_path / folder / "labels.csv", HARUHI)
    annotation_map = write(
        tmp_path / "map.csv",
        "\ufeff标注文件,视频文件\nx/labels.csv,v/a.mkv\ny\\labels.csv,v\\b.mkv\n"
        "x/none.csv,v/a.mkv\nx/labels.csv,v/none.mkv\nv/a.mkv,v/a.mkv\n",
    )
    write(first, b"\xff\xd8\xff")
    enrolment = read_enrolment(annotation_map, videos=[second])
    assert [(c.key, c.audio) for c in enrolment.clips] == [
        ("labels.csv:2", first),
        ("labels.csv:3", first),
        ("labels.csv:2~2", second),
        ("labels.csv:3~2", second),
    ]
    assert enrolment.skipped["annotation file of the map not found"] == 1
    assert enrolment.skipped["video file of the map not found"] == 1
    assert enrolment.skipped["annotation file of the map not readable as a table"] == 1


def test_a_map_names_the_video_as_the_work_list_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.mkv")
    write(tmp_path / "a.csv", HARUHI)
    monkeypatch.chdir(tmp_path)
    enrolment = read_enrolment(
        write(tmp_path / "map.csv", "标注文件,视频文件\na.csv,./a.mkv\n"), videos=[Path("a.mkv")]
    )
    assert {c.audio for c in enrolment.clips} == {Path("a.mkv")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        ("人物,人物台词,开始时间,结束时间\n".encode(), "no usable clip"),
        (b"just a text\nof two lines\n", "no usable clip"),
        (b"\x1aE\xdf\xa3" + bytes(range(256)) * 40, "neither UTF-8"),
        (b"PK\x03\x04" + b"\0\0\x14" * 100, "neither UTF-8"),
        (b"\xff\xfe\x00", "neither UTF-8"),
        (("a" * 200_000 + ",b,c,d\n").encode(), "not a table"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, video: Path, content: bytes, message: str) -> None:
    path = write(tmp_path / "x.csv", content)
    with pytest.raises(GalleryError, match=message) as caught:
        read_enrolment(path, videos=[video])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_any_bytes_are_clips_or_one_error(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path / "x.csv", data)
    try:
        enrolment = read_enrolment(path, videos=[tmp_path / "a.mkv"])
    except GalleryError:
        return
    assert enrolment.clips
    assert len({c.key for c in enrolment.clips}) == len(enrolment.clips)


# --- folders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["", "voice/"])
def test_a_folder_of_clips_by_character(tmp_path: Path, layout: str) -> None:
    root = tmp_path / "role_audios"
    clip = write(root / f"{layout}长门" / "0003_00.00.56.180_00.00.58.980_假的文字.wav")
    for name in ("a.FLAC", "b.mp3", "c.ogg", "d.m4a"):
        write(root / f"{layout}阿虚" / name)
    write(root / f"{layout}阿虚" / ".DS_Store")
    write(root / f"{layout}阿虚" / "empty.wav", b"")
    write(root / f"{layout}阿虚" / "sub" / "e.wav")
    write(root / f"{layout}loose.wav")
    if layout:
        write(root / "feature" / "长门" / "clip.wav.pkl")
    enrolment = read_enrolment(root, videos=[])
    assert EnrolClip(f"长门/{clip.name}", "长门", clip) in enrolment.clips
    assert sorted(c.character for c in enrolment.clips) == ["长门"] + ["阿虚"] * 4
    assert enrolment.labels == ()
    assert enrolment.skipped == {
        "not an audio file": 1,
        "empty file": 1,
        "folder inside a character's folder": 1,
        "audio file outside a character's folder": 1,
    }


def test_features_are_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    import pickle

    write(tmp_path / "r" / "feature" / "A" / "a.wav.pkl", pickle.dumps(Bomb()))
    write(tmp_path / "r" / "A" / "a.wav.pkl", pickle.dumps(Bomb()))
    with pytest.raises(GalleryError, match="not an audio file"):
        read_enrolment(tmp_path / "r", videos=[])
    assert not (tmp_path / "exploded").exists()


def test_a_character_may_be_called_voice(tmp_path: Path) -> None:
    write(tmp_path / "r" / "voice" / "a.wav")
    write(tmp_path / "r" / "春日" / "a.wav")
    assert {c.character for c in read_enrolment(tmp_path / "r", videos=[]).clips} == {"voice", "春日"}


def test_a_gallery_is_recognised_by_folder_or_file(tmp_path: Path) -> None:
    index = write(tmp_path / "g" / "gallery.json", json.dumps({}))
    write(tmp_path / "g" / "A" / "a.wav")
    for path in (index, index.parent):
        assert read_enrolment(path, videos=[]) == Enrolment(gallery=tmp_path / "g")


def test_nothing_there_and_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "pictures" / "A" / "a.png")
    with pytest.raises(GalleryError, match="no such file or folder"):
        read_enrolment(tmp_path / "missing", videos=[])
    with pytest.raises(GalleryError, match="it is empty"):
        read_enrolment(tmp_path / "empty", videos=[])
    with pytest.raises(GalleryError, match="1 × not an audio file") as caught:
        read_enrolment(tmp_path / "pictures", videos=[])
    assert caught.value.exit_status == 2


# --- labels and lines -------------------------------------------------------------------------------------


def line(
    cue_id: str, start_ms: int, end_ms: int, text: str = "", *, cue_ms: tuple[int, int] | None = None
) -> AlignedCue:
    cue_start, cue_end = cue_ms or (start_ms, end_ms)
    return AlignedCue(Cue(cue_id, 0, cue_start, cue_end, text, text), start_ms, end_ms, end_ms - start_ms)


def label(start_ms: int, end_ms: int, character: str, text: str = "") -> ManualLabel:
    return ManualLabel(Path("v.mkv"), Span(start_ms, end_ms), character, text)


def test_labels_go_to_the_lines_they_cover() -> None:
    lines = [line("a", 1000, 3000), line("b", 3100, 5000), line("c", 9000, 9500)]
    labels = [label(900, 3050, "A"), label(3150, 5100, "B"), label(9400, 12000, "C")]
    assert match_labels(lines, labels) == {"a": "A", "b": "B"}


def test_text_decides_between_labels_of_one_time() -> None:
    labels = [label(1000, 2000, "A", "你好，世界"), label(1000, 2000, "B", "再见")]
    assert match_labels([line("a", 1000, 2000, "再见！"), line("b", 1000, 2000, "你好世界")], labels) == {
        "a": "B",
        "b": "A",
    }


def test_a_tie_of_two_characters_is_no_label() -> None:
    assert match_labels([line("a", 1000, 2000, "x")], [label(1000, 2000, "A"), label(1000, 2000, "B")]) == {}
    assert match_labels([line("a", 1000, 2000, "x")], [label(1000, 2000, "A"), label(1000, 2000, "A")]) == {"a": "A"}


def test_labels_made_from_a_late_subtitle_follow_its_lines() -> None:
    # The subtitle is five seconds late; its lines were moved to the voice, the labels were not.
    lines = [line("a", 1000, 3000, "one", cue_ms=(6000, 8000)), line("b", 6000, 8000, "two", cue_ms=(11000, 13000))]
    labels = [label(6000, 8000, "A", "One."), label(11000, 13000, "B", "Two.")]
    assert match_labels(lines, labels) == {"a": "A", "b": "B"}


# --- how much a table may hold ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("," * (4 << 20), "row longer"),  # 64 MB of these took 7 GB as cells
        ('"\n",' * (1 << 19), "row longer"),
        ("a,b\n" * 300_000, "more than 200000 rows"),
        ("\n" * 300_000, "more than 200000 rows"),
    ],
)
def test_a_table_is_bounded_by_rows_and_cells(video: Path, content: str, what: str) -> None:
    table = write(video.with_name("a.csv"), content)
    tracemalloc.start()
    try:
        with pytest.raises(GalleryError, match=what):
            read_enrolment(table, videos=[video])
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_line_looks_at_few_of_many_labels(video: Path) -> None:
    cue = Cue("a", 0, 0, 1000, "好的", "好的")
    line = AlignedCue(cue, 0, 1000, 1000)
    many = [ManualLabel(video, Span(i % 7, 990 + i % 11), f"B{i}", "谁知道呢" * 50) for i in range(5000)]
    began = time.process_time()
    assert match_labels([line], [*many, ManualLabel(video, Span(0, 1000), "A", "好的")]) == {"a": "A"}
    assert time.process_time() - began < 2


def test_rows_of_labels_in_json_are_bounded(tmp_path: Path) -> None:
    rows = write(tmp_path / "a.jsonl", "[]\n" * 300_000)
    with pytest.raises(InputError, match="more than 200000 rows"):
        read_truth(rows)
    whole = write(tmp_path / "a.json", "[" + "[]," * (6 << 20) + "[]]")
    with pytest.raises(InputError, match="larger than 16 MiB"):
        read_truth(whole)
