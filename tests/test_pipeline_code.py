"""Changed code and changed models are noticed, without loading them."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.config import EpisodeConfig
from pipelines.corpus.stages import STAGES as CORPUS_STAGES
from pipelines.engine import code
from pipelines.engine.marks import Recipe
from pipelines.episode.run import _runner
from pipelines.episode.session import Session
from pipelines.episode.stages import STAGES
from video_preprocessing.speech import diarizer_fingerprint

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    for cache in (code._parsed, code._data_hash):
        cache.cache_clear()
    yield
    for cache in (code._parsed, code._data_hash):
        cache.cache_clear()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three modules: ``separator`` imports ``network`` late, ``training`` imports both."""
    room = tmp_path / "video_preprocessing" / "room"
    room.mkdir(parents=True)
    for folder in (room, room.parent):
        (folder / "__init__.py").write_text("")
    (room / "network.py").write_text('"""Doc."""\nWIDTH = 3  # wide\n')
    (room / "separator.py").write_text(
        "def separate():\n    from video_preprocessing.room.network import WIDTH\n    return WIDTH\n"
    )
    (room / "training.py").write_text("from video_preprocessing.room import network, separator\n")
    (room / "plans.json").write_text("{}")
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return room


def fingerprint() -> str:
    code._parsed.cache_clear()
    code._data_hash.cache_clear()
    return code.code_fingerprint("video_preprocessing.room.separator")


def test_code_that_is_imported_counts_and_comments_do_not(tree: Path) -> None:
    before = fingerprint()
    (tree / "network.py").write_text('"""Other words."""\n\n# a remark\nWIDTH = 3  # wide\n')
    assert fingerprint() == before
    (tree / "training.py").write_text("import this\n")
    assert fingerprint() == before
    (tree / "network.py").write_text("WIDTH = 4\n")
    changed = fingerprint()
    assert changed != before
    (tree / "plans.json").write_text("{1: 2}")
    assert fingerprint() != changed


def of_parser(text: str) -> tuple[set[str], list[str]]:
    """The project's modules that a module imports and its lines of code, by Python's parser."""
    names: set[str] = set()
    idle: set[int] = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "relative imports are not looked for"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = node.module.split(".")[0] in code.PACKAGES and code.source_file(whole).exists()
                names.add(whole if is_module else node.module)
        for inner in ast.iter_child_nodes(node):
            look(inner)

    tree = ast.parse(text)
    look(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value is not ...:
                idle |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line.rstrip() for number, line in enumerate(text.splitlines(), 1) if number not in idle]
    own = {name for name in names if name.split(".")[0] in code.PACKAGES}
    return own, [line for line in lines if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("package", code.PACKAGES)
def test_patterns_find_what_the_parser_finds(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        inside = path.relative_to(ROOT).with_suffix("")
        module = ".".join(inside.parent.parts if inside.name == "__init__" else inside.parts)
        names, lines = of_parser(path.read_text(encoding="utf-8"))
        own, imported = code._parsed(module)
        assert set(imported) == names, module
        assert own == hashlib.sha256("\n".join(lines).encode()).hexdigest(), module


def test_every_stage_names_modules_that_are_there() -> None:
    for stage in (*STAGES, *CORPUS_STAGES):
        for module in stage.code:
            assert code.source_file(module).is_file(), f"{stage.name}: {module}"
            assert code.code_fingerprint(module)


@pytest.fixture
def config(tmp_path: Path) -> EpisodeConfig:
    (tmp_path / "ep01.mkv").write_bytes(b"not looked at")
    return EpisodeConfig(tmp_path / "ep01.mkv", out=tmp_path / "out", separator="none")


def recipes(config: EpisodeConfig) -> dict[str, Recipe]:
    """By stage."""
    session = Session(config.out)
    runner = _runner(session.open(config), session)
    return {stage.name: runner._recipe(stage) for stage in STAGES if stage.name not in ("report", "summary")}


def changed_stages(before: dict[str, Recipe], after: dict[str, Recipe]) -> set[str]:
    return {name for name in before if after[name].difference(before[name])}


def test_changed_code_asks_for_its_stages_again(config: EpisodeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes(config)
    true = code.code_fingerprint
    monkeypatch.setattr(
        "pipelines.engine.stage.code_fingerprint",
        lambda module: "other" if module == "video_preprocessing.uvr5.separator" else true(module),
    )
    assert changed_stages(before, recipes(config)) == {"separate"}


def test_another_embedder_asks_for_what_it_heard_again(config: EpisodeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes(config)
    monkeypatch.setattr("pipelines.episode.context.embedder_fingerprint", lambda *_: "other")
    monkeypatch.setattr("pipelines.models.embedder_fingerprint", lambda *_: "other")
    assert changed_stages(before, recipes(config)) == {"turns", "embeddings", "dub"}


def test_a_new_revision_of_a_pipeline_is_noticed(
    config: EpisodeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert "not downloaded" in diarizer_fingerprint("owner/pipeline")

    def download(name: str, revision: str, text: str) -> None:
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / "main").write_text(revision)
        (folder / "snapshots" / revision).mkdir(parents=True)
        (folder / "snapshots" / revision / "config.yaml").write_text(text)

    wanted = "params: {segmentation: owner/segmentation}"
    download("owner/pipeline", "a" * 40, wanted)
    download("owner/segmentation", "b" * 40, "")
    config = dataclasses.replace(config, diarizer="owner/pipeline")
    before = recipes(config)
    assert recipes(config) == before
    download("owner/segmentation", "c" * 40, "")
    changed = recipes(config)
    assert changed_stages(before, changed) == {"turns"}
    download("owner/pipeline", "d" * 40, wanted)
    assert changed_stages(changed, recipes(config)) == {"turns"}


def test_fingerprints_load_no_network() -> None:
    script = """
import sys
from video_preprocessing.speech import diarizer_fingerprint, embedder_fingerprint
found = embedder_fingerprint(), diarizer_fingerprint("embedded", embedder=embedder_fingerprint())
assert all(found) and "torch" not in sys.modules
from video_preprocessing.speech import load_embedder
assert load_embedder(device="cpu").fingerprint == found[0]
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_installing_speechmos_is_no_reason_without_dnsmos(
    config: EpisodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rated = dataclasses.replace(config, quality="dnsmos")

    def installed(version: str) -> None:
        for place in ("pipelines.engine.stage", "pipelines.episode.stages"):
            monkeypatch.setattr(f"{place}.installed_version", lambda name: version if name == "speechmos" else "1")

    installed("1")
    before, with_dnsmos = recipes(config), recipes(rated)
    installed("2")
    assert changed_stages(before, recipes(config)) == set()
    assert changed_stages(with_dnsmos, recipes(rated)) == {"quality"}
    assert changed_stages(before, with_dnsmos) == {"quality"}
