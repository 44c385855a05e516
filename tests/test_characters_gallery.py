"""Galleries: building, keeping, merging, and clips that somebody labelled wrongly."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from test_characters_voices import EMBEDDER, Voices

from yuki_builder.characters import Gallery, write_joined
from yuki_builder.errors import GalleryError
from yuki_builder.records import SpeakerEmbeddings


def clips(*characters: str, each: int = 3) -> dict[str, str]:
    """Characters by key."""
    return {f"{character}/{i}": character for character in characters for i in range(each)}


def content(gallery: Gallery) -> tuple[object, ...]:
    return gallery.embedder, gallery.keys, gallery.characters, gallery.speech_ms, gallery.vectors.tobytes()


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    names = clips("长门", "../../x", "<script>")
    return Gallery.build(Voices().embeddings(names), names, embedder=EMBEDDER)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_saved_is_loaded_and_names_stay_text(gallery: Gallery, tmp_path: Path) -> None:
    gallery.save(tmp_path / "g")
    loaded = Gallery.load(tmp_path / "g", embedder=EMBEDDER)
    assert content(loaded) == content(gallery)
    assert loaded.names == ("../../x", "<script>", "长门")
    assert loaded.counts() == {"../../x": 3, "<script>": 3, "长门": 3}
    assert sorted(files(tmp_path / "g")) == ["embeddings.safetensors", "gallery.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g"]
    assert "长门" in (tmp_path / "g" / "gallery.json").read_text(encoding="utf-8")


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(9)))
def test_the_same_content_is_the_same_bytes(
    gallery: Gallery, tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    shuffled = SpeakerEmbeddings(
        tuple(gallery.keys[i] for i in order), gallery.vectors[order], tuple(gallery.speech_ms[i] for i in order)
    )
    again = Gallery.build(shuffled, dict(zip(gallery.keys, gallery.characters, strict=True)), embedder=EMBEDDER)
    folder = tmp_path_factory.mktemp("same")
    gallery.save(folder / "a")
    again.save(folder / "b")
    assert files(folder / "a") == files(folder / "b")


def test_clips_without_a_character_or_without_numbers_stay_out() -> None:
    embeddings = Voices().embeddings(clips("A"))
    broken = embeddings.vectors.copy()
    broken[1, 0] = np.nan
    built = Gallery.build(replace(embeddings, vectors=broken), {"A/0": "A", "A/1": "A", "A/2": " "}, embedder=EMBEDDER)
    assert built.keys == ("A/0",)


def test_an_empty_gallery_is_one_too(tmp_path: Path) -> None:
    empty = Gallery.empty(embedder=EMBEDDER)
    empty.save(tmp_path)
    assert content(Gallery.load(tmp_path, embedder=EMBEDDER))[:4] == (EMBEDDER, (), (), ())
    assert empty.names == () and empty.suspicious() == ()
    nobody = Gallery.build(SpeakerEmbeddings((), np.zeros((0, 0), np.float32), ()), {}, embedder=EMBEDDER)
    assert nobody.keys == ()


def test_extending_adds_clips_and_corrects_known_ones(gallery: Gallery) -> None:
    more = {"长门/0": "阿虚", "阿虚/0": "阿虚"}
    extended = gallery.extend(Voices(1).embeddings(more), more)
    assert extended.counts() == {"../../x": 3, "<script>": 3, "长门": 2, "阿虚": 2}
    assert extended.characters == tuple(sorted(extended.characters))
    assert content(Gallery.empty(embedder=EMBEDDER).merge(gallery)) == content(gallery)
    assert content(gallery.merge(Gallery.empty(embedder=EMBEDDER))) == content(gallery)
    assert content(gallery.merge(gallery)) == content(gallery)


def test_merging_different_galleries_does_not_depend_on_the_order() -> None:
    voices = Voices()
    a, b = (Gallery.build(voices.embeddings(n), n, embedder=EMBEDDER) for n in (clips("A", "B"), clips("C")))
    assert content(a.merge(b)) == content(b.merge(a))


def test_another_embedders_gallery_is_refused(gallery: Gallery, tmp_path: Path) -> None:
    gallery.save(tmp_path)
    with pytest.raises(GalleryError, match="'resemblyzer-test', but 'ecapa-1' is in use") as caught:
        Gallery.load(tmp_path, embedder="ecapa-1")
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(GalleryError, match="is in use"):
        gallery.merge(Gallery.empty(embedder="ecapa-1"))


def edit(folder: Path, **changes: object) -> None:
    index = folder / "gallery.json"
    index.write_text(json.dumps(json.loads(index.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "gallery.json").unlink(), "gallery.json is missing"),
        (lambda f: (f / "embeddings.safetensors").unlink(), "is missing"),
        (lambda f: (f / "gallery.json").write_bytes(b"\xff\xfe{"), "damaged"),
        (lambda f: (f / "gallery.json").write_text("[1, 2]"), "damaged"),
        (lambda f: (f / "gallery.json").write_text("[" * 100_000), "damaged"),
        (lambda f: (f / "embeddings.safetensors").write_bytes(b"\x80\x04pickle"), "damaged"),
        (
            lambda f: (f / "embeddings.safetensors").write_bytes((f / "embeddings.safetensors").read_bytes()[:-9]),
            "damaged",
        ),
        (lambda f: edit(f, clips=[]), "damaged"),
        (lambda f: edit(f, clips=[{"key": "a"}]), "damaged"),
        (lambda f: edit(f, clips=[{"key": "a", "character": "A", "speech_ms": 1}] * 9), "damaged"),
        (lambda f: edit(f, schema=2), "format 2, this program reads format 1"),
    ],
)
def test_a_damaged_gallery_is_refused(gallery: Gallery, tmp_path: Path, damage, message: str) -> None:
    gallery.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(GalleryError, match=message) as caught:
        Gallery.load(tmp_path, embedder=EMBEDDER)
    assert "\n" not in str(caught.value)


def test_a_full_disk_comes_through(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        gallery.save(tmp_path / "file")


# --- clips that are not their character's -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_clip_is_outvoted_and_shown(seed: int) -> None:
    voices = Voices(seed)
    names = clips("A", "B", "C", each=4)
    said_by = names | {"A/1": "B", "C/2": "unknown"}
    gallery = Gallery.build(voices.embeddings(said_by), names, embedder=EMBEDDER)
    assert gallery.suspicious() == ("A/1", "C/2")
    trust = dict(zip(gallery.keys, gallery.trust(gallery.model(256)), strict=True))
    assert all(weight > 0.9 for key, weight in trust.items() if key not in ("A/1", "C/2"))


def test_of_two_clips_neither_is_outvoted() -> None:
    gallery = Gallery.build(Voices().embeddings({"a": "A", "b": "B"}), {"a": "A", "b": "A"}, embedder=EMBEDDER)
    assert gallery.suspicious() == ()
    assert gallery.trust(gallery.model(256)).tolist() == [1.0, 1.0]


def test_an_embedder_without_a_fitted_model_is_tuned_on_its_own_clips() -> None:
    rng = np.random.default_rng(0)
    names = clips("A", "B", "C", "D", each=4)
    centres = {c: rng.normal(size=64) for c in "ABCD"}
    vectors = np.array([centres[c] + 0.6 * rng.normal(size=64) for c in names.values()], np.float32)
    embeddings = SpeakerEmbeddings(
        tuple(names), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), (1000,) * len(names)
    )
    wrong = names | {"B/3": "D"}
    gallery = Gallery.build(embeddings, wrong, embedder="another")
    assert gallery.suspicious() == ("B/3",)


def test_many_galleries_are_joined_in_a_moment() -> None:
    """A season's clips, episode by episode: what is said last of a clip counts, and each is looked at once."""
    vectors = np.eye(8, dtype=np.float32)

    def one(episode: int, name: str) -> Gallery:
        keys = tuple(f"e{episode}-{k}" for k in range(400))
        embeddings = SpeakerEmbeddings(keys, vectors[np.arange(400) % 8], (900,) * 400)
        return Gallery.build(embeddings, dict.fromkeys(keys, name), embedder="x")

    parts = [one(episode, f"N{episode % 30}") for episode in range(150)]
    began = time.process_time()
    joined = Gallery.joined([*parts, one(3, "New")], embedder="x")
    assert time.process_time() - began < 6  # two minutes, one after the other
    assert len(joined.keys) == 60_000 and joined.counts()["New"] == 400 and "N3" in joined.counts()
    step_by_step = Gallery.empty(embedder="x")
    for part in (*parts[:3], one(1, "New")):
        step_by_step = step_by_step.merge(part)
    at_once = Gallery.joined([*parts[:3], one(1, "New")], embedder="x")
    assert (at_once.keys, at_once.characters, at_once.speech_ms) == (
        step_by_step.keys,
        step_by_step.characters,
        step_by_step.speech_ms,
    )
    assert np.array_equal(at_once.vectors, step_by_step.vectors)
    assert Gallery.joined([], embedder="x").keys == ()
    with pytest.raises(GalleryError):
        Gallery.joined([parts[0]], embedder="y")


