"""An entry of a file on its way to a cue."""

from __future__ import annotations

from dataclasses import dataclass

from yuki_builder.subtitles.cleaning import Cleaned
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.reasons import LeftOut


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry with its rows and what has been decided about it; times are the entry's, or those of several merged."""

    event: Event
    cleaned: Cleaned
    start_ms: int
    end_ms: int
    left_out: LeftOut | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        return self.cleaned.lines

    @property
    def is_plain(self) -> bool:
        return self.cleaned.is_plain

    @property
    def text(self) -> str:
        return "\n".join(self.cleaned.lines)

    @property
    def style(self) -> str:
        return self.event.style or ""

    def without(self, reason: LeftOut) -> Draft:
        """The draft, left out for a reason."""
        return Draft(self.event, self.cleaned, self.start_ms, self.end_ms, reason)
