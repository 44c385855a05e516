"""A season whose videos or output are on object storage (``s3://…``, or any address that fsspec knows).

A worker fetches a video to the local disk, works there as always, and uploads the finished episode's folder. The last
thing that it uploads is a mark, which says of what video and with which options the episode was made; an episode with
today's mark is done. The corpus is built on the local disk from the records of all marked episodes, and uploaded.

What object storage has not: locks, and replacing a folder at once. Two runs at the same time may work on one episode
twice; then the last upload stays, whole, since both give the same bytes. While a folder is being replaced its mark is
gone. An interrupted episode starts over, since only finished ones are uploaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import posixpath
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipelines.config import EpisodeConfig
from pipelines.corpus.build import build_corpus
from pipelines.engine.events import Event, EventKind, Listener, silent
from pipelines.engine.fingerprints import hash_text
from pipelines.engine.sharing import SharedDevice
from pipelines.episode.naming import name_with_show, seasonal_name
from pipelines.episode.run import EpisodeResult, run_episode
from pipelines.episode.session import Session
from pipelines.executors import Executor
from pipelines.layout import (
    AUDIO_FINGERPRINTS,
    CORPUS_FOLDER,
    EMBEDDINGS_OF_LINES,
    GALLERY,
    LINES,
    MEDIA,
    MIX,
    QUALITY,
    SCENES,
    SUMMARY,
    VOCALS,
)
from pipelines.season import EpisodeFailure, SeasonResult, attempted, device_of, executor_of, failure_of, shard_of
from pipelines.videos import AUDIO_SUFFIXES, VIDEO_SUFFIXES, is_extra, natural
from yuki_builder.errors import ConfigError, InputError, MissingExtraError
from yuki_builder.names import path_name
from yuki_builder.records import StageReport
from yuki_builder.version import __version__

_MARK = ".work/remote.json"
_MEDIA = VIDEO_SUFFIXES | AUDIO_SUFFIXES
_FOR_THE_CORPUS = (LINES, SCENES, *EMBEDDINGS_OF_LINES, QUALITY, AUDIO_FINGERPRINTS, MEDIA, SUMMARY)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file of a storage; ``path`` as its file system writes it."""

    system: Any
    path: str

    @classmethod
    def of(cls, address: str) -> Place:
        """The place of an address, or of a local path.

        Raises:
            MissingExtraError: what speaks to this storage is not installed.
            ConfigError: no such storage is known.
        """
        import fsspec

        try:
            system, path = fsspec.core.url_to_fs(address)
        except ImportError as e:
            raise MissingExtraError(f"{address} needs another package ({e})", extra="s3") from e
        except ValueError as e:
            raise ConfigError(f"no storage of this kind is known ({e})", where=address) from e
        # What another run has uploaded meanwhile should be seen.
        system.invalidate_cache()
        return cls(system, path.rstrip("/"))

    def __truediv__(self, name: str) -> Place:
        return Place(self.system, f"{self.path}/{name}")

    def read_json(self) -> Any:
        """What is in a JSON file; None where there is none, or none that can be read."""
        try:
            return json.loads(self.system.cat_file(self.path))
        except (OSError, ValueError):
            return None

    def write(self, text: str) -> None:
        """Write a small file."""
        self.system.makedirs(posixpath.dirname(self.path), exist_ok=True)
        self.system.pipe_file(self.path, text.encode())

    def files(self) -> dict[str, int]:
        """The size of every file below this folder, by its path from here."""
        try:
            found = self.system.find(self.path, detail=True)
        except FileNotFoundError:
            return {}
        return {name[len(self.path) + 1 :]: int(facts["size"]) for name, facts in found.items()}

    def fetch(self, destination: Path) -> None:
        """Copy this file to the local disk."""
        destination.parent.mkdir(parents=True, exist_ok=True)
        self.system.get_file(self.path, str(destination))

    def replace_by(self, folder: Path) -> None:
        """Make this folder the same as a local one: files are written, and what is not there any more goes."""
        names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        gone = self.files().keys() - set(names)
        for name in names:
            target = f"{self.path}/{name}"
            self.system.makedirs(posixpath.dirname(target), exist_ok=True)
            self.system.put_file(str(folder / name), target)
        for name in sorted(gone):
            self.system.rm_file(f"{self.path}/{name}")
        self.system.invalidate_cache()


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """An episode: the address of its video, its id, and its place among all."""

    video: str
    episode_id: str
    number: int
    total: int


