"""Takes the dialogue out of a programme, of any length in constant memory.

The programme is read as a stream, turned into overlapping windows of frames, masked by the network and put
together again by overlap-add. Each window brings ``offset`` frames of context at either end whose mask is thrown
away, so that no frame is judged at an edge; with a mask of one the output is the input, sample for sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from video_preprocessing.uvr5.checkpoints import Checkpoint, load_checkpoint
from video_preprocessing.uvr5.inference import fold_batch_norms, pick_device
from video_preprocessing.uvr5.limiter import PeakLimiter
from video_preprocessing.uvr5.nets import RESOLUTION_STEP, CascadedNet
from video_preprocessing.uvr5.signal_path import carry_upward, left_right, mid_side, network_input
from yuki_builder.errors import ConfigError, MediaError
from yuki_builder.records import FloatArray, Progress, Record, no_progress

# Raise when the same weights would give another output: what is already on disk is then made again.
CODE_VERSION = 1

WINDOW_FRAMES = 1024
BLOCK_SECONDS = 10
# Below this a window is silence; turning its noise up to the network's working level would invent dialogue.
SILENCE_LEVEL = 1e-6


@dataclass(frozen=True)
class Stems:
    """A programme in two parts that add up to it.

    Attributes:
        vocals: dialogue, (channels, samples) float32.
        accompaniment: everything else, the same shape.
        sample_rate_hz: of both.
    """

    vocals: FloatArray
    accompaniment: FloatArray
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class SeparationReport(Record):
    """What became of one file: its length, and how much of the output had to be kept from clipping."""

    duration_ms: int
    sample_rate_hz: int
    channels: int
    limited_ms: int


class Separator:
    """A loaded network with its signal path.

    Args:
        checkpoint: weights, sizes and signal path.
        device: ``auto`` (CUDA where there is one), ``cpu`` or ``cuda``.
        window_frames: frames a network window, context included; a multiple of 16. Longer windows waste
            less on context and take more memory.

    Raises:
        ConfigError: no such device, or a window without room between its contexts.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str = "auto", window_frames: int = WINDOW_FRAMES) -> None:
        if window_frames % RESOLUTION_STEP or window_frames <= 2 * CascadedNet.offset:
            raise ConfigError(
                f"a window of {window_frames} frames",
                remedy=f"give a multiple of {RESOLUTION_STEP} above {2 * CascadedNet.offset}",
            )
        self.checkpoint = checkpoint
        self.path = checkpoint.config.path
        self.device = pick_device(device)
        self.window_frames = window_frames
        net = fold_batch_norms(checkpoint.build())
        self.net = net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, name_or_path: str | Path, *, device: str = "auto", window_frames: int = WINDOW_FRAMES) -> Self:
        """A separator by the name of a shipped checkpoint (``dialogue``) or from a file.

        Raises:
            CheckpointError: no such checkpoint, or not one of this project.
        """
        return cls(load_checkpoint(name_or_path), device=device, window_frames=window_frames)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the output for the same input may change."""
        recipe = f"{CODE_VERSION} {self.checkpoint.sha256} {self.window_frames}"
        return hashlib.sha256(recipe.encode()).hexdigest()

    def separate(self, waveform: FloatArray, sample_rate_hz: int) -> Stems:
        """Separates a waveform held in memory.

        Args:
            waveform: (channels, samples) or (samples,) float32, full scale 1; of more than two channels the
                first two are taken for left and right.
            sample_rate_hz: its rate.

        Returns:
            Stems with as many channels as came in (two at most). Floats do not clip: values above 1 stay.

        Raises:
            ValueError: another shape, or values that are not numbers.
        """
        x = np.atleast_2d(np.asarray(waveform, dtype=np.float32))
        if x.ndim != 2:
            raise ValueError(f"expected (channels, samples), got {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("the waveform holds NaN or infinity")
        x = x[:2]
        blocks = list(self.stream([_stereo(x)], sample_rate_hz))
        vocals = np.concatenate(blocks, axis=1) if blocks else np.zeros((2, 0), np.float32)
        if len(x) == 1:
            vocals = vocals.mean(axis=0, keepdims=True)
        return Stems(vocals, x - vocals, sample_rate_hz)

    def separate_file(self, source: Path, destination: Path, *, progress: Progress = no_progress) -> SeparationReport:
        """Separates an audio file into a FLAC of its dialogue: same rate, same length, 16 bit, no clipping.

        Args:
            source: what soundfile reads (FLAC, WAV, Ogg …).
            destination: FLAC file to write.
            progress: in seconds of audio.

        Raises:
            MediaError: ``source`` cannot be read.
        """
        import soundfile as sf

        try:
            reader = sf.SoundFile(source)
        except sf.LibsndfileError as e:
            raise MediaError(f"not readable as audio ({e.error_string})", where=source) from e
        with reader:
            rate_hz, total = reader.samplerate, reader.frames
            channels = min(2, reader.channels)
            block_samples = BLOCK_SECONDS * rate_hz
            blocks = (_stereo(b.T[:2]) for b in reader.blocks(block_samples, dtype="float32", always_2d=True))
            limiter, written = PeakLimiter(rate_hz), 0
            with sf.SoundFile(destination, "w", rate_hz, channels, format="FLAC", subtype="PCM_16") as writer:
                for vocals in limiter.limit(self.stream(blocks, rate_hz)):
                    writer.write(vocals[:channels].T)
                    written += vocals.shape[1]
                    progress(written / rate_hz, total / rate_hz)
        return SeparationReport(round(written * 1000 / rate_hz), rate_hz, channels, limiter.limited_ms)

    def stream(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> Iterator[FloatArray]:
        """Dialogue of a stream of blocks, block by block and of the same total length.

        Shape:
            (2, any number of samples) float32 each -> (2, some samples) float32 each
        """
        framer = _Framer(self.path.window_samples(sample_rate_hz), self.path.hop_samples(sample_rate_hz))
        context, core = CascadedNet.offset, self.window_frames - 2 * CascadedNet.offset
        came, done = 0, 0
        held = framer.silence(context)
        for spec in framer.analyse(blocks):
            held = torch.cat([held, spec], dim=-1)
            came += spec.shape[-1]
            while held.shape[-1] >= self.window_frames:
                yield framer.synthesise(self._masked(held[..., : self.window_frames], core))
                held = held[..., core:]
                done += core
        while done < came:
            window = torch.cat([held, framer.silence(max(0, self.window_frames - held.shape[-1]))], dim=-1)
            frames = min(core, came - done)
            yield framer.synthesise(self._masked(window[..., : self.window_frames], frames))
            held = held[..., core:]
            done += frames
        yield framer.flush()

    @torch.inference_mode()
    def _masked(self, window: torch.Tensor, frames: int) -> torch.Tensor:
        """The dialogue in the first ``frames`` frames after a window's context.

        Shape:
            window: (2, bins, window_frames) complex, left and right -> (2, bins, frames)
        """
        window = mid_side(window.movedim(0, -2)).movedim(-2, 0)
        magnitude = window.abs()
        in_band = magnitude[:, : self.path.bins].square().mean((0, 1))
        level = float((in_band.sum() / in_band.count_nonzero().clamp_min(1)).sqrt())
        x = network_input(magnitude[None].to(self.device), max(level, SILENCE_LEVEL), self.path)
        mask = self.net.predict_mask(x.contiguous(memory_format=torch.channels_last))[0].cpu()[..., :frames]
        if self.checkpoint.config.primary == "accompaniment":
            mask = 1 - mask
        core = slice(CascadedNet.offset, CascadedNet.offset + frames)
        mask = carry_upward(mask, magnitude[..., core], self.path, window.shape[1])
        return left_right((window[..., core] * mask).movedim(0, -2)).movedim(-2, 0)


class _Framer:
    """Streaming STFT and its inverse: blocks of samples in, blocks of frames out, and back.

    A margin of silence before and after the programme gives its first and last samples as many frames as all
    others; it is taken off again at the end.
    """

    def __init__(self, window_samples: int, hop_samples: int) -> None:
        self.n, self.hop = window_samples, hop_samples
        self.window = torch.hann_window(window_samples)
        self.margin = -(-window_samples // hop_samples) * hop_samples
        self.samples_in = 0
        self.samples_out = -self.margin
        self.tail = torch.zeros(2, window_samples - hop_samples)
        self.envelope = torch.zeros(window_samples - hop_samples)

    def silence(self, frames: int) -> torch.Tensor:
        """(2, bins, frames) of zeros."""
        return torch.zeros(2, self.n // 2 + 1, frames, dtype=torch.complex64)

    def analyse(self, blocks: Iterable[FloatArray]) -> Iterator[torch.Tensor]:
        """(2, samples) blocks to (2, bins, frames) complex blocks."""
        rest = torch.zeros(2, self.margin)
        for block in blocks:
            self.samples_in += block.shape[1]
            rest = torch.cat([rest, torch.from_numpy(np.ascontiguousarray(block))], dim=1)
            spec, rest = self._frames(rest)
            if spec is not None:
                yield spec
        # A margin of silence, and then some, so that the last frame is whole.
        spec, _ = self._frames(torch.cat([rest, torch.zeros(2, self.margin + self.hop)], dim=1))
        if spec is not None:
            yield spec

    def _frames(self, x: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        count = (x.shape[1] - self.n) // self.hop + 1
        if count < 1:
            return None, x
        frames = x.unfold(1, self.n, self.hop)[:, :count] * self.window
        spec = torch.fft.rfft(frames).transpose(1, 2) * (2.0 / self.n)
        return spec, x[:, count * self.hop :]

    def synthesise(self, spec: torch.Tensor) -> FloatArray:
        """(2, bins, frames) complex to (2, samples): the samples that no later frame can change."""
        count = spec.shape[-1]
        frames = torch.fft.irfft(spec.transpose(1, 2) * (self.n / 2.0), self.n) * self.window
        length = (count - 1) * self.hop + self.n
        total = torch.nn.functional.fold(
            torch.cat([frames, self.window.square().expand(1, count, self.n)]).transpose(1, 2),
            (1, length),
            (1, self.n),
            stride=(1, self.hop),
        )[:, 0, 0]
        keep = self.n - self.hop
        total[:2, :keep] += self.tail
        total[2, :keep] += self.envelope
        done = count * self.hop
        self.tail, self.envelope = total[:2, done:].clone(), total[2, done:].clone()
        return self._emit(total[:2, :done] / total[2, :done].clamp_min(1e-6))

    def flush(self) -> FloatArray:
        """What is left in the overlap."""
        return self._emit(self.tail / self.envelope.clamp_min(1e-6))

    def _emit(self, x: torch.Tensor) -> FloatArray:
        """Counts samples, and cuts the margins before the programme and behind it."""
        begin = max(0, -self.samples_out)
        end = self.samples_in - self.samples_out
        self.samples_out += x.shape[1]
        return x[:, begin : max(begin, end)].numpy()


def _stereo(x: FloatArray) -> FloatArray:
    return x if len(x) == 2 else np.repeat(x[:1], 2, axis=0)
