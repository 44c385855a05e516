"""What ``models`` shows of the speaker embedders and diarizers, and the check of their files of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from video_preprocessing.speech import DIARIZERS, EMBEDDERS, WeightsFile
from video_preprocessing.transcription import TRANSCRIBERS, TranscriberEntry, hash_of, published_hash
from video_preprocessing.uvr5.checkpoints import Check, sha256_of


def voice_models() -> list[dict[str, Any]]:
    """Every embedder, diarizer and transcriber by name; loads and fetches nothing."""
    return [
        *(_facts("embedder", row.name, row.summary, row.weights) for row in EMBEDDERS.values()),
        *(_facts("diarizer", row.name, row.summary, row.needs) for row in DIARIZERS.values()),
        *map(_transcriber_facts, TRANSCRIBERS.values()),
    ]


def installed_files(name: str | None = None) -> list[Path]:
    """The files of weights that are on this machine: all whose hash is known, or those of the row ``name``."""
    files = [file for row, files in _files().items() for file in files if row == name or (not name and file.sha256)]
    rows = [row for row in TRANSCRIBERS.values() if name in (None, row.name)]
    return [
        *(path for file in files if (path := file.find()) is not None),
        *(path for row in rows for path in row.files()),
    ]


def check_file(path: Path) -> dict[str, Any] | None:
    """An installed file of weights against the published hash; also any copy of one. None for another file.

    Raises:
        OSError: it cannot be read.
    """
    published = published_hash(path)
    if published is not None:
        return _against_the_hub(path, *published)
    files = [file for files in _files().values() for file in files]
    found = sha256_of(path)
    for file in files:
        own = file.find()
        is_own = own is not None and path.exists() and path.samefile(own)
        if not (is_own or found == file.sha256):
            continue
        facts = {"name": file.name, "path": str(path)}
        if file.sha256 is None:
            return {**facts, "check": Check.UNKNOWN, "by": None, "expected": None, "found": None}
        check = Check.OK if found == file.sha256 else Check.DIFFERS
        return {**facts, "check": check, "by": "sha256", "expected": file.sha256, "found": found}
    return None


def _against_the_hub(path: Path, kind: str, expected: str) -> dict[str, Any]:
    """A file of the cache of the Hugging Face hub against the hash that the hub published."""
    found = hash_of(path, kind)
    repository = next((p.name for p in path.absolute().parents if p.name.startswith("models--")), "")
    return {
        "name": repository.removeprefix("models--").replace("--", "/") or None,
        "path": str(path),
        "check": Check.OK if found == expected else Check.DIFFERS,
        "by": kind,
        "expected": expected,
        "found": found,
    }


def _files() -> dict[str, tuple[WeightsFile, ...]]:
    embedders = {name: row.files() for name, row in EMBEDDERS.items()}
    return embedders | {name: row.files() for name, row in DIARIZERS.items()}


def _transcriber_facts(row: TranscriberEntry) -> dict[str, Any]:
    folder = row.folder()
    return {
        "name": row.name,
        "kind": "transcriber",
        "option": f"--transcriber {row.name}",
        "state": "missing" if folder is None else "installed",
        "summary": row.summary,
        "weights_from": [row.weights],
        "needs": f"the extra {row.extra}",
        "path": [] if folder is None else [str(folder)],
        "sha256": [],
    }


def _facts(kind: str, name: str, summary: str, needs: str) -> dict[str, Any]:
    files = _files()[name]
    paths = [file.find() for file in files]
    return {
        "name": name,
        "kind": kind,
        "option": f"--{kind} {name}",
        "state": "installed" if all(paths) else "missing",
        "summary": summary,
        "weights_from": [f"{file.name}: {file.source}" for file in files],
        "needs": needs if kind == "diarizer" else None,
        "path": [str(path) for path in paths if path is not None],
        "sha256": [file.sha256 for file in files if file.sha256 is not None],
    }
