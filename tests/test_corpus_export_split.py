"""Training and validation: whole scenes, the same every time, of a sensible size however small the corpus."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.corpus.exports.labels import distinct_labels, file_key
from yuki_builder.corpus.exports.split import held_out

corpora = st.dictionaries(st.text(max_size=12), st.integers(1, 25), max_size=60)
shares = st.floats(0, 0.5)


@given(corpora, shares, st.randoms(use_true_random=False))
def test_the_order_of_scenes_makes_no_difference(examples: dict[str, int], share: float, chance: random.Random) -> None:
    shuffled = list(examples.items())
    chance.shuffle(shuffled)
    assert held_out(examples, share) == held_out(dict(shuffled), share) <= examples.keys()


@given(corpora, shares)
def test_training_keeps_most_of_it(examples: dict[str, int], share: float) -> None:
    kept = sum(examples[scene_id] for scene_id in held_out(examples, share))
    total = sum(examples.values())
    assert kept <= max(2 * share * total, total / 3)


@given(corpora)
def test_no_share_is_no_validation(examples: dict[str, int]) -> None:
    assert held_out(examples, 0.0) == frozenset()


@given(st.integers(3, 40), st.text(max_size=5))
def test_a_small_corpus_still_has_a_scene_to_validate_on(count: int, prefix: str) -> None:
    examples = {f"{prefix}{k}": 6 for k in range(count)}
    kept = held_out(examples, 0.1)
    assert 1 <= len(kept) <= max(1, 0.2 * count)


def test_one_scene_and_two_of_equal_size_are_for_training() -> None:
    assert held_out({"a": 20}, 0.1) == frozenset()
    assert held_out({"a": 20, "b": 20}, 0.1) == frozenset()
    assert held_out({"a": 20, "b": 2}, 0.1) == frozenset({"b"})


def test_in_a_large_corpus_a_scene_stays_where_it_is_as_it_grows() -> None:
    first = {f"ep{k // 60:02d}-{k}": 5 for k in range(720)}
    grown = first | {f"new-{k}": 7 for k in range(720)}
    assert held_out(first, 0.1) == held_out(grown, 0.1) & first.keys()
    assert 0.08 < len(held_out(grown, 0.1)) / len(grown) < 0.12


@given(st.lists(st.text(max_size=150), unique=True))
def test_keys_of_files_are_plain_and_one_for_one(line_ids: list[str]) -> None:
    keys = [file_key(line_id) for line_id in line_ids]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", key) and len(key) <= 90
    assert file_key("ep01-00006680-669ccd1d") == "ep01-00006680-669ccd1d"


@given(st.sets(st.text(max_size=8)))
def test_labels_are_one_for_one(names: set[str]) -> None:
    labels = distinct_labels(names, lambda name: name[:1].strip() or "_", taken=("Default",))
    assert labels.keys() == names
    assert len({label.casefold() for label in labels.values()} | {"default"}) == len(names) + 1
