"""The numbers behind the charts of a page, thinned where there are more than a browser can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.pareto import non_dominated
from dynas.report.compare import Comparison, Group, standard_error
from dynas.report.quality import Quality
from dynas.runs.load import Run

MOST_POINTS = 4000  # of a whole page
MOST_STEPS = 600  # of a curve
MOST_MEMBERS = 1000  # rows of the table of fronts

Member = tuple[int, Run, int]  # group, run, position of the row


def chart_data(comparison: Comparison, quality: Sequence[Quality], members: Sequence[Member]) -> dict[str, Any]:
    """Return what the charts show, ready for JSON; ``members`` are the rows of the table, in its order."""
    shares = MOST_POINTS // max(1, len(comparison.runs))
    places = {(run.folder, row): place for place, (_, run, row) in enumerate(members)}
    return {
        "objectives": [
            {"name": one.name, "column": one.column, "unit": one.unit, "min": one.direction == "min"}
            for one in comparison.objectives
        ],
        "hypervolume": " · ".join(objective.unit.split(",")[0] for objective in comparison.objectives),
        "groups": [
            {"name": group.name, "points": [_points(run, shares, places) for run in group.runs], "curve": _curve(group)}
            for group in comparison.groups
        ],
        "quality": [_quality(comparison, quality, name) for name in dict.fromkeys(one.objective for one in quality)],
    }


def front_members(comparison: Comparison) -> list[Member]:
    """Return the front members of all runs, the best of the first objective first; thinned to `MOST_MEMBERS`."""
    members = [
        (place, run, int(row))
        for place, group in enumerate(comparison.groups)
        for run in group.runs
        for row in run.front
    ]
    members.sort(key=lambda member: float(member[1].losses[member[2], 0]))
    return [members[place] for place in _thin(len(members), MOST_MEMBERS)]


def joint_front(members: Sequence[Member]) -> NDArray[np.bool_]:
    """Return the mask of members that no member of any run dominates."""
    return non_dominated(np.array([run.losses[row] for _, run, row in members], dtype=float))


def _points(run: Run, share: int, places: Mapping[tuple[Any, int], int]) -> dict[str, Any]:
    """Return rows of a run as columns: its front, and as many others as its share allows, evenly chosen."""
    others = np.setdiff1d(np.flatnonzero(run.measured), run.front)
    rows = np.concatenate([run.front[_thin(len(run.front), share)], others[_thin(len(others), share // 2)]])
    index = run.header.index("index")
    return {
        "seed": run.facts["seed"],
        "row": [run.rows[row][index] for row in rows],
        "evaluation": (rows + 1).tolist(),
        "values": [_short(run.values[rows, column]) for column in range(len(run.objectives))],
        "architecture": [run.architectures[row] for row in rows],
        "front": [1] * (len(rows) - len(others[_thin(len(others), share // 2)])),
        "feasible": run.feasible[rows].astype(int).tolist(),
        "member": [places.get((run.folder, int(row)), -1) for row in rows],
        "left_out": int(run.measured.sum()) - len(rows),
    }


def _curve(group: Group) -> dict[str, Any]:
    steps = _thin(group.evaluations, MOST_STEPS)
    return {
        "x": (steps + 1).tolist(),
        "mean": _short(group.common.mean(axis=0)[steps]),
        "error": _short(standard_error(group.common)[steps]),
    }


def _quality(comparison: Comparison, quality: Sequence[Quality], objective: str) -> dict[str, Any]:
    series = []
    for place, group in enumerate(comparison.groups):
        some = [one for one in quality if (one.predictor, one.objective) == (group.name, objective)]
        if some:
            columns: dict[str, Any] = {"group": place, "x": [one.size for one in some]}
            for name in ("mape", "kendall_tau"):
                mean, error = (np.array([getattr(one, key) for one in some]) for key in (name, f"{name}_error"))
                columns[name] = {"mean": _short(mean), "error": _short(error)}
            series.append(columns)
    return {"objective": objective, "series": series}


def _thin(n: int, most: int) -> NDArray[np.int64]:
    """Return up to ``most`` positions out of ``n``, evenly chosen, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)) if n else np.zeros(0, np.int64)


def _short(values: Values) -> list[float | None]:
    """Return numbers in eight significant digits; None where there is none."""
    return [float(f"{value:.8g}") if np.isfinite(value) else None for value in values]
