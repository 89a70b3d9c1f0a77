"""Comparing runs: grouped by what differs between them, averaged over seeds, with one reference point for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynas.errors import DynasError
from dynas.objectives import Values, losses
from dynas.pareto import hypervolume_curve, nadir
from dynas.report.load import Run

GENERIC = ("hydra", "experiment", "search_frame", "objectives")


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only.

    Attributes:
        name: what sets the group apart from the others.
        runs: its runs.
        curves: hypervolume ``(seeds, evaluations)``, as far as the shortest run goes.
    """

    name: str
    runs: list[Run]
    curves: Values

    @property
    def final(self) -> Values:
        """Hypervolume ``(seeds,)`` at the end."""
        return np.asarray(self.curves[:, -1])

    @property
    def mean(self) -> float:
        """Mean hypervolume at the end."""
        return float(self.final.mean())

    @property
    def error(self) -> float:
        """Standard error of the mean; NaN for a single run."""
        return float(self.final.std(ddof=1) / np.sqrt(len(self.final))) if len(self.final) > 1 else float("nan")

    def evaluations_to(self, volume: float) -> float:
        """Return after how many evaluations the mean curve reaches ``volume``; NaN if it never does."""
        reached = np.flatnonzero(self.curves.mean(axis=0) >= volume * (1 - 1e-12))
        return float(reached[0] + 1) if len(reached) else float("nan")


@dataclass(frozen=True)
class Comparison:
    """Groups of comparable runs and their common reference point, in the objectives' units."""

    groups: list[Group]
    reference: tuple[float, ...]


def compare(runs: Sequence[Run]) -> Comparison:
    """Group runs and compute their hypervolumes up to the worst value measured in any of them.

    Raises:
        DynasError: the runs have different objectives, or their latencies come from different hardware.
    """
    runs = [run for run in runs if len(run.rows)]
    if not runs:
        raise DynasError("none of the runs has measured anything yet")
    check_comparable(runs)
    objectives = runs[0].objectives
    point = nadir(np.concatenate([losses(objectives, run.values) for run in runs]))
    named: dict[str, list[Run]] = {}
    for run, name in zip(runs, group_names(runs), strict=True):
        named.setdefault(name, []).append(run)
    groups = []
    for name, members in named.items():
        length = min(len(run.rows) for run in members)
        curves = np.stack([hypervolume_curve(run.losses[:length], point) for run in members])
        groups.append(Group(name, members, curves))
    groups.sort(key=lambda group: -group.mean)
    return Comparison(groups, tuple(float(value) for value in losses(objectives, point[None])[0]))


def check_comparable(runs: Sequence[Run]) -> None:
    """Raise DynasError, naming two runs, where objectives, data or the hardware of a latency differ."""
    first = runs[0]

    def meaning(run: Run) -> list[tuple[str, str, str]]:
        return [(one.name, one.unit, one.direction) for one in run.objectives]

    for other in runs[1:]:
        if meaning(other) != meaning(first):
            mine, theirs = (", ".join(name for name, _, _ in meaning(run)) for run in (first, other))
            raise DynasError(
                f"'{first.folder}' has the objectives {mine} and '{other.folder}' has {theirs}: "
                "report runs with the same objectives together"
            )
        measured = any(one.unit == "ms" and not one.exact for one in first.objectives)
        sections = ("data", "hardware") if measured else ("data",)
        for section in sections:
            before, now = (run.facts.get("config", {}).get(section) for run in (first, other))
            if before != now:
                raise DynasError(
                    f"'{first.folder}' and '{other.folder}' were measured with different settings of {section}: "
                    "their values cannot be compared"
                )


def group_names(runs: Sequence[Run]) -> list[str]:
    """Return for each run what sets it apart: its choices and changed settings, without the seed."""
    described = [describe(run) for run in runs]
    keys = list(dict.fromkeys(key for facts in described for key in facts))
    differing = [key for key in keys if len({facts.get(key) for facts in described}) > 1]
    shown = differing or [key for key in ("mode", "algo") if key in keys]
    return [" ".join(str(facts[key]) for key in shown if facts.get(key) is not None) or "runs" for facts in described]


def describe(run: Run) -> dict[str, str]:
    """Return a run's group choices and the overrides that set single keys, but for the seed."""
    facts = {key: value for key, value in run.choices.items() if not key.startswith(GENERIC) and value != "None"}
    facts["budget"] = f"budget={run.facts.get('budget')}"
    for override in run.facts.get("overrides", []):
        key = override.split("=", 1)[0]
        if "." in key or key == "group":
            facts[key] = override
    return facts


def comparison_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row of text per group."""
    rows = []
    for group in comparison.groups:
        row = {
            "runs": group.name,
            "seeds": str(len(group.runs)),
            "evaluations": str(group.curves.shape[1]),
            "front": f"{np.mean([len(run.front) for run in group.runs]):.1f}",
            "hypervolume": f"{group.mean:.5g}",
            "standard error": "-" if np.isnan(group.error) else f"{group.error:.2g}",
        }
        for rival in comparison.groups:
            needed = group.evaluations_to(rival.mean)
            row[f"to reach {rival.name}"] = "never" if np.isnan(needed) else f"{needed:.0f}"
        rows.append(row)
    return rows
