#!/usr/bin/env python3
"""Fit the voice model and the calibration of attribution, and measure both on voices that they have not heard.

    python -m benchmarks.fit_calibration --speech DIR --music DIR [--cache FILE.npz] [--write]

``DIR/train`` and ``DIR/dev`` of the speech hold one folder per voice with utterances in it, those of the music
hold audio files. The model is fitted on ``train`` and measured on ``dev``. ``--write`` replaces the weights
that ship with ``yuki_builder.characters``; the figures of ``calibration.py`` are printed to be copied there.
``--cache`` keeps the embeddings (ten minutes of one core) between runs. Results are the same in every run.

How: each utterance is cut at quiet points into lines of 1 to 5 s; each line is embedded clean, with music mixed in
at several levels, and as a separator would leave it (a blurred, noisy ideal ratio mask on a mixture). Covariances of
voices and of clips of one voice give the voice model. On casts of 4 to 8 voices with 3 clips each and lines of
unknown speakers between, from voices left out of the fit (5 folds), a logistic model of log odds and clarity gives
the calibration.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize

from yuki_builder.characters import Gallery, attribute, voice_model
from yuki_builder.characters.calibration import RESEMBLYZER, Calibration
from yuki_builder.characters.scoring import score_voices, softmax
from yuki_builder.characters.voice_model import VoiceModel
from yuki_builder.records import AlignedCue, Cue, SpeakerEmbeddings, Turn, Verdict

RATE_HZ = 16000
DIMENSIONS = 128
EMBEDDER = "resemblyzer"
SEPARATED_SNR_DB = (8.0, 25.0)  # what a separator leaves beside the voice
RAW_SNR_DB = (-5.0, 8.0)
DEV_CONDITIONS = (
    ("clean", 99.0),
    *(("mixed", snr_db) for snr_db in (20.0, 10.0, 5.0, 0.0, -5.0)),
    *(("masked", snr_db) for snr_db in (5.0, 0.0, -5.0)),
)
REPORT_COLUMNS = ("best", "named", "cover95", "ECE", "certain", "right", "str.name", "str.cert")

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Embedded lines: n rows of vectors, and what each is. ``piece`` counts lines of one cut of one utterance."""

    vectors: Array
    voice: NDArray[np.str_]
    utterance: NDArray[np.int64]
    cut: NDArray[np.int64]
    piece: NDArray[np.int64]
    condition: NDArray[np.str_]
    snr_db: Array
    seconds: Array

    def where(self, mask: NDArray[np.bool_]) -> Pieces:
        return Pieces(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


# --- lines from utterances --------------------------------------------------------------------------------


def load(path: Path) -> NDArray[np.float32]:
    """Mono audio at ``RATE_HZ``, shape (samples,)."""
    import soundfile
    import soxr

    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(1), rate_hz, RATE_HZ), np.float32)


