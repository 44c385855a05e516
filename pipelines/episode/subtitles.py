"""The cues of the subtitle file, or of a track inside the video."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.ocr import Pictures, is_asked_for, ocr_remedy, pictures_to_read, unread_pictures
from pipelines.episode.records import read_media, read_records, write_records
from pipelines.layout import CUES_READ, MEDIA, PICTURE_TEXTS, TRACK
from yuki_builder.errors import MediaError, SubtitleError
from yuki_builder.records import Cue, CueOrigin, MediaInfo, PictureText, SubtitleTrack

if TYPE_CHECKING:
    from yuki_builder.subtitles import CueSheet


_TRACKS_SHOWN = 3


def read_subtitles(episode: Episode, job: Job) -> Counts:
    """The cues of the subtitle file, else of the best text track, those left out included."""
    from video_preprocessing.media import choose_subtitle_track
    from yuki_builder.subtitles import language_of_name, read_cues

    info, config = read_media(job.input(MEDIA), episode.video), episode.config
    pictures = pictures_to_read(episode)
    texts = read_records(job.input(PICTURE_TEXTS), PictureText) if pictures else []
    if pictures and (texts or is_asked_for(episode)):
        return _read_pictures(episode, info, pictures, texts, job)
    if episode.subtitle_file is not None:
        language = _language(episode)
        sheet = read_cues(
            episode.subtitle_file, frame_rate_hz=info.frame_rate_hz, language=language, encoding=config.encoding
        )
        sheet, notes = _with_names_of_file(episode, sheet)
        notes = (*notes, *_language_notes(info, episode, language_of_name(episode.subtitle_file.name) or language))
        return _keep_cues(episode, sheet, episode.subtitle_file.name, CueOrigin.FILE, job, notes=notes)
    track = None
    if config.subtitles == "auto":
        track = choose_subtitle_track(info, config.subtitle_track, language=config.language)
    if track is None:
        write_records([], job.output(CUES_READ))
        return Counts(notes=(_why_no_subtitles(episode, info),))
    return _read_fullest_track(episode, info, track, job)


def _read_pictures(
    episode: Episode, info: MediaInfo, pictures: Pictures, texts: Sequence[PictureText], job: Job
) -> Counts:
    """What the stage before read from pictures, as cues."""
    from video_preprocessing.media import describe, why_not
    from yuki_builder.subtitles import read_picture_texts

    sheet = read_picture_texts(texts, language=_language(episode))
    more, own = "", None
    if pictures.track is not None:
        own = pictures.track.language
        others = [t for t in info.subtitles if t is not pictures.track and t.position != pictures.track.position]
        told = [f"{describe(t)} ({_why_no_text(t, episode) or why_not(t, pictures.track)})" for t in others]
        rest = f" and {len(told) - _TRACKS_SHOWN} more" if len(told) > _TRACKS_SHOWN else ""
        more = f"; not {', '.join(told[:_TRACKS_SHOWN])}{rest}" if told else ""
    notes = _language_notes(info, episode, own or _language(episode))
    return _keep_cues(episode, sheet, pictures.describe(), CueOrigin.OCR, job, more=more, notes=notes)


def _why_no_text(track: SubtitleTrack, episode: Episode) -> str | None:
    """Why a text track was not taken in place of a bitmap track, where its kind does not say so."""
    language = episode.config.language
    return f"not {language}" if track.is_text and language and track.language not in (None, language) else None


def _read_fullest_track(episode: Episode, info: MediaInfo, track: SubtitleTrack, job: Job) -> Counts:
    """The chosen track's cues; those of its twin, if the chosen one turns out to hold a fraction of its lines."""
    from video_preprocessing.media import describe, rival_tracks, why_not

    chosen, sheet = track, _read_track(episode, info, track, job)
    for rival in rival_tracks(info, track, episode.config.subtitle_track):
        with suppress(SubtitleError, MediaError):
            other = _read_track(episode, info, rival, job)
            if len(other.spoken) > 2 * len(sheet.spoken):
                chosen, sheet = rival, other
    reasons = {t.position: why_not(t, chosen) for t in info.subtitles if t is not chosen}
    if chosen is not track:
        reasons[track.position] = "holds far fewer lines"
    others = [f"{describe(t)} ({reasons[t.position]})" for t in info.subtitles if t.position in reasons]
    more = f" and {len(others) - _TRACKS_SHOWN} more" if len(others) > _TRACKS_SHOWN else ""
    instead = f"; not {', '.join(others[:_TRACKS_SHOWN])}{more}" if others else ""
    sheet, notes = _with_names_of_track(episode, info, chosen, sheet, job)
    notes = (*notes, *_language_notes(info, episode, chosen.language))
    if unread := unread_pictures(episode):
        notes = (*notes, ocr_remedy(unread))
    source = f"track {describe(chosen)}"
    return _keep_cues(episode, sheet, source, CueOrigin.TRACK, job, more=instead, notes=notes)


