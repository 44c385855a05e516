"""Bring one episode up to date, or say what that would take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.config import EpisodeConfig
from pipelines.engine.events import Event, EventKind, Listener, download_events, silent
from pipelines.engine.faults import clear_errors
from pipelines.engine.stage import Runner, Step
from pipelines.episode.context import Episode
from pipelines.episode.records import read_lines
from pipelines.episode.session import Session
from pipelines.episode.stages import STAGES
from pipelines.layout import RENAMED_STAGES
from yuki_builder.records import Line, StageReport


@dataclass(frozen=True)
class EpisodeResult:
    """A finished episode.

    Attributes:
        episode_id: the name of its folder.
        folder: where everything is; ``clip`` of a line is relative to this folder's parent.
        reports: what each stage did, those reused included.
    """

    episode_id: str
    folder: Path
    reports: tuple[StageReport, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines, by time; read when first asked for, since a season has millions."""
        return tuple(read_lines(self.folder))

    @property
    def line_count(self) -> int:
        """How many lines there are, without reading them."""
        return next((report.kept for report in self.reports if report.stage == "lines"), 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages have to say to the user."""
        return tuple(note for report in self.reports for note in report.notes)


def run_episode(
    config: EpisodeConfig,
    *,
    progress: Listener | None = None,
    until: str | None = None,
    session: Session | None = None,
    only: Collection[str] | None = None,
) -> EpisodeResult:
    """Bring one episode up to date, and say what is known of it. What is done already is reused.

    Args:
        config: the video and the options.
        progress: is told what happens (``pipelines.progress.Event``).
        until: the name of the last stage to run; for measuring.
        session: what is shared with other episodes of the same run.
        only: the names of the stages that may run; of the others the results are kept, however they were made.

    Raises:
        YukiError: in one line what is wrong with the input or the output folder; ``exit_status`` says whose fault.
    """
    listener = progress or silent
    with clear_errors(config.out):
        session = session or Session(config.out)
        session.models.tell_download = download_events(listener)
        episode = session.open(
            config, notice=lambda name, message: listener(Event(EventKind.NOTICE, name, message=message))
        )
        with episode.store.locked(wait_seconds=session.patience_seconds):
            session.own(episode)
            session.remember()
            until = RENAMED_STAGES.get(until or "", until)
            reports = _runner(episode, session).run(listener, force=config.force, until=until, only=only)
        session.remember()
    return EpisodeResult(episode.episode_id, episode.store.folder, tuple(reports))


def _runner(episode: Episode, session: Session) -> Runner[Episode]:
    return Runner(
        STAGES,
        episode,
        store=episode.store,
        fingerprints=session.fingerprints,
        name=episode.episode_id,
        turn=session.device_turn,
    )


def why_not_kept(config: EpisodeConfig, *, session: Session, but: Collection[str]) -> dict[str, str]:
    """The stages whose results cannot serve as they are, however they were made, and why; writes nothing.

    Args:
        config: the video and the options.
        session: what is shared with other episodes.
        but: names of stages that do not count.

    Raises:
        YukiError: as ``plan_episode``.
    """
    episode = session.open(config)
    runner = _runner(episode, session)
    found = {stage.name: runner.why_not_kept(stage) for stage in STAGES if stage.name not in but}
    return {name: why for name, why in found.items() if why}


def plan_episode(config: EpisodeConfig, *, session: Session | None = None) -> tuple[str, list[Step[Episode]]]:
    """The episode's id, and which of its stages would run, and why; writes nothing.

    Raises:
        YukiError: as ``run_episode``, as far as it shows without doing the work.
    """
    with clear_errors(config.out):
        session = session or Session(config.out)
        episode = session.open(config)
        return episode.episode_id, _runner(episode, session).plan(force=config.force)
