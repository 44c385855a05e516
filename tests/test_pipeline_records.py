"""Records between stages: read as written, whoever read the same before, and damage told in one line."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.episode.records import (
    _Parsed,
    parse_records,
    read_audio_fingerprints,
    read_embeddings,
    read_media,
    read_record,
    read_records,
    read_scenes,
    write_embeddings,
    write_records,
)
from yuki_builder.errors import InputError
from yuki_builder.records import Cue, Span, SpeakerEmbeddings, Turn

TEXTS = st.text(st.characters(), max_size=20)  # halves of surrogate pairs, too


@given(texts=st.lists(TEXTS, max_size=6))
def test_records_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("records") / "cues.jsonl"
    cues = [Cue(str(k), k, 10 * k, 10 * k + 5, text, text) for k, text in enumerate(texts)]
    write_records(cues, path)
    for _ in range(2):
        read = read_records(path, Cue)
        assert read == cues
        read.clear()  # the reader's own list
    assert list(parse_records(path.read_bytes(), Cue)) == cues


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    write_records([Span(1, 2)], path)
    assert read_records(path, Span) == [Span(1, 2)]
    write_records([Span(1, 3)], path)
    assert read_records(path, Span) == [Span(1, 3)]
    # The same bytes as another kind of record.
    path.write_text('{"start_ms": 1, "end_ms": 2, "speaker": "A"}\n', encoding="utf-8")
    assert (read_records(path, Span), read_records(path, Turn)) == ([Span(1, 2)], [Turn(1, 2, "A")])


def test_no_more_is_remembered_than_allowed() -> None:
    contents = [f'{{"start_ms": {k}, "end_ms": {k + 1}}}\n'.encode() for k in range(8)]
    parsed = _Parsed(2 * len(contents[0]))

    def read(content: bytes) -> tuple[Span, ...]:
        return parsed.read(content, Span, lambda: parse_records(content, Span))

    first = read(contents[0])
    assert read(contents[0]) is first
    for content in contents[1:]:
        read(content)
    assert len(parsed._kept) == 2
    assert read(contents[0]) is not first
    for _ in range(3):  # the same again takes no more room
        parsed.remember(contents[0], Span, first)
    assert parsed._bytes == 2 * len(contents[0])
    parsed.remember(3 * contents[0], Span, 3 * first)
    assert not parsed._kept and not parsed._bytes


DAMAGE = (
    b"",
    b"[" * 100_000,
    b'{"a":' * 5000,
    b"\xff\xfe{}",
    b"null",
    b"[]",
    b"{}",
    b"\x93NUMPY\x01\x00",
    b"PK\x03\x04",
)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_record(path, Span),
        lambda path: read_media(path, path),
        lambda path: read_scenes(path, []) or read_record(path, Span),
        read_embeddings,
        read_audio_fingerprints,
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path: Path, read: Callable[[Path], Any], damage: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(damage)
    with pytest.raises(InputError, match="is damaged") as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_embeddings_cut_short_or_of_other_shapes_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "voices.npz"
    write_embeddings(SpeakerEmbeddings(("a", "b"), np.eye(2, dtype=np.float32), (1, 2)), path, embedder="x")
    whole = path.read_bytes()
    assert read_embeddings(path)[0].keys == ("a", "b")
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="is damaged"):
            read_embeddings(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("keys.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',")
    with pytest.raises(InputError, match="is damaged"):
        read_embeddings(path)
