"""Extraction of sound: on the video's clock, folded to stereo, whole or refused."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media_files import click_times, click_track, cut_off, ffmpeg, make_video

from video_preprocessing.media import choose_audio_track, extract_audio, probe
from yuki_builder.errors import MediaError

TOLERANCE_S = 0.002


def extract(video: Path, *, wanted: str | None = None) -> Path:
    flac = video.with_name(video.name + ".flac")
    info = probe(video)
    extract_audio(info, choose_audio_track(info, wanted), flac)
    return flac


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return click_track(tmp_path_factory.mktemp("clicks") / "clicks.wav", seconds=4)


@pytest.mark.parametrize("offset_s", [0.0, 0.5, -0.4])  # whole frames: an encoder moves its first frame to the grid
@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        ("mkv", "libx264", "aac"),
        ("mp4", "libx264", "aac"),  # priming and B-frames are in edit lists
        ("ts", "libx264", "aac"),  # the clock begins at 1.4 s
        ("webm", "libvpx", "libopus"),
        ("mkv", "mpeg4", "ac3"),
    ],
)
def test_sound_is_on_the_clock_of_the_picture(
    tmp_path: Path, clicks: Path, suffix: str, video: str, audio: str, offset_s: float
) -> None:
    """An earlier sound is cut, a later one padded; to the millisecond in every container."""
    delays = {"video_delay_s": -offset_s} if offset_s < 0 else {"audio_delay_s": offset_s}
    file = make_video(tmp_path / f"ep.{suffix}", clicks, video=video, audio=audio, **delays)
    assert click_times(extract(file)) == pytest.approx([1 + offset_s, 2 + offset_s, 3 + offset_s], abs=TOLERANCE_S)


def test_an_ffmpeg_without_soxr_is_as_exact(tmp_path: Path, clicks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video_preprocessing.media.audio.has_soxr", lambda ffmpeg: False)
    file = make_video(tmp_path / "ep.mkv", clicks, audio="flac", audio_delay_s=0.5)
    flac = extract(file)
    assert click_times(flac) == pytest.approx([1.5, 2.5, 3.5], abs=TOLERANCE_S)
    tone = np.sin(2 * np.pi * 15_000 * np.arange(96000) / 48000)  # above what a careless resampler keeps
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.stack([tone, tone], 1), 48000)
    samples, _ = soundfile.read(extract(tmp_path / "tone.wav"))
    assert np.std(samples[10_000:-10_000]) == pytest.approx(0.5 / 2**0.5, rel=0.01)


def test_avi_begins_with_its_first_frame(tmp_path: Path, clicks: Path) -> None:
    file = make_video(tmp_path / "ep.avi", clicks, audio="pcm_s16le")
    assert click_times(extract(file)) == pytest.approx([1, 2, 3], abs=TOLERANCE_S)


@pytest.mark.parametrize(
    ("suffix", "audio"),
    [("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libvorbis"),
     ("opus", "libopus")],
)  # fmt: skip
def test_plain_audio_begins_at_its_first_sample(tmp_path: Path, clicks: Path, suffix: str, audio: str) -> None:
    file = make_video(tmp_path / f"talk.{suffix}", clicks, video=None, audio=audio)
    info = probe(file)
    assert not info.has_video
    flac = extract(file)
    assert click_times(flac) == pytest.approx([1, 2, 3], abs=TOLERANCE_S)
    facts = soundfile.info(flac)
    assert (facts.samplerate, facts.channels, facts.subtype) == (44100, 2, "PCM_16")
    assert facts.duration == pytest.approx(4, abs=0.06)


def test_a_picture_that_begins_within_the_first_samples(tmp_path: Path) -> None:
    """Of the first 1,024 samples ten are left, fewer than FLAC writes at once: what mkvmerge makes of an MP4."""
    source, late = tmp_path / "source.mkv", tmp_path / "late.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4",
           "-c:a", "pcm_s16le", "-af", "asetnsamples=1024", source)  # fmt: skip
    ffmpeg("-itsoffset", 0.023, "-i", source, "-i", source, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    assert soundfile.info(extract(late)).frames == 44 * 1024 - 1014


def test_gaps_are_filled(tmp_path: Path, clicks: Path) -> None:
    """Two pieces of a recording with two seconds lost between them."""
    first = make_video(tmp_path / "a.ts", clicks, options=["-output_ts_offset", "0"])
    second = make_video(tmp_path / "b.ts", clicks, options=["-output_ts_offset", "6"])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    zero_ms = probe(first).start_ms
    later_s = (probe(second).start_ms - zero_ms) / 1000
    assert click_times(extract(joined)) == pytest.approx(
        [1, 2, 3, later_s + 1, later_s + 2, later_s + 3], abs=TOLERANCE_S
    )


@pytest.mark.parametrize("start_s", [0, 5000])
def test_a_clock_that_starts_anew_goes_on(tmp_path: Path, clicks: Path, start_s: int) -> None:
    """Joined recordings: neither is the second part lost, nor an hour of silence put between."""
    first = make_video(tmp_path / "a.ts", clicks, options=["-output_ts_offset", str(start_s)])
    second = make_video(tmp_path / "b.ts", clicks)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert click_times(extract(joined)) == pytest.approx([1, 2, 3, 5, 6, 7], abs=0.05)


def test_a_change_of_channels_in_mid_stream_does_not_move_anything(tmp_path: Path, clicks: Path) -> None:
    surround = click_track(tmp_path / "surround.wav", channels=6)
    first = make_video(tmp_path / "a.ts", clicks)
    second = make_video(tmp_path / "b.ts", surround, options=["-output_ts_offset", "5"])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    later_s = (probe(second).start_ms - probe(first).start_ms) / 1000
    assert click_times(extract(joined)) == pytest.approx(
        [1, 2, 3, later_s + 1, later_s + 2, later_s + 3], abs=TOLERANCE_S
    )


def tones(path: Path, layout: str, levels: list[float]) -> Path:
    """One second per channel in which only that channel sounds."""
    rate_hz, count = 48000, len(levels)
    samples = np.zeros((count * rate_hz, count), np.float32)
    wave = np.sin(2 * np.pi * 300 * np.arange(rate_hz) / rate_hz)
    for n, level in enumerate(levels):
        samples[n * rate_hz : (n + 1) * rate_hz, n] = level * wave
    raw = path.with_suffix(".raw")
    samples.tofile(raw)
    ffmpeg("-f", "f32le", "-ar", "48000", "-channel_layout", layout, "-i", raw, "-c:a", "flac", path)
    return path


def gains(flac: Path, count: int) -> np.ndarray:
    """Peak of left and right in the middle of every second, shape (count, 2)."""
    samples, rate_hz = soundfile.read(flac)
    return np.array([np.abs(samples[int((n + 0.3) * rate_hz) : int((n + 0.7) * rate_hz)]).max(0) for n in range(count)])


def test_stereo_passes_unchanged(tmp_path: Path) -> None:
    flac = extract(tones(tmp_path / "x.mka", "stereo", [0.8, 0.8]))
    assert gains(flac, 2) == pytest.approx(np.array([[0.8, 0], [0, 0.8]]), abs=0.002)


def test_mono_goes_to_both_channels_at_full_level(tmp_path: Path) -> None:
    assert gains(extract(tones(tmp_path / "x.mka", "mono", [0.8])), 1) == pytest.approx(
        np.array([[0.8, 0.8]]), abs=0.002
    )


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)"])
def test_centre_is_strongest_in_the_fold(tmp_path: Path, layout: str) -> None:
    front, centre, surround = np.array([1, 2**0.5, 0.5**0.5]) / (1 + 2**0.5 + 0.5**0.5)
    flac = extract(tones(tmp_path / "x.mka", layout, [0.9] * 6))
    assert gains(flac, 6) / 0.9 == pytest.approx(
        np.array([[front, 0], [0, front], [centre, centre], [0, 0], [surround, 0], [0, surround]]), abs=0.003
    )


@pytest.mark.parametrize(("layout", "count"), [("5.1", 6), ("7.1", 8), ("quad", 4), ("6.1", 7)])
def test_the_fold_never_clips(tmp_path: Path, layout: str, count: int) -> None:
    raw, file = tmp_path / "x.raw", tmp_path / "x.mka"
    wave = 0.99 * np.sin(2 * np.pi * 100 * np.arange(44100) / 44100)  # in all channels at once, all but full scale
    np.repeat(wave[:, None], count, axis=1).astype(np.float32).tofile(raw)
    ffmpeg("-f", "f32le", "-ar", "44100", "-channel_layout", layout, "-i", raw, "-c:a", "flac", file)
    folded, _ = soundfile.read(extract(file))
    assert np.abs(folded).max() <= 0.991
    assert folded == pytest.approx(np.repeat(wave[:, None], 2, axis=1), abs=0.001)  # the weights add up to 1


def test_the_wanted_track_is_extracted(tmp_path: Path, clicks: Path) -> None:
    tone = tones(tmp_path / "tone.flac", "stereo", [0.5, 0.5])
    file = make_video(
        tmp_path / "ep.mkv", tone, clicks,
        options=["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=jpn", "-metadata:s:a:1", "title=Main"],
    )  # fmt: skip
    assert [(t.language, t.title) for t in probe(file).audio] == [("en", None), ("ja", "Main")]
    assert click_times(extract(file, wanted="jpn")) == pytest.approx([1, 2, 3], abs=TOLERANCE_S)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, clicks: Path) -> None:
    file = make_video(tmp_path / "ep.mkv", clicks, options=["-metadata", "title=Someone's name"])
    first = extract(file).read_bytes()
    assert extract(file).read_bytes() == first
    assert b"Someone" not in first


def test_progress_rises_to_the_end(tmp_path: Path, clicks: Path) -> None:
    info = probe(make_video(tmp_path / "ep.mkv", clicks))
    seen: list[tuple[float, float | None]] = []
    extract_audio(info, info.audio[0], tmp_path / "x.flac", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "avi"])
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, clicks: Path, suffix: str) -> None:
    whole = make_video(tmp_path / f"whole.{suffix}", clicks, audio="aac" if suffix != "avi" else "pcm_s16le",
                       options=["-movflags", "+faststart"] if suffix == "mp4" else [])  # fmt: skip
    broken = cut_off(whole, tmp_path / f"broken.{suffix}", share=0.6)
    assert probe(broken).audio  # a probe still tells what was meant to be there
    with pytest.raises(MediaError, match=r"broken\.\w+: breaks off at 0:00:0[0-3] of 0:00:04\. Get the whole file"):
        extract(broken)


@pytest.mark.parametrize(("suffix", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("mka", "libopus")])
def test_sound_that_breaks_off_is_refused(tmp_path: Path, suffix: str, codec: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (4 * 48000, 2))
    soundfile.write(tmp_path / "noise.wav", noise, 48000)
    whole = make_video(tmp_path / f"whole.{suffix}", tmp_path / "noise.wav", video=None, audio=codec)
    assert soundfile.info(extract(whole)).duration == pytest.approx(4, abs=0.05)
    with pytest.raises(MediaError, match="breaks off at"):
        extract(cut_off(whole, tmp_path / f"broken.{suffix}", share=0.6))


def test_sound_shorter_than_the_picture_is_in_order(tmp_path: Path, clicks: Path) -> None:
    file = make_video(tmp_path / "ep.mkv", clicks, seconds=8)
    assert soundfile.info(extract(file)).duration == pytest.approx(4, abs=0.1)


def test_sound_that_ends_before_the_picture_begins_is_refused(tmp_path: Path, clicks: Path) -> None:
    file = make_video(tmp_path / "ep.mkv", clicks, video_delay_s=10)
    with pytest.raises(MediaError, match=r"no sound|decode nothing"):
        extract(file)


def test_a_codec_nobody_knows_is_named(tmp_path: Path, clicks: Path) -> None:
    file = make_video(tmp_path / "ep.mkv", clicks)
    file.write_bytes(file.read_bytes().replace(b"A_AAC", b"A_QQQ"))
    assert probe(file).audio[0].codec == "unknown"
    with pytest.raises(MediaError, match=r"ep\.mkv: ffmpeg failed: .*[Dd]ecoder"):
        extract(file)


def test_damage_in_the_middle_leaves_times_in_place(tmp_path: Path) -> None:
    clicks = click_track(tmp_path / "long.wav", seconds=10)
    file = make_video(tmp_path / "ep.ts", clicks, seconds=10)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8 * 188] = np.random.default_rng(1).bytes(8 * 188)
    file.write_bytes(data)
    times = click_times(extract(file))
    assert len(times) >= 7
    assert times == pytest.approx([round(t) for t in times], abs=0.005)


def test_a_full_disk_is_an_oserror(tmp_path: Path, clicks: Path) -> None:
    info = probe(make_video(tmp_path / "ep.mkv", clicks))
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OSError, match="/dev/full") as caught:
        extract_audio(info, info.audio[0], Path("/dev/full"))
    assert caught.value.errno == errno.ENOSPC


def test_a_missing_output_folder_is_an_oserror(tmp_path: Path, clicks: Path) -> None:
    info = probe(make_video(tmp_path / "ep.mkv", clicks))
    with pytest.raises(FileNotFoundError):
        extract_audio(info, info.audio[0], tmp_path / "no" / "x.flac")


def test_an_interrupt_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=600", "-c:a", "pcm_s16le", tmp_path / "long.mka")
    info = probe(tmp_path / "long.mka")

    def interrupt(completed: float, total: float | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_audio(info, info.audio[0], tmp_path / "x.flac", progress=interrupt)
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, check=False)
    assert b"ffmpeg" not in children.stdout


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Peak memory of a process that extracts one minute and one that extracts ten: 95 MB more, were they held."""
    code = (
        "import resource, sys; from pathlib import Path; from video_preprocessing.media import extract_audio, probe\n"
        "info = probe(sys.argv[1]); extract_audio(info, info.audio[0], Path(sys.argv[1] + '.flac'))\n"
        "print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))"
    )
    peaks = []
    for seconds in (60, 600):
        file = tmp_path / f"{seconds}.mka"
        ffmpeg("-f", "lavfi", "-i", f"sine=d={seconds}:r=48000", "-ac", "2", "-c:a", "ac3", file)
        done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 20_000  # kilobytes
