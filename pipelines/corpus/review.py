"""A finished corpus on the desk of a review, and what was decided there brought back into it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.config import ROWS, EpisodeConfig, command_of
from pipelines.corpus.build import build_corpus
from pipelines.corpus.corpus import Corpus
from pipelines.corpus.exports import FOLDER
from pipelines.engine.events import Event, EventKind
from pipelines.episode.attribution import attribution_of
from pipelines.episode.lines import make_lines
from pipelines.episode.records import embeddings_in, read_embeddings, read_lines, read_records, read_turns
from pipelines.episode.run import plan_episode, run_episode, why_not_kept
from pipelines.episode.session import Session
from pipelines.episode.stages import STAGES
from pipelines.layout import (
    ALIGNED,
    CORRECTIONS_FILE,
    EMBEDDINGS,
    LABELS_FILE,
    MIX,
    QUALITY,
    RENAMES_FILE,
    REVIEW_FOLDER,
    SUMMARY,
    TURNS,
    VOCALS,
    line_id,
)
from yuki_builder.corpus import Applied, ReviewError
from yuki_builder.errors import ConfigError
from yuki_builder.records import AlignedCue, Attribution, Line, LineSource, Verdict
from yuki_builder.untrusted import read_json

if TYPE_CHECKING:
    from yuki_builder.corpus import Desk, ReviewEpisode

# What an episode goes through when names, words or times were corrected; all before it stays as it is.
_QUICK = frozenset(
    {"corrected", "corrected dub", "enrol", "identify", "clips", "quality", "lines", "scenes", "report", "summary"}
)


def open_desk(out: Path) -> Desk:
    """The review of all finished episodes in an output folder.

    Raises:
        InputError: there are none, or a table that is there already has another form.
    """
    from yuki_builder.corpus import Desk, ReviewPaths, Tools

    corpus = Corpus.finished(out)
    paths = ReviewPaths(
        out / LABELS_FILE, out / CORRECTIONS_FILE, renames=out / RENAMES_FILE, folder=out / REVIEW_FOLDER
    )
    tools = Tools(
        load=lambda episodes: _load(out, episodes),
        suggest=lambda episode_id: suggest(out, episode_id),
        apply=lambda episodes, tell: apply_decisions(out, episodes, tell),
    )
    return Desk((load_episode(folder, corpus.lines_of(folder)) for folder in corpus.episodes), paths, tools)


def _load(out: Path, episodes: Sequence[str]) -> dict[str, ReviewEpisode]:
    corpus = Corpus.of(out)
    folders = [out / episode_id for episode_id in episodes]
    return {
        folder.name: load_episode(folder, corpus.lines_of(folder) if folder in corpus.episodes else read_lines(folder))
        for folder in folders
    }


def load_episode(folder: Path, lines: Sequence[Line]) -> ReviewEpisode:
    """What a review shows of an episode, lines included that a person took for no speech: they can be taken back."""
    from yuki_builder.corpus import ClipQuality, LineVoices, ReviewEpisode

    hidden = _hidden_lines(folder, lines)
    quality = read_records(folder / QUALITY, ClipQuality) if (folder / QUALITY).is_file() else []
    voices = None
    path = embeddings_in(folder)
    if path.is_file():
        embeddings, _ = read_embeddings(path)
        voices = LineVoices(embeddings.keys, embeddings.vectors.astype(np.float32))
    mix, vocals = (folder / name if (folder / name).is_file() else None for name in (MIX, VOCALS))
    return ReviewEpisode(
        folder.name,
        tuple(sorted((*lines, *hidden), key=lambda line: (line.start_ms, line.index))),
        {q.line_id: q.problems for q in quality if q.problems},
        voices,
        mix,
        vocals,
    )


def _hidden_lines(folder: Path, lines: Sequence[Line]) -> list[Line]:
    """The lines of an episode that are not among these."""
    path = folder / ALIGNED
    of_file = sum(line.source is not LineSource.REVIEW for line in lines)
    if not path.is_file() or path.read_bytes().count(b"\n") == of_file:
        return []
    there = {line.line_id for line in lines}
    aligned = [a for a in read_records(path, AlignedCue) if line_id(folder.name, a.cue) not in there]
    nobody = [Attribution(a.cue.cue_id, None, 0.0, Verdict.UNKNOWN) for a in aligned]
    return make_lines(folder.name, aligned, nobody, read_turns(folder / TURNS)) if aligned else []


def config_of(out: Path, episode_id: str) -> EpisodeConfig:
    """The configuration that an episode was made with.

    Raises:
        ReviewError: it is not recorded.
    """
    path = out / episode_id / SUMMARY
    try:
        facts: dict[str, Any] = read_json(path)
        known = {row.name for row in ROWS} - {"video", "out", "force"}
        options = {name: value for name, value in facts["configuration"].items() if name in known}
        return EpisodeConfig(Path(facts["media"]["path"]), out=out, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as e:
        raise ReviewError("not_recorded", episode_id) from e


def suggest(out: Path, episode_id: str) -> list[Attribution] | None:
    """Who says each line of an episode by the tables as they are now; nothing is written.

    None where clips would have to be embedded first: then it is only known once the decisions are applied.
    """
    config = config_of(out, episode_id)
    session = Session(out)
    session.settle(config.video, episode_id)
    return attribution_of(session.open(config))


def apply_decisions(out: Path, episodes: Sequence[str], tell: Callable[[str, str], None]) -> Applied:
    """Bring episodes up to date with what was decided, then the corpus: no sound is separated or transcribed again.

    What this version of the program, or a file that was changed since, would make otherwise before that stays as it is:
    the next run of the command makes it anew.

    Args:
        out: the output folder of the runs.
        episodes: ids of those to bring up to date.
        tell: hears what is being done: the episode (or the corpus), and the stage.

    Raises:
        ReviewError: an episode has to be run again as a whole; it says by which command.
        InputError: an episode's media are gone.
    """
    configs = {episode_id: config_of(out, episode_id) for episode_id in episodes}
    session = Session(out, videos=[config.video for config in configs.values()])
    for episode_id, config in configs.items():
        session.settle(config.video, episode_id)  # whatever a video of that name would be called today
        with session.open(config).store.locked(wait_seconds=session.patience_seconds):
            pass  # what an earlier version made gets its names of today
    gone: set[str] = set()
    stale: set[str] = set()
    to_redo: list[EpisodeConfig] = []
    for config in configs.values():
        missing = why_not_kept(config, session=session, but=_QUICK)
        if _has_other_embeddings(config, session):
            missing["embeddings"] = "of another embedder"
        _, steps = plan_episode(config, session=session)
        changed = {step.stage.name for step in steps if step.reason and step.stage.name not in _QUICK}
        gone |= missing.keys()
        stale |= changed
        to_redo += [config] if missing or changed else []
    command = _commands(to_redo)
    if gone:
        raise ReviewError("run_again", ", ".join(_in_order(gone)), command)

    def listen(event: Event) -> None:
        if event.kind is EventKind.STARTED:
            tell(event.subject, event.stage or "")

    for config in configs.values():
        run_episode(dataclasses.replace(config, force=False), progress=listen, session=session, only=_QUICK)
    result = build_corpus(out, progress=listen, session=session)
    folder = result.folder / FOLDER
    # With which options exports were made is not known here, so that they stay as they were.
    exports = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return Applied(tuple(exports), tuple(_in_order(stale)), command)


def _has_other_embeddings(config: EpisodeConfig, session: Session) -> bool:
    """Whether its voices do not compare with what today's embedder makes."""
    episode = session.open(config)
    path = episode.store.folder / EMBEDDINGS
    return path.is_file() and read_embeddings(path)[1] != episode.embedder_fingerprint()


def _in_order(names: Collection[str]) -> list[str]:
    return [stage.name for stage in STAGES if stage.name in names]


def _commands(configs: Sequence[EpisodeConfig]) -> str:
    """What to run to make these episodes anew: one command for each set of options."""
    alike: dict[str, list[EpisodeConfig]] = {}
    for config in configs:
        alike.setdefault(json.dumps(config.to_dict()), []).append(config)
    return "; ".join(command_of(each) for each in alike.values())
