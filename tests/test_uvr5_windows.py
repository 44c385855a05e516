"""Where windows lie, against the public tools' padding."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
import uvr5_golden as golden

from video_preprocessing.uvr5.engine import windows
from video_preprocessing.uvr5.engine.windows import MaskStream, Windowing
from yuki_builder.errors import ConfigError

with np.load(golden.FOLDER / "padding.npz") as arrays:
    # (frames, window, offset, padding left, padding right, step); windows without a core are refused.
    CASES = [tuple(map(int, row)) for row in arrays["cases"] if row[1] > 2 * row[2]]


class Recorder:
    """Keeps the windows that it is shown."""

    output_bin = 2

    def __init__(self, offset: int) -> None:
        self.offset, self.seen, self.batches = offset, list[torch.Tensor](), list[int]()

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        self.seen.extend(x)
        self.batches.append(len(x))
        return x[..., self.offset : -self.offset]


@pytest.mark.parametrize(("frames", "window", "offset", "left", "right", "step"), CASES)
def test_windows_lie_where_the_public_tools_have_them(
    frames: int, window: int, offset: int, left: int, right: int, step: int
) -> None:
    x = torch.arange(1.0, frames + 1).expand(2, 2, -1)
    net = Recorder(offset)
    stream = MaskStream(net, Windowing(window, offset), torch.device("cpu"))
    masks = torch.cat([stream.push(x), stream.finish()], dim=-1)
    padded = torch.nn.functional.pad(x, (left, right))
    # The public tools judge one window of mere silence more where the frames are a multiple of the step.
    count = (padded.shape[-1] - 2 * offset) // step - (frames % step == 0)
    expected = [padded[..., k * step : k * step + window] for k in range(count)]
    torch.testing.assert_close(torch.stack(net.seen), torch.stack(expected))
    torch.testing.assert_close(masks, x)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_a_cpu_computes_windows_side_by_side_while_the_next_one_is_made_ready(at_once: int) -> None:
    class Waiting(Recorder):
        def __init__(self) -> None:
            super().__init__(8)
            self.together = threading.Barrier(at_once)  # broken unless so many run at once

        def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
            self.together.wait(timeout=30)
            return x[..., self.offset : -self.offset]

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        stream = MaskStream(Waiting(), Windowing(64, 8), torch.device("cpu"), at_once=at_once)
        x = torch.rand(2, 2, 48 * 6 * at_once)
        torch.testing.assert_close(in_blocks(stream, x, 50), x, rtol=0, atol=0)
    finally:
        torch.set_num_threads(before)


def test_what_fails_in_a_window_comes_out() -> None:
    class Failing(Recorder):
        def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
            raise ValueError("this window")

    with pytest.raises(ValueError, match="this window"):
        in_blocks(MaskStream(Failing(8), Windowing(64, 8), torch.device("cpu"), at_once=2), torch.rand(2, 2, 500), 50)


def in_blocks(stream: MaskStream, x: torch.Tensor, block: int) -> torch.Tensor:
    masks = [stream.push(x[..., k : k + block]) for k in range(0, x.shape[-1], block)]
    return torch.cat([*masks, stream.finish()], dim=-1)


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("crossfade", [0, 8])
@pytest.mark.parametrize("frames", [0, 5, 700])
def test_batches_and_masks_that_come_late_change_nothing(
    frames: int, crossfade: int, augmented: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(2, 2, frames)
    windowing = Windowing(64, 8, crossfade, augmented)
    cpu = torch.device("cpu")
    plain = in_blocks(MaskStream(Recorder(8), windowing, cpu), x, 50)
    # As on a GPU: several windows at once, and nobody waits for them.
    monkeypatch.setattr(windows._Runner, "__init__", lazy)
    monkeypatch.setattr(windows._Runner, "_launched", computed_now)
    late = MaskStream(net := Recorder(8), windowing, cpu)
    torch.testing.assert_close(in_blocks(late, x, 50), plain, rtol=0, atol=0)
    assert plain.shape[-1] == frames
    if frames > 500:
        assert max(net.batches) == 3
        assert late.push(x[..., :200]).shape[-1] < 200


def lazy(self: windows._Runner, net: windows.MaskNet, device: torch.device, at_once: int = 1) -> None:
    self.net, self.device, self.batch, self.ahead = net, device, 3, 2
    self._started, self._count = windows.deque(), 0


def computed_now(self: windows._Runner, x: torch.Tensor) -> windows._Launched:
    masks = self._predicted(x)
    return lambda: masks


class Cramped(Recorder):
    """Has room for so many windows at once."""

    def __init__(self, offset: int, room: int) -> None:
        super().__init__(offset)
        self.room = room

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().predict_mask(x)


def test_a_batch_that_does_not_fit_is_halved_and_one_window_that_does_not_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "GPU_BATCH", 8)
    x = torch.rand(2, 2, 900)
    cpu = torch.device("cpu")
    plain = in_blocks(MaskStream(Recorder(8), Windowing(64, 8), cpu), x, 900)

    def eager(self: windows._Runner, net: windows.MaskNet, device: torch.device, at_once: int = 1) -> None:
        lazy(self, net, device)
        self.batch, self.ahead = 8, 1

    monkeypatch.setattr(windows._Runner, "__init__", eager)
    monkeypatch.setattr(windows._Runner, "_launched", computed_now)
    net = Cramped(8, room=2)
    torch.testing.assert_close(in_blocks(MaskStream(net, Windowing(64, 8), cpu), x, 900), plain, rtol=0, atol=0)
    assert max(net.batches) == 2
    with pytest.raises(ConfigError, match="do not fit into the memory") as raised:
        in_blocks(MaskStream(Cramped(8, room=0), Windowing(64, 8), cpu), x, 900)
    assert "--window-frames" in str(raised.value)
