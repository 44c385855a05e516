"""MDX-Net, as a model of a chain: a network on the complex spectrogram, from an ONNX file, over any length.

Unlike the VR networks it gives no mask but the spectrogram of one stem itself, phases included (Kim et al.,
"KUIELab-MDX-Net", 2021). The recording is cut into windows of ``dim_t`` frames; of every window's output the
outer half STFT window on either side, which has seen an edge, is thrown away. That is the public tools' way of
doing it, so their models sound the same here; memory holds one window whatever the length.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from video_preprocessing.uvr5.checkpoints import find_checkpoint
from video_preprocessing.uvr5.checkpoints.downloads import sha256_of
from video_preprocessing.uvr5.checkpoints.registry import KnownModel, MdxSizes, Voice, find_model, model_for_sha256
from video_preprocessing.uvr5.engine.streams import SampleQueue, resample_stream
from yuki_builder.errors import CheckpointError, ConfigError, InternalError, MissingExtraError
from yuki_builder.records import FloatArray, Progress, no_progress

# Raise when the same file would give another output: what is already on disk is then made again.
CODE_VERSION = 1

_HOP = 1024
_COMPLEX_STEREO = 4  # left and right, real and imaginary

ComplexArray = npt.NDArray[np.complex64]


class MdxNet:
    """A loaded MDX-Net.

    Args:
        path: the ONNX file.
        sizes: what the file does not say of itself; None: read off its input, with the usual ``n_fft`` of twice
            ``dim_f``.
        keep: the output to go on with: what the network gives (``mask``), or the mixture minus it (``residual``).
        stems: names of what it keeps and of what it takes away.
        denoise: average the network with itself on the negated input, which cancels what it adds by itself;
            twice the time.
        crossfade: share of a window's output that is faded into the next one's, up to 0.5; 0 joins them as the
            public tools do.
        device: ``auto`` (CUDA where ONNX Runtime has it), ``cpu`` or ``cuda``.

    Attributes:
        sizes: as given or read.
        stems: as given.
        needs_peak: False; nothing has to be known of the whole recording first.
        engine: what computes, in words.
        fingerprint: changes whenever the output for the same input may change.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        CheckpointError: not an ONNX file, or not of an MDX-Net of these sizes.
        ConfigError: no such device, or a fade beyond the half.
    """

    needs_peak = False

    def __init__(
        self,
        path: Path,
        sizes: MdxSizes | None = None,
        *,
        keep: Voice = "residual",
        stems: tuple[str, str] = ("dry", "reverb"),
        denoise: bool = True,
        crossfade: float = 0.0,
        device: str = "auto",
    ) -> None:
        if not 0 <= crossfade <= 0.5:
            raise ConfigError(f"a crossfade of {crossfade}", remedy="give a share between 0 and 0.5")
        self._session = _open(path, device)
        self._input = self._session.get_inputs()[0].name
        self.sizes = sizes = _checked_sizes(self._session, sizes, path)
        self.keep = keep
        self.stems = stems
        self.denoise = denoise
        self._stft = _Stft(sizes)
        self._trim = sizes.n_fft // 2
        self._window_samples = sizes.hop * (sizes.dim_t - 1)
        self._core_samples = self._window_samples - 2 * self._trim
        if self._core_samples < 2:
            raise CheckpointError(f"{sizes.dim_t} frames leave nothing between the edges of a window", where=path)
        self._fade_samples = round(crossfade * self._core_samples)
        recipe = f"{CODE_VERSION} {sha256_of(path)} {sizes} {keep} {denoise} {self._fade_samples}"
        self.engine = "ONNX Runtime"
        self.fingerprint = hashlib.sha256(recipe.encode()).hexdigest()

    @classmethod
    def load(
        cls,
        name_or_path: str | Path,
        *,
        keep: Voice | None = None,
        denoise: bool = True,
        crossfade: float = 0.0,
        device: str = "auto",
        progress: Progress = no_progress,
    ) -> Self:
        """By a name of the registry, downloaded if need be, or from a file; known ones bring sizes and ``keep``.

        Args:
            name_or_path: a name of the registry, or an ``.onnx`` file.
            keep: which stem is wanted; None: the one that the model is for.
            denoise: separate twice, once with the sign turned, and take the difference; double the time.
            crossfade: 0 to 0.5: share of a window that is faded into the next.
            device: ``auto``, ``cpu`` or ``cuda``.
            progress: counts bytes of a download.

        Raises:
            CheckpointError: no such model.
        """
        path = find_checkpoint(name_or_path, progress=progress)
        model = _model_of(name_or_path, path)
        known: Voice = model.keep if model else "residual"
        kept, dropped = (model.kept, model.dropped) if model else ("dry", "reverb")
        return cls(
            path,
            model.mdx if model else None,
            keep=keep or known,
            stems=(kept, dropped) if keep in (None, known) else (dropped, kept),
            denoise=denoise,
            crossfade=crossfade,
            device=device,
        )

    def alignment_samples(self, sample_rate_hz: int) -> int:
        """A stream that is begun at a multiple of this many samples cuts its windows where an unbroken one does."""
        step = (self._core_samples - self._fade_samples) * sample_rate_hz
        return step // math.gcd(step, self.sizes.sample_rate_hz)

    def warm_up_samples(self, sample_rate_hz: int) -> int:
        """Samples after such a beginning until the output is that of an unbroken stream."""
        own = self._core_samples
        if sample_rate_hz != self.sizes.sample_rate_hz:
            own += self._window_samples  # the resamplers have forgotten their beginning long before
        return -(-own * sample_rate_hz // self.sizes.sample_rate_hz)

    def measure(self, blocks: Iterable[FloatArray], sample_rate_hz: int) -> float:
        """Nothing: see ``needs_peak``."""
        return 0.0

    def stream(
        self, blocks: Iterable[FloatArray], sample_rate_hz: int, *, peak: float = 0.0, both: bool = False
    ) -> Iterator[FloatArray]:
        """The kept stem of a stream of blocks, block by block and of the same total length.

        At another rate than the network's own the network hears a resampled copy, and what it gives is resampled
        back before it is subtracted: what the network cannot hear stays in the residual.

        Args:
            blocks: the recording.
            sample_rate_hz: its rate.
            peak: not used.
            both: the other stem too, in rows three and four; the two add up to the recording.

        Shape:
            (2, any number of samples) float32 each -> (2 or 4, some samples) float32 each
        """
        mixture, own_hz = SampleQueue(), self.sizes.sample_rate_hz
        heard = resample_stream(mixture.passing(blocks), sample_rate_hz, own_hz)
        given = resample_stream(self._network(heard), own_hz, sample_rate_hz)
        for piece in given:
            mixed = mixture.take(piece.shape[1])
            yield self._stems(mixed, piece[:, : mixed.shape[1]], both)
        if left := mixture.length:  # resampling there and back may come out a sample short
            yield self._stems(mixture.take(left), np.zeros((2, left), np.float32), both)

    def _stems(self, mixture: FloatArray, given: FloatArray, both: bool) -> FloatArray:
        stem = given * np.float32(self.sizes.compensation)
        residual = mixture - stem
        kept, dropped = (residual, stem) if self.keep == "residual" else (stem, residual)
        return np.concatenate([kept, dropped]) if both else kept

    def _network(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """What the network gives for a stream at its own rate, of the same total length."""
        step = self._core_samples - self._fade_samples
        held = np.zeros((2, self._trim), np.float32)
        ahead = np.zeros((2, self._fade_samples), np.float32)  # the fading end of the window before
        came, done = 0, 0
        for block in blocks:
            came += block.shape[1]
            held = np.concatenate([held, block], axis=1)
            while held.shape[1] >= self._window_samples:
                joined, ahead = self._joined(ahead, self._window(held[:, : self._window_samples]), first=done == 0)
                done += step
                held = held[:, step:]
                yield joined
        while done < came:
            short = max(0, self._window_samples - held.shape[1])
            window: FloatArray = np.pad(held, ((0, 0), (0, short)))[:, : self._window_samples].astype(np.float32)
            joined, ahead = self._joined(ahead, self._window(window), first=done == 0)
            yield joined[:, : came - done]
            done += step
            held = held[:, step:]

    def _joined(self, ahead: FloatArray, core: FloatArray, *, first: bool) -> tuple[FloatArray, FloatArray]:
        """A window's output faded into the one before; and its own end, for the one behind."""
        fade = self._fade_samples
        if not fade:
            return core, ahead
        head, ending = core[:, :-fade].copy(), core[:, -fade:]
        if not first:
            up = ((np.arange(fade) + 0.5) / fade).astype(np.float32)
            head[:, :fade] = ahead * (1 - up) + head[:, :fade] * up
        return head, ending

    def _window(self, samples: FloatArray) -> FloatArray:
        """(2, window) samples to the (2, core) samples of the stem in its middle."""
        spectrum = self._stft.forward(samples)
        out = self._run(spectrum)
        if self.denoise:
            out = (out - self._run(-spectrum)) * np.float32(0.5)
        if out.shape != spectrum.shape:
            raise InternalError(f"the network gave {out.shape} for {spectrum.shape}")
        return self._stft.backward(out)[:, self._trim : -self._trim]

    def _run(self, spectrum: FloatArray) -> FloatArray:
        result: FloatArray = self._session.run(None, {self._input: spectrum[None]})[0][0]
        return result


