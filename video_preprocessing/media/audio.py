"""One audio track out of a container: stereo FLAC on the video's clock, in constant memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from video_preprocessing.media.ffmpeg_process import file_url, find_ffmpeg, has_soxr, media_input, run_ffmpeg
from video_preprocessing.media.truncation import check_whole
from yuki_builder.errors import MediaError
from yuki_builder.records import AudioTrack, MediaInfo, Progress, no_progress

# Weights of the fold to stereo, the front channels having 1: the centre, which carries the dialogue, is the
# strongest; the low-frequency channel is left out. swresample applies them to whatever layout a frame has
# (a broadcast may change it in mid-stream) and scales each output's sum down to 1, so that nothing clips.
_FOLD = {"clev": 2**0.5, "slev": 0.5**0.5, "lfe_mix_level": 0, "rematrix_maxval": 1}
# swresample's own resampler with a long filter, where ffmpeg was built without soxr.
_SWR_QUALITY = {"filter_size": 64, "phase_shift": 10, "linear_interp": 1, "cutoff": 0.97}

# The longest silence that is taken for one; a longer jump of the times is a clock that started anew, which
# happens in recordings and joined pieces of one.
_LONGEST_GAP_S = 3600
_LONGEST_GAP_OF_S = {"mpegts": 60, "mpeg": 60, "wtv": 60}
_JITTER_S = 0.02
_BLOCK_SAMPLES = 4608  # of FLAC at this rate
# No titles, chapters and dates of the source in what is written: the same input gives the same bytes.
_NO_EXTRAS = {"map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "flags": "+bitexact"}


def extract_audio(
    info: MediaInfo,
    track: AudioTrack,
    destination: Path,
    *,
    sample_rate_hz: int = 44100,
    progress: Progress = no_progress,
) -> None:
    """Write one audio track as stereo FLAC whose first sample is at the video's first frame.

    Sound before the first frame is cut off, a later start and gaps inside are filled with silence, so that
    sample ``n`` is at ``n / sample_rate_hz`` seconds of the video's clock. Mono goes to both channels;
    more channels are folded with the centre as the strongest (see ``_FOLD``). Samples have 16 bits: their
    rounding noise lies at -98 dB, far below any soundtrack, at half the size of 24 bits.

    Args:
        info: what ``probe`` said of the file.
        track: one of ``info.audio``.
        destination: the FLAC file to write.
        sample_rate_hz: of the FLAC file.
        progress: called with seconds written and seconds in all.

    Raises:
        MediaError: nothing can be decoded, or the file breaks off before the duration that it states.
        OSError: ``destination`` cannot be written.
    """
    source = Path(info.path)
    total_s = info.duration_ms / 1000 or None
    try:
        run_ffmpeg(
            _decoded(info, track, sample_rate_hz),
            _placed(destination),
            source=source,
            destination=destination,
            on_seconds=lambda seconds: progress(seconds, total_s),
        )
    except MediaError:
        check_whole(info, heard_until_ms=info.start_ms)  # says more than ffmpeg does of a file that breaks off
        raise
    written_ms = _duration_ms(destination, sample_rate_hz)
    if written_ms == 0:
        raise MediaError(f"no sound can be decoded from audio track {track.position}", where=source)
    check_whole(info, heard_until_ms=info.start_ms + written_ms)
    progress(written_ms / 1000, written_ms / 1000)


def _decoded(info: MediaInfo, track: AudioTrack, sample_rate_hz: int) -> Any:
    """First stage: decode, convert to the output's format, keep the time of every frame.

    Conversion and placing are two processes because ffmpeg builds its filters anew when the format changes
    in mid-stream: a filter that counts time from zero, as the placing must, would start over.
    """
    # -copyts keeps the container's times instead of shifting them to the earliest stream that is read;
    # the offset then makes the first picture zero.
    sound = media_input(Path(info.path), copyts=None, itsoffset=-info.start_ms / 1000)[str(track.index)]
    sound = sound.filter("asetpts", _steady_clock(info))
    if track.channels == 1:
        sound = sound.filter("channelmap", map="0|0", channel_layout="stereo")  # swresample would lower it by 3 dB
    resampler = {"resampler": "soxr"} if has_soxr(find_ffmpeg()) else _SWR_QUALITY
    sound = sound.filter("aresample", **resampler, **_FOLD)
    sound = sound.filter("aformat", sample_fmts="s16", sample_rates=sample_rate_hz, channel_layouts="stereo")
    sound = sound.filter("atrim", start=0)
    # The codec is named because NUT's own choice is a lossy one.
    return sound.output("pipe:1", format="nut", acodec="pcm_s16le", **_NO_EXTRAS)


def _placed(destination: Path) -> Any:
    """Second stage: every frame to its place, silence in between."""
    import ffmpeg

    sound = ffmpeg.input("pipe:0", format="nut", protocol_whitelist="pipe", copyts=None)["a"]
    # "async" fills and cuts where times and samples disagree: at the start by any amount, later by more
    # than the jitter of coarse container times, which must not be "corrected" click by click.
    sound = sound.filter("aresample", **{"async": 1, "first_pts": 0, "min_hard_comp": _JITTER_S})
    # The encoder takes its block from the first frame, of which the picture's start may leave less than it can write.
    sound = sound.filter("asetnsamples", n=_BLOCK_SAMPLES, p=0)
    return sound.output(file_url(destination), format="flac", acodec="flac", sample_fmt="s16", **_NO_EXTRAS)


def _steady_clock(info: MediaInfo) -> str:
    """An expression for ``asetpts``: time goes on from where it was when the clock jumps back or ahead too far.

    ``st(0, …)`` holds what has been added so far. A gap stays as it is, to be filled.
    """
    longest_gap_s = _LONGEST_GAP_OF_S.get(info.container, _LONGEST_GAP_S)
    jumped = f"N*not(between(PTS-PREV_INPTS,-0.5/TB,{longest_gap_s}/TB))"
    return f"PTS+st(0,ld(0)+if({jumped},PREV_INPTS+S/SR/TB-PTS,0))"


def _duration_ms(flac: Path, sample_rate_hz: int) -> int:
    import soundfile

    frames: int = soundfile.info(flac).frames
    return round(1000 * frames / sample_rate_hz)
