"""What the stages of one episode share."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.config import EpisodeConfig
from pipelines.engine.fingerprints import Fingerprints
from pipelines.engine.store import Store
from pipelines.layout import MEDIA
from pipelines.models import (
    Models,
    chosen_transcriber,
    diarizer_fingerprint,
    embedder_fingerprint,
    has_transcriber,
    transcriber_fingerprint,
)
from yuki_builder.errors import MissingExtraError, YukiError

if TYPE_CHECKING:
    from video_preprocessing.speech import Diarizer, SpeakerEmbedder
    from video_preprocessing.transcription import Transcriber
    from video_preprocessing.uvr5.separator import Separator
    from yuki_builder.characters import Aliases, EnrolClip, Enrolment, ManualLabel
    from yuki_builder.corpus import LineEdit
    from yuki_builder.records import MediaInfo


@dataclass(frozen=True)
class Episode:
    """What the stages of one episode share.

    Attributes:
        episode_id: the name of its folder, and the start of its line ids.
        config: the user's options.
        store: what is done of it.
        models: the networks, loaded when first needed.
        subtitle_file: the file given, or the one found beside the video; None: there may be a track inside it.
        names_file: subtitles for the hard of hearing beside the plain ones: they name speakers.
        enrolment: whom ``config.characters`` and ``config.labels`` know by clips and tables.
        galleries: folders with voices that are known beforehand.
        aliases: which names are one character.
        edits: what a person corrected in lines, by line id.
        fingerprints: what files hold, as far as this run knows.
        separated: folders, by video, of other episodes whose vocals are there to enrol from.
    """

    episode_id: str
    config: EpisodeConfig
    store: Store
    models: Models
    subtitle_file: Path | None
    names_file: Path | None
    enrolment: Enrolment
    galleries: tuple[Path, ...]
    aliases: Aliases
    separated: Mapping[Path, Path]
    edits: Mapping[str, LineEdit] = field(default_factory=dict)
    fingerprints: Fingerprints = field(default_factory=Fingerprints)

    @property
    def video(self) -> Path:
        return self.config.video

    @property
    def own_labels(self) -> tuple[ManualLabel, ...]:
        """What a person said about lines of this very video."""
        own = {video for video in {label.video for label in self.enrolment.labels} if self.is_own(video)}
        return tuple(label for label in self.enrolment.labels if label.video in own)

    @property
    def clips_to_enrol(self) -> tuple[EnrolClip, ...]:
        """The clips of the enrolment, without labelled lines of this episode: those enrol their voice by themselves."""
        clips = self.enrolment.clips
        own = {audio for audio in {clip.audio for clip in clips if clip.line_id} if self.is_own(audio)}
        return tuple(clip for clip in clips if not (clip.line_id and clip.audio in own))

    def is_own(self, media: Path) -> bool:
        """Whether ``media`` is this episode's video."""
        return is_same_file(media, self.video)

    def separator(self) -> Separator | None:
        name = self.config.separator
        if name == "none":
            return None
        return self.models.separator(name, self.config.device, self.config.band_plan, **self.separator_options())

    def separator_options(self) -> dict[str, Any]:
        """The options of the separation that shape its result, as ``uvr5.separator.Options`` names them."""
        c = self.config
        return {
            "window_frames": c.window_frames,
            "crossfade": c.crossfade,
            "aggressiveness": c.aggressiveness,
            "test_time_augmentation": c.tta,
            "post_process": c.post_process,
            "high_end": c.high_end,
            "precision": c.precision,
        }

    def embedder(self) -> SpeakerEmbedder:
        return self.models.embedder(self.config.embedder, self.config.device)

    def embedder_fingerprint(self) -> str:
        """Changes whenever the embedder could give other vectors; loads nothing."""
        return embedder_fingerprint(self.config.embedder)

    def diarizer_fingerprint(self) -> str:
        """Changes whenever the diarizer could find other turns; loads nothing."""
        return diarizer_fingerprint(self.config.diarizer, self.config.embedder)

    def diarizer(self) -> Diarizer:
        return self.models.diarizer(self.config.diarizer, self.config.embedder, self.config.device)

    @property
    def spoken_language(self) -> str | None:
        """The code of the language that is spoken, where the user says so."""
        from video_preprocessing.media import normal_language

        language = normal_language(self.config.language)
        return None if language is None else language.split("-")[0]

    @property
    def transcriber_name(self) -> str:
        """The transcriber's name, whatever stands for ``auto``; ``none``; or ``not installed``."""
        if self.config.transcriber == "auto" and not has_transcriber():
            return "not installed"
        return chosen_transcriber(
            self.config.transcriber,
            language=self.spoken_language or self._tagged_language(),
            device=self.config.device,
        )

    def _tagged_language(self) -> str | None:
        """What the file says of its audio, if there is one track, or its name was asked for."""
        from video_preprocessing.media import choose_audio_track

        info = self.media()
        return choose_audio_track(info, self.config.audio_track).language if info and info.audio else None

    def media(self) -> MediaInfo | None:
        """What is in the video, also before the stage that keeps it; None where it cannot be read, as that stage says.

        What was kept of this very file is read without loading what looks into it.
        """
        from pipelines.episode.records import read_media

        mark, kept = self.store.mark("probe"), self.store.folder / MEDIA
        try:
            status = self.video.stat()
            if mark and kept.is_file() and self.fingerprints.of(self.video) in mark.recipe.inputs.values():
                return read_media(kept, self.video)
        except (OSError, YukiError):
            return None
        return _looked_up(os.fspath(self.video), status.st_mtime_ns, status.st_size)

    def transcriber_place(self) -> str:
        """Where the transcriber's model is; loads and fetches nothing."""
        name = self.transcriber_name
        if Path(name).is_dir():
            return "a folder"
        return "to be downloaded" if "@not here" in transcriber_fingerprint(name) else "on this machine"

    def transcriber_fingerprint(self) -> str:
        """Changes whenever the transcriber could hear other words; loads nothing."""
        name = self.transcriber_name
        return name if name in ("none", "not installed") else transcriber_fingerprint(name)

    def transcriber(self) -> Transcriber | None:
        """The transcriber; None where none is wanted.

        Raises:
            YukiError: it is not installed, not available, or does not know the language.
        """
        name = self.transcriber_name
        if name == "none":
            return None
        if name == "not installed":
            raise MissingExtraError("speech is transcribed by faster-whisper, which is not installed", extra="asr")
        transcriber = self.models.transcriber(name, self.config.device)
        if self.spoken_language is not None:
            transcriber.check_language(self.spoken_language)
        return transcriber


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths are one file, which is there."""
    return one.exists() and one.samefile(other)


@functools.lru_cache(maxsize=64)
def _looked_up(video: str, changed_ns: int, size_bytes: int) -> MediaInfo | None:
    from video_preprocessing.media import probe

    try:
        return probe(Path(video))
    except YukiError:
        return None
