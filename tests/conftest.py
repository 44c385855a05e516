"""What several test files share."""

from __future__ import annotations

import os
from pathlib import Path

# A worker for each core and one more: a thread each, or they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# Shared machines stall for seconds: an example's time says nothing here.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Files that take longest, the longest first: begun first, none of them is what one worker still has at the end.
LONGEST = (
    *("pipeline_episode", "season", "uvr5_files", "uvr5_train", "pipeline_transcription", "uvr5_models", "wheel"),
    *("remote", "review_browser", "review_pipeline", "alignment_retiming", "media_audio", "uvr5_separator", "docs"),
    *("speech_diarization", "device_sharing", "uvr5_winograd", "pipeline_kills", "ray", "pipeline_ocr", "cli"),
    *("transcription_whisper", "corpus_browse", "uvr5_layers", "uvr5_checkpoints", "uvr5_nets_v50", "uvr5_dialogue"),
    *("speech_torchaudio", "ocr_resuming", "pipeline_dub", "corpus_quality", "speech_pyannote"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take whole files in the order in which they were collected (``make test``)."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        order = {Path(__file__).with_name(f"test_{name}.py"): place for place, name in enumerate(LONGEST)}
        assert all(path.is_file() for path in order), "LONGEST names a file that is not there"
        items.sort(key=lambda item: order.get(item.path, len(order)))
