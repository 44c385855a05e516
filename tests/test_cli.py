"""The command: help, options, and every kind of bad input as one line on stderr with exit status 2."""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.console.app import main
from pipelines.console.subcommands import SUMMARIES

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Done:
    status: int
    stdout: str
    stderr: str


class Command:
    """The command in the current folder; in this process, where it starts in no time."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str | Path) -> Done:
        self._capture.readouterr()
        status = main([str(a) for a in arguments])
        stdout, stderr = self._capture.readouterr()
        assert "Traceback" not in stderr
        assert "Warning" not in stderr
        return Done(status, stdout, stderr)

    def refused(self, *arguments: str | Path) -> str:
        """The one line with which bad input is refused."""
        return the_one_error(self(*arguments))


def the_one_error(done: Done) -> str:
    assert done.status == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert done.stderr.splitlines()[-1] == errors[0]
    return errors[0]


def script(*arguments: str | Path, **options: Any) -> Done:
    """``run_pipeline.py`` in a process of its own."""
    return run([sys.executable, str(ROOT / "run_pipeline.py"), *map(str, arguments)], **options)


def python(code: str, *arguments: str | Path) -> Done:
    """A program that uses the project, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return run([sys.executable, "-c", code, *map(str, arguments)], env=environment)


def run(command: list[str], **options: Any) -> Done:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return Done(done.returncode, done.stdout, done.stderr)