def unescaped(address: str) -> str:
    """An address as a person means it: programs write ``%20`` for a space into those of local files."""
    return unquote(address) if address.startswith("file:") else address


def find_addresses(addresses: Sequence[str]) -> list[str]:
    """The videos that addresses of files, folders and patterns amount to, in natural order, each once.

    Raises:
        InputError: nothing is there.
    """
    found: dict[str, None] = {}
    for address in addresses:
        place = Place.of(unescaped(address))
        if "*" in place.path:
            paths = [str(path) for path in place.system.glob(place.path)]
        elif place.system.isfile(place.path):
            paths = [place.path]
        else:
            names = [Path(name) for name in place.files()]
            media = [name for name in names if name.suffix.lower() in VIDEO_SUFFIXES]
            media = media or [n for n in names if n.suffix.lower() in AUDIO_SUFFIXES and len(n.parts) == 1]
            episodes = [name for name in media if not is_extra(name, Path())]
            paths = [f"{place.path}/{name}" for name in episodes or media]
        if not paths:
            raise InputError("there is no video", where=address, remedy="check the address and the credentials")
        base = posixpath.commonpath(paths) if len(paths) > 1 else posixpath.dirname(paths[0])
        ordered = natural(map(Path, paths), Path(base))
        found |= {place.system.unstrip_protocol(str(path)): None for path in ordered}
    return list(found)


def episode_ids(videos: Sequence[str]) -> list[str]:
    """What each video's episode is called; of several with one name, all but the first by show or address. Pure."""
    taken: dict[str, Path | None] = {CORPUS_FOLDER: None}
    ids = []
    for video in videos:
        path = Path(video.partition("://")[2])
        name = seasonal_name(path) or path_name(path.stem)
        if name.casefold() in taken:
            of_show = name_with_show(name, path, taken[name.casefold()])
            is_free = of_show is not None and of_show.casefold() not in taken
            name = str(of_show) if is_free else f"{name}-{hashlib.sha256(video.encode()).hexdigest()[:6]}"
        taken[name.casefold()] = path
        ids.append(name)
    return ids


class RemoteWorker:
    """Works on episodes of a storage in one process.

    Args:
        out: the address of the output folder.
        scratch: a local folder for what is being worked on; nothing is left in it.
        options: of ``EpisodeConfig``, without ``video`` and ``out``.
        device: shared with other processes of this machine, where it is.
    """

    def __init__(
        self, out: str, scratch: Path, options: Mapping[str, Any], *, device: SharedDevice | None = None
    ) -> None:
        self._out, self._scratch, self._options = out, scratch, dict(options)
        self._models: Any = None
        self._device = device

    def __call__(self, job: RemoteJob, listener: Listener) -> EpisodeResult | EpisodeFailure:
        name = posixpath.basename(job.video)

        def failed(error: Exception) -> EpisodeFailure:
            failure = failure_of(Path(name), error)
            return dataclasses.replace(failure, message=failure.message.replace(str(self._scratch), "…"))

        begun = Event(EventKind.BEGUN, name, completed=job.number, total=job.total)
        return attempted(partial(self._work, job, listener), failed, listener, begun)

    def _work(self, job: RemoteJob, listener: Listener) -> EpisodeResult:
        video, target = Place.of(job.video), Place.of(self._out) / job.episode_id
        facts = video.system.info(video.path)
        version = [str(facts.get(key)) for key in ("size", "ETag", "LastModified", "mtime") if facts.get(key)]
        options = {k: str(v) for k, v in sorted(self._options.items()) if k not in ("jobs", "executor", "ray_address")}
        wanted = {
            "video": job.video,
            "video_version": version,
            "options": hash_text(json.dumps(options)),
            "program": __version__,
        }
        mark = target / _MARK
        done = mark.read_json()
        if isinstance(done, dict) and not self._options.get("force") and {**done, **wanted} == done:
            reports = tuple(StageReport.from_dict(report) for report in done.get("reports", ()))
            return EpisodeResult(job.episode_id, Path(job.episode_id), reports)
        folder = self._scratch / job.episode_id
        shutil.rmtree(folder, ignore_errors=True)
        try:
            began = time.monotonic()
            local = self._fetch(video, target, folder, has_been_done=done is not None)
            _tell(listener, job, "fetch", began)
            with contextlib.chdir(folder):  # so that no path of this machine gets into the results
                config = EpisodeConfig(video=local.relative_to(folder), **{**self._options, "out": Path("out")})
                ids = {local.resolve(): job.episode_id}
                session = Session(config.out, videos=[config.video], ids=ids, device=self._device)
                session.models = self._models = self._models or session.models
                result = run_episode(config, progress=listener, session=session)
            began = time.monotonic()
            if done is not None:
                mark.system.rm_file(mark.path)
            target.replace_by(folder / result.folder)
            mark.write(json.dumps({**wanted, "reports": [report.to_dict() for report in result.reports]}))
            _tell(listener, job, "upload", began)
            return dataclasses.replace(result, folder=Path(job.episode_id))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, video: Place, target: Place, folder: Path, *, has_been_done: bool) -> Path:
        """The video and the files of its name beside it (subtitles), and what an earlier run made of it."""
        local = folder / "video" / posixpath.basename(video.path)
        beside = Place(video.system, posixpath.dirname(video.path))
        stem = Path(video.path).stem
        for path in video.system.ls(beside.path, detail=False):
            name = posixpath.basename(str(path))
            if name.startswith(f"{stem}.") and (name == local.name or Path(name).suffix.lower() not in _MEDIA):
                (beside / name).fetch(local.with_name(name))
        if has_been_done:
            for name in target.files():
                (target / name).fetch(folder / "out" / posixpath.basename(target.path) / name)
        return local


