"""Loading pyannote.audio's pipelines, from Hugging Face or from a folder.

A pipeline is a ``config.yaml`` that names a class, its parameters and model checkpoints. Both kinds of file
can run code: the configuration names anything importable, and pyannote.audio unpickles checkpoints without
restriction. Here only pyannote's own pipelines are taken, and torch is held to its restricted unpickler with
the few classes that public checkpoints hold besides tensors.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import os
import pickle
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from video_preprocessing.speech.torchaudio_compat import import_pyannote
from yuki_builder.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from pyannote.audio import Pipeline

DEFAULT_PIPELINE = "pyannote/speaker-diarization-community-1"
"""What ``pyannote`` stands for."""

_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGINGFACE_TOKEN")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_HUB_ADDRESS = re.compile(r"https?://[^/]+/(?P<name>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>[^?#]+)")
_CONFIG = "config.yaml"
_PIPELINES = "pyannote.audio.pipelines."
_FILE_PARAMETERS = ("segmentation", "embedding", "plda")
_CHECKPOINT_SUFFIXES = {".bin", ".ckpt", ".pt", ".pth", ".onnx"}
# Who logs while a pipeline is loaded.
_LOGGERS = ("huggingface_hub", "lightning", "lightning.pytorch", "lightning.fabric")
_LOADING = threading.Lock()


def read_config(name: str) -> tuple[dict[str, Any], str]:
    """The configuration of the pipeline ``pyannote``, ``owner/name`` (Hugging Face), or of a folder or config file.

    Returns:
        The configuration, and its home, which relative names in it refer to: a folder or a name on Hugging Face.

    Raises:
        ConfigError: no such folder or name, or it cannot be fetched.
        CheckpointError: what is there is no pipeline of pyannote's.
    """
    import yaml  # type: ignore[import-untyped]

    if name == "pyannote":
        name = DEFAULT_PIPELINE
    path = Path(name)
    if path.is_dir():
        path = path / _CONFIG
    if path.is_file():
        home = str(path.parent.resolve())
    elif Path(name).exists() or not _HUB_NAME.fullmatch(name):
        raise ConfigError(
            "no pyannote pipeline here" if Path(name).exists() else "no such diarizer",
            where=name,
            remedy=f"give embedded, pyannote, a name on Hugging Face (owner/name) or a folder that holds {_CONFIG}",
        )
    else:
        path, home = _download_config(name), name
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise CheckpointError("not a pyannote pipeline: broken YAML", where=path) from e
    class_name = _pipeline_class(config)
    if class_name is None:
        raise CheckpointError("not a pyannote pipeline: it names no pipeline class", where=path)
    if not class_name.startswith(_PIPELINES):
        raise CheckpointError(f"'{class_name}' is none of pyannote's own pipelines: refused", where=path)
    return config, home


def cached_revisions(name: str) -> str:
    """The revisions of a pipeline and of its models as they are in Hugging Face's cache; loads and fetches nothing."""
    if name == "pyannote":
        name = DEFAULT_PIPELINE
    config = Path(name, _CONFIG) if Path(name).is_dir() else Path(name)
    revisions = []
    if not config.exists() and _HUB_NAME.fullmatch(name):
        from huggingface_hub import constants, try_to_load_from_cache

        cached = try_to_load_from_cache(name, _CONFIG, cache_dir=constants.HF_HUB_CACHE)
        if not isinstance(cached, str):
            return f"{name} not downloaded"
        config = Path(cached)
        revisions = [f"{name}@{config.parent.name}"]
    if config.is_file():
        named = sorted(set(_HUB_NAME.findall(config.read_text(encoding="utf-8", errors="replace"))) - {name})
        revisions += [f"{model}@{revision}" for model in named if (revision := _revision(model))]
    return " ".join(revisions) or "folder"


def cached_config(name: str) -> Path | None:
    """The file that describes a pipeline, from Hugging Face's cache, or None; fetches nothing."""
    from huggingface_hub import constants, try_to_load_from_cache

    name = DEFAULT_PIPELINE if name == "pyannote" else name
    cached = try_to_load_from_cache(name, _CONFIG, cache_dir=constants.HF_HUB_CACHE)
    return Path(cached) if isinstance(cached, str) else None


def _revision(name: str) -> str | None:
    """The revision of a repository that the cache holds for its main branch."""
    from huggingface_hub import constants

    main = Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}", "refs", "main")
    return main.read_text(encoding="utf-8").strip() if main.is_file() else None


def _pipeline_class(config: object) -> str | None:
    pipeline = config.get("pipeline") if isinstance(config, dict) else None
    if not isinstance(pipeline, dict) or not isinstance(pipeline.get("params", {}), dict):
        return None
    class_name = pipeline.get("name")
    return class_name if isinstance(class_name, str) else None


