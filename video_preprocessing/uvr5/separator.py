"""Separates the dialogue from a recording: one network or a chain of them, any length, in constant memory.

``Separator.load("dialogue")`` is the project's own network, ``Separator.load("HP5+DeEcho-Normal")`` two public ones
one after the other. A file is read, separated and written as a stream; what an interrupted run left is taken up again.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from video_preprocessing.uvr5.checkpoints import is_mdx, load_checkpoint, parse_chain
from video_preprocessing.uvr5.engine.kernels import engine
from video_preprocessing.uvr5.engine.models import ChainModel, SeparatorOptions, make_model
from video_preprocessing.uvr5.engine.resuming import Unfinished, identity
from video_preprocessing.uvr5.signal.limiter import PeakLimiter
from yuki_builder.errors import MediaError
from yuki_builder.records import FloatArray, Progress, Record, no_progress
from yuki_builder.threads import in_thread, written_in_thread

if TYPE_CHECKING:
    import soundfile

__all__ = ["SeparationReport", "Separator", "SeparatorOptions", "Stems", "cpu_engine"]

BLOCK_SECONDS = 5
LARGEST_FLAC_CHANNELS = 8
# Channels in the order of WAV and FLAC that belong together: front, centre, low frequencies, then pairs again.
_SURROUND = {6: ((0, 1), (2,), (3,), (4, 5)), 8: ((0, 1), (2,), (3,), (4, 5), (6, 7))}
# The first pass of a network that wants the whole recording's peak, as a share of the whole work.
_MEASURING = 0.05


@dataclass(frozen=True)
class Stems:
    """A recording in two parts.

    They add up to it for the project's own networks. Public ones work in bands that leave a little out, as in their
    own tools; the parts then add up to what the bands let through.

    Attributes:
        vocals: what is kept, the dialogue: (channels, samples) float32.
        accompaniment: everything else, the same shape.
        sample_rate_hz: of both.
    """

    vocals: FloatArray
    accompaniment: FloatArray
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class SeparationReport(Record):
    """What became of one file.

    Attributes:
        duration_ms: of the audio.
        sample_rate_hz: of it.
        channels: of it.
        limited_ms: how much of the output had to be kept from clipping.
        resumed_ms: how much of it an earlier, interrupted run had done, added up over the models of a chain.
    """

    duration_ms: int
    sample_rate_hz: int
    channels: int
    limited_ms: int
    resumed_ms: int = 0


def cpu_engine() -> str:
    """What computes networks in single precision on this machine's processor, in words; built now if it never was."""
    return engine().name


