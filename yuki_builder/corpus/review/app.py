"""The review as a web application: requests in, JSON and files out. What they mean is in ``desk.py``."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuki_builder.corpus.review.desk import ConflictError, Desk, Filter
from yuki_builder.corpus.review.gate import Gate
from yuki_builder.corpus.review.messages import ReviewError, said
from yuki_builder.corpus.review.waves import wave
from yuki_builder.errors import MissingExtraError, YukiError
from yuki_builder.untrusted import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_PARTS = {
    "review.css": "text/css",
    "base.css": "text/css",
    **dict.fromkeys(
        ("words.js", "core.js", "list.js", "sound.js", "panel.js", "dialogs.js", "pieces.js", "keys.js", "page.js"),
        "text/javascript",
    ),
}
_REPORTS = re.compile(r"[^/]+/report\.html|corpus/characters/[^/]+\.html")
_SOUNDS = re.compile(r"[^/]+/(audio/(mix|vocals)\.flac|clips/[^/]+/[^/]+\.flac)")
_LONGEST_WAVE_MS = 120_000


def require_review() -> None:
    """Raises MissingExtraError where the server's libraries are not installed."""
    try:
        import starlette
        import uvicorn  # noqa: F401
    except ImportError as e:
        raise MissingExtraError("review needs Starlette and uvicorn", extra="review") from e
    del starlette


def make_app(desk: Desk, root: Path, *, port: int, token: str) -> Gate:
    """The application, behind its gate.

    Args:
        desk: the review.
        root: the output folder, whose reports and sounds are served.
        port: the server's.
        token: what every request must have.

    Raises:
        MissingExtraError: Starlette is not installed.
    """
    require_review()
    from starlette.applications import Starlette
    from starlette.routing import Route

    served = _Served(desk, root.resolve())
    routes = [
        Route("/", served.page),
        Route("/app/{name}", served.part),
        Route("/api/overview", served.overview),
        Route("/api/lines", served.lines),
        Route("/api/line/{line_id:path}", served.line),
        Route("/api/next", served.next_line),
        Route("/api/voices/{episode:path}", served.voices),
        Route("/api/split/{episode:path}", served.split),
        Route("/api/wave/{episode:path}", served.wave),
        Route("/api/decide", served.decide, methods=["POST"]),
        Route("/api/undo", served.undo, methods=["POST"]),
        Route("/api/redo", served.redo, methods=["POST"]),
        Route("/api/apply", served.apply, methods=["POST"]),
        Route("/api/apply", served.applying),
        Route("/sound/{signal}/{episode:path}", served.sound),
        Route("/report/{path:path}", served.report),
    ]
    handlers: dict[Any, Any] = {ConflictError: _conflict, YukiError: _refused, OSError: _failed}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Gate(app, port=port, token=token)


def _refused(_: Request, error: Exception) -> Response:
    return _json(said(error), 400)


def _failed(_: Request, error: Exception) -> Response:
    return _json(said(ReviewError("not_kept", error)), 507)


def _conflict(_: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictError)
    return _json({"error": "conflict", "lines": list(error.lines)}, 409)


def _json(content: Any, status: int = 200) -> Response:
    from starlette.responses import Response as Plain

    text = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    return Plain(text, status, media_type="application/json")


def _none() -> Response:
    return _json(said(ReviewError("no_such_thing")), 404)


