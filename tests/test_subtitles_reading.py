"""The door: whole files in, sheets of cues out, one clear line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from yuki_builder.errors import SubtitleError
from yuki_builder.records import NameTag
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.reading import MAX_BYTES

ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,48
Style: OP,Arial,36

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:00.10,Default,,0,0,0,,timed by hand
Dialogue: 0,0:00:00.10,0:00:01.90,OP,,0,0,0,,{\\fad(200,200)\\k30}la {\\k40}la
Dialogue: 0,0:00:05.00,0:00:07.10,Default,长门,0,0,0,,{\\an2}我的工作是观察凉宫春日，\\N对吧？{\\i1}"是"{\\i0}
Dialogue: 0,0:00:02.00,0:00:04.00,Default,,0,0,0,,阿虚：走吧
Dialogue: 0,0:00:08.00,0:00:09.00,Default,阿虚,0,0,0,,12:30 开始, 好吗
Dialogue: 1,0:00:08.00,0:00:09.00,Default,阿虚,0,0,0,,{\\blur3}12:30 开始, 好吗
Dialogue: 0,oops
"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_file_as_it_comes(tmp_path: Path, encoding: str, line_end: str) -> None:
    path = tmp_path / "ep01.ass"
    path.write_bytes(ASS.replace("\n", line_end).encode(encoding))
    sheet = read_cues(path)
    assert (sheet.format, sheet.encoding, sheet.replaced) == ("ass", encoding, 0)
    assert [(c.start_ms, c.end_ms, c.text, c.tags) for c in sheet.spoken] == [
        (2000, 4000, "走吧", (NameTag("阿虚", "sdh"),)),
        (5000, 7100, '我的工作是观察凉宫春日，对吧？"是"', (NameTag("长门", "actor"),)),
        (8000, 9000, "12:30 开始, 好吗", (NameTag("阿虚", "actor"),)),
    ]
    assert sheet.left_out_by_reason == {"comment": 1, "duplicate": 1, "karaoke": 1, "unreadable": 1}
    assert json.dumps(dict(sheet.left_out_by_reason))


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "ep01.srt"
    path.write_text(ASS, encoding="utf-8")
    assert read_cues(path).format == "ass"


def test_frames_take_the_rate_of_the_video(tmp_path: Path) -> None:
    path = tmp_path / "ep01.sub"
    path.write_text("{25}{50}One|two\n", encoding="ascii")
    (cue,) = read_cues(path, frame_rate_hz=25.0).spoken
    assert (cue.start_ms, cue.end_ms, cue.text) == (1000, 2000, "One two")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n\n", "no subtitles of a known format"),
        (b"hello world\n" * 9, "no subtitles of a known format"),
        (bytes(range(256)) * 99, "binary"),
        (b"WEBVTT\n\n", "holds no cues"),
        (b"[Script Info]\n[Events]\nDialogue: oops\n", "holds no cues .1 damaged."),
        (b"{25}{50}One\n", "counts frames"),
        ("1\n00:00:01,000 --> 00:00:02,000\nHi\n".encode("cp500"), "binary|encoding|known format"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "ep 01.srt"
    path.write_bytes(data)
    with pytest.raises(SubtitleError, match=what) as error:
        read_cues(path)
    assert error.value.exit_status == 2
    assert str(error.value).startswith(f"{path}: ") and error.value.remedy


def test_no_file_a_folder_and_a_far_too_large_file(tmp_path: Path) -> None:
    with pytest.raises(SubtitleError, match="no such"):
        read_cues(tmp_path / "none.srt")
    with pytest.raises(SubtitleError, match="not a file"):
        read_cues(tmp_path)
    large = tmp_path / "large.srt"
    with large.open("wb") as file:
        file.truncate(200 << 20)  # sparse
    with pytest.raises(SubtitleError, match=f"{MAX_BYTES >> 20} MiB"):
        read_cues(large)
