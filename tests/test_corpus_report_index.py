"""The report of a large corpus: an index and a page for each character."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import browser, find_chromium
from test_corpus_report import HOSTILE, a_line

from yuki_builder.corpus import EpisodeOverview, write_large_corpus_report
from yuki_builder.names import path_name
from yuki_builder.records import Line, StageReport, Verdict

NAMES = ("Ada", HOSTILE[0], "春日/阿虚", None)


def episode(number: int, *, lines: int = 8) -> EpisodeOverview:
    name = f"ep{number:02d}"
    own: list[Line] = [
        a_line(
            k,
            line_id=f"{name}-{k}",
            episode_id=name,
            character=NAMES[k % len(NAMES)],
            confidence=0.9,
            verdict=Verdict.CERTAIN,
            clip=f"{name}/clips/{k}.flac",
        )
        for k in range(lines)
    ]
    return EpisodeOverview(name, tuple(own), 60_000, (StageReport("lines", 1.0, lines + 1, lines, {"song": 1}),))


def written(folder: Path, episodes: int = 12, **more: int) -> Path:
    readings = [lambda k=k: episode(k) for k in range(episodes)]
    (folder / "corpus").mkdir(parents=True)
    write_large_corpus_report(
        folder / "corpus", episodes=readings, stages=(StageReport("corpus: files", 0.0, 5, 5, {}),), **more
    )
    return folder / "corpus"


def test_the_index_links_episodes_and_characters(tmp_path: Path) -> None:
    corpus = written(tmp_path)
    index = (corpus / "report.html").read_text(encoding="utf-8")
    links = [html.unescape(link) for link in re.findall(r'href="([^"#]+)"', index)]
    assert links[:12] == [f"./../ep{k:02d}/report.html" for k in range(12)]
    pages = {corpus / unquote(link) for link in links[12:]}
    assert pages == set((corpus / "characters").iterdir()) and len(pages) == 3
    assert HOSTILE[0] not in index and html.escape("春日/阿虚") in index
    assert "12 song" in index
    page = (corpus / "characters" / f"{path_name('Ada')}.html").read_text(encoding="utf-8")
    assert "<bdi>Ada</bdi></h1>" in page
    assert set(re.findall(r"ep\d\d-\d", page)) == {f"ep{k:02d}-{n}" for k in range(12) for n in (0, 4)}
    assert "../../ep03/report.html" in page


def test_the_same_episodes_give_the_same_bytes_and_few_get_pages(tmp_path: Path) -> None:
    one, two = written(tmp_path / "a"), written(tmp_path / "b")
    for file in ("report.html", "characters/Ada.html"):
        assert (one / file).read_bytes() == (two / file).read_bytes()
    few = written(tmp_path / "c", most_characters=1)
    assert len(list((few / "characters").iterdir())) == 1
    assert "2 characters with the fewest lines have no page" in (few / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")
def test_the_index_finds_and_sorts(tmp_path: Path) -> None:
    corpus = written(tmp_path, 1000)
    with browser(tmp_path / "profile") as page:
        page.open(corpus / "report.html")
        page.run(
            "const find = document.querySelector('[data-table=episodes]'); find.value = 'EP99';"
            "find.dispatchEvent(new Event('input'))"
        )
        shown = "[...document.querySelectorAll('#episodes tbody tr:not([hidden])')].map(r => r.cells[0].textContent)"
        assert page.run(shown) == ["ep99", *(f"ep99{k}" for k in range(10))]
        page.run("document.querySelector('#characters th button').click()")
        names = "[...document.querySelectorAll('#characters tbody tr')].map(r => r.cells[0].textContent)"
        ascending = page.run(names)
        page.run("document.querySelector('#characters th button').click()")
        assert page.run(names) == ascending[::-1] and set(ascending) == {"Ada", HOSTILE[0], "春日/阿虚"}
        assert page.complaints == [] and page.dialogs == []
