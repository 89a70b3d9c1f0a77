"""What all pictures have in common: sizes, colours, axes, legends, files; matplotlib without its global state."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from dynas.core.objectives import Objective, Values
from dynas.core.scale import is_logarithmic
from dynas.errors import DynasError
from dynas.report.plots.paper import fit, letters
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
LONGEST_LABEL = 44  # of an axis, before it takes two lines
DPI = 160
MARGIN = 8  # letters that have room to the left of a panel, where no legend begins
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
    width = max(20, letters(axes.figure, subplot.get_gridspec().ncols if subplot else 1) - MARGIN)
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


def name_axes(axes: Axes, across: Objective, up: Objective, x: Values, y: Values) -> None:
    """Name both axes, write their numbers readably, and draw the objectives' bounds."""
    name_axis(axes.xaxis, across, x)
    name_axis(axes.yaxis, up, y)
    bound_line(axes, across, vertical=True)
    bound_line(axes, up, vertical=False)
    tidy(axes)


def mark_original(axes: Axes, values: Values | None, across: int, up: int) -> None:
    """Draw the network that all others are made from, where its values ``(M,)`` are known."""
    if values is not None:
        axes.plot(values[across], values[up], label="original", **ORIGINAL)


def step_style(across: Objective) -> str:
    """Return how the border of what a front dominates is drawn."""
    return "steps-post" if across.direction == "min" else "steps-pre"


def bound_line(axes: Axes, objective: Objective, vertical: bool) -> None:
    """Draw an objective's bound, if it has one."""
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
    engineering(axis, values)


def engineering(axis: Axis, values: Values) -> None:
    """Write large numbers with a prefix, such as 12 M."""
    finite = values[np.isfinite(values)]
    if len(finite) and np.abs(finite).max() >= 1e5:
        axis.set_major_formatter(EngFormatter(sep="\N{THIN SPACE}"))


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
