"""An evaluation as one picture: who is taken for whom, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from yuki_builder.characters.evaluation.measures import Evaluation

_UNKNOWN = "(unknown)"
_MOST_NAMES = 16
_INK, _PALE, _BLUE, _RED = "#1f2933", "#9aa5b1", "#2f6db5", "#c2410c"


def draw_evaluation(evaluation: Evaluation, destination: Path, *, title: str) -> None:
    """Write a PNG: confusion matrix, calibration, and precision and recall by character.

    Args:
        evaluation: what is drawn.
        destination: the PNG file.
        title: a heading, in plain text.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.family": ["sans-serif"], "font.sans-serif": _fonts(), "axes.edgecolor": _PALE}):
        figure = Figure(figsize=(12.5, 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
        _draw_confusion(left, evaluation)
        _draw_calibration(middle, evaluation)
        _draw_characters(right, evaluation)
        figure.suptitle(
            _plain(f"{title}: {100 * evaluation.accuracy:.1f} % of {evaluation.lines} lines are right"), color=_INK
        )
        # No date and no version in the file: the same evaluation gives the same bytes.
        figure.savefig(destination, dpi=110, format="png", metadata={"Software": None})


def _draw_confusion(axes, evaluation: Evaluation) -> None:  # type: ignore[no-untyped-def]
    names = _names(evaluation)
    columns = [*names, _UNKNOWN]
    table = np.zeros((len(names), len(columns)))
    for true, found, count in evaluation.confusion:
        if true in names:
            column = columns.index(found) if found in names else len(columns) - 1
            table[names.index(true), column] += count
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(table):
        if count := table[row, column]:
            ink = "white" if shares[row, column] > 0.5 else _INK
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(len(columns)), [_short(name) for name in columns], rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=8)
    axes.set(xlabel="found", ylabel="true", title="Who is taken for whom (lines)")


def _draw_calibration(axes, evaluation: Evaluation) -> None:  # type: ignore[no-untyped-def]
    axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1, linestyle="--")
    if evaluation.bins:
        x, y = ([getattr(b, key) for b in evaluation.bins] for key in ("confidence", "accuracy"))
        axes.plot(x, y, color=_BLUE, marker="o", markersize=5)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    error = evaluation.calibration_error
    axes.set_title("Does confidence hold?" + ("" if error is None else f" (error {error:.3f})"))
    axes.grid(color="#e4e7eb", linewidth=0.6)


def _draw_characters(axes, evaluation: Evaluation) -> None:  # type: ignore[no-untyped-def]
    metrics = sorted(evaluation.characters, key=lambda f: -f.true_lines)[:_MOST_NAMES][::-1]
    rows = np.arange(len(metrics))
    axes.barh(rows + 0.19, [f.recall or 0 for f in metrics], height=0.36, color=_BLUE, label="recall")
    axes.barh(rows - 0.19, [f.precision or 0 for f in metrics], height=0.36, color=_RED, label="precision")
    axes.set_yticks(rows, [f"{_short(f.character)} ({f.true_lines})" for f in metrics], fontsize=8)
    axes.set(xlim=(0, 1), title="By character (lines)")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2, frameon=False)


def _names(evaluation: Evaluation) -> list[str]:
    ordered = sorted(evaluation.characters, key=lambda f: (-f.true_lines, f.character))
    return [f.character for f in ordered[:_MOST_NAMES]]


def _short(name: str) -> str:
    return _plain(name if len(name) <= 14 else name[:13] + "…")


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # or matplotlib would read mathematics in it


def _fonts() -> Sequence[str]:
    """Fonts that draw Chinese and Japanese, where the system has them, after the usual one."""
    from matplotlib import font_manager

    wanted = [
        *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei"),
        *("PingFang SC", "Hiragino Sans", "Yu Gothic", "SimHei"),
    ]
    there = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in wanted if name in there)]
