"""Models of the Hugging Face hub: what is in its cache, and fetching the rest."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from video_preprocessing.bars import bar_that_tells
from yuki_builder.errors import ConfigError
from yuki_builder.records import Progress, no_progress

_REFUSED = (401, 403, 404)


def cached_revision(repository: str, file: str) -> str:
    """The revision of a repository's file in the cache, or ``not here``; asks no network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return "not here"
    return Path(path).parent.name[:12] if isinstance(path, str) else "not here"


def cached_folder(repository: str, file: str) -> Path | None:
    """The folder of the cache that holds a repository's file; asks no network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(path).parent if isinstance(path, str) else None


def published_hash(path: Path) -> tuple[str, str] | None:
    """What the hub published of a file in its cache: ``sha256`` or ``git sha1``, and the hash; None for other files.

    The cache names the content of a file by it; where a system has no symbolic links it does not.
    """
    content = path.resolve()
    if content.parent.name != "blobs":
        return None
    for kind, letters in (("sha256", 64), ("git sha1", 40)):
        if re.fullmatch(rf"[0-9a-f]{{{letters}}}", content.name):
            return kind, content.name
    return None


def hash_of(path: Path, kind: str) -> str:
    """The hash of a file by which the hub knows it; ``kind`` as ``published_hash`` has it."""
    with path.open("rb") as file:
        if kind == "sha256":
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        while part := file.read(1 << 20):
            digest.update(part)
        return digest.hexdigest()


def download_folder(
    repository: str, patterns: Sequence[str], *, progress: Progress = no_progress, download: bool = True
) -> Path:
    """The folder of the hub's cache that holds a repository's files.

    A download goes on where a connection broke; of a run that was stopped, whole files are kept.

    Args:
        repository: ``owner/name``.
        patterns: the files that are wanted; the first two are names, and always there.
        progress: in bytes, while it is fetched.
        download: whether it may be fetched.

    Raises:
        ConfigError: no such repository, or no network; one line with what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    where = f"--transcriber {repository}"
    if repository.count("/") != 1:
        raise ConfigError("unknown transcriber", where=where, remedy="see: models list")
    fetch = functools.partial(snapshot_download, repository, allow_patterns=list(patterns))
    with contextlib.suppress(LocalEntryNotFoundError, HFValidationError):
        folder = Path(fetch(local_files_only=True))
        if all((folder / name).exists() for name in patterns[:2]):
            return folder
    if not download:
        raise ConfigError("the model is not on this machine", where=where, remedy="run once with the network")
    try:
        return Path(fetch(tqdm_class=bar_that_tells(progress)))
    except Exception as e:  # errors of the hub and of its HTTP client, whose package differs between its versions
        status = getattr(getattr(e, "response", None), "status_code", None)
        reason = "no such model, or it asks for a token" if status in _REFUSED else "the model cannot be downloaded"
        raise ConfigError(
            f"{reason} (Hugging Face)", where=where, remedy="check the name and the network, or give a model's folder"
        ) from e
