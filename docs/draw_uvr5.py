"""Draws the pictures of docs/uvr5.md: ``python docs/draw_uvr5.py`` writes network.svg and bands.svg beside it."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan

PLANS = ("1band_sr44100_hl512", "2band_32000", "3band_44100_msb2", "4band_v2", "4band_v4_ms_fullband")
COLOURS = ("#4878a8", "#d08030", "#508850", "#a05080")
GREY, INK = "#e6e9ee", "#20262e"


def box(ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str = GREY) -> None:
    ax.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.02", facecolor=colour, edgecolor=INK, lw=0.8)
    )
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=8, color=INK)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], dashed: bool = False) -> None:
    style = {"arrowstyle": "->", "color": INK, "lw": 0.8, "linestyle": "--" if dashed else "-"}
    ax.annotate("", end, start, arrowprops=style)


def draw_network() -> None:
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(9, 5.6), height_ratios=(1, 1.25))
    for ax in (top, bottom):
        ax.axis("off")
    top.set_xlim(0, 9)
    top.set_ylim(0, 2.2)
    top.set_title("CascadedNet (v5.1): both halves of the band twice, then all of it", fontsize=9, loc="left")
    box(top, 0.05, 0.75, 0.95, 0.6, "magnitude\n2 channels")
    for row, half, first, second in ((1.35, "low", "nout/2", "nout"), (0.15, "high", "nout/4", "nout/2")):
        box(top, 1.6, row, 1.35, 0.6, f"stage 1 {half}\nBaseNet {first}", "#dbe6f2")
        box(top, 3.8, row, 1.35, 0.6, f"stage 2 {half}\nBaseNet {second}", "#dbe6f2")
        arrow(top, (1.02, 1.05), (1.58, row + 0.3))
        arrow(top, (2.97, row + 0.3), (3.78, row + 0.3))
        arrow(top, (5.17, row + 0.3), (5.98, 1.05))
    box(top, 6.0, 0.7, 1.4, 0.7, "stage 3 full band\nBaseNet nout", "#dbe6f2")
    box(top, 8.0, 0.75, 0.9, 0.6, "mask\nsigmoid")
    arrow(top, (7.42, 1.05), (7.98, 1.05))
    top.text(5.4, 1.72, "results of stages 1 and 2 go in too", fontsize=7, color=INK)
    bottom.set_xlim(0, 9)
    bottom.set_ylim(0, 2.8)
    bottom.set_title(
        "BaseNet: a U-Net with ASPP at its bottom and an LSTM beside its last step", fontsize=9, loc="left"
    )
    down = [(0.1 + 0.8 * k, 2.1 - 0.4 * k) for k in range(5)]
    up = [(5.1 + 0.95 * k, 0.9 + 0.4 * k) for k in range(4)]
    for k, (x, y) in enumerate(down):
        box(bottom, x, y, 0.65, 0.3, f"enc{k + 1}", "#e9f1e4")
    for k, (x, y) in enumerate(up):
        box(bottom, x, y, 0.65, 0.3, f"dec{4 - k}", "#f6e8da")
    box(bottom, 4.05, 0.25, 0.85, 0.4, "ASPP", "#efe2ee")
    for (x, y), (u, v) in itertools.pairwise(down):
        arrow(bottom, (x + 0.67, y + 0.1), (u + 0.1, v + 0.32))
    arrow(bottom, (3.97, 0.5), (4.03, 0.45))
    arrow(bottom, (4.92, 0.5), (5.2, 0.88))
    for (x, y), (u, v) in itertools.pairwise(up):
        arrow(bottom, (x + 0.6, y + 0.32), (u + 0.1, v - 0.02))
    for (x, y), (u, v) in zip(down[:4], reversed(up), strict=True):
        arrow(bottom, (x + 0.67, y + 0.18), (u - 0.02, v + 0.18), dashed=True)
    box(bottom, 8.15, 1.35, 0.7, 0.35, "LSTM", "#f7f0c9")
    arrow(bottom, (7.67, 1.85), (8.2, 1.72))
    arrow(bottom, (8.5, 1.72), (8.3, 2.08))
    bottom.text(3.2, 2.5, "skip connections", fontsize=7, color=INK)
    fig.tight_layout()
    fig.savefig(HERE / "network.svg", metadata={"Date": None})


def draw_bands() -> None:
    fig, axes = plt.subplots(len(PLANS), 1, figsize=(9, 6.6), sharex=True)
    for ax, name in zip(axes, PLANS, strict=True):
        draw_plan(ax, band_plan(name))
    axes[-1].set_xlabel("frequency, Hz")
    axes[-1].set_xscale("log")
    axes[-1].set_xlim(20, 24_000)
    axes[-1].set_xticks([20, 100, 500, 2000, 10_000, 20_000], ["20", "100", "500", "2 k", "10 k", "20 k"])
    fig.tight_layout()
    fig.savefig(HERE / "bands.svg", metadata={"Date": None})


def draw_plan(ax: Axes, plan: BandPlan) -> None:
    for k, band in enumerate(plan.bands):
        width_hz = band.sample_rate_hz / band.n_fft
        low, high = max(20.0, band.crop_start * width_hz), band.crop_stop * width_hz
        ax.barh(k, high - low, left=low, height=0.7, color=COLOURS[k], alpha=0.8)
        label = f"{band.bins} bins of {width_hz:.0f} Hz"
        inside = high / low > 6
        ax.text(
            (low * high) ** 0.5 if inside else low / 1.1,
            k,
            label,
            ha="center" if inside else "right",
            va="center",
            fontsize=7,
            color="white" if inside else INK,
        )
    ax.set_yticks([])
    ax.set_ylim(-0.6, len(plan.bands) - 0.4)
    ax.set_title(
        f"{plan.name}: {plan.bins} bins, {1000 * plan.hop / plan.sample_rate_hz:.1f} ms", fontsize=8, loc="left"
    )
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


if __name__ == "__main__":
    plt.rcParams["svg.hashsalt"] = "uvr5"
    draw_network()
    draw_bands()
