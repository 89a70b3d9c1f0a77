"""Pictures of several runs together: their fronts, their progress, their costs (Cummings et al. 2022)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import non_dominated
from dynas.report.compare import Comparison
from dynas.report.plots.figure import (
    COLOURS,
    LINES,
    MARKERS,
    SEQUENCE,
    legend_above,
    legend_beside,
    mark_original,
    name_axes,
    new_figure,
    pair_panels,
    save,
    step_style,
)
from dynas.report.plots.paper import abreast
from dynas.report.series import Series, by_group

MOST_VECTORS = 5000  # points of a picture that are drawn as vectors; more become pixels within it
MANY_MEMBERS = 40  # of a front, whose marks become smaller
BRIGHT = "#00a2d9"  # a line that is seen on dark points and on white
ACROSS = 3  # panels in a row
MOST_PANELS = 9


def plot_fronts(
    series: Sequence[Series], objectives: Sequence[Objective], path: Path, original: Values | None = None
) -> None:
    """Draw the fronts of several series in one picture, with what was measured behind them, and the original.

    Two objectives give one panel; more give a panel per pair, with the front of the pair.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    figure, panels = pair_panels(objectives)
    size = len(objectives) - 1
    together = np.concatenate([one.values for one in series])
    for axes, across, up in panels:
        for index, one in enumerate(series):
            _front(axes, one, index, objectives, (across, up), len(together) > MOST_VECTORS)
        mark_original(axes, original, across, up)
        name_axes(axes, objectives[across], objectives[up], together[:, across], together[:, up])
        axes.label_outer() if size > 1 else None
    legend_beside(figure, panels[0][0], size)
    save(figure, path)


def plot_progress(comparison: Comparison, path: Path) -> None:
    """Draw what each group measured, coloured by the number of the evaluation, and its front (Figure 3 there).

    A panel per group with shared axes; of more than two objectives, the first cost and the first quality.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    groups = comparison.groups[:MOST_PANELS]
    across, up = _main_pair(comparison.objectives)
    columns = abreast(2 if len(groups) == 4 else min(ACROSS, len(groups)))
    rows = -(-len(groups) // columns)
    figure = new_figure(2.2 + 3.4 * columns, 0.6 + 3.3 * rows) if len(groups) > 1 else new_figure(7.2, 4.6)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    norm = Normalize(1, max(len(run) for run in comparison.runs))
    together = np.concatenate([run.values[run.feasible] for run in comparison.runs])
    all_of_them = len(together) > MOST_VECTORS
    for axes, group, series in zip(grid, groups, by_group(comparison), strict=False):
        for run in group.runs:
            rows_inside = np.flatnonzero(run.feasible)
            axes.scatter(
                run.values[rows_inside, across], run.values[rows_inside, up], c=rows_inside + 1, cmap=SEQUENCE,
                norm=norm, s=14, linewidths=0, alpha=0.9, rasterized=all_of_them,
            )  # fmt: skip
        x, y = _border(series.values, comparison.objectives, (across, up))
        style = step_style(comparison.objectives[across])
        axes.plot(x, y, drawstyle=style, color=BRIGHT, linewidth=1.4, zorder=3, label="front")
        mark_original(axes, comparison.original, across, up)
        name_axes(axes, comparison.objectives[across], comparison.objectives[up], together[:, across], together[:, up])
        axes.label_outer()
        axes.set_title(series.name, fontsize=9.5, loc="left")
    grid[0].legend(loc="lower right", frameon=False)
    for axes, above in zip(grid[len(groups) :], grid[len(groups) - columns :], strict=False):
        axes.set_axis_off()
        above.xaxis.set_tick_params(labelbottom=True)
        above.set_xlabel(grid[len(groups) - 1].get_xlabel())
    bar = figure.colorbar(ScalarMappable(norm, SEQUENCE), ax=list(grid), label="evaluation", pad=0.015, aspect=32)
    bar.outline.set_visible(False)
    save(figure, path)


def plot_costs(series: Sequence[Series], objectives: Sequence[Objective], path: Path) -> None:
    """Draw one cost over another, a panel per pair, with their rank correlation (Figure 14 there: MACs and latency).

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    from scipy.stats import kendalltau

    costs = [column for column, objective in enumerate(objectives) if objective.direction == "min"]
    pairs = list(itertools.combinations(reversed(costs), 2))
    columns = abreast(len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_figure(max(7.2, 0.6 + 4.4 * columns), 4.6 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    together = np.concatenate([one.values for one in series])
    for axes, (across, up) in zip(grid, pairs, strict=True):
        for index, one in enumerate(series):
            axes.scatter(
                one.values[:, across], one.values[:, up], marker=MARKERS[index % len(MARKERS)], s=16, alpha=0.6,
                color=COLOURS[index % len(COLOURS)], linewidths=0, label=one.name,
                rasterized=len(together) > MOST_VECTORS,
            )  # fmt: skip
        name_axes(axes, objectives[across], objectives[up], together[:, across], together[:, up])
        tau = kendalltau(together[:, across], together[:, up]).statistic
        r = np.corrcoef(together[:, [across, up]].T)[0, 1]
        text = f"Kendall tau {tau:.3f}, Pearson r {r:.3f} (n = {len(together):,})"
        if axes is grid[0]:
            legend_above(axes, text)
        else:
            axes.set_title(text, fontsize=8.5, color="#555555", loc="left")
    save(figure, path)


def _front(
    axes: Axes, one: Series, index: int, objectives: Sequence[Objective], pair: tuple[int, int], many: bool
) -> None:
    """Draw a series: everything small and pale, the front with marks on its border."""
    colour, mark = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    axes.scatter(
        one.values[:, pair[0]], one.values[:, pair[1]], marker=mark, s=9, color=colour, alpha=0.22, linewidths=0,
        rasterized=many,
    )  # fmt: skip
    x, y = _border(one.values, objectives, pair)
    style = step_style(objectives[pair[0]])
    axes.plot(
        x, y, drawstyle=style, color=colour, linestyle=LINES[index % len(LINES)], linewidth=1.3, marker=mark,
        markersize=5.5 if len(x) <= MANY_MEMBERS else 4.0, markeredgecolor="white", markeredgewidth=0.5,
        zorder=3 + 0.01 * index, label=one.name,
    )  # fmt: skip


def _border(values: Values, objectives: Sequence[Objective], pair: tuple[int, int]) -> tuple[Values, Values]:
    """Return the front of two objectives, from left to right."""
    turned = losses(objectives, values)[:, list(pair)]
    rows = np.flatnonzero(non_dominated(turned))
    x, y = values[rows, pair[0]], values[rows, pair[1]]
    order = np.lexsort((y, x))
    return x[order], y[order]


def _main_pair(objectives: Sequence[Objective]) -> tuple[int, int]:
    """Return the columns of the first cost and the first quality; of the first two where there is only one kind."""
    order = sorted(range(len(objectives)), key=lambda column: objectives[column].direction == "max")
    best = [column for column in order if objectives[column].direction == "max"]
    return order[0], best[0] if best and best[0] != order[0] else order[1]
