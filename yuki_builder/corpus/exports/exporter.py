"""One format, as the list of them has it: what it is, who reads it, and the function that writes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yuki_builder.corpus.exports.base import SECONDARY, UNUSABLE, ExportOptions, ExportReport, Source, Write
from yuki_builder.corpus.exports.card import CardFacts, write_card
from yuki_builder.records import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format.

    Attributes:
        name: on the command line, and of its folder.
        summary: what it is, in a line.
        make: writes it.
        files: what lies in its folder, for the card.
        tasks: what it is for, as the hub names tasks.
        data: the files of each split, as the hub's loader finds them; empty where it reads none of them.
        is_split: whether training and validation are apart.
        needs_clips: whether it holds sound.
        packages: distributions whose version shapes its bytes.
        shows_all: whether it is to look at, with every line; the others lack those that a person marked as unusable.
    """

    name: str
    summary: str
    make: Write
    files: str
    tasks: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    is_split: bool = True
    needs_clips: bool = False
    packages: tuple[str, ...] = ()
    shows_all: bool = False

    def write(
        self, source: Source, destination: Path, options: ExportOptions, progress: Progress = no_progress
    ) -> ExportReport:
        """Write the export and its card, ``README.md``, into a fresh folder. The same corpus gives the same bytes.

        Args:
            source: the lines with all that is known of them.
            destination: an empty folder.
            options: which lines, and how.
            progress: counts lines or clips.

        Raises:
            OSError: ``destination`` cannot be written.
        """
        destination.mkdir(parents=True, exist_ok=True)
        if options.text == SECONDARY:
            source = source.in_other_language()
        unusable = source.having(UNUSABLE) if UNUSABLE in options.without and not self.shows_all else frozenset()
        source = source.without(unusable) if unusable else source
        report = self.make(source, destination, options, progress)
        if unusable:
            report = dataclasses.replace(report, left_out={**report.left_out, UNUSABLE: len(unusable)})
        facts = CardFacts(self.name, self.summary, self.files, self.tasks, self.data, self.is_split)
        write_card(facts, source, report, destination / "README.md", options)
        return dataclasses.replace(report, files=report.files + 1)
