"""Pictures of runs. Import this only when drawing: it loads matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.pareto import non_dominated
from dynas.report.plots.figure import (
    COLOURS,
    GREY,
    INK,
    LINES,
    MARKERS,
    ORIGINAL,
    SEQUENCE,
    bound_line,
    engineering,
    legend_above,
    legend_beside,
    mark_original,
    name_axes,
    name_axis,
    new_figure,
    pair_panels,
    save,
    step_style,
    tidy,
    whole_numbers,
)
from dynas.report.text import readable
from dynas.runs.load import Run

APART = 10  # times as many evaluations: the scale is logarithmic
RING: dict[str, Any] = {"marker": "o", "markersize": 6.5, "markerfacecolor": "none", "markeredgewidth": 1.0}


def plot_front(run: Run, path: Path) -> None:
    """Draw what was measured, coloured by iteration, and the front.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    save(front_figure(run), path)


def front_figure(run: Run) -> Figure:
    """Return a picture of what was measured and of the front.

    One objective is drawn over evaluations with the best so far; two give one panel; more give a panel per pair.
    """
    if len(run.objectives) > 1:
        return _front_figure(run)
    figure = new_figure(6.8, 4.4)
    _draw_progress(figure, run)
    return figure


def plot_hypervolume(
    curves: Mapping[str, Values], objectives: Sequence[Objective], reference: Sequence[float], path: Path
) -> None:
    """Draw hypervolume over evaluations.

    Args:
        curves: per label (empty for none) the hypervolumes ``(runs, n)``; several runs are drawn as their mean
            within a band of one standard error.
        objectives: the objectives, for the text about the reference point.
        reference: the reference point, in the objectives' units.
        path: the picture to write.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    figure = new_figure(6.8, 4.4)
    axes = figure.add_subplot()
    for index, (name, table) in enumerate(curves.items()):
        _curve(axes, name, table, index, len(curves))
    axes.set_xlabel("evaluations")
    units = " · ".join(objective.unit.split(",")[0] for objective in objectives)
    axes.set_ylabel(f"hypervolume [{units}]")
    values = np.concatenate([table.ravel() for table in curves.values()])
    from_zero = values.min() < values.max() / 2  # else nothing would be seen of how it grows
    if from_zero:
        axes.set_ylim(bottom=0)
    lengths = [table.shape[1] for table in curves.values()]
    logarithmic = max(lengths) > APART * min(lengths)  # else the shortest would be a line at the left
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    else:
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(whole_numbers())
    engineering(axes.yaxis, values)
    tidy(axes)
    cut = "" if from_zero else "; the vertical axis does not start at 0"
    cut += "; evaluations on a logarithmic scale" if logarithmic else ""
    several = "mean, within a band of one standard error; " if any(len(table) > 1 for table in curves.values()) else ""
    legend_above(axes, f"{several}{_reference_text(objectives, reference)}{cut}")
    save(figure, path)


def _curve(axes: Axes, name: str, table: Values, index: int, many: int) -> None:
    evaluations = np.arange(1, table.shape[1] + 1)
    mean = table.mean(axis=0)
    seeds = f" ({len(table)} runs)" if len(table) > 1 else ""
    label = f"{name}{seeds}" if name else None
    colour, line = COLOURS[index % len(COLOURS)], LINES[index % len(LINES)]
    apart = max(1, len(mean) // 8)  # marks tell curves apart without colour; each curve has them elsewhere
    axes.step(
        evaluations, mean, where="post", color=colour, linestyle=line, linewidth=1.8, label=label,
        marker=MARKERS[index % len(MARKERS)] if many > 1 else None, markersize=5,
        markevery=(apart * index // many, apart),
    )  # fmt: skip
    if len(table) > 1:
        error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
        axes.fill_between(evaluations, mean - error, mean + error, step="post", color=colour, alpha=0.18, linewidth=0)
    if table.shape[1] == 1:
        axes.plot(evaluations, mean, "o", color=colour, markersize=4)


def _front_figure(run: Run) -> Figure:
    """Return the panels of all pairs of objectives."""
    figure, panels = pair_panels(run.objectives)
    size = len(run.objectives) - 1
    colours, norm = _iteration_colours(run)
    for axes, across, up in panels:
        _front_panel(axes, run, across, up, colours)
        axes.label_outer() if size > 1 else None
    legend_beside(figure, panels[0][0], size)
    if norm is not None:
        bar = figure.colorbar(ScalarMappable(norm, SEQUENCE), ax=figure.axes, label="iteration", pad=0.015, aspect=32)
        last = int(run.iterations.max())
        bar.set_ticks(np.unique(np.linspace(1, last, min(7, last)).round()).tolist())
        bar.minorticks_off()
        bar.outline.set_visible(False)
    return figure


def _iteration_colours(run: Run) -> tuple[NDArray[np.float64], BoundaryNorm | None]:
    """Return a colour ``(n, 4)`` per evaluation, and the scale behind it where there are several iterations."""
    last = int(run.iterations.max())
    if last == 1:
        return np.tile(np.array(SEQUENCE(0.75)), (len(run), 1)), None
    edges = np.linspace(0.5, last + 0.5, min(last, SEQUENCE.N) + 1)  # neighbours share a colour where there are more
    norm = BoundaryNorm(edges, SEQUENCE.N)
    return np.asarray(SEQUENCE(norm(run.iterations))), norm


def _front_panel(axes: Axes, run: Run, across: int, up: int, colours: NDArray[np.float64]) -> None:
    """Draw one objective over another, with the front as the border of what it dominates."""
    x, y = run.values[:, across], run.values[:, up]
    inside, beyond = run.feasible, run.measured & ~run.feasible
    if beyond.any():
        axes.scatter(x[beyond], y[beyond], marker="x", s=16, color=GREY, linewidths=0.8, label="beyond a bound")
    axes.scatter(x[inside], y[inside], c=colours[inside], s=20, alpha=0.9, linewidths=0)
    rows = np.flatnonzero(inside)
    rows = rows[non_dominated(run.losses[rows][:, [across, up]])]
    rows = rows[np.lexsort((y[rows], x[rows]))]
    pair_only = len(run.objectives) > 2
    members = f"{'confirmed ' if run.confirmed else ''}front ({len(run.front)} of {len(run)})"
    axes.plot(
        x[rows], y[rows], drawstyle=step_style(run.objectives[across]), color=INK, linewidth=1.0, zorder=3,
        label="front of the pair" if pair_only else members,
        **({} if pair_only else RING),
    )  # fmt: skip
    if pair_only:
        axes.plot(x[run.front], y[run.front], linestyle="none", color=INK, zorder=4, label=members, **RING)
    mark_original(axes, None if run.original is None else run.values[run.original], across, up)
    name_axes(axes, run.objectives[across], run.objectives[up], x, y)


def _draw_progress(figure: Figure, run: Run) -> None:
    """Draw a single objective over evaluations, with the best so far."""
    axes, objective = figure.add_subplot(), run.objectives[0]
    evaluations, values, inside = np.arange(1, len(run) + 1), run.values[:, 0], run.feasible
    best = np.fmin.accumulate(run.feasible_losses[:, 0]) * objective.sign
    beyond = run.measured & ~inside
    if beyond.any():
        axes.scatter(
            evaluations[beyond], values[beyond], marker="x", s=16, color=GREY, linewidths=0.8, label="beyond the bound"
        )
    axes.scatter(
        evaluations[inside], values[inside], s=20, color=COLOURS[0], alpha=0.75, linewidths=0, label="evaluated"
    )
    axes.step(evaluations, best, where="post", color=INK, linewidth=1.4, label="best so far")
    if run.original is not None:
        axes.plot(evaluations[run.original], values[run.original], label="original", **ORIGINAL)
    axes.set_xlabel("evaluations")
    axes.xaxis.set_major_locator(whole_numbers())
    name_axis(axes.yaxis, objective, values)
    bound_line(axes, objective, vertical=False)
    legend_above(axes)
    tidy(axes)


def _reference_text(objectives: Sequence[Objective], reference: Sequence[float]) -> str:
    parts = [f"{one.name} {readable(value)} {one.unit}" for one, value in zip(objectives, reference, strict=True)]
    return f"reference point: {'; '.join(parts)}"
