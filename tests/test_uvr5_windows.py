"""Where windows lie, against the public tools' padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import uvr5_golden as golden

from video_preprocessing.uvr5.windows import MaskStream, Windowing

with np.load(golden.FOLDER / "padding.npz") as arrays:
    # (frames, window, offset, padding left, padding right, step); windows without a core are refused.
    CASES = [tuple(map(int, row)) for row in arrays["cases"] if row[1] > 2 * row[2]]


class Recorder:
    """Keeps the windows that it is shown."""

    output_bin = 2

    def __init__(self, offset: int) -> None:
        self.offset, self.seen = offset, list[torch.Tensor]()

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        self.seen.extend(x)
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
