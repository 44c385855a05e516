"""Make or plan the corpus of an output folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.corpus.corpus import Corpus
from pipelines.corpus.stages import corpus_stages
from pipelines.engine.events import Event, EventKind, Listener, silent
from pipelines.engine.faults import clear_errors
from pipelines.engine.stage import Runner, Stage
from pipelines.engine.store import Store
from pipelines.episode.session import Session
from pipelines.layout import CORPUS_FOLDER
from yuki_builder.records import Line, Record, StageReport

if TYPE_CHECKING:
    from yuki_builder.corpus import ExportOptions


_WAIT_FOR_CORPUS_SECONDS = 600  # another run that makes it takes seconds


@dataclass(frozen=True)
class CorpusResult:
    """What all finished episodes of an output folder amount to.

    Attributes:
        folder: ``OUT/corpus``.
        corpus: the episodes, to read their lines one after the other.
        reports: what the making of the corpus did.
    """

    folder: Path
    corpus: Corpus = field(repr=False)
    reports: tuple[StageReport, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines of all episodes; read when first asked for."""
        return tuple(self.corpus.lines())


def build_corpus(
    out: Path,
    *,
    progress: Listener | None = None,
    session: Session | None = None,
    exports: Sequence[str] = (),
    options: ExportOptions | None = None,
    force: bool = False,
) -> CorpusResult:
    """Make ``OUT/corpus`` from all finished episodes in ``out``, those of earlier runs included.

    ``exports`` are names of ``yuki_builder.corpus.EXPORTERS``; each gets a folder in ``OUT/corpus/exports``.

    Args:
        out: the output folder of the runs.
        progress: hears what happens.
        session: the run that this is part of; None: one of its own.
        exports: names of ``yuki_builder.corpus.EXPORTERS``.
        options: of the exports.
        force: make everything anew.

    Raises:
        OutputError: the folder cannot be written, or another run is at it.
    """
    listener = progress or silent

    def notice(message: str) -> None:
        listener(Event(EventKind.NOTICE, CORPUS_FOLDER, message=message))

    with clear_errors(out):
        listener(Event(EventKind.BEGUN, CORPUS_FOLDER))
        store = Store(out / CORPUS_FOLDER, notice=notice)
        with store.locked(wait_seconds=_WAIT_FOR_CORPUS_SECONDS):
            corpus = Corpus.of(out, notice=notice)
            runner = _runner(corpus, store, session or Session(out), corpus_stages(exports, options))
            reports = runner.run(listener, force=force)
            return CorpusResult(store.folder, corpus, tuple(reports))


def _runner(corpus: Corpus, store: Store, session: Session, stages: tuple[Stage[Corpus], ...]) -> Runner[Corpus]:
    return Runner(stages, corpus, store=store, fingerprints=session.fingerprints, name=CORPUS_FOLDER)


@dataclass(frozen=True, slots=True)
class PlannedStage(Record):
    """One stage of a plan; ``reason`` None: it is reused. ``detail`` says what it would do, where that is a choice."""

    stage: str
    reason: str | None
    detail: str = ""


def plan_corpus(
    session: Session,
    episodes: Sequence[tuple[str, Sequence[PlannedStage]]],
    stages: tuple[Stage[Corpus], ...],
    *,
    force: bool,
) -> tuple[PlannedStage, ...]:
    """Which stages of the corpus would run after these episodes, and why; writes nothing.

    Args:
        session: the run.
        episodes: id and plan of each episode.
        stages: those of the corpus.
        force: everything would be made anew.
    """
    changing = [name for name, planned in episodes if any(stage.reason for stage in planned)]
    if changing:
        return tuple(PlannedStage(stage.name, f"after {', '.join(changing)}") for stage in stages)
    runner = _runner(Corpus.of(session.out), Store(session.out / CORPUS_FOLDER), session, stages)
    return tuple(PlannedStage(step.stage.name, step.reason) for step in runner.plan(force=force))
