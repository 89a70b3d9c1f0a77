"""Tables of compared searches: as Markdown for readers and as CSV for programs."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np

from dynas.data.tabulated import RESULTS, find
from dynas.paper.markdown import markdown
from dynas.paper.normalised import group_of, volume
from dynas.report.compare import Comparison
from dynas.report.tables import comparison_csv, measures
from dynas.report.text import point_text
from dynas.runs.load import Run
from dynas.system.compressed import read_bytes

Tabulate = Callable[[Comparison], tuple[str, str]]  # Markdown, CSV
COSTS = ("evaluation cost [h]", "search cost [h]", "total [h]")
UNKNOWN = "—"


def summary(comparison: Comparison) -> tuple[str, str]:
    """Return what ``dynas report`` tells of every group; how soon one reaches another is in the CSV only."""
    names, cells = measures(comparison)
    rows = [[group.name, *own] for group, own in zip(comparison.groups, cells, strict=True)]
    return _with_reference(markdown(["search", *names], rows), comparison), comparison_csv(comparison)


def costs(table: str, goals: Sequence[str], comparison: Comparison) -> tuple[str, str]:
    """Return what each search needs for the final hypervolume of others: evaluations, and hours of this machine.

    Args:
        table: the shipped table that says how long an evaluation takes.
        goals: names of the searches whose final hypervolumes are to be reached.
        comparison: all searches.
    """
    hours = hours_of_an_evaluation(table)
    records = [record for goal in goals for record in _costs(hours, goal, comparison)]
    rows = [
        [one["threshold"], one["search"], _count(one["evaluations"]), *(_hours(one[name]) for name in COSTS)]
        for one in records
    ]
    text = markdown(["normalised hypervolume", "search", "evaluations", *COSTS], rows, texts=2)
    return _with_reference(text, comparison), _csv(records)


def _costs(hours: float, goal: str, comparison: Comparison) -> list[dict[str, Any]]:
    group = group_of(comparison, goal)
    threshold = f"{volume(comparison, goal)[0]:.3f}, the last of {goal}"
    records = []
    for one in comparison.groups:
        needed = one.evaluations_to(group.hypervolume)
        search = cpu_seconds(one.runs) / 3600 * needed / one.evaluations
        cost = dict(zip(COSTS, (needed * hours, search, needed * hours + search), strict=True))
        records.append({"threshold": threshold, "search": one.name, "evaluations": needed, **cost})
    return sorted(records, key=lambda record: (math.isnan(record["evaluations"]), record["evaluations"]))


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


def cpu_seconds(runs: Sequence[Run]) -> float:
    """Return the mean CPU time of runs; NaN where one was interrupted, as it knows only the time since it went on."""
    return float(np.mean([run.facts["cpu_seconds"] if _in_one_go(run) else math.nan for run in runs]))


@cache
def hours_of_an_evaluation(table: str) -> float:
    """Return the mean wall time of the measurements of a shipped table."""
    text = read_bytes(find(table) / RESULTS).decode("utf-8")
    return float(np.mean([float(row["seconds [s]"]) for row in csv.DictReader(io.StringIO(text))])) / 3600


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


def _hours(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else UNKNOWN


def _csv(records: Sequence[Mapping[str, object]]) -> str:
    """Return records as CSV; an empty cell has no value."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, records[0], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: "" if value != value else value for key, value in record.items()})
    return buffer.getvalue()
