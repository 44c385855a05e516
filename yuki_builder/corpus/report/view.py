"""What the report shows, worked out: pure functions from records to the few values that the page's template prints."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from yuki_builder.corpus.figures import CharacterFigures, character_figures, count_words
from yuki_builder.corpus.scenes import split_scenes
from yuki_builder.records import Evidence, Line, MediaInfo, Span, StageReport, Turn, Verdict

UNKNOWN = "unknown"
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 13
_NARROWEST = 0.0012  # share of the timeline that the shortest line still takes, so that it can be seen
_GOLDEN_ANGLE = 137.508  # neighbours in the list get hues far apart, however long the list is
_FIRST_HUE = 255.0
_HUES_PER_TIER = 8


@dataclass(frozen=True, slots=True)
class Colour:
    """A hue in degrees, and a tier of lightness once the hues come close to each other. None of both: grey."""

    hue: float | None
    tier: int = 0

    @property
    def style(self) -> str:
        """CSS variables that the page's style sheet makes a colour of, in light and in dark."""
        return "--grey:1" if self.hue is None else f"--h:{self.hue:.0f};--t:{self.tier}"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A row of "who speaks"; ``share`` is its time relative to the longest."""

    number: int
    name: str
    colour: Colour
    figures: CharacterFigures
    share: float


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch on a lane; ``left`` and ``width`` are shares of the timeline; ``row`` the line's number, if any."""

    left: float
    width: float
    verdict: str
    title: str
    row: int | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline."""

    name: str
    colour: Colour
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis, ``left`` as a share of it."""

    left: float
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list of lines."""

    number: int
    line: Line
    speaker: Speaker
    starts_scene: bool
    clip_url: str | None
    summary: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template prints."""

    episode_id: str
    source: str | None
    facts: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, int, float], ...]
    missing: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    ticks: tuple[Tick, ...]
    duration_ms: int
    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    stages: tuple[StageReport, ...]


def page_of(
    *,
    episode_id: str,
    lines: Sequence[Line],
    turns: Sequence[Turn],
    speech: Sequence[Span],
    media: MediaInfo | None,
    stages: Sequence[StageReport],
    missing: Sequence[str],
    folder: str,
) -> Page:
    """Work the page out; see :func:`~yuki_builder.corpus.report.render.write_report` for the parameters."""
    ordered = sorted(lines, key=lambda line: (line.start_ms, line.index, line.line_id))
    spans = [*(line.span for line in ordered), *(turn.span for turn in turns), *speech]
    duration_ms = max([1, *(span.end_ms for span in spans), *([media.duration_ms] if media else [])])
    speakers = _speakers(ordered)
    by_name = {speaker.figures.character: speaker for speaker in speakers}
    scene_openers = {scene.lines[0].line_id for scene in split_scenes(ordered)}
    rows = tuple(
        Row(
            number=number,
            line=line,
            speaker=by_name[line.character],
            starts_scene=line.line_id in scene_openers,
            clip_url=None if line.clip is None else clip_url(line.clip, folder=folder),
            summary=evidence_summary(line.evidence),
        )
        for number, line in enumerate(ordered, 1)
    )
    lanes = _line_lanes(rows, speakers, duration_ms) if rows else _turn_lanes(turns, duration_ms)
    voice = _voice_lane(speech or [turn.span for turn in turns], duration_ms)
    return Page(
        episode_id=episode_id,
        source=None if media is None else PurePath(media.path).name,
        facts=_facts(ordered, turns, speech, length_ms=media.duration_ms if media else duration_ms),
        verdicts=_verdicts(ordered),
        missing=tuple(missing),
        speakers=speakers,
        ticks=ticks(duration_ms),
        duration_ms=duration_ms,
        lanes=(*lanes, *voice),
        rows=rows,
        stages=tuple(stages),
    )


