"""What episodes are called, after their files and after the folders that name seasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.episode.naming import episode_number, season_of, seasonal_name
from pipelines.episode.session import Session
from yuki_builder.names import path_name


@pytest.mark.parametrize(
    ("folder", "season"),
    [
        ("Season 2", 2),
        ("season_03", 3),
        ("Show Season 4 [BD]", 4),
        ("Show S2", 2),
        ("S01", 1),
        ("2nd Season", 2),
        ("第2季", 2),
        ("某剧 第二季", 2),
        ("第十二期", 12),
        ("二十一部", None),
        ("第十十季", None),
        ("第二十一季", 21),
        ("シーズン3", 3),
        ("Staffel 1", 1),
        ("Specials", 0),
        ("Season 00", 0),
        ("season0", None),
        ("Specialties", None),
        ("show", None),
        ("1", None),
        ("S2000", None),
        ("Seasons of Love", None),
        ("s1_5", None),
        ("s1.5", None),
        ("Show S1-5", None),
        ("Show S01-S03", None),
        ("Show Season 1-3", None),
        ("Show S01 ~ 03", None),
        ("Show.S01.1080p.WEB", 1),
        ("Show_S01_720p", 1),
        ("Show S02 - 2160p", 2),
        ("S02 (2019)", 2),
        ("K2 summit s", None),
    ],
)
def test_the_season_of_a_folder(folder: str, season: int | None) -> None:
    assert season_of(folder) == season


@pytest.mark.parametrize(
    ("stem", "number"),
    [
        ("01", 1),
        ("ep05", 5),
        ("Episode 12", 12),
        ("E07", 7),
        ("第3話", 3),
        ("第12集 离别", 12),
        ("Show - 05 [1080p][AB12CD34]", 5),
        ("[Group] Show - 11v2 (720p)", 11),
        ("05 - The Title", 5),
        ("Show.12", 12),
        ("Show", None),
        ("720p", None),
    ],
)
def test_the_number_of_an_episode(stem: str, number: int | None) -> None:
    assert episode_number(stem) == number


@pytest.mark.parametrize(
    ("video", "name"),
    [
        ("Show/Season 2/05.mkv", "S02E05"),
        ("Show/Season 2/ep05.mkv", "S02E05"),
        ("Show/Season 2/Show - 05.mkv", "S02E05 Show - 05"),
        ("Show/Season 2/Disc 1/05.mkv", "S02E05"),
        ("Show/S02/Disc 1/05.mkv", "S02E05"),
        ("Show/S2/05.mkv", "S02E05"),
        ("data/s1/clips/05.mkv", None),
        ("drama/s1_5/ep.mkv", None),
        ("drama/s1_5/out/ep.mkv", None),
        ("Show/Specials/1.mkv", "S00E01"),
        ("剧/第一季/第3集.mp4", "S01E03"),
        ("Show/Season 2/Finale.mkv", "S02 Finale"),
        ("Show/Season 2/Show.S02E05.mkv", None),
        ("Show/Season 2/Show 2x05.mkv", None),
        ("Show/05.mkv", None),
    ],
)
def test_a_folder_tells_the_season(video: str, name: str | None) -> None:
    assert seasonal_name(Path(video)) == name


@given(st.text(max_size=40), st.text(max_size=40))
def test_names_are_safe(folder: str, stem: str) -> None:
    video = (
        Path("/root") / folder.replace("/", "_").replace("\0", "_") / f"{stem.replace('/', '_')}.mkv".replace("\0", "_")
    )
    name = seasonal_name(video)
    assert name is None or path_name(name) == name


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def own(out: Path, name: str, video: Path, sha256: str = "") -> None:
    write(out / name / ".work/video.json", json.dumps({"path": str(video.resolve()), "sha256": sha256}))


def test_two_seasons_with_the_same_names(tmp_path: Path) -> None:
    videos = [write(tmp_path / f"Show/Season {s}/0{e}.mkv", f"{s} {e}") for s in (1, 2) for e in (1, 2)]
    ids = Session(tmp_path / "out", videos=videos).ids()
    assert list(ids.values()) == ["S01E01", "S01E02", "S02E01", "S02E02"]


def test_an_id_of_an_earlier_version_stays(tmp_path: Path) -> None:
    video = write(tmp_path / "Season 2/01.mkv", "a")
    own(tmp_path / "out", "01", video)
    assert Session(tmp_path / "out").episode_id(video) == "01"
    # Another video takes the new name, and one that was moved keeps its own.
    session = Session(tmp_path / "out")
    own(tmp_path / "out", "01", tmp_path / "elsewhere.mkv", session.fingerprints.of(video))
    assert Session(tmp_path / "out").episode_id(video) == "01"
    own(tmp_path / "out", "01", tmp_path / "elsewhere.mkv", "other")
    assert Session(tmp_path / "out").episode_id(video) == "S02E01"


def test_an_id_by_an_earlier_rule_stays(tmp_path: Path) -> None:
    video = write(tmp_path / "s1_5/ep.mkv", "a")
    assert Session(tmp_path / "out").episode_id(video) == "ep"
    own(tmp_path / "out", "S01 ep", video)
    assert Session(tmp_path / "out").episode_id(video) == "S01 ep"


def test_an_id_with_a_hash_stays(tmp_path: Path) -> None:
    one, two = write(tmp_path / "Season 1/01.mkv", "a"), write(tmp_path / "Season 2/01.mkv", "b")
    own(tmp_path / "out", "01", one)
    hashed = f"01-{Session(tmp_path).fingerprints.of(two)[:6]}"
    own(tmp_path / "out", hashed, two)
    assert list(Session(tmp_path / "out", videos=[one, two]).ids().values()) == ["01", hashed]


def test_the_same_name_in_two_shows(tmp_path: Path) -> None:
    videos = [write(tmp_path / f"{show}/Season 1/01.mkv", show) for show in "ab"]
    out = tmp_path / "out"
    assert list(Session(out, videos=videos).ids().values()) == ["S01E01", "b S01E01"]
    own(out, "S01E01", videos[0])
    own(out, "b S01E01", videos[1], Session(out).fingerprints.of(videos[1]))
    # Found in another order, by another run, and after it was moved.
    assert Session(out).episode_id(videos[1]) == "b S01E01"
    assert Session(out).episode_id(videos[0]) == "S01E01"
    moved = tmp_path / "c/Season 1/01.mkv"
    moved.parent.mkdir(parents=True)
    videos[1].rename(moved)
    assert Session(out, videos=[videos[0], moved]).episode_id(moved) == "b S01E01"


def test_the_same_name_twice_in_one_show(tmp_path: Path) -> None:
    videos = [write(tmp_path / f"Show/Season 1/01.{end}", end) for end in ("mkv", "mp4")]
    videos += [write(tmp_path / f"{n}/Other/Season 1/01.mkv", n) for n in "abc"]
    session = Session(tmp_path / "out", videos=videos)
    hashes = [session.fingerprints.of(video)[:6] for video in videos]
    expected = ["S01E01", f"S01E01-{hashes[1]}", "Other S01E01", f"S01E01-{hashes[3]}", f"S01E01-{hashes[4]}"]
    assert list(session.ids().values()) == expected


def test_no_video_is_read_where_names_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand videos of a gigabyte would take an hour."""
    videos = [write(tmp_path / f"ep{k}.mkv", str(k)) for k in range(3)]
    session = Session(tmp_path / "out", videos=videos)
    monkeypatch.setattr(session.fingerprints, "of", lambda _: pytest.fail("read"))
    assert list(session.ids().values()) == ["ep0", "ep1", "ep2"]
