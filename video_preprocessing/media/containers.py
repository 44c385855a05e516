"""What is in a media file: its streams, their languages and titles, and when its picture begins."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from video_preprocessing.media.ffmpeg_process import FORMATS, file_url
from video_preprocessing.media.languages import normal_language
from yuki_builder.errors import MediaError
from yuki_builder.records import AudioTrack, MediaInfo, SubtitleTrack

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.subtitles.stream import SubtitleStream
    from av.video.stream import VideoStream

UNKNOWN_CODEC = "unknown"
MATROSKA_WEBVTT = "s_text/webvtt"  # as mkvmerge writes it; ffmpeg hands its packets over and knows no codec
_PACKETS_TO_FIRST_FRAME = 2000
_TRACK_HEADERS_BYTES = 1 << 20
_CODEC_ID = re.compile(rb"\x86[\x80-\xff]([SD]_[A-Z0-9/]{3,40})")  # the element of a subtitle track in Matroska


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Open a media file and say what is in it.

    ``start_ms`` is the container's time of the first picture that can be shown (of the first sound where
    there is no picture); ``start_ms`` of an audio track is relative to that. ``duration_ms`` is what the
    container states, 0 where it states nothing. Cover art is no picture. Languages come out as ISO 639-1
    where there is such a code.

    Raises:
        MediaError: no such file, a folder, an empty file, not a media file, or neither sound nor picture.
    """
    path = Path(path)
    size_bytes = _size_of_file(path)
    with open_container(path) as container:
        sounds = list(container.streams.audio)
        pictures = _picture_streams(container)
        if not sounds and not pictures:
            raise MediaError("holds neither sound nor picture", where=path, remedy="give a video or an audio file")
        start_ms = round(1000 * _first_frame_s(container, (pictures or sounds)[0]))
        picture = pictures[0] if pictures else None
        return MediaInfo(
            path=os.fspath(path),
            container=container.format.name,
            duration_ms=_duration_ms(container),
            start_ms=start_ms,
            size_bytes=size_bytes,
            audio=tuple(_audio_track(s, position, start_ms) for position, s in enumerate(sounds)),
            subtitles=_subtitle_tracks(container, path),
            has_video=picture is not None,
            width=picture.codec_context.width if picture else None,
            height=picture.codec_context.height if picture else None,
            frame_rate_hz=float(picture.average_rate) if picture and picture.average_rate else None,
        )


def content_end_ms(path: str | os.PathLike[str]) -> int:
    """Where the last packet of any stream ends, in container time; reads the whole file, decodes nothing."""
    end_s = 0.0
    with open_container(Path(path)) as container:
        for packet in container.demux():
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and packet.time_base:
                end_s = max(end_s, float((time + (packet.duration or 0)) * packet.time_base))
    return round(1000 * end_s)


@contextlib.contextmanager
def open_container(path: Path, *, formats: str = FORMATS) -> Iterator[InputContainer]:
    """A media file opened with PyAV; whatever the libraries below say about it becomes a MediaError."""
    import av

    try:
        with av.open(
            file_url(path),
            options={"protocol_whitelist": "file", "format_whitelist": formats},
            metadata_errors="replace",
        ) as container:
            yield container
    except PermissionError as e:
        raise MediaError("cannot be read: permission denied", where=path) from e
    except av.FFmpegError as e:
        raise MediaError(
            f"is not a readable media file ({e.strerror})",
            where=path,
            remedy="give a video or audio file that a player plays; a download may have to be finished first",
        ) from e


def first_picture_stream(container: InputContainer) -> VideoStream:
    """The stream whose first picture is the clock's zero.

    Raises:
        MediaError: there is none.
    """
    pictures = _picture_streams(container)
    if not pictures:
        raise MediaError("holds no picture", where=container.name)
    return pictures[0]


def _picture_streams(container: InputContainer) -> list[VideoStream]:
    return [s for s in container.streams.video if not _has(s, "attached_pic") and s.codec_context is not None]


