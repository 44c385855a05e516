"""Which of a file's tracks to take: pure decisions on what a probe found."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from video_preprocessing.media.bitmap_subtitles import BITMAP_CODECS
from video_preprocessing.media.containers import UNKNOWN_CODEC
from video_preprocessing.media.languages import normal_language, speaks
from yuki_builder.errors import MediaError, SubtitleError
from yuki_builder.records import AudioTrack, MediaInfo, SubtitleTrack

T = TypeVar("T", AudioTrack, SubtitleTrack)

_COMMENTARY = re.compile(
    r"\bcomment|kommentar|\baudio ?descri|\bdescriptive|解説|コメンタリー|评论|評論|口述", re.IGNORECASE
)
_PARTIAL = re.compile(r"\b(signs?|songs?|forced|karaoke|lyrics?|comment\w*)\b|歌词|歌詞|注释|註釋", re.IGNORECASE)
_HEARING_IMPAIRED = re.compile(r"\b(sdh|cc|hearing)\b|hearing.impaired", re.IGNORECASE)


def choose_audio_track(info: MediaInfo, wanted: str | None = None, *, language: str | None = None) -> AudioTrack:
    """The audio track to work on.

    Args:
        info: what the file holds.
        wanted: position among the audio tracks (``"0"`` is the first), a language (``"ja"``, ``"jpn"``), or
            None for the default.
        language: preferred, where it is there.

    Among the tracks that fit, dialogue goes before commentary and audio description (by title), then
    ``language``, then the one flagged as default, then the first.

    Raises:
        MediaError: no audio at all, or none that fits; the message lists the tracks there are.
    """
    if not info.audio:
        raise MediaError("has no audio track", where=info.path, remedy="give a file with sound")
    fitting = _fitting(info.audio, wanted)
    if not fitting:
        raise _no_such_track(info, "audio", info.audio, wanted)

    def order(track: AudioTrack) -> tuple[bool, bool, bool, int]:
        is_other = language is not None and not (track.language and speaks(track.language, language))
        return bool(_COMMENTARY.search(track.title or "")), is_other, not track.is_default, track.position

    return min(fitting, key=order)


def choose_second_audio_track(info: MediaInfo, first: AudioTrack, wanted: str = "auto") -> AudioTrack | None:
    """The audio track on which other people speak the same lines, or None where there is none.

    Args:
        info: what the file holds.
        first: the track that is worked on.
        wanted: position or language as for ``choose_audio_track``; ``"auto"``: a track of another known language that
            is no commentary or audio description; ``"none"``.

    Raises:
        MediaError: what was wanted is not there, or is the first track.
    """
    if wanted == "none":
        return None
    if wanted == "auto":
        return next((track for track in info.audio if _is_dub(track, first)), None)
    fitting = _fitting(info.audio, wanted)
    if not fitting:
        raise _no_such_track(info, "audio", info.audio, wanted)
    others = [track for track in fitting if track is not first]
    if not others:
        raise MediaError(
            f"audio track {first.position} is the one that is worked on",
            where=info.path,
            remedy="name another with --second-audio-track, or choose the first one with --audio-track",
        )
    return min(others, key=lambda track: (bool(_COMMENTARY.search(track.title or "")), track.position))


def _is_dub(track: AudioTrack, first: AudioTrack) -> bool:
    one, other = normal_language(first.language), normal_language(track.language)
    is_other = one is not None and other is not None and one.split("-")[0] != other.split("-")[0]
    return is_other and not _COMMENTARY.search(track.title or "")


def choose_subtitle_track(
    info: MediaInfo, wanted: str | None = None, *, language: str | None = None
) -> SubtitleTrack | None:
    """The text subtitle track to work on, or None where nothing was wanted and there is no text track.

    Args:
        info: what the file holds.
        wanted: position among all subtitle tracks, a language, or None for the best text track.
        language: preferred, where it is there.

    Among the text tracks that fit, full dialogue goes before forced tracks and signs, songs or commentary
    (by flag or title), then ``language``, then the one flagged as default, then plain subtitles before those for
    the hard of hearing, then the first.

    Raises:
        SubtitleError: what was wanted is there only as pictures (PGS, VobSub, DVB).
        MediaError: no subtitle track fits what was wanted; the message lists the tracks there are.
    """
    fitting = _fitting(info.subtitles, wanted)
    text = [t for t in fitting if t.is_text]
    if text:
        return min(text, key=lambda track: _subtitle_order(track, language))
    if wanted is None:
        return None
    pictures = fitting or ([] if any(t.is_text for t in info.subtitles) else info.subtitles)
    if pictures:
        raise no_text_in(pictures[0], info)
    raise _no_such_track(info, "subtitle", info.subtitles, wanted)


def choose_bitmap_track(
    info: MediaInfo,
    wanted: str | None = None,
    *,
    language: str | None = None,
    can_read: Callable[[str | None], bool] = lambda _: True,
) -> SubtitleTrack | None:
    """The bitmap subtitle track to read, or None where a text track serves, or there is none.

    Args:
        info: what the file holds.
        wanted: position among all subtitle tracks, or a language: text tracks that fit it go before.
        language: to read. A text track in it goes before a bitmap track; one in another language behind.
        can_read: whether the letters of a language can be read; a track is not taken by itself where not.

    Without ``wanted``, a text track of nothing but signs, songs or commentary is no reason against a full bitmap track.
    """
    fitting = _fitting(info.subtitles, wanted)
    bitmaps = [track for track in fitting if track.codec in BITMAP_CODECS]
    if wanted is not None:
        text = [track for track in fitting if track.is_text]
        return None if text or not bitmaps else min(bitmaps, key=lambda track: _subtitle_order(track, language))
    bitmaps = [track for track in bitmaps if can_read(track.language)]
    if language is not None:
        bitmaps = [t for t in bitmaps if t.language is None or speaks(t.language, language)]
    best = min(bitmaps, key=lambda track: _subtitle_order(track, language), default=None)
    if best is None:
        return None
    text = [t for t in fitting if t.is_text and not (language and t.language and not speaks(t.language, language))]
    is_partial = _subtitle_order(best, language)[0]
    return best if all(_subtitle_order(track, language)[0] > is_partial for track in text) else None


def rival_tracks(info: MediaInfo, chosen: SubtitleTrack, wanted: str | None = None) -> tuple[SubtitleTrack, ...]:
    """Text tracks of the chosen one's language that neither flag nor title tells apart from it.

    Their content has to: makers often forget to say which track holds nothing but signs and songs.

    Args:
        info: the video, as ``probe`` read it.
        chosen: the track that was chosen.
        wanted: what the user asked for (a position or a language), if anything.
    """
    order = _subtitle_order(chosen, None)[0]
    return tuple(
        track
        for track in _fitting(info.subtitles, wanted)
        if track.is_text
        and track is not chosen
        and track.language == chosen.language
        and _subtitle_order(track, None)[0] == order
    )


def hearing_impaired_track(info: MediaInfo, chosen: SubtitleTrack) -> SubtitleTrack | None:
    """A whole text track for the hard of hearing in the language of a chosen plain one: it may name speakers."""
    _, _, _, is_impaired, _ = _subtitle_order(chosen, None)
    fitting = (
        track for track in info.subtitles if track.is_text and track is not chosen and track.language == chosen.language
    )
    orders = [(_subtitle_order(track, None), track) for track in fitting]
    return next((track for order, track in orders if order[3] and not order[0] and not is_impaired), None)


def why_not(track: SubtitleTrack, chosen: SubtitleTrack) -> str:
    """In a few words why another track was taken."""
    if not track.is_text:
        return "pictures"
    if _subtitle_order(track, None)[0]:
        return "forced" if track.is_forced else "signs, songs or commentary"
    if track.language != chosen.language:
        return "another language"
    return "for the hard of hearing" if _subtitle_order(track, None)[3] else "later in the file"


def no_text_in(track: SubtitleTrack, info: MediaInfo) -> SubtitleError:
    """The error for a track that no text can be had from, with what to do instead."""
    holds = "is of an unknown format" if track.codec == UNKNOWN_CODEC else "holds pictures, not text"
    return SubtitleError(
        f"subtitle track {track.position} ({track.codec}) {holds}",
        where=info.path,
        remedy="read it with an OCR program, such as Subtitle Edit, and pass the result with --subtitles FILE",
    )


def describe(track: AudioTrack | SubtitleTrack) -> str:
    """One track in a few words for a message: ``1: ja aac stereo "Commentary"``."""
    words = [track.language or "language unknown,", track.codec]
    if isinstance(track, AudioTrack):
        words.append(track.channel_layout or f"{track.channels} channels")
    else:
        words += ["forced"] if track.is_forced else []
        words += [] if track.is_text else ["(pictures)"]
    if track.title:
        words.append(f'"{track.title}"')
    return f"{track.position}: {' '.join(words)}"


def _fitting(tracks: Sequence[T], wanted: str | None) -> list[T]:
    if wanted is None:
        return list(tracks)
    by_position = [t for t in tracks if str(t.position) == wanted.strip()]
    return by_position or [t for t in tracks if t.language and speaks(t.language, wanted)]


def _subtitle_order(track: SubtitleTrack, language: str | None) -> tuple[bool, bool, bool, bool, int]:
    title = track.title or ""
    partial = track.is_forced or bool(_PARTIAL.search(title))
    hearing_impaired = track.is_hearing_impaired or bool(_HEARING_IMPAIRED.search(title))
    is_other = language is not None and not (track.language and speaks(track.language, language))
    return (partial, is_other, not track.is_default, hearing_impaired, track.position)


def _no_such_track(info: MediaInfo, kind: str, tracks: Sequence[T], wanted: str | None) -> MediaError:
    there = "; ".join(describe(t) for t in tracks)
    remedy = f"choose one of: {there}" if there else f"it has no {kind} tracks"
    return MediaError(f"has no {kind} track {wanted!r}", where=info.path, remedy=remedy)
