"""Media files: what is in them, and their tracks as files on the video's clock. The only room that runs ffmpeg."""

from __future__ import annotations

from video_preprocessing.media.audio import extract_audio
from video_preprocessing.media.bitmap_subtitles import (
    bitmap_kind,
    find_bitmap_file,
    look_at_bitmaps,
    read_subtitle_pictures,
)
from video_preprocessing.media.containers import probe
from video_preprocessing.media.embedded_subtitles import extract_subtitles
from video_preprocessing.media.ffmpeg_process import find_ffmpeg
from video_preprocessing.media.languages import normal_language, speaks, written_characters
from video_preprocessing.media.separated import take_vocals
from video_preprocessing.media.shots import detect_shots
from video_preprocessing.media.tracks import (
    choose_audio_track,
    choose_bitmap_track,
    choose_second_audio_track,
    choose_subtitle_track,
    describe,
    hearing_impaired_track,
    rival_tracks,
    why_not,
)
from video_preprocessing.media.video_pictures import read_video_pictures

__all__ = [
    "bitmap_kind",
    "choose_audio_track",
    "choose_bitmap_track",
    "choose_second_audio_track",
    "choose_subtitle_track",
    "describe",
    "detect_shots",
    "extract_audio",
    "extract_subtitles",
    "find_bitmap_file",
    "find_ffmpeg",
    "hearing_impaired_track",
    "look_at_bitmaps",
    "normal_language",
    "probe",
    "read_subtitle_pictures",
    "read_video_pictures",
    "rival_tracks",
    "speaks",
    "take_vocals",
    "why_not",
    "written_characters",
]
