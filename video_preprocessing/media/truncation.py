"""Files that break off: an unfinished download must never pass for a whole episode."""

from __future__ import annotations

import struct
from pathlib import Path

from video_preprocessing.media.containers import content_end_ms
from yuki_builder.errors import MediaError
from yuki_builder.records import MediaInfo

# Containers whose header states the duration. The others (transport streams, MP3, Ogg) are read until they
# end: of those nobody can tell.
_STATING_DURATION = {"matroska", "mov", "asf", "w64", "aiff", "caf", "flac"}
# Containers whose header states the number of bytes; their duration is taken from the bytes there are.
_STATING_BYTES = {"avi", "wav"}
_STREAMED = 0xFFFFFF00  # what a writer that could not go back to the header leaves in it, or 0
# What a whole file may lack: headers round up by some packets.
_LACKING_SHARE = 0.01
_LACKING_MS = 500


def check_whole(info: MediaInfo, *, heard_until_ms: int) -> None:
    """Refuse a file that ends before its header says; ffmpeg reads to the break and calls that success.

    Args:
        info: what ``probe`` said.
        heard_until_ms: where the extracted sound ends, in container time. Only where that is too early is
            the whole file read once more, since sound may rightly end before the picture does.

    Raises:
        MediaError: the file breaks off.
    """
    kind = info.container.split(",", 1)[0]
    stated_ms, end_ms = info.duration_ms, heard_until_ms
    if kind in _STATING_BYTES:
        stated_ms, end_ms = round(info.duration_ms * _stated_bytes(info) / info.size_bytes), info.duration_ms
    elif kind not in _STATING_DURATION:
        return
    enough_ms = stated_ms - max(_LACKING_MS, _LACKING_SHARE * stated_ms)
    if end_ms >= enough_ms:
        return
    if kind in _STATING_DURATION:
        end_ms = content_end_ms(info.path)
    if end_ms < enough_ms:
        raise MediaError(
            f"breaks off at {_clock(end_ms)} of {_clock(stated_ms)}",
            where=info.path,
            remedy="get the whole file; to work on what is there, repackage it: ffmpeg -i FILE -c copy REPAIRED.mkv",
        )


def _stated_bytes(info: MediaInfo) -> int:
    with Path(info.path).open("rb") as file:
        head = file.read(8)
    if len(head) < 8 or head[:4] != b"RIFF":
        return info.size_bytes
    (stated,) = struct.unpack("<I", head[4:])
    return info.size_bytes if stated == 0 or stated >= _STREAMED else 8 + int(stated)


def _clock(time_ms: int) -> str:
    seconds = time_ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
