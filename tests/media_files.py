"""Small media files for tests, made with the real ffmpeg, and a way to read the time back from sound.

A *click track* has one short click at every whole second, so that a test can say where the sound ended up:

    clicks = click_track(tmp_path / "clicks.wav", seconds=4)
    video = make_video(tmp_path / "ep.mkv", clicks, audio_delay_s=0.5, subtitles=[Subtitles(SRT, "srt", "eng")])
    …
    assert click_times(flac) == pytest.approx([1.5, 2.5, 3.5], abs=0.002)

``CUES`` is what the ready-made subtitle files ``SRT``, ``ASS`` and ``VTT`` say, with times in milliseconds.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from video_preprocessing.media import find_ffmpeg

CUES = [(1100, 1900, "Where were you?"), (2250, 3000, "- Here.\n- 50% of the time, 'here'!")]

SRT = """1
00:00:01,100 --> 00:00:01,900
Where were you?

2
00:00:02,250 --> 00:00:03,000
- Here.
- 50% of the time, 'here'!
"""
VTT = """WEBVTT

00:01.100 --> 00:01.900
Where were you?

00:02.250 --> 00:03.000
- Here.
- 50% of the time, 'here'!
"""
ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,48,&H00FFFFFF,&H0000FFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,30,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.10,0:00:01.90,Default,Ann,0,0,0,,{\an8}Where were you?
Dialogue: 0,0:00:02.25,0:00:03.00,Default,Bob,0,0,0,,- Here.\N- 50% of the time, 'here'!
"""  # noqa: E501

_SUFFIX = {"srt": ".srt", "ass": ".ass", "webvtt": ".vtt", "mov_text": ".srt", "pgs": ".sup"}


@dataclass(frozen=True)
class Subtitles:
    """A subtitle track to put into a video. ``codec``: srt, ass, webvtt, mov_text, or pgs for a track of pictures."""

    text: str = ""
    codec: str = "srt"
    language: str | None = None
    title: str | None = None
    flags: str = "0"


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg, overwriting what is there; a failure shows what it said."""
    command = [str(find_ffmpeg()), "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def click_track(path: Path, *, seconds: int = 4, sample_rate_hz: int = 48000, channels: int = 2) -> Path:
    """A WAV file with a click of half a millisecond at every whole second from 1 on."""
    samples = np.zeros((seconds * sample_rate_hz, channels), np.float32)
    for second in range(1, seconds):
        samples[second * sample_rate_hz : second * sample_rate_hz + sample_rate_hz // 2000] = 0.8
    soundfile.write(path, samples, sample_rate_hz)
    return path


def click_times(path: Path) -> list[float]:
    """When the clicks of a click track sound, in seconds, to a fraction of a sample; at least 0.3 s apart."""
    samples, rate_hz = soundfile.read(path, always_2d=True)
    power = samples.mean(axis=1) ** 2
    times, start = [], 0
    while (loud := np.flatnonzero(power[start:] > power.max() / 16)).size:
        first = start + int(loud[0])
        around = np.arange(max(0, first - 200), min(len(power), first + 400))
        centre = float((around * power[around]).sum() / power[around].sum())
        times.append(centre / rate_hz - 0.00025)  # a click's centre is half its length late
        start = first + int(0.3 * rate_hz)
    return times


def make_video(
    path: Path,
    *sounds: Path,
    seconds: float = 4,
    video: str | None = "libx264",
    audio: str = "aac",
    video_delay_s: float = 0.0,
    audio_delay_s: float = 0.0,
    subtitles: Sequence[Subtitles] = (),
    options: Sequence[str] = (),
) -> Path:
    """A small video (64x36, 25 frames a second, B-frames) with the given sound files as audio tracks.

    Args:
        path: the file to write; its suffix chooses the container.
        sounds: one audio file per track.
        seconds: of picture.
        video: the video encoder, or None for a file without a picture.
        audio: the audio encoder.
        video_delay_s, audio_delay_s: when picture and sound (and subtitles with the sound) begin.
        subtitles: tracks to embed.
        options: further output options of ffmpeg, such as ``-metadata:s:a:0 language=jpn``.
    """
    inputs: list[str | Path] = []
    outputs: list[str | Path] = []
    if video:
        picture = f"testsrc2=size=64x36:rate=25:duration={seconds}"
        inputs += ["-itsoffset", str(video_delay_s), "-f", "lavfi", "-i", picture]
        outputs += ["-map", "0:v", "-c:v", video, *(["-preset", "ultrafast", "-bf", "2"] if video == "libx264" else [])]
    for sound in sounds:
        outputs += ["-map", f"{_count(inputs)}:a"]
        inputs += ["-itsoffset", str(audio_delay_s), "-i", sound]
    if sounds:
        outputs += ["-c:a", audio]
    for n, track in enumerate(subtitles):
        source = path.with_name(f"{path.stem}-{n}{_SUFFIX[track.codec]}")
        source.write_bytes(_pgs() if track.codec == "pgs" else track.text.encode())
        outputs += ["-map", f"{_count(inputs)}:s", f"-c:s:{n}", "copy" if track.codec == "pgs" else track.codec]
        inputs += ["-itsoffset", str(audio_delay_s), "-i", source]
        outputs += [f"-metadata:s:s:{n}", f"language={track.language or 'und'}", f"-disposition:s:{n}", track.flags]
        outputs += [f"-metadata:s:s:{n}", f"title={track.title}"] if track.title else []
    ffmpeg(*inputs, *outputs, *options, path)
    return path


def cut_off(source: Path, destination: Path, *, share: float) -> Path:
    """A copy that breaks off, as an unfinished download does."""
    data = source.read_bytes()
    destination.write_bytes(data[: int(share * len(data))])
    return destination


def _count(inputs: Sequence[str | Path]) -> int:
    return sum(argument == "-i" for argument in inputs)


def _pgs() -> bytes:
    """The smallest PGS stream: "end of display set" segments at 1 s and 2 s."""
    return b"".join(b"PG" + (90000 * s).to_bytes(4) + bytes(4) + b"\x80" + bytes(2) for s in (1, 2))
