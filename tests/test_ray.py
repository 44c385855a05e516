"""A Ray cluster of two nodes on this machine, of which one is lost in the middle."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from season_files import differences, finished_season

from pipelines import EpisodeConfig, run_season
from pipelines.engine.events import Event, EventKind
from pipelines.executors import RayExecutor
from yuki_builder.errors import MissingExtraError

has_ray = importlib.util.find_spec("ray") is not None


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(MissingExtraError, match=r"yuki-builder\[ray\]"),
        RayExecutor().start(lambda: None, listener=print, lost=print),  # type: ignore[arg-type, return-value]
    ):
        pass


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "0")
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parents[1]}:{Path(__file__).parent}")
    import ray
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20, "memory": 3 << 30}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **small})
    try:
        made.add_node(num_cpus=1, **small)
        made.wait_for_nodes()
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(not has_ray, reason="needs ray")
def test_a_lost_node_changes_nothing(cluster: Any, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    one = finished_season(tmp_path_factory, count=3, named_from=2)
    (second,) = [node for node in cluster.list_all_nodes() if node is not cluster.head_node]
    messages: list[str] = []
    is_lost = threading.Event()

    def listen(event: Event) -> None:
        if event.kind is EventKind.NOTICE:
            messages.append(event.message or "")
        if event.kind is EventKind.FINISHED and event.stage == "extract" and not is_lost.is_set():
            begun.add(event.subject)
            if len(begun) == 2:  # both nodes are at work
                is_lost.set()
                cluster.remove_node(second, allow_graceful=False)

    begun: set[str] = set()
    many = [
        EpisodeConfig(v, out=tmp_path / "many", separator="none", executor="ray", ray_address=cluster.address)
        for v in one.episodes
    ]
    began = time.monotonic()
    season = run_season(many, progress=listen)
    assert season.failures == ()
    assert is_lost.is_set() and any("was lost" in message for message in messages)
    assert differences(one.out, tmp_path / "many") == []
    assert time.monotonic() - began < 300
