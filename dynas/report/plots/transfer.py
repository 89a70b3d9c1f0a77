"""Picture of a front on another target, as in Figures 12 and 13 of Cummings et al. 2022."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from dynas.core.objectives import Objective, Values
from dynas.report.plots.figure import COLOURS, GREY, INK, name_axis, new_figure, save, step_style, tidy
from dynas.report.transfer import Transferred, targets
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
    save(figure, path)


def _latencies(axes: Axes, result: Transferred) -> None:
    before, now = result.source.objectives[result.source_column], result.objective
    axes.scatter(result.before, result.now, s=26, color=COLOURS[0], linewidths=0)
    there, here = targets(result)
    _name(axes.xaxis, before, result.before, f"where found: {there}" if there else "where found")
    _name(axes.yaxis, now, result.now, f"on the target: {here}" if here else "on the target")
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
    _, here = targets(result)
    both = [one.values for one in (run, against) if one is not None]
    x, y = (np.concatenate([values[:, column] for values in both]) for column in (across, up))
    _name(axes.xaxis, run.objectives[across], x, f"on the target: {here}" if here else "on the target")
    name_axis(axes.yaxis, run.objectives[up], y)
    axes.legend(frameon=False, fontsize=8.5)
    tidy(axes)


def _name(axis: Axis, objective: Objective, values: Values, where: str) -> None:
    """Name an axis after an objective and a target, which may take several lines."""
    name_axis(axis, objective, values)
    axis.set_label_text("\n".join([axis.get_label_text(), *textwrap.wrap(where, 44)]))


def _front(
    axes: Axes, run: Run, across: int, up: int, colour: str, line: object, marker: str, fill: str, label: str
) -> None:
    rows = run.front[np.argsort(run.values[run.front, across])]
    x, y = run.values[rows, across], run.values[rows, up]
    style = step_style(run.objectives[across])
    axes.plot(
        x, y, drawstyle=style, color=colour, linestyle=line, marker=marker, markersize=5.5, markerfacecolor=fill,
        linewidth=1.2, label=label, zorder=3,
    )  # fmt: skip
