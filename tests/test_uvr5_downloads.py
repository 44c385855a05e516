"""Downloads from a real web server, and everything that goes wrong on the way."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from model_server import ModelServer, model_of, serve, use_fresh_cache

from video_preprocessing.uvr5.checkpoints.downloads import (
    UVR_TAIL_BYTES,
    Check,
    cached_path,
    get_model,
    model_folder,
    sha256_of,
    uvr_md5,
    verify,
    whole_md5,
)
from yuki_builder.errors import CheckpointError, OutputError

CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve() as server:
        server.files["/test.pth"] = CONTENT
        yield server


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_fresh_cache(monkeypatch, tmp_path / "models")


def leftovers(cache: Path) -> set[str]:
    return {p.name for p in cache.iterdir()} - {"test.pth", "test.pth.lock"}


def refused(content: bytes = CONTENT, *urls: str, **facts: object) -> str:
    with pytest.raises(CheckpointError) as error:
        get_model(model_of(content, *urls, **facts))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_comes_whole_with_progress_and_is_not_fetched_again(server: ModelServer, cache: Path) -> None:
    model = model_of(CONTENT, f"{server.url}/test.pth")
    seen: list[tuple[float, float | None]] = []
    path = get_model(model, progress=lambda done, total: seen.append((done, total)))
    assert path == cached_path(model) == cache / "test.pth"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert leftovers(cache) == set()
    assert get_model(model) == path
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_broke_off(server: ModelServer, cache: Path) -> None:
    server.break_after = [100_000, 50_000]
    path = get_model(model_of(CONTENT, f"{server.url}/test.pth"))
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert leftovers(cache) == set()


def test_the_next_run_goes_on_too(server: ModelServer, cache: Path) -> None:
    server.break_after = [120_000, *[0] * 9]
    message = refused(CONTENT, f"{server.url}/test.pth")
    assert "received 0 bytes, expected 180000" in message
    assert (cache / "test.pth.part").stat().st_size == 120_000
    assert not (cache / "test.pth").exists()
    server.break_after.clear()
    server.asked.clear()
    assert get_model(model_of(CONTENT, f"{server.url}/test.pth")).read_bytes() == CONTENT
    assert server.asked == [("/test.pth", "bytes=120000-")]


def test_a_changed_file_is_fetched_afresh(server: ModelServer, cache: Path) -> None:
    """The beginning of one version must not be continued with the end of another."""
    server.break_after = [120_000, *[0] * 9]
    refused(CONTENT, f"{server.url}/test.pth")
    newer = np.random.default_rng(1).bytes(300_000)
    server.files["/test.pth"] = newer
    server.break_after.clear()
    assert get_model(model_of(newer, f"{server.url}/test.pth")).read_bytes() == newer


def test_what_is_longer_than_the_file_is_fetched_afresh(server: ModelServer, cache: Path) -> None:
    cache.mkdir()
    (cache / "test.pth.part").write_bytes(CONTENT + b"!")
    model = model_of(CONTENT, f"{server.url}/test.pth", size_bytes=None)
    assert get_model(model).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ["bytes=300001-", None]


def test_what_no_hash_can_check_is_not_continued(server: ModelServer, cache: Path) -> None:
    cache.mkdir()
    (cache / "test.pth.part").write_bytes(b"of another version")
    assert get_model(model_of(CONTENT, f"{server.url}/test.pth", sha256=None)).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None]


def test_servers_that_cannot_resume_start_over(server: ModelServer) -> None:
    server.ranges = False
    server.break_after = [100_000]
    assert get_model(model_of(CONTENT, f"{server.url}/test.pth")).read_bytes() == CONTENT


def test_a_server_that_always_breaks_off_is_given_up(server: ModelServer) -> None:
    server.break_after = [0] * 50
    assert "received 0 bytes" in refused(CONTENT, f"{server.url}/test.pth")
    assert len(server.asked) < 9


def test_a_finished_part_is_taken_as_it_is(server: ModelServer, cache: Path) -> None:
    """A run that was killed between the last byte and the renaming."""
    server.break_after = [290_000, *[0] * 9]
    refused(CONTENT, f"{server.url}/test.pth")
    (cache / "test.pth.part").write_bytes(CONTENT)
    server.asked.clear()
    assert get_model(model_of(CONTENT, f"{server.url}/test.pth")).read_bytes() == CONTENT
    assert server.asked == []


def test_a_wrong_hash_is_refused_and_removed(server: ModelServer, cache: Path) -> None:
    server.files["/test.pth"] = bytes(len(CONTENT))
    message = refused(CONTENT, f"{server.url}/test.pth")
    published, found = (hashlib.sha256(x).hexdigest()[:12] for x in (CONTENT, bytes(len(CONTENT))))
    assert f"sha256 {found}… where {published}… is published" in message
    assert f"put it at {cache / 'test.pth'}" in message
    assert not (cache / "test.pth").exists()
    assert not (cache / "test.pth.part").exists()


def test_where_no_sha256_is_published_the_other_hash_counts(server: ModelServer) -> None:
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert get_model(model_of(CONTENT, f"{server.url}/test.pth", sha256=None, uvr_md5=md5)).is_file()
    other = {"sha256": None, "uvr_md5": "0" * 32, "file": "other.pth"}
    assert "uvr_md5" in refused(CONTENT, f"{server.url}/test.pth", **other)


@pytest.mark.parametrize("lengths", [True, False])
def test_a_wrong_size_is_refused(server: ModelServer, cache: Path, lengths: bool) -> None:
    server.lengths = lengths
    server.files["/test.pth"] = CONTENT[:-1]
    message = refused(CONTENT, f"{server.url}/test.pth")
    assert ("299,999 bytes where 300,000" in message) or ("broke off after 299,999" in message)
    server.files["/test.pth"] = CONTENT + b"!"
    assert "300,001 bytes where 300,000 are published" in refused(CONTENT, f"{server.url}/test.pth")
    assert not (cache / "test.pth").exists()


def test_the_next_address_is_tried(server: ModelServer) -> None:
    server.files |= {"/bad.pth": bytes(len(CONTENT)), "/short.pth": b"short"}
    urls = [f"{server.url}/{name}" for name in ("missing.pth", "bad.pth", "short.pth", "test.pth")]
    assert get_model(model_of(CONTENT, *urls)).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/missing.pth", "/bad.pth", "/short.pth", "/test.pth"]


def test_redirections_are_followed_and_resumed(server: ModelServer) -> None:
    server.redirects["/resolve/test.pth"] = "/test.pth"
    server.break_after = [100_000]
    assert get_model(model_of(CONTENT, f"{server.url}/resolve/test.pth")).read_bytes() == CONTENT
    assert server.asked[-2:] == [("/resolve/test.pth", "bytes=100000-"), ("/test.pth", "bytes=100000-")]


def test_a_mirror_of_the_hub_is_used(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    server.files["/someone/models/resolve/main/test.pth"] = CONTENT
    model = model_of(CONTENT, "https://huggingface.co/someone/models/resolve/main/test.pth")
    assert get_model(model).read_bytes() == CONTENT


def test_no_network_is_one_clear_line(cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    message = refused(CONTENT, f"http://127.0.0.1:{port}/test.pth", f"http://no-such-host.invalid:{port}/test.pth")
    assert message.startswith("Test: cannot be downloaded (127.0.0.1:")
    assert "Connection refused" in message
    assert "no-such-host.invalid" in message
    assert message.endswith(f"get test.pth elsewhere and put it at {cache / 'test.pth'}")


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_what_the_server_says_is_passed_on(server: ModelServer, status: int) -> None:
    server.status = status
    assert f"HTTP {status}" in refused(CONTENT, f"{server.url}/test.pth")
    assert len(server.asked) == 1 or status == 429  # the server asks to wait and try again


def test_a_server_that_answers_nothing_useful_is_given_up(server: ModelServer) -> None:
    server.status = 204
    refused(CONTENT, f"{server.url}/test.pth")
    assert len(server.asked) < 6


def test_two_at_once_fetch_once(server: ModelServer) -> None:
    model = model_of(CONTENT, f"{server.url}/test.pth")
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(get_model(model))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {p.read_bytes() for p in paths} == {CONTENT}
    assert len(paths) == 6
    assert len(server.asked) == 1


def test_a_folder_that_cannot_be_written_is_said(server: ModelServer, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="YUKI_MODELS"):
        get_model(model_of(CONTENT, f"{server.url}/test.pth"))


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("YUKI_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert model_folder() == tmp_path / "yuki_builder" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert model_folder() == tmp_path / ".cache" / "yuki_builder" / "models"


def test_hashes(tmp_path: Path) -> None:
    long = np.random.default_rng(2).bytes(UVR_TAIL_BYTES + 1000)
    for content in (b"", b"short", long):
        (tmp_path / "file").write_bytes(content)
        assert uvr_md5(tmp_path / "file") == hashlib.md5(content[-UVR_TAIL_BYTES:]).hexdigest()
        assert whole_md5(tmp_path / "file") == hashlib.md5(content).hexdigest()
        assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_verification(tmp_path: Path) -> None:
    path = tmp_path / "test.pth"
    path.write_bytes(CONTENT)
    assert verify(path, model_of(CONTENT)).check is Check.OK
    assert verify(path, model_of(CONTENT, sha256=None)).check is Check.UNKNOWN
    path.write_bytes(CONTENT[::-1])
    result = verify(path, model_of(CONTENT))
    assert (result.check, result.by) == (Check.DIFFERS, "sha256")
    assert result.found == hashlib.sha256(CONTENT[::-1]).hexdigest()
