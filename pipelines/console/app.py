"""The command line: options in, exit status out. The work is in ``season.py``, what is shown in ``display.py``."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.config import EpisodeConfig, load_config, merge
from pipelines.console.options import takes_options
from pipelines.console.subcommands import SETTINGS, Subcommands
from pipelines.engine.events import Event, EventKind
from pipelines.engine.faults import explanation
from pipelines.engine.store import refuse_link
from yuki_builder.atomic import write_atomically
from yuki_builder.errors import ConfigError, YukiError

if TYPE_CHECKING:
    from pipelines.season import EpisodeFailure

_SETTLED_SECONDS = 60.0
DONE, PROGRAM_FAILED, INPUT_IS_WRONG, SOME_EPISODES_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

_HELP = """
From a video to a character corpus: who said what, when, how surely, with clean audio.

Removes music and effects, reads the subtitles, finds out who says each line, and writes lines, clips, a report and
a corpus into the output folder. Finished stages are reused: after an interruption the same command goes on where it
stopped, and after a change it redoes only what depends on it.
"""

_EPILOG = """\b
Examples:
  run_pipeline.py --video ep01.mkv
  run_pipeline.py --video ep01.mkv --characters voices/     voices/<character>/*.wav
  run_pipeline.py --video ep01.mkv --labels ep01.csv        lines labelled by a person
  run_pipeline.py --video season1/ --out season1-corpus     every video of a folder
  run_pipeline.py --video season1/ --jobs 4                 four episodes at once
  run_pipeline.py --video 'show/*.mkv' --dry-run            what would run, and why

\b
Commands, each with a --help of its own:
  run_pipeline.py review --out out                          correct names and words; later runs use the corrections
  run_pipeline.py evaluate --out out --truth ep01.csv       how many names are right
  run_pipeline.py export sharegpt ljspeech --out out        write data sets
  run_pipeline.py models list                               what --separator, --embedder and --transcriber may be

\b
A configuration file has the same options; flags go before it, and paths in it start at its own folder:
  video = ["ep01.mkv", "ep02.mkv"]
  out = "corpus"
  characters = "voices"
  subtitle_track = "ja"

\b
In the output folder:
  <episode>/report.html    who speaks when, with a player for each line
  <episode>/lines.csv      the lines, for a spreadsheet; lines.jsonl for programs
  <episode>/clips/         the lines' audio by character
  <episode>/episode.json   what each stage did, and what it left out for which reason
  corpus/                  all episodes together: report.html, lines.parquet, texts/, haruhi/, roleplay/, gallery/
Nothing of yours is overwritten: a changed file is moved to <name>.bak-1 before it is made anew.

\b
Exit status: 0 done; 2 the input is wrong, and one line says what to do; 1 the program failed;
3 some episodes of a season failed, the rest is complete; 130 interrupted, finished stages are kept.
YUKI_DEBUG=1 in the environment shows Python's traceback with an error.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; ``options`` holds only what was given."""

    videos: tuple[str, ...]
    options: dict[str, Any]
    config_file: Path | None
    dry_run: bool
    quiet: bool
    as_json: bool


def _parse(
    context: typer.Context,
    *,
    video: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="A video or audio file; a folder or a pattern is a season. Repeatable."),
    ] = None,
    options: dict[str, Any],
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A TOML file with options; see below.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and what is reused, and why; write nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing but errors.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object on stdout at the end, instead of the table."),
    ] = False,
) -> Request:
    given = {name: value for name, value in options.items() if value != []}
    command = context.invoked_subcommand
    if command is not None and (given or video or config or dry_run or quiet or as_json):
        raise ConfigError("options go behind a command", where=command, remedy=f"write: {command} --out …")
    return Request(tuple(video or ()), given, config, dry_run, quiet, as_json)


app = typer.Typer(**SETTINGS)
app.callback(
    cls=Subcommands,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND ...]",
    help=_HELP,
    epilog=_EPILOG,
)(takes_options(_parse))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status and raises nothing.

    Args:
        argv: the arguments, without the program's name; None: those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that no terminal can show
    out: list[Path] = []  # where a log of what nobody expected goes, once it is known
    try:
        with _terminated_like_interrupted(), _calm_libraries():
            return _main(sys.argv[1:] if argv is None else argv, out)
    except typer.TyperException as e:
        _say_error(e.format_message())
        return INPUT_IS_WRONG
    except KeyboardInterrupt:
        _say_error("interrupted; what is finished is kept, and the same command goes on from there")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the last words has left; Python must not fail once more when it flushes at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as e:
        error = explanation(e, out[-1] if out else Path()) or e
        if isinstance(error, YukiError):
            _say_error(str(error))
            _show_traceback()
            return error.exit_status
        _say_unexpected(f"{type(e).__name__}: {e}", traceback.format_exc(), out[-1] if out else None)
        return PROGRAM_FAILED


def _main(argv: Sequence[str], out: list[Path]) -> int:
    command = typer.main.get_command(app)
    try:
        # Not command.main(): it would turn Ctrl-C and a closed pipe into exits of its own.
        with command.make_context("run_pipeline.py", list(argv)) as context:
            request = command.invoke(context)
    except typer.Exit as e:  # help has been printed
        return e.exit_code
    if not isinstance(request, Request):  # a subcommand has run; its exit status, or None
        return request or DONE
    if _is_remote(request):
        return _run_remote(request)
    configs = _configs(request)
    out.append(configs[0].out)
    return _dry_run(request, configs) if request.dry_run else _run(request, configs)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A request to end (SIGTERM: a shutdown, a batch system) is heard as Ctrl-C is, with the same last words."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _configs(request: Request, *, notices: bool = True) -> list[EpisodeConfig]:
    """One configuration for each video: defaults, then the file, then the flags."""
    from pipelines.videos import find_videos

    options = merge(load_config(request.config_file) if request.config_file else {}, request.options)
    if options.get("export"):
        from pipelines.corpus.exports import check_names

        options["export"] = check_names(options["export"])
    from_file = options.pop("video", [])
    paths = request.videos or from_file
    if not paths:
        raise ConfigError("there is no video to work on", where="--video", remedy="give a file, a folder or a pattern")
    EpisodeConfig(video=Path(paths[0]), **options)  # options first: a typing error should not cost a look at the disk
    notice = (lambda _: None) if request.quiet or not notices else _say_notice
    return [EpisodeConfig(video=video, **options) for video in find_videos(paths, notice=notice)]


def _run(request: Request, configs: Sequence[EpisodeConfig]) -> int:
    from pipelines.console.display import choose_display
    from pipelines.console.summary import print_summary, summary_json
    from pipelines.season import run_season

    several = len(configs) > 1 and (configs[0].jobs > 1 or configs[0].executor != "local")
    with choose_display(quiet=request.quiet, several=several) as display:
        result = run_season(configs, progress=display, appeared=_appeared(request, configs, display))
    if request.as_json:
        print(json.dumps(summary_json(result), ensure_ascii=False))
    elif not request.quiet:
        print_summary(result)
    for failure in result.failures:
        _say_failure(failure, configs[0].out)
    return _status(len(result.episodes), [failure.exit_status for failure in result.failures])


def _is_remote(request: Request) -> bool:
    from pipelines.videos import is_address

    return any(map(is_address, (*request.videos, str(request.options.get("out", "")))))


def _run_remote(request: Request) -> int:
    """Videos or output on object storage: work on local disk in between."""
    from pipelines.config import ROWS
    from pipelines.console.display import choose_display
    from pipelines.console.summary import print_summary, summary_json
    from pipelines.remote import run_remote_season

    if request.dry_run:
        raise ConfigError("what would run on object storage is not known beforehand", where="--dry-run")
    options = merge(load_config(request.config_file) if request.config_file else {}, request.options)
    out = str(options.pop("out", "out"))
    options.pop("video", None)
    if not request.videos:
        raise ConfigError("there is no video to work on", where="--video", remedy="give an address or a path")
    config = EpisodeConfig(video=Path("video"), **options)
    # Paths of this machine's disk: workers have other folders of their own to start at.
    settings = {row.name: row.absolute(getattr(config, row.name)) for row in ROWS if row.name not in ("video", "out")}
    several = config.jobs > 1 or config.executor != "local"
    with (
        tempfile.TemporaryDirectory(prefix="yuki-") as scratch,
        choose_display(quiet=request.quiet, several=several) as display,
    ):
        result = run_remote_season(request.videos, out, settings, scratch=Path(scratch), progress=display)
        if request.as_json:
            print(json.dumps(summary_json(result), ensure_ascii=False))
        elif not request.quiet:
            print_summary(result)
    for failure in result.failures:
        _say_failure(failure, None)
    return _status(len(result.episodes), [failure.exit_status for failure in result.failures])


def _appeared(
    request: Request, configs: Sequence[EpisodeConfig], listener: Callable[[Event], None]
) -> Callable[[], list[EpisodeConfig]]:
    """Finds the videos that have come into the season's folders since; each once, and none that is being written."""
    known = {config.video.resolve() for config in configs}

    def find() -> list[EpisodeConfig]:
        with contextlib.suppress(YukiError):
            fresh = [c for c in _configs(request, notices=False) if c.video.resolve() not in known]
            settled = [config for config in fresh if _is_settled(config.video)]
            if len(settled) < len(fresh):
                names = ", ".join(config.video.name for config in fresh if config not in settled)
                message = f"appeared while the run went on: {names}. Run again to add it"
                listener(Event(EventKind.NOTICE, "season", message=message))
            known.update(config.video.resolve() for config in fresh)
            return settled
        return []

    return find


def _is_settled(video: Path) -> bool:
    """Whether nothing has been written to a file for a minute; the system's own time of change cannot be set."""
    try:
        return time.time() - video.stat().st_ctime > _SETTLED_SECONDS
    except OSError:
        return False


def _dry_run(request: Request, configs: Sequence[EpisodeConfig]) -> int:
    from pipelines.console.summary import plan_json, print_plan
    from pipelines.season import plan_season

    plan = plan_season(configs)
    if request.as_json:
        print(json.dumps(plan_json(plan), ensure_ascii=False))
    elif not request.quiet:
        print_plan(plan)
    for failure in plan.failures:
        _say_failure(failure, configs[0].out)
    return _status(max(0, len(plan.subjects) - 1), [failure.exit_status for failure in plan.failures])


def _status(finished: int, failures: Sequence[int]) -> int:
    """The exit status of a run in which some episodes finished and others failed with these statuses."""
    if not failures:
        return DONE
    if finished:
        return SOME_EPISODES_FAILED
    return INPUT_IS_WRONG if set(failures) == {INPUT_IS_WRONG} else PROGRAM_FAILED


@contextlib.contextmanager
def _calm_libraries() -> Iterator[None]:
    """Keep the libraries' own warnings off stderr: they concern developers, and would tear the bars apart."""
    with warnings.catch_warnings():
        if not os.environ.get("YUKI_DEBUG"):
            warnings.simplefilter("ignore")
        yield


def _say_failure(failure: EpisodeFailure, out: Path | None) -> None:
    if failure.details is None:
        _say_error(failure.message)
    else:
        _say_unexpected(failure.message, failure.details, out)


def _say_error(message: str) -> None:
    from pipelines.console.display import one_line

    print(f"error: {one_line(message)}", file=sys.stderr, flush=True)


def _say_notice(message: str) -> None:
    from pipelines.console.display import one_line

    print(f"note: {one_line(message)}", file=sys.stderr, flush=True)


def _say_unexpected(message: str, details: str, out: Path | None) -> None:
    """One line, and the traceback in a file that a report of the bug can quote."""
    _say_error(f"unexpected: {message}. {_keep(details, out)}")
    _show_traceback()


def _keep(details: str, out: Path | None) -> str:
    """Into the output folder; else into a private file, since others write to the folder of temporary files too."""
    if out is not None:
        with contextlib.suppress(OSError, YukiError):
            refuse_link(out / ".work")
            (out / ".work").mkdir(parents=True, exist_ok=True)
            log = out / ".work" / "yuki-error.log"
            write_atomically(log, details)
            return f"Details are in {log}"
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="yuki-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(details)
        return f"Details are in {name}"
    return "Details could not be written anywhere"


def _show_traceback() -> None:
    if os.environ.get("YUKI_DEBUG"):
        traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
