"""The demo episode: thirty real seconds of a telephone conversation, made into a video with music and subtitles.

    python -m video_preprocessing.media.demo demo/ep01.mkv

Voices and transcript are the sample that pyannote.audio ships in its package (MIT licence): Diane in New Jersey
(``speaker90`` in the sample's turns) and Sheila in Texas (``speaker91``), who introduce themselves by these names.
The music and the picture are computed here. The subtitles name the speaker (ASS actor field) in every other line
of each, so that the voices have to tell the rest; a song line and a comment are there to be left out.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_preprocessing.media.containers import open_container
from video_preprocessing.media.demo_music import SAMPLE_RATE_HZ, synthesise_music
from video_preprocessing.media.ffmpeg_process import file_url, run_ffmpeg
from yuki_builder.errors import MediaError, YukiError
from yuki_builder.records import FloatArray, Span
from yuki_builder.rttm import read_rttm

MUSIC_BELOW_VOICE_DB = 3.0
_PEAK = 0.9
_FRAME_RATE_HZ = 15
_WIDTH, _HEIGHT = 640, 360
_RECIPE_TAG = "DEMO_RECIPE"

_SONG = Span(800, 5800)
_SONG_TEXT = r"{\fad(300,300)}{\k50}♪ Slow {\k60}falls {\k40}the {\k90}night {\k50}over {\k40}the {\k100}hills ♪"
_ASS_HEAD = """[Script Info]
Title: Demo episode
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,22,&H00FFFFFF,&H000000FF,&H00202020,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,20,20,20,1
Style: Song,Arial,20,&H00C8E6FF,&H00B4A0A0,&H00202020,&H00000000,0,1,0,0,100,100,0,0,1,2,0,8,20,20,20,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:30.00,Default,,0,0,0,,Timed after the transcript that comes with the recording.
"""


@dataclass(frozen=True)
class Utterance:
    """One line of the sample's transcript."""

    speaker: str
    span: Span
    text: str


def build_demo(destination: Path, *, force: bool = False) -> Path:
    """Build the demo episode unless it is there already, built by this very recipe from this very sample.

    Args:
        destination: the mkv to write: 640x360 video, AAC 48 kHz stereo, ASS subtitles; 30 s. It appears under
            this name only when it is complete.
        force: build it anyway.

    Returns:
        ``destination``.

    Raises:
        MediaError: the sample is missing, or ffmpeg fails.
        OSError: ``destination`` cannot be written.
    """
    folder = _sample_folder()
    recipe = _recipe(folder)
    if not force and _recipe_of(destination) == recipe:
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        handle, name = tempfile.mkstemp(dir=destination.parent, prefix=f".{destination.name}-", suffix=".tmp")
        os.close(handle)
        unfinished = Path(name)
        try:
            _mux(folder, Path(scratch), unfinished, recipe)
            unfinished.chmod(0o644)
            unfinished.replace(destination)
        finally:
            unfinished.unlink(missing_ok=True)
    return destination


def read_stm(path: Path) -> list[Utterance]:
    """The lines of an STM transcript: file, channel, speaker, start and end in seconds, words."""
    lines = []
    for row in path.read_text(encoding="utf-8").splitlines():
        _, _, speaker, start, end, text = row.split(maxsplit=5)
        lines.append(Utterance(speaker, Span(round(1000 * float(start)), round(1000 * float(end))), text))
    return lines


def ass_script(lines: Sequence[Utterance]) -> str:
    """The subtitle file: every other line of each speaker, from the first on, names who speaks."""
    seen: Counter[str] = Counter()
    events = [_event(_SONG, "Song", "", _SONG_TEXT)]
    for line in lines:
        name = line.speaker if seen[line.speaker] % 2 == 0 else ""
        seen[line.speaker] += 1
        events.append(_event(line.span, "Default", name, line.text))
    return _ASS_HEAD + "".join(events)


