"""The report, read back by an HTML parser: what it shows, and that nothing from outside becomes markup."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import time
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import write_report
from yuki_builder.corpus.report.view import clip_url, clock, colour_of, ticks
from yuki_builder.records import Evidence, Line, MediaInfo, Span, StageReport, Turn, Verdict

VOID = {"meta", "input", "link", "img", "br", "hr", "base", "embed", "source"}


class Page(HTMLParser):
    """Tags with their attributes, and the text that lies outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"unclosed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.text += " "
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            self.scripts[-1] += data
        elif self._open[-1:] != ["style"]:
            self.text += data

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def a_line(index: int = 0, **changes: object) -> Line:
    line = Line(
        line_id=f"ep01-{index}",
        episode_id="ep01",
        index=index,
        start_ms=3000 * index,
        end_ms=3000 * index + 2000,
        text=f"台词 {index}",
        character="春日",
        confidence=0.9,
        verdict=Verdict.CERTAIN,
        evidence=(Evidence("voice", "春日", 0.8),),
        speaker="SPEAKER_00",
    )
    return dataclasses.replace(line, **changes)  # type: ignore[arg-type]


def report(folder: Path, lines: list[Line], **facts: object) -> Page:
    path = folder / "report.html"
    write_report(path, episode_id=str(facts.pop("episode_id", "ep01")), lines=lines, **facts)  # type: ignore[arg-type]
    return Page(path.read_text(encoding="utf-8"))


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "--></style></title></textarea><img src=x onerror=alert(3)>",
    '" onmouseover="alert(4)" x="',
    "' onfocus='alert(5)' autofocus='",
    "javascript:alert(6)",
    "{{ 7 * 191 }}{% raw %}",
    "\u2028alert(8)\u2029",
    "&lt;b&gt; &amp;",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path, bad: str) -> None:
    evil = Line(
        line_id=bad,
        episode_id=bad,
        index=0,
        start_ms=0,
        end_ms=2000,
        text=bad,
        text_secondary=bad,
        character=bad,
        confidence=0.5,
        verdict=Verdict.DOUBTFUL,
        evidence=(Evidence(bad, bad, 9e9), Evidence("voice", bad, -1.0)),
        speaker=bad,
        clip=bad,
        snr_db=-3.0,
        overlap=0.5,
    )
    media = MediaInfo(f"/videos/{bad}", "matroska", 60_000, 0, 1, (), ())
    page = report(
        tmp_path,
        [evil, a_line(1)],
        episode_id=bad,
        media=media,
        turns=[Turn(0, 1000, bad)],
        stages=[StageReport(bad, 1.0, 2, 1, {bad: 1}, (bad,))],
        missing=[bad],
    )
    own = resources.files("yuki_builder.corpus.report").joinpath("script.js").read_text(encoding="utf-8")
    assert page.scripts == [own]
    assert {tag for tag, _ in page.tags}.isdisjoint({"img", "iframe", "object", "embed", "link", "base", "form"})
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")], tag
        assert set(attrs) <= KNOWN_ATTRIBUTES, tag
        for name in ("href", "src"):
            if name in attrs:
                assert re.match(r"#\w|\./", attrs[name]), attrs[name]
    plain = page.text.replace("\r", "\n")
    assert plain.count(bad) >= 9
    assert "1337" not in plain


KNOWN_ATTRIBUTES = {
    "aria-hidden", "aria-keyshortcuts", "aria-label", "aria-labelledby", "aria-live", "aria-pressed", "charset",
    "class", "content", "data-duration", "data-row", "data-start", "data-sure", "data-verdict", "data-who", "height",
    "hidden", "href", "http-equiv", "id", "lang", "name", "placeholder", "preload", "preserveaspectratio", "role",
    "scope", "src", "style", "tabindex", "title", "type", "value", "viewbox", "width", "x",
}  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\r\0"), min_size=1), st.text(st.characters(), min_size=1))
def test_any_text_and_name_gives_a_sound_page(tmp_path: Path, text: str, name: str) -> None:
    page = report(tmp_path, [a_line(0, text=text, character=name, line_id=name, clip=name)])
    assert len(page.scripts) == 1
    assert text.encode("utf-8", "replace").decode() in page.text.encode("utf-8", "replace").decode()
    assert page.attributes("data-start") == ["0"]


def test_the_page_allows_no_script_but_its_own_and_no_network(tmp_path: Path) -> None:
    page = report(tmp_path, [a_line(0, clip="ep01/clips/x.flac")])
    (policy,) = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?://", (tmp_path / "report.html").read_text(encoding="utf-8"))


def test_our_own_script_builds_no_markup_from_text() -> None:
    script = resources.files("yuki_builder.corpus.report").joinpath("script.js").read_text(encoding="utf-8")
    assert "</script" not in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_a_line_shows_all_there_is_to_know(tmp_path: Path) -> None:
    line = a_line(
        0,
        start_ms=61_500,
        end_ms=64_000,
        text="为什么\n总是我",
        text_secondary="Why me?",
        confidence=0.87,
        evidence=(Evidence("voice", "春日", 0.81), Evidence("actor", "阿虚", 1.0)),
        overlap=0.25,
        snr_db=7.4,
        clip="ep01/clips/春日/ep01-0.flac",
    )
    page = report(tmp_path, [line, a_line(1, character=None, confidence=0.0, verdict=Verdict.UNKNOWN, evidence=())])
    for shown in (
        "1:01.5",
        "为什么\n总是我",
        "Why me?",
        "0.87",
        "certain",
        "SPEAKER_00",
        "7 dB",
        "25 %",
        "2.5 s",
        "ep01-0",
    ):
        assert shown in page.text, shown
    assert "voice 0.81 春日 · actor 1.00 阿虚" in page.attributes("title")
    audio = [attrs for tag, attrs in page.tags if tag == "audio"]
    assert [a["preload"] for a in audio] == ["none"]
    assert unquote(audio[0]["src"]) == "./clips/春日/ep01-0.flac"
    assert "Nothing speaks for a name." in page.text


