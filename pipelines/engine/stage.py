"""What a stage is, whether it has to run, and running it."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pipelines.engine.code import PACKAGES, code_fingerprint, own_fingerprint
from pipelines.engine.events import Event, EventKind, Listener
from pipelines.engine.faults import clear_errors
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.garbage import rare_collection
from pipelines.engine.marks import Recipe
from pipelines.engine.store import Store, Workspace, files_below
from yuki_builder.errors import ConfigError, InputError, InternalError
from yuki_builder.records import StageReport


def installed_version(distribution: str) -> str:
    """Of an installed package, without importing it."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


C = TypeVar("C")
"""What the stages of one list share: an episode, or the corpus."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a stage did: how much it kept, and how many it left out for which reason; both together came in."""

    kept: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Job:
    """A stage at work: where it reads, where it writes, whom it tells how far it is.

    Args:
        stage: the stage.
        store: what earlier stages wrote.
        workspace: where it writes until it is done.
        listener: is told its progress and notices.
        subject: whose stage it is, in events.
    """

    def __init__(self, stage: Stage[Any], store: Store, workspace: Workspace, listener: Listener, subject: str) -> None:
        self._stage, self._store, self._workspace = stage, store, workspace
        self._listener, self._subject = listener, subject

    def input(self, path: str) -> Path:
        """Where an earlier stage's output is. It must be among the stage's ``reads``, or reuse would go wrong."""
        if path not in self._stage.reads:
            raise InternalError(f"stage {self._stage.name} reads {path} without saying so")
        return self._store.folder / path

    def output(self, path: str) -> Path:
        """Where to write an output, a temporary stand-in of its final place. It must be among ``writes``."""
        if not self._stage.makes(path):
            raise InternalError(f"stage {self._stage.name} writes {path} without saying so")
        target = self._workspace.outputs / path
        (target if path.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        return target

    @property
    def outputs(self) -> Path:
        """The root of all outputs, for a room that lays out several of them by itself."""
        return self._workspace.outputs

    @property
    def scratch(self) -> Path:
        """A folder for what nobody needs once the stage is done."""
        return self._workspace.scratch

    @property
    def unfinished(self) -> Path:
        """A folder that outlives an interrupted attempt, so that the next one of the same recipe can go on."""
        folder = self._workspace.unfinished
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def notice(self, message: str) -> None:
        """Tell the user what happened on the way. Results never hold it: they are the same however they came about."""
        self._listener(Event(EventKind.NOTICE, self._subject, self._stage.name, message=message))

    def progress(self, completed: float, total: float | None, /) -> None:
        """The rooms' progress protocol (``records.Progress``)."""
        self._listener(Event(EventKind.PROGRESS, self._subject, self._stage.name, completed=completed, total=total))


@dataclass(frozen=True, slots=True)
class Stage(Generic[C]):
    """One step of the way, with all that its result depends on.

    Attributes:
        name: also the name of its mark.
        version: raise it when the stage's code gives another result for the same inputs.
        run: does the work.
        reads: outputs of earlier stages that it reads.
        writes: what it writes, relative to the output folder; a folder ends with a slash.
        settings: the options that concern it, plain JSON values.
        files: the user's files and folders that concern it, by a name for messages.
        packages: installed distributions whose version shapes the result.
        code: modules whose code, with all that they import, shapes the result, beside the one that ``run`` is in.
        models: fingerprints of the networks that shape the result, by what they are; loads none.
        wanted: whether there is anything to do; if not, the stage counts as done and has no outputs.
        check: refuses bad input (a checkpoint that is none) before any stage has taken its time.
        tells: what a plan says of it beside the reason; empty for nothing.
        on_device: whether its networks run on the device of ``--device``, which processes may share.
        quick: takes a moment; its own bad input is heard of before anything is loaded for a ``check``.
    """

    name: str
    version: int
    run: Callable[[C, Job], Counts]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    settings: Callable[[C], Mapping[str, Any]] = lambda _: {}
    files: Callable[[C], Mapping[str, Path]] = lambda _: {}
    packages: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    models: Callable[[C], Mapping[str, str]] = lambda _: {}
    wanted: Callable[[C], bool] = lambda _: True
    check: Callable[[C], object] = lambda _: None
    tells: Callable[[C], str] = lambda _: ""
    on_device: Callable[[C], bool] = lambda _: False
    quick: bool = False

    def makes(self, path: str) -> bool:
        """Whether ``path`` is one of the stage's outputs."""
        return any(path == w or (w.endswith("/") and path.startswith(w)) for w in self.writes)


@dataclass(frozen=True, slots=True)
class Step(Generic[C]):
    """A stage in a plan: ``reason`` says why it has to run; None = its result is reused; ``detail`` is ``tells``."""

    stage: Stage[C]
    reason: str | None
    detail: str = ""


class Runner(Generic[C]):
    """A list of stages over one store.

    Args:
        stages: in the order of their work; a stage reads only what stages before it write.
        subject: what they share.
        store: where they read and write, and what is done.
        fingerprints: hashes of the files that they read from elsewhere.
        name: the subject's name in events.
        turn: what a stage that uses the device waits for, and has while it runs.
    """

    def __init__(
        self,
        stages: Sequence[Stage[C]],
        subject: C,
        *,
        store: Store,
        fingerprints: Fingerprints,
        name: str,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._stages, self._subject, self._name, self._turn = stages, subject, name, turn
        self._store, self._fingerprints = store, fingerprints

    def plan(self, *, force: bool = False, until: str | None = None) -> list[Step[C]]:
        """Which stages have to run, and why; writes nothing.

        A stage after one that has to run is listed with it, although it will be reused if the earlier one's
        result turns out the same.
        """
        steps: list[Step[C]] = []
        for stage in self._up_to(until):
            waits_for = [s.stage.name for s in steps if s.reason and any(map(s.stage.makes, stage.reads))]
            if force:
                reason: str | None = "--force"
            elif waits_for:
                reason = f"after {', '.join(waits_for)}"
            else:
                reason = self._store.why_not_done(stage.name, self._recipe(stage))
            steps.append(Step(stage, reason, stage.tells(self._subject) if reason else ""))
        return steps

    @rare_collection()
    def run(
        self,
        listener: Listener,
        *,
        force: bool = False,
        until: str | None = None,
        only: Collection[str] | None = None,
    ) -> list[StageReport]:
        """Bring all stages up to date; returns their reports, those of reused ones included.

        The caller holds the store's lock.

        Args:
            listener: hears what happens.
            force: run every stage.
            until: the name of the last stage that is wanted; None: all.
            only: the names of the stages that may run; of the others the results are kept, however they were made.

        Raises:
            YukiError: a stage cannot do its work, or a result that is to be kept is not there.
        """
        reports: list[StageReport] = []
        checked = False
        for stage in self._up_to(until):
            if only is not None and stage.name not in only:
                if why := self.why_not_kept(stage):
                    raise InputError(
                        f"stage {stage.name}: {why}",
                        where=self._store.folder,
                        remedy="run the command again that made it",
                    )
                reports += [mark.report] if (mark := self._store.mark(stage.name)) else []
                continue
            recipe = self._recipe(stage)
            reason = "--force" if force else self._store.why_not_done(stage.name, recipe)
            if reason is None:
                report = self._report_of(stage)
                listener(Event(EventKind.REUSED, self._name, stage.name, report=report))
            else:
                if not (stage.quick or checked) and stage.wanted(self._subject):
                    checked = True
                    names = {report.stage for report in reports}
                    for step in self.plan(force=force, until=until):
                        is_next = step.stage.name not in names and (only is None or step.stage.name in only)
                        if is_next and step.reason and step.stage.wanted(self._subject):
                            step.stage.check(self._subject)
                    recipe = self._recipe(stage)  # loading a model may have fetched a newer one
                with self._turn() if self._uses_device(stage) else nullcontext():
                    listener(Event(EventKind.STARTED, self._name, stage.name, reason))
                    report = self._run_stage(stage, recipe, listener)
                    listener(Event(EventKind.FINISHED, self._name, stage.name, report=report))
            reports.append(report)
        return reports

    def why_not_kept(self, stage: Stage[C]) -> str | None:
        """Why what a stage made cannot serve as it is, however it was made; None if it can."""
        return self._store.why_not_there(stage.name) if stage.wanted(self._subject) else None

    def _uses_device(self, stage: Stage[C]) -> bool:
        return stage.wanted(self._subject) and stage.on_device(self._subject)

    def _run_stage(self, stage: Stage[C], recipe: Recipe, listener: Listener) -> StageReport:
        began = time.monotonic()
        with self._store.workspace(stage.name, recipe) as workspace:
            # Explained in here, while the workspace still fills the disk that it may have filled up.
            with clear_errors(self._store.folder):
                job = Job(stage, self._store, workspace, listener, self._name)
                counts = stage.run(self._subject, job) if stage.wanted(self._subject) else Counts()
            for folder, names in files_below(workspace.outputs):
                within = folder.relative_to(workspace.outputs)
                if unsaid := [name for name in names if not stage.makes((within / name).as_posix())]:
                    raise InternalError(f"stage {stage.name} wrote {unsaid[0]} without saying so")
            seconds = round(time.monotonic() - began, 3)
            dropped = {reason: number for reason, number in sorted(counts.dropped.items()) if number}
            came_in = counts.kept + sum(dropped.values())
            report = StageReport(stage.name, seconds, came_in, counts.kept, dropped, counts.notes)
            self._store.commit(stage.name, recipe, report)
        return report

    def _report_of(self, stage: Stage[C]) -> StageReport:
        mark = self._store.mark(stage.name)
        assert mark is not None, f"stage {stage.name} is done but has no mark"
        return mark.report

    def _recipe(self, stage: Stage[C]) -> Recipe:
        if not stage.wanted(self._subject):
            return Recipe(stage.version, {"nothing to do": True}, {}, {})
        inputs = {name: self._fingerprints.of(path) for name, path in stage.files(self._subject).items()}
        for path in stage.reads:
            maker = next((s.name for s in self._stages if s.makes(path)), None)
            if maker is None:
                raise InternalError(f"stage {stage.name} reads {path}, which no stage writes")
            inputs[path] = self._store.hash_of(path, stage=maker) or "missing"
        packages = {name: installed_version(name) for name in stage.packages}
        own = stage.run.__module__
        roots = [module for module in (own, *stage.code) if module.split(".")[0] in PACKAGES]
        return Recipe(
            stage.version,
            dict(stage.settings(self._subject)),
            packages,
            inputs,
            code={module: code_fingerprint(module) if module != own else own_fingerprint(module) for module in roots},
            models=dict(stage.models(self._subject)),
        )

    def _up_to(self, until: str | None) -> Sequence[Stage[C]]:
        if until is None:
            return self._stages
        names = [stage.name for stage in self._stages]
        if until not in names:
            raise ConfigError(f"unknown stage {until!r}", remedy=f"the stages are {', '.join(names)}")
        return self._stages[: names.index(until) + 1]
