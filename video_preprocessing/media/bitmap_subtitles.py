"""Subtitles that are pictures (PGS, VobSub, DVB), out of a container or a file of their own, as pictures with times.

ffmpeg draws them, colours included, on the canvas that they are made for; PyAV, which knows no palettes, only says how
large that canvas is and what is damaged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from video_preprocessing.media.containers import open_container
from video_preprocessing.media.ffmpeg_process import FORMATS, file_url, media_input, run_ffmpeg
from yuki_builder.errors import SubtitleError
from yuki_builder.records import MediaInfo, SubtitlePicture, SubtitleTrack

if TYPE_CHECKING:
    from av.container import InputContainer

BITMAP_CODECS = frozenset({"hdmv_pgs_subtitle", "pgssub", "dvd_subtitle", "dvdsub", "dvb_subtitle", "dvbsub", "xsub"})
"""The codecs whose pictures can be had; ffmpeg's names of formats and of decoders."""
_FILE_FORMATS = f"{FORMATS},sup,vobsub"
_VOBSUB_INDEX = b"# VobSub index file"
_VOBSUB_PACK = b"\x00\x00\x01\xba"
_PGS_SEGMENT = b"PG"
_HEAD_BYTES = 256
_CANVASES = ((720, 480), (720, 576), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (7680, 4320))
_SAME_TIME_S = 0.003


@dataclass(frozen=True, slots=True)
class BitmapTrack:
    """What a look at the packets of a bitmap subtitle track says: its canvas, its pictures, and what is damaged."""

    canvas_width: int
    canvas_height: int
    pictures: int
    damaged: int