def cut_lines(
    x: NDArray[np.float32], rng: np.random.Generator, shortest_s: float, longest_s: float
) -> list[NDArray[np.float32]]:
    """Pieces of an utterance, cut at its quietest points, silence at their edges trimmed."""
    hop = RATE_HZ // 100
    level = np.array([np.abs(x[k : k + hop]).mean() for k in range(0, len(x) - hop, hop)])
    pieces, start = [], 0
    while len(x) - start > shortest_s * RATE_HZ:
        wanted_s = rng.uniform(shortest_s, longest_s)
        low = start + int(max(1.0, wanted_s - 0.3) * RATE_HZ)
        high = start + int((wanted_s + 0.3) * RATE_HZ)
        end = len(x) if high >= len(x) else (low // hop + int(level[low // hop : high // hop].argmin())) * hop
        piece = x[start:end]
        loud = np.flatnonzero(np.abs(piece) > 0.03 * np.abs(piece).max())
        piece = piece[max(0, loud[0] - 400) : loud[-1] + 400]
        if len(piece) >= 0.8 * RATE_HZ:
            pieces.append(piece)
        start = end
    return pieces


def scaled(music: NDArray[np.float32], voice: NDArray[np.float32], snr_db: float) -> NDArray[np.float32]:
    """The music at a level that lies ``snr_db`` below the voice's."""
    gain = np.sqrt((voice**2).mean() / ((music**2).mean() + 1e-12) / 10 ** (snr_db / 10))
    return np.asarray(music * gain, np.float32)


def separated(voice: NDArray[np.float32], music: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What a separator makes of voice and music: the ideal ratio mask, blurred and noisy, on their sum."""
    from scipy.ndimage import gaussian_filter
    from scipy.signal import istft, stft

    frame = {"fs": RATE_HZ, "nperseg": 512, "noverlap": 384}
    v, m = stft(voice, **frame)[2], stft(music, **frame)[2]
    mask = np.abs(v) ** 2 / (np.abs(v) ** 2 + np.abs(m) ** 2 + 1e-12)
    mask = gaussian_filter(mask, (rng.uniform(1, 4), rng.uniform(0.5, 3)))
    mask = np.clip(mask + rng.normal(0, 0.1, mask.shape), 0.02, 1)
    return np.asarray(istft((v + m) * mask, **frame)[1][: len(voice)], np.float32)


def embed(waveforms: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Speaker embeddings as the pipeline makes them, shape (n, 256)."""
    from video_preprocessing.speech import load_embedder

    embedder = load_embedder("resemblyzer", device="cpu")
    batches = iter(lambda: list(itertools.islice(waveforms, 64)), [])
    return np.concatenate([embedder.embed_many(batch) for batch in batches])


def make_pieces(speech: Path, music: Path, *, seed: int, conditions: Sequence[tuple[str, float]] | None) -> Pieces:
    """All lines of all voices; under the given conditions, or under four drawn ones (for fitting)."""
    rng = np.random.default_rng(seed)
    beds = [load(path) for path in sorted(music.iterdir())]
    rows: list[tuple[str, int, int, int, str, float, float]] = []

    def bed(samples: int) -> NDArray[np.float32]:
        while True:
            full = beds[rng.integers(len(beds))]
            start = int(rng.integers(max(1, len(full) - samples)))
            if len(full) > samples and (full[start : start + samples] ** 2).mean() > 1e-6:
                return full[start : start + samples]

    def waveforms() -> Iterator[NDArray[np.float32]]:
        for folder in sorted(p for p in speech.iterdir() if p.is_dir()):
            for utterance, path in enumerate(sorted(folder.iterdir())):
                x = load(path)
                for cut, (shortest_s, longest_s) in enumerate([(1.6, 4.5), (1.0, 2.2)]):
                    for piece, line in enumerate(cut_lines(x, rng, shortest_s=shortest_s, longest_s=longest_s)):
                        for condition, snr_db in conditions or [
                            ("clean", 99.0),
                            ("mixed", rng.uniform(*SEPARATED_SNR_DB)),
                            ("masked", rng.uniform(-5, 10)),
                            ("mixed", rng.uniform(*RAW_SNR_DB)),
                        ]:
                            rows.append((folder.name, utterance, cut, piece, condition, snr_db, len(line) / RATE_HZ))
                            if condition == "clean":
                                yield line
                                continue
                            music_part = scaled(bed(len(line)), line, snr_db)
                            yield separated(line, music_part, rng) if condition == "masked" else line + music_part
            print(f"\r{folder.name}: {len(rows)} lines", end="", flush=True)
        print()

    vectors = embed(waveforms())
    return Pieces(vectors.astype(np.float64), *(np.array(column) for column in zip(*rows, strict=True)))


# --- fitting ----------------------------------------------------------------------------------------------


def fit_model(pieces: Pieces, rng: np.random.Generator) -> VoiceModel:
    """Covariances of voices and of clips of a voice, and the direction in which clips are clear; not calibrated."""
    shift = pieces.vectors.mean(0)
    voices = np.unique(pieces.voice)
    centres = np.array([pieces.vectors[pieces.voice == voice].mean(0) for voice in voices])
    rest = pieces.vectors - centres[np.searchsorted(voices, pieces.voice)]
    within = rest.T @ rest / (len(rest) - len(voices))
    # A tenth of the average variance in every direction: 256 directions of 251 voices are not all known.
    within = 0.9 * within + 0.1 * np.trace(within) / len(within) * np.eye(len(within))
    projection = eigh(np.cov(centres.T), within)[1][:, ::-1][:, :DIMENSIONS]
    unfitted = Calibration(scale=1.0, offset=0.0, clarity_slope=0.0)
    blank, zeros = np.ones(DIMENSIONS), np.zeros(pieces.vectors.shape[1])
    model = VoiceModel(shift, projection, blank, blank, blank, zeros, unfitted)
    points = model.project(pieces.vectors)
    centres = np.array([points[pieces.voice == voice].mean(0) for voice in voices])
    spread = ((points - centres[np.searchsorted(voices, pieces.voice)]) ** 2).sum(0) / (len(points) - len(voices))
    clips_per_voice = len(points) / len(voices)
    between = np.maximum(centres.var(0) - spread / clips_per_voice, 1e-4)
    model = VoiceModel(shift, projection, centres.mean(0), between, spread, zeros, unfitted)
    clarity = fit_clarity(model, pieces, rng)
    return VoiceModel(shift, projection, centres.mean(0), between, spread, clarity, unfitted)


def fit_clarity(model: VoiceModel, pieces: Pieces, rng: np.random.Generator) -> Array:
    """Ridge regression of the log odds of lines and their own voice (three clean clips) on their embeddings."""
    points = model.project(pieces.vectors)
    rows: list[int] = []
    own: list[float] = []
    for voice in np.unique(pieces.voice):
        mine = (pieces.voice == voice) & (pieces.cut == 0)
        names = np.unique(pieces.piece[mine])
        for name in names:
            others = rng.permutation(names[names != name])[:3]
            clips = points[mine & np.isin(pieces.piece, others) & (pieces.condition == "clean")]
            if len(others) >= 2:
                lines = np.flatnonzero(mine & (pieces.piece == name))
                rows += list(lines)
                own += list(model.log_odds(points[lines], clips.sum(0)[None], np.array([float(len(clips))])))
    x, y = pieces.vectors[rows] - pieces.vectors[rows].mean(0), np.array(own)
    return np.linalg.solve(x.T @ x + 3.0 * np.eye(x.shape[1]), x.T @ (y - y.mean()))


@dataclass(frozen=True, eq=False)
class Trials:
    """Lines against a cast of c: features of shape (m, c, 3), and whose each line is (c: an unknown speaker's)."""

    features: Array
    truth: NDArray[np.int64]


def trials(model: VoiceModel, pieces: Pieces, *, casts: int, rng: np.random.Generator) -> Iterator[Trials]:
    """Casts of 4 to 8 voices with 3 clips each, and lines of theirs and of two unknown speakers."""
    for _ in range(casts):
        size = int(rng.integers(4, 9))
        condition = rng.choice(["clean", "mixed", "masked"])
        clips, owners, lines, truth = [], [], [], []
        for number, voice in enumerate(rng.permutation(np.unique(pieces.voice))[: size + 2]):
            mine = (pieces.voice == voice) & (pieces.cut == 0)
            names = rng.permutation(np.unique(pieces.piece[mine]))
            enrolled = names[: min(3, len(names) - 1)] if number < size else names[:0]
            if number < size:
                usable = mine & (pieces.condition == condition) & (pieces.snr_db >= SEPARATED_SNR_DB[0])
                usable = usable if condition == "mixed" else mine & (pieces.condition == condition)
                chosen = np.flatnonzero(usable & np.isin(pieces.piece, enrolled))
                clips += list(chosen)
                owners += [number] * len(chosen)
            said = rng.permutation(np.flatnonzero(mine & ~np.isin(pieces.piece, enrolled)))[:6]
            lines += list(said)
            truth += [min(number, size)] * len(said)
        odds, _ = score_voices(
            model,
            model.project(pieces.vectors[lines]),
            clips=model.project(pieces.vectors[clips]),
            weights=np.eye(size)[owners],
            own=np.full(len(lines), -1),
        )
        clarity = ((pieces.vectors[lines] - model.shift) @ model.clarity)[:, None] * np.ones(size)
        yield Trials(np.stack([odds, np.ones_like(odds), clarity], axis=-1), np.array(truth))


def fit_calibration(pieces: Pieces, rng: np.random.Generator) -> Calibration:
    """Maximum likelihood of whose lines are, on voices that the model was not fitted on."""
    found: list[Trials] = []
    for fold in np.array_split(rng.permutation(np.unique(pieces.voice)), 5):
        held_out = np.isin(pieces.voice, fold)
        model = fit_model(pieces.where(~held_out), rng)
        found += trials(model, pieces.where(held_out), casts=60, rng=rng)

    def loss(theta: Array) -> float:
        posterior = [softmax(t.features @ theta)[np.arange(len(t.truth)), t.truth] for t in found]
        return float(-np.log(np.concatenate(posterior) + 1e-12).mean())

    scale, offset, slope = minimize(loss, np.array([0.3, 0.0, 0.0]), method="BFGS").x
    return Calibration(*(round(float(figure), 3) for figure in (scale, offset, -slope)))


def save_weights(model: VoiceModel, path: Path) -> None:
    """The arrays of a model, half precision where it is enough."""
    from safetensors.numpy import save_file

    arrays = {name: getattr(model, name) for name in ("shift", "projection", "mean", "between", "within", "clarity")}
    # The writer stores memory as it lies, whatever its order.
    save_file({name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()}, path)


# --- measuring --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scores:
    """Of many episodes: each line's confidence, whether the most probable name is right, and what was decided."""

    confidence: Array
    right: NDArray[np.bool_]
    named: NDArray[np.bool_]
    certain: NDArray[np.bool_]
    enrolled: NDArray[np.bool_]


def episodes(
    pieces: Pieces, noisy: NDArray[np.bool_], *, unknown: int, draws: int, turns_wrong: float | None, seed: int
) -> Scores:
    """The whole of attribution on episodes of all voices under one condition, where some voices are not enrolled.

    Enrolled are three clean clips of 1.6 to 4.5 s from three utterances that the episode does not use. Turns, where
    there are any, split each voice in two and give the share ``turns_wrong`` of lines to some other voice.
    """
    rng = np.random.default_rng(seed)
    columns: list[tuple[float, bool, bool, bool, bool]] = []
    for _ in range(draws):
        voices = rng.permutation(np.unique(pieces.voice))
        enrolled = set(voices[unknown:])
        clips: list[int] = []
        heard = np.zeros(len(pieces.voice), bool)
        for voice in voices:
            mine = pieces.voice == voice
            kept = mine & np.isin(pieces.utterance, rng.permutation(np.unique(pieces.utterance[mine]))[:3])
            heard |= mine & ~kept
            if voice in enrolled:
                candidates = np.flatnonzero(kept & (pieces.cut == 0) & (pieces.condition == "clean"))
                clips += list(rng.permutation(candidates)[:3])
        used = [int(row) for row in np.flatnonzero(heard & noisy & (pieces.cut == 0))]
        lines, turns = [], []
        for place, row in enumerate(used):
            start_ms = place * 6000
            end_ms = start_ms + int(pieces.seconds[row] * 1000)
            cue = Cue(str(row), place, start_ms, end_ms, "…", "…")
            lines.append(AlignedCue(cue, start_ms, end_ms, end_ms - start_ms))
            voice = rng.choice(voices) if rng.random() < (turns_wrong or 0) else pieces.voice[row]
            turns.append(Turn(start_ms, end_ms, f"{voice}{rng.integers(2)}"))
        found = attribute(
            lines,
            _embeddings(pieces, used),
            gallery=Gallery.build(
                _embeddings(pieces, clips), {str(row): str(pieces.voice[row]) for row in clips}, embedder=EMBEDDER
            ),
            turns=[] if turns_wrong is None else turns,
            manual={},
        )
        for row, attribution in zip(used, found, strict=True):
            best = attribution.character or next((e.character for e in attribution.evidence if e.source == "voice"), "")
            columns.append(
                (
                    attribution.confidence,
                    best == pieces.voice[row],
                    attribution.character is not None,
                    attribution.verdict is Verdict.CERTAIN,
                    pieces.voice[row] in enrolled,
                )
            )
    return Scores(*(np.array(column) for column in zip(*columns, strict=True)))


def _embeddings(pieces: Pieces, rows: Sequence[int]) -> SpeakerEmbeddings:
    return SpeakerEmbeddings(
        keys=tuple(str(row) for row in rows),
        vectors=pieces.vectors[list(rows)].astype(np.float32),
        speech_ms=tuple(int(pieces.seconds[row] * 1000) for row in rows),
    )


def report_row(name: str, scores: Scores) -> str:
    """One line of the report."""
    order = np.argsort(-scores.confidence, kind="stable")
    precision = np.cumsum(scores.right[order]) / np.arange(1, len(order) + 1)
    sure = np.flatnonzero(precision >= 0.95)
    coverage = (sure[-1] + 1) / scores.enrolled.sum() if len(sure) else 0.0
    bins = np.minimum((scores.confidence * 10).astype(int), 9)
    error = sum(
        abs(scores.confidence[bins == b].mean() - scores.right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    unknown = ~scores.enrolled
    right = scores.right & scores.named
    figures = [
        scores.right[scores.enrolled].mean(),
        right[scores.enrolled].mean(),
        min(coverage, 1.0),
        error,
        scores.certain.mean(),
        scores.right[scores.certain].mean() if scores.certain.any() else np.nan,
        scores.named[unknown].mean() if unknown.any() else np.nan,
        scores.certain[unknown].mean() if unknown.any() else np.nan,
    ]
    return f"{name:34}" + "".join(f"{100 * figure:9.1f}" for figure in figures)


def report(dev: Pieces) -> None:
    """Print how well attribution does on the dev voices, by condition."""
    print("\npercent of lines: best name right, named right, coverage at 95 % precision (of enrolled voices' lines),")
    print("calibration error, certain, certain that are right; unknown speakers' lines named, and certain")
    for unknown in (0, 2):
        for turns_wrong in (None, 0.1, 0.3):
            turns = "no turns" if turns_wrong is None else f"turns {turns_wrong:.0%} wrong"
            print(f"\n{unknown} of 5 voices not enrolled, {turns:32}")
            print(f"{'':34}" + "".join(f"{title:>9}" for title in REPORT_COLUMNS))
            for condition, snr_db in DEV_CONDITIONS:
                noisy = (dev.condition == condition) & (dev.snr_db == snr_db)
                scores = episodes(dev, noisy, unknown=unknown, draws=10, turns_wrong=turns_wrong, seed=3)
                print(report_row(condition if condition == "clean" else f"{condition} {snr_db:g} dB", scores))


def main() -> None:
    """Fit, print, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = {}
    for seed, (name, conditions) in enumerate({"train": None, "dev": DEV_CONDITIONS}.items()):
        cached = options.cache and options.cache.with_suffix(f".{name}.npz")
        if cached and cached.exists():
            with np.load(cached, allow_pickle=False) as arrays:
                sets[name] = Pieces(**arrays)
        else:
            sets[name] = make_pieces(options.speech / name, options.music / name, seed=seed, conditions=conditions)
            if cached:
                np.savez(cached, **{field: getattr(sets[name], field) for field in Pieces.__dataclass_fields__})
    calibration = fit_calibration(sets["train"], np.random.default_rng(0))
    print(f"RESEMBLYZER = {calibration}")
    if options.write:
        save_weights(fit_model(sets["train"], np.random.default_rng(0)), voice_model.WEIGHTS)
        print(f"wrote {voice_model.WEIGHTS}")
    if calibration != RESEMBLYZER:
        print("calibration.py holds other figures; what follows was measured with those")
    report(sets["dev"])


if __name__ == "__main__":
    main()
