"""The known characters' voices, and how to keep them."""

from __future__ import annotations

import json
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from yuki_builder.characters.files import EMBEDDINGS_FILE, GALLERY_FILE
from yuki_builder.characters.scoring import score_voices, softmax
from yuki_builder.characters.tuning import tune
from yuki_builder.characters.voice_model import Array, VoiceModel, fitted_model, plain_model
from yuki_builder.errors import GalleryError
from yuki_builder.records import FloatArray, SpeakerEmbeddings
from yuki_builder.untrusted import read_json

SCHEMA = 1
# Three clips of one character are the fewest of which one can be outvoted.
MIN_CLIPS_TO_DOUBT = 3
_RELIABILITY = 0.99
_MIN_CHARACTERS_TO_TUNE = 3
_ROWS_AT_ONCE = 1 << 12
_LARGEST_COMPONENT = 1e4  # embeddings have length 1


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """Speaker embeddings by character, in one canonical order, whatever order they came in.

    Attributes:
        embedder: fingerprint of the embedder that made them; others' embeddings do not compare.
        keys: n names of clips, unique.
        characters: n names, one per clip.
        vectors: shape (n, d), float32.
        speech_ms: n ints.
    """

    embedder: str
    keys: tuple[str, ...]
    characters: tuple[str, ...]
    vectors: FloatArray
    speech_ms: tuple[int, ...]

    @classmethod
    def build(cls, embeddings: SpeakerEmbeddings, character_of: Mapping[str, str], *, embedder: str) -> Self:
        """The embeddings whose key has a character; the others are left out.

        Args:
            embeddings: of clips, by key.
            character_of: the character of each key that is to be enrolled.
            embedder: the fingerprint of what made the embeddings.

        Raises:
            ValueError: two embeddings share one key.
        """
        rows = [
            row
            for row, key in enumerate(embeddings.keys)
            if character_of.get(key, "").strip() and np.isfinite(embeddings.vectors[row]).all()
        ]
        rows.sort(key=lambda row: (character_of[embeddings.keys[row]], embeddings.keys[row]))
        keys = tuple(embeddings.keys[row] for row in rows)
        if len(set(keys)) < len(keys):
            raise ValueError("two embeddings share one key")
        return cls(
            embedder=embedder,
            keys=keys,
            characters=tuple(character_of[key] for key in keys),
            vectors=np.asarray(embeddings.vectors[rows], np.float32).reshape(len(rows), embeddings.vectors.shape[1]),
            speech_ms=tuple(int(embeddings.speech_ms[row]) for row in rows),
        )

    @classmethod
    def empty(cls, *, embedder: str) -> Self:
        """Nobody is known."""
        return cls(embedder=embedder, keys=(), characters=(), vectors=np.zeros((0, 0), np.float32), speech_ms=())

    @property
    def names(self) -> tuple[str, ...]:
        """The characters, each once, sorted."""
        return tuple(sorted(set(self.characters)))

    def counts(self) -> Mapping[str, int]:
        """Clips per character."""
        return dict(sorted(Counter(self.characters).items()))

    def extend(self, embeddings: SpeakerEmbeddings, character_of: Mapping[str, str]) -> Self:
        """With more clips. A key that is there already is the same clip: its new character and vector count."""
        return self.merge(type(self).build(embeddings, character_of, embedder=self.embedder))

    def merge(self, other: Gallery) -> Self:
        """Both galleries' clips; where both hold a key, the other's counts.

        Raises:
            GalleryError: the galleries are of different embedders.
        """
        return self.joined((self, other), embedder=self.embedder)

    @classmethod
    def joined(cls, galleries: Iterable[Gallery], *, embedder: str) -> Self:
        """The clips of many galleries; of those that hold one key, the last counts.

        Raises:
            GalleryError: the galleries are of different embedders.
        """
        clips = GalleryClips(embedder=embedder)
        parts = [gallery for gallery in galleries if clips.add(gallery)]
        if not parts:
            return cls.empty(embedder=embedder)
        rows = clips.order()
        return cls(
            embedder=embedder,
            keys=tuple(clips.keys[row] for row in rows),
            characters=tuple(clips.characters[row] for row in rows),
            vectors=np.concatenate([gallery.vectors for gallery in parts])[rows],
            speech_ms=tuple(clips.speech_ms[row] for row in rows),
        )

    def save(self, folder: Path) -> None:
        """Write ``gallery.json`` and the embeddings beside it: the same bytes for the same content."""
        clips = GalleryClips(embedder=self.embedder)
        clips.add(self)
        _write(Path(folder), clips, range(len(self.keys)), self.vectors.shape[1], [self.vectors])

    @classmethod
    def load(cls, folder: Path, *, embedder: str | None) -> Self:
        """The gallery that ``save`` wrote.

        Args:
            folder: where ``gallery.json`` is.
            embedder: fingerprint of the embedder in use; None: whichever it is of.

        Raises:
            GalleryError: no gallery there, a damaged or newer one, or one of another embedder.
        """
        gallery = cls._read(Path(folder))
        if embedder is not None:
            _check_embedder(gallery, embedder, where=folder)
        return gallery

    @classmethod
    def _read(cls, folder: Path) -> Self:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            content = read_json(folder / GALLERY_FILE)
            if content["schema"] != SCHEMA:
                raise GalleryError(
                    f"gallery of format {content['schema']!r}, this program reads format {SCHEMA}", where=folder
                )
            keys, characters = ([str(clip[field]) for clip in content["clips"]] for field in ("key", "character"))
            speech_ms = tuple(_duration_ms(clip["speech_ms"]) for clip in content["clips"])
            for name in (*keys, *characters):
                name.encode()  # half a surrogate pair is no text, and cannot be written anywhere
            vectors = load_file(folder / EMBEDDINGS_FILE)["embeddings"]
            if vectors.dtype != np.float32:
                raise ValueError(f"embeddings of type {vectors.dtype}")
            if not (np.abs(vectors) <= _LARGEST_COMPONENT).all():
                raise ValueError("embeddings that are not finite, or too large")
            embeddings = SpeakerEmbeddings(keys=tuple(keys), vectors=vectors, speech_ms=speech_ms)
            named = dict(zip(keys, characters, strict=True))
            return cls.build(embeddings, named, embedder=str(content["embedder"]))
        except FileNotFoundError as e:
            raise GalleryError(f"no gallery: {Path(e.filename or folder).name} is missing", where=folder) from e
        except (ValueError, KeyError, TypeError, SafetensorError) as e:
            raise GalleryError(f"damaged gallery ({e})", where=folder, remedy="build it again from its clips") from e

    def model(self, dim: int) -> VoiceModel:
        """What is known of voices as this gallery's embedder hears them, in ``dim`` dimensions.

        For an embedder without a fitted model the enrolled clips must serve: their characters' centre is the
        origin, and leaving each out in turn tells which odds to believe.
        """
        fitted = fitted_model(self.embedder, dim)
        if fitted is not None:
            return fitted
        if len(self.names) < _MIN_CHARACTERS_TO_TUNE:
            return plain_model(np.zeros(dim))
        labels = self._labels()
        model = plain_model((labels.T @ self.vectors / labels.sum(0)[:, None]).mean(0))
        points = model.project(self.vectors)
        odds, known = score_voices(model, points, clips=points, weights=labels, own=np.arange(len(points)))
        return replace(model, calibration=tune(model.calibration, odds, known, labels.argmax(1)))

    def trust(self, model: VoiceModel) -> Array:
        """How far each clip is its character's voice, judged by all other clips; shape (n,), 0 to 1.

        Among at least ``MIN_CLIPS_TO_DOUBT`` clips of a character, one that sounds like somebody else (a slip of
        the person who labelled it, two voices in one clip) is outvoted and loses its weight.
        """
        if not self.keys:
            return np.zeros(0)
        points = model.project(self.vectors)
        labels = self._labels()
        bonus = labels * np.log(_RELIABILITY / (1 - _RELIABILITY))
        doubted = labels @ labels.sum(0) >= MIN_CLIPS_TO_DOUBT
        trust: Array = np.ones(len(points))
        for _ in range(2):
            weights = labels * trust[:, None]
            odds, known = score_voices(model, points, clips=points, weights=weights, own=np.arange(len(points)))
            posterior = softmax(np.where(known, model.calibrated(odds, self.vectors), 0.0) + bonus)
            trust = np.where(doubted, (posterior[:, :-1] * labels).sum(1), 1.0)
        return trust

    def suspicious(self) -> tuple[str, ...]:
        """Keys of clips that sound unlike the rest of their character's; worth a second look."""
        if not self.keys:
            return ()
        trust = self.trust(self.model(self.vectors.shape[1]))
        return tuple(key for key, t in zip(self.keys, trust, strict=True) if t < 0.5)

    def _labels(self) -> Array:
        """1 where a clip is of a character, shape (clips, names)."""
        return np.array([[float(name == character) for name in self.names] for character in self.characters])


