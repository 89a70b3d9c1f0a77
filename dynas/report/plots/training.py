"""Picture of a training: how good the ends and the middle are, and whether quality follows cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dynas.core.objectives import Objective
from dynas.report.plots.figure import COLOURS, LINES, MARKERS, legend_above, new_figure, save, tidy, whole_numbers

LINES_OF = (("largest", "largest sub-network"), ("median", "median of random ones"), ("smallest", "smallest"))


def plot_training(curve: Sequence[Mapping[str, float]], objective: Objective, path: Path) -> None:
    """Draw quality (above) and its rank correlation with MACs (below) over epochs.

    Args:
        curve: what was seen after each epoch (see `dynas.training.training.Training`).
        objective: what was measured.
        path: the picture to write.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    figure = new_figure(6.8, 6.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for index, (name, label) in enumerate(LINES_OF):
        rows = [row for row in curve if name in row]
        above.plot(
            [row["epoch"] for row in rows], [row[name] for row in rows], label=label, color=COLOURS[index],
            linestyle=LINES[index], marker=MARKERS[index], markersize=4, linewidth=1.6,
        )  # fmt: skip
    rows = [row for row in curve if np.isfinite(row.get("tau", np.nan))]
    below.plot([row["epoch"] for row in rows], [row["tau"] for row in rows], color=COLOURS[0], marker="o", markersize=4)
    above.set_ylabel(f"{objective.column}, {'higher' if objective.direction == 'max' else 'lower'} is better")
    below.set_ylabel("Kendall tau with MACs")
    below.set_xlabel("epochs")
    below.xaxis.set_major_locator(whole_numbers())
    for axes in (above, below):
        tidy(axes)
    legend_above(above)
    save(figure, path)
