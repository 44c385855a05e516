"""Training and validation: whole scenes, by a hash of their ids."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

TRAIN: Final = "train"
VALIDATION: Final = "validation"

_LEAST, _MOST = 0.5, 2.0  # of the share asked for: what chance may make of it before it is helped
_LARGEST_SHARE = 1 / 3  # of the examples, that one scene may take away from training


def held_out(examples: Mapping[str, int], share: float) -> frozenset[str]:
    """The scenes that are kept for validation. Pure, and the same for any order of the scenes.

    In a large corpus a scene is kept or not by a hash of its id alone, so that it stays where it is when the corpus
    grows. Where there are few scenes, such a draw may keep none of them, or half: if what it keeps is not between
    half and twice the share, scenes are taken in the order of their hashes as long as they fit the share, at least
    the smallest one, unless it would take more than a third of the examples away from training.

    Args:
        examples: how many each scene has, by its id.
        share: of the examples (0..1), about so many.
    """
    order = sorted(examples, key=lambda scene_id: (_draw(scene_id), scene_id))
    total = sum(examples.values())
    wanted = share * total
    drawn = [scene_id for scene_id in order if _draw(scene_id) < share]
    if _LEAST * wanted <= sum(examples[scene_id] for scene_id in drawn) <= _MOST * wanted:
        return frozenset(drawn)
    kept: list[str] = []
    room = wanted
    for scene_id in order:
        if examples[scene_id] <= room:
            kept.append(scene_id)
            room -= examples[scene_id]
    if not kept:
        smallest = min(order, key=lambda scene_id: examples[scene_id])
        if examples[smallest] <= _LARGEST_SHARE * total:
            kept.append(smallest)
    return frozenset(kept)


def _draw(scene_id: str) -> float:
    """A number from 0 to 1, the scene's own."""
    return int(hashlib.sha256(scene_id.encode("utf-8", "surrogatepass")).hexdigest()[:12], 16) / 16**12