class GalleryClips:
    """The clips of many galleries but their embeddings.

    Attributes:
        embedder: fingerprint of the embedder.
        keys, characters, speech_ms: one a clip, gallery by gallery.
        dim: of the embeddings; 0 while there is no clip.
    """

    def __init__(self, *, embedder: str) -> None:
        self.embedder = embedder
        self.keys: list[str] = []
        self.characters: list[str] = []
        self.speech_ms = array("q")
        self.dim = 0

    def add(self, gallery: Gallery) -> bool:
        """Note a gallery's clips; whether it has any.

        Raises:
            GalleryError: it is of another embedder.
        """
        _check_embedder(gallery, self.embedder, where=None)
        if not gallery.keys:
            return False
        self.dim = self.dim or gallery.vectors.shape[1]
        if gallery.vectors.shape[1] != self.dim:
            raise GalleryError("two galleries hold embeddings of different sizes")
        self.keys += gallery.keys
        self.characters += map(sys.intern, gallery.characters)
        self.speech_ms.extend(gallery.speech_ms)
        return True

    def order(self) -> list[int]:
        """The clips in the order of a gallery; of those with one key the last."""
        rows = sorted(range(len(self.keys)), key=self.keys.__getitem__)
        is_last = [self.keys[a] != self.keys[b] for a, b in pairwise(rows)]
        rows = list(compress(rows, chain(is_last, [True])))
        rows.sort(key=self.characters.__getitem__)
        return rows


