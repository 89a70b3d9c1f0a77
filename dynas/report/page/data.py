"""The numbers behind the charts of a page, thinned where there are more than a browser can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.pareto import non_dominated
from dynas.core.scale import is_logarithmic
from dynas.report.comparable import described_objectives
from dynas.report.compare import Comparison, Group, standard_error
from dynas.report.page.known import Known
from dynas.report.quality import Quality
from dynas.runs.load import Run

MOST_POINTS = 4000  # of a whole page
MOST_STEPS = 600  # of a curve
MOST_MEMBERS = 1000  # rows of the table of fronts

Member = tuple[int, Run, int]  # group, run, position of the row


def chart_data(
    comparison: Comparison, quality: Sequence[Quality], members: Sequence[Member], known: Sequence[Known]
) -> dict[str, Any]:
    """Return what the charts show, ready for JSON; ``members`` are the rows of the table, in its order."""
    share = MOST_POINTS // max(1, len(comparison.runs))
    places = {(run.folder, row): place for place, (_, run, row) in enumerate(members)}
    best = {place for place, one in enumerate(joint_front(members)) if one}
    marks: dict[tuple[Path, int], str] = {}
    for one in known:
        marks[one.run.folder, one.row] = ", ".join(filter(None, (marks.get((one.run.folder, one.row)), one.what)))
    groups = [
        {
            "name": group.name,
            "points": [_points(run, rows, share, places, best, marks) for run, rows in _shared(group)],
            "curve": _curve(group),
        }
        for group in comparison.groups
    ]
    return {
        "objectives": [
            {
                "name": one.name, "column": one.column, "unit": one.unit, "min": one.direction == "min",
                "log": is_logarithmic(one, np.concatenate([run.values[run.measured, m] for run in comparison.runs])),
            }
            for m, one in enumerate(described_objectives(comparison.runs[0]))
        ],
        "hypervolume": " · ".join(objective.unit.split(",")[0] for objective in comparison.objectives),
        "groups": groups,
        "quality": [_quality(comparison, quality, name) for name in dict.fromkeys(one.objective for one in quality)],
    }  # fmt: skip


def _shared(group: Group) -> list[tuple[Run, set[int]]]:
    """Return per run the members of its front that no run of its group has better ones than."""
    members = [(run, int(row)) for run in group.runs for row in run.front]
    kept = [member for member, stays in zip(members, _undominated(members), strict=True) if stays]
    return [(run, {row for other, row in kept if other is run}) for run in group.runs]


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
    return _undominated([(run, row) for _, run, row in members])


def _undominated(members: Sequence[tuple[Run, int]]) -> NDArray[np.bool_]:
    return non_dominated(np.array([run.losses[row] for run, row in members], dtype=float))


def _points(
    run: Run,
    shared: set[int],
    share: int,
    places: Mapping[tuple[Path, int], int],
    best: set[int],
    marks: Mapping[tuple[Path, int], str],
) -> dict[str, Any]:
    """Return rows of a run as columns: its front, as many others as its share allows, and what has a name.

    ``front`` is 2 for members that are on the front of their group, too, and 1 for the others.
    """
    others = np.setdiff1d(np.flatnonzero(run.measured), run.front)
    shown = [*run.front[_thin(len(run.front), share)].tolist(), *others[_thin(len(others), share // 2)].tolist()]
    rows = np.array(list(dict.fromkeys([*shown, *(row for folder, row in marks if folder == run.folder)])), dtype=int)
    front, index = set(run.front.tolist()), run.header.index("index")
    member = [places.get((run.folder, int(row)), -1) for row in rows]
    return {
        "seed": run.facts["seed"],
        "row": [run.rows[row][index] for row in rows],
        "evaluation": (rows + 1).tolist(),
        "values": [_short(run.values[rows, column]) for column in range(len(run.objectives))],
        "architecture": [run.architectures[row] for row in rows],
        "front": [int(row in front) + int(row in shared) for row in rows.tolist()],
        "best": [int(place in best) for place in member],
        "feasible": run.feasible[rows].astype(int).tolist(),
        "member": member,
        "mark": [marks.get((run.folder, row), "") for row in rows.tolist()],
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