def ffmpeg(*arguments: str | Path) -> None:
    from video_preprocessing.media import find_ffmpeg

    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of media: tone.mkv (picture, sound, subtitles) and silent.mkv (no sound)."""
    folder = tmp_path_factory.mktemp("media")
    (folder / "cues.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello.\n")
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=12")
    sound = ("-f", "lavfi", "-i", "sine=frequency=300:duration=12")
    ffmpeg(*picture, *sound, "-i", folder / "cues.srt", "-c:a", "aac", folder / "tone.mkv")
    ffmpeg(*picture, folder / "silent.mkv")
    return folder


@pytest.fixture
def cwd(tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in media.glob("*.mkv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(cwd: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def assert_no_long_work(cwd: Path) -> None:
    assert not list(cwd.rglob("mix.flac"))


# --- help and options -------------------------------------------------------------------------------------


def test_help_teaches_and_is_quick(cwd: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = script("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took < 2.0  # a third of it on a quiet machine; a network library alone takes more
    assert done.status == 0
    assert done.stderr == ""
    for option in (
        *("--video", "--out", "--subtitles", "--audio-track", "--subtitle-track", "--characters", "--separator"),
        *("--diarizer", "--device", "--config", "--dry-run", "--force", "--quiet", "--json", "--separate-enrolment"),
    ):
        assert option in done.stdout
    assert "run_pipeline.py --video season1/ --out season1-corpus" in done.stdout
    assert "Exit status: 0 done; 2 the input is wrong" in done.stdout
    assert not (cwd / "out").exists()


@pytest.mark.parametrize("name", SUMMARIES)
def test_each_command_has_a_help_of_its_own(command: Command, name: str) -> None:
    assert f"\n  {name} " in command("--help").stdout
    done = command(name, "--help")
    assert done.status == 0 and done.stdout.startswith(f"Usage: run_pipeline.py {name} ")
    if name != "review":  # the only one that has nothing to ask for
        assert command(name) == done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: --video: there is no video to work on"),
        (["--vido", "x"], "error: No such option: --vido"),
        (["--video"], "error: Option '--video' requires an argument"),
        (["ep01.mkv"], "error: ep01.mkv: there is no such command. A video goes behind --video; commands: review, "),
        (["exprot"], "error: exprot: there is no such command. Did you mean export?"),
        (["--out", "there", "export", "chat"], "error: export: options go behind a command. Write: export --out"),
        (["--video", "tone.mkv", "--device", "tpu"], "error: --device: invalid value: 'tpu'. Use auto, cpu or cuda"),
        (["--video", "tone.mkv", "--separator", ""], "error: --separator: invalid value: ''. Give a name or a path"),
        (["--video", "tone.mkv", "--separator", "none", "--separate-enrolment"], "--separator none leaves nothing"),
        (["--video", "tone.mkv", "--config", "none.toml"], "error: none.toml: the configuration file cannot be read"),
        (["--video", "a\nb\x1b]0;x.mkv"], "error: a b ]0;x.mkv: there is no such video"),
    ],
)
def test_wrong_options(cwd: Path, command: Command, arguments: list[str], message: str) -> None:
    assert message in command.refused(*arguments)
    assert not (cwd / "out").exists()


def test_unknown_key_in_configuration_file(cwd: Path, command: Command) -> None:
    (cwd / "yuki.toml").write_text('video = "tone.mkv"\nseperator = "none"\n')
    assert "there is no option 'seperator'. Did you mean 'separator'?" in command.refused("--config", "yuki.toml")


def test_flags_go_before_the_file_and_the_file_before_defaults(cwd: Path, command: Command) -> None:
    (cwd / "yuki.toml").write_text('video = "tone.mkv"\nout = "file"\naudio-track = 7\nseparator = "none"\n')
    assert "has no audio track '7'" in command.refused("--config", "yuki.toml")
    assert (cwd / "file").exists()
    assert "has no audio track '8'" in command.refused("--config", "yuki.toml", "--audio-track", "8", "--out", "flag")
    assert (cwd / "flag").exists()
    assert not (cwd / "out").exists()


# --- bad videos -------------------------------------------------------------------------------------------


def test_missing_video(command: Command) -> None:
    assert command.refused("--video", "none.mkv") == "error: none.mkv: there is no such video"


def test_pattern_that_nothing_fits(command: Command) -> None:
    assert "no file matches this pattern" in command.refused("--video", "s01/*.mkv")


def test_folder_without_videos(cwd: Path, command: Command) -> None:
    (cwd / "season").mkdir()
    (cwd / "season" / "notes.txt").write_text("no video")
    assert "season: there is no video in this folder" in command.refused("--video", "season")


def test_video_without_sound(command: Command) -> None:
    error = command.refused("--video", "silent.mkv", "--separator", "none")
    assert error == "error: silent.mkv: has no audio track. Give a file with sound"


def test_text_that_is_called_a_video(cwd: Path, command: Command) -> None:
    (cwd / "ep.mkv").write_text("This is no video.\n" * 50)
    error = command.refused("--video", "ep.mkv", "--separator", "none")
    assert "ep.mkv: is not a readable media file" in error


def test_empty_file(cwd: Path, command: Command) -> None:
    (cwd / "ep.mkv").touch()
    assert "ep.mkv: is empty" in command.refused("--video", "ep.mkv", "--separator", "none")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_video(cwd: Path, command: Command, share: float) -> None:
    whole = (cwd / "tone.mkv").read_bytes()
    (cwd / "ep.mkv").write_bytes(whole[: int(share * len(whole))])
    assert "error: ep.mkv: " in command.refused("--video", "ep.mkv", "--separator", "none")


def test_pipe_in_place_of_a_video(cwd: Path, command: Command) -> None:
    os.mkfifo(cwd / "ep.mkv")
    assert command.refused("--video", "ep.mkv") == "error: ep.mkv: expected a file (video)"


# --- bad subtitles, characters, checkpoints ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["given.srt", "tone.srt"])
@pytest.mark.parametrize(
    "content",
    [b"", b" \n\n", bytes(range(256)) * 40, os.urandom(4000), b"\x00\x01\x02" * 500, b"just words, no cues\n"],
    ids=["empty", "blank", "binary", "random", "zeros", "prose"],
)
def test_bad_subtitle_file(cwd: Path, command: Command, name: str, content: bytes) -> None:
    (cwd / name).write_bytes(content)
    given = ["--subtitles", name] if name == "given.srt" else []  # else it is found beside the video
    assert f"error: {name}: " in command.refused("--video", "tone.mkv", *given, "--separator", "none")
    assert_no_long_work(cwd)


def test_missing_subtitle_file(command: Command) -> None:
    error = command.refused("--video", "tone.mkv", "--subtitles", "none.srt")
    assert error == "error: none.srt: there is no such subtitle file"


def test_subtitle_track_without_a_cue(cwd: Path, command: Command) -> None:
    head = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\nFormat: Text\n"
    (cwd / "empty.ass").write_text(head)
    ffmpeg("-i", "tone.mkv", "-i", "empty.ass", "-map", "0:a", "-map", "1:s", "-c", "copy", "ep.mkv")
    error = command.refused("--video", "ep.mkv", "--separator", "none")
    assert error.startswith("error: ep.mkv, subtitle track 0: the ASS file holds no cues")
    assert command("--video", "ep.mkv", "--separator", "none", "--subtitles", "none").status == 0


def test_missing_subtitle_track(cwd: Path, command: Command) -> None:
    error = command.refused("--video", "tone.mkv", "--subtitle-track", "ja", "--separator", "none")
    assert "has no subtitle track 'ja'" in error
    assert_no_long_work(cwd)


@pytest.mark.parametrize("characters", ["none.csv", "empty", "noise.csv"])
def test_bad_characters(cwd: Path, command: Command, characters: str) -> None:
    (cwd / "empty").mkdir()
    (cwd / "noise.csv").write_bytes(os.urandom(500))
    assert f"error: {characters}: " in command.refused("--video", "tone.mkv", "--characters", characters)
    assert_no_long_work(cwd)


class _Malice:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.victim),)


@pytest.mark.parametrize("name", ["model.pth", "model.safetensors"])
def test_checkpoint_that_is_malicious(cwd: Path, command: Command, name: str) -> None:
    (cwd / name).write_bytes(pickle.dumps(_Malice(cwd / "owned")))
    assert f"error: {name}: " in command.refused("--video", "tone.mkv", "--separator", name)
    assert not (cwd / "owned").exists()
    assert_no_long_work(cwd)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", os.urandom(3000)], ids=["empty", "text", "random"])
def test_checkpoint_that_is_none(cwd: Path, command: Command, content: bytes) -> None:
    (cwd / "model.pth").write_bytes(content)
    assert "error: model.pth: " in command.refused("--video", "tone.mkv", "--separator", "model.pth")


def test_unknown_separator(command: Command) -> None:
    assert "HP9: no such separator" in command.refused("--video", "tone.mkv", "--separator", "HP9")


def test_diarizer_that_is_none(cwd: Path, command: Command) -> None:
    (cwd / "empty").mkdir()
    assert "empty" in command.refused("--video", "tone.mkv", "--separator", "none", "--diarizer", "empty")
    assert_no_long_work(cwd)


# --- bad places to write to -------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with half a megabyte; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk(cwd: Path, command: Command, small_disk: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=duration=20:amplitude=0.5:seed=1", "-c:a", "libmp3lame", cwd / "noise.mp3")
    error = command.refused("--video", "noise.mp3", "--separator", "none", "--out", small_disk)
    assert "the disk is full. Make room and run again: finished stages are kept" in error
    assert not list(small_disk.glob("noise/.work/tmp/*"))


def test_disk_that_is_full_from_the_start(command: Command, small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    assert "the disk is full" in command.refused("--video", "tone.mkv", "--out", small_disk / "out")


def test_limit_on_the_size_of_files(cwd: Path) -> None:
    """As a quota, or a full disk, for those who may not mount one."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))

    error = the_one_error(script("--video", "tone.mkv", "--separator", "none", preexec_fn=limit))
    assert "the disk is full" in error


