"""Speech to text: transcribers behind one protocol, and an episode's turns through one of them.

Importing this loads no model and no engine.
"""

from video_preprocessing.transcription.hub import hash_of, published_hash
from video_preprocessing.transcription.transcriber import Transcriber
from video_preprocessing.transcription.transcribers import (
    TRANSCRIBERS,
    TranscriberEntry,
    choose_transcriber,
    load_transcriber,
    model_files,
    transcriber_fingerprint,
)
from video_preprocessing.transcription.turn_by_turn import Transcription, transcribe_turns
from video_preprocessing.transcription.whisper_engine import is_installed

__all__ = [
    "TRANSCRIBERS",
    "Transcriber",
    "TranscriberEntry",
    "Transcription",
    "choose_transcriber",
    "hash_of",
    "is_installed",
    "load_transcriber",
    "model_files",
    "published_hash",
    "transcribe_turns",
    "transcriber_fingerprint",
]
