"""What the episodes of one run share, and how a configuration becomes an episode with a folder of its own."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.config import BURNED_IN, EpisodeConfig, require_file
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.marks import Renames
from pipelines.engine.sharing import SharedDevice, begin_with_gpu, release_memory
from pipelines.engine.store import Store, refuse_link
from pipelines.episode.context import Episode, is_same_file
from pipelines.episode.naming import former_seasonal_name, name_with_show, seasonal_name
from pipelines.layout import (
    ALIASES_FILE,
    CORPUS_FOLDER,
    CORRECTIONS_FILE,
    LABELS_FILE,
    RENAMED_PATHS,
    RENAMED_STAGES,
    RENAMES_FILE,
    VOCALS,
)
from pipelines.models import Models
from yuki_builder.atomic import write_atomically
from yuki_builder.names import path_name
from yuki_builder.untrusted import read_json

if TYPE_CHECKING:
    from yuki_builder.characters import Aliases, EnrolClip, Enrolment
    from yuki_builder.corpus import LineEdit


_OWNER = ".work/video.json"


class Session:
    """What the episodes of one run share: networks, content hashes, and which folder is whose.

    Args:
        out: the output folder.
        videos: of all episodes of the run.
        ids: the episode of each video, where that is settled already: for one of several processes.
        patience_seconds: how long to wait for an episode's folder: the lock of a machine that was lost may outlive it.
        device: shared with other processes of this machine, where it is.
    """

    def __init__(
        self,
        out: Path,
        *,
        videos: Sequence[Path] = (),
        ids: Mapping[Path, str] | None = None,
        patience_seconds: float = 0,
        device: SharedDevice | None = None,
    ) -> None:
        self.out = out
        self.videos = tuple(videos)
        self.patience_seconds = patience_seconds
        self.models = Models()
        self._device = device
        self.fingerprints = Fingerprints()
        self.fingerprints.load(self._memory)
        self._ids = dict(ids or {})
        self._taken = {name.casefold(): video for video, name in self._ids.items()}
        self._is_one_of_many = ids is not None

    @property
    def _memory(self) -> Path:
        return self.out / ".work" / "hashes.json"

    def device_turn(self) -> AbstractContextManager[None]:
        """This process's turn at the device that others use too; at once where it is this one's alone."""
        return nullcontext() if self._device is None else self._device.turn(release_memory, begin=begin_with_gpu)

    def remember(self) -> None:
        """Keep the content hashes for the next run; of several processes the first one does so."""
        if self._is_one_of_many:
            return
        refuse_link(self._memory.parent)
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        self.fingerprints.save(self._memory)

    def episode_id(self, video: Path) -> str:
        """The name of the video's folder: its stem, or season and number, which belongs to the first that used it.

        Another video of the same name gets that of its show's folder put before it, or else a few letters of its
        content's hash appended. A video that was moved, or changed in place, keeps its folder.
        """
        place = video.resolve()
        if place in self._ids:
            return self._ids[place]
        name = self._owned(video)
        if name is None:
            for name in self._names(video):
                if self._is_free(name, video):
                    break
        assert name is not None
        self._ids[place] = name
        self._taken[name.casefold()] = place
        return name

    def _owned(self, video: Path) -> str | None:
        """The folder that an earlier run made of the video, whatever it would be called today."""
        place = video.resolve()
        names = list(dict.fromkeys([path_name(video.stem), seasonal_name(place), former_seasonal_name(place)]))
        found = [name for name in names if name and self._is_owner(name, video)]
        for name in () if found else filter(None, names):
            found += [
                of_show for of_show in self._folders if of_show.endswith(f" {name}") and self._is_owner(of_show, video)
            ]
            if any(hashed.startswith(f"{name}-") for hashed in self._folders):
                hashed = f"{name}-{self.fingerprints.of(video)[:6]}"
                found += [hashed] if self._is_owner(hashed, video) else []
        return next((name for name in found if self._is_free(name, video)), None)

    @functools.cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(entry.name for entry in self.out.iterdir()) if self.out.is_dir() else frozenset()

    def _is_free(self, name: str, video: Path) -> bool:
        place = video.resolve()
        is_free = name.casefold() != CORPUS_FOLDER and self._taken.get(name.casefold(), place) == place
        return is_free and self._is_owner(name, video) is not False

    def settle(self, video: Path, episode_id: str) -> None:
        """Note which episode a video is, where another process has found it out."""
        place = video.resolve()
        self._ids[place] = episode_id
        self._taken[episode_id.casefold()] = place

    def ids(self, videos: Sequence[Path] | None = None) -> dict[Path, str]:
        """The episode of each video that is there, settled in their order; None: of all videos of the run."""
        there = [video for video in (self.videos if videos is None else videos) if video.is_file()]
        return {video.resolve(): self.episode_id(video) for video in there}

    def _names(self, video: Path) -> Iterator[str]:
        """The names that the video's folder may have, the best first."""
        name = seasonal_name(video.resolve()) or path_name(video.stem)
        yield name
        other = self._taken.get(name.casefold()) or self._owner(name)
        if of_show := name_with_show(name, video.resolve(), other):
            yield of_show
        yield f"{name}-{self.fingerprints.of(video)[:6]}"

    def _owner(self, name: str) -> Path | None:
        """The video that a folder is of, by where it was."""
        try:
            return Path(read_json(self.out / name / _OWNER)["path"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _is_owner(self, name: str, video: Path) -> bool | None:
        """Whether a folder is the video's; None if it is nobody's."""
        try:
            owner = read_json(self.out / name / _OWNER)
            return bool(owner["path"] == str(video.resolve()) or owner["sha256"] == self.fingerprints.of(video))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _separated(self, video: Path) -> Path | None:
        """The folder of an episode whose vocals are there, by its video."""
        if not video.is_file():
            return None
        names = {self._ids.get(video.resolve()), self._owned(video)} - {None}
        folders = [self.out / str(name) for name in names if self._is_owner(str(name), video)]
        return next((f for f in folders if Store(f).mark("speech") and (f / VOCALS).is_file()), None)

    def own(self, episode: Episode) -> None:
        """Note in the episode's folder whose it is. The caller holds its lock."""
        owner = {"path": str(episode.video.resolve()), "sha256": self.fingerprints.of(episode.video)}
        path = episode.store.folder / _OWNER
        if _owner_in(path) != owner:
            write_atomically(path, json.dumps(owner))

    def open(self, config: EpisodeConfig, *, notice: Callable[[str, str], None] = lambda *_: None) -> Episode:
        """The episode that a configuration asks for; nothing is written, and nothing of the long work begins.

        Raises:
            InputError: the video, the subtitle file or the characters are not there or make no sense.
        """
        from yuki_builder.subtitles import find_names_sidecar, find_sidecar

        require_file(config.video, what="video")
        episode_id = self.episode_id(config.video)
        subtitle_file = names_file = None
        if config.subtitles == "auto":
            subtitle_file = None if config.subtitle_track else find_sidecar(config.video, language=config.language)
            names_file = None if subtitle_file is None else find_names_sidecar(config.video, subtitle_file)
        elif config.subtitles not in ("none", BURNED_IN):
            subtitle_file = require_file(Path(config.subtitles), what="subtitle file")
        brought = ((config.words, "file of words"), (config.vocals, "file of vocals"), (config.turns, "RTTM file"))
        for path, what in brought:
            if path is not None:
                require_file(path, what=what)
        enrolment, galleries = self._enrolment(config)
        labelled = {clip.audio for clip in enrolment.clips if clip.span}
        others = [video for video in labelled if not is_same_file(video, config.video)]
        return Episode(
            episode_id=episode_id,
            config=config,
            store=Store(
                self.out / episode_id,
                notice=lambda message: notice(episode_id, message),
                renames=Renames(RENAMED_STAGES, RENAMED_PATHS),
            ),
            models=self.models,
            subtitle_file=subtitle_file,
            names_file=names_file,
            enrolment=enrolment,
            galleries=galleries,
            aliases=self._aliases(config),
            edits=self._edits(episode_id),
            separated={video: folder for video in others if (folder := self._separated(video))},
            fingerprints=self.fingerprints,
        )

    def _aliases(self, config: EpisodeConfig) -> Aliases:
        from yuki_builder.characters import Aliases, read_aliases

        usual, renames = self.out / ALIASES_FILE, self.out / RENAMES_FILE
        path = config.aliases or (usual if usual.is_file() else None)
        aliases = Aliases() if path is None else read_aliases(require_file(path, what="file of aliases"))
        return aliases.then(read_aliases(renames)) if renames.is_file() else aliases

    def _edits(self, episode_id: str) -> Mapping[str, LineEdit]:
        """What a person corrected in this episode's lines, by line id."""
        path = self.out / CORRECTIONS_FILE
        if not path.is_file():
            return {}
        from yuki_builder.corpus import read_edits

        return {key: edit for key, edit in read_edits(path).items() if edit.episode_id == episode_id}

    def _enrolment(self, config: EpisodeConfig) -> tuple[Enrolment, tuple[Path, ...]]:
        from yuki_builder.characters import read_enrolment

        videos = self.videos or (config.video,)
        for path in config.labels:
            require_file(path, what="table of labels")
        usual = self.out / LABELS_FILE
        paths = [*config.characters, *config.labels]
        if usual.is_file() and not any(is_same_file(path, usual) for path in paths):
            paths.append(usual)  # what a review decided stays decided
        return joined(
            [
                read_enrolment(
                    path,
                    videos=videos,
                    video_of=lambda name: self._video_of(name, videos),
                    may_be_empty=path == usual,
                )
                for path in paths
            ]
        )

    def _video_of(self, episode_id: str, videos: Sequence[Path]) -> Path | None:
        """The video of an episode: one in work, or that of an earlier run into this folder if it is still there."""
        there = [video for video in videos if video.is_file()]
        for video in there:
            if self.episode_id(video) == episode_id:
                return video
        for video in there:  # a table that came from another output folder
            if episode_id in (path_name(video.stem), *self._names(video)):
                return video
        if path_name(episode_id) != episode_id:
            return None
        try:
            earlier = Path(read_json(self.out / episode_id / _OWNER)["path"])
            return earlier if earlier.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _owner_in(path: Path) -> object:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None  # nobody's yet, or damaged: it is written anew


def joined(sources: Sequence[Enrolment]) -> tuple[Enrolment, tuple[Path, ...]]:
    """What several sources know, as one: the galleries apart. Pure.

    A clip whose key an earlier source has too gets the source's number behind it, so that none is lost.
    """
    from yuki_builder.characters import Enrolment

    clips: dict[str, EnrolClip] = {}
    for number, source in enumerate(sources, 1):
        for clip in source.clips:
            key = f"{clip.key}#{number}" if clip.key in clips else clip.key
            clips[key] = dataclasses.replace(clip, key=key)
    skipped = sum((Counter(source.skipped) for source in sources), Counter())
    labels = tuple(label for source in sources for label in source.labels)
    galleries = tuple(source.gallery for source in sources if source.gallery)
    return Enrolment(clips=tuple(clips.values()), labels=labels, skipped=dict(skipped)), galleries
