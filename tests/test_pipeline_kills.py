"""Killed at any instant, the next run goes on from the last finished stage and ends with the same bytes.

A process is killed (SIGKILL, as by the kernel or a power switch) at its first touch of the file system, at its
second, and so on through the whole run; each time the next run must end as if nothing had happened.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.engine.events import Event, EventKind
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.marks import Renames
from pipelines.engine.stage import Counts, Job, Runner, Stage
from pipelines.engine.store import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

_TOUCHES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}


def _letters(text: str, job: Job) -> Counts:
    for letter in text:
        job.output(f"letters/{letter}.txt").write_text(letter * 3)
    job.output("text.txt").write_text(text)
    # As of an encoder that draws a serial number. If it lay half committed, the re-run would not know it as its own.
    job.output("serial").write_text(os.urandom(8).hex())
    return Counts(len(text))


def _alphabet(text: str, job: Job) -> Counts:
    """As an earlier version did it, under other names."""
    counts = _letters(text, job)
    job.output("serial").rename(job.outputs / "number")
    return counts


def _length(text: str, job: Job) -> Counts:
    job.output("length.txt").write_text(str(len(job.input("text.txt").read_text())))
    return Counts(1)


def _bring_up_to_date(folder: Path, text: str, *, as_earlier: bool = False) -> tuple[list[str], list[str]]:
    """Which stages ran, and what the user was told; ``as_earlier``: by a version with other names."""
    name, run = ("alphabet", _alphabet) if as_earlier else ("letters", _letters)
    writes = ("letters/", "text.txt", "serial", "number")
    stages = (
        Stage(name, 1, run, writes=writes, settings=lambda t: {"text": t}),
        Stage("length", 1, _length, reads=("text.txt",), writes=("length.txt",)),
    )
    ran: list[str] = []
    notices: list[str] = []

    def listen(event: Event) -> None:
        if event.kind is EventKind.FINISHED:
            ran.append(str(event.stage))

    store = Store(folder, notice=notices.append, renames=Renames({"alphabet": "letters"}, {"number": "serial"}))
    with store.locked():
        Runner(stages, text, store=store, fingerprints=Fingerprints(), name="toy").run(listen)
    return ran, notices


def _visible(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "serial" and ".work" not in p.relative_to(folder).parts
    }


def _kill_at_touch(number: int, folder: Path, text: str) -> bool:
    """Run in a child that dies at its ``number``-th touch of ``folder``; False if it came to its end before."""
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in _TOUCHES and any(str(folder) in str(a) for a in arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        _bring_up_to_date(folder, text)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def _sweep(folder: Path) -> dict[str, object]:
    """Kill first runs and re-runs at every touch; what a test should look at, as plain JSON."""
    fresh, changed = folder / "fresh", folder / "changed"
    _bring_up_to_date(fresh, "abc")
    _bring_up_to_date(changed, "bd")
    expected_first, expected_again = _visible(fresh), _visible(changed)
    wrong: list[str] = []
    kills = reused_after_kill = 0
    for again in (False, True):
        number = 1
        while True:
            out = folder / f"{again}{number}"
            if again:
                _bring_up_to_date(out, "abc")
            text, expected = ("bd", expected_again) if again else ("abc", expected_first)
            killed = _kill_at_touch(number, out, text)
            ran, notices = _bring_up_to_date(out, text)
            if not killed and ran:
                wrong.append(f"{out.name}: ran {ran} after a complete run")
            if _visible(out) != expected:
                wrong.append(f"{out.name}: {_visible(out)}")
            if notices:
                wrong.append(f"{out.name}: {notices}")
            if list(out.glob(".work/tmp/*")) or list(out.glob(".work/done/*.pending")):
                wrong.append(f"{out.name}: leftovers")
            kills += killed
            reused_after_kill += killed and ran == ["length"]
            if not killed:
                break
            number += 1
    return {"wrong": wrong, "kills": kills, "reused_after_kill": reused_after_kill}


def _sweep_renames(folder: Path) -> dict[str, object]:
    """Kill the first run of a version with other names at every touch; every result must have been taken over."""
    _bring_up_to_date(folder / "fresh", "abc")
    expected, wrong, number = _visible(folder / "fresh"), [], 0
    killed = True
    while killed:
        number += 1
        out = folder / str(number)
        _bring_up_to_date(out, "abc", as_earlier=True)
        serial = (out / "number").read_text()
        killed = _kill_at_touch(number, out, "abc")
        ran, notices = _bring_up_to_date(out, "abc")
        done = sorted(path.name for path in (out / ".work" / "done").iterdir())
        if ran or notices or _visible(out) != expected or done != ["length.json", "letters.json"]:
            wrong.append(f"{number}: ran {ran}, told {notices}, left {done}")
        if (out / "number").exists() or (out / "serial").read_text() != serial:
            wrong.append(f"{number}: the file has not its new name, or was made again")
    return {"wrong": wrong, "kills": number - 1}


def test_killed_at_every_touch_of_the_file_system(tmp_path: Path) -> None:
    # In a process of its own: a fork of the test runner would bring its threads' locks along.
    done = subprocess.run(
        [sys.executable, __file__, tmp_path],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    result, of_renames = json.loads(done.stdout)
    assert result["wrong"] == of_renames["wrong"] == []
    assert of_renames["kills"] > 15
    assert result["kills"] > 60
    assert result["reused_after_kill"] > 15


if __name__ == "__main__":
    # Durability costs a sync per write, and here nobody pulls the plug: the kernel keeps what a killed process wrote.
    os.fsync = lambda _: None
    place = Path(sys.argv[1])
    print(json.dumps([_sweep(place / "runs"), _sweep_renames(place / "renames")]))