def test_the_page_says_who_speaks_how_much_and_what_is_gone(tmp_path: Path) -> None:
    lines = [
        a_line(0, end_ms=60_000, start_ms=0, text="one two three"),
        a_line(
            1, character="阿虚", start_ms=60_000, end_ms=90_000, text="四五", confidence=0.5, verdict=Verdict.DOUBTFUL
        ),
    ]
    stages = [
        StageReport("subtitles", 9.87, 12, 9, {"song": 2, "sign": 1}, ("GB18030",)),
        StageReport("clips", 1.0, 2, 2),
    ]
    media = MediaInfo("/home/me/videos/ep 01.mkv", "matroska", 100_000, 0, 1, (), (), has_video=True)
    page = report(
        tmp_path, lines, media=media, stages=stages, missing=["No gallery was given."], speech=[Span(0, 65_000)]
    )
    text = " ".join(page.text.split())
    for shown in (
        "ep 01.mkv", "Length 1:40", "Speech 1:05", "Lines 2", "Characters 2", "Words 5",
        "1 certain 50 %", "1 doubtful 50 %", "春日 1.0 1 3 0.90", "阿虚 0.5 1 2 0.50",
        "subtitles 12 9 2 song 1 sign GB18030", "clips 2 2 –", "No gallery was given.",
    ):  # fmt: skip
        assert shown in text, shown
    assert "/home/me" not in page.text  # a report that is shown to others does not tell where it was made
    assert "9.87" not in page.text  # and the same lines give the same page
    blocks = [attrs for tag, attrs in page.tags if tag == "rect"]
    assert [(b["x"], b["width"], b.get("data-row")) for b in blocks] == [
        ("0.0", "6000.0", "1"),
        ("6000.0", "3000.0", "2"),
        ("0.0", "6500.0", None),
    ]


def test_without_lines_the_voices_are_shown(tmp_path: Path) -> None:
    turns = [Turn(0, 1000, "SPEAKER_01"), Turn(1000, 4000, "SPEAKER_00"), Turn(5000, 6000, "SPEAKER_01")]
    page = report(tmp_path, [], turns=turns, missing=["No subtitles were found."])
    assert "There are no lines." in page.text
    assert "No subtitles were found." in page.text
    assert "Voices 2" in " ".join(page.text.split())
    titles = [attrs for tag, attrs in page.tags if tag == "rect"]
    assert len(titles) == 3 + 3  # by voice, and any voice
    assert page.text.index("SPEAKER_00") < page.text.index("SPEAKER_01")


def test_an_episode_with_nothing_in_it_has_a_page(tmp_path: Path) -> None:
    assert "There are no lines." in report(tmp_path, []).text


def test_links_reach_the_clips_from_where_the_report_lies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = ["春 日/a#1?.flac", "100%/b.flac", "x'\"/c;d.flac", "a:b/e.flac"]
    lines = []
    for i, name in enumerate(names):
        (out / "my ep" / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "my ep" / "clips" / name).write_bytes(b"x")
        lines.append(a_line(i, clip=f"my ep/clips/{name}"))
    write_report(out / "my ep" / "report.html", episode_id="my ep", lines=lines)
    page = Page((out / "my ep" / "report.html").read_text(encoding="utf-8"))
    links = [attrs["src"] for tag, attrs in page.tags if tag == "audio"]
    assert len(links) == len(names)
    for link in links:
        assert not re.search(r"[?#:\s]", link)
        assert (out / "my ep" / unquote(link)).is_file()
    assert clip_url("ep01/clips/x.flac", folder="corpus/reports") == "./../../ep01/clips/x.flac"


def test_the_same_lines_give_the_same_bytes_quickly(tmp_path: Path) -> None:
    lines = [a_line(i, character=f"角色 {i % 30}", clip=f"ep01/clips/{i}.flac") for i in range(500)]
    started = time.process_time()
    write_report(tmp_path / "a.html", episode_id="ep01", lines=lines)
    seconds = time.process_time() - started
    write_report(tmp_path / "b.html", episode_id="ep01", lines=lines)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.html").stat().st_size < 1_000_000
    assert seconds < 3


def test_a_full_disk_is_an_os_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_report(Path("/dev/full"), episode_id="ep01", lines=[a_line()])


def test_characters_get_colours_of_their_own() -> None:
    colours = [colour_of(i) for i in range(24)]
    assert len({c.style for c in colours}) == 24
    for tier in range(3):
        hues = sorted(c.hue for c in colours if c.tier == tier and c.hue is not None)
        assert len(hues) == 8
        assert min(b - a for a, b in zip(hues, [*hues[1:], hues[0] + 360], strict=True)) > 25


@given(st.integers(1, 40 * 3_600_000))
def test_the_axis_has_a_few_round_marks(duration_ms: int) -> None:
    marks = ticks(duration_ms)
    assert marks[0].left == 0
    assert 1 <= len(marks) <= 14
    assert all(0 <= mark.left <= 1 for mark in marks)
    assert len({mark.label for mark in marks}) == len(marks)


@pytest.mark.parametrize(
    ("time_ms", "plain", "tenths"),
    [(0, "0:00", "0:00.0"), (61_950, "1:01", "1:01.9"), (3_600_000, "1:00:00", "1:00:00.0"), (-5, "0:00", "0:00.0")],
)
def test_clock(time_ms: int, plain: str, tenths: str) -> None:
    assert clock(time_ms) == plain
    assert clock(time_ms, tenths=True) == tenths