class Separator:
    """One model, or several that each work on what the one before them kept.

    Args:
        models: in the order of their work.
        notes: what had to be assumed of a checkpoint that nobody listed, a sentence each.
    """

    def __init__(self, models: Sequence[ChainModel], *, notes: Sequence[str] = ()) -> None:
        self.models = tuple(models)
        self.notes = tuple(notes)

    @classmethod
    def load(
        cls,
        name_or_path: str | Path,
        *,
        device: str = "auto",
        window_frames: int | None = None,
        band_plan: str | Path | None = None,
        options: SeparatorOptions | None = None,
        progress: Progress = no_progress,
    ) -> Self:
        """A separator by name or from a file.

        Args:
            name_or_path: a shipped checkpoint (``dialogue``), a public one by name (it is downloaded when it is not
                there), a file, or several of these joined by ``+``.
            device: ``auto`` (CUDA where there is one), ``cpu`` or ``cuda``.
            window_frames: frames of one network window, context included; a multiple of 16.
            band_plan: a public checkpoint's band plan, by name or as a JSON file, where the file is unknown.
            options: what else may be set; see ``SeparatorOptions``.
            progress: of a download, in bytes.

        Raises:
            CheckpointError: no such checkpoint, or none of a known network.
            ConfigError: no such device, or settings that make no sense.
            MissingExtraError: an MDX-Net without ONNX Runtime.
        """
        options = options or SeparatorOptions()
        if window_frames is not None:
            options = replace(options, window_frames=window_frames)
        models: list[ChainModel] = []
        notes: list[str] = []
        for name in parse_chain(str(name_or_path)):
            if is_mdx(name):
                from video_preprocessing.uvr5.engine.mdx import MdxNet

                models.append(MdxNet.load(name, device=device, progress=progress))
            else:
                checkpoint = load_checkpoint(name, band_plan=band_plan, progress=progress)
                notes.extend(checkpoint.assumed)
                models.append(make_model(checkpoint, device=device, options=options, keep_weights=False))
        return cls(models, notes=notes)

    @property
    def engine(self) -> str:
        """What computes the networks here, in words; for each kind of model once."""
        return "; ".join(dict.fromkeys(model.engine for model in self.models))

    @property
    def fingerprint(self) -> str:
        """Changes whenever the output for the same input may change."""
        return hashlib.sha256(" ".join(model.fingerprint for model in self.models).encode()).hexdigest()

    def separate(self, waveform: FloatArray, sample_rate_hz: int) -> Stems:
        """Separates a waveform held in memory.

        Args:
            waveform: (channels, samples) or (samples,) float32, full scale 1. Two channels are left and right;
                six and eight are taken in the order of WAV files (front, centre, low frequencies, pairs behind).
            sample_rate_hz: its rate.

        Returns:
            Stems with as many channels as came in. Floats do not clip: values above 1 stay.

        Raises:
            ValueError: another shape, or values that are not numbers.
        """
        x = np.atleast_2d(np.asarray(waveform, dtype=np.float32))
        if x.ndim != 2:
            raise ValueError(f"expected (channels, samples), got {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("the waveform holds NaN or infinity")
        kept, residual = x, x
        for model in self.models:
            kept, residual = self._whole(model, kept, sample_rate_hz)
        return Stems(kept, residual if len(self.models) == 1 else x - kept, sample_rate_hz)

    @staticmethod
    def _whole(model: ChainModel, x: FloatArray, sample_rate_hz: int) -> tuple[FloatArray, FloatArray]:
        if not x.size:
            return x, x

        def blocks() -> Iterator[FloatArray]:
            step = BLOCK_SECONDS * sample_rate_hz
            return (x[:, i : i + step] for i in range(0, x.shape[1], step))

        layout = _Layout(len(x))
        peaks = layout.measure(model, blocks, sample_rate_hz)
        joined = np.concatenate(list(layout.stream(model, blocks(), sample_rate_hz, peaks, both=True)), axis=1)
        return joined[: len(x)], joined[len(x) :]

    def separate_file(
        self,
        source: Path,
        destination: Path,
        *,
        accompaniment: Path | None = None,
        unfinished: Path | None = None,
        progress: Progress = no_progress,
    ) -> SeparationReport:
        """Separates an audio file into FLAC files: same rate, length and channels, 16 bit, no clipping.

        The files appear when they are complete. Called again after an interruption with the same arguments, it goes on
        behind what the earlier attempt had written.

        Args:
            source: what soundfile reads (FLAC, WAV, Ogg …).
            destination: FLAC file to write, the dialogue.
            accompaniment: FLAC file for everything else; None for none.
            unfinished: folder for work in progress, on the same file system; None for the destination's.
            progress: in seconds of audio.

        Raises:
            MediaError: ``source`` cannot be read, or has more channels than FLAC holds.
        """
        folder = unfinished or destination.parent
        steps = len(self.models)
        keys = self._keys(source)
        intermediates = [
            folder / f".{destination.stem}.model{n + 1}.{key[:16]}.flac" for n, key in enumerate(keys[:-1])
        ]
        _sweep(folder, destination.stem, keep=intermediates)
        reports, read = [], source
        for number, (model, key) in enumerate(zip(self.models, keys, strict=True)):
            last = number == steps - 1
            target = destination if last else intermediates[number]
            residual = accompaniment if last and steps == 1 else None

            def scaled(done: float, total: float | None, number: int = number) -> None:
                progress((number * (total or 0.0) + done) / steps, total)

            if last or not _is_as_long(target, source):
                reports.append(_FileJob(model, read, target, residual, folder, key).run(scaled))
            read = target
        if accompaniment is not None and steps > 1:
            _write_difference(source, destination, accompaniment)
        for path in intermediates:
            path.unlink(missing_ok=True)
        return replace(
            reports[-1],
            limited_ms=sum(r.limited_ms for r in reports),
            resumed_ms=sum(r.resumed_ms for r in reports) + (steps - len(reports)) * reports[-1].duration_ms,
        )

    def _keys(self, source: Path) -> list[str]:
        """For each model what its output is made from: the source, this model and all before it."""
        keys, key = [], identity(source)
        for model in self.models:
            key = hashlib.sha256(f"{key} {model.fingerprint}".encode()).hexdigest()
            keys.append(key)
        return keys


class _Layout:
    """Groups a recording's channels into the stereo streams that networks take, and puts them together again."""

    def __init__(self, channels: int) -> None:
        pairs = tuple(tuple(range(c, min(c + 2, channels))) for c in range(0, channels, 2))
        self.channels = channels
        self.groups = _SURROUND.get(channels, pairs)

    def measure(self, model: ChainModel, blocks: Callable[[], Iterable[FloatArray]], rate_hz: int) -> list[float]:
        """The peak of each group, in as many passes; zeros for a model that needs none."""
        if not model.needs_peak:
            return [0.0] * len(self.groups)
        return [model.measure(_channels(blocks(), group), rate_hz) for group in self.groups]

    def stream(
        self, model: ChainModel, blocks: Iterable[FloatArray], rate_hz: int, peaks: Sequence[float], *, both: bool
    ) -> Iterator[FloatArray]:
        """(channels, n) blocks -> (channels or, with ``both``, twice as many, m) blocks."""
        copies = itertools.tee(blocks, len(self.groups))
        streams = [
            model.stream(_channels(copy, group), rate_hz, peak=peak, both=both)
            for group, copy, peak in zip(self.groups, copies, peaks, strict=True)
        ]
        # Streams of equal blocks give equal blocks, so they go in step and nothing piles up between them.
        for pieces in zip(*streams, strict=True):
            out = np.empty((self.channels * (2 if both else 1), pieces[0].shape[1]), np.float32)
            for group, piece in zip(self.groups, pieces, strict=True):
                for stem in range(2 if both else 1):
                    rows = [c + stem * self.channels for c in group]
                    pair = piece[2 * stem : 2 * stem + 2]
                    out[rows] = pair if len(group) == 2 else pair.mean(axis=0, keepdims=True)
            yield out


class _FileJob:
    """One model over one file."""

    def __init__(
        self, model: ChainModel, source: Path, target: Path, residual: Path | None, folder: Path, key: str
    ) -> None:
        self.model, self.source, self.key = model, source, key
        self.targets = {"kept": target} | ({"residual": residual} if residual else {})
        self.folder = folder

    def run(self, progress: Progress) -> SeparationReport:
        with _open(self.source) as reader:
            self.rate_hz, self.total, self.channels = reader.samplerate, reader.frames, reader.channels
        if self.channels > LARGEST_FLAC_CHANNELS:
            raise MediaError(
                f"{self.channels} channels, and FLAC holds {LARGEST_FLAC_CHANNELS}",
                where=self.source,
                remedy="mix it down to stereo first",
            )
        key = f"{self.key} {sorted(self.targets)}"
        unfinished = Unfinished(self.targets, self.folder, hashlib.sha256(key.encode()).hexdigest())
        layout = _Layout(self.channels)
        peaks = unfinished.note.facts.get("peaks")
        if not isinstance(peaks, list) or len(peaks) != len(layout.groups):
            peaks = layout.measure(self.model, lambda: self._counted(self._blocks(0), progress), self.rate_hz)
            unfinished.remember(peaks=peaks)
        keep = unfinished.samples
        align = self.model.alignment_samples(self.rate_hz)
        # A block more than the warm-up: from then on blocks, too, are cut where an unbroken run cuts them.
        warm_up = self.model.warm_up_samples(self.rate_hz) + BLOCK_SECONDS * self.rate_hz
        begin = max(0, keep - warm_up) // align * align
        if not begin:
            keep = unfinished.samples = 0
        limiters = {name: PeakLimiter(self.rate_hz) for name in self.targets}
        writers = {name: unfinished.open(name, self.rate_hz, self.channels) for name in self.targets}
        try:
            if keep:
                for name, writer in writers.items():
                    for block in unfinished.salvaged(name):
                        writer.write(block)
                    writer.flush()
            unfinished.settle()
            streams = layout.stream(
                self.model, in_thread(self._blocks(begin)), self.rate_hz, peaks, both=len(self.targets) == 2
            )
            self._write(streams, limiters, writers, begin=begin, keep=keep, progress=progress)
        finally:
            for writer in writers.values():
                writer.close()
        unfinished.finish()
        limited_ms = sum(limiter.limited_ms for limiter in limiters.values())
        return SeparationReport(
            round(self.total * 1000 / self.rate_hz),
            self.rate_hz,
            self.channels,
            limited_ms,
            round(keep * 1000 / self.rate_hz),
        )

    def _write(
        self,
        blocks: Iterable[FloatArray],
        limiters: dict[str, PeakLimiter],
        writers: dict[str, soundfile.SoundFile],
        *,
        begin: int,
        keep: int,
        progress: Progress,
    ) -> None:
        """Writes the stream, which begins at sample ``begin``, from sample ``keep`` on."""
        rows = {name: slice(k * self.channels, (k + 1) * self.channels) for k, name in enumerate(writers)}
        count = begin

        def counted() -> Iterator[FloatArray]:
            nonlocal count
            for block in blocks:
                count += block.shape[1]
                yield block
                if count > keep:
                    progress(count / self.rate_hz, self.total / self.rate_hz)

        def write(stream: Iterator[FloatArray], name: str) -> None:
            limited = limiters[name].limit(block[rows[name]] for block in stream)
            for block in _from(limited, keep - begin):
                writers[name].write(block.T)

        written_in_thread(counted(), [lambda s, n=name: write(s, n) for name in writers])  # type: ignore[misc]

    def _blocks(self, begin: int) -> Iterator[FloatArray]:
        with _open(self.source) as reader:
            reader.seek(begin)
            step = BLOCK_SECONDS * self.rate_hz
            if begin % step:
                yield reader.read(step - begin % step, dtype="float32", always_2d=True).T
            for block in reader.blocks(step, dtype="float32", always_2d=True):
                yield block.T

    def _counted(self, blocks: Iterable[FloatArray], progress: Progress) -> Iterator[FloatArray]:
        done = 0
        for block in blocks:
            done += block.shape[1]
            progress(_MEASURING * done / self.rate_hz, self.total / self.rate_hz)
            yield block


def _sweep(folder: Path, stem: str, *, keep: Collection[Path]) -> None:
    """Removes what earlier attempts left of other sources, weights or options."""
    if folder.is_dir():
        for path in folder.iterdir():
            name = path.name.lstrip(".")  # of an intermediate, or of what was at work on one
            is_kept = any(name.startswith(intermediate.stem.lstrip(".")) for intermediate in keep)
            if name != path.name and name.startswith(f"{stem}.model") and not is_kept:
                path.unlink()


def _is_as_long(path: Path, source: Path) -> bool:
    """Whether an output is there and whole: a power failure can leave less of it."""
    import soundfile as sf

    try:
        return bool(sf.info(path).frames == sf.info(source).frames)
    except (sf.LibsndfileError, OSError):
        return False


def _open(path: Path) -> soundfile.SoundFile:
    import soundfile as sf

    try:
        return sf.SoundFile(path)
    except sf.LibsndfileError as e:
        raise MediaError(f"not readable as audio ({e.error_string})", where=path) from e


def _from(blocks: Iterable[FloatArray], skip: int) -> Iterator[FloatArray]:
    """The stream without its first ``skip`` samples."""
    for block in blocks:
        if skip < block.shape[1]:
            yield block[:, skip:]
        skip = max(0, skip - block.shape[1])


def _write_difference(mixture: Path, part: Path, destination: Path) -> None:
    """What ``part`` leaves of ``mixture``, block by block."""
    import soundfile as sf

    temporary = destination.with_name(f".{destination.name}.unfinished")
    with _open(mixture) as whole, _open(part) as kept:
        step = BLOCK_SECONDS * whole.samplerate
        pairs = zip(*(f.blocks(step, dtype="float32", always_2d=True) for f in (whole, kept)), strict=True)
        limiter = PeakLimiter(whole.samplerate)
        with sf.SoundFile(temporary, "w", whole.samplerate, whole.channels, format="FLAC", subtype="PCM_16") as writer:
            for block in limiter.limit((a - b).T for a, b in pairs):
                writer.write(block.T)
    temporary.replace(destination)


def _channels(blocks: Iterable[FloatArray], group: tuple[int, ...]) -> Iterator[FloatArray]:
    """Two channels of each block: a pair, or a single one twice."""
    rows = list(group) if len(group) == 2 else [group[0], group[0]]
    for block in blocks:
        yield block[rows]
