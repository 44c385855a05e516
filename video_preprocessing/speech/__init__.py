"""The voices in an episode: where somebody speaks, who it is by ear, and whose turn it is.

Models run at 16 kHz mono and read the separated vocals from disk. Importing this loads no model.
"""

from video_preprocessing.speech.activity import ActivitySettings, detect_speech
from video_preprocessing.speech.diarization import (
    DIARIZERS,
    Diarizer,
    diarizer_fingerprint,
    load_diarizer,
)
from video_preprocessing.speech.embedders import EMBEDDERS, embedder_fingerprint, load_embedder
from video_preprocessing.speech.embedding import SpeakerEmbedder
from video_preprocessing.speech.span_embeddings import embed_spans, join_signals
from video_preprocessing.speech.turns import NamedSpan, exclusive
from video_preprocessing.speech.weights import WeightsFile
from yuki_builder.rttm import read_rttm, write_rttm

__all__ = [
    "DIARIZERS",
    "EMBEDDERS",
    "ActivitySettings",
    "Diarizer",
    "NamedSpan",
    "SpeakerEmbedder",
    "WeightsFile",
    "detect_speech",
    "diarizer_fingerprint",
    "embed_spans",
    "embedder_fingerprint",
    "exclusive",
    "join_signals",
    "load_diarizer",
    "load_embedder",
    "read_rttm",
    "write_rttm",
]
