"""A small corpus on a review's desk, and a server for it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soundfile as sf

from yuki_builder.corpus import Desk, LineVoices, ReviewEpisode, ReviewPaths, Tools
from yuki_builder.records import Attribution, Evidence, Line, Verdict

NAMES = ("Anna", "Ben", "Cleo")
RATE = 16_000


def a_line(episode: str, k: int, **changes: Any) -> Line:
    """Line ``k`` of an episode: two seconds every three, the speakers in turn; every fourth is in doubt."""
    values: dict[str, Any] = {
        "line_id": f"{episode}-{k:05d}",
        "episode_id": episode,
        "index": k,
        "start_ms": 3000 * k,
        "end_ms": 3000 * k + 2000,
        "text": f"Line {k}, 第{k}句",
        "character": NAMES[k % 3],
        "confidence": 0.6 if k % 4 == 3 else 0.98,
        "verdict": Verdict.DOUBTFUL if k % 4 == 3 else Verdict.CERTAIN,
        "evidence": (Evidence("voice", NAMES[k % 3], 0.6), Evidence("cluster", NAMES[(k + 1) % 3], 0.3)),
        "speaker": f"SPEAKER_{k % 3:02d}",
        "overlap": 0.2 if k % 5 == 0 else 0.0,
    }
    return Line(**{**values, **changes})


def some_lines(episode: str, count: int) -> list[Line]:
    return [a_line(episode, k) for k in range(count)]


def voices_of(lines: Sequence[Line], *, spread: float = 0.3) -> LineVoices:
    """Embeddings around one direction for each voice."""
    rng = np.random.default_rng(0)
    centres = {name: rng.standard_normal(16) for name in sorted({line.speaker or "" for line in lines})}
    vectors = np.stack([centres[x.speaker or ""] + spread * rng.standard_normal(16) for x in lines])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return LineVoices(tuple(line.line_id for line in lines), vectors.astype(np.float32))


def an_episode(out: Path, name: str, lines: Sequence[Line], *, sound: bool = False) -> ReviewEpisode:
    """An episode; with ``sound``, tones in ``out`` for its lines."""
    mix = vocals = None
    if sound:
        folder = out / name / "audio"
        folder.mkdir(parents=True)
        t = np.arange((lines[-1].end_ms + 1000) * RATE // 1000) / RATE
        mix, vocals = folder / "mix.flac", folder / "vocals.flac"
        sf.write(vocals, 0.3 * np.sin(2 * np.pi * 220 * t), RATE)
        sf.write(mix, 0.3 * np.sin(2 * np.pi * 220 * t) + 0.2 * np.sin(2 * np.pi * 1500 * t), RATE)
    problems = {lines[1].line_id: ("too short",)} if len(lines) > 1 else {}
    return ReviewEpisode(name, tuple(lines), problems, voices_of(lines), mix, vocals)


def paths_in(out: Path) -> ReviewPaths:
    review = out / "review"
    return ReviewPaths(out / "labels.csv", out / "corrections.csv", review / "renames.toml", review)


def a_desk(out: Path, *episodes: ReviewEpisode, tools: Tools | None = None) -> Desk:
    """A desk with these episodes, or with one of twelve lines."""
    there = episodes or (an_episode(out, "ep01", some_lines("ep01", 12)),)
    by_id = {episode.episode_id: episode for episode in there}
    return Desk(there, paths_in(out), tools or Tools(load=lambda names: {name: by_id[name] for name in names}))


def taught(episode: ReviewEpisode, name: str) -> list[Attribution]:
    """What a pipeline might find out: every line is of one name."""
    prefix = len(episode.episode_id) + 1
    return [Attribution(x.line_id[prefix:], name, 0.9, Verdict.CERTAIN) for x in episode.lines]


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str

    @property
    def port(self) -> int:
        return int(urlsplit(self.address).port or 0)

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(
        self, path: str, *, method: str = "GET", body: Any = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request, with the token unless a header says otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent: dict[str, str | None] = {"X-Review-Token": self.token, "Host": f"127.0.0.1:{self.port}"}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if data is not None and "Content-Length" not in sent:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        try:
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def json(self, path: str, **more: Any) -> Any:
        status, _, body = self.ask(path, **more)
        assert status == 200, (status, body)
        return json.loads(body)


@contextmanager
def serving(desk: Desk, out: Path) -> Iterator[Served]:
    """The real server, on a thread of its own."""
    import uvicorn

    from yuki_builder.corpus.review import server

    started = threading.Event()
    address: list[str] = []
    running: list[uvicorn.Server] = []

    class Kept(uvicorn.Server):
        """A server that the test can end."""

        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            running.append(self)

    def opened(where: str) -> None:
        address.append(where)
        started.set()

    original, uvicorn.Server = uvicorn.Server, Kept  # type: ignore[misc]
    thread = threading.Thread(target=lambda: server.serve(desk, out, opened=opened), daemon=True)
    thread.start()
    try:
        assert started.wait(20)
        while not (running and running[0].started):
            thread.join(0.01)
        yield Served(address[0])
    finally:
        uvicorn.Server = original  # type: ignore[misc]
        running[0].should_exit = True
        thread.join(10)
