"""Pictures of predictors on several supernets, as in Figures 2, 6 and 7 of Cummings et al. 2022."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from dynas.core.objectives import Values
from dynas.core.ranks import kendall_tau
from dynas.report.plots.figure import COLOURS, GREY, LINES, new_figure, save, tidy
from dynas.report.plots.predictors import Errors


def plot_studies(averages: Mapping[str, Sequence[Errors]], points: Mapping[str, Values], path: Path) -> None:
    """Draw MAPE over training examples, a column per supernet; beneath it predicted over measured values.

    Args:
        averages: by supernet, the errors of all predictors.
        points: by supernet, measured and predicted values ``(2, n)``; empty: without the lower row.
        path: the picture.
    """
    rows = 2 if points else 1
    figure = new_figure(2.7 * len(averages), 3.1 * rows + 0.4)
    grid = figure.subplots(rows, len(averages), squeeze=False)
    for column, (name, some) in enumerate(averages.items()):
        _errors(grid[0, column], some)
        grid[0, column].set_title(name, loc="left", fontsize=10)
        if points:
            _correlation(grid[1, column], points[name])
    grid[0, 0].set_ylabel("MAPE [%], lower is better")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), frameon=False)
    if points:
        grid[1, 0].set_ylabel("predicted")
    save(figure, path)


def _errors(axes: Axes, averages: Sequence[Errors]) -> None:
    for index, name in enumerate(dict.fromkeys(one.predictor for one in averages)):
        mine = [one for one in averages if one.predictor == name]
        axes.plot(
            [one.size for one in mine], [one.mape for one in mine], color=COLOURS[index],
            linestyle=LINES[index % len(LINES)], linewidth=1.6, marker="o", markersize=3.5, label=name,
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training examples")
    axes.set_xticks(sorted({one.size for one in averages}))
    axes.tick_params(axis="x", labelsize=8.5)
    tidy(axes)


def _correlation(axes: Axes, points: Values) -> None:
    ends = [points.min(), points.max()]
    axes.plot(ends, ends, color=GREY, linewidth=1.0)
    axes.scatter(points[0], points[1], s=6, alpha=0.5, linewidths=0, color=COLOURS[0])
    axes.set_xlabel("measured")
    axes.set_title(f"stacked, Kendall tau {kendall_tau(points[0], points[1]):.3f}", loc="left", fontsize=9)
    tidy(axes)
