"""The pyannote backend on a real pipeline: small networks with random weights, in pyannote's own files."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from speech_files import sample_path

from video_preprocessing.speech import detect_speech, load_diarizer
from video_preprocessing.speech.pyannote_backend import annotation_turns
from video_preprocessing.speech.torchaudio_compat import import_pyannote
from yuki_builder.errors import CheckpointError, ConfigError, YukiError
from yuki_builder.records import Span, Turn

PIPELINE: dict[str, Any] = {
    "version": "3.1.0",
    "pipeline": {
        "name": "pyannote.audio.pipelines.SpeakerDiarization",
        "params": {
            "clustering": "AgglomerativeClustering",
            "segmentation": "segmentation.bin",
            "segmentation_batch_size": 8,
            "segmentation_step": 0.5,
            "embedding": "models/embedding.bin",
            "embedding_batch_size": 8,
        },
    },
    "params": {
        "clustering": {"method": "centroid", "min_cluster_size": 1, "threshold": 0.7},
        "segmentation": {"min_duration_off": 0.5},
    },
}


def save(model: Any, specifications: Any, path: Path) -> None:
    """As pyannote's training does: through Lightning's trainer, which pyannote's models add their own part to."""
    from lightning.pytorch import Trainer

    model.specifications = specifications
    model.setup()
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(path)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``segmentation.bin`` (PyanNet, three local speakers) and ``models/embedding.bin`` (x-vectors)."""
    import_pyannote()
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorMFCC
    from pyannote.audio.models.segmentation import PyanNet

    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "models").mkdir()
    torch.manual_seed(0)
    segmentation = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    net = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    save(net, segmentation, folder / "segmentation.bin")
    embedding = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0, classes=["somebody"]
    )
    save(XVectorMFCC(dimension=8), embedding, folder / "models" / "embedding.bin")
    return folder


@pytest.fixture
def pipeline(checkpoints: Path, tmp_path: Path) -> Path:
    """A folder with the pipeline, free to be damaged."""
    folder = tmp_path / "wespeaker pipeline"  # a word that pyannote would take for a kind of model
    shutil.copytree(checkpoints, folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(PIPELINE))
    return folder


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    samples, rate_hz = soundfile.read(sample_path(), dtype="float32")
    path = tmp_path / "vocals.flac"
    soundfile.write(path, samples[8 * rate_hz : 14 * rate_hz], rate_hz)
    return path


def config(folder: Path, **changes: Any) -> None:
    changed = {**PIPELINE, **changes}
    (folder / "config.yaml").write_text(yaml.safe_dump(changed))


def with_params(**params: Any) -> dict[str, Any]:
    return {**PIPELINE["pipeline"], "params": {**PIPELINE["pipeline"]["params"], **params}}


@pytest.mark.slow
def test_a_folder_loads_runs_and_is_repeatable(
    pipeline: Path, speech: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder, capfd: Any
) -> None:
    monkeypatch.chdir("/")  # relative names are meant from the folder, not from here
    diarizer = load_diarizer(pipeline, device="cpu")
    seen: list[tuple[float, float | None]] = []
    turns = diarizer.diarize(speech, [Span(0, 6000)], progress=lambda *p: seen.append(p))
    assert turns
    assert turns == sorted(turns)
    assert turns[0].speaker == "SPEAKER_01"
    firsts = list(dict.fromkeys(t.speaker for t in turns))
    assert firsts == [f"SPEAKER_{i + 1:02d}" for i in range(len(firsts))]
    assert all(0 <= t.start_ms < t.end_ms <= 6100 for t in turns)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)
    assert {total for _, total in seen} == {6.0}
    assert seen[-1] == (6.0, 6.0)
    again = load_diarizer(str(pipeline), device="cpu")
    assert again.diarize(speech, [Span(0, 6000)]) == turns
    assert again.fingerprint == diarizer.fingerprint
    assert not [w for w in recwarn if "pyannote" in w.filename]
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_absolute_names_and_the_config_file_itself(pipeline: Path, speech: Path, tmp_path: Path) -> None:
    wanted = load_diarizer(pipeline, device="cpu").diarize(speech, [Span(0, 6000)])
    absolute = tmp_path / "elsewhere"
    absolute.mkdir()
    params = {"segmentation": str(pipeline / "segmentation.bin"), "embedding": str(pipeline / "models/embedding.bin")}
    config(absolute, pipeline=with_params(**params))
    assert load_diarizer(absolute / "config.yaml", device="cpu").diarize(speech, [Span(0, 6000)]) == wanted


@pytest.mark.slow
def test_the_layout_of_pyannotes_current_pipeline(pipeline: Path, speech: Path) -> None:
    """speaker-diarization-community-1: one folder per model, VBx clustering on a PLDA in two arrays of numbers."""
    rng = np.random.default_rng(0)
    for name, file in (("segmentation", "segmentation.bin"), ("embedding", "models/embedding.bin")):
        (pipeline / name).mkdir()
        (pipeline / file).rename(pipeline / name / "pytorch_model.bin")
    (pipeline / "plda").mkdir()
    arrays = {"mean1": rng.normal(size=8), "mean2": rng.normal(size=4), "lda": rng.normal(size=(8, 4))}
    np.savez(pipeline / "plda" / "xvec_transform.npz", **arrays)
    np.savez(pipeline / "plda" / "plda.npz", mu=np.zeros(4), tr=np.eye(4), psi=np.array([4.0, 3.0, 2.0, 1.0]))
    params = {name: f"$model/{name}" for name in ("segmentation", "embedding", "plda")}
    config(
        pipeline,
        pipeline=with_params(clustering="VBxClustering", **params),
        params={"clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}, "segmentation": {"min_duration_off": 0.0}},
    )
    turns = load_diarizer(pipeline, device="cpu").diarize(speech, [Span(0, 6000)])
    assert turns[0].speaker == "SPEAKER_01"


@pytest.mark.slow
def test_a_pipeline_that_asks_for_the_number_of_speakers_is_named(pipeline: Path, speech: Path) -> None:
    config(
        pipeline,
        pipeline=with_params(clustering="KMeansClustering"),
        params={"segmentation": {"min_duration_off": 0.0}},
    )
    with pytest.raises(ConfigError, match="this pipeline cannot diarize: num_speakers must be provided"):
        load_diarizer(pipeline, device="cpu").diarize(speech, [Span(0, 6000)])


@pytest.mark.slow
def test_the_fingerprint_follows_the_weights_and_the_settings(pipeline: Path) -> None:
    import torch

    before = load_diarizer(pipeline, device="cpu").fingerprint
    config(pipeline, params={**PIPELINE["params"], "segmentation": {"min_duration_off": 0.1}})
    settings = load_diarizer(pipeline, device="cpu").fingerprint
    config(pipeline)
    checkpoint = torch.load(pipeline / "segmentation.bin", weights_only=False)
    checkpoint["state_dict"]["classifier.bias"] += 1
    torch.save(checkpoint, pipeline / "segmentation.bin")
    assert len({before, settings, load_diarizer(pipeline, device="cpu").fingerprint}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silence", "short", "no number", "no samples", "8 kHz stereo"])
def test_odd_audio_does_no_harm(pipeline: Path, tmp_path: Path, kind: str) -> None:
    path, rate_hz = tmp_path / "a.wav", 8000 if kind == "8 kHz stereo" else 16000
    samples = {
        "silence": np.zeros(48_000),
        "short": np.full(160, 0.1),
        "no number": np.full(48_000, np.nan),
        "no samples": np.zeros(0),
        "8 kHz stereo": np.random.default_rng(0).uniform(-1, 1, (24_000, 2)),
    }[kind]
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    turns = load_diarizer(pipeline, device="cpu").diarize(path, [Span(0, 3000)])
    assert all(t.start_ms < t.end_ms for t in turns)
    assert load_diarizer(pipeline, device="cpu").diarize(path, []) == []


class Malicious:
    """What a checkpoint can do that is read without restriction."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["segmentation.bin", "models/embedding.bin"])
