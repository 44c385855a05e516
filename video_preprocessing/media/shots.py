"""Where the picture jumps, from a few tiny pictures a minute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_preprocessing.media.containers import first_picture_stream, open_container
from yuki_builder.errors import MediaError
from yuki_builder.records import MediaInfo, Progress, ShotChange, no_progress

WIDTH, HEIGHT = 32, 18
MIN_DIFFERENCE = 0.1
"""What counts as another shot: as ffmpeg's scene detection has it, a tenth of the whole range on average."""
NOVELTY_REACH_MS = 15_000
CLOSEST_MS = 400
"""Where every picture is a key picture, more of them would say nothing more."""

Pictures = npt.NDArray[np.uint8]


def detect_shots(
    info: MediaInfo, *, min_difference: float = MIN_DIFFERENCE, progress: Progress = no_progress
) -> list[ShotChange]:
    """The shot changes of a video, by time; none where there is no picture.

    Only key pictures are decoded, a few hundred an episode: encoders put one at every cut that they notice, and
    one every few seconds besides. So a change is known to lie between two of them (``after_ms`` and ``time_ms``),
    not to the frame.

    Args:
        info: what ``probe`` said of the file.
        min_difference: the least mean difference of two pictures (0..1) that counts as a change.
        progress: called with seconds looked at and seconds in all.

    Raises:
        MediaError: no picture can be decoded.
    """
    if not info.has_video:
        return []
    times_ms, pictures = _key_pictures(info, progress)
    if not times_ms:
        raise MediaError("no picture of it can be decoded", where=info.path)
    return shot_changes(times_ms, pictures, min_difference=min_difference)


def shot_changes(
    times_ms: Sequence[int],
    pictures: Pictures,
    *,
    min_difference: float = MIN_DIFFERENCE,
    reach_ms: int = NOVELTY_REACH_MS,
) -> list[ShotChange]:
    """The changes in a row of pictures. Pure.

    Args:
        times_ms: n times, rising.
        pictures: shape (n, …), uint8.
        min_difference: see :func:`detect_shots`.
        reach_ms: how far before and after a change pictures are compared for its novelty.
    """
    times = np.asarray(times_ms, np.int64)
    # (n, values), 0..1
    flat = pictures.reshape(len(times), -1).astype(np.float32) / 255 if len(times) else np.zeros((0, 1), np.float32)
    differences = np.abs(np.diff(flat, axis=0)).mean(axis=1)
    changes = []
    for i in (np.flatnonzero(differences >= min_difference) + 1).tolist():
        first = int(np.searchsorted(times, times[i] - reach_ms, side="left"))
        last = int(np.searchsorted(times, times[i] + reach_ms, side="right"))
        before, after = flat[min(first, i - 1) : i], flat[i:last]
        novelty = min(float(np.abs(after - old).mean(axis=1).min()) for old in before)
        changes.append(
            ShotChange(int(times[i]), int(times[i - 1]), round(float(differences[i - 1]), 4), round(novelty, 4))
        )
    return changes


def _key_pictures(info: MediaInfo, progress: Progress) -> tuple[list[int], Pictures]:
    """Times on the video's clock, and pictures, shape (n, HEIGHT, WIDTH, 3)."""
    times_ms, pictures = list[int](), list[Pictures]()
    for time_ms, picture in _decoded(info, progress):
        # What is shown before the clock's zero, or out of order at a splice, is no place to cut at.
        if time_ms >= 0 and (not times_ms or time_ms > times_ms[-1]):
            times_ms.append(time_ms)
            pictures.append(picture)
    return times_ms, np.stack(pictures) if pictures else np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)


def _decoded(info: MediaInfo, progress: Progress) -> Iterator[tuple[int, Pictures]]:
    """Key pictures by time. Packets are chosen before they are decoded: not every decoder skips on request."""
    import av
    from av.video.reformatter import Interpolation

    total_s = info.duration_ms / 1000 or None
    with open_container(Path(info.path)) as container:
        stream = first_picture_stream(container)
        stream.thread_type = "AUTO"
        newest_ms = -CLOSEST_MS
        for packet in container.demux(stream):
            if packet.size:  # else the end, which brings out what the decoder still holds
                time = packet.pts if packet.pts is not None else packet.dts
                if not packet.is_keyframe or time is None or packet.time_base is None:
                    continue
                packet_ms = round(1000 * float(time * packet.time_base)) - info.start_ms
                if 0 <= packet_ms - newest_ms < CLOSEST_MS:
                    continue
                newest_ms = packet_ms
                progress(max(0, packet_ms) / 1000, total_s)
            with contextlib.suppress(av.FFmpegError):  # a damaged picture is one picture less
                for frame in packet.decode():
                    if frame.time is not None:
                        tiny = frame.reformat(WIDTH, HEIGHT, "rgb24", interpolation=Interpolation.AREA)
                        yield round(1000 * frame.time) - info.start_ms, np.asarray(tiny.to_ndarray(), np.uint8)
