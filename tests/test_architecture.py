"""Who may import whom (docs/architecture.md), and that importing does nothing."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("yuki_builder", "video_preprocessing", "pipelines")
ROOMS = {
    "video_preprocessing.media",
    "video_preprocessing.uvr5",
    "video_preprocessing.speech",
    "video_preprocessing.ocr",
    "video_preprocessing.transcription",
    "yuki_builder.subtitles",
    "yuki_builder.alignment",
    "yuki_builder.transcripts",
    "yuki_builder.characters",
    "yuki_builder.corpus",
}
COMMON_GROUND = {
    *("yuki_builder", "yuki_builder.records", "yuki_builder.errors", "yuki_builder.names"),
    *(
        "yuki_builder.version",
        "yuki_builder.untrusted",
        "yuki_builder.atomic",
        "yuki_builder.rttm",
        "yuki_builder.channels",
        "yuki_builder.chinese",
        "yuki_builder.spans",
        "yuki_builder.threads",
    ),
    "video_preprocessing.devices",
    "video_preprocessing.workers",
    "video_preprocessing.bars",
    "video_preprocessing.levels",
}
# What users and notebooks import by these names (the contract), besides the rooms themselves.
PUBLIC_MODULES = {
    "video_preprocessing.uvr5.layers",
    "video_preprocessing.uvr5.nets",
    "video_preprocessing.uvr5.spectrogram",
    "video_preprocessing.uvr5.separator",
    "video_preprocessing.uvr5.checkpoints",
}
# Too slow, or too rare, for a command that only wants to show its help or reuse what is done.
HEAVY = {
    *("torch", "torchaudio", "librosa", "pandas", "pyarrow", "sklearn", "scipy", "resemblyzer", "silero_vad"),
    *("rapidocr", "cv2"),
    *("av", "pyannote", "soundfile", "soxr", "jinja2", "chardet", "defusedxml", "ttconv", "safetensors"),
    *("faster_whisper", "ctranslate2", "sherpa_onnx", "huggingface_hub"),
}
FORBIDDEN_CALLS = {
    *("os.system", "os.popen", "eval", "exec", "logging.basicConfig"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads", "shelve.open"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(p): p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in FILES.items()}


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def imports(module: str) -> Iterator[str]:
    """Every module that ``module`` imports, wherever in its code, by its full name."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0]
                base = f"{above}.{base}" if base else above
            for alias in node.names:
                is_module = f"{base}.{alias.name}" in FILES
                yield f"{base}.{alias.name}" if is_module else base


def test_the_rooms_are_there() -> None:
    assert set(FILES) >= ROOMS | COMMON_GROUND | PUBLIC_MODULES


@pytest.mark.parametrize("module", sorted(name for name in FILES if not name.startswith("pipelines")))
def test_a_room_imports_common_ground_and_itself(module: str) -> None:
    allowed_room = room_of(module)
    for imported in imports(module):
        if imported.split(".")[0] not in PACKAGES or imported in COMMON_GROUND:
            continue
        if module == "yuki_builder" and imported == "yuki_builder.corpus":
            continue  # ``from yuki_builder import open_corpus``, made late
        assert allowed_room is not None, f"{module} is common ground and imports {imported}"
        assert room_of(imported) == allowed_room, f"{module} imports {imported}, which is in another room"


@pytest.mark.parametrize("module", sorted(name for name in FILES if name.startswith("pipelines")))
def test_pipelines_come_in_by_the_door(module: str) -> None:
    for imported in imports(module):
        if room_of(imported):
            assert imported in ROOMS | PUBLIC_MODULES, f"{module} imports {imported}, past the room's door"


# Of the rooms inside a package, from the lowest up: a module imports from its own room and from those before it.
FLOORS = {
    "video_preprocessing.uvr5": (
        *("signal", "network", "checkpoints", "engine", "separator", "training"),
        *("layers", "nets", "spectrogram", "train"),  # thin: the contract's names
    ),
    "yuki_builder.corpus": ("audio", "tables", "scenes", "exports", "report", "notebook", "review"),
    "pipelines": (
        *("config", "layout", "models", "engine", "videos", "executors"),
        *("episode", "corpus", "season", "remote", "console"),
    ),
}


def within(module: str, package: str) -> str | None:
    """The room of ``package`` that ``module`` is in; None: not in one of its rooms, or it is the package itself."""
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else None