def mix_with_music(voices: FloatArray, spoken: Sequence[Span]) -> FloatArray:
    """The soundtrack: the voices in the middle, music below them.

    Args:
        voices: shape (n,), at ``SAMPLE_RATE_HZ``.
        spoken: when somebody speaks; the level of the voices is measured there.

    Returns:
        shape (n, 2), its peak at 0.9.
    """
    speaking = np.zeros(len(voices), bool)
    for span in spoken:
        speaking[span.start_ms * SAMPLE_RATE_HZ // 1000 : span.end_ms * SAMPLE_RATE_HZ // 1000] = True
    music = synthesise_music(len(voices))
    wanted_rms = _rms(voices[speaking]) * 10 ** (-MUSIC_BELOW_VOICE_DB / 20)
    mix = voices[:, None] + music * (wanted_rms / _rms(music))
    return np.asarray(mix * (_PEAK / np.abs(mix).max()), np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 where the demo is there, 2 with one line on stderr where it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m video_preprocessing.media.demo", description="Build the demo.")
    parser.add_argument("destination", type=Path, metavar="DEST.mkv")
    parser.add_argument("--force", action="store_true", help="build it even if it is there and up to date")
    options = parser.parse_args(arguments)
    try:
        print(build_demo(options.destination, force=options.force))
    except YukiError as e:
        print(e, file=sys.stderr)
        return e.exit_status
    except OSError as e:
        print(f"{options.destination}: cannot be written: {e.strerror}", file=sys.stderr)
        return 2
    return 0


def _sample_folder() -> Path:
    spec = importlib.util.find_spec("pyannote.audio")  # finds the package without importing it
    for folder in (spec.submodule_search_locations or []) if spec else []:
        sample = Path(folder) / "sample"
        if all((sample / f"sample.{kind}").is_file() for kind in ("wav", "rttm", "stm")):
            return sample
    raise MediaError("the sample inside pyannote.audio is not there", remedy="install pyannote.audio 4.0.4 or newer")


def _recipe(folder: Path) -> str:
    digest = hashlib.sha256()
    for code in (Path(__file__), Path(synthesise_music.__code__.co_filename)):
        digest.update(code.read_bytes())
    for kind in ("wav", "rttm", "stm"):
        digest.update((folder / f"sample.{kind}").read_bytes())
    return digest.hexdigest()[:16]


def _recipe_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        with open_container(path) as container:
            return container.metadata.get(_RECIPE_TAG)
    except MediaError:
        return None


def _mux(folder: Path, scratch: Path, destination: Path, recipe: str) -> None:
    import ffmpeg
    import soundfile
    import soxr

    voices, rate_hz = soundfile.read(folder / "sample.wav", dtype="float32")
    voices = soxr.resample(voices, rate_hz, SAMPLE_RATE_HZ)
    mix = mix_with_music(voices, [turn.span for turn in read_rttm(folder / "sample.rttm")])
    soundfile.write(scratch / "mix.wav", mix, SAMPLE_RATE_HZ)
    (scratch / "subtitles.ass").write_text(ass_script(read_stm(folder / "sample.stm")), encoding="utf-8")
    (scratch / "picture.ppm").write_bytes(b"P6 %d %d 255\n" % (_WIDTH, _HEIGHT) + _picture().tobytes())

    sound = ffmpeg.input(file_url(scratch / "mix.wav"))
    waves = sound.audio.filter(
        "showwaves", s=f"{_WIDTH}x100", mode="cline", rate=_FRAME_RATE_HZ, colors="0xFFE6C8@0.7", scale="sqrt"
    )
    picture = ffmpeg.input(file_url(scratch / "picture.ppm"), loop=1, framerate=_FRAME_RATE_HZ)
    written = ffmpeg.output(
        picture.video.overlay(waves, x=0, y=_HEIGHT - 150, shortest=1).filter("format", "yuv420p"),
        sound.audio,
        ffmpeg.input(file_url(scratch / "subtitles.ass"))["s"],
        file_url(destination),
        format="matroska",
        vcodec="mpeg4",  # every ffmpeg has it
        acodec="aac",
        scodec="ass",
        t=len(mix) / SAMPLE_RATE_HZ,
        **{
            "q:v": 5,
            "b:a": "192k",
            "metadata": f"{_RECIPE_TAG}={recipe}",
            "metadata:s:a:0": "language=eng",
            "metadata:s:s:0": "language=eng",
            "disposition:s:0": "default",
            "fflags": "+bitexact",
            "flags": "+bitexact",
        },
    )
    run_ffmpeg(written, source=folder / "sample.wav", destination=destination)


def _event(span: Span, style: str, name: str, text: str) -> str:
    return f"Dialogue: 0,{_time(span.start_ms)},{_time(span.end_ms)},{style},{name},0,0,0,,{text}\n"


def _time(time_ms: int) -> str:
    centiseconds = round(time_ms / 10)
    seconds = centiseconds // 100
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{centiseconds % 100:02d}"


def _picture() -> npt.NDArray[np.uint8]:
    """Dusk over two ranges of hills, shape (height, width, 3)."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    height = (y / _HEIGHT)[..., None]
    sky = (1 - height) * np.array([44, 48, 92]) + height * np.array([238, 148, 116])
    distance = np.hypot(x - 0.72 * _WIDTH, y - 0.42 * _HEIGHT)[..., None]
    sky += np.clip(1.5 - distance / 26, 0, 1) * (np.array([255, 226, 178]) - sky)
    sky += 60 * np.exp(-distance / 90)
    for base, rise, wave, colour in ((0.62, 0.06, 130, (92, 70, 108)), (0.76, 0.08, 210, (46, 40, 74))):
        ridge = _HEIGHT * (base - rise * (np.sin(x / wave * 2) + 0.4 * np.sin(x / wave * 5 + base * 9)))
        cover = np.clip(y - ridge, 0, 1)[..., None]
        sky += cover * (np.array(colour) - sky)
    return np.asarray(np.clip(sky, 0, 255), np.uint8)


def _rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


if __name__ == "__main__":
    sys.exit(main())
