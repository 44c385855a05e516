"""Several episodes, and the corpus that they make together."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import quality_steps, report_steps
from pipelines.config import EpisodeConfig
from pipelines.episode import EpisodeResult, plan_episode, run_episode
from pipelines.faults import explained
from pipelines.intermediate import read_voiceprints
from pipelines.models import checkpoint_files
from pipelines.progress import Event, EventKind, Listener, silent
from pipelines.season_voices import season_lines
from pipelines.session import CORPUS_FOLDER, Session
from pipelines.stage import Counts, Job, Runner, Stage
from pipelines.steps import GALLERY, LINES, MEDIA, PRINTS, QUALITY, REPORT, SCENES, VOICEPRINTS, read_scenes
from pipelines.store import Store
from yuki_builder.errors import ConfigError, InputError, YukiError
from yuki_builder.records import Line, Record, StageReport, Verdict, Voiceprints

if TYPE_CHECKING:
    from yuki_builder.corpus import ExportOptions, Scene

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm",
    ".ogv", ".rmvb", ".ts", ".vob", ".webm", ".wmv",
))
AUDIO_SUFFIXES = frozenset((
    ".aac", ".ac3", ".aiff", ".dts", ".eac3", ".flac", ".m4a", ".mka", ".mp3", ".ogg", ".opus", ".wav", ".wma",
))
# fmt: on

_WAIT_FOR_CORPUS_SECONDS = 600  # another run that makes it takes seconds
_ENOUGH_SPEECH_MS = 1000
_SURE_OF_A_VOICE = 0.7


# --- which videos -----------------------------------------------------------------------------------------


def find_videos(paths: Iterable[str | Path]) -> list[Path]:
    """The media files that files, folders and globs amount to, each once, in the order given.

    A folder stands for the videos directly in it (for its sound files, if it holds no video), in natural order:
    ``ep2`` before ``ep10``.

    Raises:
        InputError: a folder or a glob without media files. That a file is there is not checked.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            files = _media_in(path)
        elif not path.exists() and glob.has_magic(str(path)):
            matches = glob.glob(str(path), recursive=True)  # noqa: PTH207  (Path.glob takes no absolute pattern)
            files = _natural(p for p in map(Path, matches) if p.is_file())
            if not files:
                raise InputError("no file fits this pattern", where=path)
        else:
            files = [path]
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _media_in(folder: Path) -> list[Path]:
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    for suffixes in (VIDEO_SUFFIXES, AUDIO_SUFFIXES):
        media = _natural(p for p in files if p.suffix.lower() in suffixes)
        if media:
            return media
    raise InputError("there is no video in this folder", where=folder, remedy="give a file, or another folder")


def _natural(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda p: [int(part) if part.isdecimal() else part for part in _split(p.name)])


def _split(name: str) -> list[str]:
    # Starts with text, so that numbers are only ever compared with numbers.
    return re.split(r"(\d+)", name.casefold())


# --- the season -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EpisodeFailure:
    """An episode that did not work out: why, in one line; ``details`` for developers, where it was no YukiError."""

    video: Path
    message: str
    exit_status: int
    details: str | None = None


@dataclass(frozen=True, slots=True)
class CorpusResult:
    """What all finished episodes of an output folder amount to.

    Attributes:
        folder: ``OUT/corpus``.
        lines: all lines of all episodes.
        reports: what the making of the corpus did.
    """

    folder: Path
    lines: tuple[Line, ...]
    reports: tuple[StageReport, ...]


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


@dataclass(frozen=True, slots=True)
class PlannedStage(Record):
    """One stage of a plan; ``reason`` None: it is reused."""

    stage: str
    reason: str | None