class _Served:
    """The answers. Those that take a moment run on threads, so that sound goes on playing."""

    def __init__(self, desk: Desk, root: Path) -> None:
        self._desk, self._root = desk, root

    def page(self, _: Request) -> Response:
        from starlette.responses import HTMLResponse

        return HTMLResponse(_part("page.html"))

    def part(self, request: Request) -> Response:
        from starlette.responses import Response as Plain

        name = request.path_params["name"]
        if name not in _PARTS:
            return _none()
        return Plain(_part(name), media_type=_PARTS[name])

    def overview(self, request: Request) -> Response:
        self._desk.meet(_author(request))
        if request.query_params.get("version") == str(self._desk.version):
            return _json({"version": self._desk.version, "same": True})
        return _json(self._desk.overview())

    def lines(self, request: Request) -> Response:
        query = request.query_params
        offset, limit = _number(query.get("offset"), 0), _number(query.get("limit"), 200)
        return _json(self._desk.page(_filter(query), offset=offset, limit=limit, around=query.get("around")))

    def line(self, request: Request) -> Response:
        return _json(self._desk.details(request.path_params["line_id"]))

    def next_line(self, request: Request) -> Response:
        query = request.query_params
        return _json({"id": self._desk.next_line(_filter(query), after=query.get("after"))})

    def voices(self, request: Request) -> Response:
        return _json(self._desk.voices(request.path_params["episode"]))

    def split(self, request: Request) -> Response:
        return _json(self._desk.split(request.path_params["episode"], request.query_params.get("speaker", "")))

    def wave(self, request: Request) -> Response:
        query = request.query_params
        path = self._sound_file(request.path_params["episode"], query.get("signal", "mix"))
        if path is None:
            return _none()
        start, end = _number(query.get("from"), 0), _number(query.get("to"), 0)
        if not 0 <= start < end <= start + _LONGEST_WAVE_MS:
            raise ReviewError("too_much_sound", _LONGEST_WAVE_MS // 1000)
        return _json(wave(path, start, end, bins=max(10, min(2000, _number(query.get("bins"), 600)))))

    def sound(self, request: Request) -> Response:
        from starlette.responses import FileResponse

        path = self._sound_file(request.path_params["episode"], request.path_params["signal"])
        return _none() if path is None else FileResponse(path, media_type="audio/flac")  # heeds Range

    def _sound_file(self, episode_id: str, signal: str) -> Path | None:
        """A file that the review knows, never one that a request names; and only if it really lies in the folder."""
        episode = self._desk.episode(episode_id)
        path = None if episode is None or signal not in ("mix", "vocals") else getattr(episode, signal)
        return self._inside(path) if path is not None else None

    def report(self, request: Request) -> Response:
        from starlette.responses import FileResponse

        name = request.path_params["path"]
        is_sound = bool(_SOUNDS.fullmatch(name))
        if not (is_sound or _REPORTS.fullmatch(name)) or any(part.startswith(".") for part in name.split("/")):
            return _none()
        path = self._inside(self._root / name)
        if path is None:
            return _none()
        return FileResponse(path, media_type="audio/flac" if is_sound else "text/html; charset=utf-8")

    def _inside(self, path: Path) -> Path | None:
        """The file itself, if it lies in the output folder, links followed."""
        try:
            real = path.resolve(strict=True)
        except (OSError, ValueError):
            return None
        return real if real.is_relative_to(self._root) and real.is_file() else None

    async def decide(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        body = await _body(request)
        seen = body.get("seen")
        work = functools.partial(
            self._desk.decide, _author(request), body, seen=seen if isinstance(seen, int) else None
        )
        return await self._and_think(request, await run_in_threadpool(work))

    async def undo(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        return await self._and_think(request, await run_in_threadpool(self._desk.undo, _author(request)))

    async def redo(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        return await self._and_think(request, await run_in_threadpool(self._desk.redo, _author(request)))

    async def _and_think(self, _: Request, told: dict[str, Any] | None) -> Response:
        """The answer first; then, behind it, what follows for the other lines."""
        from starlette.background import BackgroundTask

        response = _json(told or {"act": None})
        names = {"assign", "mark", "unmark", "add", "cut", "times"}
        if told is not None and told["act"]["kind"] in names and len(told["episodes"]) <= 2:
            response.background = BackgroundTask(self._think, told["episodes"])
        return response

    def _think(self, episodes: list[str]) -> None:
        for episode_id in episodes:
            self._desk.think(episode_id)

    async def apply(self, _: Request) -> Response:
        from starlette.background import BackgroundTask

        response = _json({"state": "running"})
        response.background = BackgroundTask(self._desk.apply)
        return response

    def applying(self, _: Request) -> Response:
        return _json(self._desk.applying)


def _author(request: Request) -> str:
    name: str = request.headers.get("x-review-author", "")
    return name if re.fullmatch(r"[A-Za-z0-9-]{1,40}", name) else "somebody"


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = parse_json(await request.body())
    except ValueError as e:
        raise ReviewError("not_json", e) from e
    if not isinstance(body, dict):
        raise ReviewError("not_an_object")
    return body


def _filter(query: Mapping[str, str]) -> Filter:
    given = {field.name: query[field.name][:400] for field in dataclasses.fields(Filter) if field.name in query}
    overlap = given.pop("overlap", "") in ("1", "true")
    return Filter(**given, overlap=overlap)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"\d{1,10}", text) else otherwise


@functools.cache
def _part(name: str) -> str:
    package = "yuki_builder.corpus.report" if name == "base.css" else "yuki_builder.corpus.review"
    return files(package).joinpath(name).read_text(encoding="utf-8")
