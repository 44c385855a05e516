"""Everything about lines and characters. ``open_corpus`` is the door for notebooks and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yuki_builder.version import __version__

if TYPE_CHECKING:
    from yuki_builder.corpus import open_corpus

__all__ = ["__version__", "open_corpus"]


def __getattr__(name: str) -> Any:
    # Late, so that importing the shared records does not pull pandas in.
    if name == "open_corpus":
        from yuki_builder.corpus import open_corpus

        return open_corpus
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
