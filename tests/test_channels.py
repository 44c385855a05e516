"""One mean of channels for all who want one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from yuki_builder.channels import mono


@given(st.integers(0, 50), st.integers(1, 8), st.integers(0, 1000))
def test_it_is_the_mean_and_leaves_the_sound_alone(samples: int, channels: int, seed: int) -> None:
    wave = np.random.default_rng(seed).uniform(-1, 1, (samples, channels)).astype(np.float32)
    before = wave.copy()
    found = mono(wave)
    assert found.shape == (samples,) and found.dtype == np.float32
    assert np.allclose(found, before.mean(axis=1, dtype=np.float64), atol=1e-6)
    assert (wave == before).all()


def test_two_equal_channels_are_one() -> None:
    wave = np.linspace(-1, 1, 1001, dtype=np.float32)
    assert (mono(np.stack([wave, wave], axis=1)) == wave).all()
