"""Several episodes, and the corpus that they make together."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipelines.config import EpisodeConfig
from pipelines.corpus.build import CorpusResult, PlannedStage, build_corpus, plan_corpus
from pipelines.corpus.stages import corpus_stages
from pipelines.engine.events import Event, EventKind, Listener, download_events, silent
from pipelines.engine.faults import clear_errors
from pipelines.engine.sharing import SharedDevice, shared_device
from pipelines.episode.run import EpisodeResult, plan_episode, run_episode
from pipelines.episode.session import Session
from pipelines.executors import Executor, LocalExecutor, ProcessExecutor, RayExecutor
from pipelines.layout import CORPUS_FOLDER
from pipelines.models import checkpoint_files, has_gpu
from yuki_builder.errors import ConfigError, InternalError, YukiError
from yuki_builder.version import __version__

T = TypeVar("T")

_KEEP_EVERY_SECONDS = 20.0
_PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class EpisodeFailure:
    """An episode that did not work out: why, in one line; ``details`` for developers, where it was no YukiError."""

    video: Path
    message: str
    exit_status: int
    details: str | None = None


@dataclass(frozen=True, slots=True)
class SeasonResult:
    """What came of several episodes; no corpus is made where none of them came through."""

    episodes: tuple[EpisodeResult, ...]
    failures: tuple[EpisodeFailure, ...]
    corpus: CorpusResult | None


@dataclass(frozen=True, slots=True)
class SeasonPlan:
    """What a run would do: for each episode that can be worked on, its stages and why they would run, if so."""

    subjects: tuple[tuple[str, tuple[PlannedStage, ...]], ...]
    failures: tuple[EpisodeFailure, ...]


def run_season(
    configs: Sequence[EpisodeConfig],
    *,
    progress: Listener | None = None,
    executor: Executor | None = None,
    appeared: Callable[[], Sequence[EpisodeConfig]] | None = None,
) -> SeasonResult:
    """Bring episodes up to date, then the corpus. A failing episode does not stop the rest.

    Who works on which episode, and which is done first, changes nothing of the result.

    Args:
        configs: one for each episode, all with the same ``out``, ``jobs`` and ``shard``.
        progress: is told what happens.
        executor: works on the episodes; None: as ``jobs`` and ``executor`` of the first one say.
        appeared: asked when all are done for episodes that were not there before; they are worked on then.

    Raises:
        ConfigError: no episode, or several output folders.
        OutputError: the output folder cannot be written at all.
    """
    listener = progress or silent
    session = _open_session(configs)
    config = configs[0]
    _fetch_weights(configs, listener)
    mine = shard_of(configs, config.shard)
    with clear_errors(config.out):
        ids = session.ids()
        if ids:
            session.remember()
    patience = _PATIENCE_SECONDS if config.executor == "ray" else 0  # a lost machine's locks outlive it
    executor = executor or executor_of(config, len(mine))
    hashes = _Hashes(session)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(device_of(executor, config.device))
        make = partial(
            EpisodeWorker,
            session.out,
            session.videos,
            ids,
            version=__version__,
            patience_seconds=patience,
            device=device,
        )
        pool = stack.enter_context(executor.start(make, listener=listener, lost=_lost))
        if len(configs) > 1 and (config.characters or config.labels):
            # The others enrol from the vocals of the episodes that are labelled.
            prepared = [EpisodeJob(c, k, len(mine), prepares=True) for k, c in enumerate(mine)]
            for done in pool.map(prepared):
                hashes.add(done)
        results: list[EpisodeResult | EpisodeFailure | None] = []
        while mine:
            total = len(results) + len(mine)
            jobs = [EpisodeJob(c, k, total, ids.get(c.video.resolve())) for k, c in enumerate(mine, len(results))]
            results += [hashes.add(done) for done in pool.map(jobs)]
            mine = list(appeared()) if appeared and not config.shard else []
            ids |= session.ids([c.video for c in mine])
    if ids:
        with clear_errors(config.out):
            session.remember()
    episodes = [result for result in results if isinstance(result, EpisodeResult)]
    failures = [result for result in results if isinstance(result, EpisodeFailure)]
    corpus = None
    if config.shard:
        message = "one shard: a run without --shard builds the corpus when all shards are done"
        listener(Event(EventKind.NOTICE, CORPUS_FOLDER, message=message))
    elif episodes:
        corpus = build_corpus(
            session.out, progress=listener, session=session, exports=config.export, force=config.force
        )
    return SeasonResult(tuple(episodes), tuple(failures), corpus)


def shard_of(configs: Sequence[T], shard: str | None) -> list[T]:
    """Every n-th episode, from the k-th on, of ``k/n``. Pure."""
    if shard is None:
        return list(configs)
    k, n = map(int, shard.split("/"))
    return list(configs[k - 1 :: n])


def executor_of(config: EpisodeConfig, episodes: int) -> Executor:
    """Who works on so many episodes, by the options."""
    if config.executor == "ray":
        at_once = config.jobs if config.jobs > 1 else None
        return RayExecutor(address=config.ray_address, at_once=at_once, device=config.device)
    jobs = min(config.jobs, episodes)
    return ProcessExecutor(jobs) if jobs > 1 else LocalExecutor()


def device_of(executor: Executor, device: str) -> AbstractContextManager[SharedDevice | None]:
    """The GPU that the processes of this executor share: one of them uses it at a time, where there is one."""
    is_shared = isinstance(executor, ProcessExecutor) and has_gpu(device)
    return shared_device() if is_shared else contextlib.nullcontext()


@dataclass(frozen=True, slots=True)
class EpisodeJob:
    """One episode to work on; ``prepares``: only as far as others enrol from it, if it is labelled."""

    config: EpisodeConfig
    number: int
    total: int
    episode_id: str | None = None
    prepares: bool = False

    @property
    def name(self) -> str:
        """What it is called while it is worked on: many videos of a season may have one name."""
        return self.episode_id or self.config.video.name


def attempted(
    work: Callable[[], EpisodeResult], failed: Callable[[Exception], EpisodeFailure], listener: Listener, begun: Event
) -> EpisodeResult | EpisodeFailure:
    """What came of an episode; a failure is told of, and stops nothing else.

    Args:
        work: makes it.
        failed: says what went wrong.
        listener: hears that it begins, and how it ends.
        begun: the event of its beginning.
    """
    listener(begun)
    try:
        result = work()
    except Exception as error:
        failure = failed(error)
        listener(dataclasses.replace(begun, kind=EventKind.FAILED, message=failure.message))
        return failure
    listener(dataclasses.replace(begun, kind=EventKind.DONE))
    return result


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of an episode, and the content hashes found on the way; nothing of one that needs no preparing."""

    result: EpisodeResult | EpisodeFailure | None
    hashes: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)


