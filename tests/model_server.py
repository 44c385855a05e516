"""A web server for model files, with everything that goes wrong with those."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from video_preprocessing.uvr5.checkpoints.registry import KnownModel


@dataclass
class ModelServer:
    """Serves ``files`` by path.

    Attributes:
        url: where it listens.
        files: content by path.
        break_after: for each request in turn, after how many bytes the connection ends; then no more.
        ranges: whether a part of a file can be asked for.
        redirects: path to path.
        asked: the path and the Range header of each request.
        status: what to answer instead, where not None.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    ranges: bool = True
    lengths: bool = True
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    status: int | None = None


@contextmanager
def serve() -> Iterator[ModelServer]:
    """A server on this machine, in a thread."""
    state = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            if state.status is not None or self.path not in {*state.files, *state.redirects}:
                self._answer(state.status or 404, {"Content-Length": "0"})
                return
            if self.path in state.redirects:
                self._answer(302, {"Location": state.redirects[self.path], "Content-Length": "0"})
                return
            self._serve(state.files[self.path], wanted)

        def _serve(self, content: bytes, wanted: str | None) -> None:
            headers = {}
            first = 0
            if wanted and state.ranges:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
                if first >= len(content):
                    self._answer(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
                    return
                headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            body = content[first:]
            if state.lengths:
                headers["Content-Length"] = str(len(body))
            self._answer(206 if first else 200, headers)
            if state.break_after:
                body = body[: state.break_after.pop(0)]
            self.wfile.write(body)

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def model_of(content: bytes, *urls: str, **facts: Any) -> KnownModel:
    """A model that is published with this content."""
    published: dict[str, Any] = {
        "name": "Test",
        "file": "test.pth",
        "architecture": "vr-5.1",
        "purpose": "vocals",
        "summary": "For tests.",
        "mask_gives": "vocals",
        "residual_is": "accompaniment",
        "keep": "mask",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "urls": urls,
    }
    return KnownModel(**{**published, **facts})


def use_fresh_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """An empty model folder, and nothing of the machine's own network settings; returns the folder."""
    monkeypatch.setenv("YUKI_MODELS", str(folder))
    # Small blocks, and no waiting between tries.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    for module in ("file_download", "utils._http"):
        monkeypatch.setattr(f"huggingface_hub.{module}.time", SimpleNamespace(sleep=lambda _: None))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return folder
