"""Serving a review on this computer alone."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from yuki_builder.corpus.review.app import make_app, require_review
from yuki_builder.corpus.review.desk import Desk
from yuki_builder.errors import InputError

_ADDRESS = "127.0.0.1"


def serve(desk: Desk, root: Path, *, port: int = 0, opened: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        desk: the review.
        root: the output folder.
        port: of 127.0.0.1; 0: any that is free.
        opened: is told the address, token included, once it answers.

    Raises:
        MissingExtraError: the server's libraries are not installed.
        InputError: the port is taken.
    """
    require_review()
    import uvicorn

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_ADDRESS, port))
        listening.listen(64)
    except OSError as e:
        listening.close()
        raise InputError(f"port {port} cannot be used ({e.strerror})", where="--port", remedy="give another") from e
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = make_app(desk, root, port=port, token=token)
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", server_header=False)
    with listening:
        opened(f"http://{_ADDRESS}:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listening])
