"""The same bits whatever the number of threads: what lets processes share the cores of a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from video_preprocessing.speech import load_embedder
from video_preprocessing.uvr5.separator import Separator


@pytest.fixture(autouse=True)
def kept_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def with_threads(threads: int, work: Callable[[], np.ndarray]) -> np.ndarray:
    torch.set_num_threads(threads)
    with threadpool_limits(threads, "blas"):
        return work()


def test_the_dialogue_separator() -> None:
    wave = (0.1 * np.random.default_rng(0).standard_normal((2, 44100 * 3))).astype(np.float32)
    separator = Separator.load("dialogue", device="cpu")
    one, *others = (with_threads(n, lambda: np.asarray(separator.separate(wave, 44100).vocals)) for n in (1, 2, 3))
    assert all(np.array_equal(one, other) for other in others)


@pytest.mark.parametrize("samples", [6000, 20000, 49739, 97768])
def test_the_speaker_embedder(samples: int) -> None:
    wave = (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)
    embedder = load_embedder("campplus", device="cpu")
    one, *others = (with_threads(n, lambda: embedder.embed(wave)) for n in (1, 2, 3, 8))
    assert all(np.array_equal(one, other) for other in others)