def colour_of(position: int) -> Colour:
    """A colour for the n-th character (from 0) that differs from those of its neighbours."""
    return Colour((_FIRST_HUE + position * _GOLDEN_ANGLE) % 360, position // _HUES_PER_TIER % 3)


def clock(time_ms: int, *, tenths: bool = False) -> str:
    """``1:02:03`` or ``2:03``; with ``tenths`` ``2:03.4``."""
    total = max(0, time_ms) // 100 if tenths else max(0, time_ms) // 1000
    seconds, tenth = divmod(total, 10) if tenths else (total, 0)
    text = f"{seconds // 60 % 60}:{seconds % 60:02d}"
    if seconds >= 3600:
        text = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{tenth}" if tenths else text


def clip_url(clip: str, *, folder: str) -> str:
    """A relative URL from a report in ``folder`` to ``clip``, both relative to the output folder.

    Percent-encoded, colons too, so that no path can name a scheme.
    """
    return "./" + quote(posixpath.relpath(f"/{clip}", f"/{folder}"), errors="replace")


def evidence_summary(evidence: Iterable[Evidence]) -> str:
    """``voice 0.81 Yuki · actor 1.00 Yuki``."""
    return " · ".join(f"{e.source} {e.weight:.2f} {e.character}" for e in evidence)


def ticks(duration_ms: int) -> tuple[Tick, ...]:
    """Marks at round times, a dozen or fewer."""
    fits = (step for step in _TICK_STEPS_S if duration_ms / 1000 / step < _MOST_TICKS)
    step_ms = 1000 * next(fits, -(-duration_ms // (1000 * _MOST_TICKS)))
    return tuple(Tick(t / duration_ms, clock(t)) for t in range(0, duration_ms + 1, step_ms))


def _speakers(lines: Sequence[Line]) -> tuple[Speaker, ...]:
    figures = character_figures((n.character, n.span.duration_ms, n.text, n.confidence) for n in lines)
    longest_ms = max((f.duration_ms for f in figures), default=0) or 1
    return tuple(
        Speaker(
            number=number,
            name=UNKNOWN if f.character is None else f.character,
            colour=Colour(None) if f.character is None else colour_of(number),
            figures=f,
            share=f.duration_ms / longest_ms,
        )
        for number, f in enumerate(figures)
    )


def _facts(
    lines: Sequence[Line], turns: Sequence[Turn], speech: Sequence[Span], *, length_ms: int
) -> tuple[tuple[str, str], ...]:
    facts = [("Length", clock(length_ms))]
    if speech:
        facts.append(("Speech", clock(sum(span.duration_ms for span in speech))))
    if lines:
        facts += [
            ("Lines", str(len(lines))),
            ("Characters", str(len({line.character for line in lines} - {None}))),
            ("Words", str(sum(count_words(line.text) for line in lines))),
            ("Clips", str(sum(line.clip is not None for line in lines))),
        ]
    if turns:
        facts.append(("Voices", str(len({turn.speaker for turn in turns}))))
    return tuple(facts)


def _verdicts(lines: Sequence[Line]) -> tuple[tuple[str, int, float], ...]:
    counts = Counter(line.verdict.value for line in lines)
    return tuple((v.value, counts[v.value], counts[v.value] / len(lines)) for v in Verdict if lines)


def _block(span: Span, duration_ms: int, *, verdict: str = "", title: str = "", row: int | None = None) -> Block:
    left = max(0, span.start_ms) / duration_ms
    return Block(left, max(_NARROWEST, span.end_ms / duration_ms - left), verdict, title, row)


def _line_lanes(rows: Sequence[Row], speakers: Sequence[Speaker], duration_ms: int) -> list[Lane]:
    blocks: dict[int, list[Block]] = {speaker.number: [] for speaker in speakers}
    for row in rows:
        line = row.line
        title = f"{clock(line.start_ms)} {row.speaker.name} ({line.verdict.value}): {line.text}"
        blocks[row.speaker.number].append(
            _block(line.span, duration_ms, verdict=line.verdict.value, title=title, row=row.number)
        )
    return [Lane(speaker.name, speaker.colour, tuple(blocks[speaker.number])) for speaker in speakers]


def _turn_lanes(turns: Sequence[Turn], duration_ms: int) -> list[Lane]:
    by_speaker: dict[str, list[Turn]] = {}
    for turn in sorted(turns):
        by_speaker.setdefault(turn.speaker, []).append(turn)
    return [
        Lane(
            speaker,
            colour_of(position),
            tuple(
                _block(turn.span, duration_ms, verdict="certain", title=f"{clock(turn.start_ms)} {speaker}")
                for turn in members
            ),
        )
        for position, (speaker, members) in enumerate(sorted(by_speaker.items()))
    ]


def _voice_lane(speech: Sequence[Span], duration_ms: int) -> list[Lane]:
    if not speech:
        return []
    return [Lane("any voice", Colour(None), tuple(_block(span, duration_ms) for span in speech))]
