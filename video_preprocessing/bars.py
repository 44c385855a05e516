"""The progress of libraries that draw bars of tqdm's kind, told as ours."""

from __future__ import annotations

import io
from typing import Any

from yuki_builder.records import Progress


def bar_that_tells(progress: Progress) -> Any:
    """A class of bars that draw nothing and tell ``progress`` how many bytes came in; other units are silent."""
    from tqdm.auto import tqdm

    furthest = [0.0]

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs |= {"disable": False, "file": io.StringIO()}  # an end of line, too, is drawn there
            self._counts_bytes = kwargs.get("unit") == "B"
            super().__init__(*args, **kwargs)

        def display(self, *_: Any, **__: Any) -> None:
            return

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if self._counts_bytes and self.n >= furthest[0]:  # there may be two bars: what came in, what is written
                furthest[0] = self.n
                progress(self.n, self.total)
            return shown

    return Bar
