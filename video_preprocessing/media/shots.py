"""When the picture changes: by key frames alone, so that an episode costs seconds.

Encoders put a key frame where a new shot begins, and decoding nothing else makes a 24-minute episode a matter of some
hundred small pictures. A key frame that looks like the one before it is none: it stands there for seeking.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_preprocessing.media.containers import first_picture_stream, open_container
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, MediaInfo, Progress, ShotChange, no_progress

_WIDTH, _HEIGHT = 64, 36
_BINS = 16
_LEAST_SCORE = 0.3


def detect_shots(info: MediaInfo, *, progress: Progress = no_progress) -> list[ShotChange]:
    """The changes of the picture, in order; none where there is no moving picture or it cannot be decoded.

    ``progress`` counts seconds of video.
    """
    import av

    if not info.has_video:
        return []
    total_s = info.duration_ms / 1000
    changes: list[ShotChange] = []
    before: FloatArray | None = None
    try:
        with open_container(Path(info.path)) as container:
            stream = first_picture_stream(container)
            if stream is None:
                return []
            stream.codec_context.skip_frame = "NONKEY"
            for frame in container.decode(stream):
                time_ms = round((frame.time or 0.0) * 1000) - info.start_ms
                small = frame.reformat(width=_WIDTH, height=_HEIGHT, format="gray").to_ndarray()
                picture: FloatArray = np.divide(small[:_HEIGHT, :_WIDTH], 255, dtype=np.float32)
                if before is not None and time_ms >= 0:
                    score = difference(before, picture)
                    if score >= _LEAST_SCORE:
                        changes.append(ShotChange(time_ms, round(score, 3)))
                before = picture
                progress(min(time_ms / 1000, total_s), total_s)
    except (av.FFmpegError, MediaError, OSError, ValueError):
        return changes  # scenes do without: a damaged picture is no reason to lose the sound
    return changes


def difference(before: FloatArray, picture: FloatArray) -> float:
    """How unlike two grey pictures of one shape (0..1) are, 0 to 1: place by place, and in what greys they have."""
    places = float(np.abs(before - picture).mean())
    greys = [np.histogram(p, bins=_BINS, range=(0, 1))[0] / p.size for p in (before, picture)]
    shares = float(np.abs(greys[0] - greys[1]).sum() / 2)
    return min(1.0, 2 * places + shares / 2)
