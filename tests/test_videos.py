"""Which files are episodes: trees of seasons, samples and extras, brackets in patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import find_videos
from pipelines.videos import is_extra


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_of_season_folders_is_walked(tmp_path: Path) -> None:
    show = tmp_path / "Show"
    make(
        show,
        *(
            "Season 1/Show S01E01.mkv",
            "Season 1/Show S01E10.mkv",
            "Season 1/Show S01E02.mkv",
            "Season 2/Show S02E01.mkv",
        ),
        *("Season 10/Show S10E01.mkv", "Specials/Show S00E01.mkv", "Season 1/Sample/x.mkv", "Trailers/t.mkv"),
        *("Extras/making of.mkv", "Season 1/Show S01E01-trailer.mkv", "Season 1/.hidden/x.mkv", "notes.txt"),
    )
    notices: list[str] = []
    found = [str(p.relative_to(show)) for p in find_videos([show], notice=notices.append)]
    assert found == [
        "Season 1/Show S01E01.mkv",
        "Season 1/Show S01E02.mkv",
        "Season 1/Show S01E10.mkv",
        "Season 2/Show S02E01.mkv",
        "Season 10/Show S10E01.mkv",
        "Specials/Show S00E01.mkv",
    ]
    (notice,) = notices
    assert "left out 4 files" in notice and "and 1 more" in notice


@pytest.mark.parametrize(
    "name",
    [
        *("sample.mkv", "Sample-show.s01e01.mkv", "show.s01e01.720p-grp-sample.mkv", "show.s01e01.sample.mkv"),
        *(
            "Show-trailer.mkv",
            "Show Trailer 2.mkv",
            "trailer.mp4",
            "Show S01E01-deleted.mkv",
            "Show-behindthescenes.mp4",
        ),
        *("[Grp] Show - NCOP1 [BD 1080p].mkv", "[Grp] Show NCED [AB12CD34].mkv", "Show_NCOP01v2.mkv"),
        *("[Grp] Show [NCED2][1080p].mkv", "Show - Creditless Opening.mkv", "[Grp] Show - PV2 [1080p].mkv"),
        *("[Grp] Show Menu 01 [BD].mkv", "[Grp] Show - OP1 [BD].mkv", "[Grp] Show [CM03].mkv", "Show - Teaser.mp4"),
    ],
)
def test_names_of_what_is_no_episode(name: str) -> None:
    assert is_extra(Path(name))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Trailer Park Boys - S01E01.mkv",
            "Show - 01 [1080p].mkv",
            "Show S01E05 The Interview Room.mkv",
            "Show OVA.mkv",
        ),
        *(
            "The Other Side - 03.mkv",
            "Edward - 01.mkv",
            "Show S02E01 Sample Size.mkv",
            "Short Circuit.mkv",
            "Op Center 1.mkv",
        ),
        *(
            "[Grp] Show - 12 END [1080p].mkv",
            "PVC Pipes 01.mkv",
            "Extra Life E02.mkv",
            "Menu of Love - 01.mkv",
            "ep1.mkv",
        ),
        *("番组 第01话 [简体].mp4", "Show.S01E01.1080p.WEB-DL.mkv", "Cleaning Up 02.mkv"),
    ],
)
def test_titles_that_look_alike_are_episodes(name: str) -> None:
    assert not is_extra(Path(name))


def test_a_folder_of_nothing_but_extras_was_meant(tmp_path: Path) -> None:
    make(tmp_path, "NCOP.mkv", "NCED.mkv")
    assert len(find_videos([tmp_path])) == 2
    assert find_videos([tmp_path / "NCOP.mkv"]) == [tmp_path / "NCOP.mkv"]


def test_the_folder_given_may_be_called_extras(tmp_path: Path) -> None:
    make(tmp_path, "Extras/a.mkv", "Extras/b.mkv")
    assert len(find_videos([tmp_path / "Extras"])) == 2


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("[Grp] Show [1080p]/*.mp4", ["ep1.mp4", "ep2.mp4"]),
        ("[Grp] Show [1080p]/ep[12].mp4", ["ep1.mp4", "ep2.mp4"]),
        ("[Grp]*/ep1.mp4", ["ep1.mp4"]),
        ("[Grp] Show [1080p]/[Grp] - *.mkv", ["[Grp] - 01.mkv", "[Grp] - 02.mkv"]),
        ("**/*.mkv", ["[Grp] - 01.mkv", "[Grp] - 02.mkv"]),
    ],
)
def test_brackets_of_folders_are_literal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, files: list[str]
) -> None:
    make(tmp_path / "[Grp] Show [1080p]", "ep1.mp4", "ep2.mp4", "[Grp] - 01.mkv", "[Grp] - 02.mkv")
    assert [p.name for p in find_videos([tmp_path / pattern])] == files
    monkeypatch.chdir(tmp_path)
    assert [p.name for p in find_videos([pattern])] == files


def test_a_pattern_leaves_out_by_name(tmp_path: Path) -> None:
    make(tmp_path, "Show - 01.mkv", "Show - NCOP.mkv")
    notices: list[str] = []
    assert [p.name for p in find_videos([tmp_path / "*.mkv"], notice=notices.append)] == ["Show - 01.mkv"]
    assert "NCOP" in notices[0]
