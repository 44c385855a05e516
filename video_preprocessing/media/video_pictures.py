"""The pictures of a video a few times a second, for reading what is written in them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from video_preprocessing.media.containers import first_picture_stream, open_container
from yuki_builder.errors import MediaError
from yuki_builder.records import MediaInfo, Progress, VideoPicture, no_progress

if TYPE_CHECKING:
    from av.container import InputContainer

EVERY_MS = 160
MAX_HEIGHT = 720
_SEEK_EARLIER_S = 2.0  # some containers go to a key frame a little behind


def read_video_pictures(
    info: MediaInfo,
    *,
    from_ms: int = 0,
    every_ms: int = EVERY_MS,
    max_height: int = MAX_HEIGHT,
    progress: Progress = no_progress,
) -> Iterator[VideoPicture]:
    """The first picture of every ``every_ms``, by time; damaged ones are skipped.

    Args:
        info: what ``probe`` said of the file.
        from_ms: pictures before it are left out.
        every_ms: of the video's clock.
        max_height: larger pictures are made smaller.
        progress: called with seconds looked at and in all.

    Raises:
        MediaError: there is no picture, or none of it can be decoded.
    """
    import av

    if not info.has_video:
        raise MediaError("holds no picture", where=info.path, remedy="give a video")
    total_s = info.duration_ms / 1000 or None
    next_ms, seen = -(-from_ms // every_ms) * every_ms, from_ms > 0
    with open_container(Path(info.path)) as container:
        stream = first_picture_stream(container)
        stream.thread_type = "AUTO"
        if from_ms:
            _seek(container, (next_ms + info.start_ms) / 1000)
        for packet in container.demux(stream):
            with contextlib.suppress(av.FFmpegError):  # a damaged picture is one picture less
                frames: list[Any] = packet.decode()
                for frame in frames:
                    if frame.time is None:
                        continue
                    time_ms = round(1000 * frame.time) - info.start_ms
                    if time_ms < next_ms:
                        continue
                    next_ms = (time_ms // every_ms + 1) * every_ms
                    seen = True
                    yield _picture(frame, time_ms, max_height)
                    progress(time_ms / 1000, total_s)
    if not seen:
        raise MediaError("no picture of it can be decoded", where=info.path)


def _seek(container: InputContainer, time_s: float) -> None:
    """To the key frame before a time; where a file cannot be searched, it is read from its beginning."""
    import av

    try:
        container.seek(max(0, round((time_s - _SEEK_EARLIER_S) * av.time_base)))
    except av.FFmpegError:
        container.seek(0)


def _picture(frame: Any, time_ms: int, max_height: int) -> VideoPicture:
    height, width = frame.height, frame.width
    if height > max_height:
        width, height = 2 * round(width * max_height / height / 2), max_height
    luma = frame.reformat(width, height, "gray").to_ndarray()

    def rgb() -> npt.NDArray[np.uint8]:
        return np.asarray(frame.reformat(width, height, "rgb24").to_ndarray(), np.uint8)

    colours: Callable[[], npt.NDArray[np.uint8]] = rgb
    return VideoPicture(time_ms, np.asarray(luma, np.uint8), colours)
