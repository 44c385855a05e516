"""Speech to text: transcribers behind one protocol, and an episode's turns through one of them.

Importing this loads no model and no engine.
"""

from video_preprocessing.transcription.transcriber import Transcriber
from video_preprocessing.transcription.transcribers import (
    TRANSCRIBERS,
    TranscriberEntry,
    choose_transcriber,
    load_transcriber,
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
    "is_installed",
    "load_transcriber",
    "transcribe_turns",
    "transcriber_fingerprint",
]
