"""``run_pipeline.py evaluate``: how often the right name is found, by a person's labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console.display import one_line
from pipelines.console.subcommands import SETTINGS, Out
from pipelines.corpus.corpus import no_episode
from pipelines.engine.store import refuse_link
from pipelines.episode.records import read_lines
from pipelines.layout import EVALUATION_PICTURE, GALLERY, LINES, TURNS
from yuki_builder.atomic import replacing, sweep, write_atomically
from yuki_builder.characters import Evaluation, TrueLine, draw_evaluation, evaluate, read_truth
from yuki_builder.errors import InputError
from yuki_builder.names import path_name
from yuki_builder.records import Line
from yuki_builder.untrusted import read_json

EVALUATION = "evaluation.json"

_HELP = """
Compare the lines of a finished run with a person's labels: how many names are right, and how sure they are.

The labels may be an annotated CSV (人物,人物台词,开始时间,结束时间), lines as JSON (lines.jsonl, corrected), or RTTM.
Each labelled line is compared with the line of the run that overlaps it most.
"""

_EPILOG = """\b
Examples:
  run_pipeline.py evaluate --out out --truth ep01.csv
  run_pipeline.py evaluate --out out --truth ep02.rttm --episode ep02
  run_pipeline.py evaluate --out out --truth ep01.csv --json | jq .accuracy

\b
What it says:
  accuracy      lines with the right name, and the share of the speech in them (seconds of the labels);
                unlisted speakers count as correct when unnamed
  certain       lines called certain, and how many of those are right
  coverage      the largest share of lines that can be kept by confidence with 95 % of them right
  calibration   by how much confidence is off, on average (0.05: of lines given 0.90, 0.85 to 0.95 are right)
  edges         how far a line's start and end are from the labels': median and 95th percentile
  DER           diarization error rate of speakers/turns.rttm, without collar; in brackets with 250 ms

\b
The metrics are kept in <episode>/evaluation.json, with a picture in <episode>/evaluation.png, which the next run
shows in the report.
Exit status: 0 done; 2 the labels or the output folder are not what they should be.
"""

app = typer.Typer(**SETTINGS)


@app.command(help=_HELP, epilog=_EPILOG)
def _evaluate(
    truth: Annotated[Path, typer.Option(metavar="FILE", help="A person's labels: CSV, JSON lines or RTTM.")],
    *,
    out: Out = Path("out"),
    episode: Annotated[
        str | None, typer.Option(metavar="ID", help="Whose labels they are, where the folder holds several episodes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    labelled, skipped = _labels(truth)
    folders = _folders(out, truth, labelled, episode)
    results = {}
    for folder, own in folders.items():
        evaluation = evaluate(read_lines(folder), own, _turns(folder), known=_known(folder))
        text = json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1)
        refuse_link(folder)
        sweep(folder)
        write_atomically(folder / EVALUATION, text + "\n")
        with replacing(folder / EVALUATION_PICTURE) as picture:
            draw_evaluation(evaluation, picture, title=one_line(folder.name))
        results[folder.name] = evaluation
    if as_json:
        content = {name: e.to_dict() for name, e in results.items()}
        print(json.dumps(content[next(iter(content))] if len(content) == 1 else content, ensure_ascii=False))
        return
    for name, evaluation in results.items():
        _print(name, evaluation)
    for reason, count in skipped.items():
        print(one_line(f"left out: {count} x {reason}"))
    for folder in folders:
        print(one_line(f"metrics: {folder / EVALUATION}   picture: {folder / EVALUATION_PICTURE}"))


def _labels(path: Path) -> tuple[list[TrueLine], dict[str, int]]:
    if path.suffix.lower() != ".rttm":
        lines, skipped = read_truth(path)
        return lines, dict(skipped)
    from video_preprocessing.speech import read_rttm

    if not path.is_file():
        raise InputError("there is no such file of labels", where=path, remedy="check --truth")
    turns = read_rttm(path)
    lines = [TrueLine(turn.start_ms, turn.end_ms, turn.speaker) for turn in turns if turn.end_ms > turn.start_ms]
    if not lines:
        raise InputError("holds no turn of any length", where=path, remedy="give RTTM with SPEAKER rows")
    return lines, {"turn of no length": len(turns) - len(lines)} if len(turns) > len(lines) else {}


def _folders(out: Path, truth: Path, labelled: Sequence[TrueLine], wanted: str | None) -> dict[Path, list[TrueLine]]:
    """Each episode's folder with its own labels."""
    there = sorted(path.parent for path in out.glob(f"*/{LINES}")) if out.is_dir() else []
    if not there:
        raise no_episode(out)
    names = {folder.name: folder for folder in there}
    if wanted is not None:
        folder = names.get(path_name(wanted))
        if folder is None:
            raise InputError(f"there is no episode {wanted!r}", where=out, remedy=f"there are {', '.join(names)}")
        ids = {line.episode_id for line in labelled} - {None}
        # One episode under a name of the labels' own, such as "S01E01", is the one that was asked for.
        is_foreign = len(ids) == 1 and not ids & set(names)
        own = [line for line in labelled if is_foreign or line.episode_id in (None, folder.name)]
        return {folder: own} if own else _none_fit(truth, names)
    if any(line.episode_id for line in labelled):
        if not any(line.episode_id in names for line in labelled):
            return _none_fit(truth, names)
        return {
            folder: own
            for name, folder in names.items()
            if (own := [line for line in labelled if line.episode_id == name])
        }
    if len(there) == 1:
        return {there[0]: list(labelled)}
    matching = [folder for folder in there if truth.stem == folder.name or truth.stem.startswith(f"{folder.name}.")]
    return {matching[0]: list(labelled)} if len(matching) == 1 else _none_fit(truth, names)