def _tell(listener: Listener, job: RemoteJob, stage: str, began: float) -> None:
    report = StageReport(stage, round(time.monotonic() - began, 3), 0, 0, {})
    listener(Event(EventKind.FINISHED, job.episode_id, stage, report=report))


def run_remote_season(
    videos: Sequence[str],
    out: str,
    options: Mapping[str, Any],
    *,
    scratch: Path,
    progress: Listener | None = None,
    executor: Executor | None = None,
) -> SeasonResult:
    """Bring episodes of a storage up to date, then the corpus; see the module's text.

    Args:
        videos: addresses, or local paths.
        out: the address of the output folder.
        options: of ``EpisodeConfig``, without ``video`` and ``out``; their paths are local.
        scratch: a local folder with room for an episode of each job, and for the records of the corpus, which stay
            there: the result reads its lines from them.
        progress: is told what happens.
        executor: works on the episodes; None: as the options say.

    Raises:
        InputError: there is no such video, or the storage cannot be reached.
        ConfigError: an option makes no sense, or none on a storage.
    """
    listener, out = progress or silent, unescaped(out)
    addresses = find_addresses(videos)
    ids = episode_ids(addresses)
    config = EpisodeConfig(video=Path(addresses[0]), **options)
    if config.export:
        raise ConfigError(
            "exports are made on a disk", where="--export", remedy="copy the output folder there, and use export"
        )
    jobs = [RemoteJob(v, name, k, len(addresses)) for k, (v, name) in enumerate(zip(addresses, ids, strict=True))]
    mine = shard_of(jobs, config.shard)
    executor = executor or executor_of(config, len(mine))
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(device_of(executor, config.device))
        make = partial(RemoteWorker, out, scratch, options, device=device)
        pool = stack.enter_context(executor.start(make, listener=listener, lost=_lost))
        results = list(pool.map(mine))
    episodes = tuple(result for result in results if isinstance(result, EpisodeResult))
    failures = tuple(result for result in results if isinstance(result, EpisodeFailure))
    if not episodes or config.shard:
        return SeasonResult(episodes, failures, None)
    folder = scratch / CORPUS_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    _fetch_records(Place.of(out), folder)
    corpus = build_corpus(folder, progress=listener, force=config.force)
    (Place.of(out) / CORPUS_FOLDER).replace_by(corpus.folder)
    return SeasonResult(episodes, failures, corpus)


def _fetch_records(out: Place, folder: Path) -> None:
    """What a corpus is built from, of all marked episodes; of their sound the names alone, for the report's links."""
    for name in sorted({path.partition("/")[0] for path in out.files() if path.endswith(f"/{_MARK}")}):
        source = out / name
        for path in source.files():
            if path in _FOR_THE_CORPUS or path.startswith((f"{GALLERY}/", ".work/done/")):
                (source / path).fetch(folder / name / path)
            elif path in (MIX, VOCALS):
                (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / name / path).touch()
    earlier = out / CORPUS_FOLDER
    for path in earlier.files():
        (earlier / path).fetch(folder / CORPUS_FOLDER / path)


def _lost(job: RemoteJob, why: str) -> EpisodeFailure:
    return EpisodeFailure(Path(job.video), f"{job.video}: {why}", 1)
