"""What runs of a group attain: surfaces of the empirical attainment function.

Grunert da Fonseca, Fonseca and Hall 2001, doi 10.1007/3-540-44719-9_15.
"""

from __future__ import annotations

from pathlib import Path

import moocore
import numpy as np

from dynas.core.objectives import Values
from dynas.report.compare import Comparison, Group, known_front
from dynas.report.plots.figure import COLOURS, LINES, legend_beside, name_axes, pair_panels, save, step_style


def plot_attainment(comparison: Comparison, path: Path) -> None:
    """Draw what half of the runs of each group attain, within a band from what one of them does to what all do.

    Groups of a single run have none, and those with a run that found nothing within the bounds.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    objectives = comparison.objectives
    signs = np.array([objective.sign for objective in objectives])
    figure, ((axes, across, up),) = pair_panels(objectives)
    style = step_style(objectives[across])
    shown = [np.empty((0, 2))]
    for index, group in enumerate(comparison.groups):
        if not has_surfaces(group):
            continue
        colour, line = COLOURS[index % len(COLOURS)], LINES[index % len(LINES)]
        one, half, every = (surface * signs for surface in surfaces(group))
        label = f"{group.name}: half of {len(group.runs)} runs"
        axes.plot(
            half[:, across], half[:, up], drawstyle=style, color=colour, linestyle=line, linewidth=1.8, label=label
        )
        x, low, high = between(one[:, [across, up]], every[:, [across, up]], objectives[across].direction == "min")
        axes.fill_between(x, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        shown += [one, every]
    points = np.concatenate(shown)
    name_axes(axes, objectives[across], objectives[up], points[:, across], points[:, up])
    legend_beside(figure, axes, 1)
    save(figure, path)


def has_surfaces(group: Group) -> bool:
    """Return whether a group has several runs, and each of them a front."""
    return len(group.runs) > 1 and all(len(known_front(run, group.evaluations)) for run in group.runs)


def surfaces(group: Group) -> tuple[Values, Values, Values]:
    """Return as losses ``(k, 2)`` what at least one, half and all of a group's runs attain, each in rising order."""
    fronts = [known_front(run, group.evaluations) for run in group.runs]
    sets = np.repeat(np.arange(1, len(fronts) + 1), [len(front) for front in fronts])
    levels = [100 / len(fronts), 50.0, 100.0]
    found = moocore.eaf(np.concatenate(fronts), sets=sets, percentiles=levels)
    one, half, every = (found[np.isclose(found[:, 2], level)][:, :2] for level in levels)
    one, half, every = (points[np.argsort(points[:, 0])] for points in (one, half, every))
    return one, half, every


def between(first: Values, second: Values, rising: bool) -> tuple[Values, Values, Values]:
    """Return where two staircases ``(k, 2)`` both are, and their heights there, each to hold up to the next place.

    Args:
        first, second: their corners.
        rising: whether a step lasts from its corner to the right, as with costs, or to the left.
    """
    x = np.unique(np.concatenate([first[:, 0], second[:, 0]]))
    heights = []
    for corners in (first, second):
        order = np.argsort(corners[:, 0])
        own_x, own_y = corners[order, 0], corners[order, 1]
        place = np.searchsorted(own_x, x, side="right") - 1 if rising else np.searchsorted(own_x, x, side="right")
        inside = (place >= 0) & (place < len(own_x))
        heights.append(np.where(inside, own_y[np.clip(place, 0, len(own_y) - 1)], np.nan))
    return x, heights[0], heights[1]
