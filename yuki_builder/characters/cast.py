"""One spelling per character, whoever wrote the name."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cast:
    """The characters of an episode: ``names`` sorted, and the index that each spelling stands for."""

    names: tuple[str, ...]
    index_of: Mapping[str, int]

    @classmethod
    def gather(cls, *sources: Iterable[str]) -> Cast:
        """The cast that sources of names make together.

        Spellings that differ in case, width or spacing are one name ("HARUHI:" of a subtitle and "Haruhi" of
        a gallery). It is shown as the first source that knows it writes it; within that source as it is most
        often written, and not in capitals if it can be helped.
        """
        shown: dict[str, str] = {}
        for source in sources:
            spellings: dict[str, Counter[str]] = {}
            for name in source:
                if key := name_key(name):
                    spellings.setdefault(key, Counter())[name] += 1
            for key, counts in spellings.items():
                shown.setdefault(key, min(counts, key=lambda name: (name.isupper(), -counts[name], name)))
        names = tuple(sorted(shown.values()))
        return cls(names=names, index_of={key: names.index(name) for key, name in shown.items()})

    def find(self, name: str) -> int:
        """The index in ``names`` of a name in any spelling."""
        return self.index_of[name_key(name)]

    def spelling(self, name: str) -> str:
        """A name as the cast writes it."""
        return self.names[self.find(name)]


def name_key(name: str) -> str:
    """What the spellings of one name share, whatever their case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
