"""Pictures of runs, with matplotlib."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dynas.objectives import Objective, Values
from dynas.report.load import Run

LINES = ("-", "--", "-.", ":")  # tell curves apart in grey too
COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#8d6a9f", "#c77d2e", "#555555")
LONG_NAMES = {"top1": "top-1 accuracy", "macs": "MACs", "params": "parameters"}


def label(objective: Objective) -> str:
    """Return an axis label with unit and the better direction."""
    name = LONG_NAMES.get(objective.name, objective.name.replace("_", " "))
    unit = "" if objective.unit in ("MAC", "parameters") else f" ({objective.unit})"
    return f"{name}{unit}"


def figure(width: float, height: float) -> Figure:
    """Return an empty figure that needs no display."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def tidy(axes: Axes) -> None:
    """Take away what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def plot_front(run: Run, path: Path) -> None:
    """Draw all measurements, coloured by iteration, and the front: one panel per pair of objectives."""
    pairs = list(itertools.combinations(range(len(run.objectives)), 2)) or [(0, 0)]
    made = figure(6.4 * len(pairs), 4.6)
    iterations = np.array([int(cell) for cell in run.column("iteration")])
    bounds = np.arange(0.5, iterations.max() + 1.5)
    colours = ScalarMappable(BoundaryNorm(bounds, 256), "viridis_r")
    panels = [made.add_subplot(1, len(pairs), index + 1) for index in range(len(pairs))]
    for axes, (first, second) in zip(panels, pairs, strict=True):
        if len(run.objectives) == 1:
            progress_panel(axes, run)
        else:
            front_panel(axes, run, first, second, colours.to_rgba(iterations))
        tidy(axes)
    if len(run.objectives) > 1:
        bar = made.colorbar(colours, ax=panels, label="iteration", pad=0.02, aspect=30)
        bar.set_ticks(sorted({round(tick) for tick in np.linspace(1, iterations.max(), min(8, iterations.max()))}))
        bar.minorticks_off()
    made.savefig(path, dpi=160)


def front_panel(axes: Axes, run: Run, first: int, second: int, colours: np.ndarray) -> None:
    """Draw one objective over another: the cheaper one across, the quality upwards."""
    objectives = run.objectives
    across, up = (second, first) if objectives[second].direction == "min" else (first, second)
    x, y = run.values[:, across], run.values[:, up]
    axes.scatter(x, y, c=colours, s=20, alpha=0.85, linewidths=0)
    members = run.front
    order = members[np.argsort(x[members], kind="stable")]
    if len(objectives) == 2:
        axes.plot(x[order], y[order], color="#222222", linewidth=1.1, drawstyle="steps-post", zorder=3)
    axes.scatter(x[order], y[order], facecolors="none", edgecolors="#222222", s=44, linewidths=1.0, zorder=4)
    axes.set_xlabel(label(objectives[across]))
    axes.set_ylabel(label(objectives[up]))
    title = f"front: {len(order)} of {len(x)} measured sub-networks"
    axes.set_title(title, fontsize=9, loc="left", color="#444444")


def progress_panel(axes: Axes, run: Run) -> None:
    """Draw a single objective over evaluations, with the best so far."""
    objective = run.objectives[0]
    values = run.values[:, 0]
    evaluations = np.arange(1, len(values) + 1)
    best = np.fmin.accumulate(run.losses[:, 0]) * objective.sign
    axes.scatter(evaluations, values, s=20, color=COLOURS[0], alpha=0.7, linewidths=0, label="measured")
    axes.step(evaluations, best, where="post", color="#222222", label="best so far")
    axes.set_xlabel("evaluations")
    axes.set_ylabel(label(objective))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def plot_curves(
    curves: Mapping[str, Values], path: Path, reference: Sequence[float], objectives: Sequence[Objective]
) -> None:
    """Draw hypervolume over evaluations.

    Args:
        curves: per label, one row per seed ``(seeds, evaluations)``; several seeds give their mean with the
            standard error shaded.
        path: the picture to write.
        reference: the reference point in the objectives' units.
        objectives: the objectives, for the reference point's text.
    """
    made = figure(6.4, 4.2)
    axes = made.add_subplot()
    for index, (name, runs) in enumerate(curves.items()):
        colour, line = COLOURS[index % len(COLOURS)], LINES[index % len(LINES)]
        evaluations = np.arange(1, runs.shape[1] + 1)
        mean = runs.mean(axis=0)
        axes.step(evaluations, mean, where="post", color=colour, linestyle=line, linewidth=1.6, label=name or None)
        if len(runs) > 1:
            error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
            axes.fill_between(
                evaluations, mean - error, mean + error, step="post", color=colour, alpha=0.2, linewidth=0
            )
    axes.set_xlabel("evaluations")
    axes.set_ylabel("hypervolume")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes)
    point = ", ".join(f"{one.name} {value:.4g} {one.unit}" for one, value in zip(objectives, reference, strict=True))
    axes.set_title(f"reference point: {point}", fontsize=9, loc="left", color="#444444")
    if any(curves):
        axes.legend(frameon=False, loc="lower right")
    made.savefig(path, dpi=160)
