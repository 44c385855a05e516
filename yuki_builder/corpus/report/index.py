"""The report of a large corpus: an index of episodes and characters, and a page for each character."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from yuki_builder.corpus.report.formatting import clock, file_url
from yuki_builder.corpus.report.render import own_file, page_template, write_page
from yuki_builder.corpus.report.view import EpisodeOverview, added_up, corpus_page
from yuki_builder.names import path_name
from yuki_builder.records import Line, StageReport, Verdict

LARGE = 20_000
"""Lines from which a corpus has an index and pages instead of one page."""

CHARACTERS = "characters"
MOST_CHARACTERS = 2000
MOST_ROWS_OF_ONE = 3000
_MOST_LINES = 50_000

Reading = Callable[[], EpisodeOverview]
"""Reads one episode."""


@dataclass(slots=True)
class _Statistics:
    lines: int = 0
    speech_ms: int = 0
    confidence: float = 0.0
    certain: int = 0

    def add(self, line: Line) -> None:
        self.lines += 1
        self.speech_ms += line.span.duration_ms
        self.confidence += line.confidence
        self.certain += line.verdict is Verdict.CERTAIN


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    url: str | None
    cells: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[_Row, ...]


def write_large_corpus_report(
    destination: Path,
    *,
    episodes: Sequence[Reading],
    stages: Sequence[StageReport] = (),
    folder: str = "corpus",
    most_characters: int = MOST_CHARACTERS,
) -> None:
    """Write ``report.html``, which lists episodes and characters, and ``characters/<name>.html``.

    Episodes are read one at a time, and again with the characters who speak in them, so that the memory that it takes
    does not grow with the corpus. Episodes have pages of their own already: these are linked.

    Args:
        destination: the folder to write into; the pages of characters get a folder of their own in it.
        episodes: read each, in the order to show them.
        stages: what the making of the corpus kept and left out.
        folder: where it will lie, relative to the output folder.
        most_characters: pages of those with the most lines; the index lists all.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    index = _Index()
    for number, read in enumerate(episodes):
        index.add(number, read())
    paged = [name for name, _ in index.ranking()[:most_characters]]
    facts = (
        ("Episodes", f"{len(index.episodes):,}"),
        ("Length", clock(index.duration_ms)),
        ("Lines", f"{index.all.lines:,}"),
        ("Characters", f"{len(index.characters):,}"),
        ("Certain", f"{100 * index.all.certain / max(1, index.all.lines):.0f} %"),
    )
    tables = (index.episode_table(folder), index.character_table(folder, set(paged)))
    _write_index(destination / "report.html", facts, tables, (*index.stages(), *stages))
    (destination / CHARACTERS).mkdir(exist_ok=True)
    for names in index.batches(paged):
        gathered: dict[str, list[EpisodeOverview]] = {name: [] for name in names}
        for number in sorted({number for name in names for number in index.characters[name][1]}):
            overview = episodes[number]()
            by_name: dict[str, list[Line]] = {}
            for line in overview.lines:
                if line.character in gathered:
                    by_name.setdefault(str(line.character), []).append(line)
            for name, lines in by_name.items():
                gathered[name].append(replace(overview, lines=tuple(lines), scenes=(), stages=()))
        for name, own in gathered.items():
            page = corpus_page(episodes=own, stages=(), folder=f"{folder}/{CHARACTERS}", most_rows=MOST_ROWS_OF_ONE)
            write_page(replace(page, title=name), destination / CHARACTERS / _file(name))


class _Index:
    """What is known after every episode was read once."""

    def __init__(self) -> None:
        self.episodes: list[tuple[str, int, int, _Statistics]] = []
        self.characters: dict[str, tuple[_Statistics, list[int]]] = {}
        self.all = _Statistics()
        self.duration_ms = 0
        self._stages: tuple[StageReport, ...] = ()

    def add(self, number: int, overview: EpisodeOverview) -> None:
        statistics = _Statistics()
        cast: Counter[str] = Counter()
        for line in overview.lines:
            statistics.add(line)
            self.all.add(line)
            if line.character is not None:
                cast[line.character] += 1
                self.characters.setdefault(line.character, (_Statistics(), []))[0].add(line)
        for name in cast:
            self.characters[name][1].append(number)
        self.episodes.append((overview.episode_id, overview.duration_ms, len(cast), statistics))
        self.duration_ms += overview.duration_ms
        self._stages = tuple(added_up([self._stages, overview.stages]))

    def stages(self) -> tuple[StageReport, ...]:
        return self._stages

    def ranking(self) -> list[tuple[str, _Statistics]]:
        """The characters, who has most lines first."""
        statistics = [(name, own) for name, (own, _) in self.characters.items()]
        return sorted(statistics, key=lambda item: (-item[1].lines, item[0]))

    def batches(self, names: Sequence[str]) -> Iterator[list[str]]:
        """The characters in the order of their first episode, those together who have not too many lines."""
        batch: list[str] = []
        room = _MOST_LINES
        for name in sorted(names, key=lambda name: (self.characters[name][1][0], name)):
            lines = self.characters[name][0].lines
            if batch and lines > room:
                yield batch
                batch, room = [], _MOST_LINES
            batch.append(name)
            room -= lines
        if batch:
            yield batch

    def episode_table(self, folder: str) -> _Table:
        rows = tuple(
            _Row(
                name,
                file_url(f"{path_name(name)}/report.html", folder=folder),
                ((duration_ms, clock(duration_ms)), (cast, f"{cast:,}"), *_cells(statistics)),
            )
            for name, duration_ms, cast, statistics in self.episodes
        )
        return _Table("episodes", "Episodes", "", ("Episode", "Length", "Characters", *_COLUMNS), rows)

    def character_table(self, folder: str, paged: set[str]) -> _Table:
        rows = tuple(
            _Row(
                name,
                file_url(f"{folder}/{CHARACTERS}/{_file(name)}", folder=folder) if name in paged else None,
                ((len(self.characters[name][1]), f"{len(self.characters[name][1]):,}"), *_cells(statistics)),
            )
            for name, statistics in self.ranking()
        )
        without = len(rows) - len(paged)
        note = f"{without:,} characters with the fewest lines have no page of their own." if without else ""
        return _Table(CHARACTERS, "Characters", note, ("Character", "Episodes", *_COLUMNS), rows)


_COLUMNS = ("Lines", "Speech", "Certain", "Confidence")


def _cells(statistics: _Statistics) -> tuple[tuple[float, str], ...]:
    lines = max(1, statistics.lines)
    certain, confidence = round(statistics.certain / lines, 4), round(statistics.confidence / lines, 4)
    return (
        (statistics.lines, f"{statistics.lines:,}"),
        (statistics.speech_ms, clock(statistics.speech_ms)),
        (certain, f"{100 * certain:.0f} %"),
        (confidence, f"{confidence:.2f}"),
    )


def _file(character: str) -> str:
    return f"{path_name(character)}.html"


def _write_index(
    destination: Path, facts: Sequence[tuple[str, str]], tables: Sequence[_Table], stages: Sequence[StageReport]
) -> None:
    from markupsafe import Markup

    script = own_file("index.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = page_template("index.html").render(
        facts=facts,
        tables=tables,
        stages=stages,
        style=Markup(own_file("base.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )
    destination.write_text(text, encoding="utf-8", errors="xmlcharrefreplace", newline="\n")