def _none_fit(truth: Path, names: dict[str, Path]) -> dict[Path, list[TrueLine]]:
    raise InputError(
        f"these labels name another episode than {next(iter(names))!r}"
        if len(names) == 1
        else f"it is unclear which of {len(names)} episodes these labels belong to",
        where=truth,
        remedy=f"say so with --episode: {', '.join(sorted(names))}",
    )


def _turns(folder: Path):  # type: ignore[no-untyped-def]
    from video_preprocessing.speech import read_rttm

    path = folder / TURNS
    return read_rttm(path) if path.is_file() else []


def _known(folder: Path) -> set[str]:
    """Who was enrolled or named; what was merely guessed by voice names nobody new."""
    lines: list[Line] = read_lines(folder)
    said = {e.character for line in lines for e in line.evidence if e.source in ("actor", "sdh", "manual")}
    try:
        clips = read_json(folder / GALLERY / "gallery.json")["clips"]
        return said | {str(clip["character"]) for clip in clips}
    except (OSError, ValueError, KeyError, TypeError):
        return said or {line.character for line in lines if line.character}


def _print(name: str, e: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    console = Console(highlight=False, markup=False, emoji=False)
    table = Table(title=Text(one_line(name)), show_header=False)
    table.add_row("lines", str(e.lines), f"{e.not_found} without a line of ours" if e.not_found else "")
    if e.unknown_speakers:
        table.add_row("", str(e.unknown_speakers), "of characters that nothing names")
    table.add_row("accuracy", percent(e.accuracy), f"of the speech {percent(e.speech_accuracy)}")
    if e.by_voice:
        table.add_row("", "", "voices matched with characters one to one")
    table.add_row("certain", percent(e.certain), f"of those right: {percent(e.certain_precision)}")
    table.add_row("coverage", percent(e.coverage), "can be kept with 95 % right")
    table.add_row("unknown", percent(e.unknown), "")
    error = "-" if e.calibration_error is None else f"{e.calibration_error:.3f}"
    table.add_row("calibration error", error, "")
    for side, edges in (("start", e.start_error_ms), ("end", e.end_error_ms)):
        if edges:
            table.add_row(f"{side} edges", f"{edges[0]:.0f} ms", f"95th percentile {edges[1]:.0f} ms")
    if e.diarization_error is not None:
        speech = f"({percent(e.diarization_error_collar)}); missed and false speech {percent(e.speech_error)}"
        table.add_row("DER", percent(e.diarization_error), speech)
    console.print(table)
    table = Table("character", "lines", "found", "precision", "recall")
    for each in e.characters:
        counts = (str(each.true_lines), str(each.found_lines))
        table.add_row(Text(one_line(each.character)), *counts, percent(each.precision), percent(each.recall))
    console.print(table)
    wrong = [(true, found, count) for true, found, count in e.confusion if true != found][:8]
    if wrong:
        said = ", ".join(f"{true} as {found or 'unknown'} ({count})" for true, found, count in wrong)
        print(one_line(f"taken for another: {said}"))
