"""A model by name comes from the hub: how far it is is told, and an interrupted download goes on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest

from video_preprocessing.transcription.hub import cached_folder, cached_revision, download_folder
from yuki_builder.errors import ConfigError

REVISION = "0123456789abcdef0123456789abcdef01234567"
FILES = {"model.bin": bytes(range(256)) * 100_000, "config.json": b"{}", "README.md": b"not wanted"}
PATTERNS = ("config.json", "model.bin")


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as fetching a repository's files takes."""

    ranges: list[str] = []
    breaks_at: int | None = None

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = urlparse(self.path).path
        if not path.startswith(("/api/models/owner/model", "/owner/model/")):
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, with_body)
        elif "/tree/" in path:
            rows = [
                {"type": "file", "path": name, "size": len(data), "oid": _etag(data)} for name, data in FILES.items()
            ]
            self._send(200, json.dumps(rows).encode(), {"Content-Type": "application/json"}, with_body)
        elif path.startswith("/api/"):
            siblings = [{"rfilename": name} for name in FILES]
            facts = {"id": "owner/model", "sha": REVISION, "siblings": siblings, "private": False}
            self._send(200, json.dumps(facts).encode(), {"Content-Type": "application/json"}, with_body)
        else:
            self._send_file(FILES[path.rsplit("/", 1)[1]], with_body)

    def _send_file(self, data: bytes, with_body: bool) -> None:
        headers = {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": REVISION}
        asked = self.headers.get("Range")
        if asked and with_body:
            self.ranges.append(asked)
            first = int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            self._send(206, data[first:], headers, with_body)
        else:
            self._send(200, data, headers, with_body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], with_body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            is_broken = self.breaks_at is not None and len(data) > self.breaks_at and status == 200
            self.wfile.write(data[: self.breaks_at] if is_broken else data)
            self.close_connection = self.close_connection or is_broken


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache that is filled from the little hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint, cache = f"http://127.0.0.1:{server.server_port}", tmp_path / "hub"
    files = f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    Hub.ranges.clear()
    yield cache
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_once_and_told_about(hub: Path) -> None:
    told: list[tuple[float, float | None]] = []
    assert cached_revision("owner/model", "model.bin") == "not here"
    folder = download_folder("owner/model", PATTERNS, progress=lambda done, total: told.append((done, total)))
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert not (folder / "README.md").exists()
    assert told[-1][0] == told[-1][1] == len(FILES["model.bin"]) + len(FILES["config.json"])
    assert cached_revision("owner/model", "model.bin") == REVISION[:12]
    assert cached_folder("owner/model", "model.bin") == folder
    told.clear()
    assert download_folder("owner/model", PATTERNS, progress=lambda *a: told.append(a), download=False) == folder
    assert told == []


def test_a_broken_connection_goes_on_where_it_broke(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hub, "breaks_at", 21_000_000)
    folder = download_folder("owner/model", PATTERNS)
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert Hub.ranges == ["bytes=20971520-"]  # blocks of 10 MiB are kept


def test_a_name_that_the_hub_does_not_know_is_one_line(hub: Path) -> None:
    with pytest.raises(ConfigError, match="no such model") as refused:
        download_folder("owner/other", PATTERNS)
    assert "\n" not in str(refused.value)
