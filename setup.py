"""Builds the package with the separator's kernels compiled, where there is a C compiler; the rest is pyproject.toml.

With them, the package is one for this kind of machine. Without, it is one for all, and compiles them at their first use
where it runs.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

FOLDER = Path("video_preprocessing", "uvr5", "engine")


@functools.cache
def kernels() -> tuple[Path, ...]:
    """The libraries, made once, in a folder that goes away with this process."""
    spec = importlib.util.spec_from_file_location("compilation", Path(__file__).parent / FOLDER / "compilation.py")
    assert spec is not None and spec.loader is not None
    compilation = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = compilation  # its dataclass looks itself up there
    spec.loader.exec_module(compilation)
    scratch = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return tuple(compilation.build_ahead(scratch))


class BuildWithKernels(build_py):
    """Copies the libraries beside the modules. An editable install stays a source tree, which compiles for itself."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for path in kernels():
                shutil.copy2(path, Path(self.build_lib) / FOLDER / path.name)


class WheelWithKernels(bdist_wheel):
    """For this kind of machine, but for any Python: the libraries know nothing of it."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = not kernels()

    def get_tag(self) -> tuple[str, str, str]:
        tag = super().get_tag()
        return tag if self.root_is_pure else ("py3", "none", tag[2])


setup(cmdclass={"build_py": BuildWithKernels, "bdist_wheel": WheelWithKernels})
