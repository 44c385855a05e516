"""Trains a dialogue separation network: ``python -m video_preprocessing.uvr5.train --speech DIR --music DIR``.

Examples are mixed on the fly (``mixing.py``), step k of a seed always from the same draw, so that a run that is
interrupted and started again goes on as if nothing had happened. The run folder holds ``state.pt`` (resume),
``log.jsonl`` and ``best.safetensors`` (the moving average of the weights with the best held-out score), which
``--separator runs/dialogue/best.safetensors`` takes as it is.

The loss is what the result is judged by: the error of the masked *complex* spectrogram, in decibels, so that quiet
and loud examples count alike (a scale-dependent SNR; Le Roux et al., *SDR - half-baked or well done?*, 2019), beside
the distance of compressed magnitudes, which keeps weak consonants alive. The auxiliary output takes the same.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from video_preprocessing.uvr5.checkpoints import Checkpoint, NetConfig, load_checkpoint, save_checkpoint
from video_preprocessing.uvr5.engine.optimise import keeping_freed_memory
from video_preprocessing.uvr5.network.nets import CascadedNet
from video_preprocessing.uvr5.signal.path import SignalPath
from video_preprocessing.uvr5.signal.singleband import mid_side, network_input, stft
from video_preprocessing.uvr5.training.mixing import Mixer, MixSettings, find_audio, load_pool
from yuki_builder.errors import ConfigError, YukiError

AUX_WEIGHT = 0.3
MAGNITUDE_WEIGHT = 20.0
LEVEL_JITTER_DB = 9.0
# The shape of the shipped network, beside the defaults of ``SignalPath``.
WIDTH, LSTM = 16, 128


@dataclass(frozen=True)
class TrainSettings:
    """One training run.

    Attributes:
        steps: optimiser steps; the learning rate falls along a cosine to their end.
        batch: examples a step.
        frames: of one example; a multiple of 16.
        learning_rate: at its peak.
        seed: of weights, dropout and every draw.
        check_every: steps between two looks at the held-out mixtures.
        bfloat16: run the network in half precision; twice as fast where the processor has it.
        held_out: share of voices and pieces never trained on, where no dev folders are given.
        codec: share of the mixtures, trained on and held out, that go through a lossy codec.
        ambience: share of them with other sounds than music.
        patience: so many checks in a row that bring nothing better end the run; 0 for none.
    """

    steps: int = 1500
    batch: int = 4
    frames: int = 192
    learning_rate: float = 2e-3
    seed: int = 0
    check_every: int = 100
    held_out: float = 0.06
    bfloat16: bool = False
    codec: float = MixSettings.codec
    ambience: float = MixSettings.ambience
    patience: int = 0


# What the shipped checkpoint was made with: one run after the other, each begun with the best moment of the one before.
RECIPES: dict[str, tuple[TrainSettings, ...]] = {
    "dialogue": (
        TrainSettings(steps=1700, seed=0, bfloat16=True, codec=0.0, ambience=0.0),
        TrainSettings(steps=500, seed=1, bfloat16=True, ambience=0.0, learning_rate=6e-4),
        TrainSettings(steps=4000, seed=2, bfloat16=True, learning_rate=1e-3, check_every=200),
    )
}


def separation_loss(mask: torch.Tensor, mixture: torch.Tensor, dialogue: torch.Tensor) -> torch.Tensor:
    """How far the masked mixture is from the dialogue; a scalar, lower is better.

    Args:
        mask: shape (N, 2, bins, frames), real.
        mixture: the same shape, complex.
        dialogue: the same shape, complex.

    Shape:
        mask: (N, 2, bins, frames) real; mixture, dialogue: the same shape, complex.
    """
    estimate = mixture * mask

    def energy(x: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(x).square().sum((1, 2, 3, 4))

    everything = energy(mixture)
    # The floors make silence a finite target: -20 dB of the mixture for the dialogue, -40 dB for the error.
    error_db = 10 * torch.log10(
        (energy(estimate - dialogue) + 1e-4 * everything) / (energy(dialogue) + 1e-2 * everything) + 1e-10
    )
    scale = (everything / mixture[0].numel()).sqrt().clamp_min(1e-6)[:, None, None, None]
    compressed = ((estimate.abs() / scale + 1e-4).pow(0.4) - (dialogue.abs() / scale + 1e-4).pow(0.4)).abs()
    return error_db.mean() + MAGNITUDE_WEIGHT * compressed.mean()


def si_sdr_db(estimate: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Scale-invariant signal-to-distortion ratio over the last axis, dB (Le Roux et al. 2019)."""
    scale = (estimate * reference).sum(-1, keepdim=True) / reference.square().sum(-1, keepdim=True).clamp_min(1e-12)
    target = scale * reference
    return 10 * torch.log10(target.square().sum(-1) / (estimate - target).square().sum(-1).clamp_min(1e-12))


