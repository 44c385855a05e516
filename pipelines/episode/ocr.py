"""Text in pictures: bitmap subtitle tracks and files, and subtitles that are part of the video's picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.config import BURNED_IN
from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_media, write_records
from pipelines.layout import MEDIA, PICTURE_TEXTS
from yuki_builder.errors import MediaError, SubtitleError
from yuki_builder.records import Cue, MediaInfo, PictureText, SubtitleTrack, VideoPicture

if TYPE_CHECKING:
    from video_preprocessing.ocr import TextReader


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which pictures are read: those of a ``file``, of a ``track`` of the video, or else the video's own."""

    file: Path | None = None
    track: SubtitleTrack | None = None

    @property
    def is_burned_in(self) -> bool:
        return self.file is None and self.track is None

    def describe(self) -> str:
        """In words, for messages."""
        from video_preprocessing.media import describe

        if self.file is not None:
            return self.file.name
        return "the picture (burned-in)" if self.track is None else f"track {describe(self.track)}"


def pictures_to_read(episode: Episode) -> Pictures | None:
    """The pictures that the subtitles are taken from; None where a text is there, or nothing that can be read here."""
    found = _choose(episode)
    if found is None or found.is_burned_in or is_asked_for(episode):
        return found
    from video_preprocessing.ocr import is_installed

    return found if is_installed() else None


def unread_pictures(episode: Episode) -> Pictures | None:
    """The pictures that would be read if the extra were installed."""
    return _choose(episode) if pictures_to_read(episode) is None else None


def tell(episode: Episode) -> str:
    """What would be read, for a plan."""
    pictures = pictures_to_read(episode)
    if pictures is None:
        unread = unread_pictures(episode)
        return ocr_remedy(unread) if unread else "nothing to do"
    return f"reads {pictures.describe()}"


def ocr_remedy(pictures: Pictures) -> str:
    """What to do about pictures that only lack the extra."""
    return f"to read {pictures.describe()} by OCR: pip install 'yuki-builder[ocr]'"


def other_half(file: Path) -> Path | None:
    """The second file of VobSub subtitles, where it is there."""
    from video_preprocessing.media import find_bitmap_file

    try:
        found = find_bitmap_file(file)
    except SubtitleError:
        return None
    halves = (found, *(found.with_suffix(suffix) for suffix in (".sub", ".SUB")))
    return next((half for half in halves if half != file and half.is_file()), None)


def check(episode: Episode) -> None:
    """Refuse what cannot be read here.

    Raises:
        MissingExtraError: the extra is not installed.
        SubtitleError: the network does not know the letters of the track's language, or half of VobSub is missing.
        MediaError: there is no picture for burned-in subtitles.
    """
    from video_preprocessing.media import find_bitmap_file
    from video_preprocessing.ocr import can_read, require_ocr

    pictures = pictures_to_read(episode)
    if pictures is None:
        return
    require_ocr(f"{pictures.describe()} is read by OCR")
    if pictures.file is not None:
        find_bitmap_file(pictures.file)
    language = _language(episode, pictures)
    if not can_read(language):
        raise SubtitleError(
            f"the letters of its language ({language}) are not among those that the OCR network knows",
            where=f"{episode.video}, {pictures.describe()}",
            remedy="read it with another OCR program, and pass the result with --subtitles FILE",
        )
    info = episode.media()
    if pictures.is_burned_in and info is not None and not info.has_video:
        raise MediaError("holds no picture to read subtitles from", where=episode.video, remedy="give a video")


def read_pictures(episode: Episode, job: Job) -> Counts:
    """What the pictures say, when and where, with the parts that are no subtitles and why."""
    from video_preprocessing.ocr import TextReader

    check(episode)
    pictures = pictures_to_read(episode)
    assert pictures is not None
    info = read_media(job.input(MEDIA), episode.video)
    reader = TextReader()
    try:
        texts, notes = _read(episode, info, pictures, reader, job)
    except (SubtitleError, MediaError) as e:
        if is_asked_for(episode):
            raise
        texts, notes = [], (f"{pictures.describe()}: {e.what}",)  # the run is worth something without
    write_records(texts, job.output(PICTURE_TEXTS))
    kept = [text for text in texts if text.left_out is None]
    if kept:
        sure = sum(text.confidence for text in kept) / len(kept)
        notes = (f"read {pictures.describe()} by OCR: {len(kept)} texts, {100 * sure:.0f} % sure on average", *notes)
    return Counts(len(kept), Counter(text.left_out for text in texts if text.left_out is not None), notes)


