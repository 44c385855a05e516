"""``run_pipeline.py models``: the models by name: which there are, what each is, getting and checking them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.console.display import one_line
from pipelines.console.subcommands import SETTINGS
from pipelines.console.voice_models import check_file, installed_files, voice_models
from video_preprocessing.transcription import TRANSCRIBERS, model_files
from video_preprocessing.uvr5.checkpoints import (
    Check,
    Checkpoint,
    KnownModel,
    cached_path,
    find_checkpoint,
    find_model,
    get_model,
    is_mdx,
    known_models,
    load_checkpoint,
    model_folder,
    parse_chain,
    sha256_of,
    shipped_names,
    uvr_md5,
    verify_file,
)
from yuki_builder.errors import CheckpointError, YukiError
from yuki_builder.records import Progress, no_progress

_HELP = """
The separators, which remove music, echo, reverb and noise from the voice, and the models for speech.

--separator takes the name of any separator; a plus sign chains them. A model is downloaded, and checked, when it is
first needed; 'models get' downloads it ahead. Speaker embedders, diarizers and transcribers are listed too.
"""

_EPILOG = """\b
Examples:
  run_pipeline.py models list                    shipped, downloaded, and what else there is
  run_pipeline.py models show HP5                all that is known of it
  run_pipeline.py models show my/model.pth       the same for a file: network, band plan, hashes
  run_pipeline.py models get HP5 DeEcho-Normal   download, ahead of a run
  run_pipeline.py models verify                  are the files still the published ones?
  run_pipeline.py models engine                  what computes them on this machine's processor
  run_pipeline.py --video ep01.mkv --separator HP5+DeEcho-Normal

\b
They are kept in $YUKI_MODELS, else in the user's cache folder (models list says where). Without a network, put a
file there by hand under the name that 'models show' gives. $HF_ENDPOINT names a mirror of the Hugging Face hub.

