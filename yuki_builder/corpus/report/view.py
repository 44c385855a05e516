"""What the report shows, worked out: pure functions from records to the values that the page's template prints."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from yuki_builder.corpus.report.cast import Speaker, speakers_of
from yuki_builder.corpus.report.confidence import Step, histogram_of
from yuki_builder.corpus.report.data import EpisodeData, page_data
from yuki_builder.corpus.report.formatting import clock, file_url
from yuki_builder.corpus.report.pictures import SoundPictures
from yuki_builder.corpus.report.portraits import Portrait, portraits_of
from yuki_builder.corpus.report.rows import Row, rows_of
from yuki_builder.corpus.report.subtitle_view import LeftOut, Timing, left_out_of, timing_of
from yuki_builder.corpus.report.talk import Talk, talk_of
from yuki_builder.corpus.scenes import Scene, split_scenes
from yuki_builder.corpus.tables.statistics import count_words
from yuki_builder.names import path_name
from yuki_builder.records import AlignedCue, Cue, Line, LineSource, MediaInfo, Span, StageReport, Turn, Verdict

MOST_ROWS = 10_000
"""A browser shows this many lines at ease; of a larger corpus, the least sure ones are listed."""

SOURCE_MARKS = {
    LineSource.ASR.value: ("heard", "Transcribed by speech recognition"),
    LineSource.OCR.value: ("read", "Read from the picture"),
}
"""The mark of a line that is not from text subtitles, and what it means."""

_SOURCES = {LineSource.ASR: "Lines heard", LineSource.OCR: "Lines read from the picture"}

MOST_PICTURE_BYTES = 6_000_000
"""Of pictures that lines were read from: a thousand and more."""

_COUNTED_ONCE = ("report", "summary")


@dataclass(frozen=True, slots=True)
class EpisodeOverview:
    """What the report of a corpus knows of one of its episodes.

    ``mix`` and ``vocals`` are paths relative to the output folder, as the lines' clips are; ``scenes`` None: they are
    split by the pauses of the lines.
    """

    episode_id: str
    lines: tuple[Line, ...]
    duration_ms: int
    stages: tuple[StageReport, ...] = ()
    mix: str | None = None
    vocals: str | None = None
    scenes: tuple[Scene, ...] | None = None


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """A row of the table of episodes; ``cast`` counts lines by speaker, the most first."""

    number: int
    episode_id: str
    url: str
    duration_ms: int
    lines: int
    speech_ms: int
    verdicts: tuple[tuple[str, int], ...]
    cast: tuple[tuple[Speaker, int], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template prints; ``data`` is the JSON that the script reads."""

    is_corpus: bool
    title: str
    source: str | None
    facts: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, int, float], ...]
    missing: tuple[str, ...]
    episodes: tuple[EpisodeRow, ...]
    speakers: tuple[Speaker, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    talk: Talk | None
    portraits: tuple[Portrait, ...]
    pictures: SoundPictures | None
    left_out: tuple[LeftOut, ...]
    timing: Timing | None
    stages: tuple[StageReport, ...]
    has_timeline: bool
    data: str
    evaluation: str | None = None  # a PNG file as base64


def episode_page(
    *,
    episode_id: str,
    lines: Sequence[Line],
    turns: Sequence[Turn],
    speech: Sequence[Span],
    cues: Sequence[Cue],
    aligned: Sequence[AlignedCue],
    scenes: Sequence[Scene] | None,
    media: MediaInfo | None,
    pictures: SoundPictures | None,
    mix: str | None,
    vocals: str | None,
    stages: Sequence[StageReport],
    missing: Sequence[str],
    folder: str,
    evaluation: bytes | None = None,
    read_from: Mapping[str, str] = MappingProxyType({}),
    most_rows: int = MOST_ROWS // 2,
) -> Page:
    """Work the page of one episode out; see :func:`~yuki_builder.corpus.report.render.write_report`."""
    ordered = sorted(lines, key=lambda line: (line.start_ms, line.index, line.line_id))
    spans = [*(line.span for line in ordered), *(turn.span for turn in turns), *speech]
    duration_ms = max([1, *(span.end_ms for span in spans), *([media.duration_ms] if media else [])])
    found = split_scenes(ordered) if scenes is None else scenes
    speakers = speakers_of(ordered)
    # Lines that say they are of another episode than the page are still shown: the file is what the user has.
    positions = {line.episode_id: 0 for line in ordered}
    every_row = rows_of(
        ordered,
        speakers=speakers,
        episodes=positions,
        scene_openers=_openers(found),
        folder=folder,
        read_from=affordable(read_from, ordered),
    )
    portraits = portraits_of(every_row, speakers)
    rows = _most_telling(every_row, portraits, most_rows)
    episode = EpisodeData(
        name=episode_id,
        duration_ms=duration_ms,
        mix=None if mix is None else file_url(mix, folder=folder),
        vocals=None if vocals is None else file_url(vocals, folder=folder),
    )
    length_ms = media.duration_ms if media else duration_ms
    return Page(
        is_corpus=False,
        evaluation=None if evaluation is None else base64.b64encode(evaluation).decode(),
        title=episode_id,
        source=None if media is None else PurePath(media.path).name,
        facts=(("Length", clock(length_ms)), *_speech_facts(speech), *_line_facts(ordered), *_voice_facts(turns)),
        verdicts=_verdicts(ordered),
        missing=(*missing, *_not_listed(every_row, rows, "lines.csv")),
        episodes=(),
        speakers=speakers,
        rows=rows,
        steps=histogram_of(ordered) if ordered else (),
        talk=talk_of(found, speakers),
        portraits=portraits,
        pictures=pictures,
        left_out=left_out_of(cues),
        timing=timing_of(aligned),
        stages=tuple(stages),
        has_timeline=bool(spans),
        data=page_data(
            episodes=[episode],
            speakers=speakers,
            rows=rows,
            turns=() if ordered else turns,
            speech=speech or [turn.span for turn in turns],
            scene_starts_ms=[scene.start_ms for scene in found],
            pictures=pictures,
        ),
    )


def affordable(
    read_from: Mapping[str, str], lines: Sequence[Line], *, most: int = MOST_PICTURE_BYTES
) -> dict[str, str]:
    """As many of the pictures that lines were read from as a page can hold; the first lines' go before. Pure.

    Args:
        read_from: the picture of each line, as base64, by line id.
        lines: the lines, in their order.
        most: bytes of base64 in all.
    """
    kept: dict[str, str] = {}
    left = most
    for line in lines:
        picture = read_from.get(line.line_id)
        if picture is not None and len(picture) <= left:
            kept[line.line_id] = picture
            left -= len(picture)
    return kept


def corpus_page(
    *, episodes: Sequence[EpisodeOverview], stages: Sequence[StageReport], folder: str, most_rows: int = MOST_ROWS
) -> Page:
    """Work the page of a corpus out; see :func:`~yuki_builder.corpus.report.render.write_corpus_report`."""
    ordered = [
        line
        for episode in episodes
        for line in sorted(episode.lines, key=lambda line: (line.start_ms, line.index, line.line_id))
    ]
    scenes = [
        scene
        for episode in episodes
        for scene in (split_scenes(episode.lines) if episode.scenes is None else episode.scenes)
    ]
    speakers = speakers_of(ordered)
    positions = {episode.episode_id: position for position, episode in enumerate(episodes)}
    every_row = rows_of(ordered, speakers=speakers, episodes=positions, scene_openers=_openers(scenes), folder=folder)
    portraits = portraits_of(every_row, speakers)
    rows = _most_telling(every_row, portraits, most_rows)
    return Page(
        is_corpus=True,
        title="Corpus",
        source=None,
        facts=(
            ("Episodes", str(len(episodes))),
            ("Length", clock(sum(episode.duration_ms for episode in episodes))),
            *_line_facts(ordered),
            *((("Scenes", f"{len(scenes):,}"),) if scenes else ()),
        ),
        verdicts=_verdicts(ordered),
        missing=_not_listed(every_row, rows, "the reports of their episodes"),
        episodes=_episode_rows(episodes, speakers, folder=folder),
        speakers=speakers,
        rows=rows,
        steps=histogram_of(ordered) if ordered else (),
        talk=talk_of(scenes, speakers),
        portraits=portraits,
        pictures=None,
        left_out=(),
        timing=None,
        stages=(*added_up(episode.stages for episode in episodes), *stages),
        has_timeline=bool(ordered),
        data=page_data(
            episodes=[
                EpisodeData(
                    name=episode.episode_id,
                    duration_ms=max([1, episode.duration_ms, *(line.end_ms for line in episode.lines)]),
                    mix=None if episode.mix is None else file_url(episode.mix, folder=folder),
                    vocals=None if episode.vocals is None else file_url(episode.vocals, folder=folder),
                )
                for episode in episodes
            ],
            speakers=speakers,
            rows=rows,
        ),
    )


def _openers(scenes: Iterable[Scene]) -> frozenset[str]:
    return frozenset(scene.lines[0].line_id for scene in scenes)


def _most_telling(rows: tuple[Row, ...], portraits: Iterable[Portrait], most: int) -> tuple[Row, ...]:
    """At most ``most`` rows, the least sure, and those that portraits point to; in their order."""
    if len(rows) <= most:
        return rows
    kept = {row.number for portrait in portraits for row in (*portrait.best, *portrait.doubtful)}
    for row in sorted(rows, key=lambda row: (row.line.confidence, row.number)):
        if len(kept) >= most:
            break
        kept.add(row.number)
    return tuple(row for row in rows if row.number in kept)


def _not_listed(every_row: Sequence[Row], rows: Sequence[Row], elsewhere: str) -> tuple[str, ...]:
    left_out = len(every_row) - len(rows)
    if not left_out:
        return ()
    return (
        f"{left_out:,} of {len(every_row):,} lines are not listed here, those with the highest confidence, so that "
        f"the page stays quick; they are in {elsewhere}. All statistics count every line.",
    )


def _line_facts(lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    if not lines:
        return ()
    return (
        ("Lines", f"{len(lines):,}"),
        ("Characters", str(len({line.character for line in lines} - {None}))),
        ("Words", f"{sum(count_words(line.text) for line in lines):,}"),
        ("Clips", f"{sum(line.clip is not None for line in lines):,}"),
        *_source_facts(lines),
    )


def _source_facts(lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """How many lines are not from subtitles."""
    counts = Counter(line.source for line in lines)
    return tuple((name, f"{counts[source]:,}") for source, name in _SOURCES.items() if counts[source])


def _speech_facts(speech: Sequence[Span]) -> tuple[tuple[str, str], ...]:
    return (("Speech", clock(sum(span.duration_ms for span in speech))),) if speech else ()


def _voice_facts(turns: Sequence[Turn]) -> tuple[tuple[str, str], ...]:
    return (("Voices", str(len({turn.speaker for turn in turns}))),) if turns else ()


def _verdicts(lines: Sequence[Line]) -> tuple[tuple[str, int, float], ...]:
    counts = Counter(line.verdict.value for line in lines)
    return tuple((v.value, counts[v.value], counts[v.value] / len(lines)) for v in Verdict if lines)


def _episode_rows(
    episodes: Sequence[EpisodeOverview], speakers: Sequence[Speaker], *, folder: str
) -> tuple[EpisodeRow, ...]:
    by_name: Mapping[str | None, Speaker] = {speaker.statistics.character: speaker for speaker in speakers}
    rows = []
    for number, episode in enumerate(episodes):
        verdicts = Counter(line.verdict.value for line in episode.lines)
        cast = Counter(line.character for line in episode.lines)
        rows.append(
            EpisodeRow(
                number=number,
                episode_id=episode.episode_id,
                url=file_url(f"{path_name(episode.episode_id)}/report.html", folder=folder),
                duration_ms=episode.duration_ms,
                lines=len(episode.lines),
                speech_ms=sum(line.span.duration_ms for line in episode.lines),
                verdicts=tuple((verdict.value, verdicts[verdict.value]) for verdict in Verdict),
                cast=tuple(
                    sorted(
                        ((by_name[name], n) for name, n in cast.items()), key=lambda item: (-item[1], item[0].number)
                    )
                ),
            )
        )
    return tuple(rows)


def added_up(reports: Iterable[Sequence[StageReport]]) -> tuple[StageReport, ...]:
    """One report a stage, over all episodes; notes are left to the episodes' own reports."""
    sums: dict[str, tuple[int, int, Counter[str]]] = {}
    for stages in reports:
        for stage in stages:
            came_in, kept, dropped = sums.get(stage.stage, (0, 0, Counter()))
            sums[stage.stage] = came_in + stage.came_in, kept + stage.kept, dropped + Counter(stage.dropped)
    return tuple(
        StageReport(name, 0.0, came_in, kept, dict(sorted(dropped.items())))
        for name, (came_in, kept, dropped) in sums.items()
        if name not in _COUNTED_ONCE
    )
