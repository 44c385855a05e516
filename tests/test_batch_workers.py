"""Batches side by side: in order, on one thread each, and with errors that come out."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from video_preprocessing.speech import load_embedder
from video_preprocessing.speech.segmentation import WINDOW_SAMPLES, load_segmentation
from video_preprocessing.workers import map_batches

CPU = torch.device("cpu")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_results_come_in_order_from_as_many_workers_as_torch_has_threads(threads):
    threads(3)
    together = threading.Barrier(3)  # broken unless three run at once

    def work(number: int) -> tuple[int, int]:
        together.wait(timeout=20)
        return number, torch.get_num_threads()

    assert map_batches(work, range(6), device=CPU) == [(number, 1) for number in range(6)]


def test_other_threads_keep_their_number_of_threads(threads):
    threads(2)
    map_batches(abs, [1, 2], device=CPU)
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert (torch.get_num_threads(), seen) == (2, [2])


def test_an_error_comes_out_when_nothing_runs_any_more(threads):
    threads(2)
    running = []

    def work(number: int) -> int:
        running.append(number)
        try:
            if number == 1:
                raise ValueError("the second one")
            return number
        finally:
            running.remove(number)

    with pytest.raises(ValueError, match="the second one"):
        map_batches(work, range(50), device=CPU)
    assert not running
    assert map_batches(abs, [-1], device=CPU) == [1]


def test_no_batches_give_nothing():
    assert map_batches(abs, [], device=CPU) == []


@pytest.mark.parametrize("count", [1, 4])
def test_voices_and_segmentation_have_the_same_bits_for_any_number_of_threads(threads, count):
    rng = np.random.default_rng(3)
    waves = [rng.normal(0, 0.1, n).astype(np.float32) for n in (9_000, 70_000, 31_000, 9_500, 140_000)]
    windows = rng.normal(0, 0.1, (9, WINDOW_SAMPLES)).astype(np.float32)
    embedder, network = load_embedder(device="cpu"), load_segmentation(device="cpu")
    threads(2)
    voices, heard = embedder.embed_many(waves), network.probabilities(windows)
    threads(count)
    assert np.array_equal(embedder.embed_many(waves), voices)
    assert np.array_equal(network.probabilities(windows), heard)