def _size_of_file(path: Path) -> int:
    try:
        os.fspath(path).encode()
    except UnicodeError as e:
        raise MediaError("has a name that is not valid UTF-8", where=path, remedy="rename the file") from e
    try:
        status = path.stat()
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        raise MediaError(f"cannot be read: {getattr(e, 'strerror', None) or e}", where=str(path)) from e
    if stat.S_ISDIR(status.st_mode):
        raise MediaError("is a folder, not a media file", where=path)
    if not stat.S_ISREG(status.st_mode):
        raise MediaError("is not a regular file", where=path)  # a pipe would block, a device has no end
    if status.st_size == 0:
        raise MediaError("is empty", where=path)
    return status.st_size


def _first_frame_s(container: InputContainer, stream: Stream) -> float:
    """Container time of the first frame that decodes; a broadcast often begins with pieces of one that do not."""
    import av
    from av.frame import Frame

    if container.format.name == "avi":
        # Frames of an AVI have no presentation times; those made up for B-frames are late by a frame or two.
        return _stated_start_s(stream)
    for count, packet in enumerate(container.demux(stream)):
        if count > _PACKETS_TO_FIRST_FRAME:
            break
        with contextlib.suppress(av.FFmpegError):
            for frame in packet.decode():
                if isinstance(frame, Frame) and frame.pts is not None and frame.time_base is not None:
                    return float(frame.pts * frame.time_base)
    return _stated_start_s(stream)


def _duration_ms(container: InputContainer) -> int:
    if container.duration:
        return max(0, container.duration // 1000)
    durations = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(0, round(1000 * max(durations, default=0.0)))


def _audio_track(stream: AudioStream, position: int, clock_start_ms: int) -> AudioTrack:
    context = stream.codec_context  # None where PyAV has no decoder
    return AudioTrack(
        index=stream.index,
        position=position,
        codec=_codec(stream),
        channels=context.channels if context else 0,
        sample_rate_hz=context.sample_rate if context else 0,
        channel_layout=context.layout.name if context and context.channels else None,
        language=normal_language(stream.metadata.get("language")),
        title=_audio_title(stream),
        start_ms=round(1000 * _stated_start_s(stream)) - clock_start_ms,
        is_default=_has(stream, "default"),
    )


def _subtitle_tracks(container: InputContainer, path: Path) -> tuple[SubtitleTrack, ...]:
    tracks = tuple(_subtitle_track(s, position) for position, s in enumerate(container.streams.subtitles))
    if "matroska" not in container.format.name or all(track.codec != UNKNOWN_CODEC for track in tracks):
        return tracks
    with path.open("rb") as file:
        identifiers = [found.decode("ascii").lower() for found in _CODEC_ID.findall(file.read(_TRACK_HEADERS_BYTES))]
    if len(identifiers) != len(tracks):
        return tracks
    return tuple(
        dataclasses.replace(track, codec=MATROSKA_WEBVTT, is_text=True)
        if track.codec == UNKNOWN_CODEC and identifier == MATROSKA_WEBVTT
        else track
        for track, identifier in zip(tracks, identifiers, strict=True)
    )


def _subtitle_track(stream: SubtitleStream, position: int) -> SubtitleTrack:
    return SubtitleTrack(
        index=stream.index,
        position=position,
        codec=_codec(stream),
        is_text=stream.codec_context is not None and stream.codec_context.codec.text_sub,
        language=normal_language(stream.metadata.get("language")),
        title=stream.metadata.get("title") or None,
        is_default=_has(stream, "default"),
        is_forced=_has(stream, "forced"),
        is_hearing_impaired=_has(stream, "hearing_impaired"),
    )


def _stated_start_s(stream: Stream) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0


def _has(stream: Stream, flag: str) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition[flag])


def _codec(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else UNKNOWN_CODEC


def _audio_title(stream: Stream) -> str | None:
    """The title; what only a flag says of a track that is no plain dialogue is added in words."""
    title = stream.metadata.get("title")
    flags = {"comment": "commentary", "visual_impaired": "audio description", "descriptions": "audio description"}
    notes = {words for flag, words in flags.items() if _has(stream, flag)}
    parts = [title] if title else []
    return " ".join([*parts, *(f"({words})" for words in sorted(notes))]) or None
