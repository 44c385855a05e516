"""What one stage leaves on disk for the next: records as JSON lines, voiceprints as NumPy's zip."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

from yuki_builder.records import Record, Voiceprints

R = TypeVar("R", bound=Record)


def write_records(records: Iterable[Record], path: Path) -> None:
    """One record a line, as JSON."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for record in records:
            file.write(json.dumps(record.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")


def read_records(path: Path, kind: type[R]) -> list[R]:
    """What ``write_records`` wrote."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [kind.from_dict(json.loads(line)) for line in file]


def write_voiceprints(voiceprints: Voiceprints, path: Path, *, embedder: str) -> None:
    """Keys, vectors and milliseconds of speech in one .npz, with the fingerprint of the embedder that made them.

    Equal voiceprints give equal bytes.
    """
    with path.open("wb") as file:
        np.savez(
            file,
            embedder=np.array(embedder),
            keys=np.array(voiceprints.keys, dtype=np.str_),
            vectors=voiceprints.vectors,
            speech_ms=np.array(voiceprints.speech_ms, dtype=np.int64),
        )


def read_voiceprints(path: Path) -> tuple[Voiceprints, str]:
    """What ``write_voiceprints`` wrote, and the embedder's fingerprint; nothing in the file is unpickled."""
    with np.load(path, allow_pickle=False) as data:
        keys, speech_ms = (data[name].tolist() for name in ("keys", "speech_ms"))
        return Voiceprints(tuple(keys), data["vectors"], tuple(speech_ms)), str(data["embedder"])
