"""Picture of a front on another target, as in Figures 12 and 13 of Cummings et al. 2022."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from dynas.report.plots.run import COLOURS, GREY, INK, new_figure, save, tidy
from dynas.report.transfer import Transferred
from dynas.runs.load import Run


def plot_transfer(result: Transferred, path: Path) -> None:
    """Draw the target's latencies over those where the front was found, and the fronts on the target.

    Fronts differ in marker, fill and line, so that they can be told apart in grey.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    other = next((m for m in range(len(result.run.objectives)) if m != result.column), None)
    figure = new_figure(4.6 if other is None else 9.2, 4.2)
    axes = figure.subplots(1, 1 if other is None else 2, squeeze=False)[0]
    _latencies(axes[0], result)
    if other is not None:
        _fronts(axes[1], result, other)
        axes[1].legend(frameon=False, fontsize=8.5)
    save(figure, path)


def _latencies(axes: Axes, result: Transferred) -> None:
    before, now = result.source.objectives[result.source_column], result.objective
    axes.scatter(result.before, result.now, s=26, color=COLOURS[0], linewidths=0)
    axes.set_xlabel(f"{before.column}, where found")
    axes.set_ylabel(f"{now.column}, on the target")
    tau = f"; Kendall tau {result.tau:.3f}" if np.isfinite(result.tau) else ""
    axes.set_title(f"{len(result.run)} members of the front{tau}", fontsize=10)
    tidy(axes)


def _fronts(axes: Axes, result: Transferred, up: int) -> None:
    run, against = result.run, result.against
    across = result.column
    if against is not None:
        inside = against.feasible
        axes.scatter(
            against.values[inside, across], against.values[inside, up], s=8, color=GREY, alpha=0.35, linewidths=0,
            label="measured by the search for the target",
        )  # fmt: skip
        _front(axes, against, across, up, INK, "-", "s", "none", f"searched for the target ({len(against.front)})")
    lost = np.setdiff1d(np.flatnonzero(run.measured), run.front)
    if len(lost):
        axes.scatter(
            run.values[lost, across], run.values[lost, up], marker="x", s=26, color=COLOURS[1], linewidths=1.0,
            label=f"transferred, no longer on the front ({len(lost)})",
        )  # fmt: skip
    _front(axes, run, across, up, COLOURS[1], (0, (5, 2)), "o", COLOURS[1], f"transferred front ({len(run.front)})")
    axes.set_xlabel(f"{run.objectives[across].column}, on the target")
    axes.set_ylabel(run.objectives[up].column)
    axes.set_title("fronts on the target", fontsize=10)
    tidy(axes)


def _front(
    axes: Axes, run: Run, across: int, up: int, colour: str, line: object, marker: str, fill: str, label: str
) -> None:
    rows = run.front[np.argsort(run.values[run.front, across])]
    x, y = run.values[rows, across], run.values[rows, up]
    style = "steps-post" if run.objectives[across].direction == "min" else "steps-pre"
    axes.plot(
        x, y, drawstyle=style, color=colour, linestyle=line, marker=marker, markersize=5.5, markerfacecolor=fill,
        linewidth=1.2, label=label, zorder=3,
    )  # fmt: skip
