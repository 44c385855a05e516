"""Several episodes, one after the other, and the corpus that they make together."""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.config import EpisodeConfig
from pipelines.corpus.build import CorpusResult, PlannedStage, build_corpus, plan_corpus
from pipelines.corpus.stages import corpus_stages
from pipelines.engine.events import Event, EventKind, Listener, silent
from pipelines.engine.faults import clear_errors
from pipelines.episode.run import EpisodeResult, plan_episode, run_episode
from pipelines.episode.session import Session
from pipelines.executors import Executor, LocalExecutor
from pipelines.layout import CORPUS_FOLDER
from pipelines.models import checkpoint_files
from yuki_builder.errors import ConfigError, YukiError


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
    configs: Sequence[EpisodeConfig], *, progress: Listener | None = None, executor: Executor | None = None
) -> SeasonResult:
    """Bring episodes up to date one after the other, then the corpus. A failing episode does not stop the rest.

    Args:
        configs: one for each episode, all with the same ``out``.
        progress: is told what happens.
        executor: works on the episodes; None: in this process, one after the other.

    Raises:
        ConfigError: no episode, or several output folders.
        OutputError: the output folder cannot be written at all.
    """
    listener = progress or silent
    session = _open_session(configs)
    _fetch_weights(configs, listener)
    _isolate_labelled(configs, session, listener)

    def work(numbered: tuple[int, EpisodeConfig]) -> EpisodeResult | EpisodeFailure:
        (number, config), total = numbered, len(configs)
        name = config.video.name
        listener(Event(EventKind.BEGUN, name, completed=number, total=total))
        try:
            return run_episode(config, progress=listener, session=session)
        except Exception as error:
            failure = _failure(config.video, error)
            listener(Event(EventKind.FAILED, name, message=failure.message, completed=number, total=total))
            return failure

    results = list((executor or LocalExecutor()).map(work, list(enumerate(configs))))
    episodes = [result for result in results if isinstance(result, EpisodeResult)]
    failures = [result for result in results if isinstance(result, EpisodeFailure)]
    corpus = None
    if episodes:
        config = configs[0]
        corpus = build_corpus(
            session.out, progress=listener, session=session, exports=config.export, force=config.force
        )
    return SeasonResult(tuple(episodes), tuple(failures), corpus)


def _fetch_weights(configs: Sequence[EpisodeConfig], listener: Listener) -> None:
    """Have the separators' weights here before the first episode begins, and show how a download goes."""
    for separator in {config.separator for config in configs} - {"none"}:

        def tell(done: float, total: float | None, separator: str = separator) -> None:
            if not done:
                listener(Event(EventKind.STARTED, separator, "download", "the weights are not here yet"))
            listener(Event(EventKind.PROGRESS, separator, "download", completed=done, total=total))

        with contextlib.suppress(YukiError):  # fails again with the episodes that want it, and is reported there
            checkpoint_files(separator, download=True, progress=tell)


def _isolate_labelled(configs: Sequence[EpisodeConfig], session: Session, listener: Listener) -> None:
    """Bring the episodes that ``--characters`` labels as far as their vocals, from which all the others enrol."""
    if len(configs) < 2 or not (configs[0].characters or configs[0].labels):
        return
    for config in configs:
        try:
            if session.open(config).own_labels:
                unforced = dataclasses.replace(config, force=False)
                run_episode(unforced, progress=listener, until="speech", session=session)
        except YukiError:
            continue  # fails again in its turn, and is reported then
        except Exception as error:  # may not fail again: the others then enrol from less than they could
            message = f"not prepared for enrolment: {_failure(config.video, error).message}"
            listener(Event(EventKind.NOTICE, config.video.name, message=message))


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
            subjects.append((episode_id, tuple(PlannedStage(s.stage.name, s.reason) for s in steps)))
        except YukiError as error:
            failures.append(_failure(config.video, error))
    if subjects:
        stages = corpus_stages(configs[0].export)
        subjects.append((CORPUS_FOLDER, plan_corpus(session, subjects, stages, force=configs[0].force)))
    return SeasonPlan(tuple(subjects), tuple(failures))


def _open_session(configs: Sequence[EpisodeConfig]) -> Session:
    if len({config.out for config in configs}) != 1:
        raise ConfigError("a season needs at least one video, and one --out for all of them")
    with clear_errors(configs[0].out):
        return Session(configs[0].out, videos=[config.video for config in configs])


def _failure(video: Path, error: Exception) -> EpisodeFailure:
    if isinstance(error, YukiError):
        return EpisodeFailure(video, str(error), error.exit_status)
    details = "".join(traceback.format_exception(error))
    return EpisodeFailure(video, f"{video}: {type(error).__name__}: {error}", 1, details)
