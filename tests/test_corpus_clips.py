"""Clips and levels: cut from real sound files, compared sample by sample with what they were cut from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.corpus import ClipReport, read_sounds
from yuki_builder.corpus.audio import sound as sound_module
from yuki_builder.corpus.audio.clips import FADE_MS, MARGIN_MS, clip_spans, fade
from yuki_builder.corpus.audio.levels import level_db
from yuki_builder.corpus.audio.sound import ForwardReader, to_samples
from yuki_builder.errors import InputError, InternalError, MediaError
from yuki_builder.records import MOST_AT_ONCE, Line, Span, too_many_at_once

RATE = 44_100


def cut_clips(lines: Sequence[Line], vocals: Path, destination: Path, **more: Any) -> ClipReport:
    return read_sounds(lines, vocals, destination=destination, **more).clips


def measure_levels(lines: Sequence[Line], mix: Path, vocals: Path, **more: Any) -> Mapping[str, float | None]:
    return read_sounds(lines, vocals, mix=mix, **more).levels


def a_line(line_id: str, start_ms: int, end_ms: int, character: str | None = "春日") -> Line:
    return Line(line_id, "ep01", 0, start_ms, end_ms, "x", character=character)


def noise(seconds: float, channels: int = 2, level: float = 0.1, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, level, (int(seconds * RATE), channels)).clip(-1, 1)


@pytest.fixture(scope="module")
def vocals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocals") / "vocals.flac"
    sf.write(path, noise(12), RATE, subtype="PCM_16")
    return path


spans = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 600)).map(lambda pair: Span(pair[0], pair[0] + pair[1])), max_size=12
)


@given(spans)
def test_margins_never_enter_another_line(given_spans: list[Span]) -> None:
    widened = clip_spans(given_spans)
    for i, (span, wide) in enumerate(zip(given_spans, widened, strict=True)):
        left, right = span.start_ms - wide.start_ms, wide.end_ms - span.end_ms
        assert 0 <= left <= MARGIN_MS
        assert 0 <= right <= MARGIN_MS
        if span.duration_ms == 0:
            assert (left, right) == (0, 0)
            continue
        others = [(s, w) for j, (s, w) in enumerate(zip(given_spans, widened, strict=True)) if j != i and s.duration_ms]
        for other, other_wide in others:
            assert other.overlap_ms(Span(wide.start_ms, span.start_ms)) == 0
            assert other.overlap_ms(Span(span.end_ms, wide.end_ms)) == 0
            if not span.overlap_ms(other):
                assert wide.overlap_ms(other_wide) == 0  # a shared gap is shared, not taken twice
        # And no margin is smaller than it has to be.
        before = [s.end_ms for s, _ in others if s.start_ms < span.start_ms]
        after = [s.start_ms for s, _ in others if s.end_ms > span.end_ms]
        assert left == min([MARGIN_MS, *(max(0, span.start_ms - t) // 2 for t in before)])
        assert right == min([MARGIN_MS, *(max(0, t - span.end_ms) // 2 for t in after)])


def test_a_gap_is_split_in_the_middle_and_an_overlap_gets_no_margin() -> None:
    assert clip_spans([Span(1000, 2000), Span(2060, 3000), Span(2900, 4000)]) == [
        Span(950, 2030),
        Span(2030, 3000),
        Span(2900, 4050),
    ]


def test_clips_hold_the_samples_of_the_vocals(tmp_path: Path, vocals: Path) -> None:
    lines = [
        a_line("b", 5000, 6500),
        a_line("a", 1000, 2000, None),
        a_line("overlapping", 6000, 7000, "阿虚"),
        a_line("at-the-end", 11_500, 12_500),
        a_line("at-the-start", 10, 400),
    ]
    seen: list[tuple[float, float | None]] = []
    report = cut_clips(
        lines,
        vocals,
        tmp_path / "clips",
        clip_root="ep01/clips",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report.left_out == {}
    assert (report.kept, report.dropped) == (5, {})
    assert [line.clip for line in report.lines] == [
        "ep01/clips/春日/b.flac",
        "ep01/clips/_unknown/a.flac",
        "ep01/clips/阿虚/overlapping.flac",
        "ep01/clips/春日/at-the-end.flac",
        "ep01/clips/春日/at-the-start.flac",
    ]
    assert seen == [(i, 5) for i in range(1, 6)]
    expected = [(4950, 6500), (950, 2050), (6000, 7050), (11_450, 12_000), (0, 450)]
    edge = to_samples(FADE_MS, RATE)
    whole, _ = sf.read(vocals, dtype="int16")
    for line, (start_ms, end_ms) in zip(report.lines, expected, strict=True):
        path = tmp_path / str(line.clip).removeprefix("ep01/")
        info = sf.info(path)
        assert (info.samplerate, info.channels, info.subtype, info.format) == (RATE, 2, "PCM_16", "FLAC")
        clip, _ = sf.read(path, dtype="int16")
        source = whole[to_samples(start_ms, RATE) : to_samples(end_ms, RATE)]
        assert len(clip) == len(source)
        np.testing.assert_array_equal(clip[edge:-edge], source[edge:-edge])
        for end in (clip[:edge], clip[::-1][:edge]):
            assert np.abs(end[0]).max() < 10  # starts and ends near zero …
        assert np.abs(clip[edge // 2 : edge]).max() > np.abs(clip[: edge // 4]).max()  # … and rises
        assert not np.array_equal(clip[:edge], source[:edge])


def test_the_same_lines_give_the_same_bytes(tmp_path: Path, vocals: Path) -> None:
    lines = [a_line("a", 1000, 2000), a_line("b", 3000, 4000, None)]
    for name in ("one", "two"):
        cut_clips(lines if name == "one" else lines[::-1], vocals, tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.flac"))
    assert len(files) == 2
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_lines_without_enough_sound_are_left_out_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    sf.write(path, np.full((RATE * 70, 1), 0.1), RATE)
    lines = [
        a_line("empty", 500, 500),
        a_line("short", 1000, 1149),
        a_line("long-enough", 2000, 2150),
        a_line("mostly-after", 69_900, 71_000),
        a_line("after", 80_000, 81_000),
        a_line("endless", 0, 61_000),
    ]
    report = cut_clips(lines, path, tmp_path / "clips")
    assert report.left_out == {
        "empty": "shorter than 150 ms",
        "short": "shorter than 150 ms",
        "mostly-after": "shorter than 150 ms",
        "after": "after the end of the sound",
        "endless": "longer than 60 s",
    }
    assert report.dropped == {"shorter than 150 ms": 3, "after the end of the sound": 1, "longer than 60 s": 1}
    assert [line.line_id for line in report.lines] == [line.line_id for line in lines]
    assert [line.clip for line in report.lines if line.clip] == ["clips/春日/long-enough.flac"]
    assert report.kept == 1


def test_hostile_ids_and_names_stay_inside(tmp_path: Path, vocals: Path) -> None:
    lines = [a_line("../../x", 1000, 2000, "../../y"), a_line("/abs", 3000, 4000, "<script>")]
    report = cut_clips(lines, vocals, tmp_path / "a" / "clips")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["clips"]
    assert all((tmp_path / "a" / str(line.clip)).is_file() for line in report.lines)


def test_a_repeated_id_is_noticed(tmp_path: Path, vocals: Path) -> None:
    with pytest.raises(InternalError, match="share one id"):
        cut_clips([a_line("a", 1000, 2000), a_line("a", 3000, 4000)], vocals, tmp_path)


@pytest.mark.parametrize(
    ("name", "subtype", "channels", "expected"),
    [("v.wav", "FLOAT", 1, "PCM_24"), ("v.flac", "PCM_24", 6, "PCM_24"), ("v.ogg", "VORBIS", 2, "PCM_24")],
)
def test_other_kinds_of_vocals(tmp_path: Path, name: str, subtype: str, channels: int, expected: str) -> None:
    sf.write(tmp_path / name, noise(3, channels), RATE, subtype=subtype)
    report = cut_clips([a_line("a", 1000, 2000)], tmp_path / name, tmp_path / "clips")
    path = tmp_path / str(report.lines[0].clip)
    assert (sf.info(path).subtype, sf.info(path).channels) == (expected, channels)
    clip, source = sf.read(path, always_2d=True)[0], sf.read(tmp_path / name, always_2d=True)[0]
    edge = to_samples(FADE_MS, RATE)
    start = to_samples(950, RATE)
    np.testing.assert_allclose(clip[edge:-edge], source[start + edge : start + len(clip) - edge], atol=2e-7)


def test_sound_that_cannot_be_read(tmp_path: Path, vocals: Path) -> None:
    lines = [a_line("a", 1000, 2000), a_line("b", 10_000, 11_000)]
    with pytest.raises(FileNotFoundError):
        cut_clips(lines, tmp_path / "missing.flac", tmp_path / "clips")
    (tmp_path / "text.flac").write_text("not a sound")
    with pytest.raises(MediaError, match="cannot be read") as caught:
        cut_clips(lines, tmp_path / "text.flac", tmp_path / "clips")
    assert caught.value.where == str(tmp_path / "text.flac")
    raw = vocals.read_bytes()
    (tmp_path / "cut.flac").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(MediaError):
        cut_clips(lines, tmp_path / "cut.flac", tmp_path / "clips")


def test_a_destination_that_cannot_be_written_is_an_os_error(tmp_path: Path, vocals: Path) -> None:
    (tmp_path / "clips").write_text("a file is in the way")
    with pytest.raises(OSError, match="clips"):
        cut_clips([a_line("a", 1000, 2000)], vocals, tmp_path / "clips")


def test_fades_meet_in_the_middle_of_what_is_shorter_than_both() -> None:
    ones = np.ones((7, 2), np.float32)
    faded = fade(ones, 100)
    assert faded.shape == (7, 2)
    np.testing.assert_allclose(faded, faded[::-1])
    assert faded[0, 0] < faded[1, 0] < faded[2, 0] < faded[3, 0] == 1
    assert fade(ones[:0], 100).shape == (0, 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 3000)), max_size=8))
def test_reading_forward_gives_what_slicing_gives(pairs: list[tuple[int, int]]) -> None:
    import io

    whole = np.arange(6500, dtype=np.float32)[:, None] / 8192
    file = io.BytesIO()
    sf.write(file, whole, 1000, format="WAV", subtype="FLOAT")
    file.seek(0)
    with pytest.MonkeyPatch.context() as patch, sf.SoundFile(file) as opened:
        patch.setattr(sound_module, "_BLOCK_MS", 700)
        reader, furthest = ForwardReader(opened), 0
        for start, length in sorted(pairs):
            end = min(start + length, 6500)
            np.testing.assert_array_equal(reader.read(start, end), whole[start:end])
            furthest = max(furthest, end)
            assert sum(len(block) for _, block in reader._held) <= furthest - start + 2 * 700


# --- levels


def voice(seconds: float, amplitude: float = 0.3) -> npt.NDArray[np.float64]:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.stack([amplitude * np.sin(2 * np.pi * 220 * t)] * 2, axis=1)


def write_pair(folder: Path, vocals: npt.NDArray[np.float64], rest: npt.NDArray[np.float64]) -> tuple[Path, Path]:
    mix_path, vocals_path = folder / "mix.flac", folder / "vocals.flac"
    sf.write(mix_path, vocals + rest, RATE, subtype="PCM_16")
    sf.write(vocals_path, vocals, RATE, subtype="PCM_16")
    return mix_path, vocals_path


def test_levels_are_the_ratio_of_the_energies(tmp_path: Path) -> None:
    level = 0.3 / np.sqrt(2)  # of the sine
    rest = np.concatenate([noise(15, level=level / 2, seed=1), noise(15, level=level * 2, seed=2)])
    # The clipping of the mix would be a difference too, so everything is small.
    mix, vocals = write_pair(tmp_path, 0.1 * voice(30), 0.1 * rest)
    lines = [
        a_line("quiet music", 1000, 3000),
        a_line("loud music", 20_000, 21_500),
        a_line("half and half, over several blocks", 2_000, 28_000),
        a_line("overlapping", 1500, 4000),
    ]
    seen: list[tuple[float, float | None]] = []
    levels = measure_levels(lines, mix, vocals, progress=lambda done, total: seen.append((done, total)))
    assert set(levels) == {line.line_id for line in lines}
    assert levels["quiet music"] == pytest.approx(6.0, abs=0.2)
    assert levels["loud music"] == pytest.approx(-6.0, abs=0.2)
    assert levels["half and half, over several blocks"] == pytest.approx(-10 * np.log10((0.25 + 4) / 2), abs=0.2)
    assert levels["overlapping"] == pytest.approx(6.0, abs=0.2)
    assert seen[-1] == (4, 4)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_levels_are_none_where_nothing_can_be_said(tmp_path: Path) -> None:
    sine = voice(4)
    sine[2 * RATE :] = 0
    rest = noise(4, level=0.01)
    rest[: RATE // 2] = 0
    mix, vocals = write_pair(tmp_path, sine, rest)
    lines = [
        a_line("nothing separated", 0, 400),
        a_line("clean", 300, 600),
        a_line("silent", 2500, 3500),
        a_line("empty", 1000, 1000),
        a_line("after", 9000, 9900),
    ]
    levels = measure_levels(lines, mix, vocals)
    assert {key: value for key, value in levels.items() if value is not None}.keys() == {"clean"}
    assert measure_levels(lines[:2], mix, mix) == {"nothing separated": None, "clean": None}


def test_a_background_of_rounding_alone_gives_a_high_and_finite_level(tmp_path: Path) -> None:
    mix, vocals = write_pair(tmp_path, voice(2), noise(2, level=2e-5))
    level = measure_levels([a_line("a", 0, 2000)], mix, vocals)["a"]
    assert level is not None
    assert 70 < level < 80


def test_mono_vocals_of_a_stereo_mix(tmp_path: Path) -> None:
    sine = voice(2)
    sf.write(tmp_path / "mix.flac", (sine + noise(2, level=0.3 / np.sqrt(2))) * 0.3, RATE)
    sf.write(tmp_path / "vocals.flac", sine[:, 0] * 0.3, RATE)
    levels = measure_levels([a_line("a", 0, 2000)], tmp_path / "mix.flac", tmp_path / "vocals.flac")
    assert levels["a"] == pytest.approx(3.0, abs=0.4)  # two independent noises lose 3 dB when they are folded


def test_different_sample_rates_are_refused(tmp_path: Path, vocals: Path) -> None:
    sf.write(tmp_path / "mix.flac", noise(1), 48_000)
    with pytest.raises(InputError, match="44100 Hz and the mix 48000 Hz"):
        measure_levels([], tmp_path / "mix.flac", vocals)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 10**6))
def test_level_is_antisymmetric_above_the_floor(a: float, b: float, samples: int) -> None:
    there, back = level_db(a, b, samples), level_db(b, a, samples)
    if min(a, b) > samples * 1e-9:
        assert there is not None
        assert back is not None
        assert there == pytest.approx(-back)


def test_lines_among_too_many_get_no_clip_and_are_not_measured(vocals: Path, tmp_path: Path) -> None:
    many = [a_line(f"c{k}", 1000 + k, 3000 + k) for k in range(MOST_AT_ONCE + 2)]
    alone = a_line("alone", 5000, 6000)
    found = read_sounds([*many, alone], vocals, mix=vocals, destination=tmp_path)
    assert [line.clip is not None for line in found.clips.lines] == [False] * len(many) + [True]
    assert set(found.clips.dropped) == {"more than 8 other lines at the same time"}
    assert found.qualities[0].bandwidth_hz == 0
    assert found.qualities[-1].bandwidth_hz > 0


@given(spans)
def test_who_speaks_among_too_many(given_spans: list[Span]) -> None:
    solid = [span for span in given_spans if span.duration_ms]
    for span, many in zip(given_spans, too_many_at_once(given_spans), strict=True):
        assert many == (sum(span.overlap_ms(other) > 0 for other in solid) - 1 > MOST_AT_ONCE)
