"""What one stage leaves on disk for the next: records as JSON lines, embeddings as NumPy's zip."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pipelines.layout import CORRECTED_DUB, CORRECTED_EMBEDDINGS, DUB, EMBEDDINGS, EMBEDDINGS_OF_LINES, LINES
from yuki_builder.errors import InputError, YukiError
from yuki_builder.records import Line, MediaInfo, Record, SpeakerEmbeddings, Turn

if TYPE_CHECKING:
    from yuki_builder.corpus import AudioFingerprint, Scene

R = TypeVar("R", bound=Record)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_MOST_KEPT_BYTES = 48 << 20


def write_records(records: Iterable[Record], path: Path) -> None:
    """One record a line, as JSON."""
    written = tuple(records)
    text = "".join([_ENCODER.encode(record.to_dict()) + "\n" for record in written])
    content = text.encode("utf-8", errors="backslashreplace")
    path.write_bytes(content)
    if written:
        _PARSED.remember(content, type(written[0]), written)


@contextlib.contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Turn whatever damaged bytes of a file of ours raise within into one line.

    Raises:
        InputError: the file is damaged.
    """
    try:
        yield
    except (OSError, YukiError):
        raise
    except Exception as e:  # readers of JSON, zip archives and arrays raise some fifteen kinds
        raise InputError(
            "is damaged: it is not as this program wrote it",
            where=path,
            remedy="run the command again that made this episode: damaged files are made anew, all with --force",
        ) from e


class _Parsed:
    """Records by the bytes that they were read from or written to, the latest ones: many stages read the same file.

    Records are frozen, so that all readers may have the same ones.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[tuple[type[Record], bytes], tuple[int, tuple[Any, ...]]] = OrderedDict()

    def read(self, content: bytes, kind: type[R], parse: Callable[[], Iterable[R]]) -> tuple[R, ...]:
        key = (kind, hashlib.sha256(content).digest())
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        records = tuple(parse())
        self._keep(key, len(content), records)
        return records

    def remember(self, content: bytes, kind: type[R], records: tuple[R, ...]) -> None:
        self._keep((kind, hashlib.sha256(content).digest()), len(content), records)

    def _keep(self, key: tuple[type[Record], bytes], size: int, records: tuple[Any, ...]) -> None:
        self._bytes += size - self._kept.pop(key, (0, ()))[0]
        self._kept[key] = (size, records)
        while self._bytes > self._most_bytes:
            self._bytes -= self._kept.popitem(last=False)[1][0]


_PARSED = _Parsed(_MOST_KEPT_BYTES)


def read_records(path: Path, kind: type[R], *, keep: bool = True) -> list[R]:
    """What ``write_records`` wrote.

    Args:
        path: the file.
        kind: what it holds.
        keep: remember them for the next reader; a season's are read once.

    Raises:
        InputError: the file is damaged.
    """
    with damage_explained(path):
        content = path.read_bytes()
        if not keep:
            return list(parse_records(content, kind))
        return list(_PARSED.read(content, kind, lambda: parse_records(content, kind)))


def parse_records(content: bytes, kind: type[R]) -> Iterator[R]:
    """The records of a file's content."""
    lines = content.decode("utf-8").split("\n")
    return (kind.from_dict(json.loads(line)) for line in (lines if lines[-1] else lines[:-1]))


def read_record(path: Path, kind: type[R]) -> R:
    """The one record of a file; raises as ``read_records``."""
    with damage_explained(path):
        (record,) = read_records(path, kind)
    return record


_SIGNAL = "signal_"


