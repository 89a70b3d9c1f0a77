"""Picture of the errors of predictors, as in Figures 6 and 7 of Cummings et al. 2022."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from dynas.core.objectives import Objective, Values
from dynas.report.plots.figure import COLOURS, LINES, legend_above, new_figure, save, tidy, whole_numbers


class Errors(Protocol):
    """Mean errors of a predictor for an objective, trained on ``size`` examples; read by name."""

    @property
    def objective(self) -> str:
        """What is predicted."""
        ...

    @property
    def predictor(self) -> str:
        """What predicts it."""
        ...

    @property
    def size(self) -> float:
        """Number of training examples."""
        ...

    @property
    def mape(self) -> float:
        """Mean absolute percentage error, in percent."""
        ...

    @property
    def kendall_tau(self) -> float:
        """Rank correlation of prediction and measurement."""
        ...

    @property
    def mape_error(self) -> float:
        """Standard error of its MAPE over trials, in percent; NaN for a single one."""
        ...

    @property
    def kendall_tau_error(self) -> float:
        """Standard error of its rank correlation over trials; NaN for a single one."""
        ...


def plot_predictors(averages: Sequence[Errors], objectives: Sequence[Objective], path: Path) -> None:
    """Draw MAPE (above) and Kendall tau (below) over training examples, a column per objective.

    One line per predictor, within a band of one standard error of the mean over trials.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    figure = new_figure(1.4 + 3.9 * len(objectives), 6.4)
    grid = figure.subplots(2, len(objectives), sharex=True, squeeze=False)
    for column, objective in enumerate(objectives):
        rows = [one for one in averages if one.objective == objective.name]
        for index, name in enumerate(dict.fromkeys(one.predictor for one in rows)):
            mine = [one for one in rows if one.predictor == name]
            sizes = np.array([one.size for one in mine], dtype=float)
            mape = np.array([[one.mape, one.mape_error] for one in mine]).T
            tau = np.array([[one.kendall_tau, one.kendall_tau_error] for one in mine]).T
            _line(grid[0, column], name, index, sizes, mape)
            _line(grid[1, column], name, index, sizes, tau)
        grid[0, column].set_ylabel(f"MAPE of {objective.name} [%], lower is better")
        grid[1, column].set_ylabel(f"Kendall tau of {objective.name}, higher is better")
        grid[0, column].set_ylim(bottom=0)
        grid[1, column].set_xlabel("training examples")
        grid[1, column].xaxis.set_major_locator(whole_numbers())
    for axes in grid.ravel():
        tidy(axes)
    several = any(np.isfinite((one.mape_error, one.kendall_tau_error)).any() for one in averages)
    legend_above(grid[0, 0], "band: the mean ± one standard error" if several else "")
    save(figure, path)


def _line(axes: Axes, name: str, index: int, sizes: Values, table: Values) -> None:
    """Draw means and standard errors ``(2, sizes)``; a NaN error, of a single trial, has no band."""
    mean, error = table
    colour = COLOURS[index % len(COLOURS)]
    axes.plot(
        sizes, mean, color=colour, linestyle=LINES[index % len(LINES)], linewidth=1.8, marker="o", markersize=3.5,
        label=name,
    )  # fmt: skip
    axes.fill_between(sizes, mean - error, mean + error, color=colour, alpha=0.18, linewidth=0)
