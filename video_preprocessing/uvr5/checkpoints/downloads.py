"""The folder of downloaded checkpoints: where it is, how a file gets there, and whether it is still the right one.

A download goes into ``<file>.part`` and gets its name only when its size and hash are the published ones; an
interrupted one goes on where it broke off. A lock keeps two runs from fetching the same file at once: the second
waits, and finds it there.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from video_preprocessing.uvr5.checkpoints.registry import KnownModel
from yuki_builder.errors import CheckpointError, OutputError
from yuki_builder.records import Progress, Record, no_progress

UVR_TAIL_BYTES = 10_000 * 1024

_BLOCK_BYTES = 1 << 20
_TIMEOUT_S = 30.0
_PAUSE_S = 0.2
# A transfer that breaks off goes on; one that breaks off this often without a single new byte does not.
_TRIES_WITHOUT_PROGRESS = 3
_HUGGING_FACE = "https://huggingface.co"
_HTTP_OK, _HTTP_PARTIAL, _HTTP_RANGE_REFUSED = 200, 206, 416
_NETWORK_ERRORS = (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError, ssl.SSLError)


class Check(enum.StrEnum):
    """What comparing a file with the published hashes said."""

    OK = "ok"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # nothing is published to compare with


@dataclass(frozen=True, slots=True)
class Verification(Record):
    """A file against what is published of it; ``by`` names the hash that decided."""

    check: Check
    by: str | None = None
    expected: str | None = None
    found: str | None = None


def model_folder() -> Path:
    """``$YUKI_MODELS``, else ``yuki_builder/models`` in the user's cache; it need not exist."""
    if own := os.environ.get("YUKI_MODELS"):
        return Path(own).expanduser()
    return cache_folder() / "models"


def cache_folder() -> Path:
    """The project's folder in the user's cache; it need not exist."""
    return platformdirs.user_cache_path("yuki_builder", appauthor=False, opinion=False)


def cached_path(model: KnownModel) -> Path:
    """Where the model's file lies once it has been fetched, or is to be put by hand."""
    return model_folder() / model.file


def get_model(model: KnownModel, *, progress: Progress = no_progress) -> Path:
    """The model's file from the cache, fetched before if need be.

    Args:
        model: what to get.
        progress: in bytes of the file.

    Raises:
        CheckpointError: it can be had from none of its addresses: no network, another size, another hash.
        OutputError: the cache cannot be written.
    """
    from filelock import FileLock

    path = cached_path(model)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock")):
            if not path.is_file():  # while this one waited, another may have fetched it
                _fetch(model, path, progress)
    except OSError as e:
        raise OutputError(
            f"the model folder cannot be written ({e.strerror or e})",
            where=path.parent,
            remedy="free space there, or name another folder in YUKI_MODELS",
        ) from e
    return path


def verify(path: Path, model: KnownModel) -> Verification:
    """Compares a file with the published SHA-256, or, where there is none, with the MD5 by which UVR knows it.

    Raises:
        OSError: it cannot be read.
    """
    for by, expected, hash_of in (("sha256", model.sha256, sha256_of), ("uvr_md5", model.uvr_md5, uvr_md5)):
        if expected is not None:
            found = hash_of(path)
            return Verification(Check.OK if found == expected else Check.DIFFERS, by, expected, found)
    return Verification(Check.UNKNOWN)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def uvr_md5(path: Path) -> str:
    """MD5 of a file's last 10,000 * 1024 bytes, of all of it when shorter: the name UVR knows a model by."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - UVR_TAIL_BYTES))
        return hashlib.md5(file.read(), usedforsecurity=False).hexdigest()


def whole_md5(path: Path) -> str:
    """MD5 of a whole file: the name that older public lists know a model by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class _WrongFileError(Exception):
    """An address serves something else than what was published."""


