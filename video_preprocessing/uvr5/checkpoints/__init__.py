"""Checkpoints by name or file: the door of what is known, fetched, checked and loaded.

Free of torch until a checkpoint is loaded.
"""

from __future__ import annotations

from video_preprocessing.uvr5.checkpoints.loading import (
    SHIPPED,
    Check,
    Checkpoint,
    KnownModel,
    NetConfig,
    Verification,
    Voice,
    cached_path,
    find_checkpoint,
    find_model,
    get_model,
    is_mdx,
    known_models,
    load_checkpoint,
    model_folder,
    parse_chain,
    save_checkpoint,
    sha256_of,
    shipped_names,
    similar_names,
    uvr_md5,
    verify,
    verify_file,
)

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
