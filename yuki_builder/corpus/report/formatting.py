"""Times and addresses as the report writes them."""

from __future__ import annotations

import posixpath
from urllib.parse import quote


def clock(time_ms: int, *, tenths: bool = False) -> str:
    """``1:02:03`` or ``2:03``; with ``tenths`` ``2:03.4``."""
    total = max(0, time_ms) // 100 if tenths else max(0, time_ms) // 1000
    seconds, tenth = divmod(total, 10) if tenths else (total, 0)
    text = f"{seconds // 60 % 60}:{seconds % 60:02d}"
    if seconds >= 3600:
        text = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{tenth}" if tenths else text


def file_url(path: str, *, folder: str) -> str:
    """A relative URL from a report in ``folder`` to ``path``, both relative to the output folder.

    Percent-encoded, colons too, so that no path can name a scheme.
    """
    return "./" + quote(posixpath.relpath(f"/{path}", f"/{folder}"), errors="replace")


def percent(share: float) -> str:
    """``37.5%``, for a style sheet."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