def _read(
    episode: Episode, info: MediaInfo, pictures: Pictures, reader: TextReader, job: Job
) -> tuple[list[PictureText], tuple[str, ...]]:
    from video_preprocessing.media import (
        find_bitmap_file,
        look_at_bitmaps,
        read_subtitle_pictures,
        read_video_pictures,
    )
    from video_preprocessing.ocr import read_bitmaps, read_burned_in

    if pictures.is_burned_in:
        language = _language(episode, pictures)

        def pictures_from(from_ms: int) -> Iterator[VideoPicture]:
            if from_ms:
                job.notice(f"resumed at {from_ms / 60_000:.1f} min")
            return read_video_pictures(info, from_ms=from_ms, progress=job.progress)

        return read_burned_in(pictures_from, reader, language=language, unfinished=job.unfinished), ()
    track = pictures.track
    source = info if pictures.file is None else find_bitmap_file(pictures.file)
    where = pictures.file or f"{episode.video}, {pictures.describe()}"
    path = info.path if isinstance(source, MediaInfo) else source
    seen = look_at_bitmaps(path, track.index if track else 0)
    if not seen.pictures:
        what = f"{seen.damaged} damaged packets" if seen.damaged else "nothing"
        raise SubtitleError(f"no picture can be decoded ({what} in it)", where=where, remedy="choose other subtitles")
    found = read_subtitle_pictures(source, track, seen, job.scratch)
    language = _language(episode, pictures)
    texts = read_bitmaps(found, reader, language=language, progress=job.progress)
    damaged = (f"{seen.damaged} damaged packets of {pictures.describe()} were skipped",) if seen.damaged else ()
    return texts, damaged


def _choose(episode: Episode) -> Pictures | None:
    from video_preprocessing.media import bitmap_kind, choose_bitmap_track
    from video_preprocessing.ocr import can_read

    config = episode.config
    if config.subtitles == BURNED_IN:
        return Pictures()
    if episode.subtitle_file is not None:
        return Pictures(file=episode.subtitle_file) if bitmap_kind(episode.subtitle_file) else None
    info = episode.media() if config.subtitles == "auto" else None
    if info is None:
        return None
    track = choose_bitmap_track(info, config.subtitle_track, language=config.language, can_read=can_read)
    return None if track is None else Pictures(track=track)


def count_unread(episode: Episode) -> int:
    """How many pictures of subtitles gave no text, once they have been read."""
    from video_preprocessing.ocr import NO_TEXT

    mark = episode.store.mark("ocr")
    return 0 if mark is None else mark.report.dropped.get(NO_TEXT, 0)


def unread_cues(texts: Sequence[PictureText]) -> list[Cue]:
    """Cues without text in place of the pictures that gave none: somebody speaks while they are shown. Pure."""
    from video_preprocessing.ocr import NO_TEXT

    return [
        Cue(f"unread-{k}", len(texts) + k, text.start_ms, text.end_ms, text="", raw_text="")
        for k, text in enumerate(texts)
        if text.left_out == NO_TEXT and text.end_ms > text.start_ms
    ]


def is_asked_for(episode: Episode) -> bool:
    """Whether the user asked for these pictures, rather than for whatever is there."""
    config = episode.config
    return episode.subtitle_file is not None or config.subtitle_track is not None or config.subtitles == BURNED_IN


def _language(episode: Episode, pictures: Pictures) -> str | None:
    from video_preprocessing.media import normal_language

    own = pictures.track.language if pictures.track else None
    return own or normal_language(episode.config.language)
