"""From videos to a corpus: the order of the stages, what is reused, and the command line.

``from pipelines import EpisodeConfig, run_episode`` is the door for programs and notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.config import EpisodeConfig, load_config
    from pipelines.corpus.build import build_corpus
    from pipelines.episode.run import EpisodeResult, run_episode
    from pipelines.season import SeasonResult, run_season
    from pipelines.videos import find_videos

_HOMES = {
    "EpisodeConfig": "config",
    "EpisodeResult": "episode.run",
    "SeasonResult": "season",
    "build_corpus": "corpus.build",
    "find_videos": "videos",
    "load_config": "config",
    "run_episode": "episode.run",
    "run_season": "season",
}
__all__ = [
    "EpisodeConfig",
    "EpisodeResult",
    "SeasonResult",
    "build_corpus",
    "find_videos",
    "load_config",
    "run_episode",
    "run_season",
]


def __getattr__(name: str) -> Any:
    # Late, so that importing one module of the package does not import all of it.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"pipelines.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