def test_read_only_disk(command: Command, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    error = command.refused("--video", "tone.mkv", "--out", small_disk / "out")
    assert "the output cannot be written (read-only file system)" in error


def test_read_only_folder(cwd: Path, command: Command) -> None:
    (cwd / "out").mkdir(mode=0o500)
    if os.access(cwd / "out", os.W_OK) and not _immutable(cwd / "out", "+i"):
        pytest.skip("neither permissions nor attributes can be taken away here")
    try:
        assert "the output cannot be written" in command.refused("--video", "tone.mkv")
    finally:
        _immutable(cwd / "out", "-i")


def _immutable(folder: Path, change: str) -> bool:
    """Root may write anywhere; an immutable folder stops root, too."""
    return subprocess.run(["chattr", change, folder], check=False, capture_output=True).returncode == 0


def test_file_in_place_of_the_output_folder(cwd: Path, command: Command) -> None:
    (cwd / "out").write_text("mine")
    assert "the output cannot be written" in command.refused("--video", "tone.mkv")
    assert (cwd / "out").read_text() == "mine"


def test_second_run_in_the_same_folder(cwd: Path, command: Command) -> None:
    from pipelines.engine.store import Store

    with Store(cwd / "out" / "tone").locked():
        error = command.refused("--video", "tone.mkv", "--separator", "none")
    assert f"another run is writing here (process {os.getpid()} on " in error
    assert "choose another --out" in error


# --- dry run, debugging -----------------------------------------------------------------------------------


def test_dry_run_writes_nothing_and_tells_why(cwd: Path, command: Command) -> None:
    before = sorted(cwd.rglob("*"))
    done = command("--video", "tone.mkv", "--separator", "none", "--dry-run")
    assert done.status == 0
    rows = [row.split(None, 2) for row in done.stdout.splitlines()]
    assert rows[0] == ["tone"]
    assert ["probe", "run", "not done yet"] in rows
    assert ["extract", "run", "after probe"] in rows
    as_json = json.loads(command("--video", "tone.mkv", "--separator", "none", "--dry-run", "--json").stdout)
    assert as_json["plan"]["tone"][0] == {
        "stage": "probe",
        "reason": "not done yet",
        "detail": "",
    }
    assert sorted(cwd.rglob("*")) == before


def test_dry_run_imports_nothing_heavy(cwd: Path) -> None:
    # PyAV is: a plan says which of the video's tracks would be read.
    code = (
        "import sys; from pipelines.console.app import main; status = main(sys.argv[1:])\n"
        "heavy = {'torch', 'librosa', 'pandas', 'resemblyzer', 'sklearn', 'pyarrow', 'scipy'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    done = python(code, "--video", "tone.mkv", "--separator", "none", "--dry-run")
    assert done.status == 0, done.stderr


def test_debugging_shows_the_traceback(cwd: Path) -> None:
    done = script("--video", "none.mkv", "--config", "x.toml", env={**os.environ, "YUKI_DEBUG": "1"})
    assert done.status == 2
    assert "Traceback" in done.stderr
    assert "error: x.toml: the configuration file cannot be read" in done.stderr


def test_failure_of_the_program_is_one_line_and_a_log(
    cwd: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pipelines.season.run_episode", broken)
    done = command("--video", "tone.mkv")
    assert done.status == 1
    log = Path("out/.work/yuki-error.log")
    assert done.stderr == f"error: unexpected: tone.mkv: ZeroDivisionError: a bug. Details are in {log}\n"
    assert "ZeroDivisionError" in log.read_text()


def heed_interruptions() -> None:
    """In the child: shells start their background jobs deaf to SIGINT, and tests may be one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_real_interruption(cwd: Path, command: Command) -> None:
    arguments = [sys.executable, str(ROOT / "run_pipeline.py"), "--video", "tone.mkv", "--separator", "none"]
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interruptions,  # noqa: PLW1509
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("  extract"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1].startswith("error: interrupted; what is finished is kept")
    assert "Traceback" not in rest
    done = command("--video", "tone.mkv", "--separator", "none")
    assert done.status == 0
    assert "  extract         reused" in done.stderr


def test_interruption_is_one_line(cwd: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.season.run_episode", interrupted)
    done = command("--video", "tone.mkv")
    assert done.status == 130
    assert done.stderr.startswith("error: interrupted; what is finished is kept")
