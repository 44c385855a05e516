"""``run_pipeline.py export``: a finished corpus in the formats of other tools."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console.display import choose_display, one_line
from pipelines.console.subcommands import SETTINGS, Out
from pipelines.corpus.build import build_corpus
from pipelines.corpus.corpus import Corpus
from pipelines.corpus.exports import FOLDER, check_names, in_words, source_of, stage_name
from pipelines.engine.faults import clear_errors
from pipelines.layout import CORPUS_FOLDER
from yuki_builder.atomic import private_name, sweep
from yuki_builder.corpus import EXPORTERS, PROBLEMS, ExportOptions, Source
from yuki_builder.errors import ConfigError, InputError, OutputError
from yuki_builder.records import Verdict

_HELP = """
Write a finished corpus in the formats of other tools.

Without --to, into OUT/corpus/exports/<name>/, where what has not changed is left as it is.
"""

_EPILOG = (
    """\b
Formats:
"""
    + "\n".join(f"  {exporter.name:<11} {exporter.summary}" for exporter in EXPORTERS.values())
    + """

\b
Examples:
  run_pipeline.py export chat sharegpt --out out
  run_pipeline.py export ljspeech --out out --character Haruhi --certain
  run_pipeline.py export hf-parquet --out out --min-confidence 0.9 --to ~/datasets
  run_pipeline.py export chat --out out --context-lines 12 --system-prompt prompt.txt

\b
Scenes are never split between train and validation. A hash of the scene's id decides where it goes, so that it stays
there as the corpus grows. docs/exports.md says what the formats hold and who reads them.
hf is short for hf-folder, roleplay is another name of chat.
Exit status: 0 done; 2 an option or a folder is not what it should be, or no line is left to export.
"""
)

app = typer.Typer(**SETTINGS)


@app.command(help=_HELP, epilog=_EPILOG)
def _export(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Formats, listed below.", show_default=False)],
    *,
    out: Out = Path("out"),
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Write DIR/<name>/, which must not exist.")] = None,
    min_confidence: Annotated[
        float, typer.Option(metavar="0..1", help="Leave out lines whose name is less certain.")
    ] = 0.7,
    certain: Annotated[bool, typer.Option("--certain", help="Only lines whose name is certain.")] = False,
    character: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this character; repeatable.")
    ] = None,
    without: Annotated[
        str,
        typer.Option(metavar="PROBLEM,...", help=f"Leave out lines with these: {', '.join(PROBLEMS)}; or none."),
    ] = "duplicate,unusable",
    validation: Annotated[float, typer.Option(metavar="0..1", help="Share of scenes kept for validation.")] = 0.1,
    text: Annotated[
        str,
        typer.Option(
            metavar="primary|secondary",
            help="Bilingual subtitles: which of the two texts. A voice wants the one that is spoken.",
        ),
    ] = "primary",
    context_lines: Annotated[
        int, typer.Option(metavar="N", help="Chats: so many lines before an answer; 0 is the whole scene.")
    ] = 0,
    system_prompt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Chats: a text with {character} in it.")
    ] = None,
    shard_mb: Annotated[int, typer.Option(metavar="MB", help="Largest size of a tar or Parquet file.")] = 256,
    force: Annotated[bool, typer.Option("--force", help="Write again what has not changed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead.")] = False,
) -> None:
    wanted = check_names(names)
    try:
        options = ExportOptions(
            min_confidence=min_confidence,
            verdicts=frozenset({Verdict.CERTAIN} if certain else {Verdict.CERTAIN, Verdict.DOUBTFUL}),
            characters=tuple(character or ()),
            without=_problems(without),
            text=text,
            validation=validation,
            context_lines=context_lines,
            system_prompt=None if system_prompt is None else _prompt(system_prompt),
            shard_bytes=shard_mb << 20,
        )
    except ValueError as e:
        raise ConfigError(str(e)) from e
    corpus = Corpus.finished(out)
    _check_characters(corpus, options.characters)
    if to is not None:
        written = _write_apart(corpus, wanted, to, options)
    else:
        written = _write_inside(out, wanted, options, force=force, quiet=quiet)
    if as_json:
        print(json.dumps({"exports": [dataclasses.asdict(each) for each in written]}, ensure_ascii=False))
    elif not quiet:
        for each in written:
            _print(each)
    empty = [each.name for each in written if not each.kept]
    if empty:
        remedy = "see what was left out and why, and ask for less with --min-confidence or --without"
        raise InputError(f"no line is left for {', '.join(empty)}", where=out, remedy=remedy)


@dataclass(frozen=True, slots=True)
class _Written:
    """What came of one export; ``items`` in words."""

    name: str
    folder: str
    kept: int
    items: str
    left_out: dict[str, int]


def _write_inside(
    out: Path, names: Sequence[str], options: ExportOptions, *, force: bool, quiet: bool
) -> list[_Written]:
    """Into the corpus, as its stages."""
    with choose_display(quiet=quiet) as display:
        result = build_corpus(out, progress=display, exports=names, options=options, force=force)
    reports = {report.stage: report for report in result.reports}
    folder = out / CORPUS_FOLDER / FOLDER
    return [
        _Written(name, str(folder / name), report.kept, "; ".join(report.notes), dict(report.dropped))
        for name in names
        for report in [reports[stage_name(name)]]
    ]


def _check_characters(corpus: Corpus, wanted: Sequence[str]) -> None:
    there = {line.character for line in corpus.lines() if line.character}
    for name in wanted:
        if name not in there:
            known = ", ".join(sorted(there)) or "nobody"
            raise InputError(f"no line is said by {name!r}", where="--character", remedy=f"there are {known}")


def _problems(text: str) -> frozenset[str]:
    names = frozenset(part.strip() for part in text.split(",") if part.strip()) - {"none"}
    for name in sorted(names):
        if name not in PROBLEMS:
            remedy = f"there are {', '.join(PROBLEMS)}"
            raise ConfigError(f"unknown problem {name!r}", where="--without", remedy=remedy)
    return names


def _prompt(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise InputError("the system prompt cannot be read as UTF-8 text", where=path) from e
    if not text:
        raise InputError("the system prompt is empty", where=path)
    return text


def _write_apart(corpus: Corpus, names: Sequence[str], to: Path, options: ExportOptions) -> list[_Written]:
    """Into folders of the user's choice: complete or not at all, and never over what is there."""
    for name in names:
        if os.path.lexists(to / name):
            raise InputError("is there already", where=to / name, remedy="choose another --to, or move it away")
    try:
        with clear_errors(to):
            to.mkdir(parents=True, exist_ok=True)
            source = source_of(corpus)
            return [_write_one(source, name, to, options) for name in names]
    except OutputError as e:
        raise OutputError(e.what, where=e.where, remedy="choose another --to, or make room there") from e


def _write_one(source: Source, name: str, to: Path, options: ExportOptions) -> _Written:
    sweep(to)
    unfinished = private_name(to)
    unfinished.mkdir()
    try:
        report = EXPORTERS[name].write(source, unfinished, options)
        kept = sum(report.items.values())
        if kept:
            os.rename(unfinished, to / name)  # noqa: PTH104  (Path.rename would take an empty folder's place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return _Written(name, str(to / name), kept, in_words(report), dict(report.left_out))


def _print(written: _Written) -> None:
    print(one_line(f"{written.folder}: {written.items}"))
    if written.left_out:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(written.left_out.items()))
        print(one_line(f"  left out: {reasons}"))
