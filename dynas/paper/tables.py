"""Tables of compared searches: as Markdown for readers and as CSV for programs."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np

from dynas.paper.parts import markdown
from dynas.report.compare import Comparison, Group
from dynas.report.quality import qualities
from dynas.report.tables import comparison_csv, measures
from dynas.report.text import point_text, seconds_text
from dynas.runs.load import Run

Tabulate = Callable[[Comparison], tuple[str, str]]  # Markdown, CSV
SHARES = (0.8, 0.9, 0.95, 0.99)
UNKNOWN = "—"


def summary(comparison: Comparison) -> tuple[str, str]:
    """Return what ``dynas report`` tells of every group; how soon one reaches another is in the CSV only."""
    names, cells = measures(comparison)
    rows = [[group.name, *own] for group, own in zip(comparison.groups, cells, strict=True)]
    return _with_reference(markdown(["search", *names], rows), comparison), comparison_csv(comparison)


def iterations(comparison: Comparison) -> tuple[str, str]:
    """Return how good each group's predictors are after their first and their last training."""
    found = qualities(comparison)
    names = ["search", "objective", "iteration", "examples", "MAPE [%]", "Kendall tau"]
    lines = [(one.predictor, one.objective, one.iteration, one.size, one.mape, one.kendall_tau) for one in found]
    every = [[line for line in lines if line[:2] == series] for series in dict.fromkeys(line[:2] for line in lines)]
    shown = [line for mine in every for line in dict.fromkeys([mine[0], mine[-1]])]
    rows = [
        [search, objective, str(iteration), f"{size:.0f}", f"{mape:.3f}", f"{tau:.3f}"]
        for search, objective, iteration, size, mape, tau in shown
    ]
    return markdown(names, rows), _csv([dict(zip(names, line, strict=True)) for line in lines])


def thresholds(comparison: Comparison) -> tuple[str, str]:
    """Return how soon each group has shares of the best final hypervolume, and what a whole run costs in seconds."""
    best = comparison.groups[0].hypervolume
    counts = [
        {f"evaluations to {share:.0%}": group.evaluations_to(share * best) for share in SHARES}
        for group in comparison.groups
    ]
    costs = [_costs(group) for group in comparison.groups]
    records = [
        {"search": group.name, "evaluations": group.evaluations, **count, **cost}
        for group, count, cost in zip(comparison.groups, counts, costs, strict=True)
    ]
    rows = [
        [group.name, f"{group.evaluations:,}", *map(_count, count.values()), *map(seconds_text, cost.values())]
        for group, count, cost in zip(comparison.groups, counts, costs, strict=True)
    ]
    return _with_reference(markdown(list(records[0]), rows), comparison), _csv(records)


def correlations(comparison: Comparison) -> tuple[str, str]:
    """Return how well each cost orders sub-networks as each other cost does."""
    from scipy.stats import kendalltau

    costs = [column for column, one in enumerate(comparison.objectives) if one.direction == "min"]
    values = np.concatenate([run.values[run.feasible] for run in comparison.runs])
    records = [
        {
            "costs": f"{comparison.objectives[a].column}, {comparison.objectives[b].column}",
            "sub-networks": len(values),
            "Kendall tau": float(kendalltau(values[:, a], values[:, b]).statistic),
            "Pearson r": float(np.corrcoef(values[:, a], values[:, b])[0, 1]),
        }
        for a, b in itertools.combinations(costs, 2)
    ]
    rows = [
        [str(one["costs"]), str(one["sub-networks"]), f"{one['Kendall tau']:.3f}", f"{one['Pearson r']:.3f}"]
        for one in records
    ]
    return markdown(list(records[0]), rows), _csv(records)


def _costs(group: Group) -> dict[str, float]:
    """Return mean seconds of a whole run: of its process, of its measurements, beside them, and from start to end."""
    return {
        "CPU [s]": cpu_seconds(group.runs),
        "measure [s]": group.measurement_seconds,
        "search [s]": group.search_seconds,
        "total [s]": group.measurement_seconds + group.search_seconds,
    }


def cpu_seconds(runs: Sequence[Run]) -> float:
    """Return the mean CPU time of runs; NaN where one was interrupted, as it knows only the time since it went on."""
    return float(np.mean([run.facts["cpu_seconds"] if _in_one_go(run) else math.nan for run in runs]))


def _in_one_go(run: Run) -> bool:
    if "started" not in run.facts or "cpu_seconds" not in run.facts:
        return False
    first = run.rows[0][run.header.index("timestamp")]
    return datetime.fromisoformat(first) >= datetime.fromisoformat(run.facts["started"])


def _with_reference(table: str, comparison: Comparison) -> str:
    point = point_text(comparison.objectives, comparison.reference)
    return f"{table}\n\nReference point of the hypervolume: {point}, the worst measured in any of these runs."


def _count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else UNKNOWN


def _csv(records: Sequence[Mapping[str, object]]) -> str:
    """Return records as CSV; an empty cell has no value."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, records[0], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: "" if value != value else value for key, value in record.items()})
    return buffer.getvalue()