@pytest.mark.parametrize("package", FLOORS)
def test_arrows_point_down(package: str) -> None:
    floors = FLOORS[package]
    assert {room for m in FILES if (room := within(m, package))} == set(floors)
    for module in FILES:
        above = within(module, package)
        for imported in set(imports(module)) if above else ():
            below = within(imported, package)
            if below is not None:
                assert floors.index(below) <= floors.index(str(above)), f"{module} imports {imported}, above it"


def test_there_are_no_circles() -> None:
    """Late imports and those for type checkers count too: who has to know whom does not depend on when."""
    graph = {module: {i for i in imports(module) if i in FILES and i != module} for module in FILES}
    graph["yuki_builder"].discard("yuki_builder.corpus")  # the doors for users, made late
    graph["pipelines"] = set()
    order: list[str] = []
    while left := {module for module in graph if module not in order}:
        free = sorted(module for module in left if not graph[module] & left)
        assert free, f"these import each other in a circle, or what does: {_shrunk(graph, left)}"
        order += free


def _shrunk(graph: dict[str, set[str]], left: set[str]) -> list[str]:
    """Without those that nothing in ``left`` imports."""
    while idle := {module for module in left if not any(module in graph[other] for other in left)}:
        left = left - idle
    return sorted(left)


# The separator's convolutions are compiled, for a wheel or at their first use.
COMPILES = "video_preprocessing.uvr5.engine.compilation"


def test_only_media_starts_programs() -> None:
    for module in FILES:
        if room_of(module) != "video_preprocessing.media" and module != COMPILES:
            started = {i.split(".")[0] for i in imports(module)} & {"ffmpeg", "imageio_ffmpeg", "subprocess"}
            assert not started, f"{module} imports {started}"


@pytest.mark.parametrize("module", sorted(FILES))
def test_no_shell_no_pickle_no_swallowed_errors(module: str) -> None:
    for node in ast.walk(TREES[module]):
        where = f"{FILES[module].relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{where}: bare except"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in FORBIDDEN_CALLS, f"{where}: {called}"
            given = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            assert not given.get("shell"), f"{where}: shell"
            assert given.get("weights_only") is not False, f"{where}: unrestricted unpickling"
            assert not given.get("allow_pickle"), f"{where}: unpickling"


_IMPORT_ALL = """
import contextlib, importlib, json, logging, os, random, signal, sys, threading
import numpy
with contextlib.suppress(ImportError):
    import dill  # torch imports it where it is installed, and it opens files when it is imported
state = lambda: (dict(os.environ), os.getcwd(), random.getstate(), str(numpy.random.get_state()),
                 logging.root.handlers[:], logging.root.level, signal.getsignal(signal.SIGTERM))
deeds = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        deeds.append(f"open {arguments[0]}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.system", "subprocess.Popen", "socket.connect"):
        deeds.append(f"{event} {arguments}")
before = state()
sys.addaudithook(watch)
heavy, found = set(json.loads(sys.argv[2])), {}
for name in json.loads(sys.argv[1]):
    deeds.clear()
    known = set(sys.modules)
    importlib.import_module(name)
    new = {m.split(".")[0] for m in set(sys.modules) - known}
    found[name] = {"deeds": deeds[:], "heavy": sorted(new & heavy), "changed": state() != before}
    before = state()
print(json.dumps({"found": found, "threads": threading.active_count()}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, dict[str, object]]:
    """What importing each module did, the light ones first."""
    modules = sorted(FILES, key=lambda m: ("uvr5" in m, m))
    done = subprocess.run(
        [sys.executable, "-B", "-c", _IMPORT_ALL, json.dumps(modules), json.dumps(sorted(HEAVY))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["threads"] == 1
    found: dict[str, dict[str, object]] = result["found"]
    return found


def test_importing_does_nothing(imported: dict[str, dict[str, object]]) -> None:
    assert {name: facts for name, facts in imported.items() if facts["deeds"] or facts["changed"]} == {}


def test_importing_is_light_outside_the_networks(imported: dict[str, dict[str, object]]) -> None:
    heavy = {name: facts["heavy"] for name, facts in imported.items() if facts["heavy"]}
    assert {name for name in heavy if room_of(name) != "video_preprocessing.uvr5"} == set(), heavy
    assert not {"video_preprocessing.uvr5", "video_preprocessing.uvr5.checkpoints"} & set(heavy), heavy
