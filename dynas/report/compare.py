"""Comparing runs: grouped by what differs between them, averaged over seeds, with one reference point for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError
from dynas.objectives import Objective, Values
from dynas.pareto import non_dominated
from dynas.report.groups import flat, group_names
from dynas.report.load import Run
from dynas.report.outputs import confirmed_volume, reference_point, volumes

TIME_UNITS = ("s", "ms", "us", "µs", "ns")


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in nothing but their seed.

    Attributes:
        name: what sets the group apart from the others.
        runs: its runs.
        curves: per run, the hypervolume ``(n,)`` after each evaluation.
        confirmed: per run, that of its whole front after its members were measured again; None where they were not.
    """

    name: str
    runs: tuple[Run, ...]
    curves: tuple[Values, ...]
    confirmed: tuple[float | None, ...] = ()

    @property
    def evaluations(self) -> int:
        """Number of evaluations that every run of the group has."""
        return min(len(curve) for curve in self.curves)

    @cached_property
    def common(self) -> Values:
        """Hypervolume ``(runs, evaluations)`` as far as every run goes."""
        return np.stack([curve[: self.evaluations] for curve in self.curves])

    @property
    def hypervolume(self) -> float:
        """Mean hypervolume after `evaluations` evaluations."""
        return float(self.common[:, -1].mean())

    @property
    def standard_error(self) -> float:
        """Standard error of `hypervolume` over the runs; NaN for a single run."""
        return float(standard_error(self.common)[-1])

    @property
    def confirmed_hypervolume(self) -> float:
        """Mean hypervolume of the confirmed fronts; NaN unless all runs are compared as a whole and were confirmed."""
        whole = [volume for volume in self.confirmed if volume is not None]
        cut = any(len(curve) > self.evaluations for curve in self.curves)
        return float("nan") if cut or len(whole) < len(self.runs) else float(np.mean(whole))

    @property
    def front_size(self) -> float:
        """Mean number of sub-networks on the measured front after `evaluations` evaluations."""
        return float(np.mean([_front_size(run, self.evaluations) for run in self.runs]))

    def evaluations_to(self, hypervolume: float) -> float:
        """Return the mean over runs of the first evaluation that reaches a hypervolume; NaN where one never does."""
        first = [np.flatnonzero(curve >= hypervolume * (1 - 1e-12)) for curve in self.curves]
        return float(np.mean([rows[0] + 1 for rows in first])) if all(map(len, first)) else float("nan")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of comparable runs, from the largest hypervolume to the smallest.

    Attributes:
        objectives: what all runs measured.
        reference: the common reference point, the worst value of each objective measured in any run, in its unit.
        groups: the groups.
        notes: what a reader has to know beside the numbers, one sentence each.
    """

    objectives: tuple[Objective, ...]
    reference: tuple[float, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]


def compare(runs: Sequence[Run]) -> Comparison:
    """Group runs by what differs between them and compute their hypervolumes up to one reference point.

    Runs that have measured nothing are left out, and a note says so.

    Raises:
        DynasError: nothing was measured at all, or two runs cannot be compared: the message names them.
    """
    measured = [run for run in runs if run.measured.any()]
    if not measured:
        raise DynasError("nothing to report: none of the runs has measured a sub-network yet")
    check_comparable(measured)
    reference = reference_point(measured)
    members: dict[str, list[Run]] = {}
    for run, name in zip(measured, group_names(measured), strict=True):
        members.setdefault(name, []).append(run)
    groups = [
        Group(
            name,
            tuple(some),
            tuple(volumes(run, reference) for run in some),
            tuple(confirmed_volume(run, reference) for run in some),
        )
        for name, some in members.items()
    ]
    groups.sort(key=lambda group: -group.hypervolume)
    notes = [f"'{run.folder}' has measured nothing and is left out" for run in runs if not run.measured.any()]
    notes += [note for group in groups for note in _notes(group)]
    return Comparison(measured[0].objectives, reference, tuple(groups), tuple(notes))


def check_comparable(runs: Sequence[Run]) -> None:
    """Raise DynasError, naming two runs and what differs, where values do not mean the same in all runs."""
    first = runs[0]
    for other in runs[1:]:
        mine, theirs = ([_meaning(objective) for objective in run.objectives] for run in (first, other))
        if mine != theirs:
            raise DynasError(
                f"'{first.folder}' has the objectives {', '.join(mine)} but '{other.folder}' has "
                f"{', '.join(theirs)}: report runs together that have the same objectives in the same order"
            )
        before, now = circumstances(first), circumstances(other)
        for what in {**before, **now}:
            if before.get(what) != now.get(what):
                raise DynasError(
                    f"'{first.folder}' was measured with {what}={before.get(what)} but '{other.folder}' with "
                    f"{what}={now.get(what)}: their values cannot be compared"
                )


def standard_error(table: Values) -> Values:
    """Return the standard error ``(n,)`` of the mean over the rows of ``table`` ``(runs, n)``; NaN for one row."""
    if len(table) < 2:
        return np.full(table.shape[1], np.nan)
    return np.asarray(table.std(axis=0, ddof=1) / np.sqrt(len(table)))


def _front_size(run: Run, evaluations: int) -> int:
    rows: NDArray[np.int64] = np.flatnonzero(run.feasible[:evaluations])
    return int(non_dominated(run.losses[rows]).sum())


def _meaning(objective: Objective) -> str:
    return f"{objective.column} ({objective.direction})"


def circumstances(run: Run) -> dict[str, str]:
    """Return what a run's measured values depend on beside the sub-network: data, and hardware for a latency."""
    sections: list[str] = []
    facts: dict[str, str] = {}
    if any(not objective.exact for objective in run.objectives):
        sections.append("data")
    if any(_is_latency(objective) for objective in run.objectives):
        sections += ["supernet", "hardware"]
    if any(_is_latency(objective) and not objective.exact for objective in run.objectives):
        machine = run.facts.get("machine")
        facts["machine"] = str(machine.get("cpu")) if isinstance(machine, Mapping) else "None"
    config = run.facts.get("config")
    for section in sections:
        facts[section] = run.choices.get(section, "None")
        if section != "supernet" and isinstance(config, Mapping):
            facts |= flat(config.get(section), section)
    return facts


def _is_latency(objective: Objective) -> bool:
    return "latency" in objective.name or objective.unit in TIME_UNITS


def _notes(group: Group) -> list[str]:
    longest = max(len(curve) for curve in group.curves)
    unfinished = [run for run in group.runs if run.facts["status"] != "finished"]
    notes = [f"'{run.folder}' is {run.facts['status']}, with {len(run)} evaluations" for run in unfinished]
    seeds = [run.facts["seed"] for run in group.runs]
    if repeated := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        notes.append(f"{group.name} holds several runs with seed {', '.join(map(str, repeated))}: they may be copies")
    if longest > group.evaluations:
        notes.append(f"the runs of {group.name} are compared at {group.evaluations} evaluations, where the first ends")
    return notes
