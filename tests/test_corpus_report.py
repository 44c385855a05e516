"""The report, read back by an HTML parser: what it shows, and that nothing from outside becomes markup."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import time
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import EpisodeOverview, Scene, SoundPictures, split_scenes, write_corpus_report, write_report
from yuki_builder.corpus.report.cast import colour_of, speakers_of
from yuki_builder.corpus.report.confidence import histogram_of
from yuki_builder.corpus.report.data import script_json
from yuki_builder.corpus.report.formatting import clock, file_url
from yuki_builder.corpus.report.portraits import best_clips
from yuki_builder.corpus.report.render import SCRIPTS
from yuki_builder.corpus.report.rows import Row, rows_of
from yuki_builder.corpus.report.subtitle_view import left_out_of, timing_of
from yuki_builder.corpus.report.talk import talk_of
from yuki_builder.corpus.report.view import corpus_page
from yuki_builder.records import (
    AlignedCue,
    Cue,
    Evidence,
    Line,
    LineSource,
    MediaInfo,
    Span,
    StageReport,
    Turn,
    Verdict,
)

VOID = {"meta", "input", "link", "img", "br", "hr", "base", "embed", "source"}


class Page(HTMLParser):
    """Tags with their attributes, and the text that lies outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.json = ""
        self._is_data = False
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
            self._is_data = dict(attrs).get("type") == "application/json"
            if not self._is_data:
                self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            if self._is_data:
                self.json += data
            else:
                self.scripts[-1] += data
        elif self._open[-1:] != ["style"]:
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script works with."""
        found: dict[str, Any] = json.loads(self.json)
        return found

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


def corpus_report(folder: Path, episodes: list[EpisodeOverview], **facts: object) -> Page:
    path = folder / "corpus.html"
    write_corpus_report(path, episodes=episodes, **facts)  # type: ignore[arg-type]
    return Page(path.read_text(encoding="utf-8"))


def own_script() -> str:
    folder = resources.files("yuki_builder.corpus.report")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)


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


KNOWN_ATTRIBUTES = {
    "alt", "aria-describedby", "aria-expanded", "aria-hidden", "aria-keyshortcuts", "aria-label", "aria-labelledby",
    "aria-live", "aria-roledescription", "charset", "checked", "class", "content", "data-filter", "data-from",
    "data-high", "data-line", "data-low", "data-play", "data-sound", "data-until", "dir", "disabled", "height",
    "hidden", "href", "http-equiv", "id", "lang", "method", "name", "open", "placeholder", "preload", "role", "scope",
    "src", "style", "tabindex", "title", "type", "value", "width",
}  # fmt: skip
A_PICTURE = "iVBORw0KGgo="


def evil_line(bad: str) -> Line:
    return Line(
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


def assert_nothing_became_markup(page: Page) -> None:
    assert page.scripts == [own_script()]
    assert "<" not in page.json
    assert {tag for tag, _ in page.tags}.isdisjoint({"iframe", "object", "embed", "link", "base", "svg", "math"})
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")], tag
        assert set(attrs) <= KNOWN_ATTRIBUTES, (tag, set(attrs) - KNOWN_ATTRIBUTES)
        for name in ("href", "src"):
            if name in attrs:
                assert re.match(r"#\w|\./|data:image/png;base64,[\w+/=]+$", attrs[name]), attrs[name]


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path, bad: str) -> None:
    media = MediaInfo(f"/videos/{bad}", "matroska", 60_000, 0, 1, (), ())
    cue = Cue("1", 0, 0, 900, bad, bad, left_out=bad)
    page = report(
        tmp_path,
        [evil_line(bad), a_line(1)],
        episode_id=bad,
        media=media,
        turns=[Turn(0, 1000, bad)],
        cues=[cue],
        aligned=[AlignedCue(dataclasses.replace(cue, left_out=None), 0, 900, 0)],
        pictures=SoundPictures(20, "AAAA", "AAAA", Span(0, 60), A_PICTURE, A_PICTURE),
        mix=bad,
        vocals=bad,
        stages=[StageReport(bad, 1.0, 2, 1, {bad: 1}, (bad,))],
        missing=[bad],
    )
    assert_nothing_became_markup(page)
    plain = page.text.replace("\r", "\n")
    assert plain.count(bad) >= 14
    assert "1337" not in plain
    assert page.data["speakers"][0]["name"] == bad
    for url in (page.data["episodes"][0]["mix"], *page.data["folders"]):
        assert url == "" or re.match(r"\./[^<>:\"']*$", url), url


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_stays_text_in_the_corpus_too(tmp_path: Path, bad: str) -> None:
    episodes = [
        EpisodeOverview(bad, (evil_line(bad),), 60_000, (StageReport(bad, 0.0, 2, 1, {bad: 1}),), bad, bad),
        EpisodeOverview("ep01", (a_line(0), a_line(1, character=bad)), 60_000),
    ]
    page = corpus_report(tmp_path, episodes, stages=[StageReport(bad, 0.0, 2, 1, {bad: 1}, (bad,))])
    assert_nothing_became_markup(page)
    assert page.text.replace("\r", "\n").count(bad) >= 12


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("0\ud800", "0")
@given(st.text(st.characters(exclude_characters="\r\0"), min_size=1), st.text(st.characters(), min_size=1))
def test_any_text_and_name_gives_a_sound_page(tmp_path: Path, text: str, name: str) -> None:
    page = report(tmp_path, [a_line(0, text=text, character=name, line_id=name, clip=name)])
    assert len(page.scripts) == 1
    # Half a surrogate pair is no character: a page shows U+FFFD in its place.
    assert re.sub("[\ud800-\udfff]", "\ufffd", text) in page.text
    assert page.data["lines"]["start"] == [0]
    assert page.data["lines"]["id"] == [name]


def test_json_in_a_script_block_cannot_end_it() -> None:
    value = {"</script>": "<!--", "x": "\u2028\ud800é"}
    text = script_json(value)
    assert text.isascii()
    assert "<" not in text
    assert json.loads(text) == value


def test_the_page_allows_no_script_but_its_own_and_no_network(tmp_path: Path) -> None:
    page = report(tmp_path, [a_line(0, clip="ep01/clips/x.flac")])
    (policy,) = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    for name in ("report.html", "corpus.html"):
        corpus_report(tmp_path, [EpisodeOverview("ep01", (a_line(0),), 60_000)])
        assert not re.search(r"https?://|url\(|@import", (tmp_path / name).read_text(encoding="utf-8"))


def test_our_own_script_builds_no_markup_from_text() -> None:
    script = own_script()
    assert "</script" not in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)
    assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|\bimport\b", script)


# --- what it shows ----------------------------------------------------------------------------------------


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
    page = report(tmp_path, [line, a_line(30, character=None, confidence=0.0, verdict=Verdict.UNKNOWN, evidence=())])
    for shown in ("1:01.5", "为什么\n总是我", "Why me?", "0.87", "certain", "unknown"):
        assert shown in page.text, shown
    assert "voice 0.81 春日 · actor 1.00 阿虚" in page.attributes("title")
    assert "Nothing speaks for a name" in page.attributes("title")
    lines = page.data["lines"]
    assert {name: column[0] for name, column in lines.items()} == {
        "number": 1, "episode": 0, "who": 0, "start": 61_500, "length": 2500, "sure": 870, "verdict": 0,
        "overlap": 25, "snr": 7.4, "quality": None, "voice": 0, "id": "ep01-0", "folder": 0, "clip": "ep01-0.flac",
        "evidence": [0, 0, 0.81, 1, 1, 1.0],
    }  # fmt: skip
    assert page.data["sources"] == ["voice", "actor"]
    assert page.data["names"] == ["春日", "阿虚"]
    assert unquote(page.data["folders"][0]) == "./clips/春日/"
    assert lines["evidence"][1] == []
    assert lines["clip"][1] == ""


def test_lines_that_are_not_from_subtitles_are_marked(tmp_path: Path) -> None:
    subtitles = report(tmp_path, [a_line(0)])
    page = report(tmp_path, [a_line(0), a_line(1, source=LineSource.ASR), a_line(2, source=LineSource.OCR)])
    meanings = ["Transcribed by speech recognition", "Read from the picture"]
    assert [title for title in page.attributes("title") if title in meanings] == meanings
    assert not set(meanings) & set(subtitles.attributes("title"))
    text = " ".join(page.text.split())
    assert "Lines heard 1 Lines read from the picture 1" in text
    assert "Lines heard" not in subtitles.text


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
        "1 certain 50 %", "1 doubtful 50 %", "春日 minutes 1.0 lines 1 words 3 sure 0.90",
        "阿虚 minutes 0.5 lines 1 words 2 sure 0.50", "Lines to check 1",
        "subtitles 12 9 2 song 1 sign GB18030", "clips 2 2 –", "No gallery was given.",
    ):  # fmt: skip
        assert shown in text, shown
    assert "/home/me" not in page.text  # a report that is shown to others does not tell where it was made
    assert "9.87" not in page.text  # and the same lines give the same page
    assert page.data["speech"] == [0, 65_000]
    assert page.data["episodes"] == [{"name": "ep01", "ms": 100_000, "mix": None, "vocals": None}]


def test_without_lines_the_voices_are_shown(tmp_path: Path) -> None:
    turns = [Turn(0, 1000, "SPEAKER_01"), Turn(1000, 4000, "SPEAKER_00"), Turn(5000, 6000, "SPEAKER_01")]
    page = report(tmp_path, [], turns=turns, missing=["No subtitles were found."])
    assert "There are no lines." in page.text
    assert "No subtitles were found." in page.text
    assert "Voices 2" in " ".join(page.text.split())
    assert page.data["turns"] == {
        "names": ["SPEAKER_00", "SPEAKER_01"],
        "who": [1, 0, 1],
        "start": [0, 1000, 5000],
        "length": [1000, 3000, 1000],
    }
    assert page.data["speech"] == [0, 1000, 1000, 3000, 5000, 1000]


def test_an_episode_with_nothing_in_it_has_a_page(tmp_path: Path) -> None:
    assert "There are no lines." in report(tmp_path, []).text
    assert "There are no lines." in corpus_report(tmp_path, []).text


def test_left_out_cues_are_shown_with_their_reason(tmp_path: Path) -> None:
    cues = [Cue(str(i), i, 1000 * i, 1000 * i + 500, f"♪ {i}", "", left_out="song") for i in range(400)]
    cues.append(Cue("x", 400, 0, 500, "said", "said"))
    (group,) = left_out_of(cues)
    assert (group.reason, group.count, len(group.cues)) == ("song", 400, 300)
    page = report(tmp_path, [a_line()], cues=cues)
    text = " ".join(page.text.split())
    assert "Cues left out: song 400" in text
    assert "0:07.0 ♪ 7" in text
    assert "And 100 more" in text
    assert "said" not in text.split("Cues left out")[1].split("Lines")[0]


def test_the_figures_of_the_alignment() -> None:
    shifts = [(0, 0, 500), (-120, 40, 300), (60, 60, 0), (900, 0, 10)]
    aligned = [
        AlignedCue(Cue(str(i), i, 5000, 6000, "x", "x"), 5000 + start, 6000 + end, speech)
        for i, (start, end, speech) in enumerate(shifts)
    ]
    timing = timing_of(aligned)
    assert timing is not None
    assert timing.voiceless == 1
    assert [(m.edge, m.median_ms, m.most_ms) for m in timing.moved] == [("start", 30, 900), ("end", 20, 60)]
    assert {shift: n for shift, n in timing.shifts if n} == {-100: 1, 0: 1, 100: 1, 500: 1}
    assert timing_of([]) is None


def test_who_talks_to_whom_counts_neighbours_within_a_scene() -> None:
    said = ["甲", "乙", "甲", "甲", None, "乙", "丙", "|", "甲"]  # "|": a long pause
    lines, at = [], 0
    for index, name in enumerate(said):
        at += 20_000 if name == "|" else 1000
        if name != "|":
            lines.append(a_line(index, character=name, start_ms=at, end_ms=at + 900))
    speakers = speakers_of(lines)
    talk = talk_of(split_scenes(lines), speakers)
    assert talk is not None
    counts = {(c.first.name, c.answering.name): c.count for row in talk.rows for c in row if c.count}
    assert counts == {("甲", "乙"): 1, ("乙", "甲"): 1, ("乙", "丙"): 1}
    assert [(a.name, b.name, n) for a, b, n in talk.pairs] == [("甲", "乙", 2), ("乙", "丙", 1)]
    assert talk.elsewhere == 0
    small = talk_of(split_scenes(lines), speakers, most_speakers=2)
    assert small is not None
    assert ([s.name for s in small.speakers], small.elsewhere) == (["甲", "乙"], 1)
    assert talk_of(split_scenes(lines[:1]), speakers) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(Verdict))))
def test_the_histogram_counts_every_line_once(lines: list[tuple[float, Verdict]]) -> None:
    steps = histogram_of([a_line(0, confidence=c, verdict=v) for c, v in lines])
    assert sum(step.count for step in steps) == len(lines)
    for step in steps:
        assert sum(n for _, n in step.parts) == step.count
        inside = [c for c, _ in lines if step.low - 1e-6 <= c < step.high + 1e-6]
        assert step.count <= len(inside)


def some_rows(*changes: dict[str, object]) -> tuple[Row, ...]:
    lines = [
        a_line(i, **{"clip": f"ep01/clips/{i}.flac", "end_ms": 3000 * i + 2500, **c}) for i, c in enumerate(changes)
    ]
    return rows_of(lines, speakers=speakers_of(lines), episodes={"ep01": 0}, scene_openers=frozenset(), folder="ep01")


def test_the_best_clips_are_sure_clean_and_long_enough() -> None:
    rows = some_rows(
        {"snr_db": 3.0},
        {"snr_db": 12.0},
        {"snr_db": 40.0, "overlap": 0.1},
        {"snr_db": 40.0, "verdict": Verdict.DOUBTFUL},
        {"snr_db": 40.0, "end_ms": 12_400},
        {"snr_db": 40.0, "clip": None},
        {"snr_db": None},
        {"snr_db": 20.0, "confidence": 0.7},
    )
    assert [row.number for row in best_clips(rows, most=9)] == [2, 1, 7, 8]
    scored = some_rows({"snr_db": 30.0, "quality": 2.0}, {"snr_db": 1.0, "quality": 4.0})
    assert [row.number for row in best_clips(scored)] == [2, 1]


# --- the corpus -------------------------------------------------------------------------------------------


def a_season() -> list[EpisodeOverview]:
    def of(episode: str, character: str) -> tuple[Line, ...]:
        return tuple(
            a_line(i, line_id=f"{episode}-{i}", episode_id=episode, character=name, clip=f"{episode}/clips/{i}.flac")
            for i, name in enumerate([character, "春日"])
        )

    stages = (StageReport("cues", 1.0, 5, 2, {"song": 3}, ("a note",)),)
    return [
        EpisodeOverview("ep01", of("ep01", "阿虚"), 60_000, stages, "ep01/audio/mix.flac", "ep01/audio/vocals.flac"),
        EpisodeOverview("ep 2#", of("ep 2#", "有希"), 90_000, stages),
    ]


def test_a_corpus_page_has_the_scenes_that_the_episodes_have() -> None:
    lines = tuple(a_line(k) for k in range(4))
    scenes = tuple(Scene(f"ep01-s{k}", "ep01", (line,)) for k, line in enumerate(lines))
    page = corpus_page(episodes=[EpisodeOverview("ep01", lines, 60_000, scenes=scenes)], stages=(), folder="corpus")
    assert dict(page.facts)["Scenes"] == "4"
    assert len(split_scenes(lines)) < 4


def test_the_corpus_page_brings_the_episodes_together(tmp_path: Path) -> None:
    page = corpus_report(tmp_path, a_season(), stages=[StageReport("corpus: files", 0.0, 4, 4)])
    text = " ".join(page.text.split())
    for shown in ("Episodes 2", "Length 2:30", "Lines 4", "Characters 3", "cues 10 4 6 song", "corpus: files 4 4",
                  "In 2 of 2 episodes: ep01 1, ep 2# 1", "In 1 of 2 episodes"):  # fmt: skip
        assert shown in text, shown
    assert "a note" not in text  # notes are of one episode each
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs["href"].startswith("./")]
    assert links[0] == "./../ep01/report.html"
    assert all(re.fullmatch(r"\./\.\./[^#?]+/report\.html", link) for link in links)
    assert page.data["episodes"][0] == {
        "name": "ep01",
        "ms": 60_000,
        "mix": "./../ep01/audio/mix.flac",
        "vocals": "./../ep01/audio/vocals.flac",
    }
    assert page.data["lines"]["episode"] == [0, 0, 1, 1]


def test_a_corpus_too_long_for_a_page_lists_the_lines_to_check() -> None:
    lines = tuple(a_line(i, confidence=0.5 + i / 2000, overlap=1.0) for i in range(500))
    page = corpus_page(episodes=[EpisodeOverview("ep01", lines, 60_000)], stages=(), folder="corpus", most_rows=100)
    assert [row.number for row in page.rows] == list(range(1, 101))
    assert "400 of 500 lines are not listed" in page.missing[0]
    assert dict(page.facts)["Lines"] == "500"
    assert json.loads(page.data)["lines"]["number"] == list(range(1, 101))


# --- files ------------------------------------------------------------------------------------------------


def test_links_reach_the_clips_from_where_the_report_lies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = ["春 日/a#1?.flac", "100%/b.flac", "x'\"/c;d.flac", "a:b/e.flac"]
    lines = []
    for i, name in enumerate(names):
        (out / "my ep" / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "my ep" / "clips" / name).write_bytes(b"x")
        lines.append(a_line(i, clip=f"my ep/clips/{name}"))
    write_report(out / "my ep" / "report.html", episode_id="my ep", lines=lines)
    data = Page((out / "my ep" / "report.html").read_text(encoding="utf-8")).data
    links = [
        data["folders"][folder] + clip
        for folder, clip in zip(data["lines"]["folder"], data["lines"]["clip"], strict=True)
    ]
    assert len(links) == len(names)
    for link in links:
        assert not re.search(r"[?#:\s]", link)
        assert (out / "my ep" / unquote(link)).is_file()
    assert file_url("ep01/clips/x.flac", folder="corpus/reports") == "./../../ep01/clips/x.flac"


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


@pytest.mark.parametrize(
    ("time_ms", "plain", "tenths"),
    [(0, "0:00", "0:00.0"), (61_950, "1:01", "1:01.9"), (3_600_000, "1:00:00", "1:00:00.0"), (-5, "0:00", "0:00.0")],
)
def test_clock(time_ms: int, plain: str, tenths: str) -> None:
    assert clock(time_ms) == plain
    assert clock(time_ms, tenths=True) == tenths