def test_a_malicious_checkpoint_is_refused_unread(pipeline: Path, tmp_path: Path, file: str) -> None:
    import torch

    checkpoint = torch.load(pipeline / file, weights_only=False)
    checkpoint["hyper_parameters"]["extra"] = Malicious(tmp_path / "attacked")
    torch.save(checkpoint, pipeline / file)
    with pytest.raises(CheckpointError, match=r"refused: a checkpoint holds \S*mkdir, which could run code"):
        load_diarizer(pipeline, device="cpu")
    assert not (tmp_path / "attacked").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pickle.dumps({"state_dict": {}}), "not a usable pyannote pipeline|refused"),
        (b"", "not a usable pyannote pipeline"),
        (b"not a checkpoint at all", "refused: a checkpoint is not readable as weights"),
        (None, "names a model that is not there: segmentation.bin"),
    ],
)
def test_a_broken_checkpoint_is_named(pipeline: Path, content: bytes | None, says: str) -> None:
    if content is None:
        (pipeline / "segmentation.bin").unlink()
    else:
        (pipeline / "segmentation.bin").write_bytes(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        load_diarizer(pipeline, device="cpu")
    assert str(pipeline) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_model_folder_that_is_not_there_is_named(pipeline: Path) -> None:
    config(pipeline, pipeline=with_params(segmentation="$model/segmentation"))
    with pytest.raises(CheckpointError, match=r"segmentation/pytorch_model\.bin: cannot be read: No such file"):
        load_diarizer(pipeline, device="cpu")


@pytest.mark.slow
def test_a_checkpoint_of_tensors_that_is_no_model_is_named(pipeline: Path) -> None:
    import torch

    torch.save({"state_dict": {"a": torch.zeros(1)}}, pipeline / "segmentation.bin")
    with pytest.raises(CheckpointError, match="not a usable pyannote pipeline: KeyError"):
        load_diarizer(pipeline, device="cpu")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pipeline: [", "broken YAML"),
        ("\x00\x01", "broken YAML"),
        ("", "names no pipeline class"),
        ("- a list", "names no pipeline class"),
        ("pipeline: {params: {}}", "names no pipeline class"),
        ("pipeline: {name: 7}", "names no pipeline class"),
        ("pipeline: {name: subprocess.Popen, params: {args: [touch, attacked]}}", "none of pyannote's own pipelines"),
        ("pipeline: {name: pyannote.audio.pipelines.SpeakerDiarization, params: 3}", "names no pipeline class"),
    ],
)
def test_a_broken_or_malicious_config_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(CheckpointError, match=says):
        load_diarizer(tmp_path, device="cpu")