def _fetch(model: KnownModel, path: Path, progress: Progress) -> None:
    """From the first address that has the right file, checked, into place."""
    part = path.with_name(f"{path.name}.part")
    troubles = []
    for url in map(_mirrored, model.urls):
        host = url.split("/")[2]
        try:
            _download(url, part, model.size_bytes, progress)
        except _NETWORK_ERRORS as e:
            troubles.append(f"{host}: {_reason(e)}")
            continue
        except _WrongFileError as e:
            troubles.append(f"{host}: {e}")
            continue
        result = verify(part, model)
        if result.check is Check.DIFFERS:
            part.unlink()
            troubles.append(f"{host}: {result.by} {_short(result.found)} where {_short(result.expected)} is published")
            continue
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        _version_file(part).unlink(missing_ok=True)
        return
    raise CheckpointError(
        f"cannot be downloaded ({'; '.join(troubles) or 'no address is known'})",
        where=model.name,
        remedy=f"try again, or get {model.file} elsewhere and put it at {path}",
    )


def _download(url: str, part: Path, size_bytes: int | None, progress: Progress) -> None:
    """Brings ``part`` to its full length, over as many connections as that takes."""
    tries, reached = _TRIES_WITHOUT_PROGRESS, _size(part)
    trouble: Exception = ConnectionError("the server does not give the file")
    while reached != size_bytes:  # a run may have been killed between the last byte and the renaming
        try:
            if _transfer(url, part, size_bytes, progress):
                return
        except urllib.error.HTTPError:
            raise  # the server has answered; asking again changes nothing
        except _NETWORK_ERRORS as e:
            trouble = e
        tries = _TRIES_WITHOUT_PROGRESS if _size(part) > reached else tries - 1
        reached = max(reached, _size(part))
        if tries <= 0:
            raise trouble
        time.sleep(_PAUSE_S)


def _transfer(url: str, part: Path, size_bytes: int | None, progress: Progress) -> bool:
    """One connection: appends to ``part`` what is missing; False when it has to be started afresh.

    Raises:
        _WrongFileError: the file there has another length than the published one.
        ConnectionError: the connection ended before the file did.
    """
    done = _size(part)
    version_file = _version_file(part)
    request = urllib.request.Request(url, headers={"User-Agent": "yuki-builder", "Accept-Encoding": "identity"})  # noqa: S310
    if done and version_file.exists():
        request.add_header("Range", f"bytes={done}-")
        request.add_header("If-Range", version_file.read_text(encoding="utf-8"))
    else:
        done = 0  # whatever lies there, nothing says which version of the file it is the beginning of
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310  (addresses of the registry)
    except urllib.error.HTTPError as e:
        e.close()
        if e.code != _HTTP_RANGE_REFUSED:
            raise
        _forget(part)
        return False
    with response:
        resumed = response.status == _HTTP_PARTIAL and _range_start(response) == done
        if not resumed:
            if response.status != _HTTP_OK:
                _forget(part)
                return False
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        if size_bytes is not None and total is not None and total != size_bytes:
            raise _WrongFileError(f"{total:,} bytes where {size_bytes:,} are published")
        if not resumed:
            _forget(part)
            if version := response.headers.get("ETag") or response.headers.get("Last-Modified"):
                version_file.write_text(version, encoding="utf-8")
        with part.open("ab") as file:
            for block in _blocks(response):
                file.write(block)
                done += len(block)
                progress(done, total or size_bytes)
    end = total if total is not None else size_bytes
    if end is not None and done < end:
        raise ConnectionError(f"broke off after {done:,} of {end:,} bytes")
    if size_bytes is not None and done != size_bytes:
        _forget(part)
        raise _WrongFileError(f"{done:,} bytes where {size_bytes:,} are published")
    return True


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while block := response.read(_BLOCK_BYTES):
        yield block


def _range_start(response: http.client.HTTPResponse) -> int | None:
    """Of ``Content-Range: bytes 100-199/200`` the 100."""
    start = (response.headers.get("Content-Range") or "").removeprefix("bytes ").split("-")[0]
    return int(start) if start.isdigit() else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def _version_file(part: Path) -> Path:
    """Beside an unfinished file, what the server calls the version that it is the beginning of."""
    return part.with_name(f"{part.name}.version")


def _mirrored(url: str) -> str:
    """With ``$HF_ENDPOINT`` in place of the hub's own address, as its users know it."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return endpoint + url.removeprefix(_HUGGING_FACE) if endpoint and url.startswith(_HUGGING_FACE) else url


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}".strip()
    if isinstance(error, urllib.error.URLError):
        with contextlib.suppress(AttributeError):
            return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(error) or type(error).__name__


def _short(digest: str | None) -> str:
    return f"{digest[:12]}…" if digest else "nothing"
