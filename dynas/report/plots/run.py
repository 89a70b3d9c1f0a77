"""Pictures of runs. Import this only when drawing: it loads matplotlib, without its global state."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.pareto import non_dominated
from dynas.core.scale import is_logarithmic
from dynas.errors import DynasError
from dynas.report.plots.paper import fit, letters
from dynas.report.text import readable
from dynas.runs.load import Run
from dynas.system.files import replacing

INK = "#1a1a1a"
GREY = "#8a8a8a"
# early iterations pale, late ones dark: the order survives a greyscale print
SEQUENCE = LinearSegmentedColormap.from_list("iteration", ["#f2c14e", "#e07a3f", "#a63a6b", "#3f2a78"])
COLOURS = ("#1f5fa8", "#d9722e", "#2e8b6b", "#8e3b8a", "#6b6b6b", "#b8a01f", "#b02a2a", "#58b0cc")
MARKERS = "os^Dv"
LINES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (7, 2, 1.5, 2)))  # tell curves apart without colour
ORIGINAL: dict[str, Any] = {
    "marker": "*", "markersize": 12, "color": "#c44536", "markeredgecolor": "white", "linestyle": "none", "zorder": 5,
}  # fmt: skip
RING: dict[str, Any] = {"marker": "o", "markersize": 6.5, "markerfacecolor": "none", "markeredgewidth": 1.0}
LONGEST_LABEL = 44  # of an axis, before it takes two lines
DPI = 160


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
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(whole_numbers())
    _engineering(axes.yaxis, values)
    tidy(axes)
    cut = "" if from_zero else "; the vertical axis does not start at 0"
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


Panel = tuple[Axes, int, int]  # axes; column of the objective across, and of that upwards


def pair_panels(objectives: Sequence[Objective]) -> tuple[Figure, list[Panel]]:
    """Return a figure with a panel per pair of objectives, the lower triangle of a square; costs come first."""
    order = sorted(range(len(objectives)), key=lambda column: objectives[column].direction == "max")
    size = len(order) - 1
    figure = new_figure(7.2, 4.6) if size == 1 else new_figure(1.2 + 3.9 * size, 3.3 * size)
    panels = [
        (figure.add_subplot(size, size, down * size + right + 1), across, up)
        for down, up in enumerate(order[1:])
        for right, across in enumerate(order[: down + 1])
    ]
    return figure, panels


def legend_above(axes: Axes, text: str = "") -> None:
    """Put the legend above a panel, in line with its left edge, beneath a sentence on what is drawn."""
    handles, labels = axes.get_legend_handles_labels()
    subplot = axes.get_subplotspec()
    width = letters(axes.figure, subplot.get_gridspec().ncols if subplot else 1)
    labels = [textwrap.fill(label, width - 7) for label in labels]
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    columns = max(1, min(len(labels), width // (7 + longest)))
    legend = axes.legend(
        handles, labels, title=textwrap.fill(text, width), loc="lower left", bbox_to_anchor=(0, 1), ncols=columns,
        frameon=False, borderpad=0, borderaxespad=0.5, handletextpad=0.6, alignment="left",
    )  # fmt: skip
    legend.get_title().set(fontsize=8.5, color="#555555")


def legend_beside(figure: Figure, axes: Axes, size: int) -> None:
    """Put the legend of one panel above a single panel, or into the empty corner of ``size`` x ``size`` ones."""
    if size == 1:
        legend_above(axes)
        return
    handles, labels = axes.get_legend_handles_labels()
    corner = figure.add_subplot(size, size, size)
    corner.set_axis_off()
    width = letters(figure, size) - 7
    corner.legend(handles, [textwrap.fill(label, width) for label in labels], loc="lower left", frameon=False)


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
    _bound_line(axes, objective, vertical=False)
    legend_above(axes)
    tidy(axes)


def mark_original(axes: Axes, values: Values | None, across: int, up: int) -> None:
    """Draw the network that all others are made from, where its values ``(M,)`` are known."""
    if values is not None:
        axes.plot(values[across], values[up], label="original", **ORIGINAL)


def name_axes(axes: Axes, across: Objective, up: Objective, x: Values, y: Values) -> None:
    """Name both axes, write their numbers readably, and draw the objectives' bounds."""
    name_axis(axes.xaxis, across, x)
    name_axis(axes.yaxis, up, y)
    _bound_line(axes, across, vertical=True)
    _bound_line(axes, up, vertical=False)
    tidy(axes)


def step_style(across: Objective) -> str:
    """Return how the border of what a front dominates is drawn."""
    return "steps-post" if across.direction == "min" else "steps-pre"


def _bound_line(axes: Axes, objective: Objective, vertical: bool) -> None:
    if objective.bound is not None:
        draw = axes.axvline if vertical else axes.axhline
        draw(objective.bound, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)


def name_axis(axis: Axis, objective: Objective, values: Values) -> None:
    """Name an axis after an objective; large numbers get a prefix, and a wide range a logarithmic scale."""
    better = f"{'higher' if objective.direction == 'max' else 'lower'} is better"
    if is_logarithmic(objective, values):
        axis.axes.set(**{"xscale" if axis is axis.axes.xaxis else "yscale": "log"})
        decades = np.log10(np.nanmax(values) / np.nanmin(values))
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        better = f"logarithmic, {better}"
    label = f"{objective.column}, {better}"
    axis.set_label_text(label if len(label) <= LONGEST_LABEL else f"{objective.column}\n{better}")
    _engineering(axis, values)


def _engineering(axis: Axis, values: Values) -> None:
    """Write large numbers with a prefix, such as 12 M."""
    finite = values[np.isfinite(values)]
    if len(finite) and np.abs(finite).max() >= 1e5:
        axis.set_major_formatter(EngFormatter(sep="\N{THIN SPACE}"))


def _reference_text(objectives: Sequence[Objective], reference: Sequence[float]) -> str:
    parts = [f"{one.name} {readable(value)} {one.unit}" for one, value in zip(objectives, reference, strict=True)]
    return f"reference point: {'; '.join(parts)}"


def whole_numbers() -> MaxNLocator:
    """Return what places ticks at round whole numbers."""
    return MaxNLocator(integer=True, steps=[1, 2, 5, 10])


class Picture(Figure):
    """A figure that needs no display, and that a notebook shows where it is the value of a cell."""

    def _repr_png_(self) -> bytes:
        literal(self)
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=DPI)
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Picture:
    """Return an empty figure, in inches."""
    figure = Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """Leave out the lines that say nothing, and draw a pale grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)


def literal(figure: Figure) -> None:
    """Let a ``$`` in a name be just that."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def save(figure: Figure, path: Path) -> None:
    """Write a picture as a whole, in the format that the ending of its name says."""
    literal(figure)
    fit(figure)
    try:
        with replacing(path) as file, rc_context({"pdf.fonttype": 42}):  # letters, not outlines, as publishers ask for
            figure.savefig(file, format=path.suffix.lstrip(".") or None, dpi=DPI)
    except ValueError as error:
        raise DynasError(f"cannot draw '{path}': give a name that ends in .png, .pdf or .svg") from error