@pytest.mark.slow
def test_what_the_config_would_import_beyond_the_pipeline_is_not_imported(pipeline: Path, tmp_path: Path) -> None:
    marker = tmp_path / "attacked"
    config(pipeline, preprocessors={"audio": {"name": "os.mkdir", "params": {"path": str(marker)}}}, device="cuda:7")
    load_diarizer(pipeline, device="cpu")
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pipeline": {**PIPELINE["pipeline"], "name": "pyannote.audio.pipelines.NoSuch"}}, "AttributeError"),
        ({"pipeline": with_params(clustering="NoSuch")}, "ValueError: clustering must be one of"),
        ({"pipeline": with_params(no_such_parameter=1)}, "TypeError"),
        ({"dependencies": {"pyannote.audio": "99.0.0"}, "version": None}, "made for another version|usable"),
    ],
)
def test_a_config_that_does_not_fit_is_named(pipeline: Path, change: dict[str, Any], says: str) -> None:
    changed = {k: v for k, v in {**PIPELINE, **change}.items() if v is not None}
    (pipeline / "config.yaml").write_text(yaml.safe_dump(changed))
    with pytest.raises(CheckpointError, match=says):
        load_diarizer(pipeline, device="cpu")


class Hub:
    """A Hugging Face of one process: serves files, refuses with the hub's own codes, notes who asked for what."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.asked.append((self.path, self.headers.get("Authorization")))
                name = self.path.strip("/").replace("/resolve/main", "")
                status, code = hub.refusals.get(name, (200, "") if name in hub.files else (404, "EntryNotFound"))
                content = hub.files[name] if status == 200 else b""
                self.send_response(status)
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("ETag", hashlib.sha256(content).hexdigest())
                self.send_header("Content-Length", str(len(content)))
                if code:
                    self.send_header("X-Error-Code", code)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            do_GET = do_HEAD

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub()
    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # whatever the tests are run under
    for variable in ("HF_TOKEN", "HUGGINGFACE_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    yield hub
    hub.server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (
            403,
            "GatedRepo",
            r"^owner/pipeline: the model is gated\. Accept its conditions at https://hf\.co/owner/pipe",
        ),
        (401, "RepoNotFound", "^owner/pipeline: no such model on Hugging Face, or it is private"),
        (404, "EntryNotFound", r"^owner/pipeline: no pyannote pipeline or model: it holds no config\.yaml"),
        (418, "", "^owner/pipeline: Hugging Face answered with status 418"),
    ],
)
def test_what_the_hub_answers_is_one_clear_line(hub: Hub, status: int, code: str, says: str) -> None:
    hub.refusals["owner/pipeline/config.yaml"] = (status, code)
    with pytest.raises(ConfigError, match=says) as caught:
        load_diarizer("owner/pipeline", device="cpu")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_without_a_network_the_line_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"^owner/pipeline: the model cannot be downloaded\. Check the network"):
        load_diarizer("owner/pipeline", device="cpu")
    assert not [path for path, _ in hub.asked if "resolve" in path]


@pytest.mark.parametrize("variable", ["HF_TOKEN", "HUGGINGFACE_TOKEN"])
def test_the_token_comes_from_the_environment(hub: Hub, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "hf_secret")
    hub.refusals["pyannote/speaker-diarization-community-1/config.yaml"] = (403, "GatedRepo")
    with pytest.raises(ConfigError) as caught:
        load_diarizer("pyannote", device="cpu")
    assert ("/pyannote/speaker-diarization-community-1/resolve/main/config.yaml", "Bearer hf_secret") in hub.asked
    assert "hf_secret" not in str(caught.value)


@pytest.mark.slow
def test_a_pipeline_is_fetched_from_the_hub_and_runs(hub: Hub, pipeline: Path, speech: Path, capfd: Any) -> None:
    wanted = load_diarizer(pipeline, device="cpu").diarize(speech, detect_speech(speech))
    config(pipeline, pipeline=with_params(segmentation="owner/segmentation", embedding="pyannote/embedding"))
    hub.files["owner/pipeline/config.yaml"] = (pipeline / "config.yaml").read_bytes()
    hub.files["owner/segmentation/pytorch_model.bin"] = (pipeline / "segmentation.bin").read_bytes()
    hub.files["pyannote/embedding/pytorch_model.bin"] = (pipeline / "models" / "embedding.bin").read_bytes()
    diarizer = load_diarizer("owner/pipeline", device="cpu")
    assert diarizer.name == "owner/pipeline"
    assert diarizer.diarize(speech, detect_speech(speech)) == wanted
    # A model that the pipeline is made of may be gated on its own: that one is named, and nothing is printed.
    hub.refusals["owner/gated/pytorch_model.bin"] = (403, "GatedRepo")
    config(pipeline, pipeline=with_params(segmentation="owner/gated"))
    capfd.readouterr()
    with pytest.raises(ConfigError, match=r"^owner/gated: the model is gated"):
        load_diarizer(pipeline, device="cpu")
    assert capfd.readouterr().out == ""


def test_turns_of_old_and_new_pipelines() -> None:
    from pyannote.core import Annotation, Segment

    old = Annotation()
    old[Segment(3.0, 4.0), "a"] = "SPEAKER_00"
    old[Segment(0.5004, 2.0), "b"] = "SPEAKER_07"
    old[Segment(1.0, 1.5), "c"] = "SPEAKER_00"
    old[Segment(2.0, 2.0002), "d"] = "nobody"

    class Output:
        speaker_diarization = old
        exclusive_speaker_diarization = Annotation()

    wanted = [Turn(500, 2000, "SPEAKER_01"), Turn(1000, 1500, "SPEAKER_02"), Turn(3000, 4000, "SPEAKER_02")]
    assert annotation_turns(old) == annotation_turns(Output()) == wanted


def test_every_refusal_is_the_users_to_mend(tmp_path: Path) -> None:
    for wrong in ("owner/name/more", ".hidden/name", "name", str(tmp_path)):
        with pytest.raises(YukiError) as caught:
            load_diarizer(wrong, device="cpu")
        assert caught.value.exit_status == 2
