"""``run_pipeline.py export``: a finished corpus in the formats of other tools."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipelines.export_steps import FOLDER, check_names, source_of
from pipelines.progress import choose_display, one_line
from pipelines.season import Corpus, build_corpus
from pipelines.session import CORPUS_FOLDER
from yuki_builder.corpus import EXPORTERS, PROBLEMS, ExportOptions
from yuki_builder.errors import ConfigError, InputError
from yuki_builder.records import Verdict, no_progress

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
Scenes are whole in training or in validation, so that no answer is known from its question; which, a hash of the
scene's id decides, so that it stays so as the corpus grows.
Exit status: 0 done; 2 an option or the output folder is not what it should be.
"""
)

_app = typer.Typer(
    add_completion=False, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)


def run_export(argv: Sequence[str]) -> int:
    """Runs the command; the exit status.

    Raises:
        YukiError: the command cannot do what was asked.
        TyperException: an option or argument is wrong.
    """
    command = typer.main.get_command(_app)
    command.main(args=list(argv) or ["--help"], prog_name="run_pipeline.py export", standalone_mode=False)
    return 0


@_app.command(help=_HELP, epilog=_EPILOG)
def _export(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The output folder of the run.")] = Path("out"),
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Write DIR/<name>/, which must not exist.")] = None,
    min_confidence: Annotated[
        float, typer.Option(metavar="0..1", help="Lines less sure of their name are left out.")
    ] = 0.7,
    certain: Annotated[bool, typer.Option("--certain", help="Only lines whose name is certain.")] = False,
    character: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this character; repeatable.")
    ] = None,
    without: Annotated[
        str,
        typer.Option(metavar="PROBLEM,...", help=f"Leave out lines with these: {', '.join(PROBLEMS)}; or none."),
    ] = "duplicate",
    validation: Annotated[float, typer.Option(metavar="0..1", help="Share of scenes kept for validation.")] = 0.1,
    context_lines: Annotated[
        int, typer.Option(metavar="N", help="Chats: so many lines before an answer; 0 is the whole scene.")
    ] = 0,
    system_prompt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Chats: a text with {character} in it.")
    ] = None,
    shard_mb: Annotated[int, typer.Option(metavar="MB", help="Largest size of a tar or Parquet file.")] = 256,
    force: Annotated[bool, typer.Option("--force", help="Write again what has not changed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing but errors.")] = False,
) -> None:
    wanted = check_names(names)
    try:
        options = ExportOptions(
            min_confidence=min_confidence,
            verdicts=frozenset({Verdict.CERTAIN} if certain else {Verdict.CERTAIN, Verdict.DOUBTFUL}),
            characters=tuple(character or ()),
            without=_problems(without),
            validation=validation,
            context_lines=context_lines,
            system_prompt=None if system_prompt is None else _prompt(system_prompt),
            shard_bytes=shard_mb << 20,
        )
    except ValueError as e:
        raise ConfigError(str(e)) from e
    corpus = _corpus(out)
    _check_characters(corpus, options.characters)
    if to is not None:
        _write_apart(corpus, wanted, to, options, quiet=quiet)
        return
    with choose_display(quiet=quiet) as display:
        result = build_corpus(out, progress=display, exports=wanted, options=options, force=force)
    for report in result.reports:
        if report.stage.startswith("export ") and not quiet:
            _print(report.notes, report.dropped)
    if not quiet:
        print(one_line(f"in {out / CORPUS_FOLDER / FOLDER}"))


def _corpus(out: Path) -> Corpus:
    corpus = Corpus.of(out) if out.is_dir() else None
    if corpus is None or not corpus.episodes:
        raise InputError("holds no finished episode", where=out, remedy="give the run's --out folder")
    return corpus


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
            raise ConfigError(f"no problem is called {name!r}", where="--without", remedy=remedy)
    return names


def _prompt(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise InputError("the system prompt cannot be read as UTF-8 text", where=path) from e
    if not text:
        raise InputError("the system prompt is empty", where=path)
    return text


def _write_apart(corpus: Corpus, names: Sequence[str], to: Path, options: ExportOptions, *, quiet: bool) -> None:
    """Into folders of the user's choice: complete or not at all, and never over what is there."""
    for name in names:
        if (to / name).exists():
            raise InputError("is there already", where=to / name, remedy="choose another --to, or move it away")
    to.mkdir(parents=True, exist_ok=True)
    source = source_of(corpus)
    for name in names:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=to))
        try:
            report = EXPORTERS[name].write(source, unfinished, options, no_progress)
            unfinished.chmod(0o755)
            os.rename(unfinished, to / name)  # noqa: PTH104  (Path.rename would take an empty folder's place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        if not quiet:
            items = ", ".join(f"{count} {split}" for split, count in report.items.items()) or "nothing"
            _print((f"{to / name}: {items} in {report.files} files",), report.left_out)


def _print(notes: Sequence[str], left_out: object) -> None:
    for note in notes:
        print(one_line(note))
    if isinstance(left_out, dict) and left_out:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(left_out.items()))
        print(one_line(f"  left out: {reasons}"))