\b
Exit status: 0 done; 2 a name is unknown, a model is not available, or a file is not the published one.
"""

app = typer.Typer(help=_HELP, epilog=_EPILOG, **SETTINGS)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
_Names = Annotated[list[str] | None, typer.Argument(metavar="NAME|PATH", show_default=False)]

DONE, DIFFERENT = 0, 2


@app.command("list")
def _list(*, as_json: _Json = False) -> int:
    """List the models and what each is for."""
    models = [*map(_shipped_facts, shipped_names()), *map(_model_facts, known_models())]
    voices = voice_models()
    if as_json:
        _print_json([*({**model, "kind": "separator"} for model in models), *voices])
        return DONE
    headings = {
        "shipped": "Shipped with the project",
        "cached": f"Downloaded, in {model_folder()}",
        "available": "Available to download: run_pipeline.py models get NAME",
    }
    width = max(len(model["name"]) for model in models)
    for state, heading in headings.items():
        if rows := [model for model in models if model["state"] == state]:
            print(one_line(heading))
            for row in rows:
                print(f"  {row['name']:<{width}}  {_megabytes(row['size_bytes']):>7}  {row['summary']}")
            print()
    for kind, heading in _VOICE_HEADINGS.items():
        print(one_line(heading))
        for row in (row for row in voices if row["kind"] == kind):
            state = "installed" if row["state"] == "installed" else "missing  "
            print(one_line(f"  {row['name']:<{width}}  {state}  {row['summary']}; {', '.join(row['weights_from'])}"))
        print()
    return DONE


_VOICE_HEADINGS = {
    "embedder": "Speaker embedders: --embedder NAME, also an ONNX file or owner/name on Hugging Face",
    "diarizer": "Diarizers: --diarizer NAME, also a pipeline's folder or owner/name on Hugging Face",
    "transcriber": "Transcribers: --transcriber NAME, also a model's folder or owner/name on Hugging Face; extra asr",
}


@app.command("show")
def _show(name: Annotated[str, typer.Argument(metavar="NAME|PATH")], *, as_json: _Json = False) -> int:
    """Show what is known of a model or a file.

    For a file on this machine also what its weights say: network, sizes, band plan, hashes.
    """
    voices = {row["name"]: row for row in voice_models()}
    if name in voices and not Path(name).is_file():
        if as_json:
            _print_json(voices[name])
        else:
            _print_facts(voices[name])
        return DONE
    model = None if Path(name).is_file() or name in shipped_names() else find_model(name)
    if model is not None:
        path, facts = cached_path(model), _model_facts(model)
    else:
        path = find_checkpoint(name, download=False)
        facts = _shipped_facts(name) if name in shipped_names() else {"name": path.name, "path": str(path)}
    if path.is_file():
        facts |= _file_facts(path)
    if as_json:
        _print_json(facts)
    else:
        _print_facts(facts)
    return DONE


@app.command("get")
def _get(names: Annotated[list[str], typer.Argument(metavar="NAME")], *, as_json: _Json = False) -> int:
    """Download models ahead of a run.

    Each is checked by size and hash. Models that are there already are not downloaded again.
    """
    got = []
    for name in (name for chain in names for name in parse_chain(chain)):
        model = find_model(name)
        if name in TRANSCRIBERS and not Path(name).exists():
            with _shown(name) as progress:
                path = TRANSCRIBERS[name].fetch(progress=progress)
        elif model is None:
            path = find_checkpoint(name, download=False)  # a shipped one or a file has nothing to get
        else:
            with _shown(model.name) as progress:
                path = get_model(model, progress=progress)
        got.append({"name": model.name if model else name, "path": str(path)})
        if not as_json:
            print(one_line(f"{got[-1]['name']}: {path}"))
    if as_json:
        _print_json(got)
    return DONE


@app.command("engine")
def _engine(*, as_json: _Json = False) -> int:
    """Show how this processor runs the networks, and why if it is the slower way."""
    from video_preprocessing.uvr5.separator import cpu_engine

    name = cpu_engine()
    if as_json:
        _print_json({"engine": name})
    else:
        print(one_line(name))
    return DONE


@app.command("verify")
def _verify(names: _Names = None, *, as_json: _Json = False) -> int:
    """Compare model files with the published ones.

    Checks all downloaded models and the installed speech models, or only those that are named. A transcriber's folder
    is loaded as well.
    """
    voices = {row["name"] for row in voice_models()}
    paths = []
    for name in names or ():
        is_voice = name in voices and not Path(name).exists()
        if Path(name).is_dir():
            paths += model_files(Path(name))
            continue
        if is_voice and not installed_files(name):
            raise CheckpointError("its weights are not on this machine", where=name, remedy=f"see: models show {name}")
        paths += installed_files(name) if is_voice else [find_checkpoint(name, download=False)]
    if not names:
        paths = [path for model in known_models() if (path := cached_path(model)).is_file()]
        if not paths and not as_json:
            print(one_line(f"nothing is downloaded in {model_folder()}"))
        paths += installed_files()
    results = []
    for path in paths:
        try:
            voice = check_file(path)
            if voice is None:
                model, verification = verify_file(path)
        except OSError as e:
            raise CheckpointError(f"cannot be read ({e.strerror or e})", where=path) from e
        found = voice or {"name": model.name if model else None, "path": str(path), **verification.to_dict()}
        results.append(found)
        if not as_json:
            print(one_line(_verdict(results[-1])))
    if as_json:
        _print_json(results)
    return DIFFERENT if any(result["check"] == Check.DIFFERS for result in results) else DONE


def _verdict(result: dict[str, Any]) -> str:
    name = f" ({result['name']})" if result["name"] else ""
    words = {
        Check.OK: f"ok, by {result['by']}",
        Check.UNKNOWN: "unknown: no hash is published to compare with",
        Check.DIFFERS: f"differs: {result['by']} is {result['found']}, published is {result['expected']}; "
        "remove it and get it again, if you did not change it",
    }
    return f"{result['path']}{name}: {words[result['check']]}"


def _model_facts(model: KnownModel) -> dict[str, Any]:
    path = cached_path(model)
    return {
        "name": model.name,
        "state": "cached" if path.is_file() else "available",
        "summary": model.summary,
        "purpose": model.purpose,
        "kept": model.kept,
        "path": str(path),
        **model.to_dict(),
    }


def _shipped_facts(name: str) -> dict[str, Any]:
    path = find_checkpoint(name)
    return {
        "name": name,
        "state": "shipped",
        "summary": "Dialogue out of music, effects and noise; trained by this project, the default.",
        "purpose": "vocals",
        "kept": "vocals",
        "path": str(path),
        "size_bytes": path.stat().st_size,
    }


def _file_facts(path: Path) -> dict[str, Any]:
    """What only the file itself can tell. Loads it."""
    facts: dict[str, Any] = {"size_bytes": path.stat().st_size, "sha256": sha256_of(path), "uvr_md5": uvr_md5(path)}
    if is_mdx(path):
        return {**facts, "architecture": "mdx-net"}
    try:
        return facts | _network_facts(load_checkpoint(path))
    except YukiError as e:
        return {**facts, "problem": str(e)}


def _network_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    sizes, model = checkpoint.sizes, checkpoint.model
    facts = {
        "architecture": f"vr-{sizes.generation}",
        "nout": sizes.nout,
        "nout_lstm": sizes.nout_lstm,
        "weights": sum(t.numel() for t in checkpoint.state.values()),
        "mask_gives": checkpoint.stems[0],
        "residual_is": checkpoint.stems[1],
        "keep": checkpoint.voice,
        "assumed": list(checkpoint.assumed),
    }
    if checkpoint.own is not None:
        return facts | {"signal_path": checkpoint.own.path.to_dict(), "notes": checkpoint.own.notes}
    return facts | {"band_plan": getattr(checkpoint.path, "name", None), "published_as": model.name if model else None}


def _print_facts(facts: dict[str, Any]) -> None:
    shown = {key: value for key, value in facts.items() if value not in (None, [], {}, "")}
    width = max(map(len, shown))
    for key, value in shown.items():
        for number, line in enumerate(_lines(value)):
            print(one_line(f"{key if number == 0 else '':<{width}}  {line}"))


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key} {part}" for key, part in value.items()]
    return list(map(str, value)) if isinstance(value, list) else [str(value)]


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False))


def _megabytes(size_bytes: int | None) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes else ""


@contextlib.contextmanager
def _shown(name: str) -> Iterator[Progress]:
    """A bar on a terminal while bytes come in; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(one_line(name), total=None)
        yield lambda completed, total: bars.update(task, completed=completed, total=total)
