"""Names that come from outside (characters, episodes) made safe as names of files and folders."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
_MAX_BYTES = 120


def path_name(name: str) -> str:
    """One safe path component for ``name``: never empty, a separator, ``..``, hidden, or over-long.

    A name that is safe already stays as it is (Unicode included); any other gets a short hash of the
    original appended, so that two names never share a folder: ``path_name("../../x")`` is ``_.._x-9cdf6a``.
    """
    normal = unicodedata.normalize("NFC", name)
    safe = "".join(c if c.isprintable() else "_" for c in _FORBIDDEN.sub("_", normal))
    # Leading dots hide or climb, a leading dash reads as an option; trailing dots and spaces vanish on Windows.
    safe = safe.lstrip(". -").rstrip(". ")
    if len(safe.encode()) > _MAX_BYTES:
        safe = safe.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(". ")
    if not safe or _RESERVED.match(safe):
        safe = f"_{safe}"
    if safe == normal:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
