"""The folder of downloaded checkpoints: where it is, how a file gets there, and whether it is still the right one.

huggingface_hub fetches, from addresses of any host; pooch, which fetches the embedder's weights, cannot go on where a
connection broke. A download goes into ``<file>.part`` and gets its name only when its size and hash are the published
ones; the next run goes on where this one was interrupted. A lock keeps two runs from fetching the same file at once:
the second waits, and finds it there.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from video_preprocessing.bars import bar_that_tells
from video_preprocessing.uvr5.checkpoints.registry import KnownModel
from yuki_builder.errors import CheckpointError, OutputError
from yuki_builder.records import Progress, Record, no_progress

UVR_TAIL_BYTES = 10_000 * 1024

_HUGGING_FACE = "https://huggingface.co"
_HTTP_RANGE_REFUSED = 416
_AS_IT_IS = {"Accept-Encoding": "identity"}  # its length is told, and its parts can be asked for


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


def _fetch(model: KnownModel, path: Path, progress: Progress) -> None:
    """From the first address that has the right file, checked, into place."""
    part = path.with_name(f"{path.name}.part")
    troubles = []
    for url in map(_mirrored, model.urls):
        trouble = _download(url, part, model, progress)
        if trouble is None:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
            return
        troubles.append(f"{url.split('/')[2]}: {trouble}")
    raise CheckpointError(
        f"cannot be downloaded ({'; '.join(troubles) or 'no address is known'})",
        where=model.name,
        remedy=f"try again, or get {model.file} elsewhere and put it at {path}",
    )


def _download(url: str, part: Path, model: KnownModel, progress: Progress) -> str | None:
    """Brings ``part`` to its full length and checks it; what went wrong, or None.

    What an earlier run left may begin another version of the file, or be longer than the file: where the end that was
    fetched does not fit it, everything is fetched afresh. A file without a published hash is never continued.

    Raises:
        OSError: the file cannot be written.
    """
    from huggingface_hub.file_download import http_get

    if model.sha256 is None and model.uvr_md5 is None:
        part.unlink(missing_ok=True)
    while True:
        is_afresh = not part.exists() or part.stat().st_size == 0
        try:
            with part.open("ab") as file, _without_warnings():
                begun = file.tell()
                if begun != model.size_bytes:  # a run may have been killed between the last byte and the renaming
                    http_get(url, file, resume_size=begun, headers=_AS_IT_IS, tqdm_class=bar_that_tells(progress))
        except Exception as e:  # errors of the hub and of its HTTP client, whose package differs between its versions
            if isinstance(e, OSError) and e.errno is not None:  # of the disk
                raise
            if is_afresh or _status(e) != _HTTP_RANGE_REFUSED:
                return _reason(e)
        else:
            trouble = _wrong(part, model)
            if trouble is None:
                return None
            if is_afresh:
                part.unlink()
                return trouble
        part.unlink()


def _wrong(part: Path, model: KnownModel) -> str | None:
    """In what a file is not the published one."""
    size = part.stat().st_size
    if model.size_bytes not in (None, size):
        return f"{size:,} bytes where {model.size_bytes:,} are published"
    result = verify(part, model)
    if result.check is Check.DIFFERS:
        return f"{result.by} {_short(result.found)} where {_short(result.expected)} is published"
    return None


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """What went wrong is told in one line at the end."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _mirrored(url: str) -> str:
    """With ``$HF_ENDPOINT`` in place of the hub's own address, as its users know it."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return endpoint + url.removeprefix(_HUGGING_FACE) if endpoint and url.startswith(_HUGGING_FACE) else url


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _reason(error: Exception) -> str:
    status = _status(error)
    return f"HTTP {status}" if status else (str(error).splitlines() or [type(error).__name__])[0]


def _short(digest: str | None) -> str:
    return f"{digest[:12]}…" if digest else "nothing"
