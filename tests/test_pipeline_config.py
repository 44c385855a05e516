"""Options: defaults, then a TOML file, then flags; what makes no sense is refused by name."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import EpisodeConfig, find_videos, load_config
from pipelines.config import OPTIONS, ROWS, command_of, merge
from pipelines.console.app import main
from yuki_builder.errors import ConfigError, InputError


def test_defaults_are_the_contract() -> None:
    config = EpisodeConfig(Path("ep01.mkv"))
    assert (config.out, config.subtitles, config.separator, config.diarizer, config.device) == (
        Path("out"),
        "auto",
        "dialogue",
        "embedded",
        "auto",
    )
    assert config.audio_track is config.subtitle_track is None and config.characters == config.labels == ()
    assert not config.force
    assert not config.separate_enrolment


def test_texts_become_paths_and_numbers_positions() -> None:
    config = EpisodeConfig("ep01.mkv", out="o", characters="c", audio_track=1)  # type: ignore[arg-type]
    assert (config.video, config.out, config.characters) == (Path("ep01.mkv"), Path("o"), (Path("c"),))
    assert config.audio_track == "1"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("device", "gpu"),
        ("device", "cuda:x"),
        ("separator", ""),
        ("subtitles", "a\0b"),
        ("out", ""),
        ("characters", 3),
        ("audio_track", ""),
        ("diarizer", None),
        ("crossfade", -1),
        ("window_frames", 500),
    ],
)
def test_values_that_make_no_sense(option: str, value: object) -> None:
    with pytest.raises(ConfigError) as error:
        EpisodeConfig(Path("ep01.mkv"), **{option: value})  # type: ignore[arg-type]
    assert f"--{option.replace('_', '-')}" in str(error.value)
    assert error.value.exit_status == 2


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "yuki.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_file_sets_options_and_its_paths_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "net.pth").touch()
    path = write(
        tmp_path,
        "\ufeff"
        'video = ["a.mkv", "/b.mkv"]\nout = "o"\ncharacters = "声"\nseparator = "net.pth"\ndiarizer = "pyannote"\n'
        'subtitles = "auto"\nsubtitle-track = 2\naudio_track = "ja"\nseparate_enrolment = true\n',
    )
    assert load_config(path) == {
        "video": [tmp_path / "a.mkv", Path("/b.mkv")],
        "out": tmp_path / "o",
        "characters": (tmp_path / "声",),
        "separator": tmp_path / "net.pth",
        "diarizer": "pyannote",
        "subtitles": "auto",
        "subtitle_track": "2",
        "audio_track": "ja",
        "separate_enrolment": True,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seperator = 'x'", "there is no option 'seperator'. Did you mean 'separator'?"),
        ("zzz = 1", "there is no option 'zzz'. The options are video, out, subtitles"),
        ("force = 'yes'", "'force' needs true or false, not 'yes'"),
        ("out = 3", "'out' needs a text, not 3"),
        ("audio_track = true", "'audio_track' needs a text, not True"),
        ("video = []", "'video' needs a path or a list of them"),
        ("video = [1]", "'video' needs a path or a list of them"),
        ("export = 3", "'export' needs a name or a list of them"),
        ("[out]\nx = 1", "'out' needs a text"),
        ("out = ", "not valid TOML"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, text))
    assert message in str(error.value)
    assert "yuki.toml" in str(error.value)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a = '\xff'"])
def test_file_that_is_no_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "yuki.toml").write_bytes(data)
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "yuki.toml")


def test_every_option_is_a_flag_and_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for row in ROWS:
        assert row.flag in shown
        assert " ".join(row.option.help.split("  ")[0].split()) in shown


@given(st.lists(st.dictionaries(st.sampled_from(OPTIONS), st.none() | st.text(max_size=2)), max_size=3))
def test_later_layers_win_and_none_says_nothing(layers: list[dict[str, str | None]]) -> None:
    merged = merge(*layers)
    for name in OPTIONS:
        said = [layer[name] for layer in layers if layer.get(name) is not None]
        assert merged.get(name) == (said[-1] if said else None)


# --- which videos -----------------------------------------------------------------------------------------


@pytest.fixture
def season(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ep10.mkv", "ep2.MKV", "ep1.mp4", "Ep3.ts", ".hidden.mkv", "ep1.srt", "ost.flac", "[a] 1.mkv"):
        (tmp_path / name).touch()
    (tmp_path / "extras").mkdir()
    (tmp_path / "extras" / "x.mkv").touch()
    (tmp_path / "radio").mkdir()
    (tmp_path / "radio" / "b.mp3").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folder_stands_for_its_videos_in_natural_order(season: Path) -> None:
    assert [p.name for p in find_videos([season])] == ["[a] 1.mkv", "ep1.mp4", "ep2.MKV", "Ep3.ts", "ep10.mkv"]
    assert [p.name for p in find_videos(["radio"])] == ["b.mp3"]


def test_pattern(season: Path) -> None:
    assert find_videos(["ep*.[Mm]*"]) == [Path("ep1.mp4"), Path("ep2.MKV"), Path("ep10.mkv")]
    assert find_videos(["**/*.mkv"])[-1] == Path("extras/x.mkv")
    assert find_videos(["[a] 1.mkv"]) == [Path("[a] 1.mkv")]  # a file of that very name
    with pytest.raises(InputError, match="no file matches"):
        find_videos(["*.avi"])


def test_every_file_once_in_the_order_given(season: Path) -> None:
    assert find_videos(["ep10.mkv", season, "./ep10.mkv"])[:2] == [Path("ep10.mkv"), season / "[a] 1.mkv"]
    assert len(find_videos(["ep10.mkv", season, "./ep10.mkv"])) == 5


def test_folder_without_media(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no video in this folder"):
        find_videos([tmp_path])


def test_a_configuration_as_the_command_that_makes_it(tmp_path: Path) -> None:
    videos = [tmp_path / "a 1's.mkv", tmp_path / "-b.mkv"]
    options: dict[str, Any] = {
        "out": tmp_path / "o",
        "separator": "none",
        "resync": False,
        "align_words": True,
        "subtitle_track": "-1",
        "characters": (tmp_path / "x", tmp_path / "y"),
        "jobs": 4,
    }
    command = command_of([EpisodeConfig(video, **options) for video in videos])
    words = shlex.split(command)
    assert words[:6] == ["python", "run_pipeline.py", "--video", str(videos[0]), "--video", str(videos[1])]
    rest = words[6:]
    assert {"--no-resync", "--align-words", "--subtitle-track=-1"} <= set(rest)
    assert [rest[k + 1] for k, word in enumerate(rest) if word == "--characters"] == [str(tmp_path / n) for n in "xy"]
    assert rest[rest.index("--out") + 1] == str(tmp_path / "o")
    assert "--jobs" not in rest  # how it is worked on is nobody's business
    assert command_of([EpisodeConfig(Path("a.mkv"))]) == "python run_pipeline.py --video a.mkv --out out"
