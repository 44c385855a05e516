"""Checkpoints by name or file: the door of what is known, fetched, checked and loaded.

Free of torch until a checkpoint is loaded.
"""

from __future__ import annotations

from video_preprocessing.uvr5.checkpoints.downloads import (
    Check,
    Verification,
    cached_path,
    get_model,
    model_folder,
    sha256_of,
    uvr_md5,
    verify,
)
from video_preprocessing.uvr5.checkpoints.identification import SHIPPED, verify_file
from video_preprocessing.uvr5.checkpoints.loading import (
    Checkpoint,
    NetConfig,
    find_checkpoint,
    is_mdx,
    load_checkpoint,
    parse_chain,
    save_checkpoint,
    shipped_names,
)
from video_preprocessing.uvr5.checkpoints.registry import KnownModel, Voice, find_model, known_models, similar_names

__all__ = [
    "SHIPPED",
    "Check",
    "Checkpoint",
    "KnownModel",
    "NetConfig",
    "Verification",
    "Voice",
    "cached_path",
    "find_checkpoint",
    "find_model",
    "get_model",
    "is_mdx",
    "known_models",
    "load_checkpoint",
    "model_folder",
    "parse_chain",
    "save_checkpoint",
    "sha256_of",
    "shipped_names",
    "similar_names",
    "uvr_md5",
    "verify",
    "verify_file",
]