class _Stft:
    """The STFT around an MDX-Net: centred, reflected at the edges, periodic Hann window, lower bins only.

    Shape:
        (2, hop (dim_t - 1)) samples <-> (4, dim_f, dim_t): left real, left imaginary, right real, right imaginary
    """

    def __init__(self, sizes: MdxSizes) -> None:
        self.n, self.hop, self.bins, self.frames = sizes.n_fft, sizes.hop, sizes.dim_f, sizes.dim_t
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.n) / self.n)).astype(np.float32)
        ones = np.broadcast_to(self.window, (1, self.frames, self.n))
        self.envelope: FloatArray = np.maximum(self._overlap_added(ones * self.window), np.float32(1e-8))

    def forward(self, samples: FloatArray) -> FloatArray:
        padded = np.pad(samples, ((0, 0), (self.n // 2, self.n // 2)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n, axis=1)[:, :: self.hop]
        spectrum: ComplexArray = np.fft.rfft(frames * self.window)[..., : self.bins].astype(np.complex64, copy=False)
        planes = np.stack([spectrum.real, spectrum.imag], axis=1)
        return np.ascontiguousarray(planes.reshape(_COMPLEX_STEREO, self.frames, self.bins).swapaxes(1, 2))

    def backward(self, planes: FloatArray) -> FloatArray:
        parts = planes.reshape(2, 2, self.bins, self.frames).swapaxes(2, 3)
        spectrum: ComplexArray = (parts[:, 0] + 1j * parts[:, 1]).astype(np.complex64)
        frames = np.fft.irfft(spectrum, self.n).astype(np.float32)  # bins above are zero
        whole: FloatArray = self._overlap_added(frames * self.window) / self.envelope
        return whole[:, self.n // 2 : -(self.n // 2)]

    def _overlap_added(self, frames: FloatArray) -> FloatArray:
        total = np.zeros((frames.shape[0], (self.frames - 1) * self.hop + self.n), np.float32)
        for k in range(self.frames):
            total[:, k * self.hop : k * self.hop + self.n] += frames[:, k]
        return total


def _model_of(name_or_path: str | Path, path: Path) -> KnownModel | None:
    if Path(name_or_path).is_file():
        return model_for_sha256(sha256_of(path)) or find_model(path.name)
    return find_model(str(name_or_path))


def _open(path: Path, device: str) -> Any:
    """An inference session over the file."""
    try:
        import onnxruntime as ort
    except ImportError as e:
        raise MissingExtraError("MDX-Net models run on ONNX Runtime, which is not installed", extra="mdx") from e
    available = ort.get_available_providers()
    kind = device.partition(":")[0]
    if kind not in ("auto", "cpu", "cuda") or (kind == "cuda" and "CUDAExecutionProvider" not in available):
        raise ConfigError("ONNX Runtime has no such device here", where=f"--device {device}", remedy="use auto or cpu")
    wanted = ["CPUExecutionProvider"] if kind == "cpu" else ["CUDAExecutionProvider", "CPUExecutionProvider"]
    options = ort.SessionOptions()
    options.log_severity_level = 4  # its remarks are for those who export models
    try:
        return ort.InferenceSession(str(path), options, providers=[p for p in wanted if p in available])
    except Exception as e:  # ONNX Runtime's errors have no common root but this
        raise CheckpointError(
            "not an ONNX model that can be run", where=path, remedy="if it was downloaded, get it again"
        ) from e


def _checked_sizes(session: Any, sizes: MdxSizes | None, path: Path) -> MdxSizes:
    """The given sizes, or those that the input's shape tells; both must agree where both speak."""
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if len(shape) != 4 or shape[1] != _COMPLEX_STEREO:
        raise CheckpointError("an ONNX model, but not an MDX-Net", where=path)
    dim_f, dim_t = shape[2:]
    if sizes is None:
        if not isinstance(dim_f, int) or not isinstance(dim_t, int):
            raise CheckpointError("does not state its sizes, and is not a known model", where=path)
        sizes = MdxSizes(n_fft=2 * dim_f, dim_f=dim_f, dim_t=dim_t, hop=_HOP)
    # An axis that the file leaves open has a name instead of a number.
    if any(isinstance(a, int) and a != b for a, b in ((dim_f, sizes.dim_f), (dim_t, sizes.dim_t))):
        raise CheckpointError(f"takes {dim_f} bins and {dim_t} frames, not {sizes.dim_f} and {sizes.dim_t}", where=path)
    if not 0 < sizes.dim_f <= sizes.n_fft // 2 + 1:
        raise CheckpointError(f"{sizes.dim_f} bins do not come from windows of {sizes.n_fft} samples", where=path)
    return sizes
