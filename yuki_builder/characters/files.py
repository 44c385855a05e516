"""File names that a saved gallery consists of."""

from __future__ import annotations

GALLERY_FILE = "gallery.json"
EMBEDDINGS_FILE = "embeddings.safetensors"
