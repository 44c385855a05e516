"""The package as users get it: built, installed into a fresh environment, and separating there."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from video_preprocessing.uvr5.engine.compilation import BUILDS

ROOT = Path(__file__).parent.parent


# Run in the environment, far from the checkout: what it imports is the wheel's.
_SEPARATE = """
from pathlib import Path
import numpy, soundfile
from video_preprocessing.media import choose_audio_track, extract_audio, probe
from video_preprocessing.uvr5 import separator
info = probe(Path("demo.mkv"))
extract_audio(info, choose_audio_track(info, None), Path("mix.flac"))
made = separator.Separator.load("dialogue")
made.separate_file(Path("mix.flac"), Path("vocals.flac"))
mix, vocals = (soundfile.read(name, stop=5 * 44100)[0] for name in ("mix.flac", "vocals.flac"))
print(separator.__file__, made.engine, 10 * numpy.log10((mix**2).mean() / (vocals**2).mean()), sep="\\n")
"""


def requirements(lines: list[str]) -> dict[str, Requirement]:
    stripped = [re.sub(r"\s+#.*|^#.*", "", line).strip() for line in lines]
    parsed = [Requirement(line) for line in stripped if line and not line.startswith("-")]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def test_what_is_pinned_is_within_what_the_wheel_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = requirements(project["dependencies"])
    pinned = requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert set(pinned) == set(allowed), "requirements.txt and pyproject.toml name different packages"
    for name, requirement in pinned.items():
        for version in (s.version for s in requirement.specifier if s.operator in ("==", ">=")):
            assert allowed[name].specifier.contains(version), f"{requirement}, but the wheel wants {allowed[name]}"


def test_the_wheel_pins_nothing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in requirements(project["dependencies"]).values():
        operators = {s.operator for s in requirement.specifier}
        assert "==" not in operators, f"{requirement} pins a version, which other packages may not have"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment made by the Dockerfile's own steps; other packages are those of the running one."""
    checkout, prefix = tmp_path_factory.mktemp("wheel") / "checkout", tmp_path_factory.mktemp("prefix") / "venv"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.split(b"\0")
    files = [ROOT / os.fsdecode(name) for name in names if name]
    for path in files or [p for p in ROOT.rglob("*") if p.is_file() and ".venv" not in p.parts]:
        if path.is_file():
            copy = checkout / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    subprocess.run(
        ["sh", str(checkout / "docker" / "install.sh"), str(prefix)],
        env=os.environ | {"YUKI_SITE_PACKAGES": sysconfig.get_path("purelib"), "YUKI_PYTHON": sys.executable},
        check=True,
    )
    return prefix


def run(environment: Path, *command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # No compiler is to be found: what runs fast was in the wheel.
    own = {"PATH": str(environment / "bin"), "HOME": str(cwd), "XDG_CACHE_HOME": str(cwd / "cache")}
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CC", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    return subprocess.run(command, cwd=cwd, env=kept | own | variables, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_wheel_is_whole(environment: Path) -> None:
    (package,) = environment.glob("lib/python*/site-packages/video_preprocessing")
    assert (package / "uvr5" / "engine" / "winograd.c").is_file()
    for name in ("yuki_builder", "video_preprocessing", "pipelines"):
        assert (package.parent / name / "py.typed").is_file()
    # Whatever lies in the packages of the checkout is in the wheel too.
    for name in ("yuki_builder", "video_preprocessing", "pipelines"):
        here = {p.relative_to(ROOT) for p in (ROOT / name).rglob("*") if p.is_file() and "__pycache__" not in p.parts}
        lost = {p for p in here if not (package.parent / p).is_file()}
        assert not lost, f"the wheel lacks {sorted(map(str, lost))}"
    built = {b.file_name for b in BUILDS if platform.machine().lower() in b.machines}
    if shutil.which("cc"):
        assert {p.name for p in (package / "uvr5" / "engine").glob("*.so")} == built


@pytest.mark.slow
def test_the_demo_is_separated_by_the_wheel(environment: Path, tmp_path: Path) -> None:
    made = run(
        environment, "python", "-m", "video_preprocessing.media.demo", "demo.mkv", cwd=tmp_path, OMP_NUM_THREADS="2"
    )
    assert made.returncode == 0, made.stderr
    engine = run(environment, "yuki-builder", "models", "engine", cwd=tmp_path).stdout.strip()
    done = run(environment, "python", "-c", _SEPARATE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    code, used, quieter_db = done.stdout.splitlines()[-3:]
    assert Path(code).is_relative_to(environment)
    assert used == engine
    assert float(quieter_db) > 10, "the music before the first word is still there"
    if shutil.which("cc") and any(b.runs_on(platform.machine(), capability()) for b in BUILDS):
        assert engine.startswith("minimal filtering, ") and "compiled" not in engine
        assert not (tmp_path / "cache" / "yuki_builder" / "kernels").exists()


def capability() -> str:
    import torch

    return torch.backends.cpu.get_cpu_capability()


@pytest.mark.slow
def test_the_installed_command_says_how_threads_wait(environment: Path, tmp_path: Path) -> None:
    script = next((environment / "bin").glob("yuki-builder"))
    code = (
        f"import runpy, sys; sys.argv = ['yuki-builder', '--video', 'none.mkv']\n"
        f"try: runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "except SystemExit as e: print(e.code)\n"
        "import os; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
    )
    done = run(environment, "python", "-c", code, cwd=tmp_path)
    status, waiting = done.stdout.splitlines()
    assert status == "2" and waiting == "1000 False", done