def bitmap_kind(path: Path) -> str | None:
    """``PGS`` or ``VobSub`` for a file of bitmap subtitles, by its content; None for any other."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith(_PGS_SEGMENT) and path.suffix.lower() == ".sup":
            return "PGS"
        if head.lstrip(b"\xef\xbb\xbf\r\n ").startswith(_VOBSUB_INDEX) or head.startswith(_VOBSUB_PACK):
            return "VobSub"
    return None


def find_bitmap_file(path: Path) -> Path:
    """The file to open for one of bitmap subtitles: of the two files of VobSub the index.

    Raises:
        SubtitleError: one of the two is missing.
    """
    if bitmap_kind(path) != "VobSub":
        return path
    other = ".sub" if path.suffix.lower() == ".idx" else ".idx"
    found = next((p for p in _siblings(path) if p.suffix.lower() == other), None)
    if found is None:
        holds = "names the pictures' times" if other == ".idx" else "holds the pictures"
        raise SubtitleError(
            f"VobSub subtitles are two files, and there is no {path.stem}{other} beside it, which {holds}",
            where=path,
            remedy=f"put the {other} file beside it",
        )
    return path if other == ".sub" else found


def _siblings(path: Path) -> list[Path]:
    folder = path.absolute().parent
    return sorted(p for p in folder.iterdir() if p.stem.casefold() == path.stem.casefold() and p.is_file())


def look_at_bitmaps(source: str | os.PathLike[str], index: int = 0) -> BitmapTrack:
    """Decode the packets of a bitmap subtitle track without drawing them.

    Args:
        source: a media file, or a file of bitmap subtitles.
        index: of the stream among all streams of the file.

    Raises:
        MediaError: the file cannot be opened.
    """
    import av

    right = bottom = pictures = damaged = 0
    with _open(Path(source)) as container:
        stream = container.streams[index]
        context: Any = stream.codec_context
        for packet in container.demux(stream):
            if not packet.size:
                continue
            try:
                found = context.decode2(packet)
            except av.FFmpegError:
                damaged += 1
                continue
            for rect in found or ():
                right, bottom = max(right, rect.x + rect.width), max(bottom, rect.y + rect.height)
                pictures += 1
    width, height = next(((w, h) for w, h in _CANVASES if right <= w and bottom <= h), (right, bottom))
    return BitmapTrack(width, height, pictures, damaged)


def read_subtitle_pictures(
    source: MediaInfo | Path, track: SubtitleTrack | None, seen: BitmapTrack, scratch: Path
) -> Iterator[SubtitlePicture]:
    """The pictures of a bitmap subtitle track, by time; one that follows itself is one.

    Args:
        source: the media file, whose times are put on the video's clock, or a file of bitmap subtitles.
        track: of the media file; None for a file of subtitles.
        seen: what :func:`look_at_bitmaps` said.
        scratch: a folder to write the drawn pictures to.

    Raises:
        SubtitleError: no picture can be decoded.
        MediaError: ffmpeg cannot read it.
    """
    drawn = scratch / "pictures.mov"
    path = Path(source.path) if isinstance(source, MediaInfo) else source
    options: dict[str, Any] = {"canvas_size": f"{seen.canvas_width}x{seen.canvas_height}", "copyts": None}
    formats, zero_ms = (FORMATS, source.start_ms) if isinstance(source, MediaInfo) else (_FILE_FORMATS, 0)
    pictures = media_input(path, formats=formats, **options)[str(track.index if track else 0)].filter("null")
    written = pictures.output(
        file_url(drawn),
        format="mov",
        vcodec="qtrle",
        pix_fmt="argb",
        fps_mode="passthrough",
        enc_time_base="1:1000",
        avoid_negative_ts="disabled",
    )
    run_ffmpeg(written, source=path, destination=drawn)
    for picture in _joined(_drawn(drawn, seen)):
        if picture.end_ms > zero_ms:  # what is gone before the first picture of the video is never seen
            start_ms = max(0, picture.start_ms - zero_ms)
            yield dataclasses.replace(picture, start_ms=start_ms, end_ms=max(start_ms, picture.end_ms - zero_ms))
    drawn.unlink(missing_ok=True)


def _drawn(path: Path, seen: BitmapTrack) -> Iterator[tuple[int, SubtitlePicture | None]]:
    """Each moment at which the canvas changes, with what is on it then."""
    with open_container(path) as container:
        waiting: tuple[float, Any] | None = None
        frames: Iterator[Any] = container.decode(video=0)
        for frame in frames:
            if frame.time is None:
                continue
            if waiting is not None and frame.time - waiting[0] > _SAME_TIME_S:
                yield _cropped(*waiting, seen)
            waiting = frame.time, frame
        if waiting is not None:
            yield _cropped(*waiting, seen)


def _cropped(time_s: float, frame: Any, seen: BitmapTrack) -> tuple[int, SubtitlePicture | None]:
    rgba = np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
    time_ms = max(0, round(1000 * time_s))
    opaque = rgba[..., 3] > 0
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    if not len(rows):
        return time_ms, None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    part = np.ascontiguousarray(rgba[top:bottom, left:right])
    return time_ms, SubtitlePicture(time_ms, time_ms, int(left), int(top), seen.canvas_width, seen.canvas_height, part)


def _joined(changes: Iterator[tuple[int, SubtitlePicture | None]]) -> Iterator[SubtitlePicture]:
    """Pictures with their ends; the last one ends when it starts, where nothing takes it away."""
    current: SubtitlePicture | None = None
    for time_ms, picture in changes:
        if current is not None and picture is not None and _is_same(current, picture):
            continue
        if current is not None:
            yield dataclasses.replace(current, end_ms=time_ms)
        current = picture
    if current is not None:
        yield current


def _is_same(one: SubtitlePicture, other: SubtitlePicture) -> bool:
    return (one.left, one.top) == (other.left, other.top) and np.array_equal(one.rgba, other.rgba)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[InputContainer]:
    if bitmap_kind(path) is None:
        with open_container(path) as container:
            yield container
        return
    with open_container(path, formats=_FILE_FORMATS) as container:
        yield container
