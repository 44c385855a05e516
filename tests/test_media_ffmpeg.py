"""The one place that runs ffmpeg: which binary, what comes of a failure."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import ffmpeg as ffmpeg_python
import pytest

from video_preprocessing.media import find_ffmpeg
from video_preprocessing.media.ffmpeg_process import has_soxr, run_ffmpeg
from yuki_builder.errors import MediaError


def fake(folder: Path, body: str) -> Path:
    """An executable that stands in for ffmpeg."""
    folder.mkdir(exist_ok=True)
    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    program.chmod(0o755)
    return program


def sine(seconds: float = 1.0) -> ffmpeg_python.nodes.FilterableStream:
    return ffmpeg_python.input(f"sine=d={seconds}", format="lavfi")


def test_the_environment_names_the_binary_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, on_path = fake(tmp_path / "a", ""), fake(tmp_path / "b", "")
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("FFMPEG", str(named))
    assert find_ffmpeg() == named
    monkeypatch.delenv("FFMPEG")
    assert find_ffmpeg() == on_path


def test_without_a_system_ffmpeg_the_packaged_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FFMPEG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "imageio_ffmpeg" in str(find_ffmpeg())
    assert has_soxr(find_ffmpeg())


@pytest.mark.parametrize("named", ["/no/such/ffmpeg", "no-such-ffmpeg", "/"])
def test_a_wrong_name_in_the_environment_is_told(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFMPEG", named)
    with pytest.raises(MediaError, match="environment variable FFMPEG") as caught:
        find_ffmpeg()
    assert named in str(caught.value)


def test_no_ffmpeg_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FFMPEG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MediaError, match=r"there is no ffmpeg on this machine\. Install"):
        find_ffmpeg()


def test_a_binary_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("not a program")
    program.chmod(0o755)
    monkeypatch.setenv("FFMPEG", str(program))
    with pytest.raises(MediaError, match="cannot be started"):
        run_ffmpeg(sine().output("x.wav"), source="x", destination=tmp_path / "x.wav")
    with pytest.raises(MediaError, match="cannot be started"):
        has_soxr(program)


def test_a_chain_passes_sound_on_and_reports_time(tmp_path: Path) -> None:
    seen: list[float] = []
    destination = tmp_path / "x.wav"
    run_ffmpeg(
        sine(2).output("pipe:1", format="wav"),
        ffmpeg_python.input("pipe:0", format="wav").output(str(destination), format="wav"),
        source="sine",
        destination=destination,
        on_seconds=seen.append,
    )
    assert destination.stat().st_size > 2 * 44100 * 2
    assert seen[-1] == pytest.approx(2, abs=0.1)


def test_a_failure_says_what_ffmpeg_said_last_of_substance(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"ep\.mkv: ffmpeg failed: .*[Ee]ncoder.*nonsense") as caught:
        run_ffmpeg(sine().output("x.wav", acodec="nonsense"), source="ep.mkv", destination=tmp_path / "x.wav")
    assert "@ 0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[out#0/flac @ 0x55d0c0de] Error writing trailer: No space left on device", errno.ENOSPC),
        ("av_interleaved_write_frame(): No space left on device", errno.ENOSPC),
        ("x.wav: Read-only file system", errno.EROFS),
        (f"x.wav: {os.strerror(errno.EDQUOT)}", errno.EDQUOT),
    ],
)
def test_what_the_disk_says_is_an_oserror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, code: int
) -> None:
    body = f"print({message!r}, file=sys.stderr); print('Conversion failed!', file=sys.stderr); sys.exit(1)"
    monkeypatch.setenv("FFMPEG", str(fake(tmp_path / "bin", body)))
    with pytest.raises(OSError, match=r"x\.wav") as caught:
        run_ffmpeg(sine().output("x.wav"), source="ep.mkv", destination=tmp_path / "x.wav")
    assert caught.value.errno == code


def test_a_flood_of_complaints_neither_blocks_nor_hides_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "sys.stderr.write('invalid frame\\n' * 200000 + 'x' * 100000 + '\\nthe real reason\\n'); sys.exit(3)"
    monkeypatch.setenv("FFMPEG", str(fake(tmp_path / "bin", body)))
    with pytest.raises(MediaError, match=r"ffmpeg failed: the real reason$"):
        run_ffmpeg(sine().output("x.wav"), source="ep.mkv", destination=tmp_path / "x.wav")


def test_a_killed_ffmpeg_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFMPEG", str(fake(tmp_path / "bin", "os.kill(os.getpid(), 9)")))
    with pytest.raises(MediaError, match="was ended by signal 9"):
        run_ffmpeg(sine().output("x.wav"), source="ep.mkv", destination=tmp_path / "x.wav")


def test_whatever_is_raised_in_between_no_process_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    body = (
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "print('out_time_us=1000000', flush=True) if '-progress' in sys.argv else None\ntime.sleep(60)"
    )
    monkeypatch.setenv("FFMPEG", str(fake(tmp_path / "bin", body)))

    def stop(seconds: float) -> None:
        while len(pids.read_text().split()) < 2:
            pass
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ffmpeg(
            sine().output("pipe:1", format="wav"),
            ffmpeg_python.input("pipe:0").output("x.wav"),
            source="ep.mkv",
            destination=tmp_path / "x.wav",
            on_seconds=stop,
        )
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
