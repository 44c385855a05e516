"""Alternative names of one character: a small TOML file that people keep by hand.

    # aliases.toml: the name to keep = what else the character is called
    Haruhi = ["Haruhi Suzumiya", "ハルヒ", "凉宫"]
    "Dr. Watson" = "John"

Case, width and spacing need no alias.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yuki_builder.characters.cast import name_key
from yuki_builder.errors import ConfigError
from yuki_builder.records import AlignedCue, NameTag
from yuki_builder.untrusted import read_toml


@dataclass(frozen=True, slots=True)
class Aliases:
    """``name_of``: the name to keep, by each other name's key (see ``cast.name_key``)."""

    name_of: Mapping[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """The name to keep for a name."""
        return self.name_of.get(name_key(name), name)

    def then(self, later: Aliases) -> Aliases:
        """These, and what ``later`` says of the names that they keep."""
        kept = {key: later.name(name) for key, name in self.name_of.items()}
        return Aliases({**later.name_of, **kept})

    def of_lines(self, lines: Iterable[AlignedCue]) -> list[AlignedCue]:
        """The lines with their tags' names as they are kept; two tags that become one are one."""
        return [self._line(line) for line in lines]

    def _line(self, line: AlignedCue) -> AlignedCue:
        tags = tuple(dict.fromkeys(NameTag(self.name(tag.name), tag.source) for tag in line.cue.tags))
        if tags == line.cue.tags:
            return line
        return dataclasses.replace(line, cue=dataclasses.replace(line.cue, tags=tags))


def read_aliases(path: Path) -> Aliases:
    """The aliases that a TOML file gives.

    Raises:
        ConfigError: no TOML, a value that is no name or list of names, or a name that two characters claim.
        OSError: the file cannot be read.
    """
    try:
        table = read_toml(path)
    except ValueError as e:
        remedy = 'write one character a row, such as Haruhi = ["Suzumiya", "ハルヒ"]'
        raise ConfigError(f"not valid TOML: {e}", where=path, remedy=remedy) from e
    name_of: dict[str, str] = {}
    for kept, others in table.items():
        names = [others] if isinstance(others, str) else others
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
            raise ConfigError(f"{kept!r} needs a name or a list of names", where=path)
        for name in (kept, *names):
            if name_of.setdefault(name_key(name), kept) != kept:
                claimed = name_of[name_key(name)]
                raise ConfigError(f"{name!r} is given to {claimed!r} and to {kept!r}", where=path, remedy="keep one")
    return Aliases(name_of)