def as_plain_files(gallery: Gallery) -> dict[str, bytes]:
    """What the libraries write of a gallery as a whole."""
    clips = zip(gallery.keys, gallery.characters, gallery.speech_ms, strict=True)
    rows = [{"key": key, "character": character, "speech_ms": ms} for key, character, ms in clips]
    about = {"schema": 1, "embedder": gallery.embedder, "characters": gallery.counts(), "clips": rows}
    return {
        "embeddings.safetensors": safetensors.numpy.save({"embeddings": np.ascontiguousarray(gallery.vectors)}),
        "gallery.json": (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode(),
    }


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.dictionaries(names, names, max_size=4), max_size=4),
    dim=st.integers(1, 5),
    at_once=st.integers(1, 4),
)
def test_galleries_written_together_have_the_bytes_of_one_made_in_memory(
    tmp_path_factory: pytest.TempPathFactory, parts: list[dict[str, str]], dim: int, at_once: int
) -> None:
    dice = np.random.default_rng(dim)
    galleries = [
        Gallery.build(
            SpeakerEmbeddings(
                tuple(part),
                dice.standard_normal((len(part), dim)).astype(np.float32),
                tuple(int(ms) for ms in dice.integers(0, 5000, len(part))),
            ),
            part,
            embedder=EMBEDDER,
        )
        for part in parts
    ]
    folder = tmp_path_factory.mktemp("joined")
    whole = Gallery.joined(galleries, embedder=EMBEDDER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yuki_builder.characters.gallery._ROWS_AT_ONCE", at_once)
        count = write_joined(iter(galleries), folder / "new", folder, embedder=EMBEDDER)
    assert count == len(whole.keys)
    whole.save(folder / "saved")
    assert files(folder / "saved") == as_plain_files(whole)
    assert not count or files(folder / "new") == files(folder / "saved")
    later = {key: character for part in parts for key, character in part.items() if character.strip()}
    assert dict(zip(whole.keys, whole.characters, strict=True)) == later


def test_a_long_season_s_gallery_is_not_in_memory(tmp_path: Path) -> None:
    clips_each, dim, episodes = 200, 192, 100

    def galleries() -> Iterator[Gallery]:
        for number in range(episodes):
            named = {f"e{number}-{k}": f"c{k % 9}" for k in range(clips_each)}
            vectors = np.full((clips_each, dim), number, np.float32)
            yield Gallery.build(
                SpeakerEmbeddings(tuple(named), vectors, (1000,) * clips_each), named, embedder=EMBEDDER
            )

    tracemalloc.start()
    try:
        assert write_joined(galleries(), tmp_path / "g", tmp_path, embedder=EMBEDDER) == clips_each * episodes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = (tmp_path / "g/embeddings.safetensors").stat().st_size
    assert size > 4 * clips_each * episodes * dim
    assert peak < size  # twice what is written and more, where all is in memory
    loaded = Gallery.load(tmp_path / "g", embedder=EMBEDDER)
    assert all(vector[0] == int(key[1:].split("-")[0]) for key, vector in zip(loaded.keys, loaded.vectors, strict=True))
