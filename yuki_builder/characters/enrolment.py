"""Whom the user already knows: ``--characters`` as a gallery, folders of clips, or annotated tables.

Sources are read here and nowhere else; whatever cannot be used is counted with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from yuki_builder.characters.annotations import AnnotatedRow, read_map, read_rows, read_table
from yuki_builder.characters.files import GALLERY_FILE
from yuki_builder.errors import GalleryError
from yuki_builder.names import path_name
from yuki_builder.records import Span

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"})
_ACCEPTED = (
    "give a gallery folder, a folder <character>/*.wav, an annotated CSV (人物,人物台词,开始时间,结束时间) "
    "or an annotation map (标注文件,视频文件)"
)

VideoOf: TypeAlias = Callable[[str], Path | None]
_Skipped: TypeAlias = "Counter[str]"


@dataclass(frozen=True, slots=True)
class EnrolClip:
    """Audio in which one known character speaks.

    Attributes:
        key: unique within an enrolment, stable between runs.
        character: the name as its author wrote it; never a path.
        audio: an audio or video file.
        span: the part of it (on the video's clock), or None for the whole file.
        line_id: the line that it is, where its source names one.
    """

    key: str
    character: str
    audio: Path
    span: Span | None = None
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class ManualLabel:
    """What a person said about one stretch of a video; about one line, where ``line_id`` names it."""

    video: Path
    span: Span
    character: str
    text: str
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """All that ``--characters`` holds.

    Attributes:
        clips: to embed and build a gallery from.
        labels: the same knowledge about lines of a video, where the source was a table.
        gallery: a folder to open with ``Gallery.load``, where the source was a gallery.
        skipped: how many rows and files were left out, by reason.
    """

    clips: tuple[EnrolClip, ...] = ()
    labels: tuple[ManualLabel, ...] = ()
    gallery: Path | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)


def read_enrolment(
    path: Path, *, videos: Sequence[Path], video_of: VideoOf | None = None, may_be_empty: bool = False
) -> Enrolment:
    """What is known of the characters.

    Args:
        path: a gallery folder of this project, a folder of audio by character (``<character>/*.wav`` or
            ``voice/<character>/*.wav``), an annotated CSV, or an annotation map that pairs such CSVs with videos.
        videos: the videos in work. A CSV whose rows name their episode (``episode_id``) belongs to those
            episodes, and no row of it to another; a plain one to the only video, or to the one whose stem the
            CSV's name starts with.
        video_of: the video of an episode by its id, or None where nobody knows it; without it, the video in work
            that has this stem.
        may_be_empty: whether a source without anything usable is no mistake.

    Raises:
        GalleryError: nothing there, nothing of this kind, or nothing usable in it.
    """
    path = Path(path)
    if path.name == GALLERY_FILE and path.is_file():
        path = path.parent
    if path.is_dir():
        enrolment = Enrolment(gallery=path) if (path / GALLERY_FILE).is_file() else _read_clip_folder(path)
    elif path.is_file():
        enrolment = _read_tables(path, videos, video_of or _by_stem(videos))
    else:
        raise GalleryError("no such file or folder", where=path, remedy=_ACCEPTED)
    if not (enrolment.clips or enrolment.gallery or may_be_empty):
        reasons = "; ".join(f"{count} × {reason}" for reason, count in sorted(enrolment.skipped.items()))
        raise GalleryError(
            f"no usable clip of any character ({reasons or 'it is empty'})", where=path, remedy=_ACCEPTED
        )
    return enrolment


# --- folders of clips -------------------------------------------------------------------------------------


def _read_clip_folder(root: Path) -> Enrolment:
    """Clips by character. A clip's file name may hold a text; it is never read back from there."""
    skipped: _Skipped = Counter()
    if any(_is_audio(f) for folder in _folders(root / "voice") for f in folder.iterdir()):
        root = root / "voice"
    clips = []
    for folder in _folders(root):
        for file in sorted(folder.iterdir()):
            reason = _unusable(file)
            if reason:
                skipped[reason] += 1
            else:
                clips.append(EnrolClip(key=f"{folder.name}/{file.name}", character=folder.name, audio=file))
    outside = sum(_is_audio(f) for f in root.iterdir())
    if outside:
        skipped["audio file outside a character's folder"] += outside
    return Enrolment(clips=tuple(clips), skipped=dict(skipped))


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _is_audio(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith(".")


def _unusable(file: Path) -> str | None:
    if file.is_dir():
        return "folder inside a character's folder"
    if not _is_audio(file):
        return "not an audio file"
    if file.stat().st_size == 0:
        return "empty file"
    return None


# --- annotated tables -------------------------------------------------------------------------------------


def _read_tables(path: Path, videos: Sequence[Path], video_of: VideoOf) -> Enrolment:
    table = read_table(path)
    skipped: _Skipped = Counter()
    pairs = read_map(table)
    if pairs is None:
        rows = read_rows(table, skipped)
        return _enrol(_give_videos(path, rows, videos, video_of, skipped), skipped)
    labels = []
    for annotation_name, video_name in pairs:
        annotation, video = _beside(path, annotation_name), _beside(path, video_name)
        if not annotation.is_file():
            skipped["annotation file of the map not found"] += 1
        elif not video.is_file():
            skipped["video file of the map not found"] += 1
        else:
            try:
                rows = read_rows(read_table(annotation), skipped)
            except GalleryError:
                skipped["annotation file of the map not readable as a table"] += 1
                continue
            video = next((v for v in videos if v.exists() and v.samefile(video)), video)
            labels += [(annotation, video, row) for row in rows]
    return _enrol(labels, skipped)


def _enrol(labels: Sequence[tuple[Path, Path, AnnotatedRow]], skipped: _Skipped) -> Enrolment:
    clips, manual, keys = [], [], Counter[str]()
    for annotation, video, row in labels:
        # A row that names its line keeps its key when others come before it.
        key = f"{annotation.name}:{row.line_id or row.number}"
        keys[key] += 1
        if keys[key] > 1:  # tables of the same name in several folders
            key = f"{key}~{keys[key]}"
        clips.append(EnrolClip(key=key, character=row.character, audio=video, span=row.span, line_id=row.line_id))
        manual.append(ManualLabel(video, row.span, row.character, row.text, row.line_id))
    return Enrolment(clips=tuple(clips), labels=tuple(manual), skipped=dict(skipped))


def _beside(map_file: Path, name: str) -> Path:
    """A path as the map gives it, relative to the map; maps written on Windows have backslashes."""
    path = map_file.parent / name
    return path if path.exists() else map_file.parent / name.replace("\\", "/")


def _by_stem(videos: Sequence[Path]) -> VideoOf:
    return {name: video for video in videos for name in (path_name(video.stem), video.stem)}.get


def _give_videos(
    annotation: Path, rows: Sequence[AnnotatedRow], videos: Sequence[Path], video_of: VideoOf, skipped: _Skipped
) -> list[tuple[Path, Path, AnnotatedRow]]:
    """Each row with the video it speaks of."""
    ids = {row.episode_id for row in rows if row.episode_id}
    if ids:
        # What a table says of one episode is never said of another, however few videos are in work: a right name
        # at the right second of the wrong episode would be taken as a person's own word.
        known = {name: video_of(name) for name in ids}
        given = []
        for row in rows:
            if not row.episode_id:
                skipped["row without an episode, in a table that names episodes"] += 1
            elif video := known[row.episode_id]:
                given.append((annotation, video, row))
            else:
                skipped["row of an episode that is neither in work nor in the output folder"] += 1
        return given
    if len(videos) == 1:
        return [(annotation, videos[0], row) for row in rows]
    video = match_video(annotation.stem, videos)
    if video is None:
        raise GalleryError(
            f"it is unclear which of {len(videos)} videos this table belongs to",
            where=annotation,
            remedy="start its name with the video's, or give a map: a CSV with the header 标注文件,视频文件 "
            "and one pair of annotation file and video file per row",
        )
    return [(annotation, video, row) for row in rows]


def match_video(stem: str, videos: Sequence[Path]) -> Path | None:
    """The one video whose stem a table's name starts with: the longest wins, ``ep1`` does not own ``ep10``."""

    def owns(video: Path) -> bool:
        rest = stem[len(video.stem) :]
        return stem.startswith(video.stem) and not (video.stem[-1:].isdigit() and rest[:1].isdigit())

    owners = [video for video in videos if owns(video)]
    longest = max((len(video.stem) for video in owners), default=0)
    owners = [video for video in owners if len(video.stem) == longest]
    return owners[0] if len(owners) == 1 else None
