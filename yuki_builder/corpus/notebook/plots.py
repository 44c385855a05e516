"""Pictures of a corpus for a notebook; each function draws into given axes, or into new ones, and returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from yuki_builder.records import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNKNOWN = "(unknown)"
_MOST_NAMES = 12
_COLOURS = (
    *("#2f6db5", "#d9762b", "#3a9b6e", "#b8445f", "#7a5cc0", "#8c6d46"),
    *("#c85aa5", "#6b7280", "#a3a21c", "#2aa7b8", "#4f46a5", "#94682d"),
)
_PALE = "#b4bcc6"
_CJK_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei"),
    *("PingFang SC", "Hiragino Sans", "Yu Gothic", "SimHei"),
)
_SPECTRUM_HZ = 1024
_DEPTH_DB = 80.0


def plot_timeline(lines: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """Who speaks when: a bar a line, a row a character, paler the less sure the name is."""
    axes = _axes(axes, size=(11, 3.4))
    names = leading_names(lines)
    for row, name in enumerate(names):
        own = lines[_named(lines) == name]
        spans = list(zip(own["start_ms"] / 60_000, (own["end_ms"] - own["start_ms"]) / 60_000, strict=True))
        sure = np.clip(own["confidence"].to_numpy(float), 0.25, 1.0) if name != UNKNOWN else np.full(len(own), 0.8)
        colour = _colour(names, name)
        axes.broken_barh(spans, (row - 0.38, 0.76), facecolors=[(colour, float(a)) for a in sure])
    axes.set_yticks(range(len(names)), [_plain(name) for name in names])
    axes.invert_yaxis()
    axes.set(xlabel="minutes", xlim=(0, None))
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def plot_confidence(lines: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How many lines are how sure, by verdict."""
    axes = _axes(axes, size=(6.5, 3.2))
    verdicts = {"certain": "#3a9b6e", "doubtful": "#d9a32b", "unknown": _PALE}
    values = [lines.loc[lines["verdict"] == verdict, "confidence"].to_numpy(float) for verdict in verdicts]
    bins = np.linspace(0, 1, 21).tolist()
    axes.hist(values, bins=bins, stacked=True, color=list(verdicts.values()), label=list(verdicts), rwidth=0.92)
    axes.set(xlabel="confidence", ylabel="lines", xlim=(0, 1))
    axes.legend(frameon=False)
    return axes


def plot_embeddings(lines: pd.DataFrame, vectors: FloatArray, axes: Axes | None = None) -> Axes:
    """Voices on a map: lines whose embeddings are alike lie near each other.

    Args:
        lines: as many rows as ``vectors``.
        vectors: shape (n, d).
        axes: to draw into.
    """
    axes = _axes(axes, size=(6.5, 5.2))
    points = project(vectors)
    names = leading_names(lines)
    named = _named(lines).to_numpy()
    for name in names:
        own = named == name
        style: dict[str, Any] = {"marker": "x", "linewidths": 1} if name == UNKNOWN else {"edgecolors": "white"}
        x, y = points[own].T
        axes.scatter(x, y, s=34, color=_colour(names, name), label=_plain(name), alpha=0.85, **style)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def project(vectors: FloatArray) -> FloatArray:
    """Two dimensions in which neighbours stay neighbours (t-SNE; for a handful of lines the two main directions)."""
    count = len(vectors)
    if count < 3:
        return np.zeros((count, 2), np.float32)
    from sklearn.decomposition import PCA

    if count < 10:
        flat: FloatArray = PCA(2, random_state=0).fit_transform(vectors).astype(np.float32)
        return flat
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (count - 1) / 3)
    method = TSNE(2, perplexity=perplexity, init="pca", metric="cosine", random_state=0)
    points: FloatArray = method.fit_transform(np.ascontiguousarray(vectors, np.float32)).astype(np.float32)
    return points


def plot_comparison(mix: FloatArray, vocals: FloatArray, sample_rate_hz: int, *, title: str = "") -> Figure:
    """Spectrograms of a stretch of the mix and of the vocals separated from it, one above the other.

    Args:
        mix, vocals: shape (channels, samples).
        sample_rate_hz: of both.
        title: above them.
    """
    figure = _figure((9, 4.6))
    rows = figure.subplots(2, 1, sharex=True, sharey=True)
    loudest = -np.inf
    pictures = []
    for wave in (mix, vocals):
        levels, extent = spectrogram(wave, sample_rate_hz)
        loudest = max(loudest, float(levels.max(initial=-200.0)))
        pictures.append((levels, extent))
    for axes, (levels, extent), name in zip(rows, pictures, ("mix", "vocals"), strict=True):
        axes.imshow(
            levels,
            origin="lower",
            aspect="auto",
            extent=extent,
            vmin=loudest - _DEPTH_DB,
            vmax=loudest,
            cmap="magma",
            interpolation="nearest",
        )
        axes.set_ylabel(f"{name}, kHz")
        axes.set_ylim(0, min(12.0, sample_rate_hz / 2000))
    rows[-1].set_xlabel("seconds")
    figure.suptitle(_plain(title))
    return figure


def spectrogram(wave: FloatArray, sample_rate_hz: int) -> tuple[FloatArray, tuple[float, float, float, float]]:
    """Levels in dB, shape (frequencies, times), and the seconds and kHz they span; channels are averaged."""
    size = _SPECTRUM_HZ
    mono = wave.mean(axis=0) if wave.size else np.zeros(size, np.float32)
    mono = np.pad(mono, (0, max(0, size - len(mono))))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 4] * np.hanning(size)
    levels: FloatArray = (10 * np.log10(np.square(np.abs(np.fft.rfft(frames))).T + 1e-9)).astype(np.float32)
    return levels, (0.0, len(mono) / sample_rate_hz, 0.0, sample_rate_hz / 2000)


def leading_names(lines: pd.DataFrame) -> list[str]:
    """The characters who say most lines, the most first, and last the unknown, where there are any."""
    counts = _named(lines).value_counts()
    names = sorted((n for n in counts.index if n != UNKNOWN), key=lambda n: (-int(counts[n]), str(n)))
    return [*map(str, names[:_MOST_NAMES]), *([UNKNOWN] if UNKNOWN in counts.index else [])]


def _named(lines: pd.DataFrame) -> pd.Series[str]:
    return lines["character"].fillna(UNKNOWN)


def _colour(names: Sequence[str], name: str) -> str:
    return _PALE if name == UNKNOWN else _COLOURS[names.index(name) % len(_COLOURS)]


def _axes(axes: Axes | None, *, size: tuple[float, float]) -> Axes:
    return _figure(size).subplots() if axes is None else axes


def _figure(size: tuple[float, float]) -> Figure:
    """A figure that a notebook shows, with fonts for Chinese and Japanese where the system has them."""
    import matplotlib as mpl
    from matplotlib import font_manager
    from matplotlib import pyplot as plt

    there = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [*(name for name in _CJK_FONTS if name in there), *mpl.rcParams["font.sans-serif"]]
    mpl.rcParams["font.sans-serif"] = list(dict.fromkeys(fonts))
    return plt.figure(figsize=size, layout="constrained")


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # or matplotlib would read mathematics in it
