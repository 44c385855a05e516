"""Who is in the report, and in which colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yuki_builder.corpus.tables.statistics import CharacterStatistics, character_statistics
from yuki_builder.records import Line

UNKNOWN = "unknown"
_GOLDEN_ANGLE = 137.508  # neighbours in the list get hues far apart, however long the list is
_FIRST_HUE = 255.0
_HUES_PER_TIER = 8


@dataclass(frozen=True, slots=True)
class Colour:
    """A hue in degrees, and a tier of lightness once the hues come close to each other. ``hue`` None: grey."""

    hue: float | None
    tier: int = 0

    @property
    def style(self) -> str:
        """CSS variables that the page's style sheet makes a colour of, in light and in dark."""
        return "--c:0" if self.hue is None else f"--h:{self.hue:.0f};--t:{self.tier}"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A character with its statistics; ``number`` counts from 0, who speaks longest first, unknown last.

    ``share`` is the character's time relative to the longest.
    """

    number: int
    name: str
    colour: Colour
    statistics: CharacterStatistics
    share: float


def colour_of(position: int) -> Colour:
    """A colour for the n-th character (from 0) that differs from those of its neighbours."""
    return Colour((_FIRST_HUE + position * _GOLDEN_ANGLE) % 360, position // _HUES_PER_TIER % 3)


def speakers_of(lines: Iterable[Line]) -> tuple[Speaker, ...]:
    """Everyone who has a line, and "unknown" where there are lines that nobody is known to say."""
    statistics = character_statistics((n.character, n.span.duration_ms, n.text, n.confidence) for n in lines)
    longest_ms = max((f.duration_ms for f in statistics), default=0) or 1
    return tuple(
        Speaker(
            number=number,
            name=UNKNOWN if f.character is None else f.character,
            colour=Colour(None) if f.character is None else colour_of(number),
            statistics=f,
            share=f.duration_ms / longest_ms,
        )
        for number, f in enumerate(statistics)
    )