@dataclass(frozen=True)
class Batch:
    """Spectrograms of one step: (N, 2, bins, frames) complex, mid and side."""

    mixture: torch.Tensor
    dialogue: torch.Tensor


def draw_batch(
    mixer: Mixer, path: SignalPath, *, seed: int, step: int, batch: int, frames: int, device: torch.device
) -> Batch:
    """The examples of one step, the same for every run of that seed.

    Args:
        mixer: makes the examples.
        path: the network's signal path.
        seed: of the run.
        step: of the run.
        batch: how many examples.
        frames: how long each is.
        device: where the batch goes.
    """
    rng = np.random.default_rng((seed, step))
    samples = (frames - 1) * path.hop_samples(mixer.sample_rate_hz)
    drawn = [mixer.draw(rng, samples) for _ in range(batch)]
    dialogue = torch.from_numpy(np.stack([e.dialogue for e in drawn])).to(device)
    background = torch.from_numpy(np.stack([e.background for e in drawn])).to(device)
    voice = stft(mid_side(dialogue), path, mixer.sample_rate_hz)
    return Batch(voice + stft(mid_side(background), path, mixer.sample_rate_hz), voice)


def see(batch: Batch, path: SignalPath, *, jitter_db: float = 0.0) -> torch.Tensor:
    """What the network is shown of a batch's mixtures.

    ``jitter_db``: how far the level may be off, either way. A whole recording's level is not that of each of
    its moments, so the network must not rely on it.

    Args:
        batch: N examples.
        path: the network's signal path.
        jitter_db: how far the level may be off, either way.
    """
    magnitude = batch.mixture.abs()
    level = magnitude.square().mean((1, 2, 3), keepdim=True).sqrt()
    if jitter_db:
        level = level * 10 ** (jitter_db / 20 * (2 * torch.rand_like(level) - 1))
    return network_input(magnitude, level, path)


def held_out_improvement_db(net: torch.nn.Module, batches: Sequence[Batch], path: SignalPath) -> float:
    """Mean SI-SDR improvement of the mid channel over the mixture, on spectrograms.

    Args:
        net: in evaluation mode.
        batches: examples that are not trained on.
        path: the network's signal path.
    """
    net.eval()
    gains = []
    with torch.no_grad():
        for batch in batches:
            mask = net(see(batch, path))
            mixed, voice = batch.mixture[:, 0], batch.dialogue[:, 0]
            estimate = mixed * mask[:, 0]
            before, after = (
                si_sdr_db(torch.view_as_real(x).flatten(1), torch.view_as_real(voice).flatten(1))
                for x in (mixed, estimate)
            )
            gains.append(after - before)
    return float(torch.cat(gains).mean())