def run_season(configs: Sequence[EpisodeConfig], *, progress: Listener | None = None) -> SeasonResult:
    """Bring episodes up to date one after the other, then the corpus. A failing episode does not stop the rest.

    Args:
        configs: one for each episode, all with the same ``out``.
        progress: is told what happens.

    Raises:
        ConfigError: no episode, or several output folders.
        OutputError: the output folder cannot be written at all.
    """
    listener = progress or silent
    session = _open_session(configs)
    _fetch_weights(configs, listener)
    _isolate_labelled(configs, session, listener)
    episodes: list[EpisodeResult] = []
    failures: list[EpisodeFailure] = []
    for number, config in enumerate(configs):
        name, total = config.video.name, len(configs)
        listener(Event(EventKind.BEGUN, name, completed=number, total=total))
        try:
            episodes.append(run_episode(config, progress=listener, session=session))
        except Exception as error:
            failures.append(_failure(config.video, error))
            message = failures[-1].message
            listener(Event(EventKind.FAILED, name, message=message, completed=number, total=total))
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
    if len(configs) < 2 or configs[0].characters is None:
        return
    for config in configs:
        with contextlib.suppress(Exception):  # fails again in its turn, and is reported then
            if session.open(config).own_labels:
                unforced = dataclasses.replace(config, force=False)
                run_episode(unforced, progress=listener, until="speech", session=session)


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
        stages = _stages(configs[0].export)
        subjects.append((CORPUS_FOLDER, _plan_corpus(session, subjects, stages, force=configs[0].force)))
    return SeasonPlan(tuple(subjects), tuple(failures))


def _open_session(configs: Sequence[EpisodeConfig]) -> Session:
    if len({config.out for config in configs}) != 1:
        raise ConfigError("a season wants at least one video, and one --out for all of them")
    with explained(configs[0].out):
        return Session(configs[0].out, videos=[config.video for config in configs])


def _failure(video: Path, error: Exception) -> EpisodeFailure:
    if isinstance(error, YukiError):
        return EpisodeFailure(video, str(error), error.exit_status)
    details = "".join(traceback.format_exception(error))
    return EpisodeFailure(video, f"{video}: {type(error).__name__}: {error}", 1, details)


# --- the corpus -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """What the making of a corpus works on: the folders of all finished episodes, in natural order."""

    episodes: tuple[Path, ...]
    root: Path = Path()

    @classmethod
    def of(cls, out: Path, *, notice: Callable[[str], None] = lambda _: None) -> Corpus:
        """The episodes of an output folder whose lines are finished, whichever run made them."""
        episodes = []
        for folder in _natural(p for p in out.iterdir() if (p / LINES).is_file()):
            mark = Store(folder).mark("lines")
            if mark is None:
                continue
            # A copied or renamed folder: its lines have the ids of another, its clips are not where they say.
            if mark.recipe.settings.get("episode") != folder.name:
                notice(f"{folder} is no folder of this program's naming and is left out of the corpus")
                continue
            episodes.append(folder)
        return cls(tuple(episodes), out)

    def files(self, *names: str) -> dict[str, Path]:
        """The files of those names in the episodes' folders, as far as they are there."""
        paths = [(f"{folder.name}/{name}", folder / name) for folder in self.episodes for name in names]
        return {name: path for name, path in paths if path.exists()}

    def scenes(self) -> list[Scene]:
        """The scenes of all episodes, as their lines fall into them."""
        return [scene for folder, lines in self._lines.items() for scene in read_scenes(folder / SCENES, lines)]

    def lines(self) -> list[Line]:
        """All lines, episode by episode."""
        return [line for lines in self._lines.values() for line in lines]

    @cached_property
    def _lines(self) -> dict[Path, list[Line]]:
        return season_lines(self.episodes)


def _write_files(corpus: Corpus, job: Job) -> Counts:
    """Parquet for programs, scenes as text for people, chats for training."""
    from yuki_builder.corpus import build_corpus_files

    report = build_corpus_files(corpus.lines(), job.outputs, scenes=corpus.scenes(), progress=job.progress)
    return Counts(report.lines - sum(report.left_out.values()), report.left_out)


def _write_gallery(corpus: Corpus, job: Job) -> Counts:
    """Every character's voice, from the enrolled clips and from the lines whose speaker is certain."""
    from yuki_builder.characters import Gallery

    gallery: Gallery | None = None
    dropped: Counter[str] = Counter()
    for folder in corpus.episodes:
        voiceprints, embedder = read_voiceprints(folder / VOICEPRINTS)
        if gallery is None:
            gallery = Gallery.empty(embedder=embedder)
        elif gallery.embedder != embedder:
            dropped["voiceprint of another embedder"] += len(voiceprints.keys)
            continue
        if (folder / GALLERY).is_dir():
            gallery = gallery.merge(Gallery.load(folder / GALLERY, embedder=embedder))
        lines = [line for line in corpus.lines() if line.episode_id == folder.name]
        gallery = gallery.extend(voiceprints, _certain_speakers(lines, voiceprints, dropped))
    if gallery is None or not gallery.keys:
        return Counts(dropped=dropped)
    gallery.save(job.output("gallery/"))
    return Counts(len(gallery.keys), dropped)


