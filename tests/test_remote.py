"""Videos and output on object storage: a local folder by ``file://``, and an S3-compatible server on this machine."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from season_files import Season, finished_season, tree

from pipelines.console.app import main
from pipelines.remote import Place, episode_ids, find_addresses

HAS_S3 = all(importlib.util.find_spec(name) for name in ("s3fs", "moto", "flask"))


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """Two episodes, and what came of them on the disk."""
    return finished_season(tmp_path_factory, count=2, named_from=1)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if not HAS_S3:
        pytest.skip("needs s3fs and moto")
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("lab")
    yield "s3://lab"
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def run(videos: str, out: str, *more: str) -> int:
    return main(["--video", videos, "--out", out, "--separator", "none", *more])


def contents(address: str) -> dict[str, bytes]:
    place = Place.of(address)
    return {name: (place / name).system.cat_file((place / name).path) for name in place.files()}


def test_a_folder_by_its_address(season: Season, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show, out = season.videos, tmp_path / "out"
    assert run(show.as_uri(), out.as_uri()) == 0
    first = capsys.readouterr()
    assert "ep1.mka" in first.err and "corpus" in first.out
    # The same as on the disk, but for where the video was.
    one, other = tree(out), tree(season.out)
    marks = {f"ep{k}/.work/remote.json" for k in (1, 2)}
    assert one.keys() - marks == other.keys()
    assert [name for name in other if one[name] != other[name]] == []
    capsys.readouterr()
    # Nothing is done twice; an episode whose mark is missing is.
    assert run(show.as_uri(), out.as_uri()) == 0
    assert "extract" not in capsys.readouterr().err
    (out / "ep2/.work/remote.json").unlink()
    (out / "ep2/stray.txt").write_text("from an upload that broke off")
    assert run(show.as_uri(), out.as_uri(), "--json") == 0
    shown = capsys.readouterr()
    assert shown.err.count("  fetch") == 1 and not (out / "ep2/stray.txt").exists()
    assert json.loads(shown.out)["corpus"]["lines"] == 8
    assert {name: data for name, data in tree(out).items() if name not in marks} == {n: one[n] for n in other}


@pytest.mark.slow
def test_object_storage(bucket: str, season: Season, capsys: pytest.CaptureFixture[str]) -> None:
    for file in season.videos.iterdir():
        (Place.of(bucket) / "show").system.put_file(str(file), f"lab/show/{file.name}")
    assert find_addresses([f"{bucket}/show"]) == [f"s3://lab/show/ep{k}.mka" for k in (1, 2)]
    assert find_addresses([f"{bucket}/show/*2.mka"]) == ["s3://lab/show/ep2.mka"]
    assert run(f"{bucket}/show", f"{bucket}/out", "--jobs", "2", "--quiet") == 0
    stored = contents(f"{bucket}/out")
    disk = tree(season.out)
    assert {name for name in disk if name not in stored} == set()
    told = {"ep1/episode.json", "ep2/episode.json"}  # of seconds
    assert [name for name in disk if name not in told and stored[name] != disk[name]] == []
    capsys.readouterr()
    assert run(f"{bucket}/show", f"{bucket}/out") == 0
    assert "extract" not in capsys.readouterr().err
    assert contents(f"{bucket}/out") == stored
    # Other options: the episode's folder is fetched, and what does not depend on them is reused.
    assert run(f"{bucket}/show/ep1.mka", f"{bucket}/out", "--no-resync") == 0
    assert "extract         reused" in capsys.readouterr().err


def test_what_cannot_be_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("nowhere://x/y", "out") == 2
    assert "no storage of this kind is known" in capsys.readouterr().err
    assert run(tmp_path.as_uri(), "out") == 2
    assert "there is no video" in capsys.readouterr().err
    (tmp_path / "a.mkv").touch()
    assert run(tmp_path.as_uri(), "out", "--dry-run") == 2
    assert run(tmp_path.as_uri(), tmp_path.as_uri(), "--export", "chat") == 2
    assert "exports are made on a disk" in capsys.readouterr().err


def test_ids_of_addresses() -> None:
    videos = ["s3://b/Show/Season 1/01.mkv", "s3://b/a/ep1.mkv", "s3://b/b/ep1.mkv", "s3://b/corpus.mkv"]
    first, second, third, fourth = episode_ids(videos)
    assert (first, second) == ("S01E01", "ep1")
    assert third == "b ep1"
    assert fourth.startswith("corpus-")
    same = ["s3://b/Show/Season 1/01.mkv", "s3://b/Show/Season 1/01.mp4"]
    assert episode_ids(same)[1].startswith("S01E01-")
