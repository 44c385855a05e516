"""One embedded subtitle track out of a container, as a file on the video's clock."""

from __future__ import annotations

import re
from pathlib import Path

from video_preprocessing.media.containers import MATROSKA_WEBVTT, open_container
from video_preprocessing.media.ffmpeg_process import file_url, media_input, run_ffmpeg
from video_preprocessing.media.tracks import no_text_in
from yuki_builder.records import MediaInfo, SubtitleTrack

# Codec of the track -> suffix, ffmpeg's muxer, codec to write. Copied where the format can hold the track as it
# is, so that no converter touches the text.
_WRITTEN_AS = {
    "ass": (".ass", "ass", "copy"),
    "ssa": (".ass", "ass", "copy"),
    "webvtt": (".vtt", "webvtt", "copy"),
    "subrip": (".srt", "srt", "copy"),
}
_OTHERS = (".srt", "srt", "subrip")

# ffmpeg prints a time before zero as "0:00:-1.-40": a cue that begins before the first picture does.
_TIMES = {
    ".ass": re.compile(r"^(Dialogue: [^,]*,)([-\d:.]+)(,)([-\d:.]+)(?=,)", re.MULTILINE),
    ".srt": re.compile(r"^()([-\d:,]+)( --> )([-\d:,]+)", re.MULTILINE),
    ".vtt": re.compile(r"^()([-\d:.]+)( --> )([-\d:.]+)", re.MULTILINE),
}
_ZERO = {".ass": "0:00:00.00", ".srt": "00:00:00,000", ".vtt": "00:00.000"}


def extract_subtitles(info: MediaInfo, track: SubtitleTrack, destination_stem: Path) -> Path:
    """Write one text subtitle track beside ``destination_stem`` and say where.

    ASS and SSA become ``.ass``, WebVTT ``.vtt``, everything else ``.srt``, in UTF-8. Times are on the same
    clock as ``extract_audio``'s; a cue that begins before it begins at its zero. Fonts are left behind.

    Args:
        info: the video, as ``probe`` read it.
        track: one of its subtitle tracks, of text.
        destination_stem: the path of the file without its suffix.

    Raises:
        SubtitleError: the track holds pictures.
        MediaError: ffmpeg cannot read the track.
        OSError: the file cannot be written.
    """
    if not track.is_text:
        raise no_text_in(track, info)
    if track.codec == MATROSKA_WEBVTT:
        return _write_packets(info, track, destination_stem)
    suffix, muxer, codec = _WRITTEN_AS.get(track.codec, _OTHERS)
    destination = destination_stem.with_name(destination_stem.name + suffix)
    source = Path(info.path)
    # The same clock as in audio.py. Without "disabled" ffmpeg would move all cues when one is before zero.
    cues = media_input(source, copyts=None, itsoffset=-info.start_ms / 1000)[str(track.index)]
    written = cues.output(
        file_url(destination), format=muxer, scodec=codec, avoid_negative_ts="disabled", map_metadata=-1
    )
    run_ffmpeg(written, source=source, destination=destination)
    if info.start_ms > 0:
        _clamp_times(destination)
    return destination


def _write_packets(info: MediaInfo, track: SubtitleTrack, destination_stem: Path) -> Path:
    """The texts of a track whose packets are plain text, as WebVTT."""
    destination = destination_stem.with_name(destination_stem.name + ".vtt")
    with open_container(Path(info.path)) as container, destination.open("w", encoding="utf-8", newline="\n") as file:
        file.write("WEBVTT\n")
        for packet in container.demux(container.streams[track.index]):
            text = bytes(packet).decode("utf-8", "replace").strip("\r\n\0")
            if packet.pts is None or packet.time_base is None or not text:
                continue
            start_ms = round(1000 * packet.pts * packet.time_base) - info.start_ms
            end_ms = start_ms + round(1000 * (packet.duration or 0) * packet.time_base)
            rows = [row for row in text.splitlines() if row.strip()]  # a blank row would end the cue
            file.write(f"\n{_vtt_time(start_ms)} --> {_vtt_time(end_ms)}\n" + "\n".join(rows) + "\n")
    return destination


def _vtt_time(time_ms: int) -> str:
    seconds, ms = divmod(max(0, time_ms), 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def _clamp_times(path: Path) -> None:
    zero = _ZERO[path.suffix]

    def clamp(found: re.Match[str]) -> str:
        head, start, between, end = found.groups()
        return f"{head}{zero if '-' in start else start}{between}{zero if '-' in end else end}"

    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(_TIMES[path.suffix].sub(clamp, text))