class Run:
    """One training run in its folder: starts, resumes, logs, saves.

    Args:
        folder: where it writes, and resumes from.
        config: sizes of the network.
        settings: of the training.
        device: what it computes on.
        begin_with: a checkpoint of the same sizes to go on from, when nothing is in the folder; None: random weights.
    """

    def __init__(
        self,
        folder: Path,
        config: NetConfig,
        settings: TrainSettings,
        device: torch.device,
        *,
        begin_with: Checkpoint | None = None,
    ) -> None:
        self.folder, self.config, self.settings, self.device = folder, config, settings, device
        torch.manual_seed(settings.seed)
        self.net = config.build().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if begin_with is not None:
            self.net.load_state_dict(begin_with.state)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(0.995), use_buffers=True)  # type: ignore[no-untyped-call]
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.learning_rate, weight_decay=1e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, settings.learning_rate, total_steps=settings.steps + 1, pct_start=0.05, cycle_momentum=False
        )
        self.step, self.best_db, self.best_step = 0, -np.inf, 0

    @property
    def state_file(self) -> Path:
        return self.folder / "state.pt"

    def resume(self) -> bool:
        """Takes up an earlier run's state; False where there is none.

        Raises:
            ConfigError: the folder holds a run with other settings.
        """
        if not self.state_file.is_file():
            return False
        state = torch.load(self.state_file, map_location=self.device, weights_only=True)
        if state["recipe"] != self._recipe():
            raise ConfigError(
                "this folder holds a run with other settings", where=self.folder, remedy="use another --out"
            )
        for part in ("net", "average", "optimiser", "schedule"):
            getattr(self, part).load_state_dict(state[part])
        self.step, self.best_db, self.best_step = state["step"], state["best_db"], state["best_step"]
        return True

    @property
    def finished(self) -> bool:
        """Whether its steps are done, or nothing has become better for too long."""
        waited = (self.step - self.best_step) // self.settings.check_every
        return self.step >= self.settings.steps or 0 < self.settings.patience <= waited

    def save(self) -> None:
        state: dict[str, Any] = {"recipe": self._recipe(), "step": self.step}
        state |= {"best_db": self.best_db, "best_step": self.best_step}
        for part in ("net", "average", "optimiser", "schedule"):
            state[part] = getattr(self, part).state_dict()
        temporary = self.state_file.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(self.state_file)

    def advance(self, batch: Batch) -> float:
        """One optimiser step; its loss."""
        # Dropout and jitter draw from the step's own seed, so that a resumed run repeats what an unbroken one does.
        torch.manual_seed((self.settings.seed << 32) + self.step)
        self.net.train()
        x = see(batch, self.config.path, jitter_db=LEVEL_JITTER_DB).contiguous(memory_format=torch.channels_last)
        # Half precision for the network alone; the loss, which takes logarithms of small errors, stays in single.
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.settings.bfloat16):
            mask, auxiliary = (m.float() for m in self.net(x))
        loss = separation_loss(mask, batch.mixture, batch.dialogue)
        loss = loss + AUX_WEIGHT * separation_loss(auxiliary, batch.mixture, batch.dialogue)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.net)
        self.step += 1
        return float(loss.detach())

    def check(self, held_out: Sequence[Batch]) -> float:
        """Judges the averaged weights and keeps them if they are the best so far."""
        gain_db = held_out_improvement_db(self.average.module, held_out, self.config.path)
        if gain_db > self.best_db:
            self.best_db, self.best_step = gain_db, self.step
            temporary = self.folder / "best.tmp"
            save_checkpoint(temporary, self.config, cast("CascadedNet", self.average.module).state_dict())
            temporary.replace(self.folder / "best.safetensors")
        return gain_db

    def _recipe(self) -> str:
        return json.dumps([self.config.to_dict(), vars(self.settings)], sort_keys=True)


def split_pools(
    speech: Path, music: Path, dev_speech: Path | None, dev_music: Path | None, share: float
) -> tuple[tuple[list[Path], list[Path]], tuple[list[Path], list[Path]]]:
    """(training, held-out) files, each (voices, music); without dev folders every 1/share-th file is held out.

    Args:
        speech: a folder of voices.
        music: a folder of everything else.
        dev_speech: a folder of held-out voices.
        dev_music: a folder of everything else, held out.
        share: 0 to 1: how much is held out where there are no such folders.

    Raises:
        ConfigError: a folder holds no audio.
    """

    def split(folder: Path, dev: Path | None) -> tuple[list[Path], list[Path]]:
        files = find_audio(folder)
        if dev is not None:
            return files, find_audio(dev)
        every = max(2, round(1 / share))
        if len(files) < every:
            raise ConfigError(
                f"{len(files)} files are too few to hold any out", where=folder, remedy="give dev folders"
            )
        return [f for i, f in enumerate(files) if i % every], files[::every]

    voices, pieces = split(speech, dev_speech), split(music, dev_music)
    return (voices[0], pieces[0]), (voices[1], pieces[1])


