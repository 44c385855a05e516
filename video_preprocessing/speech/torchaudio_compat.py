"""``import torchaudio`` beside a CPU build of torch.

The wheels of torchaudio and torchcodec on PyPI are linked against CUDA. Beside a CPU build of torch their
native parts do not load, and ``import torchaudio`` fails although its Python part, the only one that
pyannote.audio needs, works without them. torchaudio knows this state itself: an installation without the
native files imports and says so where a native function is called. This module brings that state about in
memory for the one import that fails; no file is touched, and an installation that works is left alone.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import Any

from yuki_builder.errors import InternalError

_LOCK = threading.Lock()
_EXTENSION_LOADER = "torchaudio._extension.utils"


def import_torchaudio() -> None:
    """Import torchaudio, without its native part where that part does not load.

    May be called any number of times and from any thread. Afterwards ``import torchaudio`` works everywhere
    in the process.

    Raises:
        InternalError: torchaudio does not import for another reason, or is laid out in an unknown way.
    """
    with _LOCK:
        if "torchaudio" in sys.modules:
            return
        try:
            import torchaudio  # noqa: F401
        except (OSError, RuntimeError) as e:  # a CUDA library is missing; built for another CUDA than torch is
            _import_python_part(e)
        except ImportError as e:
            raise InternalError("torchaudio cannot be imported", where="torchaudio", remedy=_REMEDY) from e


_REMEDY = "install the requirements again: pip install -r requirements.txt"


def _import_python_part(failure: Exception) -> None:
    # A package whose import failed leaves the submodules it had imported; its loader of native code is one.
    loader: Any = sys.modules.get(_EXTENSION_LOADER)
    if loader is None or not hasattr(loader, "_load_lib"):
        raise InternalError("torchaudio cannot be imported", where="torchaudio", remedy=_REMEDY) from failure
    load_native = loader._load_lib
    loader._load_lib = _nothing_to_load
    try:
        import torchaudio  # noqa: F401
    except (OSError, RuntimeError, ImportError) as e:
        raise InternalError("torchaudio cannot be imported", where="torchaudio", remedy=_REMEDY) from e
    finally:
        loader._load_lib = load_native


def _nothing_to_load(name: str) -> bool:
    """Stands in for torchaudio's loader: "there is no native library of that name"."""
    return False


def import_pyannote() -> None:
    """Import pyannote.audio on any build of torch.

    pyannote.audio warns on import where torchcodec does not load. Audio reaches it in memory here, so that
    nothing is lost by that: the warning is silenced, for this import only. Its telemetry stays off unless the
    user's environment turns it on.
    """
    import_torchaudio()
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")
    with _LOCK, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
        import pyannote.audio  # noqa: F401