def write_embeddings(embeddings: SpeakerEmbeddings, path: Path, *, embedder: str) -> None:
    """Keys, vectors and milliseconds of speech in one .npz, with the fingerprint of the embedder that made them.

    Equal embeddings give equal bytes.

    Args:
        embeddings: of lines or clips, by key.
        path: the ``.npz`` file.
        embedder: the fingerprint of what made them.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("wb") as file:
        signals: dict[str, Any] = {f"{_SIGNAL}{name}": part for name, part in sorted(embeddings.signals.items())}
        np.savez(
            file,
            embedder=np.array(embedder),
            keys=np.array(embeddings.keys, dtype=np.str_),
            vectors=embeddings.vectors,
            speech_ms=np.array(embeddings.speech_ms, dtype=np.int64),
            **signals,
        )


def read_embeddings(path: Path) -> tuple[SpeakerEmbeddings, str]:
    """What ``write_embeddings`` wrote, and the embedder's fingerprint; nothing in the file is unpickled.

    Raises:
        InputError: the file is damaged.
    """
    with damage_explained(path), np.load(path, allow_pickle=False) as data:
        keys, speech_ms = (data[name].tolist() for name in ("keys", "speech_ms"))
        signals = {name.removeprefix(_SIGNAL): data[name] for name in data.files if name.startswith(_SIGNAL)}
        return SpeakerEmbeddings(tuple(keys), data["vectors"], tuple(speech_ms), signals), str(data["embedder"])


def embeddings_of(place: Callable[[str], Path]) -> Path:
    """The file of the speaker embeddings of an episode's lines: as they were corrected, where they were.

    Args:
        place: where an output of the episode is: ``folder.joinpath``, or a job's ``input``.
    """
    corrected = place(CORRECTED_EMBEDDINGS)
    return corrected if corrected.exists() else place(EMBEDDINGS)


def embeddings_in(folder: Path) -> Path:
    """The same file in an episode's folder, which an earlier version of this program may have made."""
    paths = (folder / name for name in EMBEDDINGS_OF_LINES)
    return next((path for path in paths if path.exists()), folder / EMBEDDINGS)


def dub_of(place: Callable[[str], Path]) -> Path:
    """The same of the lines in a second audio track."""
    corrected = place(CORRECTED_DUB)
    return corrected if corrected.exists() else place(DUB)


def read_media(path: Path, video: Path) -> MediaInfo:
    """The facts of the media file; kept without its path, which is given here: they stay true when it is moved."""
    return dataclasses.replace(read_record(path, MediaInfo), path=str(video))


def read_turns(path: Path) -> list[Turn]:
    """The turns of an RTTM file."""
    from video_preprocessing.speech import read_rttm

    return list(read_rttm(path))


def read_lines(folder: Path) -> list[Line]:
    """The lines of an episode's folder; none where it has not come so far."""
    from yuki_builder.corpus import read_lines_jsonl

    path = folder / LINES
    return read_lines_jsonl(path) if path.exists() else []


def write_line_file(lines: Sequence[Line], path: Path) -> None:
    """``lines.jsonl``, which this process need not parse again."""
    from yuki_builder.corpus import write_lines_jsonl

    write_lines_jsonl(lines, path)
    _PARSED.remember(path.read_bytes(), Line, tuple(lines))


def read_line_file(path: Path) -> list[Line]:
    """The lines of ``lines.jsonl``; raises as ``read_lines_jsonl``."""
    from yuki_builder.corpus import read_lines_jsonl

    return list(_PARSED.read(path.read_bytes(), Line, lambda: read_lines_jsonl(path)))


def read_scenes(path: Path, lines: Sequence[Line]) -> list[Scene]:
    """The scenes that an episode's lines fall into; found anew where an earlier version wrote none."""
    from yuki_builder.corpus import SceneRow, scenes_of, split_scenes

    if not path.exists():
        return split_scenes([line for line in lines if line.text.strip()])
    with damage_explained(path):
        return scenes_of(read_records(path, SceneRow), lines)


def write_audio_fingerprints(audio_fingerprints: Mapping[str, AudioFingerprint], path: Path) -> None:
    """As integers of 8 bits: a season has tens of thousands, and similarity needs no more."""
    keys = sorted(audio_fingerprints)
    vectors = np.stack([audio_fingerprints[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)
    scale = np.abs(vectors).max() / 127 if vectors.size else 1.0
    with path.open("wb") as file:
        np.savez(file, keys=np.array(keys, np.str_), vectors=np.rint(vectors / scale).astype(np.int8))


def read_audio_fingerprints(path: Path) -> dict[str, AudioFingerprint]:
    """The fingerprints that an episode's lines have, by line id, of length 1."""
    if not path.exists():
        return {}
    with damage_explained(path), np.load(path, allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(np.float32)
        keys = [str(key) for key in stored["keys"]]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if keys else np.ones((0, 1))
        return dict(zip(keys, vectors / np.maximum(lengths, 1e-6), strict=True))
