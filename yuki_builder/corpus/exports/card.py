"""The dataset card: ``README.md`` with the header that the hub reads, and the statistics that a reader wants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuki_builder.corpus.exports.base import SECONDARY, Chosen, ExportOptions, ExportReport, Source
from yuki_builder.corpus.exports.prompts import language_of
from yuki_builder.corpus.exports.split import TRAIN, VALIDATION
from yuki_builder.corpus.exports.utterances import one_row
from yuki_builder.records import Verdict
from yuki_builder.version import __version__

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_EPISODES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says of its format; as ``Exporter`` has it."""

    name: str
    summary: str
    files: str
    tasks: tuple[str, ...]
    data: Mapping[str, str]
    is_split: bool


def write_card(
    facts: CardFacts, source: Source, report: ExportReport, destination: Path, options: ExportOptions
) -> None:
    """Write the card.

    Args:
        facts: of the format.
        source: the whole corpus.
        report: what of it was written.
        destination: the file.
        options: by which its lines were chosen.
    """
    rows = ["---", *_header(facts, report), "---", "", *_body(facts, source, report, options)]
    text = "".join(f"{row}\n" for row in rows)
    destination.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _header(facts: CardFacts, report: ExportReport) -> Iterator[str]:
    """YAML, as the hub wants it. Nothing in it comes from a subtitle or a name."""
    examples = report.examples
    characters = len({item.line.character for item in examples})
    yield "# Fill in before you share it: license (https://hf.co/docs/hub/repositories-licenses), and pretty_name."
    yield f"pretty_name: Dialogue of {_number(characters, 'character')}"
    yield "license: other"
    yield "license_name: to-be-filled-in"
    yield from ("language:", f"- {language_of([item.line.text for item in examples])}")
    if facts.tasks:
        yield "task_categories:"
        yield from (f"- {task}" for task in facts.tasks)
    yield from ("size_categories:", f"- {_size(len(examples))}")
    there = {split: pattern for split, pattern in facts.data.items() if report.items.get(split)}
    if there:
        yield from ("configs:", "- config_name: default", "  data_files:")
        for split, pattern in there.items():
            yield from (f"  - split: {split}", f"    path: {json.dumps(pattern)}")


def _body(facts: CardFacts, source: Source, report: ExportReport, options: ExportOptions) -> Iterator[str]:
    examples = report.examples
    episodes = list(dict.fromkeys(line.episode_id for line in source.lines))
    minutes = sum(item.line.span.duration_ms for item in examples) / 60_000
    items = ", ".join(f"{count} {kind}" for kind, count in report.items.items()) or "nothing"
    characters = _number(len({item.line.character for item in examples}), "character")
    yield from ("# Character dialogue", "")
    yield f"{facts.summary[:1].upper()}{facts.summary[1:]} (`{facts.name}`): {items}."
    yield f"{_number(len(examples), 'line')}, {minutes:.1f} minutes, {characters}, {_number(len(episodes), 'episode')}."
    yield from ("", f"Files: {facts.files}.", "", "## Who speaks", "")
    yield from _figures(examples, facts)
    if report.left_out:
        reasons = ", ".join(f"{count} x {_cell(reason)}" for reason, count in sorted(report.left_out.items()))
        yield from ("", f"Left out: {reasons}.")
    yield from ("", "## Training and validation", "", _about_split(facts, examples, options))
    yield from ("", "## How it was made", "")
    yield from _made(source, options)
    told = ", ".join(_cell(name) for name in episodes[:_EPISODES_SHOWN])
    more = f" and {len(episodes) - _EPISODES_SHOWN} more" if len(episodes) > _EPISODES_SHOWN else ""
    yield from ("", f"Sources: {told or 'none'}{more}.", "", "## Licence", "")
    yield "The rights in recordings and texts are those of their owners. Say here, and in `license` above, by what"
    yield "right you share them."


def _figures(examples: Sequence[Chosen], facts: CardFacts) -> Iterator[str]:
    """A table: each character's lines, minutes, verdicts, and lines for validation; who speaks longest first."""
    own: dict[str, list[Chosen]] = {}
    for item in examples:
        own.setdefault(item.line.character or "", []).append(item)
    duration_ms = {name: sum(i.line.span.duration_ms for i in items) for name, items in own.items()}
    columns = ["character", "lines", "minutes", "certain", "doubtful", *([VALIDATION] if facts.is_split else [])]
    yield f"| {' | '.join(columns)} |"
    yield "|-" * len(columns) + "|"
    for name in sorted(own, key=lambda name: (-duration_ms[name], name)):
        verdicts = Counter(item.line.verdict for item in own[name])
        held = sum(item.split == VALIDATION for item in own[name])
        cells = [_cell(name), len(own[name]), f"{duration_ms[name] / 60_000:.1f}"]
        cells += [verdicts[Verdict.CERTAIN], verdicts[Verdict.DOUBTFUL], *([held] if facts.is_split else [])]
        yield f"| {' | '.join(map(str, cells))} |"


def _about_split(facts: CardFacts, examples: Sequence[Chosen], options: ExportOptions) -> str:
    if not facts.is_split:
        return "This format is not split: it holds every scene, those too that other formats keep for validation."
    scenes = Counter({item.scene_id: item.split for item in examples}.values())
    if not scenes[VALIDATION]:
        asked = "there are too few scenes to spare one" if options.validation else "no validation was asked for"
        return f"All is for training ({_number(scenes[TRAIN], 'scene')}): {asked}."
    return (
        f"Scenes are never split between train and validation: {scenes[TRAIN]} for training, "
        f"{scenes[VALIDATION]} for validation ({options.validation:g} of the lines were asked for), by a "
        "hash of the scene's id."
    )


def _made(source: Source, options: ExportOptions) -> Iterator[str]:
    separated = "" if source.made_with.get("separator") == "none" else "voices separated from music and effects, "
    yield f"By yuki_builder {__version__}: {separated}subtitles aligned to the voices, each line given to a"
    yield "character by names in the subtitles and by voice. `confidence` is calibrated: of lines given 0.9, nine in"
    yield "ten are right. The text is that of the subtitles: where they translate what is said, it is no transcript."
    yield ""
    verdicts = " or ".join(sorted(verdict.value for verdict in options.verdicts))
    yield f"- lines: named with a confidence of {options.min_confidence:g} or more, {verdicts}"
    if options.characters:
        yield f"- only: {', '.join(map(_cell, options.characters))}"
    if options.without:
        yield f"- without: {', '.join(sorted(options.without))} (what concerns sound, only in formats with sound)"
    if options.text == SECONDARY:
        yield "- text: the other language of bilingual subtitles"
    for what, which in sorted(source.made_with.items()):
        yield f"- {_cell(what)}: {_cell(which)}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _cell(text: str) -> str:
    """Text in Markdown: no row ends in it, no column, no tag, no link."""
    plain = one_row(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{c}" if c in "|`[]*_" else c for c in plain)


def _size(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "1M<n<10M")