class EpisodeWorker:
    """Works on episodes in one process, and keeps the networks between them.

    Args:
        out: the output folder.
        videos: all of the season, those of other processes included.
        ids: the episodes' ids by video, as far as they are settled.
        version: of the program that hands out the episodes.
        patience_seconds: how long to wait for a folder that another process holds.
        device: the GPU that processes take in turns; None: it is this process's own.

    Raises:
        InternalError: this process runs another version of the program.
    """

    def __init__(
        self,
        out: Path,
        videos: Sequence[Path],
        ids: Mapping[Path, str],
        *,
        version: str,
        patience_seconds: float = 0,
        device: SharedDevice | None = None,
    ) -> None:
        if version != __version__:
            raise InternalError(f"another version of this program runs here: {__version__}, not {version}")
        self._session = Session(out, videos=videos, ids=ids, patience_seconds=patience_seconds, device=device)

    def __call__(self, job: EpisodeJob, listener: Listener) -> Worked:
        if job.episode_id is not None:
            self._session.settle(job.config.video, job.episode_id)
        if job.prepares:
            self._prepare(job, listener)
        result = None if job.prepares else self._work(job, listener)
        return Worked(result, self._session.fingerprints.learned())

    def _work(self, job: EpisodeJob, listener: Listener) -> EpisodeResult | EpisodeFailure:
        def work() -> EpisodeResult:
            return run_episode(job.config, progress=listener, session=self._session)

        event = Event(EventKind.BEGUN, job.name, completed=job.number, total=job.total)
        return attempted(work, lambda error: failure_of(job.config.video, error), listener, event)

    def _prepare(self, job: EpisodeJob, listener: Listener) -> None:
        try:
            if self._session.open(job.config).own_labels:
                unforced = dataclasses.replace(job.config, force=False)
                run_episode(unforced, progress=listener, until="speech", session=self._session)
        except YukiError:
            return  # fails again in its turn, and is reported then
        except Exception as error:  # may not fail again: the others then enrol from less than they could
            message = f"not prepared for enrolment: {failure_of(job.config.video, error).message}"
            listener(Event(EventKind.NOTICE, job.name, message=message))


def _lost(job: EpisodeJob, why: str) -> Worked:
    message = f"{job.config.video}: {why}. Run again: what is finished of it is kept"
    return Worked(EpisodeFailure(job.config.video, message, 1))


class _Hashes:
    """Gathers the content hashes that the workers find, and keeps them now and then."""

    def __init__(self, session: Session) -> None:
        self._session, self._kept = session, time.monotonic()

    def add(self, worked: Worked) -> EpisodeResult | EpisodeFailure | None:
        self._session.fingerprints.learn(worked.hashes)
        if time.monotonic() - self._kept > _KEEP_EVERY_SECONDS:
            self._session.remember()
            self._kept = time.monotonic()
        return worked.result


def _fetch_weights(configs: Sequence[EpisodeConfig], listener: Listener) -> None:
    """Have the separators' weights here before the first episode begins, and show how a download goes."""
    for separator in {config.separator for config in configs} - {"none"}:
        tell = partial(download_events(listener), separator)
        with contextlib.suppress(YukiError):  # fails again with the episodes that want it, and is reported there
            checkpoint_files(separator, download=True, progress=tell)


def plan_season(configs: Sequence[EpisodeConfig]) -> SeasonPlan:
    """What ``run_season`` would do, the corpus included; writes nothing.

    Raises:
        ConfigError: no episode, or several output folders.
    """
    session = _open_session(configs)
    session.models.download = False
    subjects, failures = [], []
    for config in configs:
        try:
            episode_id, steps = plan_episode(config, session=session)
            subjects.append((episode_id, tuple(PlannedStage(s.stage.name, s.reason, s.detail) for s in steps)))
        except YukiError as error:
            failures.append(failure_of(config.video, error))
    if subjects:
        stages = corpus_stages(configs[0].export)
        subjects.append((CORPUS_FOLDER, plan_corpus(session, subjects, stages, force=configs[0].force)))
    return SeasonPlan(tuple(subjects), tuple(failures))


def _open_session(configs: Sequence[EpisodeConfig]) -> Session:
    if len({config.out for config in configs}) != 1:
        raise ConfigError("a season needs at least one video, and one --out for all of them")
    with clear_errors(configs[0].out):
        return Session(configs[0].out, videos=[config.video for config in configs])


def failure_of(video: Path, error: Exception) -> EpisodeFailure:
    """What is told of an episode that did not work out."""
    if isinstance(error, YukiError):
        return EpisodeFailure(video, str(error), error.exit_status)
    details = "".join(traceback.format_exception(error))
    return EpisodeFailure(video, f"{video}: {type(error).__name__}: {error}", 1, details)
