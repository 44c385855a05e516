"""torchaudio beside a torch without CUDA, in fresh processes: what is imported stays imported."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# torchaudio's layout: the package imports its extension, whose loader is a module of its own.
LOADER = """
def _load_lib(name):
    {body}
"""
EXTENSION = """
from .utils import _load_lib
AVAILABLE = _load_lib("_torchaudio")
"""


def run(script: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*paths, ROOT)))}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(script)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def fake_torchaudio(folder: Path, body: str) -> Path:
    package = folder / "torchaudio" / "_extension"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("from . import _extension\n")
    (package / "__init__.py").write_text(EXTENSION)
    (package / "utils.py").write_text(LOADER.format(body=body))
    return folder


IMPORT = """
    from video_preprocessing.speech.torchaudio_compat import import_torchaudio
    import_torchaudio()
    import_torchaudio()
    import torchaudio
    from torchaudio._extension import utils
    print(torchaudio._extension.AVAILABLE, utils._load_lib.__module__)
"""


@pytest.mark.parametrize("failure", ["OSError('libcudart.so.13')", "RuntimeError('different CUDA versions')"])
def test_a_native_part_that_does_not_load_is_left_out(tmp_path: Path, failure: str) -> None:
    done = run(IMPORT, fake_torchaudio(tmp_path, f"raise {failure}"))
    # and the package's own loader is back in its place
    assert (done.stdout.split(), done.stderr) == (["False", "torchaudio._extension.utils"], "")


def test_a_working_installation_is_left_alone(tmp_path: Path) -> None:
    done = run(IMPORT, fake_torchaudio(tmp_path, "return True"))
    assert (done.stdout.split(), done.stderr) == (["True", "torchaudio._extension.utils"], "")


def test_threads_may_ask_at_once(tmp_path: Path) -> None:
    slow = "import time; time.sleep(0.05); raise OSError('libcudart.so.13')"
    script = """
        import threading
        from video_preprocessing.speech.torchaudio_compat import import_torchaudio
        def ask():
            import_torchaudio()
            import torchaudio
            good.append(torchaudio._extension.AVAILABLE)
        good = []
        threads = [threading.Thread(target=ask) for _ in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
        print(good)
    """
    done = run(script, fake_torchaudio(tmp_path, slow))
    assert (done.stdout.strip(), done.stderr) == (str([False] * 8), "")


@pytest.mark.parametrize("layout", ["another", "broken", "absent"])
def test_what_cannot_be_helped_is_one_clear_error(tmp_path: Path, layout: str) -> None:
    package = fake_torchaudio(tmp_path, "raise OSError('libcudart.so.13')") / "torchaudio"
    if layout == "another":
        (package / "_extension" / "__init__.py").write_text("raise OSError('libcudart.so.13')\n")
    elif layout == "broken":
        (package / "__init__.py").write_text("from . import _extension\nimport no_such_module\n")
    else:
        (package / "__init__.py").write_text("raise ModuleNotFoundError('No module named torchaudio')\n")
    script = """
        from video_preprocessing.speech.torchaudio_compat import import_torchaudio
        from yuki_builder.errors import InternalError
        try:
            import_torchaudio()
        except InternalError as e:
            print(e, type(e.__cause__).__name__)
    """
    done = run(script, tmp_path)
    assert done.stdout.startswith("torchaudio: torchaudio cannot be imported. Install the requirements again")
    assert done.stderr == ""


@pytest.mark.slow
def test_pyannote_imports_here_silently_and_no_file_changes() -> None:
    spec = importlib.util.find_spec("torchaudio")
    assert spec is not None
    assert spec.origin is not None
    native = sorted((Path(spec.origin).parent / "lib").iterdir())
    before = [(f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in native]
    script = """
        import os
        from video_preprocessing.speech.torchaudio_compat import import_pyannote
        import_pyannote()
        import torchaudio, torch
        wave = torchaudio.functional.resample(torch.zeros(1, 441), 44100, 16000)
        print(wave.shape[1], os.environ["PYANNOTE_METRICS_ENABLED"])
    """
    environment = os.environ.pop("PYANNOTE_METRICS_ENABLED", None)
    try:
        done = run(script.replace("-W always", ""))
    finally:
        if environment is not None:
            os.environ["PYANNOTE_METRICS_ENABLED"] = environment
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["160", "false"]
    assert "torchcodec" not in done.stderr
    assert [(f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in native] == before