def make_mixer(files: tuple[Sequence[Path], Sequence[Path]], rate_hz: int, settings: MixSettings) -> Mixer:
    """A mixer over these voices and pieces, loaded into memory.

    Args:
        files: voices, and everything else.
        rate_hz: the sample rate of the mixtures.
        settings: levels, effects, rooms.
    """
    voices = load_pool(files[0], sample_rate_hz=rate_hz, channels=1)
    music = load_pool(files[1], sample_rate_hz=rate_hz, channels=2)
    return Mixer(voices, music, sample_rate_hz=rate_hz, settings=settings)


def _ahead(draw: Any, steps: range) -> Iterator[Batch]:
    """Draws one batch ahead of the network, in a thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(draw, steps.start) if len(steps) else None
        for step in steps:
            assert waiting is not None
            batch = waiting.result()
            if step + 1 < steps.stop:
                waiting = pool.submit(draw, step + 1)
            yield batch


def train(run: Run, mixer: Mixer, held_out: Sequence[Batch]) -> None:
    """Trains to the last step, or as long as it helps, saving at every check.

    Args:
        run: network, optimiser and where they are saved.
        mixer: makes the examples.
        held_out: examples by which the best state is chosen.
    """
    s, path = run.settings, run.config.path

    def draw(step: int) -> Batch:
        return draw_batch(mixer, path, seed=s.seed, step=step, batch=s.batch, frames=s.frames, device=run.device)

    losses: list[float] = []
    begun, first = time.monotonic(), run.step
    for batch in _ahead(draw, range(run.step, run.step if run.finished else s.steps)):
        losses.append(run.advance(batch))
        if run.step % s.check_every and run.step != s.steps:
            continue
        entry = {
            "step": run.step,
            "loss": round(float(np.mean(losses)), 4),
            "held_out_si_sdr_improvement_db": round(run.check(held_out), 3),
            "seconds": round(time.monotonic() - begun, 1),
        }
        run.save()
        with (run.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        remaining_s = (s.steps - run.step) * entry["seconds"] / max(1, run.step - first)
        sys.stderr.write(f"{json.dumps(entry)}  about {remaining_s / 60:.0f} min to go\n")
        losses.clear()
        if run.finished:
            break


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    d, p = TrainSettings(), SignalPath()
    parser = argparse.ArgumentParser(
        prog="python -m video_preprocessing.uvr5.train",
        description="Train a dialogue separation network from folders of clean speech and of music. "
        "Started again with the same arguments, it goes on where it stopped.",
    )
    add = parser.add_argument
    add("--speech", type=Path, required=True, help="folder of clean speech, many voices")
    add("--music", type=Path, required=True, help="folder of music without speech or singing")
    add("--out", type=Path, default=Path("runs/dialogue"), help="run folder (default: %(default)s)")
    add("--dev-speech", type=Path, help="held-out speech; without it some of --speech is held out")
    add("--dev-music", type=Path, help="held-out music")
    add(
        "--recipe",
        choices=sorted(RECIPES),
        help="train as a shipped checkpoint was, one run after the other; nothing else but folders and --device counts",
    )
    add("--steps", type=int, default=d.steps, help="optimiser steps (default: %(default)s)")
    add("--batch", type=int, default=d.batch, help="examples a step (default: %(default)s)")
    add("--frames", type=int, default=d.frames, help="frames an example (default: %(default)s)")
    add("--learning-rate", type=float, default=d.learning_rate, help="peak learning rate (default: %(default)s)")
    add("--width", type=int, default=WIDTH, help="channels of the network (default: %(default)s)")
    add("--lstm", type=int, default=LSTM, help="LSTM features (default: %(default)s)")
    add("--window", type=float, default=p.window_ms, help="of the spectrogram, ms (default: %(default)s)")
    add("--hop", type=float, default=p.hop_ms, help="from frame to frame, ms (default: %(default)s)")
    add("--input-power", type=float, default=p.input_power, help="on the magnitudes (default: %(default)s)")
    add(
        "--begin-with",
        metavar="NAME|PATH",
        help="train this checkpoint further; its shape counts, not the one given here",
    )
    add("--codec", type=float, default=d.codec, help="share of mixtures through a lossy codec (default: %(default)s)")
    add("--ambience", type=float, default=d.ambience, help="share with sounds that are no music (default: %(default)s)")
    add("--seed", type=int, default=d.seed)
    add("--check-every", type=int, default=d.check_every, help="steps between held-out checks (default: %(default)s)")
    add("--patience", type=int, default=d.patience, help="checks without a gain until it stops (default: all steps)")
    add("--bfloat16", action="store_true", help="the network in half precision; faster where the processor has it")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="default here: %(default)s")
    return parser.parse_args(argv)


def run_stage(
    a: argparse.Namespace, settings: TrainSettings, out: Path, config: NetConfig, begin_with: Checkpoint | None
) -> Run:
    """One run, from its beginning or from where it was interrupted, to its end.

    Args:
        a: the command line's arguments.
        settings: of the training.
        out: the folder of the run.
        config: of the network.
        begin_with: a checkpoint to go on from; None: fresh weights.

    Raises:
        YukiError: the folders hold nothing to train on, or ``out`` holds a run with other settings.
    """
    device, rate_hz = torch.device(a.device), 2 * config.path.band_hz
    training, dev = split_pools(a.speech, a.music, a.dev_speech, a.dev_music, settings.held_out)
    out.mkdir(parents=True, exist_ok=True)
    run = Run(out, config, settings, device, begin_with=begin_with)
    resumed = run.resume()
    if resumed and run.finished:
        return run
    sys.stderr.write(f"{out}: {len(training[0])} voice files, {len(training[1])} pieces of music, on {device}\n")
    mix = MixSettings(codec=settings.codec, ambience=settings.ambience)
    # Judged where it matters: dialogue and background at the same level, no example without either.
    judge = make_mixer(dev, rate_hz, replace(mix, level_db=(0.0, 0.0), music_only=0.0, speech_only=0.0))
    held_out = [
        draw_batch(judge, config.path, seed=12345, step=k, batch=4, frames=settings.frames, device=device)
        for k in range(8)
    ]
    if resumed:
        sys.stderr.write(f"going on from step {run.step}\n")
    elif begin_with is not None:
        sys.stderr.write(f"held-out improvement at first: {run.check(held_out):.2f} dB\n")
    with keeping_freed_memory():
        train(run, make_mixer(training, rate_hz, mix), held_out)
    return run


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; the exit status."""
    a = parse(argv)
    given = TrainSettings(
        steps=a.steps,
        batch=a.batch,
        frames=a.frames,
        learning_rate=a.learning_rate,
        seed=a.seed,
        check_every=a.check_every,
        bfloat16=a.bfloat16,
        codec=a.codec,
        ambience=a.ambience,
        patience=a.patience,
    )
    path = SignalPath(window_ms=a.window, hop_ms=a.hop, input_power=a.input_power)
    stages = RECIPES[a.recipe] if a.recipe else (given,)
    config = NetConfig(nout=WIDTH, nout_lstm=LSTM) if a.recipe else NetConfig(a.width, a.lstm, path)
    try:
        begin_with = load_checkpoint(a.begin_with) if a.begin_with and not a.recipe else None
        for number, settings in enumerate(stages, 1):
            notes = f"steps {settings.steps}, batch {settings.batch}, seed {settings.seed}"
            if begin_with is not None:
                config, notes = begin_with.config, f"{begin_with.config.notes}; then {notes}"
            out = a.out if len(stages) == 1 else a.out / str(number)
            run = run_stage(a, settings, out, replace(config, notes=notes), begin_with)
            begin_with = load_checkpoint(str(out / "best.safetensors"))
        best = a.out / "best.safetensors"
        if len(stages) > 1:
            shutil.copyfile(out / "best.safetensors", best.with_suffix(".tmp"))
            best.with_suffix(".tmp").replace(best)
    except YukiError as e:
        sys.stderr.write(f"error: {e}\n")
        return e.exit_status
    sys.stderr.write(f"best held-out improvement {run.best_db:.2f} dB, at step {run.best_step}: {best}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