def _certain_speakers(lines: Sequence[Line], voiceprints: Voiceprints, dropped: Counter[str]) -> dict[str, str]:
    """The character by line id, of the lines that are good enough to enrol a voice; the others are counted."""
    speech_ms = dict(zip(voiceprints.keys, voiceprints.speech_ms, strict=True))
    chosen = {}
    for line in lines:
        # A voice without a name is never certain to be somebody, but often sure to be itself.
        is_sure = line.verdict is Verdict.CERTAIN or (
            line.character is not None and line.character.startswith("VOICE_") and line.confidence >= _SURE_OF_A_VOICE
        )
        if line.character is None or not is_sure:
            dropped["speaker not certain"] += 1
        elif speech_ms.get(line.line_id, 0) < _ENOUGH_SPEECH_MS:
            dropped[f"less than {_ENOUGH_SPEECH_MS / 1000:g} s of speech"] += 1
        elif line.overlap > 0:
            dropped["another voice in it"] += 1
        else:
            chosen[line.line_id] = line.character
    return chosen


STAGES: tuple[Stage[Corpus], ...] = (
    Stage(
        "files",
        version=3,
        run=_write_files,
        files=lambda c: c.files(LINES, SCENES, VOICEPRINTS),
        packages=("pyarrow",),
        writes=("lines.parquet", "texts/", "haruhi/", "roleplay/"),
    ),
    Stage(
        "gallery",
        version=2,
        run=_write_gallery,
        files=lambda c: c.files(LINES, VOICEPRINTS, GALLERY),
        writes=("gallery/",),
    ),
    Stage(
        "quality",
        version=1,
        run=quality_steps.write_quality,
        files=lambda c: c.files(LINES, QUALITY, PRINTS),
        packages=("pyarrow",),
        writes=(quality_steps.QUALITY_TABLE,),
    ),
    Stage(
        "report",
        version=1,
        run=lambda c, job: report_steps.report_corpus(c.episodes, job),
        files=lambda c: c.files(LINES, MEDIA),
        settings=lambda c: report_steps.corpus_settings(c.episodes),
        writes=(REPORT,),
    ),
)


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

    Raises:
        OutputError: the folder cannot be written, or another run is at it.
    """
    listener = progress or silent

    def notice(message: str) -> None:
        listener(Event(EventKind.NOTICE, CORPUS_FOLDER, message=message))

    with explained(out):
        listener(Event(EventKind.BEGUN, CORPUS_FOLDER))
        store = Store(out / CORPUS_FOLDER, notice=notice)
        with store.locked(wait_seconds=_WAIT_FOR_CORPUS_SECONDS):
            corpus = Corpus.of(out, notice=notice)
            runner = _runner(corpus, store, session or Session(out), _stages(exports, options))
            reports = runner.run(listener, force=force)
            return CorpusResult(store.folder, tuple(corpus.lines()), tuple(reports))


def _stages(exports: Sequence[str], options: ExportOptions | None = None) -> tuple[Stage[Corpus], ...]:
    """The stages of a corpus; the report, which tells of them, comes last."""
    if not exports:
        return STAGES
    from pipelines.export_steps import check_names, export_stages
    from yuki_builder.corpus import ExportOptions

    *others, last = STAGES
    return (*others, *export_stages(check_names(exports), options or ExportOptions()), last)


def _runner(corpus: Corpus, store: Store, session: Session, stages: tuple[Stage[Corpus], ...]) -> Runner[Corpus]:
    return Runner(stages, corpus, store=store, fingerprints=session.fingerprints, name=CORPUS_FOLDER)


def _plan_corpus(
    session: Session,
    episodes: Sequence[tuple[str, Sequence[PlannedStage]]],
    stages: tuple[Stage[Corpus], ...],
    *,
    force: bool,
) -> tuple[PlannedStage, ...]:
    changing = [name for name, planned in episodes if any(stage.reason for stage in planned)]
    if changing:
        return tuple(PlannedStage(stage.name, f"after {', '.join(changing)}") for stage in stages)
    runner = _runner(Corpus.of(session.out), Store(session.out / CORPUS_FOLDER), session, stages)
    return tuple(PlannedStage(step.stage.name, step.reason) for step in runner.plan(force=force))