def _with_names_of_file(episode: Episode, sheet: CueSheet) -> tuple[CueSheet, tuple[str, ...]]:
    """The cues with the names that the file for the hard of hearing gives them, and what to say of it."""
    from yuki_builder.subtitles import read_cues

    file = episode.names_file
    if file is None:
        return sheet, ()
    try:
        rich = read_cues(file, language=_language(episode), encoding=episode.config.encoding)
    except SubtitleError as e:
        return sheet, (f"no names from {file.name}: {e.what}",)
    return _with_names(sheet, rich, file.name)


def _with_names_of_track(
    episode: Episode, info: MediaInfo, chosen: SubtitleTrack, sheet: CueSheet, job: Job
) -> tuple[CueSheet, tuple[str, ...]]:
    from video_preprocessing.media import describe, hearing_impaired_track

    track = None if episode.config.subtitle_track else hearing_impaired_track(info, chosen)
    if track is None:
        return sheet, ()
    try:
        rich = _read_track(episode, info, track, job)
    except (SubtitleError, MediaError) as e:
        return sheet, (f"no names from track {track.position}: {e.what}",)
    return _with_names(sheet, rich, f"track {describe(track)}")


def _with_names(sheet: CueSheet, rich: CueSheet, source: str) -> tuple[CueSheet, tuple[str, ...]]:
    from yuki_builder.subtitles import take_names

    named = take_names(sheet.cues, rich.cues)
    if named is None:
        return sheet, (f"no names from {source}: it names nobody new, or does not agree in time",)
    return dataclasses.replace(sheet, cues=named.cues), (f"names of {named.count} lines from {source}",)


def _language_notes(info: MediaInfo, episode: Episode, subtitles: str | None) -> tuple[str, ...]:
    """What to say where people speak another language than the subtitles are in."""
    from video_preprocessing.media import choose_audio_track, normal_language, speaks

    try:
        audio = choose_audio_track(info, episode.config.audio_track, language=episode.config.language).language
    except MediaError:
        return ()
    if audio is None or normal_language(subtitles) is None or speaks(subtitles, audio.split("-")[0]):
        return ()
    return (f"the audio is {audio}, the subtitles are {normal_language(subtitles)}: the lines are a translation",)


def _read_track(episode: Episode, info: MediaInfo, track: SubtitleTrack, job: Job) -> CueSheet:
    from video_preprocessing.media import extract_subtitles
    from yuki_builder.subtitles import read_cues

    try:
        file = extract_subtitles(info, track, job.output(f"{TRACK}{track.position}"))
        return read_cues(file, language=_language(episode))
    except SubtitleError as e:
        remedy = "choose another with --subtitle-track, or a file with --subtitles FILE"
        where = f"{episode.video}, subtitle track {track.position}"
        raise SubtitleError(e.what, where=where, remedy=remedy) from e


def _language(episode: Episode) -> str | None:
    """The code (``zh``) of the language to read, without script or region."""
    from video_preprocessing.media import normal_language

    language = normal_language(episode.config.language)
    return None if language is None else language.split("-")[0]


def _keep_cues(
    episode: Episode,
    sheet: CueSheet,
    source: str,
    origin: CueOrigin,
    job: Job,
    *,
    more: str = "",
    notes: Sequence[str] = (),
) -> Counts:
    from yuki_builder.subtitles import convert_chinese

    cues: Sequence[Cue] = sheet.cues
    if episode.config.chinese != "keep":
        cues = convert_chinese(cues, episode.config.chinese)
    write_records([dataclasses.replace(cue, origin=origin) for cue in cues], job.output(CUES_READ))
    how = "OCR" if origin is CueOrigin.OCR else f"{sheet.format}, {sheet.encoding}"
    told = [f"subtitles: {source} ({how}){more}", *notes, *sheet.conventions.describe()]
    if sheet.replaced:
        told.append(f"{sheet.replaced} damaged characters in {source} became U+FFFD")
    return Counts(len(sheet.spoken), sheet.left_out_by_reason, tuple(told))


def _why_no_subtitles(episode: Episode, info: MediaInfo) -> str:
    if episode.config.subtitles == "none":
        return "subtitles are switched off"
    from yuki_builder.subtitles import unfit_names

    pictures = ", ".join(f"{t.position} ({t.codec}, {t.language or '?'})" for t in info.subtitles if not t.is_text)
    inside = f"it holds bitmap subtitle tracks only (track {pictures})" if pictures else "it holds no subtitle track"
    near = unfit_names(episode.video)
    named = f" ({', '.join(near[:_TRACKS_SHOWN])} may be meant)" if near else ""
    return (
        f"no subtitles found: no subtitle file beside {episode.video.name} has its name{named}, and {inside}; "
        f"{_what_reads(episode)}give a file with --subtitles FILE"
    )


def _what_reads(episode: Episode) -> str:
    """The remedy for pictures that only lack the extra."""
    pictures = unread_pictures(episode)
    return f"{ocr_remedy(pictures)}, or " if pictures else ""
