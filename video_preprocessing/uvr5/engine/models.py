"""One network with the signal path around it: a stream of stereo blocks in, a stream of the wanted stem out.

``SingleBand`` is the path of the project's own checkpoints, ``MultiBand`` that of the public ones. Both read and
write the sample rate of the recording, in memory that does not grow with its length, and both can begin anywhere: see
``ChainModel.alignment_samples``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from torch.nn import functional as F

from video_preprocessing.devices import choose_device
from video_preprocessing.uvr5.checkpoints import Checkpoint
from video_preprocessing.uvr5.engine.kernels import engine
from video_preprocessing.uvr5.engine.optimise import keeping_freed_memory, prepare, release_freed_memory
from video_preprocessing.uvr5.engine.streams import SampleQueue, resample_stream
from video_preprocessing.uvr5.engine.windows import CPU_AT_ONCE, FrameQueue, MaskNet, MaskStream, Windowing
from video_preprocessing.uvr5.signal.band_plan import BandPlan
from video_preprocessing.uvr5.signal.masks import PostProcess, apply_aggressiveness, mirror
from video_preprocessing.uvr5.signal.multiband import Analyser, Synthesiser
from video_preprocessing.uvr5.signal.path import SignalPath
from video_preprocessing.uvr5.signal.singleband import below_voices, carry_upward, left_right, mid_side, network_input
from video_preprocessing.uvr5.signal.stft import Framer
from yuki_builder.errors import ConfigError
from yuki_builder.records import FloatArray

# Raise when the same weights would give another output: what is already on disk is then made again.
CODE_VERSION = 3

# Below this a window is silence; turning its noise up to the network's working level would invent dialogue.
SILENCE_LEVEL = 1e-6
# How far above the level of all bins one below voices may seem to be.
MOST_BELOW_VOICES = 8.0
PIECE_FRAMES = 128

# What a window may be by default, and how its memory is reckoned: measured peaks, per value of the widest layer and
# per bin of the spectrograms around the network.
_SHORTEST_WINDOW, _LONGEST_WINDOW = 448, 2048
_PEAK_BYTES, _LIBRARIES_BYTES, _BYTES_PER_VALUE, _BYTES_PER_BIN = 1_400_000_000, 400_000_000, 20, 250

# Weights beyond which memory counts more than time: those of the 537238KB family, 550 MB.
_LARGE = 80_000_000

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class SeparatorOptions:
    """What may be set around a checkpoint; the defaults are those of the public tools, but for the window.

    Attributes:
        window_frames: frames of one network window, its context included, a multiple of 16; None for the
            default of the network (``default_window_frames``).
        crossfade: frames over which neighbouring windows fade into each other.
        aggressiveness: 0 to 1 (public tools say 0 to 100): how much harder the mask of a public checkpoint is made;
            None for 0.1 with v5.0 networks and 0 with v5.1 networks.
        test_time_augmentation: everything twice, with shifted windows, and the mean: double the time.
        post_process: move near-silent vocals to the accompaniment.
        high_end: fill what a band plan cuts off at the top with the mirrored band below, where it is quieter.
        precision: of the network: ``float32``, ``bfloat16`` (faster on processors that have it, at an error that
            docs/uvr5.md shows), or ``auto``: half precision on a GPU, float32 elsewhere.
    """

    window_frames: int | None = None
    crossfade: int = 0
    aggressiveness: float | None = None
    test_time_augmentation: bool = False
    post_process: bool = False
    high_end: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise ConfigError(f"unknown precision {self.precision!r}", remedy=f"give {', '.join(get_args(Precision))}")

    def dtype(self, device: torch.device) -> torch.dtype:
        """What the network computes in."""
        if self.precision == "auto":
            return torch.float16 if device.type == "cuda" else torch.float32
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32


class ChainModel(Protocol):
    """A network in a chain.

    Attributes:
        stems: names of what it keeps and of what it takes away.
        needs_peak: whether ``stream`` wants the result of ``measure``.
    """

    stems: tuple[str, str]
    needs_peak: bool

    @property
    def engine(self) -> str:
        """What computes, for people: the same output for the same input, but for rounding."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the output for the same input may change."""

    def alignment_samples(self, sample_rate_hz: int) -> int:
        """A stream that is begun at a multiple of this many samples cuts its windows where an unbroken one does."""

    def warm_up_samples(self, sample_rate_hz: int) -> int:
        """Samples after such a beginning until the output is that of an unbroken stream."""

    def measure(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> float:
        """What has to be known of the whole recording first: its largest magnitude."""

    def stream(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, *, peak: float, both: bool = False
    ) -> Iterator[FloatArray]:
        """The kept stem, block by block, as long as the input; with ``both`` the other one in rows three and four.

        Args:
            blocks: shape (2, any number of samples) each.
            sample_rate_hz: their rate.
            peak: the largest absolute sample of the whole input.
            both: also the other stem.

        Shape:
            (2, any number of samples) float32 each -> (2 or 4, some samples) float32 each
        """


def make_model(
    checkpoint: Checkpoint, *, device: str, options: SeparatorOptions, keep_weights: bool = True
) -> ChainModel:
    """The model of a checkpoint, by its signal path.

    Without ``keep_weights`` the checkpoint's state dict is emptied: the model needs memory for its weights once, not
    twice.

    Args:
        checkpoint: the network with its weights and signal path.
        device: ``cpu`` or ``cuda``.
        options: of the separation.
        keep_weights: False: the checkpoint is not needed any more.
    """
    kind = MultiBand if isinstance(checkpoint.path, BandPlan) else SingleBand
    return kind(checkpoint, device=device, options=options, keep_weights=keep_weights)


def default_window_frames(checkpoint: Checkpoint) -> int:
    """Frames of a window where the user says nothing: as long as memory allows.

    The longer a window, the less of it is context that is thrown away: a v5.0 network keeps half of 512 frames, and
    seven tenths of 896. What comes out differs by less than is heard (docs/uvr5.md); what is bounded is memory.
    """
    if isinstance(checkpoint.path, SignalPath):
        return 1024
    weights = sum(t.numel() * t.element_size() for t in checkpoint.state.values())
    free = _PEAK_BYTES - _LIBRARIES_BYTES - 6 * weights // 5
    width = checkpoint.state["out.weight"].shape[1]
    per_frame = (_BYTES_PER_VALUE * width + _BYTES_PER_BIN) * checkpoint.path.bins
    return min(_LONGEST_WINDOW, max(_SHORTEST_WINDOW, free // per_frame // 128 * 128))


class PlainInput:
    """A public network behind ``windows.MaskNet``: magnitudes go in as they are.

    Args:
        net: the network.
        dtype: of its weights.
        backwards: it was trained on music played backwards, and gets its windows so.
    """

    def __init__(self, net: MaskNet, dtype: torch.dtype, *, backwards: bool = False) -> None:
        self.net, self.dtype, self.backwards = net, dtype, backwards
        self.offset, self.output_bin = net.offset, net.output_bin

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        if self.backwards:
            return self.net.predict_mask(x.flip(-1).to(self.dtype)).flip(-1)
        return self.net.predict_mask(x.to(self.dtype))


class LevelledInput(PlainInput):
    """The project's own networks: every window relative to its own level, compressed.

    The level is that of the frames that are not silent: context before the recording's first frame says nothing. Nor do
    the bins below voices: an offset or a rumble there, audible or not, would make voices seem too quiet to matter. What
    is far above the level there is shown at a bound.

    Args:
        net: the network.
        dtype: what it computes in.
        path: the signal path, which says which bins are below voices.
    """

    def __init__(self, net: MaskNet, dtype: torch.dtype, path: SignalPath) -> None:
        super().__init__(net, dtype)
        self.path = path

    def predict_mask(self, x: torch.Tensor, /) -> torch.Tensor:
        low = below_voices(self.path)
        power = x[:, :, low:].square().mean((1, 2), keepdim=True)
        sounding = power.count_nonzero(dim=-1).clamp_min(1)[..., None]
        level = (power.sum(dim=-1, keepdim=True) / sounding).sqrt().clamp_min(SILENCE_LEVEL)
        seen = torch.cat([torch.minimum(x[:, :, :low], MOST_BELOW_VOICES * level), x[:, :, low:]], dim=2)
        return super().predict_mask(network_input(seen, level, self.path))


class _Network:
    """A checkpoint's network, prepared, with its windows."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, options: SeparatorOptions, keep_weights: bool = True
    ) -> None:
        self.options = options
        self.device = choose_device(device)
        net = checkpoint.build()
        frames = options.window_frames or default_window_frames(checkpoint)
        # The network has the weights now, to be folded and laid out anew; a second copy would only fill memory.
        self.checkpoint = replace(checkpoint, state={})
        if not keep_weights:
            checkpoint.state.clear()
        self.windowing = Windowing(frames, net.offset, options.crossfade, options.test_time_augmentation)
        self.dtype = options.dtype(self.device)
        self.large = sum(p.numel() for p in net.parameters()) > _LARGE
        self.net = prepare(net, self.device, self.dtype)
        release_freed_memory()

    @property
    def engine(self) -> str:
        """What computes, in words."""
        if self.device.type == "cpu" and self.dtype == torch.float32:
            return engine().name
        return f"PyTorch, {str(self.dtype).removeprefix('torch.')} on {self.device}"

    @property
    def fingerprint(self) -> str:
        recipe = f"{CODE_VERSION} {self.checkpoint.sha256} {self.checkpoint.path} {self.checkpoint.voice} "
        recipe += f"{self.windowing} {self.options} {self.dtype}"
        return hashlib.sha256(recipe.encode()).hexdigest()


class SingleBand(_Network):
    """A checkpoint of this project: one band, window and hop as times, so that any sample rate will do.

    Args: as those of :func:`make_model`.

    Raises:
        ConfigError: no such device, or a window without room between its contexts.
    """

    needs_peak = False

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, options: SeparatorOptions, keep_weights: bool = True
    ) -> None:
        super().__init__(checkpoint, device=device, options=options, keep_weights=keep_weights)
        assert isinstance(checkpoint.path, SignalPath)
        self.path = checkpoint.path
        self.stems = ("vocals", "accompaniment")

    def alignment_samples(self, sample_rate_hz: int) -> int:
        return self.windowing.step * self.path.hop_samples(sample_rate_hz)

    def warm_up_samples(self, sample_rate_hz: int) -> int:
        hop, window = self.path.hop_samples(sample_rate_hz), self.path.window_samples(sample_rate_hz)
        return 2 * self.windowing.frames * hop + 2 * window

    def measure(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> float:
        return 0.0

    def stream(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, *, peak: float = 0.0, both: bool = False
    ) -> Iterator[FloatArray]:
        if not both:
            return self._voice(blocks, sample_rate_hz)
        kept = SampleQueue()
        voice = self._voice(kept.passing(blocks), sample_rate_hz)
        return (np.concatenate([v, kept.take(v.shape[1]) - v]) for v in voice)

    def _voice(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> Iterator[FloatArray]:
        framer = Framer(self.path.window_samples(sample_rate_hz), self.path.hop_samples(sample_rate_hz))
        net = LevelledInput(self.net, self.dtype, self.path)
        masks = MaskStream(net, self.windowing, self.device, at_once=CPU_AT_ONCE)
        waiting = FrameQueue()
        with keeping_freed_memory(little=self.large):
            for spec in framer.analyse(blocks):
                spectrum = mid_side(spec.movedim(0, -2)).movedim(-2, 0)
                waiting.push(spectrum)
                yield from self._masked(waiting, masks.push(self._seen(spectrum)), framer)
            yield from self._masked(waiting, masks.finish(), framer)
        yield framer.flush()

    def _seen(self, spectrum: torch.Tensor) -> torch.Tensor:
        magnitude = spectrum[:, : self.path.bins].abs()
        return F.pad(magnitude, (0, 0, 0, self.path.bins - magnitude.shape[1]))

    def _masked(self, waiting: FrameQueue, mask: torch.Tensor, framer: Framer) -> Iterator[FloatArray]:
        # In pieces: the frames above the band and the waveforms of a whole window would be its largest tensors.
        for begin in range(0, mask.shape[-1], PIECE_FRAMES):
            piece = mask[..., begin : begin + PIECE_FRAMES]
            spectrum = waiting.take(piece.shape[-1])
            if self.checkpoint.voice == "residual":
                piece = 1 - piece
            piece = carry_upward(piece, spectrum.abs(), self.path, spectrum.shape[1])
            yield framer.synthesise(left_right((spectrum * piece).movedim(0, -2)).movedim(-2, 0))


class MultiBand(_Network):
    """A public checkpoint in its band plan, as its own tools run it.

    Args: as those of :func:`make_model`.

    Raises:
        ConfigError: no such device, a window without room between its contexts, or options out of range.
    """

    needs_peak = True

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, options: SeparatorOptions, keep_weights: bool = True
    ) -> None:
        super().__init__(checkpoint, device=device, options=options, keep_weights=keep_weights)
        assert isinstance(checkpoint.path, BandPlan)
        wanted = options.aggressiveness
        self.aggressiveness = (0.1 if checkpoint.generation == "5.0" else 0.0) if wanted is None else wanted
        if not 0 <= self.aggressiveness <= 1:
            raise ConfigError(f"invalid aggressiveness: {self.aggressiveness:g}", remedy="give 0 to 1")
        self.plan = checkpoint.path
        mask, residual = checkpoint.stems
        self.stems = (mask, residual) if checkpoint.voice == "mask" else (residual, mask)

    def alignment_samples(self, sample_rate_hz: int) -> int:
        # In phase with the windows, with the resamplers between the bands, and with the one before them all.
        rate_hz = self.plan.sample_rate_hz
        hop = self.plan.bands[-1].hop
        step = math.lcm(self.plan.alignment_samples, self.windowing.step * hop)
        return math.lcm(step, rate_hz // math.gcd(rate_hz, sample_rate_hz)) * sample_rate_hz // rate_hz

    def warm_up_samples(self, sample_rate_hz: int) -> int:
        rate_hz, hop = self.plan.sample_rate_hz, self.plan.bands[-1].hop
        warm_up = self.plan.warm_up_samples + 2 * self.windowing.frames * hop
        return -(-warm_up * sample_rate_hz // rate_hz) + sample_rate_hz // 10

    def measure(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> float:
        frames = self._analysed(blocks, sample_rate_hz, Analyser(self.plan))
        return max((float(combined.abs().max()) for combined, _ in frames if combined.numel()), default=0.0)

    def stream(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, *, peak: float, both: bool = False
    ) -> Iterator[FloatArray]:
        counter = _Counter()
        stems = self._separated(counter.passing(blocks), sample_rate_hz, peak, both)
        written = 0
        for block in resample_stream(stems, self.plan.sample_rate_hz, sample_rate_hz):
            # The resamplers may round the length by a sample; the recording's own length counts.
            fitting = block[:, : counter.samples - written] if counter.ended else block
            written += fitting.shape[1]
            yield fitting
        if written < counter.samples:
            yield np.zeros((4 if both else 2, counter.samples - written), np.float32)

    def _analysed(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, analyser: Analyser
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        for block in resample_stream(blocks, sample_rate_hz, self.plan.sample_rate_hz):
            yield analyser.push(block)
        yield analyser.finish()

    def _separated(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, peak: float, both: bool
    ) -> Iterator[FloatArray]:
        came = _Counter()
        analyser = Analyser(self.plan)
        backwards = self.plan.channels == "reverse"
        masks = MaskStream(PlainInput(self.net, self.dtype, backwards=backwards), self.windowing, self.device)
        stems = _StemWriter(self, both)
        with keeping_freed_memory(little=self.large):
            at_rate = came.passing(resample_stream(blocks, sample_rate_hz, self.plan.sample_rate_hz))
            for combined, high_end in self._analysed(at_rate, self.plan.sample_rate_hz, analyser):
                stems.push(combined, high_end)
                yield from stems.masked(masks.push(combined.abs() * (1 / max(peak, SILENCE_LEVEL))))
            yield from stems.masked(masks.finish())
            yield stems.finish(came.samples)


class _StemWriter:
    """Applies masks to the frames that wait for them and turns both results into waveforms."""

    def __init__(self, model: MultiBand, both: bool) -> None:
        self.model, self.plan, self.both = model, model.plan, both
        self.waiting, self.waiting_high = FrameQueue(), FrameQueue()
        self.post = PostProcess() if model.options.post_process else None
        self.late_mixture, self.late_voice = FrameQueue(), FrameQueue()
        # Where a plan has no room below the pre-filter there is nothing to mirror.
        self.mirrors = model.options.high_end and 0 < self.plan.high_end_bins <= self.plan.pre_filter_start - 10
        self.synthesisers = [Synthesiser(self.plan) for _ in range(2 if both else 1)]

    def push(self, combined: torch.Tensor, high_end: torch.Tensor | None) -> None:
        self.waiting.push(combined)
        if self.mirrors and high_end is not None:
            self.waiting_high.push(high_end)

    def masked(self, mask: torch.Tensor) -> Iterator[FloatArray]:
        """The waveforms of the frames that these masks, and what is done to them, decide."""
        for begin in range(0, mask.shape[-1], PIECE_FRAMES):
            piece = mask[..., begin : begin + PIECE_FRAMES]
            yield from self._sharpened(self.waiting.take(piece.shape[-1]), piece)

    def finish(self, samples: int) -> FloatArray:
        """The rest, when all masks have come."""
        rest = [np.zeros((2 * len(self.synthesisers), 0), np.float32)]
        if self.post is not None:
            rest.extend(self._given_away(self.post.finish()))
        rest.append(np.concatenate([s.finish(samples) for s in self.synthesisers]))
        return np.concatenate(rest, axis=1)

    def _sharpened(self, combined: torch.Tensor, mask: torch.Tensor) -> Iterator[FloatArray]:
        checkpoint = self.model.checkpoint
        mask = apply_aggressiveness(
            mask,
            self.plan,
            self.model.aggressiveness,
            generation=checkpoint.generation,
            primary_is_accompaniment=checkpoint.stems[0] != "vocals",
        )
        voice = mask if checkpoint.voice == "mask" else 1 - mask
        if self.post is None:
            yield self._written(combined, voice)
            return
        self.late_mixture.push(combined)
        self.late_voice.push(voice)
        yield from self._given_away(self.post.push(combined.abs() * voice))

    def _given_away(self, weights: torch.Tensor) -> Iterator[FloatArray]:
        for begin in range(0, len(weights), PIECE_FRAMES):
            piece = weights[begin : begin + PIECE_FRAMES]
            yield self._written(self.late_mixture.take(len(piece)), self.late_voice.take(len(piece)) * (1 - piece))

    def _written(self, combined: torch.Tensor, voice: torch.Tensor) -> FloatArray:
        kept = combined * voice
        dropped = combined - kept
        high_end = self.waiting_high.take(combined.shape[-1]) if self.mirrors else None
        waves = []
        for spectrum, synthesiser in zip((kept, dropped), self.synthesisers, strict=False):
            top = None if high_end is None else mirror(high_end, spectrum, self.plan)
            waves.append(synthesiser.push(spectrum, top))
        return np.concatenate(waves)


class _Counter:
    """Counts the samples of a stream that passes."""

    def __init__(self) -> None:
        self.samples, self.ended = 0, False

    def passing(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        for block in blocks:
            self.samples += block.shape[1]
            yield block
        self.ended = True