def _download_config(name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError

    try:
        with _quiet():
            return Path(hf_hub_download(name, _CONFIG, token=hub_token()))
    except (OSError, HFValidationError) as e:
        raise _unreachable(name, e) from e


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the libraries print and log of retries and old versions: what comes of it is an error or nothing."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _unreachable(name: str, e: Exception) -> ConfigError:
    """What the hub's many errors mean to the user, each on one line."""
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(e.__cause__, HfHubHTTPError):  # answers without a class of their own pass as "not in the cache"
        e = e.__cause__
    file = _CONFIG
    # A pipeline's models are repositories of their own: the address tells which one it was.
    if isinstance(e, HfHubHTTPError) and (found := _HUB_ADDRESS.match(str(e.response.url))):
        name, file = found["name"], found["file"]
    if isinstance(e, GatedRepoError):
        what = "the model is gated"
        remedy = f"accept its conditions at https://hf.co/{name} and put your token into {_TOKEN_VARIABLES[0]}"
    elif isinstance(e, RepositoryNotFoundError):
        what = "no such model on Hugging Face, or it is private"
        remedy = f"check the name; for a private model put your token into {_TOKEN_VARIABLES[0]}"
    elif isinstance(e, HfHubHTTPError) and isinstance(e, EntryNotFoundError):
        what, remedy = f"no pyannote pipeline or model: it holds no {file}", "check the name"
    elif isinstance(e, HfHubHTTPError):
        what, remedy = f"Hugging Face answered with status {e.response.status_code}", "try again later"
    else:
        what = "the model cannot be downloaded"
        remedy = "check the network, or give the folder of a pipeline that you downloaded"
    return ConfigError(what, where=name, remedy=remedy)


def hub_token() -> str | None:
    """The user's token for Hugging Face, from the environment."""
    return next((t for t in map(os.environ.get, _TOKEN_VARIABLES) if t), None)


def load_pipeline(config: dict[str, Any], home: str, *, name: str) -> Pipeline:
    """The pipeline that ``read_config`` read; ``name`` is what the user called it.

    Args:
        config: the pipeline's configuration, checked.
        home: the folder or the hub's name that its models are found by.
        name: what the user called it.

    Raises:
        ConfigError: one of its models cannot be fetched.
        CheckpointError: a model or the configuration is broken, does not fit this version, or must not be trusted.
    """
    import_pyannote()
    from pyannote.audio import Pipeline
    from pyannote.audio.core.pipeline import expand_subfolders
    from pyannote.audio.utils.dependencies import MissingDependency, WrongDependencyVersion

    config = copy.deepcopy(config)  # loading writes into it
    # Preprocessors find and read audio, which is handed over in memory; the device is ours to choose.
    for key in ("preprocessors", "device"):
        config.pop(key, None)
    parameters = config["pipeline"].setdefault("params", {})
    _resolve_files(parameters, home, name=name)
    expand_subfolders(config, home, token=hub_token())
    _spare_plda(parameters)
    try:
        with _LOADING, _quiet(), restricted_unpickling():
            pipeline = Pipeline.from_pretrained(config, token=hub_token())
    except pickle.UnpicklingError as e:
        raise CheckpointError(f"refused: {_forbidden(e)}", where=name) from e
    except (MissingDependency, WrongDependencyVersion) as e:
        raise CheckpointError(f"made for another version: {e}", where=name) from e
    except OSError as e:
        if e.filename:
            raise CheckpointError(f"cannot be read: {e.strerror}", where=e.filename) from e
        raise _unreachable(name, e) from e
    except (KeyError, ValueError, TypeError, AttributeError, ImportError, RuntimeError, EOFError) as e:
        raise CheckpointError(f"not a usable pyannote pipeline: {_one_line(e)}", where=name) from e
    if not isinstance(pipeline, Pipeline):
        raise CheckpointError("not a pyannote pipeline", where=name)
    return pipeline


def _resolve_files(parameters: dict[str, Any], home: str, *, name: str) -> None:
    """Names of files beside the configuration become absolute paths; pyannote would look in the working folder.

    As a dictionary: of a plain name, pyannote guesses the kind of embedding from words in the path.
    """
    for key in _FILE_PARAMETERS:
        value = parameters.get(key)
        if not isinstance(value, str) or value.startswith("$model/"):
            continue
        beside = Path(home) / value
        if beside.exists():
            onnx = beside.suffix == ".onnx"
            parameters[key] = str(beside.resolve()) if onnx else {"checkpoint": str(beside.resolve()), "strict": False}
        elif Path(home).is_dir() and (Path(value).suffix in _CHECKPOINT_SUFFIXES or not _HUB_NAME.fullmatch(value)):
            raise CheckpointError(f"the pipeline names a model that is not there: {value}", where=name)


def _spare_plda(parameters: dict[str, Any]) -> None:
    """Keep pyannote.audio 4 from fetching a PLDA that a pipeline of before version 4 has no use for."""
    if "plda" not in parameters and parameters.get("clustering", "VBxClustering") != "VBxClustering":
        from pyannote.audio.core.plda import PLDA

        parameters["plda"] = object.__new__(PLDA)


@contextlib.contextmanager
def restricted_unpickling() -> Iterator[None]:
    """Have ``torch.load`` refuse everything but tensors, plain values and the classes that checkpoints hold.

    pyannote.audio asks for unrestricted loading; torch's variable overrules that (for the process: loading
    elsewhere meanwhile is restricted as well, which is torch's default anyway).
    """
    import torch
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
    from pyannote.audio.core.model import Introspection
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    allowed: list[Any] = [torch.torch_version.TorchVersion, Specifications, Problem, Resolution, Introspection]
    for callback in (EarlyStopping, ModelCheckpoint):  # pickled by older training runs under the older package's name
        module = callback.__module__.replace("lightning.pytorch", "pytorch_lightning")
        allowed += [callback, (callback, f"{module}.{callback.__name__}")]
    variable = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        with torch.serialization.safe_globals(allowed):
            yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _forbidden(e: Exception) -> str:
    found = re.search(r"GLOBAL (\S+)", str(e))
    if found:
        return f"a checkpoint holds {found[1]}, which could run code"
    return "a checkpoint is not readable as weights"


def _one_line(e: Exception) -> str:
    return f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"
