"""Who may ask the review server: this computer's browser, with the token, from the server's own pages."""

from __future__ import annotations

import http.cookies
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER = "x-review-token"
MOST_BODY_BYTES = 4 << 20
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# The static report holds its scripts and pictures in itself, and may ask nothing of this server but its sound files.
_REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src 'self' data:; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts "
    "allow-same-origin allow-downloads allow-modals allow-popups"
)


class Gate:
    """In front of an ASGI app: refuses what does not come from the server's own page.

    * ``Host`` is this server's own address, so that no name of the web that leads here is served (DNS rebinding).
    * ``Origin``, where a browser sends one, is this server's own, and ``Sec-Fetch-Site`` is not another site's.
    * Every request has the token: in the cookie, in a header, or, once, in the address of the first page.
    * What changes something is JSON with a limit on its size, which no form of another page can send.

    Args:
        app: what is behind it.
        port: the server's.
        token: the secret.
    """

    def __init__(self, app: App, *, port: int, token: str) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._token = token
        self.cookie = f"yuki-review-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in scope["headers"]]
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            return await _answer(send, *refusal)
        if scope["path"] == "/" and b"token=" in scope["query_string"]:
            # Out of the address bar, the history and what a link tells others.
            cookie = f"{self.cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            return await _answer(send, 303, "", [("location", "/"), ("set-cookie", cookie)])
        policy = _REPORT_POLICY if scope["path"].startswith("/report/") else _PAGE_POLICY

        async def send_safely(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                safe = {"content-security-policy": policy, **_SAFE}
                kept = [(k, v) for k, v in message.get("headers", []) if k.decode("latin-1").lower() not in safe]
                message = {**message, "headers": kept + [(k.encode(), v.encode()) for k, v in safe.items()]}
            await send(message)

        await self._app(scope, receive, send_safely)

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> tuple[int, str] | None:
        """Status and reason, or None where the request is served. Pure."""
        hosts = [value for name, value in headers if name == "host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421, "this server answers to its own address only"
        origins = [value for name, value in headers if name == "origin"]
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return 403, "requests of other pages are refused"
        sites = [value for name, value in headers if name == "sec-fetch-site"]
        # "none": typed in, or opened by another program.
        if any(site not in ("same-origin", "none") for site in sites):
            return 403, "requests of other pages are refused"
        if not self._has_token(scope, headers):
            return 401, "open the address that the command printed: it has the token"
        return None if scope["method"] in ("GET", "HEAD") else self._not_of_ours(scope["method"], headers)

    def _not_of_ours(self, method: str, headers: list[tuple[str, str]]) -> tuple[int, str] | None:
        """Why a request that would change something is refused. Pure."""
        if method != "POST":
            return 405, "GET and POST only"
        kinds = [value.partition(";")[0].strip().lower() for name, value in headers if name == "content-type"]
        if kinds != ["application/json"]:
            return 415, "expected JSON"
        sizes = [value for name, value in headers if name == "content-length"]
        if len(sizes) != 1 or not sizes[0].isdigit() or int(sizes[0]) > MOST_BODY_BYTES:
            return 413, f"expected at most {MOST_BODY_BYTES >> 20} MiB"
        return None

    def _has_token(self, scope: Scope, headers: list[tuple[str, str]]) -> bool:
        given = [value for name, value in headers if name == HEADER]
        for name, value in headers:
            if name == "cookie":
                jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
                try:
                    jar.load(value)
                except http.cookies.CookieError:
                    continue
                if self.cookie in jar:
                    given.append(jar[self.cookie].value)
        if scope["path"] == "/":
            query = scope["query_string"].decode("latin-1")
            given += [part[len("token=") :] for part in query.split("&") if part.startswith("token=")]
        return any(secrets.compare_digest(each.encode(), self._token.encode()) for each in given)


_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


async def _answer(send: Send, status: int, text: str, headers: list[tuple[str, str]] | None = None) -> None:
    all_headers = {"content-type": "text/plain; charset=utf-8", **_SAFE, **dict(headers or [])}
    rows = [(name.encode(), value.encode()) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": rows})
    await send({"type": "http.response.body", "body": text.encode()})
