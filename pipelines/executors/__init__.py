"""Who works on the episodes of a season: this process, several of this machine, or a cluster."""

from __future__ import annotations

from pipelines.executors.base import Executor, LocalExecutor, Lost, Make, Pool, Worker
from pipelines.executors.processes import ProcessExecutor
from pipelines.executors.ray_cluster import RayExecutor

__all__ = ["Executor", "LocalExecutor", "Lost", "Make", "Pool", "ProcessExecutor", "RayExecutor", "Worker"]
