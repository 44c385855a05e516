"""The only place that starts ffmpeg: find the binary, run argument lists, turn failures into errors."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from yuki_builder.errors import MediaError

# Demuxers that read one self-contained media file. Playlists, scripts, image sequences and the like are not
# among them: they name further files or network addresses, and a video from a stranger must not open those.
FORMATS = (
    "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,flv,asf,mxf,nut,dv,ivf,wtv,rm,h264,hevc,"
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,truehd,ogg,wv,tta,ape,amr"
)

_REMEDY = "install ffmpeg (or: pip install imageio-ffmpeg), or let the environment variable FFMPEG name the binary"
_TAIL_LINES = 40
_MAX_LINE_BYTES = 4096
# What the disk of the output side may say while ffmpeg writes; everything else is about the input.
_DISK_ERRORS = {os.strerror(code): code for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)}
_CONTEXT = re.compile(r"^(\[[^\]]* @ 0x[0-9a-f]+\]\s*)+")
# Closing remarks of ffmpeg that repeat that something failed, not what, and what a stage says of an empty pipe.
_REMARK = re.compile(
    r"conversion failed|error opening (input|output)|task finished with error|terminating thread|"
    r"nothing was written|output file is empty|error (writing trailer|closing file|muxing a packet)|"
    r"last message repeated|error submitting|cannot determine format of input|could not open encoder before eof|"
    r"error binding|error selecting an encoder|exiting|pipe:0|eof before",
    re.IGNORECASE,
)


def find_ffmpeg() -> Path:
    """The ffmpeg to run: ``$FFMPEG``, else the one on the search path, else imageio-ffmpeg's binary.

    Raises:
        MediaError: ``$FFMPEG`` names no program, or there is no ffmpeg at all.
    """
    named = os.environ.get("FFMPEG")
    found = shutil.which(named or "ffmpeg")
    if found:
        return Path(found)
    if named:
        raise MediaError("is not a program; the environment variable FFMPEG names it", where=named, remedy=_REMEDY)
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return Path(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as e:
        raise MediaError("there is no ffmpeg on this machine", remedy=_REMEDY) from e


@functools.lru_cache
def has_soxr(ffmpeg: Path) -> bool:
    """Whether this ffmpeg was built with the SoX resampler."""
    try:
        built = subprocess.run([ffmpeg, "-version"], capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    except OSError as e:
        raise _cannot_start(ffmpeg, e) from e
    return b"--enable-libsoxr" in built.stdout


def file_url(path: Path) -> str:
    """``path`` in a spelling that ffmpeg takes for nothing but a file, whatever ``-``, ``:`` or ``%`` is in it."""
    return f"file:{path.absolute()}"


def media_input(path: Path, *, formats: str = FORMATS, **options: Any) -> Any:
    """An ffmpeg-python input for a media file from outside: one local file, and nothing that it may point to."""
    import ffmpeg

    return ffmpeg.input(file_url(path), protocol_whitelist="file", format_whitelist=formats, **options)


def run_ffmpeg(
    *stages: Any,
    source: str | os.PathLike[str],
    destination: Path,
    on_seconds: Callable[[float], None] | None = None,
) -> None:
    """Run ffmpeg-python outputs as one chain: each stage writes to ``pipe:1``, which the next reads as ``pipe:0``.

    Args:
        stages: ffmpeg-python output nodes; the last one writes ``destination`` and overwrites it.
        source: the file that an error is about.
        destination: the file that the last stage writes.
        on_seconds: called now and then with the time that has been written, in seconds.

    Raises:
        MediaError: ffmpeg failed; the message is its own last meaningful line.
        OSError: ``destination`` cannot be written (``errno`` as the system gave it).

    Whatever is raised here or in ``on_seconds``, KeyboardInterrupt included, no ffmpeg stays behind.
    """
    import ffmpeg

    # Opened here first: ffmpeg would only print why it cannot, Python raises the right OSError.
    destination.open("wb").close()
    binary = find_ffmpeg()
    common = [str(binary), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
    commands = [ffmpeg.compile(stage, cmd=common, overwrite_output=True) for stage in stages]
    commands[-1][1:1] = ["-progress", "pipe:1"]

    with contextlib.ExitStack() as cleanup:
        processes: list[subprocess.Popen[bytes]] = []
        tails: list[_Tail] = []
        for command in commands:
            feed = processes[-1].stdout if processes else None
            try:
                process = subprocess.Popen(  # noqa: S603
                    command, stdin=feed or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
            except OSError as e:
                raise _cannot_start(binary, e) from e
            cleanup.callback(_end, process)
            if feed:
                feed.close()  # the next stage holds it now; a stage must notice when its reader is gone
            processes.append(process)
            tails.append(_Tail(process.stderr))
        _follow(processes[-1].stdout, on_seconds)
        results = [(process.wait(), tail.lines()) for process, tail in zip(processes, tails, strict=True)]

    _check(results, source=source, destination=destination)


def _cannot_start(binary: Path, cause: OSError) -> MediaError:
    return MediaError(f"ffmpeg cannot be started ({cause.strerror})", where=binary, remedy=_REMEDY)


class _Tail:
    """The last lines of a stream, read beside the main work: a chatty ffmpeg neither blocks nor fills memory."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(_MAX_LINE_BYTES), b""):
                self._lines.append(_CONTEXT.sub("", line.decode(errors="replace").strip()))

    def lines(self) -> list[str]:
        self._thread.join()
        return [line for line in self._lines if line]


def _follow(report: IO[bytes] | None, on_seconds: Callable[[float], None] | None) -> None:
    """Read ``-progress`` (``key=value`` lines) until ffmpeg ends."""
    assert report is not None
    with report:
        for line in report:
            key, _, value = line.decode(errors="replace").strip().partition("=")
            # The value is "N/A" until something has been written.
            if key == "out_time_us" and on_seconds and value.lstrip("-").isdecimal():
                on_seconds(max(0.0, int(value) / 1e6))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()  # stderr is closed by the thread that reads it


def _check(results: Sequence[tuple[int, list[str]]], *, source: str | os.PathLike[str], destination: Path) -> None:
    for line in results[-1][1]:  # whatever the status: older versions end with 0 when the last write failed
        for text, code in _DISK_ERRORS.items():
            if text in line:
                raise OSError(code, text, os.fspath(destination))
    if not any(status for status, _ in results):
        return
    broken_pipe = os.strerror(errno.EPIPE)
    for status, lines in results:
        # A stage whose reader died fails for that alone; the reader, which comes later, says why.
        if status and not any(broken_pipe in line for line in lines):
            raise MediaError(_meaning(status, lines), where=source)
    raise MediaError(_meaning(*results[-1]), where=source)


def _meaning(status: int, lines: Sequence[str]) -> str:
    if status < 0:
        return f"ffmpeg was ended by signal {-status}"
    said = [line for line in lines if not _REMARK.search(line)]
    if said:
        return f"ffmpeg failed: {said[-1]}"
    return "ffmpeg can decode nothing from it" + (f" ({lines[0]})" if lines else "")
