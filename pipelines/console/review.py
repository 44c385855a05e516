"""``run_pipeline.py review``: check a corpus in the browser; what is decided there is what the next run reads."""

from __future__ import annotations

import contextlib
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from filelock import FileLock, Timeout

from pipelines.console.display import one_line
from pipelines.console.subcommands import SETTINGS, Out
from pipelines.corpus.corpus import no_episode
from pipelines.corpus.review import open_desk
from pipelines.engine.faults import clear_errors
from pipelines.engine.store import refuse_link
from pipelines.layout import REVIEW_FOLDER
from yuki_builder.errors import InputError

_HELP = """
Check a finished corpus in the browser: hear lines, say who speaks, correct words and times.

Serves a page on this computer alone. Every decision is kept at once, in labels.csv and corrections.csv in the
output folder, which every later run reads. "Apply" there brings the corpus up to date; no sound is separated again.
"""

_EPILOG = """\b
Examples:
  run_pipeline.py review --out out
  run_pipeline.py review --out out --port 8765 --no-browser      over ssh: ssh -L 8765:127.0.0.1:8765 host

\b
The address holds a token; without it the page is refused. Ctrl-C ends the review; every decision is kept.
Keys: ? on the page lists them. docs/review.md says more.
Exit status: 0 done; 2 an option or a folder is not what it should be.
"""

app = typer.Typer(**SETTINGS)


@app.command(help=_HELP, epilog=_EPILOG)
def _review(
    *,
    out: Out = Path("out"),
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and open nothing.")] = False,
) -> None:
    from yuki_builder.corpus import require_review, serve

    require_review()
    with clear_errors(out):
        _check_folder(out)
        with _alone(out):
            desk = open_desk(out)
            with contextlib.suppress(KeyboardInterrupt):  # the way to end it
                serve(desk, out, port=port, opened=lambda address: _tell(address, open_it=not no_browser))


def _check_folder(out: Path) -> None:
    if not out.is_dir():
        raise no_episode(out)
    refuse_link(out / REVIEW_FOLDER)
    (out / REVIEW_FOLDER).mkdir(exist_ok=True)


def _alone(out: Path) -> FileLock:
    """Two servers would each think that they know all decisions; two browsers at one server do."""
    lock = FileLock(out / REVIEW_FOLDER / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as e:
        remedy = "use its address in as many browsers as you like, or end it first"
        raise InputError("another review of this folder is open", where=out, remedy=remedy) from e
    return lock


def _tell(address: str, *, open_it: bool) -> None:
    print(one_line(address), flush=True)
    print("Ctrl-C ends the review.", file=sys.stderr, flush=True)
    if open_it:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