def write_joined(galleries: Iterable[Gallery], folder: Path, scratch: Path, *, embedder: str) -> int:
    """As ``Gallery.joined(…).save(folder)``, with one gallery at a time in the memory.

    Args:
        galleries: the clips; of those that hold one key, the last counts.
        folder: where to write. Nothing is written where there are no clips.
        scratch: a folder for a temporary file as large as the embeddings.
        embedder: fingerprint of the embedder.

    Returns:
        How many clips it has.

    Raises:
        GalleryError: the galleries are of different embedders.
        OSError: a folder cannot be written.
    """
    clips = GalleryClips(embedder=embedder)
    with (scratch / "embeddings").open("w+b") as file:
        for gallery in galleries:
            if clips.add(gallery):
                file.write(gallery.vectors.tobytes())
        file.flush()
        rows = clips.order()
        if rows:
            _write(folder, clips, rows, clips.dim, _rows_of(Path(file.name), rows, clips.dim))
    return len(rows)


def _rows_of(path: Path, rows: Sequence[int], dim: int) -> Iterator[FloatArray]:
    """Rows of a file of float32 vectors, some at a time: what was mapped of it leaves the memory in between."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        vectors = np.memmap(path, np.float32, "r").reshape(-1, dim)
        yield np.asarray(vectors[rows[start : start + _ROWS_AT_ONCE]])


def _write(folder: Path, clips: GalleryClips, rows: Sequence[int], dim: int, vectors: Iterable[FloatArray]) -> None:
    """The files of a gallery: the embeddings as safetensors, as they come, and the names of the clips."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = [len(rows), dim]
    about = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * len(rows) * dim]}
    header = json.dumps({"embeddings": about}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with (folder / EMBEDDINGS_FILE).open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for part in vectors:
            file.write(np.ascontiguousarray(part, "<f4").tobytes())
    counts = dict(sorted(Counter(clips.characters[row] for row in rows).items()))
    content = {"schema": SCHEMA, "embedder": clips.embedder, "characters": counts, "clips": []}
    before, after = json.dumps(content, ensure_ascii=False, indent=1).rsplit("[]", 1)
    with (folder / GALLERY_FILE).open("w", encoding="utf-8", newline="\n") as text:
        text.write(before + "[")
        for number, row in enumerate(rows):
            key, character = (json.dumps(own[row], ensure_ascii=False) for own in (clips.keys, clips.characters))
            fields = f'"key": {key},\n   "character": {character},\n   "speech_ms": {clips.speech_ms[row]}'
            text.write(f"{',' if number else ''}\n  {{\n   {fields}\n  }}")
        text.write(("\n ]" if rows else "]") + after + "\n")


def _duration_ms(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise ValueError(f"{value!r:.50} is no duration")
    return value


def _check_embedder(gallery: Gallery, embedder: str, *, where: Path | None) -> None:
    if gallery.embedder != embedder:
        raise GalleryError(
            f"gallery of the embedder {gallery.embedder!r}, but {embedder!r} is in use",
            where=where,
            remedy="embeddings of different models do not compare: enrol the characters again from their clips",
        )
