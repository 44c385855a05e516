"""Scenes: runs of lines that belong together."""

from __future__ import annotations

from yuki_builder.corpus.scenes.scene import Scene, SceneRow, scene_id, scenes_of, split_scenes, without_lines

__all__ = ["Scene", "SceneRow", "scene_id", "scenes_of", "split_scenes", "without_lines"]
